"""Style sheet -> the rules of it that may apply to some HTML. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import NamedTuple

_PSEUDO = re.compile(r":[\w-]+(\([^()]*\))?")
_ATTRIBUTE = re.compile(r"\[([^\]]*)\]")
_TAG = re.compile(r"<([a-z][a-z0-9]*)")
_CLASS = re.compile(r'class="([^"]*)"')
_NAME = re.compile(r"(\.?)([A-Za-z][\w-]*)")


def used_rules(css: str, html: str) -> str:
    """Return `css`, minified and nested at most once, without the rules whose selectors name what `html` lacks.

    Example:
        >>> used_rules(".a{top:0;p{left:0}pre{left:1px}}.b{top:1px}", '<div class="a"><p>x</p></div>')
        '.a{top:0;p{left:0}}'
    """
    named = (name for value in set(_CLASS.findall(html)) for name in value.split())
    attributes = frozenset(one for one in _attributes(css) if f" {one}" in html)
    return _used_by(css, _Page(frozenset(_TAG.findall(html)), frozenset({"lockbots", *named}), attributes))


class _Page(NamedTuple):
    """What selectors may name in some HTML."""

    tags: frozenset[str]
    classes: frozenset[str]
    attributes: frozenset[str]

    def may_hold(self, selector: str) -> bool:
        """Tell whether an element that `selector` names may be there."""
        attributes, names = _named_in(selector)
        return self.attributes.issuperset(attributes) and all(
            name in (self.classes if dot else self.tags) for dot, name in names
        )


@functools.lru_cache(maxsize=256)
def _used_by(css: str, page: _Page) -> str:
    """Return the rules for a page. Most replies hold what some reply before them held."""
    return "".join(f"{selector}{{{_body(body, page)}}}" for selector, body in _used(css, page))


@functools.lru_cache(maxsize=8)
def _attributes(css: str) -> tuple[str, ...]:
    """Return the attributes that the selectors of a style sheet name."""
    return tuple(dict.fromkeys(_ATTRIBUTE.findall(css)))


@functools.lru_cache(maxsize=512)
def _named_in(selector: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the attributes, and the classes and tags, that a selector names."""
    bare = _PSEUDO.sub("", _ATTRIBUTE.sub("", selector))
    return _ATTRIBUTE.findall(selector), _NAME.findall(bare)


def _body(body: str, page: _Page) -> str:
    """Return the declarations of a rule, and the rules within it that are used."""
    first = body.find("{")
    if first < 0:
        return body
    start = max(body.rfind(";", 0, first), body.rfind("}", 0, first)) + 1
    rules = "".join(f"{selector}{{{inner}}}" for selector, inner in _used(body[start:], page))
    return body[:start] + rules


def _used(css: str, page: _Page) -> Iterator[tuple[str, str]]:
    for selector, body in _rules(css):
        if used := [one for one in selector.split(",") if page.may_hold(one)]:
            yield ",".join(used), body


@functools.lru_cache(maxsize=128)
def _rules(css: str) -> list[tuple[str, str]]:
    """Return the selector and the body of each rule at the top level. All outputs share one style sheet."""
    rules = []
    depth, start, opened = 0, 0, 0
    for found in re.finditer("[{}]", css):
        depth += 1 if found[0] == "{" else -1
        if depth == 1 and found[0] == "{":
            opened = found.start()
        elif depth == 0:
            rules.append((css[start:opened].lstrip(";"), css[opened + 1 : found.start()]))
            start = found.end()
    return rules

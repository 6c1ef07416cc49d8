"""Style sheet -> the rules of it that may apply to some HTML. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

_PSEUDO = re.compile(r":[\w-]+(\([^()]*\))?|\[[^\]]*\]")
_NAME = re.compile(r"(\.?)([A-Za-z][\w-]*)")


def used_rules(css: str, html: str) -> str:
    """Return `css`, minified and nested at most once, without the rules whose selectors name what `html` lacks.

    Example:
        >>> used_rules(".a{top:0;p{left:0}pre{left:1px}}.b{top:1px}", '<div class="a"><p>x</p></div>')
        '.a{top:0;p{left:0}}'
    """
    tags = set(re.findall(r"<([a-z][a-z0-9]*)", html))
    classes = {"lockbots", *(name for value in re.findall(r'class="([^"]*)"', html) for name in value.split())}
    return "".join(f"{selector}{{{_body(body, tags, classes)}}}" for selector, body in _used(css, tags, classes))


def _body(body: str, tags: set[str], classes: set[str]) -> str:
    """Return the declarations of a rule, and the rules within it that are used."""
    first = body.find("{")
    if first < 0:
        return body
    start = max(body.rfind(";", 0, first), body.rfind("}", 0, first)) + 1
    rules = "".join(f"{selector}{{{inner}}}" for selector, inner in _used(body[start:], tags, classes))
    return body[:start] + rules


def _used(css: str, tags: set[str], classes: set[str]) -> Iterator[tuple[str, str]]:
    for selector, body in _rules(css):
        if any(_applies(one, tags, classes) for one in selector.split(",")):
            yield selector, body


def _applies(selector: str, tags: set[str], classes: set[str]) -> bool:
    names = _NAME.findall(_PSEUDO.sub("", selector))
    return all(name in (classes if dot else tags) for dot, name in names)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Yield the selector and the body of each rule at the top level."""
    depth, start, opened = 0, 0, 0
    for found in re.finditer("[{}]", css):
        depth += 1 if found[0] == "{" else -1
        if depth == 1 and found[0] == "{":
            opened = found.start()
        elif depth == 0:
            yield css[start:opened].lstrip(";"), css[opened + 1 : found.start()]
            start = found.end()

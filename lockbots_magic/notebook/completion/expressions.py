"""Completes the Python of a prompt from the notebook's live values. Pure over what evaluates it.

jedi, which IPython asks, takes up to a second where there is much to choose from. Here a name, an attribute or a key is
one look at a value. What else there is in a line of Python has no completions.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any

from ...prompt.libraries import is_a, method
from .offers import Offer

LONGEST_CODE = 4_000
"""Characters between the braces; what is longer is no expression (`context.template`)."""
MOST_KEYS = 10_000
"""Keys of a value that are looked at."""

_WORDS = ("False", "None", "True", "and", "else", "for", "if", "in", "is", "lambda", "not", "or")
"""Keywords that can stand in an expression."""

_STRING = re.compile(r"""("{3}|'{3}|"|')(?P<text>(?:\\.|(?!\1).)*)(?P<end>\1|\Z)""", re.DOTALL)
_KEY = r"""\[(?:-?\d+|"[^"\\\[\]]*"|'[^'\\\[\]]*')\]"""
_VALUE = rf"""(?<![\w.)\]}}"'])(?P<value>[^\W\d]\w*(?:\.[^\W\d]\w*|{_KEY})*)"""
_ATTRIBUTE = re.compile(rf"{_VALUE}\.(?P<typed>\w*)\Z")
_ITEM = re.compile(rf"""{_VALUE}\[(?P<quote>["']?)(?P<typed>[^\[\]"'\\]*)\Z""")
_NAME = re.compile(r"""(?<![\w.)\]}"'])(?P<typed>(?:[^\W\d]\w*)?)\Z""")


class Expressions:
    """Completes Python expressions.

    Of the user's code only that runs which says what there is: `__dir__`, and where a value has keys of its own kind
    `_ipython_key_completions_`. Each is asked once; how long it takes is for nobody here to bound.

    Args:
        namespace: the notebook's variables, by name.
        hidden: the names among them that nobody made.
        evaluate: returns the value of a name with attributes and keys, such as `a.b["c"]`; it raises what it likes.
        paths: completes the path of a file.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        *,
        hidden: Container[str],
        evaluate: Callable[[str], Any],
        paths: Callable[[str], Iterable[str]],
    ) -> None:
        self._namespace = namespace
        self._hidden = hidden
        self._evaluate = evaluate
        self._paths = paths

    def __call__(self, code: str) -> tuple[int, Iterable[Offer]]:
        """Return what completes `code` at its end, and where in it that begins."""
        if len(code) > LONGEST_CODE:
            return len(code), ()
        string = _open_string(code)
        if item := _ITEM.search(code):
            keys = [*self._keys(item["value"], item["quote"], item["typed"])]
            if keys or item["quote"]:
                return item.start("typed"), keys
        if string is not None:
            return string.start("text"), self._files(string["text"], string[1])
        if found := _ATTRIBUTE.search(code):
            return found.start("typed"), self._attributes(found["value"], found["typed"])
        if found := _NAME.search(code):
            return found.start("typed"), self._names(found["typed"])
        return len(code), ()

    def _names(self, typed: str) -> Iterator[Offer]:
        """The user's first; private ones once they are begun."""
        known = [name for name in list(self._namespace) if isinstance(name, str) and name not in self._hidden]
        mine = sorted(_fitting(known, typed))
        return (Offer(name, "") for name in dict.fromkeys([*mine, *_fitting([*dir(builtins), *_WORDS], typed)]))

    def _attributes(self, value: str, typed: str) -> Iterator[Offer]:
        names: list[Any] = []
        with suppress(Exception):  # no such value, or what a class of the user's raises
            names = dir(self._evaluate(value))
        return (Offer(name, "attribute") for name in _fitting(names, typed))

    def _keys(self, value: str, quote: str, typed: str) -> Iterator[Offer]:
        """The keys that are text. In a quote they are as they are; without one, nothing can have been typed."""
        keys: list[Any] = []
        if quote or not typed.strip():
            with suppress(Exception):  # as above
                keys = [*islice(_keys_of(self._evaluate(value)), MOST_KEYS)]
        for key in (str.__str__(key) for key in keys if isinstance(key, str)):
            if quote and key.startswith(typed) and not _breaks(key, quote):
                yield Offer(key, "key")
            elif not quote:
                yield Offer(repr(key), "key")

    def _files(self, typed: str, quote: str) -> Iterator[Offer]:
        return (Offer(path, "path") for path in self._paths(typed) if not _breaks(path, quote))


def _open_string(code: str) -> re.Match[str] | None:
    """The string that `code` ends in."""
    return next((string for string in _STRING.finditer(code) if not string["end"]), None)


def _fitting(names: Iterable[Any], typed: str) -> Iterator[str]:
    """The names that go on as typed."""
    for name in names:
        is_name = isinstance(name, str) and name.startswith(typed) and name.isidentifier()
        if is_name and (typed or not name.startswith("_")):
            yield name


def _keys_of(value: Any) -> Iterable[Any]:
    keys: Iterable[Any]
    if isinstance(value, dict):
        return dict.keys(value)
    if is_a(value, "pandas.DataFrame", "polars.DataFrame"):
        keys = value.columns
    elif is_a(value, "pandas.Series"):
        keys = value.index
    elif own := method(value, "_ipython_key_completions_"):
        keys = own()
    else:
        keys = ()
    return keys


def _breaks(text: str, quote: str) -> bool:
    """Whether `text` would not be itself within a `quote`."""
    return quote[0] in text or "\\" in text

"""Lists, dicts and their like as Python writes them: laid out to be read, and bounded."""

from __future__ import annotations

import itertools
import textwrap
from collections import deque
from collections.abc import ItemsView, Iterator, KeysView, Sized, ValuesView
from typing import Any

from .material import Material
from .text import begun, repr_of

FIRST, LAST = 80, 20
"""Items of each container, from its beginning and, where it has places, from its end."""
DEEPEST = 8
"""Containers within containers."""
LONGEST_TEXT = 2_000
"""Characters of a text or another value in a container."""
CHARACTERS = 20_000
"""Of the whole, without what lays it out."""
WIDTH = 100
"""Characters of a line."""

_VIEWS = (KeysView, ValuesView, ItemsView)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque, *_VIEWS)


def container_material(value: Any) -> Material | None:
    """Return `value` if it is a container: a list, tuple, dict, set, deque, or a view of a dict."""
    if not isinstance(value, _CONTAINERS):
        return None
    writer = _Writer(CHARACTERS)
    text = writer.write(value)
    size = len(value)
    items = (f"{FIRST + LAST} items of {size:,}",) if size > FIRST + LAST else ()
    return Material(text, notes=(*items, *(("long or deep parts are shortened",) if writer.has_cut else ())))


def brief(value: Any, characters: int) -> str:
    """Return `value` on one line, of about `characters` at most; in a container that is the beginning."""
    return " ".join(_Writer(characters).write(value).split())


class _Writer:
    """Writes one value.

    Args:
        characters: how many all values in it may take together.
    """

    def __init__(self, characters: int) -> None:
        self._left = characters
        self._within: list[int] = []
        self.has_cut = False
        """Whether more was left out than items of the outermost container."""

    def write(self, value: Any) -> str:
        """Return `value`; one that holds itself is written as Python does, `[...]`."""
        if not isinstance(value, _CONTAINERS):
            return self._atom(value)
        opening, closing = _brackets(value)
        if not value:
            return "set()" if isinstance(value, set) else f"{opening}{closing}"
        if id(value) in self._within:
            return f"{opening}...{closing}"
        if len(self._within) == DEEPEST or self._left <= 0:
            self.has_cut = True
            return f"{opening}…{closing}"
        self._within.append(id(value))
        parts = [*self._items(value)]
        self._within.pop()
        if isinstance(value, tuple) and len(value) == 1 and opening == "(":
            parts[0] += ","
        return _laid_out(opening, parts, closing, packed=not isinstance(value, dict))

    def _items(self, value: Any) -> Iterator[str]:
        has_places = isinstance(value, list | tuple)
        shown = FIRST + LAST if len(value) <= FIRST + LAST or not has_places else FIRST
        written = 0
        for item in itertools.islice(_parts(value), shown):
            if self._left <= 0:
                break
            yield self._item(item)
            written += 1
        last = LAST if has_places and written == FIRST < shown + LAST < len(value) else 0
        if rest := len(value) - written - last:
            self.has_cut |= len(self._within) > 1 or written < shown
            yield f"… {rest:,} more"
        if last:
            yield from map(self.write, value[-last:])

    def _item(self, item: Any) -> str:
        if not isinstance(item, _Pair):
            return self.write(item)
        name = item.name if item.name is not None else self.write(item.key) + ": "
        return name + self.write(item.value)

    def _atom(self, value: Any) -> str:
        bound = max(20, min(LONGEST_TEXT, self._left))
        if isinstance(value, str):
            text = repr(begun(str.__str__(value), bound))
            cut = len(value) > bound
        else:
            text = repr_of(value, bound)
            cut = len(text) > bound
            text = begun(text, bound)
        self.has_cut |= cut
        self._left -= len(text)
        return text + ("…" if cut else "")


class _Pair:
    """An item of a dict, or of a named tuple, which writes names in front: `x=1`."""

    def __init__(self, key: Any, value: Any, name: str | None = None) -> None:
        self.key, self.value, self.name = key, value, name


def _parts(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return itertools.starmap(_Pair, value.items())
    if names := _fields(value):
        return (_Pair(name, part, f"{name}=") for name, part in zip(names, value, strict=False))
    return iter(value)


def _fields(value: Any) -> tuple[str, ...]:
    return getattr(type(value), "_fields", ()) if isinstance(value, tuple) else ()


def _brackets(value: Sized) -> tuple[str, str]:
    if isinstance(value, tuple):
        return (f"{type(value).__name__}(" if _fields(value) else "("), ")"
    if isinstance(value, dict | set):
        return "{", "}"
    if isinstance(value, frozenset):
        return ("frozenset({", "})") if value else ("frozenset(", ")")
    return "[", "]"


def _laid_out(opening: str, parts: list[str], closing: str, *, packed: bool) -> str:
    """One line if it fits; else several short `parts` a line if they may be `packed`, or one a line."""
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    lines = _packed(parts) if packed else parts
    return f"{opening}\n{textwrap.indent((',' + chr(10)).join(lines), '  ')}\n{closing}"


def _packed(parts: list[str]) -> Iterator[str]:
    line = ""
    for part in parts:
        if line and (len(line) + len(part) + 2 > WIDTH or "\n" in line + part):
            yield line
            line = ""
        line = f"{line}, {part}" if line else part
    yield line

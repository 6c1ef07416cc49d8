"""Parts of a prompt from lists, dicts and other containers: Python syntax, indented and bounded."""

from __future__ import annotations

import itertools
import textwrap
from collections import deque
from collections.abc import Callable, ItemsView, Iterator, KeysView, Set, Sized, ValuesView
from typing import Any, TypeAlias

from ..language import _
from .part import PromptPart
from .text import bounded_repr, truncate

MAX_FIRST, MAX_LAST = 80, 20
"""Items of each container: from its beginning and, if it is a sequence, from its end."""
MAX_IMAGES = 8
"""Pictures in a container."""
MAX_DEPTH = 8
"""Depth of nested containers."""
MAX_TEXT_LENGTH = 2_000
"""Characters of a string or another value in a container."""
MAX_LENGTH = 20_000
"""Characters of the whole, without line breaks and indentation."""
WIDTH = 100
"""Characters of a line."""

_VIEWS = (KeysView, ValuesView, ItemsView)
_CONTAINERS = (list, tuple, dict, set, frozenset, deque, *_VIEWS)


Converter: TypeAlias = Callable[[Any], PromptPart | None]
"""Converts values of certain types, and returns None for others."""


def container_part(value: Any, convert_item: Converter = lambda _unused: None) -> PromptPart | None:
    """Convert a list, tuple, dict, set, deque or view of a dict; return None for other values.

    Args:
        value: The value.
        convert_item: Converts items that have a form of their own, such as data frames; other items become their repr.
    """
    if not isinstance(value, _CONTAINERS):
        return None
    writer = _ContainerWriter(MAX_LENGTH, convert_item)
    text = writer.write(value)
    size = len(value)
    items = (
        (_("only {n} of {size:,} items were sent", n=MAX_FIRST + MAX_LAST, size=size),)
        if size > MAX_FIRST + MAX_LAST
        else ()
    )
    cut = (_("long or deeply nested parts were shortened"),) if writer.has_cut else ()
    return PromptPart(text, tuple(writer.images), notes=(*items, *cut))


def format_briefly(value: Any, characters: int) -> str:
    """Return `value` on one line of about `characters` at most; a container is cut at its end."""
    return " ".join(_ContainerWriter(characters).write(value).split())


class _ContainerWriter:
    """Writes one value.

    Args:
        characters: Limit for all values in it together.
        convert_item: See `container_part`.
    """

    def __init__(self, characters: int, convert_item: Converter = lambda _unused: None) -> None:
        self._left = characters
        self._convert_item = convert_item
        self._within: list[int] = []
        self.images: list[str] = []
        """URLs of the pictures in it, each once."""
        self.has_cut = False
        """Whether anything was left out besides items of the outermost container."""

    def write(self, value: Any) -> str:
        """Write `value`; a container that contains itself is written as Python does, `[...]`."""
        if not isinstance(value, _CONTAINERS):
            return self._write_value(value)
        opening, closing = _brackets(value)
        if not value:
            return "set()" if isinstance(value, set) else f"{opening}{closing}"
        if id(value) in self._within:
            return f"{opening}...{closing}"
        if len(self._within) == MAX_DEPTH or self._left <= 0:
            self.has_cut = True
            return f"{opening}…{closing}"
        self._within.append(id(value))
        parts = [*self._write_items(value)]
        self._within.pop()
        if isinstance(value, tuple) and len(value) == 1 and opening == "(":
            parts[0] += ","
        return _lay_out(opening, parts, closing, packed=not isinstance(value, dict))

    def _write_items(self, value: Any) -> Iterator[str]:
        is_sequence = isinstance(value, list | tuple)
        shown = MAX_FIRST + MAX_LAST if len(value) <= MAX_FIRST + MAX_LAST or not is_sequence else MAX_FIRST
        written = 0
        for item in itertools.islice(_iterate(value), shown):
            if self._left <= 0:
                break
            yield self._write_item(item)
            written += 1
        last = MAX_LAST if is_sequence and written == MAX_FIRST < shown + MAX_LAST < len(value) else 0
        if rest := len(value) - written - last:
            self.has_cut |= len(self._within) > 1 or written < shown
            yield f"… {rest:,} more"
        if last:
            yield from map(self.write, value[-last:])

    def _write_item(self, item: Any) -> str:
        if not isinstance(item, _DictItem):
            return self.write(item)
        name = item.name if item.name is not None else self.write(item.key) + ": "
        return name + self.write(item.value)

    def _write_value(self, value: Any) -> str:
        bound = max(20, min(MAX_TEXT_LENGTH, self._left))
        if isinstance(value, str):
            text = repr(truncate(str.__str__(value), bound))
            cut = len(value) > bound
        elif part := self._convert_item(value):
            text, cut = truncate(part.text, MAX_LENGTH), bool(part.notes)
            self.images += [url for url in part.images if url not in self.images]
            if len(self.images) > MAX_IMAGES:
                self.images, cut = self.images[:MAX_IMAGES], True
        else:
            text = bounded_repr(value, bound)
            cut = len(text) > bound
            text = truncate(text, bound)
        self.has_cut |= cut
        self._left -= len(text)
        return text + ("…" if cut and "\n" not in text else "")


class _DictItem:
    """An item of a dict, or of a named tuple, which is written with its name: `x=1`."""

    def __init__(self, key: Any, value: Any, name: str | None = None) -> None:
        self.key, self.value, self.name = key, value, name


def _iterate(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return itertools.starmap(_DictItem, value.items())
    if isinstance(value, set | frozenset):
        return iter(_sort(value))
    if names := _field_names(value):
        return (_DictItem(name, part, f"{name}=") for name, part in zip(names, value, strict=False))
    return iter(value)


def _sort(values: Set[Any]) -> list[Any]:
    """Return the items of a set in the same order in each run; hashes of strings differ."""
    try:
        return sorted(values)
    except Exception:  # noqa: BLE001  # of different types, or without an order
        return sorted(values, key=lambda value: (type(value).__name__, bounded_repr(value, MAX_TEXT_LENGTH)))


def _field_names(value: Any) -> tuple[str, ...]:
    return getattr(type(value), "_fields", ()) if isinstance(value, tuple) else ()


def _brackets(value: Sized) -> tuple[str, str]:
    if isinstance(value, tuple):
        return (f"{type(value).__name__}(" if _field_names(value) else "("), ")"
    if isinstance(value, dict | set):
        return "{", "}"
    if isinstance(value, frozenset):
        return ("frozenset({", "})") if value else ("frozenset(", ")")
    return "[", "]"


def _lay_out(opening: str, parts: list[str], closing: str, *, packed: bool) -> str:
    """Return one line if it fits; else several short `parts` a line if they are `packed`, or one a line."""
    line = f"{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDTH and "\n" not in line:
        return line
    lines = _pack(parts) if packed else parts
    return f"{opening}\n{textwrap.indent((',' + chr(10)).join(lines), '  ')}\n{closing}"


def _pack(parts: list[str]) -> Iterator[str]:
    line = ""
    for part in parts:
        if line and (len(line) + len(part) + 2 > WIDTH or "\n" in line + part):
            yield line
            line = ""
        line = f"{line}, {part}" if line else part
    yield line

"""Parts of a prompt from code: source of functions and classes, in cells too; docstrings of modules."""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

from ..language import _
from .part import PromptPart
from .text import truncate

MAX_LENGTH = 20_000
"""Characters of source or of a docstring."""


def code_part(value: Any) -> PromptPart | None:
    """Convert a function, method, class or module; return None for other values."""
    if inspect.ismodule(value):
        return _bounded_part(_describe_module(value))
    is_code = inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, functools._lru_cache_wrapper)
    return _bounded_part(_read_source(value) or _describe(value)) if is_code else None


def _bounded_part(text: str) -> PromptPart:
    if len(text) <= MAX_LENGTH:
        return PromptPart(text)
    text, length = truncate(text, MAX_LENGTH), len(text)
    more = f"\n[… {length - MAX_LENGTH:,} more characters]"
    return PromptPart(
        text + more,
        notes=(
            _("only the first {max_length:,} of {length:,} characters were sent", max_length=MAX_LENGTH, length=length),
        ),
    )


def _describe_module(module: ModuleType) -> str:
    return f"module {module.__name__}\n\n{inspect.getdoc(module) or ''}".rstrip()


def _read_source(value: Any) -> str:
    with suppress(OSError, TypeError, SyntaxError, IndexError):  # raised by `inspect` if there is no source
        return textwrap.dedent(inspect.getsource(value)).rstrip()
    return next(_find_in_cells(value), "") if inspect.isclass(value) else ""


def _find_in_cells(kind: type) -> Iterator[str]:
    """Yield the source of a class defined in a cell: `inspect` finds classes only in files.

    The cells come from the line cache. The one that defines the class's methods is first, then the latest.
    """
    functions = [f for f in vars(kind).values() if isinstance(f, FunctionType) and f.__module__ == kind.__module__]
    names = [function.__code__.co_filename for function in functions]
    if kind.__module__ == "__main__":
        names += [name for name, entry in reversed([*linecache.cache.items()]) if len(entry) > 1 and entry[1] is None]
    for name in dict.fromkeys(names):
        lines = "".join(linecache.getlines(name))
        if f"class {kind.__name__}" in lines:
            yield from _find_classes(lines, kind.__qualname__.rpartition(".<locals>.")[2])


def _find_classes(text: str, path: str) -> Iterator[str]:
    """Yield the source of each class that `text` defines as `path`, such as "Outer.Inner", the last one first."""
    try:
        within: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):  # not Python
        return
    found: list[ast.ClassDef] = []
    for name in path.split("."):
        inner = (node for outer in within for node in ast.walk(outer))
        found = [node for node in inner if isinstance(node, ast.ClassDef) and node.name == name]
        within = [*found]
    for kind in reversed(found):
        first = min([kind.lineno, *(decorator.lineno for decorator in kind.decorator_list)])
        yield textwrap.dedent("\n".join(text.splitlines()[first - 1 : kind.end_lineno]))


def _describe(value: Any) -> str:
    """Return name, signature and docstring, for code that is not written in Python."""
    try:
        arguments = str(inspect.signature(value))
    except (ValueError, TypeError):
        arguments = "(...)"
    word = "class " if inspect.isclass(value) else ""
    name = getattr(value, "__qualname__", None) or repr(value)
    return f"{word}{name}{arguments}\n\n{inspect.getdoc(value) or ''}".rstrip()

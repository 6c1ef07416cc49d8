"""Functions and classes as their source, those of notebook cells too; modules as what they say of themselves."""

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

from .material import Material
from .text import begun

CHARACTERS = 20_000
"""Of a source or a docstring."""


def code_material(value: Any) -> Material | None:
    """Return `value` if it is a function, a method, a class or a module."""
    if inspect.ismodule(value):
        return _bounded(_module(value))
    is_code = inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, functools._lru_cache_wrapper)
    return _bounded(_source(value) or _described(value)) if is_code else None


def _bounded(text: str) -> Material:
    if len(text) <= CHARACTERS:
        return Material(text)
    text, length = begun(text, CHARACTERS), len(text)
    more = f"\n[… {length - CHARACTERS:,} more characters]"
    return Material(text + more, notes=(f"first {CHARACTERS:,} characters of {length:,}",))


def _module(module: ModuleType) -> str:
    return f"module {module.__name__}\n\n{inspect.getdoc(module) or ''}".rstrip()


def _source(value: Any) -> str:
    with suppress(OSError, TypeError, SyntaxError, IndexError):  # what `inspect` raises where there is none
        return textwrap.dedent(inspect.getsource(value)).rstrip()
    return next(_interactive(value), "") if inspect.isclass(value) else ""


def _interactive(kind: type) -> Iterator[str]:
    """Sources of a class made in a cell: `inspect` looks for classes in files only, and a cell has none.

    Cells are found where tracebacks find their lines. The cell that defines its methods comes first, then the latest.
    """
    functions = [f for f in vars(kind).values() if isinstance(f, FunctionType) and f.__module__ == kind.__module__]
    names = [function.__code__.co_filename for function in functions]
    if kind.__module__ == "__main__":
        names += [name for name, entry in reversed([*linecache.cache.items()]) if len(entry) > 1 and entry[1] is None]
    for name in dict.fromkeys(names):
        lines = "".join(linecache.getlines(name))
        if f"class {kind.__name__}" in lines:
            yield from _classes(lines, kind.__qualname__.rpartition(".<locals>.")[2])


def _classes(text: str, path: str) -> Iterator[str]:
    """The sources of the classes that `text` defines as `path`, such as "Outer.Inner", the last one first."""
    try:
        within: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):  # no Python
        return
    found: list[ast.ClassDef] = []
    for name in path.split("."):
        inner = (node for outer in within for node in ast.walk(outer))
        found = [node for node in inner if isinstance(node, ast.ClassDef) and node.name == name]
        within = [*found]
    for kind in reversed(found):
        first = min([kind.lineno, *(decorator.lineno for decorator in kind.decorator_list)])
        yield textwrap.dedent("\n".join(text.splitlines()[first - 1 : kind.end_lineno]))


def _described(value: Any) -> str:
    """A name with its arguments and what its docstring says, for what was not written in Python."""
    try:
        arguments = str(inspect.signature(value))
    except (ValueError, TypeError):
        arguments = "(...)"
    word = "class " if inspect.isclass(value) else ""
    name = getattr(value, "__qualname__", None) or repr(value)
    return f"{word}{name}{arguments}\n\n{inspect.getdoc(value) or ''}".rstrip()

"""Imports without the collector, and names of a package that are imported when they are first used."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any


@contextmanager
def without_collector() -> Iterator[None]:
    """Let no garbage be collected within the block: imports make none, and to search for it takes a fifth of them."""
    was_on = gc.isenabled()
    try:
        gc.disable()  # within: an interrupt may come right behind it
        yield
    finally:
        if was_on:
            gc.enable()


def late_names(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package that imports a name when it is first used (PEP 562).

    Args:
        package: Name of the package.
        homes: Name -> module of the package that holds it, such as ``"terminal.output"``.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with without_collector():
            value = getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return find

"""What the first `%%chat` needs, loaded by `%load_ext` and while the kernel is idle after it.

`%load_ext` loads modules of this package that need no library. The others are imported one at a time by the kernel's
own event loop, between messages. No cell runs meanwhile and no thread is started, so a cell that forks its process
finds no lock of an import held; a cell that comes at once waits for one module at most, and imports the rest itself.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ..importing import without_collector

DELAY = 0.1
"""Time (s) after the cell that loads the extension: "Run all" is past it by then."""
PAUSE = 0.02
"""Time (s) between two modules, in which the kernel takes messages."""
AT_ONCE = (
    "notebook.magics",
    "notebook.options",
    "providers.presets",
    "providers.dialects.chat_completions",
    "providers.http.eager_response",
    "providers.http.environment",
    "providers.http.json_body",
    "security.log_filter",
    "event_loops.asyncio_host",
    "rendering.frame",
)
"""Modules of this package that `%load_ext` imports: they add half to its time, and halve that to the first words of a
reply of the cell below."""
MODULES = (
    "providers.http.exchange",  # with urllib3
    "rendering.markdown",  # with its parser
    "rendering.html",
    "rendering.incremental_reply",
    "rendering.notices",
    "notebook.delivery",
    "notebook.prompt_material",  # what follows is for a prompt with values or files,
    "providers.http.with_requests",  # and for a server elsewhere
)
"""Modules of this package that are imported later, in an order in which none of them takes long."""


def import_at_once() -> None:
    """Import what `%load_ext` itself does."""
    for name in AT_ONCE:
        _import(name)


def register(shell: Any, modules: Sequence[str] = MODULES, delay: float = DELAY) -> Callable[[], None]:
    """Load what the first reply needs once the running cell has ended; return what calls that off.

    Args:
        shell: The running IPython. One without a kernel has no event loop that is idle.
        modules: What to import, within this package.
        delay: Time (s) to wait before.
    """
    waiting: list[asyncio.TimerHandle] = []
    names = iter(modules)

    def begin(result: object) -> None:
        del result
        shell.events.unregister("post_run_cell", begin)
        with suppress(RuntimeError):  # a kernel with a loop of another kind
            waiting.append(asyncio.get_running_loop().call_later(delay, _import_next, names, waiting))

    def call_off() -> None:
        with suppress(ValueError):  # it has begun
            shell.events.unregister("post_run_cell", begin)
        for handle in waiting:
            handle.cancel()

    if hasattr(shell, "kernel"):
        shell.events.register("post_run_cell", begin)
    return call_off


def _import_next(names: Iterator[str], waiting: list[asyncio.TimerHandle]) -> None:
    """Import the next module, and come back for the one after it."""
    name = next(names, None)
    if name is None:
        _rehearse()
        return
    _import(name)
    waiting[:] = [asyncio.get_running_loop().call_later(PAUSE, _import_next, names, waiting)]


def _rehearse() -> None:
    """Render a line: some modules compile patterns, and import a library, when they are first used."""
    with suppress(Exception), without_collector():
        importlib.import_module("lockbots_magic.rendering").bundle("A *word*, `code`.", "")


def _import(name: str) -> None:
    with suppress(Exception), without_collector():  # what is wrong shows where it is used
        importlib.import_module(f"lockbots_magic.{name}")

"""While the kernel is idle after `%load_ext`, what the first reply needs is imported."""

import asyncio
import importlib
import sys
from types import SimpleNamespace

from IPython.core.events import EventManager, available_events

from lockbots_magic.notebook import warm_up


def idle_shell(**more):
    shell = SimpleNamespace(**more)
    shell.events = EventManager(shell, available_events)
    return shell


def imported_after_a_cell(monkeypatch, *names, call_off=False):
    """Return what is imported once a cell has ended on a loop that is then idle."""
    seen = []

    def import_module(name):
        seen.append(name)
        if name.endswith("missing"):
            raise ImportError(name)

    async def cell():
        shell = idle_shell(kernel=True)
        undo = warm_up.register(shell, names, delay=0)
        assert not seen
        shell.events.trigger("post_run_cell", None)
        assert not seen, "nothing is imported before the cell has ended"
        assert not shell.events.callbacks["post_run_cell"]
        if call_off:
            undo()
        for _ in range(1000):
            if len(seen) == len(names):
                break
            await asyncio.sleep(0.001 if not call_off else 0)
        undo()

    monkeypatch.setattr(importlib, "import_module", import_module)
    asyncio.run(cell())
    return seen


def test_modules_are_imported_one_by_one_and_a_missing_one_stops_nothing(monkeypatch):
    assert imported_after_a_cell(monkeypatch, "a", "missing", "b") == [
        "lockbots_magic.a",
        "lockbots_magic.missing",
        "lockbots_magic.b",
    ]


def test_unloading_calls_it_off(monkeypatch):
    assert imported_after_a_cell(monkeypatch, "a", call_off=True) == []


def test_nothing_waits_in_a_terminal_and_where_no_loop_of_asyncio_runs():
    terminal = idle_shell()
    warm_up.register(terminal, ["a"])
    assert not terminal.events.callbacks["post_run_cell"]
    shell = idle_shell(kernel=True)
    warm_up.register(shell, ["a"])
    shell.events.trigger("post_run_cell", None)
    assert not shell.events.callbacks["post_run_cell"]


def test_all_modules_exist():
    for name in (*warm_up.AT_ONCE, *warm_up.MODULES):
        importlib.import_module(f"lockbots_magic.{name}")
        assert f"lockbots_magic.{name}" in sys.modules

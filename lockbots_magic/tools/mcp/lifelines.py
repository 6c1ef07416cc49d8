"""Pipes that end servers with this process: a server's guard watches the other end."""

from __future__ import annotations

import os
from contextlib import suppress

_held: set[int] = set()


def hold_lifeline() -> tuple[int, int]:
    """Return the end of a new pipe that the guard watches, and the end that is held here."""
    watched, held = os.pipe()
    _held.add(held)
    return watched, held


def let_go(held: int) -> None:
    """Close an end that is held, once: the number may soon be that of another file."""
    if held in _held:
        _held.remove(held)
        with suppress(OSError):
            os.close(held)


def _forget_after_fork() -> None:
    """Close the copies in a forked process: it must not keep servers alive that are not its own."""
    for held in list(_held):
        let_go(held)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)

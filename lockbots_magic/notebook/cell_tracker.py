"""The cells that run, and what went wrong in the last one that failed."""

from __future__ import annotations

import sys
import threading
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from ..conversation.messages import CellOrigin
from ..conversation.observers import Observers
from ..errors import CredentialWarning, LockbotsError
from ..providers.http.request import count_warned_hosts
from ..security.secrets import secrets_in


@dataclass(frozen=True)
class _Run:
    """One execution of a cell."""

    cell_id: str | None
    is_one_prompt: bool
    source: str
    hosts_warned_of: int
    """When it began."""
    thread: int = field(default_factory=threading.get_ident)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class CellTracker:
    """Which cell runs, told by IPython's events; one cell may run another."""

    def __init__(self) -> None:
        self.ended = Observers()
        """Told when a cell has run."""
        self._last_error: tuple[BaseException, str] | None = None
        self._running: list[_Run] = []
        self._warned = False

    @property
    def last_error(self) -> tuple[BaseException, str] | None:
        """What a cell raised last, and its code; `""` if it ran before anybody told us."""
        earlier = getattr(sys, "last_value", None)  # IPython, like Python's own prompt, leaves it there
        return self._last_error or ((earlier, "") if _is_of_interest(earlier) else None)

    def before(self, info: Any) -> None:
        """Note which cell runs; IPython calls it (event `pre_run_cell`)."""
        source = getattr(info, "raw_cell", None)
        is_one_prompt = isinstance(source, str) and source.lstrip().startswith("%%chat") and not self._running
        self.enter(getattr(info, "cell_id", None), is_one_prompt, source if isinstance(source, str) else "")

    def enter(self, cell_id: str | None, is_one_prompt: bool = False, source: str = "") -> None:
        """A cell begins to run, once more perhaps.

        Args:
            cell_id: None where the front end gives cells no ids.
            is_one_prompt: whether the cell does nothing but ask one question.
            source: what it runs, as far as that is known.
        """
        self._running.append(_Run(cell_id, is_one_prompt, source, count_warned_hosts()))
        self._warned = False

    def leave(self) -> None:
        """Nobody will tell any more when the cells that run have ended."""
        self._running.clear()

    @property
    def id(self) -> str | None:
        """The cell that runs."""
        return self._running[-1].cell_id if self._running else None

    @property
    def source(self) -> str:
        """What it runs; `""` if that is not known."""
        return self._running[-1].source if self._running else ""

    @property
    def run(self) -> str | None:
        """This execution of it, unlike any other."""
        return self._running[-1].id if self._running else None

    def origin(self, *, watched: bool = False) -> CellOrigin:
        """Return the cell that runs and its execution, as a request carries them."""
        return CellOrigin(self.id, self.run, watched)

    def sole_reply(self) -> Callable[[], bool]:
        """Return a question for later: does the cell that runs show nothing but the one reply about to begin?

        What hooks of others and their threads print into the cell is not known here.
        """
        run = self._running[-1] if self._running else None
        if run is None or not run.is_one_prompt or run.thread != threading.get_ident():
            return lambda: False
        return lambda: run.hosts_warned_of == count_warned_hosts()

    def after(self, result: Any) -> None:
        """Note what went wrong, and warn of a credential written in a cell; IPython calls it (`post_run_cell`)."""
        if self._running:  # one cell may run another, and goes on when that has ended
            self._running.pop()
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if _is_of_interest(error):
            self._last_error = error, source if isinstance(source, str) else ""
        if isinstance(source, str) and secrets_in(source):
            self.warn_of_written_credential()
        self.ended.notify()

    def warn_of_written_credential(self) -> None:
        """Warn, once a cell, that a credential stands in it."""
        if not self._warned:
            self._warned = True
            message = "it holds a credential and would be saved with it: delete it here; %lockbots login asks hidden"
            warnings.warn_explicit(message, CredentialWarning, "this cell", 1)


def _is_of_interest(error: object) -> TypeGuard[BaseException]:
    """Whether a model could explain it; what the toolkit says itself needs no explanation."""
    return isinstance(error, BaseException) and not isinstance(error, LockbotsError | KeyboardInterrupt)

"""Cell tracker: the running cell, its execution, and the last error."""

from __future__ import annotations

import sys
import threading
import uuid
import warnings
from collections.abc import Callable
from dataclasses import field
from typing import Any, TypeGuard

from ..conversation.messages import CellOrigin
from ..conversation.observers import Observers
from ..errors import CredentialWarning, LockbotsError
from ..language import _
from ..late_dataclass import late_dataclass
from ..prompt.magic_line import cell_magic_start
from ..providers.http.request import count_warned_hosts
from ..security.redaction import secrets_in


@late_dataclass(frozen=True)
class _Run:
    """One execution of a cell."""

    cell_id: str | None
    is_one_prompt: bool
    source: str
    warned_hosts: int
    """Number of hosts that had been warned of when it began."""
    thread: int = field(default_factory=threading.get_ident)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


class CellTracker:
    """Tracks the running cell by IPython's events. Cells may be nested: one cell may run another."""

    def __init__(self) -> None:
        self.ended = Observers()
        """Notified after each cell."""
        self._last_error: tuple[BaseException, str] | None = None
        self._running: list[_Run] = []
        self._warned = False

    @property
    def last_error(self) -> tuple[BaseException, str] | None:
        """Last exception of a cell, and its code; `""` if it ran before the extension was loaded."""
        earlier = getattr(sys, "last_value", None)  # set by IPython, as by Python's own prompt
        return self._last_error or ((earlier, "") if _is_explainable(earlier) else None)

    def before(self, info: Any) -> None:
        """Enter a cell. Handler of IPython's event `pre_run_cell`."""
        source = getattr(info, "raw_cell", None)
        is_prompt = isinstance(source, str) and source[cell_magic_start(source) :].lstrip().startswith("%%chat")
        is_one_prompt = is_prompt and not self._running
        self.enter(getattr(info, "cell_id", None), is_one_prompt, source if isinstance(source, str) else "")

    def enter(self, cell_id: str | None, is_one_prompt: bool = False, source: str = "") -> None:
        """Start a new execution of a cell.

        Args:
            cell_id: Id of the cell; None if the front end sends none.
            is_one_prompt: True if the cell does nothing but send one prompt.
            source: Code of the cell, if known.
        """
        self._running.append(_Run(cell_id, is_one_prompt, source, count_warned_hosts()))
        self._warned = False

    def leave(self) -> None:
        """Forget the running cells: their end will not be reported."""
        self._running.clear()

    @property
    def id(self) -> str | None:
        """Id of the running cell."""
        return self._running[-1].cell_id if self._running else None

    @property
    def source(self) -> str:
        """Code of the running cell; `""` if unknown."""
        return self._running[-1].source if self._running else ""

    @property
    def run(self) -> str | None:
        """Unique id of this execution of the running cell."""
        return self._running[-1].id if self._running else None

    def origin(self, *, watched: bool = False) -> CellOrigin:
        """Return the running cell and its execution, for a request."""
        return CellOrigin(self.id, self.run, watched)

    def sole_reply(self) -> Callable[[], bool]:
        """Return a function that tells, at any later time, whether the running cell shows nothing but its one reply.

        Output of other extensions' hooks and threads is not detected.
        """
        run = self._running[-1] if self._running else None
        if run is None or not run.is_one_prompt or run.thread != threading.get_ident():
            return lambda: False
        return lambda: run.warned_hosts == count_warned_hosts()

    def after(self, result: Any) -> None:
        """Record the error of a cell, and warn of a credential in it. Handler of IPython's event `post_run_cell`."""
        if self._running:  # with nested cells, the outer one continues
            self._running.pop()
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        error = getattr(result, "error_before_exec", None) or getattr(result, "error_in_exec", None)
        if _is_explainable(error):
            self._last_error = error, source if isinstance(source, str) else ""
        if isinstance(source, str) and secrets_in(source):
            self.warn_of_written_credential()
        self.ended.notify()

    def warn_of_written_credential(self) -> None:
        """Warn, once per cell, that its code holds a credential."""
        if not self._warned:
            self._warned = True
            message = _("The code holds a credential, which the notebook saves. Delete it, and use %lockbots login.")
            warnings.warn_explicit(message, CredentialWarning, _("this cell"), 1)


def _is_explainable(error: object) -> TypeGuard[BaseException]:
    """Return True if a model could explain the error: it is neither an interrupt nor a message of this package."""
    return isinstance(error, BaseException) and not isinstance(error, LockbotsError | KeyboardInterrupt)

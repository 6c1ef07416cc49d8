"""Record of what cells display, such as figures, which IPython does not keep."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

from ..late_dataclass import late_dataclass
from ..storage.output_metadata import KEY
from .front_end import in_output_widget

MAX_DISPLAYS = 100
"""Number of displays to keep; older ones are dropped."""


@late_dataclass
class _Display:
    cell: int
    identity: str | None
    bundle: Mapping[str, Any]
    place: int


class DisplayCallback(Protocol):
    """Records one display; may be called from any thread."""

    def __call__(
        self, data: Mapping[str, Any], identity: str | None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Record a display or a new state of it.

        Args:
            data: Data by MIME type.
            identity: The display id; displays without one are ignored.
            metadata: Metadata of the output.
        """


class DisplayRecorder:
    """Records what the cells of a running notebook display, by execution number.

    Only the last state of an updated display is kept, and nothing that `clear_output` removed. Replies are left out:
    they are in their conversations.

    The kernel calls a hook only in the thread that registered it. Our own threads report their displays through
    `callback`; displays from the user's threads are not recorded.
    """

    def __init__(self) -> None:
        self._displays: deque[_Display] = deque(maxlen=MAX_DISPLAYS)
        self._cleared: dict[int, int] = {}  # by cell: how many printed pieces are gone
        self._waiting: dict[int, int] = {}  # the same, once anything follows: clear_output(wait=True)
        self._shell: Any = None
        self._lock = threading.Lock()

    def attach(self, shell: Any) -> None:
        """Start recording in `shell`; does nothing in an IPython without a kernel."""
        if hasattr(shell.display_pub, "register_hook"):
            self._shell = shell
            shell.display_pub.register_hook(self._hook)

    def detach(self) -> None:
        """Stop recording."""
        if self._shell is not None:
            self._shell.display_pub.unregister_hook(self._hook)
            self._shell = None

    def callback(self) -> DisplayCallback:
        """Return a callback for displays of the running cell, at any later time and from any thread.

        It may also be called for displays that the hook has seen, and for each of their states.
        """
        if self._shell is None:
            return lambda data, identity, metadata=None: None
        cell = self._running_cell()

        def record(data: Mapping[str, Any], identity: str | None, metadata: Mapping[str, Any] | None = None) -> None:
            if identity is not None:
                self._record({} if _is_ours(metadata) else data, identity, cell)

        return record

    def of(self, cell: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Return what a cell displayed: its place, as for `cleared`, and its data by MIME type."""
        with self._lock:
            self._settle(cell)
            return [(shown.place, shown.bundle) for shown in self._displays if shown.cell == cell and shown.bundle]

    def cleared(self, cell: int) -> int:
        """Return how many of the pieces that a cell printed are gone, as `clear_output` was called after them."""
        with self._lock:
            self._settle(cell)
            return self._cleared.get(cell, 0)

    def _hook(self, message: dict[str, Any]) -> dict[str, Any]:
        """Record the display or the clearing in a message and pass it on; malformed messages are ignored."""
        with suppress(Exception):
            kind, content = message["msg_type"], message["content"]
            if kind == "clear_output":
                self._clear(self._running_cell(), waits=content["wait"])
                return message
            bundle = {} if _is_ours(content.get("metadata")) else content["data"]
            identity = content.get("transient", {}).get("display_id")
            if kind == "display_data":
                self._record(bundle, identity, self._running_cell())
            elif kind == "update_display_data":
                self._record(bundle, identity)
        return message

    def _record(self, bundle: Mapping[str, Any], identity: str | None, cell: int | None = None) -> None:
        """Update the displays with an id, and add one for `cell` if it has none with it."""
        with self._lock:
            known = [shown for shown in self._displays if shown.identity == identity is not None]
            for shown in known:
                shown.bundle = bundle
            if cell is not None and all(shown.cell != cell for shown in known):
                if cell in self._waiting:
                    self._drop(cell, self._waiting[cell])
                self._displays.append(_Display(cell, identity, bundle, self._count_printed(cell)))

    def _clear(self, cell: int, *, waits: bool) -> None:
        """Drop the outputs of a cell, at once or when another follows; an `Output` widget clears its own."""
        if in_output_widget(self._shell):
            return
        with self._lock:
            if waits:
                self._waiting[cell] = self._count_printed(cell)
            else:
                self._drop(cell, self._count_printed(cell))

    def _drop(self, cell: int, printed: int) -> None:
        self._displays = deque((shown for shown in self._displays if shown.cell != cell), maxlen=MAX_DISPLAYS)
        self._cleared[cell] = printed
        self._waiting.pop(cell, None)

    def _settle(self, cell: int) -> None:
        """Drop what was to be cleared by the next output, if that was printed or is an error."""
        failed = getattr(self._shell.history_manager, "exceptions", {}) if self._shell else {}
        if cell in self._waiting and (self._count_printed(cell) > self._waiting[cell] or cell in failed):
            self._drop(cell, self._waiting[cell])

    def _count_printed(self, cell: int) -> int:
        """Return the number of pieces that IPython keeps of a cell: those of printed text, and results."""
        kept = getattr(self._shell.history_manager, "outputs", {})  # since IPython 9
        return sum(len(output.bundle.get("stream", "x")) for output in kept.get(cell, ()))

    def _running_cell(self) -> int:
        """Return the execution number of the running cell.

        Releases of IPython differ in whether `execution_count` is one ahead; the last input is the running cell's.
        """
        return len(self._shell.history_manager.input_hist_raw) - 1


def _is_ours(metadata: Mapping[str, Any] | None) -> bool:
    return KEY in (metadata or {})

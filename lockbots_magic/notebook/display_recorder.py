"""What cells display: figures and the like, which IPython does not keep."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from ..storage.output_metadata import KEY

KEPT = 100
"""Displays that are remembered, the last ones."""


@dataclass
class _Shown:
    cell: int
    identity: str | None
    bundle: Mapping[str, Any]


class Note(Protocol):
    """Takes what is displayed; any thread may call it."""

    def __call__(
        self, data: Mapping[str, Any], identity: str | None, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """Take it.

        Args:
            data: MIME type -> data.
            identity: the display's id. What has none is not taken.
            metadata: what the notebook saves with it.
        """


class DisplayRecorder:
    """Remembers what the cells of a running notebook display, by the cell's number.

    What is updated is kept as it is last. Our own replies are left out: they are in their conversations.

    A kernel's hooks see what their own thread displays, no more. Our threads tell what they display by `noting`; what
    the user's threads display is not known.
    """

    def __init__(self) -> None:
        self._shown: deque[_Shown] = deque(maxlen=KEPT)
        self._shell: Any = None
        self._taking = threading.Lock()

    def attach(self, shell: Any) -> None:
        """Watch what the cells of `shell`, an IPython with a kernel, display from now on. Elsewhere nothing happens."""
        if hasattr(shell.display_pub, "register_hook"):
            self._shell = shell
            shell.display_pub.register_hook(self._hook)

    def detach(self) -> None:
        """Watch no longer."""
        if self._shell is not None:
            self._shell.display_pub.unregister_hook(self._hook)
            self._shell = None

    def noting(self) -> Note:
        """Return what takes displays of the cell that runs now, whenever they come and from any thread.

        It may be told of a display that the hook has seen as well, and of each of its states.
        """
        if self._shell is None:
            return lambda data, identity, metadata=None: None
        cell = self._running()

        def note(data: Mapping[str, Any], identity: str | None, metadata: Mapping[str, Any] | None = None) -> None:
            if identity is not None:
                self._take({} if _is_ours(metadata) else data, identity, cell)

        return note

    def of(self, cell: int) -> list[Mapping[str, Any]]:
        """Return what the cell of that number displayed: MIME type -> data."""
        with self._taking:
            return [shown.bundle for shown in self._shown if shown.cell == cell and shown.bundle]

    def _hook(self, message: dict[str, Any]) -> dict[str, Any]:
        """Keep what a `message` shows, and let it pass; whatever is wrong with it is not for us to say."""
        with suppress(Exception):
            kind, content = message["msg_type"], message["content"]
            bundle = {} if _is_ours(content.get("metadata")) else content["data"]
            identity = content.get("transient", {}).get("display_id")
            if kind == "display_data":
                self._take(bundle, identity, self._running())
            elif kind == "update_display_data":
                self._take(bundle, identity)
        return message

    def _take(self, bundle: Mapping[str, Any], identity: str | None, cell: int | None = None) -> None:
        """Take a new state of the displays of an id, and a display of a `cell` that has none."""
        with self._taking:
            known = [shown for shown in self._shown if shown.identity == identity is not None]
            for shown in known:
                shown.bundle = bundle
            if cell is not None and all(shown.cell != cell for shown in known):
                self._shown.append(_Shown(cell, identity, bundle))

    def _running(self) -> int:
        """The number of the running cell.

        IPython's own count is one ahead or not, as releases go; what it has of inputs ends with the running cell.
        """
        return len(self._shell.history_manager.input_hist_raw) - 1


def _is_ours(metadata: Mapping[str, Any] | None) -> bool:
    return KEY in (metadata or {})

"""What cells display: figures and the like, which IPython does not keep."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..notebook.record import KEY

KEPT = 100
"""Displays that are remembered, the last ones."""


@dataclass
class _Shown:
    cell: int
    identity: str | None
    bundle: Mapping[str, Any]


class Displays:
    """Remembers what the cells of a running notebook display, by the cell's number.

    What is updated is kept as it is last. Our own replies are left out: they are in their conversations.
    """

    def __init__(self) -> None:
        self._shown: deque[_Shown] = deque(maxlen=KEPT)
        self._shell: Any = None

    def attach(self, shell: Any) -> None:
        """Watch what the cells of `shell`, an IPython with a kernel, display from now on. Elsewhere nothing happens."""
        if hasattr(shell.display_pub, "register_hook"):
            self._shell = shell
            shell.display_pub.register_hook(self._note)

    def detach(self) -> None:
        """Watch no longer."""
        if self._shell is not None:
            self._shell.display_pub.unregister_hook(self._note)
            self._shell = None

    def of(self, cell: int) -> list[Mapping[str, Any]]:
        """Return what the cell of that number displayed: MIME type -> data."""
        return [shown.bundle for shown in self._shown if shown.cell == cell and shown.bundle]

    def _note(self, message: dict[str, Any]) -> dict[str, Any]:
        """Keep what a `message` shows, and let it pass; whatever is wrong with it is not for us to say."""
        with suppress(Exception):
            self._keep(message["msg_type"], message["content"])
        return message

    def _keep(self, kind: str, content: Mapping[str, Any]) -> None:
        identity = content.get("transient", {}).get("display_id")
        is_ours = KEY in content.get("metadata", {})
        if kind == "update_display_data" and identity is not None:
            for shown in self._shown:
                if shown.identity == identity:
                    shown.bundle = {} if is_ours else content["data"]
        elif kind == "display_data" and not is_ours:
            # IPython's own count is one ahead or not, as releases go; what it has of inputs ends with the running cell.
            running = len(self._shell.history_manager.input_hist_raw) - 1
            self._shown.append(_Shown(running, identity, content["data"]))

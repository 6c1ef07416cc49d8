"""Waiting for a conversation: it has one reply at a time, and the next prompt waits for its end."""

from __future__ import annotations

import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from IPython.display import clear_output

from .. import rendering
from ..conversation.conversation import Conversation
from ..errors import Interrupted
from ..language import _
from ..reply import ReplyRun
from .display import has_outputs, show

POLL_INTERVAL = 0.1
"""Maximum length (s) of one wait: on Windows, an interrupt doesn't end a wait."""


def wait_for_turn(conversation: Conversation, tell: Callable[[str], object] = lambda _: None) -> None:
    """Wait until a conversation has no reply in progress. An interrupt ends the wait, not the reply.

    A reply that this very thread reads, such as one whose function sends the prompt, is not waited for: the prompt then
    fails when it is sent.

    Args:
        conversation: The conversation.
        tell: Called once with a notice if there is something to wait for.

    Raises:
        Interrupted: The user has interrupted the wait; nothing was sent.
    """
    if not _is_busy(conversation):
        return
    changed = threading.Event()
    conversation.observers.add(changed.set)
    try:
        tell(
            _(
                "Waiting for the reply in progress in conversation {name}. To give up, interrupt this cell.",
                name=conversation.name,
            )
        )
        while _is_busy(conversation):
            changed.wait(POLL_INTERVAL)
            changed.clear()
    except KeyboardInterrupt:
        raise Interrupted(_("Interrupted before it was sent; the reply in progress goes on.")) from None
    finally:
        conversation.observers.remove(changed.set)


def _is_busy(conversation: Conversation) -> bool:
    reply = conversation.active_reply
    return reply is not None and not (isinstance(reply, ReplyRun) and reply.is_read_here)


class PassingNotice:
    """A line in the running cell that is gone when the wait is over.

    Args:
        shell: The running IPython.
        alone: Returns True if the cell shows nothing else: then no empty output stays in its place.
    """

    def __init__(self, shell: Any, alone: Callable[[], bool]) -> None:
        self._shell = shell
        self._alone = alone
        self._name = ""

    @property
    def is_shown(self) -> bool:
        """True while it is displayed."""
        return bool(self._name)

    def tell(self, text: str) -> None:
        """Show the line, or replace it."""
        if not has_outputs(self._shell):
            sys.stdout.write(f"[{text}]\n")
            return
        is_new, self._name = not self._name, self._name or uuid.uuid4().hex[:12]
        show({"text/html": rendering.framed("", [text], final=True), "text/plain": text}, self._name, update=not is_new)

    def become(self, bundle: Mapping[str, Any]) -> None:
        """Show an outcome in the place of the line."""
        show(bundle, self._name, update=True)
        self._name = ""

    def clear(self) -> None:
        """Remove the line: the output that follows replaces it."""
        if self._name and self._alone():
            clear_output(wait=True)  # type: ignore[no-untyped-call]  # not typed
        elif self._name:
            show({}, self._name, update=True)
        self._name = ""

"""Synchronisation of the views of one panel with the conversation that is open in it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..reply import Reply
from ..security.exits import clean_message
from .backend import PanelBackend
from .i18n import RefusedError, translatable
from .protocol import (
    PanelMessage,
    ReplyProgress,
    conversations_message,
    page_message,
    settings_message,
    shown_model,
    shown_turns,
    turn_message,
    usage_message,
)
from .reply_task import ReplyTask
from .turn_diff import SentTurns, find_added_turn, newly_stale, sent_turns

STOP_TIMEOUT = 5.0
"""Time (s) a reply may take to stop."""


class ViewSync:
    """Send all views of a panel what changes, in the panel and elsewhere.

    It remembers what the views have, so that it sends differences; what can't be sent as one is sent as a snapshot.

    Args:
        backend: What the panel works on.
        send: Takes a message for the views; called from any thread, one call at a time.
        on_change: Called from any thread when the turns of a conversation have changed or another one was opened.
    """

    def __init__(
        self, backend: PanelBackend, send: Callable[[PanelMessage], None], on_change: Callable[[], None]
    ) -> None:
        self.backend = backend
        self.lock = threading.RLock()
        self._send = send
        self._on_change = on_change
        self._tasks: dict[Conversation, ReplyTask] = {}
        self._sent: SentTurns = ()
        self._busy = ""
        self._conversations: PanelMessage = {}
        self._settings: PanelMessage = {}
        self._has_views = False
        self._resyncing = False
        self._closed = False
        self._observed: Conversation | None = None
        self._observe(backend.conversation)
        backend.watch(self._on_backend, self._on_cell)

    @property
    def conversation(self) -> Conversation:
        """The open conversation."""
        return self.backend.conversation

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns that the panel shows."""
        return shown_turns(self.conversation)

    @property
    def closed(self) -> bool:
        """Whether the panel is closed; nothing is sent any more."""
        return self._closed

    def close(self) -> None:
        """Stop the panel's replies, and stop observing and sending."""
        with self.lock:
            self._closed = True
            self.backend.unwatch(self._on_backend, self._on_cell)
            self._observe(None)
            tasks = list(self._tasks.values())
        for task in tasks:
            task.stop()
        for task in tasks:
            task.join(STOP_TIMEOUT)

    def send(self, message: PanelMessage) -> None:
        """Send a message to the views. The only exit: credentials and control characters are removed here.

        The transcript output is sent unchanged: it has passed the exits of outputs and of metadata.
        """
        with self.lock:
            if not self._closed:
                self._send(message if message["type"] == "transcript" else clean_message(message))

    def send_snapshot(self, view: str) -> None:
        """Send the full state to a view that has opened, and to all views if they miss something of it."""
        with self.lock:
            before = self._sent, self._busy
            snapshot = self._snapshot()
            is_news = before != (self._sent, self._busy)
            self.send(snapshot if is_news and self._has_views else {**snapshot, "view": view})
            self._has_views = True

    def resync(self, change: Callable[[], None] = lambda: None) -> None:
        """Apply `change`, then send the full state to all views, and nothing in between."""
        with self.lock:
            self._resyncing = True
            try:
                change()
            finally:
                self._resyncing = False
            self._observe(self.conversation)
            self.send(self._snapshot())
        self._on_change()

    def send_settings(self) -> None:
        """Send the model, its settings, and what can be chosen."""
        with self.lock:
            self._settings = settings_message(self.backend)
            self.send({"type": "settings", **self._settings})

    # Replies

    def check_idle(self) -> None:
        """Raise `RefusedError` if the open conversation has a reply in progress."""
        if self.conversation in self._tasks or self.conversation.active_reply:
            raise RefusedError("reply_in_progress")

    def start_reply(self, reply: Reply, prompt: str, view: str, *, replaces: str | None = None) -> None:
        """Read `reply` in a thread and send it as it arrives. The caller has held the lock since `check_idle`.

        Args:
            reply: The reply, not started yet.
            prompt: Its prompt.
            view: The view that sent the prompt.
            replaces: Id of the turn that the reply will replace.
        """
        if self._closed:
            return
        conversation = self.conversation
        progress = ReplyProgress(reply.id, prompt, shown_model(self.backend.model), view, replaces)
        send = functools.partial(self._on_reply_message, conversation, progress)
        on_end = functools.partial(self._on_reply_end, conversation, progress)
        task = self._tasks[conversation] = ReplyTask(reply, progress, send=send, on_end=on_end, lock=self.lock)
        self._busy = "here"
        try:
            task.start()
        except BaseException:  # the views can't be reached: free the conversation
            self._tasks.pop(conversation, None)
            self._busy = ""
            raise

    def take_over(self, other: ViewSync) -> None:
        """Continue the replies of `other` without stopping them; both backends have the same conversations."""
        with other.lock:
            self.lock = other.lock  # the tasks hold it
            self._tasks, other._tasks = other._tasks, {}
            for conversation, task in self._tasks.items():
                send = functools.partial(self._on_reply_message, conversation, task.progress)
                task.redirect(send, functools.partial(self._on_reply_end, conversation, task.progress))

    def task_in(self, conversation: Conversation) -> ReplyTask | None:
        """Return this panel's reply in progress in `conversation`, if any."""
        return self._tasks.get(conversation)

    def _on_reply_message(self, conversation: Conversation, progress: ReplyProgress, message: PanelMessage) -> None:
        """Forward a message of a reply while its conversation is open."""
        with self.lock:
            if message["type"] == "end":
                self._finish_reply(conversation, progress, message)
            elif self.conversation is conversation:
                self.send(message)

    def _on_reply_end(self, conversation: Conversation, progress: ReplyProgress) -> None:
        with self.lock:
            self._finish_reply(conversation, progress, None)
        self._on_change()

    def _finish_reply(self, conversation: Conversation, progress: ReplyProgress, end: PanelMessage | None) -> None:
        """Replace a reply in progress by its turn, if it has one. The lock is held: new views see one or the other."""
        task = self._tasks.get(conversation)
        if task is None or task.progress is not progress:
            return
        del self._tasks[conversation]
        if self.conversation is not conversation:
            return
        has_turn = bool(end and end["turn"])
        if end:
            self.send({**end, "stale": newly_stale(self._sent, self.turns)} if has_turn else end)
        self._send_turns(end["turn"]["id"] if end and has_turn else None, progress.replaces)
        self._send_busy()
        self.send({"type": "usage", **usage_message(conversation)})
        self._send_conversations()  # the turn may be a branch

    # Changes elsewhere

    def _on_conversation(self) -> None:
        """Handle a change of the open conversation, or a reply that starts or ends in it. Called from any thread."""
        with self.lock:
            if self._closed or self.conversation in self._tasks:
                return  # sent when the panel's own reply ends
            self._send_turns()
            self._send_busy()
            self._send_conversations()

    def _on_backend(self) -> None:
        """Handle a change of settings, credentials or the list of conversations. Called from any thread."""
        with self.lock:
            if self._closed or self._resyncing:
                return
            if self.conversation not in self._tasks and self.backend.follow():
                self.resync()
                return
            self._send_conversations()
            if settings_message(self.backend) != self._settings:
                self.send_settings()

    def _on_cell(self) -> None:
        """Handle the end of a cell, which may have switched the conversation that cells use."""
        with self.lock:
            if not (self._closed or self._resyncing):
                self._send_conversations()

    def _send_conversations(self) -> None:
        before, self._conversations = self._conversations, conversations_message(self.backend)
        if before == self._conversations:
            return
        self.send({"type": "conversations", **self._conversations})
        if self._conversations["deleted"] and not before.get("deleted"):
            self.send({"type": "notification", "kind": "note", **translatable("deleted", name=self.conversation.name)})

    def _send_turns(self, own: str | None = None, replaces: str | None = None) -> None:
        """Send the turns that the views miss.

        Args:
            own: Id of a turn that the views already have, from the `end` of its reply.
            replaces: Id of the turn that `own` has replaced in the views.
        """
        sent, turns = self._sent, self.turns
        if sent == sent_turns(turns):
            return
        added = find_added_turn(sent, turns)
        if added is None or (added.turn.id == own and added.replaces != replaces):
            self.resync()
            return
        self._sent = sent_turns(turns)
        if added.turn.id != own:
            place = {"replaces": added.replaces, "after": added.after, "stale": newly_stale(sent, turns)}
            self.send({"type": "turn", "turn": turn_message(added.turn), **place})
            self.send({"type": "usage", **usage_message(self.conversation)})
            self._on_change()

    def _find_busy(self) -> str:
        """Return who has a reply in progress in the open conversation."""
        if self.conversation in self._tasks:
            return "here"
        return "elsewhere" if self.conversation.active_reply else ""

    def _send_busy(self) -> None:
        busy = self._find_busy()
        if busy != self._busy:
            self._busy = busy
            self.send({"type": "busy", "busy": busy})

    def _observe(self, conversation: Conversation | None) -> None:
        """Observe `conversation` instead of the one observed before."""
        if self._observed is conversation:
            return
        if self._observed is not None:
            self._observed.observers.remove(self._on_conversation)
        self._observed = conversation
        if conversation is not None:
            conversation.observers.add(self._on_conversation)

    def _snapshot(self) -> PanelMessage:
        """Return the full state, and remember that the views have it."""
        task = self._tasks.get(self.conversation)
        in_progress = task.progress.id if task else None
        turns = tuple(t for t in self.turns if t.id != in_progress)  # committed, but its `end` is yet to be sent
        self._sent = sent_turns(turns)
        self._busy = self._find_busy()
        self._conversations = conversations_message(self.backend)
        self._settings = settings_message(self.backend)
        return {
            "type": "snapshot",
            "conversation": {**self._conversations, "total": len(turns)},
            **page_message(turns),
            "reply": task and task.message(),
            "busy": self._busy,
            "settings": self._settings,
        }

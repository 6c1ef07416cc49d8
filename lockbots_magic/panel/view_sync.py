"""The views of one panel: what they know of the conversation that is open, and what they are told of it."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..reply import Reply, under_way
from .backend import PanelBackend
from .i18n import RefusedError, remark
from .protocol import (
    Message,
    ReplyProgress,
    conversation_message,
    page_message,
    settings_message,
    shown_turns,
    turn_message,
    usage_message,
)
from .reply_task import ReplyTask

TIME_TO_STOP = 5.0
"""How long (s) a reply may take to stop."""


class ViewSync:
    """Keeps all views of a panel in line with what happens, in the panel and elsewhere.

    Args:
        backend: what the panel works on.
        send: takes a message for the views; any thread calls it, one at a time.
        changed: called when turns of a conversation have changed, or another one is open, from any thread.
    """

    def __init__(self, backend: PanelBackend, send: Callable[[Message], None], changed: Callable[[], None]) -> None:
        self.backend = backend
        self.lock = threading.RLock()
        self._send = send
        self._changed = changed
        self._tasks: dict[Conversation, ReplyTask] = {}
        self._told: list[tuple[str, bool]] = []  # what the views know: ids of turns, and whether they are stale
        self._busy = ""
        self._names: Message = {}
        self._settings: Message = {}
        self._served = False  # whether there has been a view
        self._changing = False
        self._closed = False
        self._watched: Conversation | None = None
        self._watch(backend.conversation)
        backend.watch(self._on_backend, self._on_cell)

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self.backend.conversation

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Its turns that are shown."""
        return shown_turns(self.conversation)

    @property
    def closed(self) -> bool:
        """Whether nothing is told any more."""
        return self._closed

    def close(self) -> None:
        """Stop the replies of the panel, watch no more, tell no more."""
        with self.lock:
            self._closed = True
            self.backend.unwatch(self._on_backend, self._on_cell)
            self._watch(None)
            tasks = list(self._tasks.values())
        for task in tasks:
            task.stop()
        for task in tasks:
            task.join(TIME_TO_STOP)

    def tell(self, message: Message) -> None:
        """Send a message to the views."""
        with self.lock:
            if not self._closed:
                self._send(message)

    def greet(self, view: str) -> None:
        """Tell a view how things stand."""
        with self.lock:
            known = self._told, self._busy
            message = self._snapshot()
            news = known != (self._told, self._busy)  # the other views are to hear of it too
            self.tell(message if news and self._served else {**message, "view": view})
            self._served = True

    def show(self, change: Callable[[], None] = lambda: None) -> None:
        """Tell all views anew how things stand after `change`, and nothing between."""
        with self.lock:
            self._changing = True
            try:
                change()
            finally:
                self._changing = False
            self._watch(self.conversation)
            self.tell(self._snapshot())
        self._changed()

    def tell_settings(self) -> None:
        """Tell who answers, and who else could."""
        with self.lock:
            self._settings = settings_message(self.backend)
            self.tell({"type": "settings", **self._settings})

    # Replies

    def check_free(self) -> None:
        """Raise `RefusedError` if a reply is under way in the conversation that is shown."""
        if self.conversation in self._tasks or under_way(self.conversation):
            raise RefusedError("under_way")

    def begin(self, reply: Reply, prompt: str, replaces: str | None = None) -> None:
        """Read `reply`, and tell of it; whoever calls this has held the lock since `check_free`."""
        if self._closed:
            return
        conversation = self.conversation
        progress = ReplyProgress(reply.id, prompt, self.backend.model, replaces)
        tell = functools.partial(self._on_reply_message, conversation, progress)
        ended = functools.partial(self._on_end, conversation, progress)
        task = self._tasks[conversation] = ReplyTask(reply, progress, tell=tell, ended=ended, lock=self.lock)
        self._busy = "here"
        try:
            task.start()
        except BaseException:  # what can't be told can't be read either: the conversation stays free
            self._tasks.pop(conversation, None)
            self._busy = ""
            raise

    def take_over(self, other: ViewSync) -> None:
        """Go on with the replies that `other` views show, on a backend with the same conversations; nothing stops."""
        with other.lock:
            self.lock = other.lock  # that of the tasks
            self._tasks, other._tasks = other._tasks, {}
            for conversation, task in self._tasks.items():
                tell = functools.partial(self._on_reply_message, conversation, task.progress)
                task.pass_on(tell, functools.partial(self._on_end, conversation, task.progress))

    def task_in(self, conversation: Conversation) -> ReplyTask | None:
        """What is being read in `conversation` here."""
        return self._tasks.get(conversation)

    def _on_reply_message(self, conversation: Conversation, progress: ReplyProgress, message: Message) -> None:
        """Pass on what is told of a reply while its conversation is shown."""
        with self.lock:
            if message["type"] == "end":
                self._let_go(conversation, progress, message)
            elif self.conversation is conversation:
                self.tell(message)

    def _on_end(self, conversation: Conversation, progress: ReplyProgress) -> None:
        with self.lock:
            self._let_go(conversation, progress, None)
        self._changed()

    def _let_go(self, conversation: Conversation, progress: ReplyProgress, end: Message | None) -> None:
        """From here on the reply is a turn, or nothing. It is told in one go: who comes now misses nothing."""
        task = self._tasks.get(conversation)
        if task is None or task.progress is not progress:
            return
        del self._tasks[conversation]
        if self.conversation is not conversation:
            return
        has_turn = bool(end and end["turn"])
        if end:
            self.tell({**end, "stale": self._newly_stale()} if has_turn else end)
        self._tell_changes(progress.id if has_turn else None, progress.replaces)
        self._tell_busy()
        self.tell({"type": "usage", **usage_message(conversation)})

    # What happens elsewhere

    def _on_conversation(self) -> None:
        """The conversation has changed, or a reply begins or ends in it. Its watchers are told in any thread."""
        with self.lock:
            if self._closed or self.conversation in self._tasks:
                return  # told at the end
            self._tell_changes()
            self._tell_busy()

    def _on_backend(self) -> None:
        """Settings, credentials or the set of conversations have changed, in any thread."""
        with self.lock:
            if self._closed or self._changing:
                return
            if self.conversation not in self._tasks and self.backend.follow():
                self.show()
                return
            self._tell_names()
            if settings_message(self.backend) != self._settings:
                self.tell_settings()

    def _on_cell(self) -> None:
        """A cell has run."""
        with self.lock:
            if not (self._closed or self._changing):
                self._tell_names()

    def _tell_names(self) -> None:
        known, self._names = self._names, conversation_message(self.backend)
        if known == self._names:
            return
        self.tell({"type": "names", **self._names})
        if self._names["deleted"] and not known.get("deleted"):
            self.tell({"type": "told", "kind": "note", **remark("deleted", name=self.conversation.name)})

    def _tell_changes(self, own: str | None = None, replaces: str | None = None) -> None:
        """Tell what the views don't know of the turns; `own` is one that they do, and what it `replaces` they know."""
        turns, old = self.turns, [name for name, _ in self._told]
        if self._told == _known(turns):
            return
        new = [t.id for t in turns]
        added = [t for t in turns if t.id not in old]
        gone = [name for name in old if name not in new]
        in_order = [name for name in old if name in new] == [name for name in new if name in old]
        if len(added) != 1 or len(gone) > 1 or not in_order:
            self.show()
            return
        stale = self._newly_stale()
        self._told = _known(turns)
        if added[0].id == own and gone != ([replaces] if replaces else []):
            self.show()
            return
        if added[0].id != own:
            at = new.index(added[0].id)
            where = {"replaces": gone[0] if gone else None, "after": new[at - 1] if at else None}
            self.tell({"type": "turn", "turn": turn_message(added[0]), **where, "stale": stale})
            self.tell({"type": "usage", **usage_message(self.conversation)})
            self._changed()

    def _newly_stale(self) -> list[str]:
        known = dict(self._told)
        return [t.id for t in self.turns if t.stale and not known.get(t.id, False)]

    def _tell_busy(self) -> None:
        busy = "here" if self.conversation in self._tasks else "elsewhere" if under_way(self.conversation) else ""
        if busy != self._busy:
            self._busy = busy
            self.tell({"type": "busy", "busy": busy})

    def _watch(self, conversation: Conversation | None) -> None:
        if self._watched is conversation:
            return
        if self._watched is not None:
            self._watched.observers.remove(self._on_conversation)
        self._watched = conversation
        if conversation is not None:
            conversation.observers.add(self._on_conversation)

    def _snapshot(self) -> Message:
        task = self._tasks.get(self.conversation)
        coming = task.progress.id if task else None
        turns = tuple(t for t in self.turns if t.id != coming)  # its end is still to be told
        self._told = _known(turns)
        self._busy = "here" if task else "elsewhere" if under_way(self.conversation) else ""
        self._names = conversation_message(self.backend)
        self._settings = settings_message(self.backend)
        return {
            "type": "snapshot",
            "conversation": {**self._names, "total": len(turns)},
            **page_message(turns),
            "reply": task and task.message(),
            "busy": self._busy,
            "settings": self._settings,
        }


def _known(turns: tuple[Turn, ...]) -> list[tuple[str, bool]]:
    return [(t.id, t.stale) for t in turns]

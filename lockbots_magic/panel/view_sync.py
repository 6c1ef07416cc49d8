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
    Growing,
    Letter,
    names_letter,
    page_letter,
    settings_letter,
    shown_turns,
    turn_letter,
    usage_letter,
)
from .reply_task import ReplyTask

TIME_TO_STOP = 5.0
"""How long (s) a reply may take to stop."""


class ViewSync:
    """Keeps all views of a panel in line with what happens, in the panel and elsewhere.

    Args:
        desk: what the panel works on.
        send: takes a message for the views; any thread calls it, one at a time.
        changed: called when turns of a conversation have changed, or another one is open, from any thread.
    """

    def __init__(self, desk: PanelBackend, send: Callable[[Letter], None], changed: Callable[[], None]) -> None:
        self.desk = desk
        self.lock = threading.RLock()
        self._send = send
        self._changed = changed
        self._talks: dict[Conversation, ReplyTask] = {}
        self._told: list[tuple[str, bool]] = []  # what the views know: ids of turns, and whether they are stale
        self._busy = ""
        self._names: Letter = {}
        self._settings: Letter = {}
        self._served = False  # whether there has been a view
        self._changing = False
        self._closed = False
        self._watched: Conversation | None = None
        self._watch(desk.conversation)
        desk.watch(self._on_desk, self._on_cell)

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self.desk.conversation

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
            self.desk.unwatch(self._on_desk, self._on_cell)
            self._watch(None)
            talks = list(self._talks.values())
        for talk in talks:
            talk.stop()
        for talk in talks:
            talk.join(TIME_TO_STOP)

    def tell(self, letter: Letter) -> None:
        """Send a message to the views."""
        with self.lock:
            if not self._closed:
                self._send(letter)

    def greet(self, view: str) -> None:
        """Tell a view how things stand."""
        with self.lock:
            known = self._told, self._busy
            letter = self._snapshot()
            news = known != (self._told, self._busy)  # the other views are to hear of it too
            self.tell(letter if news and self._served else {**letter, "view": view})
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
            self._settings = settings_letter(self.desk)
            self.tell({"type": "settings", **self._settings})

    # Replies

    def check_free(self) -> None:
        """Raise `RefusedError` if a reply is under way in the conversation that is shown."""
        if self.conversation in self._talks or under_way(self.conversation):
            raise RefusedError("under_way")

    def begin(self, reply: Reply, prompt: str, replaces: str | None = None) -> None:
        """Read `reply`, and tell of it; whoever calls this has held the lock since `check_free`."""
        if self._closed:
            return
        conversation = self.conversation
        growing = Growing(reply.id, prompt, self.desk.model, replaces)
        tell = functools.partial(self._on_talk, conversation, growing)
        ended = functools.partial(self._on_end, conversation, growing)
        talk = self._talks[conversation] = ReplyTask(reply, growing, tell=tell, ended=ended, lock=self.lock)
        self._busy = "here"
        try:
            talk.start()
        except BaseException:  # what can't be told can't be read either: the conversation stays free
            self._talks.pop(conversation, None)
            self._busy = ""
            raise

    def take_over(self, other: ViewSync) -> None:
        """Go on with the replies that `other` views show, on a desk with the same conversations; nothing stops."""
        with other.lock:
            self.lock = other.lock  # that of the talks
            self._talks, other._talks = other._talks, {}
            for conversation, talk in self._talks.items():
                tell = functools.partial(self._on_talk, conversation, talk.growing)
                talk.pass_on(tell, functools.partial(self._on_end, conversation, talk.growing))

    def talk_in(self, conversation: Conversation) -> ReplyTask | None:
        """What is being read in `conversation` here."""
        return self._talks.get(conversation)

    def _on_talk(self, conversation: Conversation, growing: Growing, letter: Letter) -> None:
        """Pass on what is told of a reply while its conversation is shown."""
        with self.lock:
            if letter["type"] == "end":
                self._let_go(conversation, growing, letter)
            elif self.conversation is conversation:
                self.tell(letter)

    def _on_end(self, conversation: Conversation, growing: Growing) -> None:
        with self.lock:
            self._let_go(conversation, growing, None)
        self._changed()

    def _let_go(self, conversation: Conversation, growing: Growing, end: Letter | None) -> None:
        """From here on the reply is a turn, or nothing. It is told in one go: who comes now misses nothing."""
        talk = self._talks.get(conversation)
        if talk is None or talk.growing is not growing:
            return
        del self._talks[conversation]
        if self.conversation is not conversation:
            return
        has_turn = bool(end and end["turn"])
        if end:
            self.tell({**end, "stale": self._newly_stale()} if has_turn else end)
        self._tell_changes(growing.id if has_turn else None, growing.replaces)
        self._tell_busy()
        self.tell({"type": "usage", **usage_letter(conversation)})

    # What happens elsewhere

    def _on_conversation(self) -> None:
        """The conversation has changed, or a reply begins or ends in it. Its watchers are told in any thread."""
        with self.lock:
            if self._closed or self.conversation in self._talks:
                return  # told at the end
            self._tell_changes()
            self._tell_busy()

    def _on_desk(self) -> None:
        """Settings, credentials or the set of conversations have changed, in any thread."""
        with self.lock:
            if self._closed or self._changing:
                return
            if self.conversation not in self._talks and self.desk.follow():
                self.show()
                return
            self._tell_names()
            if settings_letter(self.desk) != self._settings:
                self.tell_settings()

    def _on_cell(self) -> None:
        """A cell has run."""
        with self.lock:
            if not (self._closed or self._changing):
                self._tell_names()

    def _tell_names(self) -> None:
        known, self._names = self._names, names_letter(self.desk)
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
            self.tell({"type": "turn", "turn": turn_letter(added[0]), **where, "stale": stale})
            self.tell({"type": "usage", **usage_letter(self.conversation)})
            self._changed()

    def _newly_stale(self) -> list[str]:
        known = dict(self._told)
        return [t.id for t in self.turns if t.stale and not known.get(t.id, False)]

    def _tell_busy(self) -> None:
        busy = "here" if self.conversation in self._talks else "elsewhere" if under_way(self.conversation) else ""
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

    def _snapshot(self) -> Letter:
        talk = self._talks.get(self.conversation)
        coming = talk.growing.id if talk else None
        turns = tuple(t for t in self.turns if t.id != coming)  # its end is still to be told
        self._told = _known(turns)
        self._busy = "here" if talk else "elsewhere" if under_way(self.conversation) else ""
        self._names = names_letter(self.desk)
        self._settings = settings_letter(self.desk)
        return {
            "type": "snapshot",
            "conversation": {**self._names, "total": len(turns)},
            **page_letter(turns),
            "reply": talk and talk.letter(),
            "busy": self._busy,
            "settings": self._settings,
        }


def _known(turns: tuple[Turn, ...]) -> list[tuple[str, bool]]:
    return [(t.id, t.stale) for t in turns]

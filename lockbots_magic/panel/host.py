"""The kernel's side of a panel: does what a person does there, and tells what happens in the conversation.

It knows nothing of widgets: messages come and go as JSON-ready dicts.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import files
from ..conversation import Conversation
from ..errors import LockbotsError, UsageError
from ..messages import Turn
from ..plaintext import printable, unlinked
from ..providers.secrets import redacted
from ..reply import Reply, under_way
from .desk import Desk
from .letters import Letter, page_letter, settings_letter, turn_letter, usage_letter
from .talk import Talk

TIME_TO_STOP = 5.0
"""How long (s) a reply may take to stop."""


class Host:
    """Serves all views of one panel.

    Args:
        desk: what the panel works on.
        send: takes a message for the views; any thread calls it, one at a time.
        changed: called when turns of the conversation have changed, from any thread.
    """

    def __init__(self, desk: Desk, send: Callable[[Letter], None], changed: Callable[[], None]) -> None:
        self.desk = desk
        self._send = send
        self._changed = changed
        self._lock = threading.RLock()
        self._talks: dict[Conversation, Talk] = {}
        self._told: list[tuple[str, bool]] = []  # what the views know: ids of turns, and whether they are stale
        self._busy = ""
        self._served = False  # whether there has been a view
        self._watched: Conversation | None = None
        self._watch()

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self.desk.conversation

    def close(self) -> None:
        """Stop the replies of the panel, and watch no more."""
        talks = list(self._talks.values())
        for talk in talks:
            talk.stop()
        for talk in talks:
            talk.join(TIME_TO_STOP)
        if self._watched is not None:
            self._watched.watchers.remove(self._notice)
            self._watched = None

    def handle(self, content: Any) -> None:
        """Do what a message asks for; what can't be done is told."""
        wanted = dict(content) if isinstance(content, dict) else {}
        do = getattr(self, f"on_{wanted.pop('type', '')}", None)
        if do is None:
            return
        try:
            do(**wanted)
        except Exception as error:  # noqa: BLE001  # nothing dies silently: the panel is to know
            self._refuse(error, wanted.get("prompt"))

    # What a person does

    def on_hello(self, view: str) -> None:
        """A view is there, and is to know how things stand."""
        with self._lock:
            known = self._told, self._busy
            letter = self._snapshot()
            news = known != (self._told, self._busy)  # the other views are to hear of it too
            self._send(letter if news and self._served else {**letter, "view": view})
            self._served = True

    def on_earlier(self, view: str, before: str) -> None:
        """A view shows the turns before one."""
        self._send({"type": "earlier", "view": view, "before": before, **page_letter(self.conversation.turns, before)})

    def on_send(self, prompt: str) -> None:
        """Ask."""
        self._check_free(self.conversation)
        self._talk(self.desk.chat().stream(prompt, system=self.desk.system, watched=True), prompt)

    def on_stop(self) -> None:
        """Stop the reply; what has come is kept."""
        if talk := self._talks.get(self.conversation):
            talk.stop()

    def on_regenerate(self, turn: str | None = None) -> None:
        """Ask a turn's prompt again, in its place."""
        self._check_free(self.conversation)
        turns = self.conversation.turns
        old = next((t for t in turns if t.id == turn), turns[-1] if turns and turn is None else None)
        if old is None:
            raise UsageError("this turn is not in the conversation any more")
        self._talk(self.desk.chat().redo(old.id, watched=True), old.prompt, old.id)

    def on_edit(self, turn: str, prompt: str) -> None:
        """Ask differently, in a copy of the conversation up to there: nothing that was said is lost."""
        old = self.conversation
        context = old.slot_of(turn).context
        fork = old.fork(old.name, context[-1].id) if context else Conversation(old.name, system=old.system)
        reply = self.desk.chat(fork).stream(prompt, system=self.desk.system, watched=True)
        self._show(lambda: self.desk.add(fork))
        self._tell({"type": "told", "kind": "note", "text": f"this is {fork.name}; what was said is in {old.name}"})
        self._talk(reply, prompt)

    def on_clear(self, name: str | None = None) -> None:
        """Forget all turns of a conversation, of the one shown by default."""
        conversation = self.conversation if name is None else self.desk.conversations.get(name)
        if conversation is None:
            raise UsageError(f"there is no conversation {name!r} any more")
        if talk := self._talks.get(conversation):
            talk.stop()
            talk.join(TIME_TO_STOP)
        conversation.clear()

    def on_new(self) -> None:
        """Begin another conversation."""
        new = Conversation("chat", system=self.conversation.system)
        self._show(lambda: self.desk.add(new))

    def on_switch(self, name: str) -> None:
        """Show another conversation."""
        self._show(lambda: self.desk.switch(name))

    def on_export(self, format: str) -> None:  # noqa: A002  # the protocol's name
        """Write the conversation to a file beside the notebook; none that is there is overwritten."""
        written = files.write(self.conversation, _free(self.conversation.name, format))
        self._tell({"type": "told", "kind": "note", "text": f"exported: {written.path}"})

    def on_set(self, **settings: Any) -> None:
        """Change who answers, and how."""
        try:
            if "model" in settings:
                self.desk.use(str(settings["model"]))
            if "temperature" in settings:
                self.desk.set_temperature(settings["temperature"])
            if "system" in settings:
                self.conversation.system = str(settings["system"])
        finally:
            self._tell({"type": "settings", **settings_letter(self.desk)})

    def on_models(self, provider: str) -> None:
        """List the models of a provider. Its server may be asked: nobody waits for it."""
        threading.Thread(target=self._list_models, args=(provider,), daemon=True).start()

    def _list_models(self, provider: str) -> None:
        told: Letter = {"type": "models", "provider": provider, "models": [], "error": ""}
        try:
            listed = self.desk.provider(provider).list_models()
            told["models"] = [{"id": m.id, "name": m.name or m.id} for m in listed]
        except Exception as error:  # noqa: BLE001  # as above
            told["error"] = _safe(str(error))
        self._tell(told)

    # What happens in the conversation

    def _check_free(self, conversation: Conversation) -> None:
        if conversation in self._talks or under_way(conversation):
            raise UsageError("a reply is under way in this conversation; wait for it, or stop it first")

    def _talk(self, reply: Reply, prompt: str, replaces: str | None = None) -> None:
        conversation = self.conversation
        tell = self._about(conversation)
        model = self.desk.model
        ended = functools.partial(self._ended, conversation, reply.id, replaces)
        talk = Talk(reply, prompt, model, tell=tell, ended=ended, lock=self._lock)
        self._talks[conversation] = talk
        self._busy = "here"
        try:
            talk.start(replaces)
        except BaseException:  # what can't be told can't be read either: the conversation stays free
            self._talks.pop(conversation, None)
            self._busy = ""
            raise

    def _about(self, conversation: Conversation) -> Callable[[Letter], None]:
        """What takes messages about one conversation; they are for the views while that is the one shown."""

        def tell(letter: Letter) -> None:
            with self._lock:
                if letter["type"] == "end" and letter["turn"]:
                    letter["stale"] = self._newly_stale()
                if self.conversation is conversation:
                    self._send(letter)

        return tell

    def _ended(self, conversation: Conversation, turn: str, replaces: str | None) -> None:
        with self._lock:
            self._talks.pop(conversation, None)
            if self.conversation is conversation:
                self._tell_changes(own=turn, replaces=replaces)
                self._tell_busy()
                self._tell({"type": "usage", **usage_letter(conversation)})
        self._changed()

    def _notice(self) -> None:
        """The conversation has changed, or a reply begins or ends in it. Its watchers are told in any thread."""
        with self._lock:
            if self.conversation in self._talks:
                return  # told at the end
            self._tell_changes()
            self._tell_busy()

    def _tell_changes(self, own: str | None = None, replaces: str | None = None) -> None:
        """Tell what the views don't know of the turns; `own` is one that they do, and what it `replaces` they know."""
        turns, old = self.conversation.turns, [name for name, _ in self._told]
        if self._told == _known(turns):
            return
        new = [t.id for t in turns]
        added = [t for t in turns if t.id not in old]
        gone = [name for name in old if name not in new]
        in_order = [name for name in old if name in new] == [name for name in new if name in old]
        if len(added) != 1 or len(gone) > 1 or not in_order:
            self._show()
            return
        stale = self._newly_stale()
        self._told = _known(turns)
        if added[0].id == own and gone != ([replaces] if replaces else []):
            self._show()
            return
        if added[0].id != own:
            at = new.index(added[0].id)
            where = {"replaces": gone[0] if gone else None, "after": new[at - 1] if at else None}
            self._send({"type": "turn", "turn": turn_letter(added[0]), **where, "stale": stale})
            self._send({"type": "usage", **usage_letter(self.conversation)})
            self._changed()

    def _newly_stale(self) -> list[str]:
        known = dict(self._told)
        return [t.id for t in self.conversation.turns if t.stale and not known.get(t.id, False)]

    def _tell_busy(self) -> None:
        busy = "here" if self.conversation in self._talks else "elsewhere" if under_way(self.conversation) else ""
        if busy != self._busy:
            self._busy = busy
            self._send({"type": "busy", "busy": busy})

    def _show(self, change: Callable[[], None] = lambda: None) -> None:
        """Tell all views anew how things stand after `change`, and nothing between."""
        with self._lock:
            change()
            self._watch()
            self._send(self._snapshot())
        self._changed()

    def _watch(self) -> None:
        if self._watched is self.conversation:
            return
        if self._watched is not None:
            self._watched.watchers.remove(self._notice)
        self._watched = self.conversation
        self._watched.watchers.add(self._notice)

    def _snapshot(self) -> Letter:
        conversation = self.conversation
        talk = self._talks.get(conversation)
        coming = talk.growing.id if talk else None
        turns = tuple(t for t in conversation.turns if t.id != coming)  # its end is still to be told
        self._told = _known(turns)
        self._busy = "here" if talk else "elsewhere" if under_way(conversation) else ""
        return {
            "type": "snapshot",
            "conversation": {
                "name": conversation.name,
                "names": list(self.desk.conversations),
                "total": len(turns),
            },
            **page_letter(turns),
            "reply": talk and talk.letter(),
            "busy": self._busy,
            "settings": settings_letter(self.desk),
        }

    def _tell(self, letter: Letter) -> None:
        with self._lock:
            self._send(letter)

    def _refuse(self, error: Exception, prompt: Any) -> None:
        text = str(error) if isinstance(error, LockbotsError) else f"{type(error).__name__}: {error}"
        more = {"prompt": prompt} if isinstance(prompt, str) else {}
        self._tell({"type": "told", "kind": "error", "text": _safe(text), **more})


def _known(turns: tuple[Turn, ...]) -> list[tuple[str, bool]]:
    return [(t.id, t.stale) for t in turns]


def _safe(text: str) -> str:
    return redacted(unlinked(printable(text)))


def _free(name: str, ending: str) -> Path:
    """A file that is not there yet, named after a conversation."""
    stem = "".join(c if c.isalnum() or c in "-_ " else "-" for c in name).strip() or "chat"
    numbered = (Path(f"{stem}-{n}.{ending}") for n in range(2, 10_000))
    first = Path(f"{stem}.{ending}")
    return first if not first.exists() else next(path for path in numbered if not path.exists())

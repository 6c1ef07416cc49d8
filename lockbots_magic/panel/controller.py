"""The kernel's side of a panel: does what a person does there, and tells what happens in the conversation.

It knows nothing of widgets: messages come and go as JSON-ready dicts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..conversation.conversation import Conversation
from ..errors import AuthenticationError
from ..storage import formats as files
from .backend import PanelBackend
from .i18n import RefusedError, remark
from .protocol import Message, format_error, page_message, replace_lone_surrogates
from .view_sync import TIME_TO_STOP, ViewSync

ASKING = ("send", "regenerate", "edit")
"""What one view asks: it alone has shown the prompt already, and takes it back if it is refused."""
SLOW = ("models", "clear", "export", "set")
"""What may take a while: that it was heard is told at once."""


class PanelController:
    """Serves all views of one panel.

    Args:
        backend: what the panel works on.
        send: takes a message for the views; any thread calls it, one at a time.
        changed: called when turns of a conversation have changed, or another one is open, from any thread.
        transcript: tells which state of the task is saved below the panel, and all of that if it is wanted.
    """

    def __init__(
        self,
        backend: PanelBackend,
        send: Callable[[Message], None],
        changed: Callable[[], None],
        transcript: Callable[[bool], Message] | None = None,
    ) -> None:
        self.backend = backend
        self._views = ViewSync(backend, send, changed)
        self._transcript = transcript

    @property
    def conversation(self) -> Conversation:
        """The conversation that is shown."""
        return self.backend.conversation

    def close(self) -> None:
        """Stop the replies of the panel, watch no more, and do nothing more."""
        self._views.close()

    def take_over(self, other: PanelController) -> None:
        """Go on with the replies of the panel that this one takes the place of."""
        self._views.take_over(other._views)

    def saved(self) -> None:
        """What is saved below the panel is in another state; a page that was loaded since then has to see to it."""
        if self._transcript:
            self._views.tell({"type": "saved", **self._transcript(False)})

    def handle(self, content: Any) -> None:
        """Do what a message asks for; what can't be done is told."""
        wanted = dict(replace_lone_surrogates(content)) if isinstance(content, dict) else {}
        kind = wanted.pop("type", "")
        do = getattr(self, f"on_{kind}", None)
        if do is None or self._views.closed:
            return
        asker = wanted.pop("view", None) if kind in ASKING else None
        try:
            if kind in SLOW:
                self._views.tell({"type": "heard"})
            do(**wanted)
        except Exception as error:  # noqa: BLE001  # nothing dies silently: the panel is to know
            self._refuse(error, wanted.get("prompt"), kind, asker)

    # What a person does

    def on_hello(self, view: str) -> None:
        """A view is there, and is to know how things stand."""
        self._views.greet(view)
        if self._transcript:
            self._views.tell({"type": "saved", "view": view, **self._transcript(False)})

    def on_transcript(self, view: str) -> None:
        """A page that knows no name of the output below the panel writes it into the notebook."""
        if self._transcript:
            self._views.tell({"type": "transcript", "view": view, **self._transcript(True)})

    def on_earlier(self, view: str, before: str) -> None:
        """A view shows the turns before one."""
        self._views.tell({"type": "earlier", "view": view, "before": before, **page_message(self._views.turns, before)})

    def on_send(self, prompt: str) -> None:
        """Ask."""
        with self._views.lock:
            self._views.check_free()
            reply = self.backend.chat().stream(prompt, system=self.backend.instruction, watched=True)
            self._views.begin(reply, prompt)

    def on_stop(self) -> None:
        """Stop the reply; what has come is kept."""
        if task := self._views.task_in(self.conversation):
            task.stop()

    def on_regenerate(self, turn: str | None = None) -> None:
        """Ask a turn's prompt again, in its place, of the model and with the settings that the panel shows now."""
        with self._views.lock:
            self._views.check_free()
            turns = self._views.turns
            old = next((t for t in turns if t.id == turn), turns[-1] if turns and turn is None else None)
            if old is None:
                raise RefusedError("turn_gone")
            functions = self.backend.functions_of(old)
            reply = self.backend.chat().redo(
                old.id, system=self.backend.instruction, params={}, tools=functions, watched=True
            )
            self._views.begin(reply, old.prompt, old.id)

    def on_edit(self, turn: str, prompt: str) -> None:
        """Ask differently, in a copy of the conversation up to there: nothing that was said is lost."""
        with self._views.lock:
            old = self.conversation
            context = old.slot_of(turn).context
            fork = old.fork(old.name, context[-1].id) if context else Conversation(old.name, system=old.system)
            reply = self.backend.chat(fork).stream(prompt, system=self.backend.instruction, watched=True)
            self._views.show(lambda: self.backend.add(fork))
            self._note("branched", name=fork.name, old=old.name)
            self._views.begin(reply, prompt)

    def on_clear(self, name: str | None = None) -> None:
        """Forget all turns of a conversation, of the one shown by default."""
        is_shown = name in (None, self.conversation.name)
        conversation = self.conversation if is_shown else self.backend.conversations.get(str(name))
        if conversation is None:
            raise RefusedError("conversation_gone", name=str(name))
        if task := self._views.task_in(conversation):
            task.stop()
            task.join(TIME_TO_STOP)
        conversation.clear()

    def on_new(self) -> None:
        """Begin another conversation."""
        new = Conversation("chat", system=self.conversation.system)
        self._views.show(lambda: self.backend.add(new))

    def on_switch(self, name: str) -> None:
        """Show another conversation."""
        self._views.show(lambda: self.backend.switch(name))

    def on_export(self, format: str) -> None:  # noqa: A002  # the protocol's name
        """Write the conversation to a file beside the notebook; none that is there is overwritten."""
        written = files.write(self.conversation, _free(self.conversation.name, format))
        self._note("exported", path=str(written.path))

    def on_set(self, **settings: Any) -> None:
        """Change who answers, and how."""
        try:
            if "model" in settings:
                self.backend.use(str(settings["model"]))
            if "temperature" in settings:
                self.backend.set_temperature(settings["temperature"])
            if "system" in settings:
                self.backend.set_system(str(settings["system"]))
        finally:
            self._views.tell_settings()

    def on_models(self, provider: str) -> None:
        """List the models of a provider. Its server may be asked: nobody waits for it."""
        threading.Thread(target=self._list_models, args=(provider,), name="lockbots panel models", daemon=True).start()

    def _list_models(self, provider: str) -> None:
        told: Message = {"type": "models", "provider": provider, "models": [], "error": ""}
        try:
            listed = self.backend.list_models(provider)
            told["models"] = [{"id": m.id, "name": m.name or m.id} for m in listed]
        except Exception as error:  # noqa: BLE001  # as above
            told["error"] = format_error(error)
        self._views.tell(told)

    def _note(self, key: str, **values: str) -> None:
        self._views.tell({"type": "told", "kind": "note", **remark(key, **values)})

    def _refuse(self, error: Exception, prompt: Any, kind: str, asker: Any) -> None:
        """Tell why not: all views, or the one that has asked the model."""
        why = error.remark if isinstance(error, RefusedError) else {"text": format_error(error).replace("  %", " %")}
        message = {"type": "told", "kind": "error", **why, "credential": isinstance(error, AuthenticationError)}
        if kind in ASKING:
            message |= {"refused": kind, "view": asker, "prompt": prompt if isinstance(prompt, str) else None}
        self._views.tell(message)


def _free(name: str, ending: str) -> Path:
    """A file that is not there yet, named after a conversation."""
    stem = "".join(c if c.isalnum() or c in "-_ " else "-" for c in name).strip() or "chat"
    numbered = (Path(f"{stem}-{n}.{ending}") for n in range(2, 10_000))
    first = Path(f"{stem}.{ending}")
    return first if not first.exists() else next(path for path in numbered if not path.exists())

"""Kernel side of a panel: carries out the requests of its views. Independent of widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.messages import CellOrigin
from ..errors import AuthenticationError
from ..language import chosen_language, match_language, speaking
from ..prompt.document_files import DocumentChooser
from ..prompt.part import PromptPart
from ..security.control_characters import replace_surrogates
from ..security.exits import clean_message
from ..storage.files import export_conversation
from ..storage.log import Log
from .approvals import PanelApprovals
from .attachments import attach, mentions
from .backend import PanelBackend
from .i18n import RefusedError, translatable
from .protocol import PanelMessage, describe_models, format_error, page_message
from .search import found_message
from .view_sync import STOP_TIMEOUT, ViewSync

MODEL_REQUESTS = ("send", "regenerate", "edit")
"""Requests to the model. The view shows the prompt at once, and takes it back if the request is refused."""
SLOW_REQUESTS = ("models", "clear", "export", "set")
"""Requests that may take a while: they are acknowledged at once."""


class PanelController:
    """Serve all views of one panel.

    A request is a dict with a `type`; the method ``on_TYPE`` carries it out with the other items as its arguments.

    Args:
        backend: What the panel works on.
        send: Takes a message for the views; called from any thread, one call at a time.
        on_change: Called from any thread when the turns of a conversation have changed or another one was opened.
        transcript: Returns the message fields of the output saved below the panel: its digest, or all of it if the
            argument is true. None if there is no such output.
    """

    def __init__(
        self,
        backend: PanelBackend,
        send: Callable[[PanelMessage], None],
        on_change: Callable[[], None],
        transcript: Callable[[bool], PanelMessage] | None = None,
    ) -> None:
        self.backend = backend
        self._views = ViewSync(backend, send, on_change)
        self._approvals = PanelApprovals(self._views.send)
        self._transcript = transcript
        self._language = ""

    @property
    def conversation(self) -> Conversation:
        """The open conversation."""
        return self.backend.conversation

    def close(self) -> None:
        """Stop the panel's replies, and ignore further requests."""
        self._views.close()

    def take_over(self, other: PanelController) -> None:
        """Continue the replies of the panel that this one replaces."""
        self._views.take_over(other._views)

    def send_saved(self) -> None:
        """Announce a new transcript output: a page that was reloaded has to write it into the notebook."""
        if self._transcript:
            self._views.send({"type": "saved", **self._transcript(False)})

    def handle(self, content: Any) -> None:
        """Carry out a request; send the reason to the views if it fails.

        Args:
            content: The request. Anything that is not a known request is ignored.
        """
        request = _repair_text(content) if isinstance(content, dict) else {}
        kind = request.pop("type", "")
        method = getattr(self, f"on_{kind}", None)
        if method is None or self._views.closed:
            return
        view = request.get("view") if kind in MODEL_REQUESTS else None
        try:
            if kind in SLOW_REQUESTS:
                self._views.send({"type": "ack"})
            with speaking(self._language):
                method(**request)
        except Exception as error:  # noqa: BLE001  # every failure is shown in the panel
            self._send_refusal(error, request.get("prompt"), kind, view)

    # Requests

    def on_hello(self, view: str, language: str = "") -> None:
        """Send the full state to a view that has opened.

        Args:
            view: The view.
            language: Language of its page. Requests are answered in it, unless one was set in the kernel.
        """
        self._language = "" if chosen_language() else match_language([language])
        self._views.send_snapshot(view)
        for question in self._approvals.messages():
            self._views.send({**question, "view": view})
        if self._transcript:
            self._views.send({"type": "saved", "view": view, **self._transcript(False)})

    def on_transcript(self, view: str) -> None:
        """Send the transcript output to a page that was reloaded, for it to write into the notebook."""
        if self._transcript:
            self._views.send({"type": "transcript", "view": view, **self._transcript(True)})

    def on_earlier(self, view: str, before: str) -> None:
        """Send a view the turns before the turn with the id `before`."""
        self._views.send({"type": "earlier", "view": view, "before": before, **page_message(self._views.turns, before)})

    def on_ping(self, view: str) -> None:
        """Show a view that waits for a slow reply that the kernel lives."""
        self._views.send({"type": "ack", "view": view})

    def on_send(self, prompt: str, view: str = "", conversation: str | None = None, files: Sequence[Any] = ()) -> None:
        """Send a prompt to the model.

        Args:
            prompt: The prompt.
            view: The view that sends it.
            conversation: Name of the conversation that the view shows; the open one by default.
            files: Files that go with it, see `attachments.attach`.

        Raises:
            UsageError: A file or a variable that the prompt mentions can't be sent.
            RefusedError: There is a reply in progress, or another view has just opened another conversation.
        """
        with self._views.lock:
            self._views.check_idle()
            if conversation not in (None, clean_message(self.conversation.name)):
                raise RefusedError("conversation_left", name=self.conversation.name)
            chat = self.backend.chat()
            part = self._with_attachments(chat, prompt, files)
            prompt, system = self._outgoing(part.text)
            attached = {"images": part.images, "documents": part.documents}
            reply = chat.stream(prompt, system=system, origin=CellOrigin(watched=True), **attached)
            self._views.start_reply(reply, prompt, view)

    def _with_attachments(self, chat: Chat, prompt: str, files: Sequence[Any]) -> PromptPart:
        """Return a prompt with its files and variables; tell what was added and what was cut."""
        names = mentions(prompt, self.backend.variables)
        if not files and not names:
            return PromptPart(prompt)
        rules = chat.provider.document_rules(chat.model)
        chooser = DocumentChooser(rules, is_clean=lambda text: not self.backend.without_secrets(text)[1])
        part = attach(prompt, files, self.backend.variables, chooser.choose)
        if names:
            self._send_note("attached", what=", ".join(names))
        for note in part.notes:
            self._views.send({"type": "notification", "kind": "note", "text": note})
        return part

    def on_approve(self, question: str, choice: str, reason: str = "") -> None:
        """Answer a question about a tool call: ``"yes"``, ``"session"`` or ``"no"``, with a reason for the model."""
        self._approvals.answer(question, choice, str(reason))

    def on_stop(self) -> None:
        """Stop the reply in progress; the text received so far is kept."""
        if task := self._views.task_in(self.conversation):
            task.stop()

    def on_regenerate(self, turn: str | None = None, view: str = "") -> None:
        """Send the prompt of a turn again, and replace that turn.

        The model and settings are those of the panel now, not those of the turn.

        Args:
            turn: Id of the turn; the last one by default.
            view: The view that asks.

        Raises:
            RefusedError: The conversation has no such turn, or a reply in progress.
        """
        with self._views.lock:
            self._views.check_idle()
            turns = self._views.turns
            old = next((t for t in turns if t.id == turn), turns[-1] if turns and turn is None else None)
            if old is None:
                raise RefusedError("turn_gone")
            _, system = self._outgoing("")
            chat, origin = self.backend.chat(), CellOrigin(watched=True)
            asked = self._approvals.approval_for(chat)
            reply = asked.watch(chat.redo(old.id, system=system, params={}, approve=asked.approval, origin=origin))
            self._views.start_reply(reply, old.prompt, view, replaces=old.id)

    def on_edit(self, turn: str, prompt: str, view: str = "") -> None:
        """Send an edited prompt in a copy of the conversation that ends before `turn`; the original stays as it is."""
        with self._views.lock:
            old = self.conversation
            context = old.slot_of(turn).context
            fork = old.fork(old.name, context[-1].id) if context else Conversation(old.name, system=old.system)
            prompt, system = self._outgoing(prompt)
            edited = next(one for one in old.turns if one.id == turn)
            attached = {"images": edited.sent_images, "documents": edited.sent_documents}
            reply = self.backend.chat(fork).stream(prompt, system=system, origin=CellOrigin(watched=True), **attached)
            self._views.resync(lambda: self.backend.add_branch(fork))
            self._send_note("branched", name=fork.name, old=old.name)
            self._views.start_reply(reply, prompt, view)

    def on_clear(self, name: str | None = None) -> None:
        """Remove all turns of a conversation, the open one by default.

        Raises:
            RefusedError: There is no conversation called `name`.
        """
        is_open = name in (None, clean_message(self.conversation.name))
        conversation = self.conversation if is_open else self.backend.find(str(name))
        if task := self._views.task_in(conversation):
            task.stop()
            task.join(STOP_TIMEOUT)
        conversation.clear()

    def on_new(self) -> None:
        """Open a new conversation with the same system prompt."""
        new = Conversation("chat", system=self.conversation.system)
        self._views.resync(lambda: self.backend.add(new))

    def on_switch(self, name: str) -> None:
        """Open another conversation."""
        self._views.resync(lambda: self.backend.switch(name))

    def on_cells(self) -> None:
        """Have cells use the open conversation."""
        self.backend.use_in_cells()

    def on_search(self, view: str, words: str) -> None:
        """Search the conversations, and the log if it is on, in a thread: there may be much."""
        threading.Thread(target=self._search, args=(view, words), name="lockbots panel search", daemon=True).start()

    def on_open_logged(self, turn: str) -> None:
        """Open a conversation of the log, up to one of its turns: a copy, to be continued.

        Raises:
            UsageError: The log has no such turn, or can't be read.
        """
        conversation = Log().open(turn)
        self._views.resync(lambda: self.backend.add(conversation))

    def on_export(self, format: str) -> None:  # noqa: A002  # field of the message
        """Write the conversation to a new file in the working directory.

        Args:
            format: Ending of the file name, such as ``"md"``.
        """
        written = export_conversation(self.conversation, _free_path(self.conversation.name, format))
        self._send_note("exported", path=str(written.path))

    def on_set(self, **settings: Any) -> None:
        """Change the `model`, its `address`, the `temperature` or the `system` prompt."""
        try:
            if "model" in settings:
                self.backend.use(str(settings["model"]))
            if "address" in settings:
                self.backend.set_address(str(settings["address"]).strip())
            if "temperature" in settings:
                self.backend.set_temperature(settings["temperature"])
            if "system" in settings:
                self.backend.set_system(str(settings["system"]))
        finally:
            self._views.send_settings()

    def on_models(self, provider: str) -> None:
        """List the models of a provider, in a thread: its server may be slow."""
        threading.Thread(target=self._list_models, args=(provider,), name="lockbots panel models", daemon=True).start()

    def _list_models(self, provider: str) -> None:
        message: PanelMessage = {"type": "models", "provider": provider, "models": [], "error": ""}
        try:
            message["models"] = describe_models(self.backend.list_models(provider))
        except Exception as error:  # noqa: BLE001  # every failure is shown in the panel
            message["error"] = format_error(error)
        self._views.send(message)

    def _outgoing(self, prompt: str) -> tuple[str, str]:
        """Return a prompt and the system prompt without what looks like a secret; tell what was left out."""
        prompt, in_prompt = self.backend.without_secrets(prompt)
        system, in_system = self.backend.without_secrets(self.backend.instruction)
        if left_out := ", ".join(dict.fromkeys(filter(None, (in_prompt, in_system)))):
            self._send_note("secret_left_out", what=left_out)
        return prompt, system

    def _search(self, view: str, words: str) -> None:
        self._views.send(found_message(self.backend, view, words))

    def _send_note(self, key: str, **values: str) -> None:
        self._views.send({"type": "notification", "kind": "note", **translatable(key, **values)})

    def _send_refusal(self, error: Exception, prompt: Any, kind: str, view: Any) -> None:
        """Send the reason why a request failed, to the view that made it if it was for the model, else to all."""
        reason = error.reason if isinstance(error, RefusedError) else {"text": format_error(error)}
        is_credential = isinstance(error, AuthenticationError)
        message = {"type": "notification", "kind": "error", **reason, "credential": is_credential}
        if kind in MODEL_REQUESTS:
            message |= {"refused": kind, "view": view, "prompt": prompt if isinstance(prompt, str) else None}
        self._views.send(message)


def _repair_text(value: Any) -> Any:
    """Return a copy of a JSON value in which no text has lone surrogates, which can't be encoded as UTF-8."""
    if isinstance(value, str):
        return replace_surrogates(value)
    if isinstance(value, dict):
        return {key: _repair_text(item) for key, item in value.items()}
    return [_repair_text(item) for item in value] if isinstance(value, list) else value


def _free_path(name: str, ending: str) -> Path:
    """Return the path of a file that does not exist yet, named after a conversation."""
    stem = "".join(c if c.isalnum() or c in "-_ " else "-" for c in name).strip() or "chat"
    numbered = (Path(f"{stem}-{n}.{ending}") for n in range(2, 10_000))
    first = Path(f"{stem}.{ending}")
    return first if not first.exists() else next(path for path in numbered if not path.exists())

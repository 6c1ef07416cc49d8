"""The widget."""

from __future__ import annotations

import json
import threading
import uuid
import weakref
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import anywidget
from traitlets import Dict, Unicode

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..errors import UsageError
from ..notebook.live_output import show, unrelated_context
from ..notebook.session import Lockbots
from ..rendering.html import style_sheet
from ..storage.output_metadata import digest
from .backend import ChatBackend, SessionBackend
from .controller import PanelController
from .debouncer import Debouncer
from .i18n import texts
from .protocol import Message, replace_lone_surrogates, shown_turns
from .transcript import Transcript
from .transcript_metadata import TranscriptMetadata

FRONT = ("panel", "link", "remarks", "transcript", "articles", "composer", "settings", "notebook", "texts", "elements")
"""The parts of the front end. One module is made of them: no bundler, and a page can load nothing else offline."""


def _asset(name: str) -> str:
    return files(__package__).joinpath(name).read_text("utf-8")


STATE = "lockbots_state"
"""Where the output below a panel says which state of the talk it shows.

A page that was loaded anew knows the output from the file, not by the name under which it is updated. By its state the
page finds that it is not the latest, and writes it into the notebook itself.
"""


class ChatPanel(anywidget.AnyWidget):
    """A chat panel in the notebook: a view of a conversation, to talk in while cells run.

    Args:
        chat: the chat whose conversation it shows; or the session of the magics.
        name: which conversation of the session; its current one by default.

    Raises:
        UsageError: `chat` is neither.
    """

    _esm = "\n".join(_asset(f"frontend/{name}.js") for name in FRONT)
    _css = style_sheet() + _asset("panel.css")
    texts = Dict(help="What the panel says, by language.").tag(sync=True)
    key = Unicode(help="By what a page knows the panel again when it is loaded anew.").tag(sync=True)

    def __init__(self, chat: Chat | Lockbots, name: str | None = None) -> None:
        if not isinstance(chat, Chat | Lockbots):
            raise UsageError("give the chat that the panel is to show: ChatPanel(Chat('provider:model'))")
        self._context = unrelated_context()  # so that the panel is served while a cell runs, where that is possible
        self._display_id = uuid.uuid4().hex
        self._context.copy().run(super().__init__, texts=texts(), key=self._display_id)
        self._displayed = False
        self._transcript = Transcript()
        self._transcript_metadata = TranscriptMetadata()
        self._output_lock = threading.Lock()
        self._written: tuple[Mapping[str, str], dict[str, Any]] = {}, {}
        self._debouncer = Debouncer(self._show_transcript)
        backend = SessionBackend(chat, name) if isinstance(chat, Lockbots) else ChatBackend(chat)
        self._transcript_metadata.take_up(backend.conversation)
        self._controller = PanelController(backend, self._send_message, self._on_change, self._transcript_message)
        self.on_msg(self._received)
        if self.comm is not None:
            self.comm.on_close(lambda _: self.close())
        if isinstance(chat, Lockbots):
            chat.cells.ended.add(self._debouncer.flush)  # programs that run notebooks look no further than to its end
            _retire_earlier(self, chat)

    def __repr__(self) -> str:
        return f"ChatPanel({self.conversation!r})"

    @property
    def conversation(self) -> Conversation:
        """The conversation that it shows."""
        return self._controller.conversation

    def close(self) -> None:
        """Stop its replies, and take it out of the page; the transcript below it stays."""
        if hasattr(self, "_controller"):
            self._controller.close()
            self._debouncer.close()
        super().close()

    def _ipython_display_(self) -> None:
        """Show the panel, and what was said as text for whoever opens the saved notebook without its kernel."""
        bundle: Any = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        show({**data, "text/plain": repr(self)}, metadata=metadata)
        self._show_transcript(update=False)
        self._displayed = True

    def _received(self, _widget: object, content: Any, _buffers: object) -> None:
        self._controller.handle(content)

    def _send_message(self, message: Message) -> None:
        if self.comm is not None:  # a closed panel has none
            self._context.copy().run(self.send, replace_lone_surrogates(message))

    def _on_change(self) -> None:
        self._transcript_metadata.take_up(self.conversation)
        if self._displayed:
            self._debouncer.request()

    def _show_transcript(self, *, update: bool = True) -> None:
        with self._output_lock:
            data, metadata = self._written = self._saved_form()
            show(data, self._display_id, update=update, metadata=metadata)
        self._controller.saved()

    def _saved_form(self) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Return data and metadata of the output below the panel."""
        data = self._transcript.of(shown_turns(self.conversation))
        backend = self._controller.backend
        kept = self._transcript_metadata.metadata([*backend.unrestored, *backend.conversations.values()])
        return data, {**kept, STATE: digest(json.dumps([data, kept], sort_keys=True))}

    def _transcript_message(self, whole: bool) -> Message:
        with self._output_lock:
            data, metadata = self._written
        told: Message = {"widget": self.model_id, "state": metadata.get(STATE, "")}
        return {**told, "data": dict(data), "metadata": metadata} if whole else told


_made_in: weakref.WeakKeyDictionary[ChatPanel, tuple[Lockbots, str, str | None]] = weakref.WeakKeyDictionary()
"""In which execution of which cell a panel was made."""


def _retire_earlier(new: ChatPanel, session: Lockbots) -> None:
    """Close the panels that earlier executions of the cell that runs have made: the page shows them no more.

    Their replies go on in the new one.
    """
    cell, run = session.cells.id, session.cells.run
    if cell is None:
        return
    for old, (of_session, of_cell, of_run) in list(_made_in.items()):
        if of_session is session and of_cell == cell and of_run != run:
            new._controller.take_over(old._controller)
            old.close()
    _made_in[new] = session, cell, run

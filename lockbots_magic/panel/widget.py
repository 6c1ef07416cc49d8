"""The anywidget widget: assets, comm and transcript output of a panel."""

from __future__ import annotations

import json
import re
import threading
import uuid
import weakref
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import anywidget
from IPython.core.getipython import get_ipython
from traitlets import Dict, Unicode

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..errors import UsageError
from ..language import _, chosen_language
from ..notebook.display import show, unrelated_context, watched
from ..notebook.session import Session
from ..rendering.frame import style_sheet
from ..storage.output_metadata import digest
from .backend import ChatBackend, PanelBackend
from .controller import PanelController
from .debouncer import Debouncer
from .i18n import page_texts
from .protocol import PanelMessage, shown_turns
from .session_backend import SessionBackend
from .transcript import MAX_SHOWN_TURNS, Transcript
from .transcript_metadata import TranscriptMetadata

FRONTEND_MODULES = (
    "dom",
    "i18n",
    "attachments",
    "draft",
    "turn_list",
    "notebook",
    "morph",
    "connection",
    "notifications",
    "settings",
    "composer",
    "turns",
    "transcript",
    "search",
    "panel",
)
"""ES modules of the front end, each after those it imports."""
STATE_KEY = "lockbots_state"
"""Key in the metadata of the transcript output: digest of the state that it shows.

A page that was reloaded has the output from the file, without the display id by which the kernel updates it. By the
digest the page finds that its output is outdated, and writes the current one into the notebook itself.
"""

MANY_TURNS = 20
"""Turns from which the transcript is formatted once a view shows its turns: to format it would delay them."""
MAX_WAIT = 3.0
"""Time (s) that formatting the transcript waits for a view."""


def read_asset(name: str) -> str:
    """Return the text of a file of this package."""
    return files(__package__).joinpath(name).read_text("utf-8")


def join_modules() -> str:
    """Return the front end as one ES module: anywidget takes one, and a page that is offline can load no other.

    The modules then share one scope, so imports and exports between them are removed.
    """
    source = "\n".join(read_asset(f"frontend/{name}.js") for name in FRONTEND_MODULES)
    return re.sub(r"^(?:import .* from .*;\n|export (?!default))", "", source, flags=re.MULTILINE)


class ChatPanel(anywidget.AnyWidget):
    """Chat panel in a notebook: a view of a conversation that stays usable while cells run.

    Args:
        chat: The chat to show, or the session of the IPython magics.
        name: With a session, the name of the conversation to open; its current one by default.

    Raises:
        UsageError: `chat` is neither.

    Example:
        >>> panel = ChatPanel(Chat("openai:gpt-4o"))  # doctest: +SKIP
        >>> panel  # as the last line of a cell  # doctest: +SKIP
    """

    _esm = join_modules()
    _css = style_sheet() + read_asset("panel.css")
    texts = Dict(help="Texts of the panel in each language, see `i18n.page_texts`.").tag(sync=True)
    language = Unicode(help="Language that was set; empty where the browser decides.").tag(sync=True)
    key = Unicode(help="Identifies the panel to a page that is reloaded.").tag(sync=True)

    def __init__(self, chat: Chat | Session, name: str | None = None) -> None:
        if not isinstance(chat, Chat | Session):
            raise UsageError(_("ChatPanel needs a chat, as in `ChatPanel(Chat('provider:model'))`"))
        self._context = unrelated_context()  # lets front ends with subshells serve the panel while a cell runs
        self._display_id = uuid.uuid4().hex
        self._context.copy().run(super().__init__, texts=page_texts(), language=chosen_language(), key=self._display_id)
        self._displayed = False
        self._transcript = Transcript()
        self._transcript_metadata = TranscriptMetadata()
        self._output_lock = threading.Lock()
        self._saved: tuple[Mapping[str, str], dict[str, Any]] = {}, {}
        self._debouncer = Debouncer(self._show_transcript)
        self._waiting: threading.Timer | None = None
        backend: PanelBackend = SessionBackend(chat, name) if isinstance(chat, Session) else ChatBackend(chat)
        self._transcript_metadata.add(backend.conversation)
        self._controller = PanelController(backend, self._send_message, self._on_change, self._transcript_message)
        self.on_msg(self._on_message)
        if self.comm is not None:
            self.comm.on_close(lambda _: self.close())
        if isinstance(chat, Session):
            chat.cells.ended.add(self._debouncer.flush)  # programs that run notebooks keep nothing that comes later
            chat.observers.add(self._follow_language)
            _replace_earlier(self, chat)

    def __repr__(self) -> str:
        return f"ChatPanel({self.conversation!r})"

    def __reduce__(self) -> Any:
        raise TypeError(_("A panel can't be pickled. Pickle `panel.conversation`."))

    @property
    def conversation(self) -> Conversation:
        """The open conversation."""
        return self._controller.conversation

    def close(self) -> None:
        """Stop the panel's replies and remove it from the page. The transcript below it stays."""
        if hasattr(self, "_controller"):
            self._controller.close()
            self._show_waiting_transcript()
            self._debouncer.close()
        super().close()

    def _ipython_display_(self) -> None:
        """Display the panel, and below it the transcript for readers of the saved notebook."""
        if self.comm is None:
            show({"text/plain": _("This panel is closed. To open a new one, run `%lockbots panel`.")})
            self._show_transcript(update=False)
            return
        bundle: Any = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        show({**data, "text/plain": repr(self)}, metadata=metadata)
        shell = get_ipython()
        has_many = len(shown_turns(self.conversation)) >= MANY_TURNS
        if shell and has_many and not self._displayed and watched(shell, "auto"):  # an earlier output stays whole
            self._begin_transcript()
        else:
            self._show_transcript(update=False)
        self._displayed = True

    def _begin_transcript(self) -> None:
        """Show the transcript with only its last turn formatted, until a view has its turns or `MAX_WAIT` is over.

        A notebook that is saved meanwhile has all that restores the conversation.
        """
        with self._output_lock:
            data, metadata = self._saved = self._make_transcript(formatted=1)
            show(data, self._display_id, metadata=metadata)
        self._waiting = threading.Timer(MAX_WAIT, self._show_waiting_transcript)
        self._waiting.daemon = True
        self._waiting.start()

    def _show_waiting_transcript(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.cancel()
            self._debouncer.request()

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        self._controller.handle(content)
        self._show_waiting_transcript()

    def _send_message(self, message: PanelMessage) -> None:
        if self.comm is not None:  # None once the panel is closed
            self._context.copy().run(self.send, message)

    def _follow_language(self) -> None:
        """Let open views speak a language that has been set since."""
        if self.comm is not None:
            self._context.copy().run(self.set_trait, "language", chosen_language())

    def _on_change(self) -> None:
        self._transcript_metadata.add(self.conversation)
        if self._displayed:
            self._debouncer.request()

    def _show_transcript(self, *, update: bool = True) -> None:
        with self._output_lock:
            data, metadata = self._saved = self._make_transcript()
            show(data, self._display_id, update=update, metadata=metadata)
        if self.comm is not None:  # None once the panel is closed
            self._controller.send_saved()

    def _make_transcript(self, formatted: int = MAX_SHOWN_TURNS) -> tuple[Mapping[str, str], dict[str, Any]]:
        """Return data and metadata of the transcript output; see `Transcript.render`."""
        data = self._transcript.render(shown_turns(self.conversation), formatted)
        backend = self._controller.backend
        metadata = self._transcript_metadata.build([*backend.unrestored, *backend.conversations.values()])
        return data, {**metadata, STATE_KEY: digest(json.dumps([data, metadata], sort_keys=True))}

    def _transcript_message(self, whole: bool) -> PanelMessage:
        with self._output_lock:
            data, metadata = self._saved
        message: PanelMessage = {"widget": self.model_id, "state": metadata.get(STATE_KEY, "")}
        return {**message, "data": dict(data), "metadata": metadata} if whole else message


_created_in: weakref.WeakKeyDictionary[ChatPanel, tuple[Session, str, str | None]] = weakref.WeakKeyDictionary()
"""Session, cell and execution of that cell in which each panel was created."""


def _replace_earlier(new: ChatPanel, session: Session) -> None:
    """Close the panels of earlier executions of the running cell, which its output no longer shows.

    Their replies continue in `new`.
    """
    cell, run = session.cells.id, session.cells.run
    if cell is None:
        return
    for old, (old_session, old_cell, old_run) in list(_created_in.items()):
        if old_session is session and old_cell == cell and old_run != run:
            new._controller.take_over(old._controller)
            old.close()
    _created_in[new] = session, cell, run

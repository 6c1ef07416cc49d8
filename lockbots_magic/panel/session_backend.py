"""Backend of a panel that shares the session of the IPython magics."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.observers import Callback
from ..errors import UsageError
from ..notebook.chat_command import resolve_system
from ..notebook.notebook_context import NotebookContext
from ..notebook.secret_filter import without_secrets
from ..notebook.session import DEFAULT_ADDRESS, Session
from ..providers import provider_class, split_model
from ..storage.log import Log, LogHit
from ..storage.restore import restore_notebook
from .backend import PanelBackend

FIRST_IMPORTED = time.time()
"""When (Unix time, s) this kernel imported the panel; conversations saved earlier come from another kernel."""


class SessionBackend(PanelBackend):
    """Backend for a session: settings that are changed here apply to cells too, and the other way round.

    Args:
        session: The session.
        name: Name of the conversation to open, created if it is new; the session's current one by default.
    """

    def __init__(self, session: Session, name: str | None = None) -> None:
        super().__init__(session.conversations.get(name))
        self._session = session
        self.observers = session.observers
        self._catalog = session.catalog
        self._saved = _find_saved(session)
        self.families = session.branches

    def watch(self, on_change: Callback, on_cell_end: Callback) -> None:
        """Add callbacks to the session."""
        super().watch(on_change, on_cell_end)
        self._session.cells.ended.add(on_cell_end)

    def unwatch(self, on_change: Callback, on_cell_end: Callback) -> None:
        """Remove callbacks that `watch` added."""
        super().unwatch(on_change, on_cell_end)
        self._session.cells.ended.remove(on_cell_end)

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The session's conversations by name."""
        return self._session.conversations.by_name

    def _keep(self, conversation: Conversation) -> None:
        self._session.conversations.keep(conversation)

    @property
    def cell_conversation(self) -> str | None:
        """The session's current conversation."""
        return self._session.conversations.current

    @property
    def unrestored(self) -> list[Conversation]:
        """Conversations of panels in the saved notebook that this kernel has not restored."""
        present = {conversation.id for conversation in self.conversations.values()}
        return [saved for saved in self._saved if saved.id not in present]

    def search_log(self, words: str, limit: int) -> list[LogHit] | None:
        """Search the log, if the session keeps one."""
        return Log().search(words, limit=limit, unfinished=True) if self._session.recording.is_on else None

    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return a chat with the session's model, settings and credential."""
        return self._session.chat().with_conversation(self.conversation if conversation is None else conversation)

    @property
    def model(self) -> str:
        """The session's model; a default is written out."""
        name, model_id = split_model(self._session.settings.model)
        return f"{name}:{model_id or provider_class(name).default_model}"

    def use(self, model: str) -> None:
        """Set the session's model. The base URL of its provider stays as it was set."""
        self._session.chat(model)
        self._session.settings.model = model

    @property
    def temperature(self) -> float | None:
        """The session's temperature."""
        value: float | None = self._session.settings.temperature
        return value

    def set_temperature(self, value: float | None) -> None:
        """Set the session's temperature."""
        self._session.configure("temperature", value)

    @property
    def system(self) -> str:
        """The system prompt of the conversation, else that of the session."""
        return self.conversation.system or str(self._session.settings.system)

    @property
    def instruction(self) -> str:
        """The system prompt as it is sent: a persona of the session is replaced by its text."""
        return self.conversation.system or resolve_system(self._session, None, NotebookContext(self._session.namespace))

    def without_secrets(self, text: str) -> tuple[str, str]:
        """Filter a prompt as a cell does; the setting `send_secrets` sends it as it is."""
        return without_secrets(self._session, text, self._session.namespace)

    @property
    def variables(self) -> Mapping[str, Any]:
        """The notebook's variables."""
        return self._session.namespace

    def set_address(self, base_url: str) -> None:
        """Set the base URL as `%lockbots use --base-url` does."""
        self._session.use(self._session.settings.model, base_url or DEFAULT_ADDRESS)

    def use_in_cells(self) -> None:
        """Make the open conversation the session's current one."""
        self._session.conversations.current = self.conversation.name
        self._session.observers.notify()

    def set_system(self, text: str) -> None:
        """Set the system prompt of the open conversation, and update other panels."""
        super().set_system(text)
        self._session.observers.notify()

    def _chat_with(self, model: str) -> Chat:
        return self._session.chat(model)


def _find_saved(session: Session) -> list[Conversation]:
    """Return the conversations in the saved notebook that only outputs of panels hold: new outputs will replace those.

    Conversations saved by this kernel are left out: if they are missing here, they were deleted.
    """
    path = session.own_notebook()
    if path is None:
        return []
    with suppress(UsageError):  # no conversation in it, or unreadable: `%lockbots restore` reports that
        earlier = [one for one in restore_notebook(path).conversations if one.made < FIRST_IMPORTED]
        return [Conversation.from_restored(one) for one in earlier if any(t.cell_id is None for t in one.turns)]
    return []

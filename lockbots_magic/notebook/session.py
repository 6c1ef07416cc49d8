"""Session: what the magics, the panel and completion of one notebook share."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from traitlets.config import Config

from ..cassette.active import active_cassette
from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.observers import Observers
from ..conversation.turn import Turn
from ..conversation.usage import TurnUsage, measure_outside_turn
from ..errors import UsageError
from ..providers import split_model
from ..providers.learned import LearnedFacts
from ..providers.model_catalog import ModelCatalog
from ..reply import Reply
from .cell_tracker import CellTracker
from .conversations import Conversations
from .credentials import Credentials
from .settings import Lockbots

if TYPE_CHECKING:
    from ..cassette.cassette import Cassette

PanelFactory: TypeAlias = Callable[["Session", "str | None"], Any]


class Session:
    """State of the magics in one notebook.

    Args:
        config: IPython's configuration.
        namespace: The notebook's variables.
        own_notebook: Returns the path of the notebook in which this kernel runs, as far as it is known.
        make_panel: Makes the chat panel of a session for a conversation, by its name; None where there is none.
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        namespace: Mapping[str, Any] | None = None,
        own_notebook: Callable[[], Path | None] = lambda: None,
        make_panel: PanelFactory | None = None,
    ) -> None:
        self.settings = Lockbots(config=config) if config is not None else Lockbots()
        self.namespace: Mapping[str, Any] = {} if namespace is None else namespace
        self.own_notebook = own_notebook
        self.make_panel = make_panel
        self.observers = Observers()
        """Notified when a setting, a credential or the set of conversations has changed."""
        self.conversations = Conversations(self.observers)
        self.cells = CellTracker()
        self.credentials = Credentials()
        self.catalog = ModelCatalog()
        """Models that servers have listed, for completion and the panel."""
        self.learned = LearnedFacts()
        """What servers have refused; shared by the providers of all chats."""
        self.outside: list[TurnUsage] = []
        """Usage of turns outside every conversation: sent with ``--no-history``, or compared."""
        self.cassette: Cassette | None = None
        """Cassette of `%lockbots record` and `replay`: used by every chat of this session, and by no other."""
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()
        self._replies_lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self.settings.observe(lambda _: self.observers.notify(), list(self.settings.class_traits(config=True)))
        self.credentials.observers.add(self.observers.notify)

    def chat(self, model: str | None = None, base_url: str | None = None, conversation: str | None = None) -> Chat:
        """Return the chat that a prompt goes to.

        Args:
            model: provider:model; by default the one in use.
            base_url: Base URL of the service, for this chat alone.
            conversation: Name of the conversation, a new one if it doesn't exist; by default the current one.

        Raises:
            UsageError: If there is no such provider, or a setting is invalid.
        """
        settings = self.settings
        model = model or settings.model
        name, _ = split_model(model)
        given = {
            "timeout": (settings.timeout, settings.silence_timeout),
            "total_timeout": settings.total_timeout,
            "max_retries": settings.max_retries,
            "stream": settings.stream,
            "cassette": self.cassette,
            **self.settings_of(name),
        }
        if base_url:
            given["base_url"] = base_url
        auth = given.pop("auth", None) or self.credentials.get(name)
        place = conversation or self.conversations.current
        known = self.conversations.by_name.get(place)
        chat = Chat(model, auth=auth, conversation=Conversation(place) if known is None else known, **given)
        chat.provider.learned = self.learned
        chat.model = self.catalog.whole_id(name, chat.provider.base_url, chat.model)
        if settings.temperature is not None and "temperature" in chat.provider.parameters:
            chat.params["temperature"] = settings.temperature
        return chat

    def active_cassette(self) -> Cassette | None:
        """Return the cassette in use: this session's, else the one named by the environment.

        Raises:
            UsageError: If the environment names a cassette that can't be used.
        """
        return self.cassette or active_cassette()

    def settings_of(self, provider: str) -> dict[str, Any]:
        """Return the settings of a provider: from `%lockbots use`, the configuration, or the environment."""
        variable = f"LOCKBOTS_{provider.upper().replace('-', '_')}_BASE_URL"
        given = {"base_url": os.environ[variable]} if os.environ.get(variable) else {}
        used = {"base_url": self._addresses[provider]} if provider in self._addresses else {}
        return {**given, **self.settings.providers.get(provider, {}), **used}

    def use(self, model: str, base_url: str | None = None) -> Chat:
        """Use `model` from now on, at `base_url` or else the provider's own address, and return the chat.

        Raises:
            UsageError: If there is no such provider, or the URL is invalid; nothing has changed then.
        """
        name, _ = split_model(model)
        before = dict(self._addresses)
        self._addresses = {n: url for n, url in before.items() if n != name}
        try:
            chat = self.chat(model, base_url)
        except Exception:
            self._addresses = before
            raise
        if base_url:
            self._addresses[name] = base_url
        self.settings.model = model
        if self._addresses != before:
            self.observers.notify()
        return chat

    def configure(self, name: str, value: Any) -> None:
        """Set a setting.

        Raises:
            UsageError: If there is no such setting, or the value is invalid.
        """
        self.settings.find(name)
        if name == "model":
            self.use(str(value))
        else:
            self.settings.assign(name, value)

    def persona_folders(self) -> list[Path]:
        """Return the folders of persona files: beside the notebook, then in the user's configuration."""
        notebook = self.own_notebook()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        beside = [notebook.parent] if notebook else []
        return [folder / "personas" for folder in (*beside, Path(), config / "lockbots")]

    def functions_of(self, turn: Turn) -> list[Callable[..., Any]]:
        """Return the functions that were called for a turn, as the notebook has them now.

        Raises:
            UsageError: If one of them doesn't exist any more.
        """
        names = dict.fromkeys(call.name for call in turn.calls)
        for name in names:
            if not callable(self.namespace.get(name)):
                raise UsageError(f"This turn called the function {name!r}. Define it, then try again.")
        return [self.namespace[name] for name in names]

    def count_outside(self, reply: Reply) -> None:
        """Keep the usage of a reply that no conversation keeps, but none of its text."""
        if reply.turn is not None and reply.turn.started:  # otherwise it was stopped before it was sent
            self.outside.append(measure_outside_turn(reply.turn, reply.request.messages))

    def watch(self, reply: Reply) -> Reply:
        """Remember a reply for `stop`, and return it."""
        with self._replies_lock:
            self._replies.add(reply)
        return reply

    def stop(self, name: str | None = None) -> set[Reply]:
        """Stop the reply in progress in a conversation, by default all replies, and return those stopped.

        Raises:
            UsageError: If there is no such conversation.
        """
        conversations = self.conversations.all() if name is None else [self.conversations.find(name)]
        replies = {reply for one in conversations if isinstance(reply := one.active_reply, Reply)}
        if name is None:
            with self._replies_lock:
                watched = list(self._replies)
            replies |= {reply for reply in watched if reply.in_progress}
        for reply in replies:
            reply.cancel()
        return replies

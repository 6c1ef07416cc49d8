"""Session: what the magics, the panel and completion of one notebook share."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from traitlets.config import Config

from ..cassette.active import active_cassette
from ..chat import Chat
from ..conversation.observers import Observers
from ..conversation.usage import TurnUsage, measure_outside_turn
from ..errors import UsageError
from ..providers import provider_class, split_model
from ..providers.address import origin
from ..providers.dialects import DEFAULT_DIALECT
from ..providers.headers import RequestHeaders
from ..providers.learned import LearnedFacts
from ..providers.model_catalog import ModelCatalog
from ..providers.validation import parse_base_url
from ..reply import Reply, ReplyRun
from ..security.secrets import Secret
from ..tools.approval import ApprovalMemory
from ..tools.limits import Limits
from .cell_tracker import CellTracker
from .conversations import Conversations
from .credentials import Credentials
from .log_recording import LogRecording
from .settings import Lockbots
from .tool_options import limits_of_setting, parse_approve

if TYPE_CHECKING:
    from ..cassette.cassette import Cassette
    from ..conversation.turn import Turn

DEFAULT_ADDRESS = "default"
"""Base URL that stands for the provider's own."""

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
        self.approvals = ApprovalMemory()
        """What the user has approved for all of this session."""
        self.outside: list[TurnUsage] = []
        """Usage of turns outside every conversation: sent with ``--no-history``, or compared."""
        self.cassette: Cassette | None = None
        """Cassette of `%lockbots record` and `replay`: used by every chat of this session, and by no other."""
        self.branches: dict[str, str] = {}
        """Id of each conversation that an edited prompt in a panel has made -> id of the one that it was made from."""
        self.last_turn: Turn | None = None
        """Turn of the last reply that a cell has shown, in a conversation or outside."""
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()
        self._replies_lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        """Base URLs given to `use`, by provider."""
        self._headers: dict[str, tuple[str, RequestHeaders]] = {}
        """Headers given to `use`, by provider, each with the base URL that they are for."""
        self._dialects: dict[str, str] = {}
        """Dialects given to `use`, by provider."""
        self.recording = LogRecording(own_notebook, lambda: self.settings.prices)
        """Logs the turns of this kernel while the setting `log` is on and the extension is loaded."""
        self.cells.ended.add(self.recording.tell_problem)
        self.settings.observe(lambda _: self.observers.notify(), list(self.settings.class_traits(config=True)))
        self.credentials.observers.add(self.observers.notify)

    @contextmanager
    def local_scope(self, variables: Mapping[str, Any] | None) -> Iterator[None]:
        """Let the variables of a function count besides the notebook's while its magic runs.

        Args:
            variables: Those of the frame that called the magic: in a cell, the notebook's own.
        """
        outer = self.namespace
        if variables and variables is not outer:
            self.namespace = {**outer, **variables}
        try:
            yield
        finally:
            self.namespace = outer

    def chat(
        self,
        model: str | None = None,
        base_url: str | None = None,
        conversation: str | None = None,
        dialect: str | None = None,
        send_documents: str | None = None,
    ) -> Chat:
        """Return the chat that a prompt goes to.

        Args:
            model: provider:model; by default the one in use.
            base_url: Base URL of the service, for this chat alone.
            conversation: Name of the conversation, a new one if it doesn't exist; by default the current one.
            dialect: Dialect of the requests, for this chat alone.
            send_documents: How documents are sent, for this chat alone.

        Raises:
            UsageError: If there is no such provider, or a setting is invalid.
        """
        settings = self.settings
        model = model or settings.model
        name, _ = split_model(model)
        known_settings = provider_class(name).settings()
        is_said = send_documents and ("send_documents" in known_settings or send_documents == "native")
        given: dict[str, Any] = {
            "timeout": (settings.timeout, settings.silence_timeout),
            "total_timeout": settings.total_timeout,
            "max_retries": settings.max_retries,
            "stream": settings.stream,
            "cassette": self.cassette,
            **{one: getattr(settings, one) for one in ("cache", "send_documents") if one in known_settings},
            **self.settings_of(name, base_url, dialect),
            **({"send_documents": send_documents} if is_said else {}),
        }
        auth = given.pop("auth", None) or self.credentials.get(name, self.address_of(name, base_url)[0])
        place = conversation or self.conversations.current
        chat = Chat(model, auth=auth, conversation=self.conversations.propose(place), **given)
        chat.provider.learned = self.learned
        chat.model = self.catalog.whole_id(name, chat.provider.base_url, chat.model)
        chat.approve, chat.approvals = settings.approve, self.approvals
        chat.limits, chat.prices = Limits.of(settings.limits), settings.prices
        if settings.temperature is not None and "temperature" in chat.provider.parameters:
            chat.params["temperature"] = settings.temperature
        return chat

    def active_cassette(self) -> Cassette | None:
        """Return the cassette in use: this session's, else the one named by the environment.

        Raises:
            UsageError: If the environment names a cassette that can't be used.
        """
        return self.cassette or active_cassette()

    def settings_of(self, provider: str, base_url: str | None = None, dialect: str | None = None) -> dict[str, Any]:
        """Return the settings of a provider: from `%lockbots use` and the configuration.

        A credential, header or dialect that was set for one address is left out for another.

        Args:
            provider: Name of the provider.
            base_url: Base URL of a chat of its own; by default the one in use.
            dialect: Dialect of a chat of its own; by default the one in use at that address.
        """
        given = dict(self.settings.providers.get(provider, {}))
        configured = ""
        with suppress(UsageError):  # an invalid one is told where it is used
            configured = parse_base_url(given.get("base_url") or provider_class(provider).default_base_url()[0])
        address = base_url or self._addresses.get(provider)
        if address:
            given["base_url"] = parse_base_url(address)
            if origin(given["base_url"]) != origin(configured):
                given = {name: value for name, value in given.items() if name not in ("auth", "headers", "dialect")}
        used_for, headers = self._headers.get(provider, ("", None))
        if headers is not None and origin(used_for) == origin(given.get("base_url") or configured):
            given["headers"] = headers.over(RequestHeaders.of(given.get("headers")))
        configured_dialect = given.pop("dialect", None)
        dialect = dialect or (None if base_url else self._dialects.get(provider)) or configured_dialect
        return given if dialect in (None, DEFAULT_DIALECT) else {**given, "dialect": dialect}

    def keeps_address(self, provider: str) -> bool:
        """Return whether `use` set the base URL of a provider."""
        return provider in self._addresses

    def address_of(self, provider: str, base_url: str | None = None) -> tuple[str, str]:
        """Return the base URL that requests go to, and the environment variable that names it, or ``""``.

        Args:
            provider: Name of the provider.
            base_url: Base URL of a chat of its own; by default the one in use.

        Raises:
            UsageError: If it is invalid.
        """
        given = base_url or self._addresses.get(provider) or self.settings.providers.get(provider, {}).get("base_url")
        return (parse_base_url(given), "") if given else provider_class(provider).default_base_url()

    def use(
        self,
        model: str,
        base_url: str | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        dialect: str | None = None,
    ) -> Chat:
        """Use `model` from now on, and return the chat.

        Args:
            model: provider:model.
            base_url: Base URL from now on; None keeps the one in use, `DEFAULT_ADDRESS` returns to the provider's own.
            headers: Headers of requests to that address; None keeps those in use there.
            dialect: Dialect of requests to that address; None keeps the one in use there, `DEFAULT_DIALECT` returns to
                the provider's own.

        Raises:
            UsageError: If there is no such provider, or the URL, a header or the dialect is invalid; nothing has
                changed then.
        """
        name, _ = split_model(model)
        before = self._addresses, self._headers, self._dialects
        if dialect is not None or base_url is not None:
            chosen = {name: dialect} if dialect and dialect != DEFAULT_DIALECT else {}
            self._dialects = {**{n: one for n, one in before[2].items() if n != name}, **chosen}
        if base_url is not None:
            changed = {} if base_url == DEFAULT_ADDRESS else {name: parse_base_url(base_url)}
            self._addresses = {**{n: url for n, url in before[0].items() if n != name}, **changed}
        try:
            if headers is not None:
                self._headers = {**before[1], name: (self.address_of(name)[0], RequestHeaders.of(headers))}
            chat = self.chat(model)
        except Exception:
            self._addresses, self._headers, self._dialects = before
            raise
        self.settings.model = model
        if (self._addresses, self._headers, self._dialects) != before:
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
        elif name == "approve" and isinstance(value, str):
            self.settings.assign(name, None if value == "default" else parse_approve(value, self.namespace))
        elif name == "limits" and not isinstance(value, Mapping):
            self.settings.assign(name, limits_of_setting(value))
        else:
            self.settings.assign(name, value)

    def persona_folders(self) -> list[Path]:
        """Return the folders of persona files: beside the notebook, then in the user's configuration."""
        notebook = self.own_notebook()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        beside = [notebook.parent] if notebook else []
        return [folder / "personas" for folder in (*beside, Path(), config / "lockbots")]

    def count_outside(self, reply: Reply) -> None:
        """Keep the usage of a reply that no conversation keeps, but none of its text."""
        if reply.turn is not None and reply.turn.started:  # otherwise it was stopped before it was sent
            self.outside.append(measure_outside_turn(reply.turn, reply.request.messages))

    def watch(self, reply: Reply) -> Reply:
        """Remember a reply for `stop`, and return it."""
        with self._replies_lock:
            self._replies.add(reply)
        return reply

    def stop(self, name: str | None = None) -> set[Reply | ReplyRun]:
        """Stop the reply in progress in a conversation, by default all replies, and return those stopped.

        Raises:
            UsageError: If there is no such conversation.
        """
        conversations = self.conversations.all() if name is None else [self.conversations.find(name)]
        found: list[Reply | ReplyRun] = [r for one in conversations if isinstance(r := one.active_reply, ReplyRun)]
        if name is None:
            with self._replies_lock:
                watched = list(self._replies)
            found += [reply for reply in watched if reply.in_progress]
        replies = {reply.id: reply for reply in found}  # a reply in a conversation is watched, too
        for reply in replies.values():
            reply.cancel()
        return set(replies.values())

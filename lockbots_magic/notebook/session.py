"""What the magics share: named conversations, the model in use, settings, credentials."""

from __future__ import annotations

import difflib
import itertools
import os
import uuid
import weakref
from collections.abc import Callable, Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from traitlets import Dict, Enum, Float, Int, TraitError, Unicode, default, validate
from traitlets.config import Configurable

from ..cassette.active import active_cassette
from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.observers import Observers
from ..conversation.turn import Turn
from ..errors import UsageError
from ..providers import split_model
from ..providers.validation import wrap_credential
from ..reply import Reply
from .cell_tracker import CellTracker
from .credentials import Credentials

if TYPE_CHECKING:
    from ..cassette.cassette import Cassette
    from ..conversation.history_entry import RestoredConversation
    from ..conversation.usage import TurnUsage

LIVE = ("auto", "on", "off", "text")


class Lockbots(Configurable):
    """Talk to language models from a notebook. `%config Lockbots.NAME = VALUE` sets any of these."""

    model = Unicode(help="The model to talk to: provider:model, or a provider's name for its default.").tag(config=True)
    system = Unicode(help="The system prompt, sent before every conversation.").tag(config=True)
    temperature = Float(None, allow_none=True, help="Sent to providers that take it; 0 is sober, 2 wild.").tag(
        config=True
    )
    live = Enum(LIVE, help="Show replies while they come: on, off, auto (when a person watches) or text (plain).").tag(
        config=True
    )
    timeout = Float(10.0, min=0.001, help="Longest time to connect, s.").tag(config=True)
    silence_timeout = Float(60.0, min=0.001, help="Longest silence of a server, s.").tag(config=True)
    total_timeout = Float(600.0, min=0.001, help="Longest time for a whole reply, s.").tag(config=True)
    max_retries = Int(2, min=0, help="Tries after the first, while no text has come.").tag(config=True)
    providers = Dict(help="More settings of providers: name -> {'base_url': ..., ...}.").tag(config=True)

    @default("model")
    def _default_model(self) -> str:
        return os.environ.get("LOCKBOTS_MODEL", "").strip() or "guide"

    @default("live")
    def _default_live(self) -> str:
        mode = os.environ.get("LOCKBOTS_LIVE", "").strip().lower()
        return {"1": "on", "0": "off"}.get(mode, mode if mode in LIVE else "auto")

    @validate("providers")
    def _checked_providers(self, proposal: Any) -> dict[str, dict[str, Any]]:
        given = proposal["value"]
        if not all(isinstance(name, str) and isinstance(one, dict) for name, one in given.items()):
            raise TraitError("providers takes a dict of dicts: {'openai': {'base_url': 'http://localhost:8000/v1'}}")
        hidden = {name: {"auth": wrap_credential(one["auth"])} for name, one in given.items() if one.get("auth")}
        return {name: {**one, **hidden.get(name, {})} for name, one in given.items()}

    personas = Dict(help="System prompts by name, for --system @NAME: name -> text, {{ }} in it is filled in.").tag(
        config=True
    )
    prices = Dict(help="USD per 1,000,000 tokens: provider:model -> [prompt, reply].").tag(config=True)

    @validate("prices")
    def _checked_prices(self, proposal: Any) -> dict[str, Any]:
        from ..conversation.prices import parse_prices  # noqa: PLC0415  # few set prices; %load_ext does not wait for it

        given: dict[str, Any] = proposal["value"]
        try:
            parse_prices(given)
        except UsageError as error:
            raise TraitError(str(error)) from None
        return given

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.observers = Observers()
        """Told when a setting, a credential, or the set of conversations has changed."""
        self.cells = CellTracker()
        self.observe(lambda _: self.observers.notify(), list(self.class_traits(config=True)))
        self.credentials = Credentials()
        self.credentials.observers.add(self.observers.notify)
        self.conversations: dict[str, Conversation] = {}
        self.current = "main"
        self.outside: list[TurnUsage] = []
        """What turns took that no conversation keeps: asked with ``--no-history``, or compared."""
        self.make_panel: Callable[[str | None], Any] | None = None
        """Makes the chat panel for a conversation, by its name; None where there is none."""
        self.own_notebook: Callable[[], Path | None] = lambda: None
        """Where the notebook is in which this kernel runs, as far as that can be known."""
        self.cassette: Cassette | None = None
        """Cassette of `%lockbots record` and `replay`: used by every chat of this session, and by no other."""
        self.namespace: Mapping[str, Any] = {}
        """The notebook's variables."""
        self._replies: weakref.WeakSet[Reply] = weakref.WeakSet()
        self._addresses: dict[str, str] = {}

    def chat(self, model: str | None = None, base_url: str | None = None, conversation: str | None = None) -> Chat:
        """Return the chat that a prompt goes to.

        Args:
            model: provider:model; the one in use by default.
            base_url: where the service is, for this chat alone.
            conversation: its name, made if it is new; the current one by default.

        Raises:
            UsageError: there is no such provider, or a setting is wrong.
        """
        model = model or self.model
        name, _ = split_model(model)
        settings = {
            "timeout": (self.timeout, self.silence_timeout),
            "total_timeout": self.total_timeout,
            "max_retries": self.max_retries,
            **self.settings_of(name),
        }
        if base_url:
            settings["base_url"] = base_url
        auth = settings.pop("auth", None) or self.credentials.get(name)
        place = conversation or self.current
        known = self.conversations[place] if place in self.conversations else Conversation(place)
        chat = Chat(model, auth=auth, conversation=known, cassette=self.cassette, **settings)
        if self.temperature is not None and "temperature" in chat.provider.parameters:
            chat.params["temperature"] = self.temperature
        return chat

    def active_cassette(self) -> Cassette | None:
        """Return the cassette that prompts of this session go through: its own, or that of the whole process.

        Raises:
            UsageError: If the environment names one that can't be used.
        """
        return self.cassette or active_cassette()

    def settings_of(self, provider: str) -> dict[str, Any]:
        """Return the settings given for `provider`: by `%lockbots use`, the configuration, or the environment."""
        variable = f"LOCKBOTS_{provider.upper().replace('-', '_')}_BASE_URL"
        given = {"base_url": os.environ[variable]} if os.environ.get(variable) else {}
        used = {"base_url": self._addresses[provider]} if provider in self._addresses else {}
        return {**given, **self.providers.get(provider, {}), **used}

    def use(self, model: str, base_url: str | None = None) -> Chat:
        """Talk to `model` from now on, at `base_url` if given, else where the provider is, and return the chat.

        Raises:
            UsageError: there is no such provider, or the URL is none; nothing has changed then.
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
        self.model = model
        if self._addresses != before:
            self.observers.notify()
        return chat

    def conversation(self, name: str | None = None) -> Conversation:
        """Return the conversation called `name`, made if it is new; the current one by default."""
        name = name or self.current
        if name not in self.conversations:
            self.keep(Conversation(name))
        return self.conversations[name]

    def keep(self, conversation: Conversation) -> None:
        """List a conversation that a chat was made for."""
        if conversation.name not in self.conversations:
            self.conversations[conversation.name] = conversation
            self.observers.notify()

    def count_outside(self, reply: Reply) -> None:
        """Note what a reply took that no conversation keeps, but nothing of what was said."""
        from ..conversation.usage import measure_outside_turn  # noqa: PLC0415  # few cells ask outside; %load_ext does not wait for it

        if reply.turn is not None and reply.turn.started:  # else it was stopped before it was sent
            self.outside.append(measure_outside_turn(reply.turn, reply.request.messages))

    def add(self, conversation: Conversation) -> Conversation:
        """Take a conversation in and make it the current one; a taken name gets a number."""
        conversation.name = self.free_name(conversation.name)
        if any(c.id == conversation.id for c in self.conversations.values()):
            conversation.id = str(uuid.uuid4())  # it was saved and loaded: from here on there are two
        self.conversations[conversation.name] = conversation
        self.current = conversation.name
        self.observers.notify()
        return conversation

    def restore(self, restored: RestoredConversation) -> tuple[Conversation, bool]:
        """Take in a conversation that a notebook remembers; one that is here already can only be continued.

        An empty conversation makes way for one of its name; beside others it gets a number. It does not become the
        current one.

        Returns:
            The conversation as it is here, and whether it was taken in.
        """
        conversation = Conversation.from_restored(restored)
        here = next((c for c in self.conversations.values() if c.id == conversation.id), None)
        if here is not None:
            if here.made >= conversation.made or here.turns != conversation.turns[: len(here)]:
                return here, False
            conversation.name = here.name
        elif (namesake := self.conversations.get(conversation.name)) is not None and namesake.turns:
            if not conversation.turns:
                return namesake, False
            conversation.name = self.free_name(conversation.name)
        self.conversations[conversation.name] = conversation
        self.observers.notify()
        return conversation, True

    def persona_folders(self) -> list[Path]:
        """Where personas lie in files: beside the notebook, then among the user's configuration."""
        notebook = self.own_notebook()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        beside = [notebook.parent] if notebook else []
        return [folder / "personas" for folder in (*beside, Path(), config / "lockbots")]

    def functions_of(self, turn: Turn) -> list[Callable[..., Any]]:
        """Return the functions that were called for a turn, as the notebook has them now.

        Raises:
            UsageError: it has one of them no more.
        """
        names = dict.fromkeys(call.name for call in turn.calls)
        for name in names:
            if not callable(self.namespace.get(name)):
                raise UsageError(f"the function {name!r} was called for this turn; define it, to ask again")
        return [self.namespace[name] for name in names]

    def watch(self, reply: Reply) -> Reply:
        """Note a reply that `stop` is to find; it is returned."""
        self._replies.add(reply)
        return reply

    def stop(self, name: str | None = None) -> set[Reply]:
        """Stop the reply under way in the conversation called `name`, by default all replies, and return them.

        Raises:
            UsageError: there is no such conversation.
        """
        places = self.conversations.values() if name is None else [self._existing(name)]
        replies = {reply for place in places if isinstance(reply := place.active_reply, Reply)}
        if name is None:
            replies |= {reply for reply in self._replies if reply.in_progress}
        for reply in replies:
            reply.cancel()
        return replies

    def free_name(self, name: str) -> str:
        """Return `name`, with a number behind it if it is taken."""
        return free_name(name, self.conversations)

    def switch(self, name: str) -> Conversation:
        """Make the conversation called `name` the current one.

        Raises:
            UsageError: there is none.
        """
        self.current = self._existing(name).name
        return self.conversation()

    def delete(self, name: str) -> Conversation:
        """Forget a conversation and return it. After the current one, `main` is the current one.

        Raises:
            UsageError: there is none of that name.
        """
        deleted = self.conversations.pop(self._existing(name).name)
        if name == self.current:
            self.current = "main"
        self.observers.notify()
        return deleted

    def set(self, name: str, value: Any) -> None:
        """Set one of the settings above.

        Raises:
            UsageError: there is none of that name, or it does not take the value.
        """
        traits = self.class_traits(config=True)
        if name not in traits:
            near = difflib.get_close_matches(name, traits, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(traits))}"
            raise UsageError(f"there is no setting {name!r}; {hint}")
        if name == "model":
            self.use(str(value))
            return
        try:
            setattr(self, name, _fitting(traits[name], value))
        except Exception as error:  # traitlets raises TraitError, and what a validator raises
            wanted = str(getattr(traits[name], "info_text", "something else"))
            wanted = f"one of {', '.join(LIVE)}" if name == "live" else wanted
            raise UsageError(f"{name} takes {wanted}, not {value!r}. {traits[name].help}") from error

    def _existing(self, name: str) -> Conversation:
        if name == "main":
            return self.conversation("main")
        if name not in self.conversations:
            near = difflib.get_close_matches(name, self.conversations, 1)
            hint = f"did you mean {near[0]!r}?" if near else "%lockbots list  shows them"
            raise UsageError(f"there is no conversation {name!r}; {hint}")
        return self.conversations[name]


def free_name(name: str, taken: Container[str]) -> str:
    """Return `name`, with a number behind it if it is `taken`."""
    numbered = (f"{name}-{n}" for n in itertools.count(2))
    return name if name not in taken else next(n for n in numbered if n not in taken)


def _fitting(trait: Any, value: Any) -> Any:
    """Numbers and text come as people type them: 1 for 1.0, 5 for the text "5"."""
    if isinstance(trait, Float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(trait, Unicode | Enum):
        return "" if value is None else str(value)  # None takes a text away
    return value

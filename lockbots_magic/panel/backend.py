"""What a panel works on: conversations by name, and who answers. The session's, or those of one chat."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.messages import ModelInfo
from ..conversation.observers import Callback, Observers
from ..conversation.turn import Turn
from ..errors import UsageError
from ..notebook.chat_command import NotebookContext, system_of
from ..notebook.session import Lockbots, free_name
from ..providers import names, provider_class, split_model
from ..providers.base import Provider
from ..providers.model_catalog import lists_of
from .i18n import RefusedError

BEGAN = time.time()
"""When (Unix time, s) this kernel had its first panel, or somewhat earlier."""


class PanelBackend(ABC):
    """One conversation is open on it; the others can be taken up.

    Args:
        conversation: the one that is open.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.observers = Observers()
        """Told when something of all this has changed elsewhere."""

    def watch(self, changed: Callback, moved: Callback) -> None:
        """Call these from now on.

        Args:
            changed: when something of all this has changed elsewhere.
            moved: when cells may talk in another conversation than before.
        """
        self.observers.add(changed)

    def unwatch(self, changed: Callback, moved: Callback) -> None:
        """Call them no more."""
        self.observers.remove(changed)

    @property
    def cells_talk_in(self) -> str | None:
        """The conversation that cells talk in, by its name; None if it is none of these."""
        return None

    @property
    def unrestored(self) -> list[Conversation]:
        """What the saved notebook remembers of talk in panels and this kernel does not."""
        return []

    @property
    @abstractmethod
    def conversations(self) -> dict[str, Conversation]:
        """All of them, by name."""

    @abstractmethod
    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return the chat that a prompt goes to, in the open conversation by default.

        Raises:
            LockbotsError: the model in use can't be had.
        """

    @abstractmethod
    def use(self, model: str) -> None:
        """Talk to ``provider:model`` from now on.

        Raises:
            LockbotsError: there is none, or it can't be had; nothing has changed then.
        """

    @abstractmethod
    def set_temperature(self, value: float | None) -> None:
        """Send this temperature from now on; None leaves it to the provider."""

    @property
    @abstractmethod
    def temperature(self) -> float | None:
        """The temperature that is sent."""

    @property
    @abstractmethod
    def model(self) -> str:
        """Who answers, as ``provider:model``."""

    @property
    def system(self) -> str:
        """The system prompt of the open conversation."""
        return self.conversation.system

    @property
    def instruction(self) -> str:
        """The system prompt as it is sent.

        Raises:
            UsageError: it names a persona that there is not.
        """
        return self.system

    def functions_of(self, turn: Turn) -> list[Callable[..., Any]]:
        """Return the functions that were called for a turn, to be called again.

        Raises:
            UsageError: one of them is there no more.
        """
        return []

    def set_system(self, text: str) -> None:
        """Begin the open conversation with this prompt from now on."""
        self.conversation.system = text

    def switch(self, name: str) -> None:
        """Take up another conversation.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.conversations:
            raise RefusedError("conversation_gone", name=name)
        self.conversation = self.conversations[name]

    def add(self, conversation: Conversation) -> None:
        """Take in a conversation and open it; a taken name gets a number."""
        conversation.name = free_name(conversation.name, self.conversations)
        self.conversation = conversation
        self._keep(conversation)

    @abstractmethod
    def _keep(self, conversation: Conversation) -> None:
        """List a conversation, which has a name of its own."""

    @property
    def is_deleted(self) -> bool:
        """Whether the open conversation was deleted elsewhere. It stays open, and of use, until another is taken up."""
        return all(one is not self.conversation for one in self.conversations.values())

    def follow(self) -> bool:
        """Open what has taken the place of the open conversation, as a restored one does; return whether that is so."""
        old, new = self.conversation, self.conversations.get(self.conversation.name)
        if new is None or new is old or (old.turns and new.id != old.id):
            return False
        self.conversation = new
        return True

    def provider(self, name: str) -> Provider:
        """Return the provider called `name`, ready to be asked for its models."""
        return self._chat_with(name).provider

    def list_models(self, name: str) -> list[ModelInfo]:
        """Ask the provider called `name` for its models; completion is to know them, too.

        Raises:
            LockbotsError: it can't be had, or does not answer.
        """
        return lists_of(self._owner).ask(name, self.provider(name))

    @property
    def _owner(self) -> object:
        """Whose lists of models these are."""
        return self

    @abstractmethod
    def _chat_with(self, model: str) -> Chat:
        """A chat with another model, in the open conversation."""

    def providers(self) -> list[dict[str, str]]:
        """The providers, each with whether its credential is there, as far as that is known without asking anybody.

        Their order does not hang on which one is in use: who goes through them by keys uses one after the other.
        """
        current = self.model.partition(":")[0]
        return [self._described(name, current) for name in dict.fromkeys([*names(), *self._known(), current])]

    def _known(self) -> list[str]:
        """Providers that no registry lists, such as a function."""
        return []

    def _described(self, name: str, current: str) -> dict[str, str]:
        told = {"name": name, "credential": "", "hint": f"%lockbots login {name}"}
        try:
            kind = provider_class(name)
            if not kind.needs_auth:
                return {**told, "credential": "none"}
            if kind.credential_from_environment():
                return {**told, "credential": "ok"}
            if name == current:
                self.chat().provider.ready()
                return {**told, "credential": "ok"}
        except UsageError:
            return {**told, "credential": "none"}  # a function, or a plug-in that does not load: it says so when chosen
        except Exception:  # noqa: BLE001  # no credential, and whatever a plug-in raises that looks for one
            return {**told, "credential": "missing"}
        return told


class SessionBackend(PanelBackend):
    """Works on what the magics use: what is chosen here holds there, too."""

    def __init__(self, session: Lockbots, name: str | None = None) -> None:
        super().__init__(session.conversation(name))
        self._session = session
        self.observers = session.observers
        self._saved = _said_in_panels(session)

    def watch(self, changed: Callback, moved: Callback) -> None:
        """As above; it takes a cell to make another conversation the current one."""
        super().watch(changed, moved)
        self._session.cells.ended.add(moved)

    def unwatch(self, changed: Callback, moved: Callback) -> None:
        """As above."""
        super().unwatch(changed, moved)
        self._session.cells.ended.remove(moved)

    @property
    def cells_talk_in(self) -> str | None:
        """The session's current conversation."""
        return self._session.current

    @property
    def unrestored(self) -> list[Conversation]:
        """What was said in panels before the kernel was started, and has not been restored."""
        here = {conversation.id for conversation in self.conversations.values()}
        return [saved for saved in self._saved if saved.id not in here]

    @property
    def _owner(self) -> object:
        return self._session

    def functions_of(self, turn: Turn) -> list[Callable[..., Any]]:
        """Return those that the notebook has under their names."""
        return self._session.functions_of(turn)

    @property
    def conversations(self) -> dict[str, Conversation]:
        """Those of the session."""
        return self._session.conversations

    def _keep(self, conversation: Conversation) -> None:
        self._session.keep(conversation)

    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return the chat with the session's model, settings and credential."""
        return self._session.chat().within(self.conversation if conversation is None else conversation)

    def use(self, model: str) -> None:
        """Make `model` that of the session; where its provider is stays as it was set."""
        self._session.chat(model)
        self._session.model = model

    def set_temperature(self, value: float | None) -> None:
        """Set the session's temperature."""
        self._session.set("temperature", value)

    @property
    def temperature(self) -> float | None:
        """That of the session."""
        value: float | None = self._session.temperature
        return value

    @property
    def model(self) -> str:
        """The session's model, with the default written out."""
        return _with_default(self._session.model)

    @property
    def system(self) -> str:
        """The system prompt in force: the conversation's own, else the session's."""
        return self.conversation.system or str(self._session.system)

    @property
    def instruction(self) -> str:
        """The system prompt as it is sent: a persona of the session in words; its parameters stand with its name."""
        return self.conversation.system or system_of(self._session, None, NotebookContext(self._session.namespace))

    def set_system(self, text: str) -> None:
        """As above; other panels hear of it."""
        super().set_system(text)
        self._session.observers.tell()

    def _chat_with(self, model: str) -> Chat:
        return self._session.chat(model)


class ChatBackend(PanelBackend):
    """Works on one chat; what is chosen here holds in this panel."""

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat.conversation)
        self._chat = chat.within(chat.conversation)  # its parameters may change here
        self._used = {chat.provider.name: self._chat}
        self._conversations = {chat.conversation.name: chat.conversation}

    def _known(self) -> list[str]:
        return list(self._used)

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The chat's, and those begun in the panel."""
        return self._conversations

    def _keep(self, conversation: Conversation) -> None:
        self._conversations[conversation.name] = conversation

    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return the chat with the model in use."""
        return self._chat.within(self.conversation if conversation is None else conversation)

    def use(self, model: str) -> None:
        """Talk to `model`; another one of the same provider is asked there with the same settings."""
        self._chat = self._chat_with(model)
        self._used[self._chat.provider.name] = self._chat

    def set_temperature(self, value: float | None) -> None:
        """Set the chat's parameter."""
        kept = {name: one for name, one in self._chat.params.items() if name != "temperature"}
        self._chat.params = kept if value is None else {**kept, "temperature": value}

    @property
    def temperature(self) -> float | None:
        """The chat's parameter."""
        value: Any = self._chat.params.get("temperature")
        return value if isinstance(value, int | float) else None

    @property
    def model(self) -> str:
        """The chat's model."""
        provider = self._chat.provider
        return f"{provider.name}:{provider.model_info(self._chat.model).id}"

    def _chat_with(self, model: str) -> Chat:
        name, _, model_id = model.partition(":")
        if name in self._used:  # with its address and credential
            chat = self._used[name].within(self.conversation)
            chat.model = model_id
            return chat
        split_model(model)
        chat = Chat(model, conversation=self.conversation)
        chat.params = {k: v for k, v in self._chat.params.items() if chat.provider.takes(k)}
        return chat


def _with_default(model: str) -> str:
    name, model_id = split_model(model)
    return f"{name}:{model_id or provider_class(name).default_model}"


def _said_in_panels(session: Lockbots) -> list[Conversation]:
    """The conversations of the saved notebook that only outputs of panels hold; those are about to be replaced."""
    from ..storage.restore import restored  # noqa: PLC0415  # few panels are made in a kernel that remembers nothing

    path = session.own_notebook()
    if path is None:
        return []
    with suppress(UsageError):  # it holds no conversation, or can't be read: `%lockbots restore` tells
        before = [past for past in restored(path).pasts if past.made < BEGAN]  # later ones were deleted here
        return [Conversation.from_past(past) for past in before if any(t.cell_id is None for t in past.turns)]
    return []

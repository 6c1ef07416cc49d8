"""Backend of a panel: its conversations, model and settings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.messages import ModelInfo
from ..conversation.observers import Callback, Observers
from ..errors import UsageError
from ..notebook.conversations import free_name
from ..providers import names, provider_class, split_model
from ..providers.base import Provider
from ..providers.model_catalog import ModelCatalog
from ..security.exits import clean_message
from ..security.secret_shapes import leave_out_secrets
from ..storage.log import LogHit
from .i18n import RefusedError


class PanelBackend(ABC):
    """Several conversations, one of them open, and the model that answers in them.

    Args:
        conversation: The conversation to open.
    """

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.observers = Observers()
        """Called when settings, credentials or the list of conversations change elsewhere."""
        self._catalog = ModelCatalog()
        self.families: dict[str, str] = {}
        """Id of each branch -> id of the conversation that it was first made from."""

    def watch(self, on_change: Callback, on_cell_end: Callback) -> None:
        """Add callbacks.

        Args:
            on_change: Called when settings, credentials or the list of conversations change elsewhere.
            on_cell_end: Called after a cell, which may have switched the conversation that cells use.
        """
        self.observers.add(on_change)

    def unwatch(self, on_change: Callback, on_cell_end: Callback) -> None:
        """Remove callbacks that `watch` added."""
        self.observers.remove(on_change)

    # Conversations

    @property
    @abstractmethod
    def conversations(self) -> dict[str, Conversation]:
        """All conversations by name."""

    @abstractmethod
    def _keep(self, conversation: Conversation) -> None:
        """Hook: store a conversation, whose name is free."""

    @property
    def cell_conversation(self) -> str | None:
        """Name of the conversation that cells use; None if cells use none of these."""
        return None

    @property
    def unrestored(self) -> list[Conversation]:
        """Conversations of panels in the saved notebook that this kernel doesn't have."""
        return []

    @property
    def is_deleted(self) -> bool:
        """Whether the open conversation was deleted elsewhere. It stays usable until another one is opened."""
        return all(one is not self.conversation for one in self.conversations.values())

    def find(self, name: str) -> Conversation:
        """Return a conversation.

        Args:
            name: Its name, or what the views were sent of it: credentials and control characters are removed there.

        Raises:
            RefusedError: There is no conversation called `name`.
        """
        conversations = self.conversations
        if name in conversations:
            return conversations[name]
        for other, conversation in conversations.items():
            if clean_message(other) == name:
                return conversation
        raise RefusedError("conversation_gone", name=name)

    def switch(self, name: str) -> None:
        """Open another conversation.

        Raises:
            RefusedError: There is no conversation called `name`.
        """
        self.conversation = self.find(name)

    def add(self, conversation: Conversation) -> None:
        """Store a conversation and open it. A name that is taken gets a number."""
        conversation.name = free_name(conversation.name, self.conversations)
        self.conversation = conversation
        self._keep(conversation)

    def add_branch(self, branch: Conversation) -> None:
        """Store a branch of the open conversation and open it."""
        opened = self.conversation
        self.families[branch.id] = self.families.get(opened.id, opened.id)
        self.add(branch)

    @property
    def is_apart(self) -> bool:
        """Whether cells use another branch of the open conversation."""
        opened, cells = self.conversation, self.conversations.get(self.cell_conversation or "")
        if cells is None or cells is opened or self.is_deleted:
            return False
        return self.families.get(cells.id, cells.id) == self.families.get(opened.id, opened.id)

    def use_in_cells(self) -> None:
        """Have cells use the open conversation.

        Raises:
            RefusedError: Cells don't use the conversations of this panel.
        """
        raise RefusedError("no_cells")

    def follow(self) -> bool:
        """Open the conversation that has replaced the open one under its name, as a restored one replaces an empty one.

        Returns:
            Whether there is one.
        """
        old, new = self.conversation, self.conversations.get(self.conversation.name)
        if new is None or new is old or (old.turns and new.id != old.id):
            return False
        self.conversation = new
        return True

    # The log

    def search_log(self, words: str, limit: int) -> list[LogHit] | None:
        """Return the turns in the log that hold all words, the best match first; None if the log is off.

        Raises:
            UsageError: The log can't be read.
        """
        return None

    # Model and settings

    @abstractmethod
    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return the chat that prompts are sent with.

        Args:
            conversation: Its conversation; the open one by default.

        Raises:
            LockbotsError: The model in use is unavailable.
        """

    @property
    @abstractmethod
    def model(self) -> str:
        """The model in use, as ``provider:model``."""

    @abstractmethod
    def use(self, model: str) -> None:
        """Use another model.

        Args:
            model: The model as ``provider:model``.

        Raises:
            LockbotsError: The model is unknown or unavailable. Nothing has changed then.
        """

    @property
    @abstractmethod
    def temperature(self) -> float | None:
        """Sampling temperature; None leaves it to the provider."""

    @abstractmethod
    def set_temperature(self, value: float | None) -> None:
        """Set the sampling temperature; None leaves it to the provider."""

    @property
    def system(self) -> str:
        """The system prompt as the user wrote it."""
        return self.conversation.system

    @property
    def instruction(self) -> str:
        """The system prompt as it is sent.

        Raises:
            UsageError: It names an unknown persona.
        """
        return self.system

    def set_system(self, text: str) -> None:
        """Set the system prompt of the open conversation."""
        self.conversation.system = text

    def without_secrets(self, text: str) -> tuple[str, str]:
        """Return a prompt without what looks like a secret, and what was left out of it; ``""`` if nothing was."""
        return leave_out_secrets(text)

    @abstractmethod
    def set_address(self, base_url: str) -> None:
        """Set the base URL of the provider in use; `""` returns to its own.

        Raises:
            LockbotsError: It is invalid, or the provider has none. Nothing has changed then.
        """

    @property
    def variables(self) -> Mapping[str, Any]:
        """Variables that a prompt may mention."""
        return {}

    # Providers and their models

    def list_models(self, name: str) -> list[ModelInfo]:
        """Ask a provider for its models, and remember them for completion.

        Args:
            name: Name of the provider.

        Raises:
            LockbotsError: The provider is unavailable or doesn't answer.
        """
        return list(self._catalog.fetch(name, self.provider(name)).models)

    def provider(self, name: str) -> Provider:
        """Return a provider by name, configured to list its models."""
        return self._chat_with(name).provider

    def providers(self) -> list[dict[str, str]]:
        """Describe the providers, and whether each has a credential, as far as that is known without a request.

        Their order doesn't depend on the one in use, so that keyboard users can step through the list.
        """
        current = self.model.partition(":")[0]
        return [self._describe_provider(name, current) for name in dict.fromkeys([*names(), *self._extra(), current])]

    @abstractmethod
    def _chat_with(self, model: str) -> Chat:
        """Hook: return a chat with another model in the open conversation."""

    def _extra(self) -> list[str]:
        """Hook: names of providers that are not registered, such as functions."""
        return []

    def _describe_provider(self, name: str, current: str) -> dict[str, str]:
        described = {"name": name, "credential": "", "hint": f"%lockbots login {name}"}
        try:
            kind = provider_class(name)
            if not kind.needs_auth:
                return {**described, "credential": "none"}
            if kind.credential_from_environment():
                return {**described, "credential": "ok"}
            if name == current:
                self.chat().provider.ready()
                return {**described, "credential": "ok"}
        except UsageError:
            return {**described, "credential": "none"}  # a function, or a broken plug-in, which reports it when chosen
        except Exception:  # noqa: BLE001  # no credential, or any error of a plug-in that looks for one
            return {**described, "credential": "missing"}
        return described


class ChatBackend(PanelBackend):
    """Backend for one `Chat`. Its settings apply in this panel only.

    Args:
        chat: The chat, whose conversation is opened.
    """

    def __init__(self, chat: Chat) -> None:
        super().__init__(chat.conversation)
        self._chat = chat.with_conversation(chat.conversation)  # a copy: the panel changes its parameters
        self._used = {chat.provider.name: self._chat}
        self._conversations = {chat.conversation.name: chat.conversation}

    @property
    def conversations(self) -> dict[str, Conversation]:
        """The chat's conversation, and those started in the panel."""
        return self._conversations

    def _keep(self, conversation: Conversation) -> None:
        self._conversations[conversation.name] = conversation

    def chat(self, conversation: Conversation | None = None) -> Chat:
        """Return the chat with the model in use."""
        return self._chat.with_conversation(self.conversation if conversation is None else conversation)

    @property
    def model(self) -> str:
        """The chat's model."""
        provider = self._chat.provider
        return f"{provider.name}:{provider.model_info(self._chat.model).id}"

    def use(self, model: str) -> None:
        """Use another model; a provider that was used before keeps its address and credential."""
        self._chat = self._chat_with(model)
        self._used[self._chat.provider.name] = self._chat

    @property
    def temperature(self) -> float | None:
        """The chat's parameter."""
        value: Any = self._chat.params.get("temperature")
        return value if isinstance(value, int | float) else None

    def set_temperature(self, value: float | None) -> None:
        """Set the chat's parameter."""
        kept = {name: other for name, other in self._chat.params.items() if name != "temperature"}
        self._chat.params = kept if value is None else {**kept, "temperature": value}

    def set_address(self, base_url: str) -> None:
        """Continue with a provider at another address, without the credential of the one before."""
        split_model(self.model)  # a function has no address
        chat = Chat(self.model, base_url=base_url or None, conversation=self.conversation)
        chat.params = self._chat.params
        self._chat = self._used[chat.provider.name] = chat

    def _extra(self) -> list[str]:
        return list(self._used)

    def _chat_with(self, model: str) -> Chat:
        name, _, model_id = model.partition(":")
        if name in self._used:
            chat = self._used[name].with_conversation(self.conversation)
            chat.model = model_id
            return chat
        split_model(model)
        chat = Chat(model, conversation=self.conversation)
        chat.params = {k: v for k, v in self._chat.params.items() if chat.provider.takes(k)}
        return chat

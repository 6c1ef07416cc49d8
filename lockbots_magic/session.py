"""What the magics share: named conversations, the model in use, settings, credentials."""

from __future__ import annotations

import difflib
import os
import warnings
from pathlib import Path
from typing import Any

from traitlets import Dict, Enum, Float, Int, Unicode, default
from traitlets.config import Configurable

from . import storage
from .chat import Chat
from .conversation import Conversation
from .credentials import Credentials
from .errors import CredentialWarning, UsageError
from .providers import split_model
from .providers.secrets import secrets_in

LIVE = ("auto", "on", "off")


class Lockbots(Configurable):
    """Talk to language models from a notebook. `%config Lockbots.NAME = VALUE` sets any of these."""

    model = Unicode(help="The model to talk to: provider:model, or a provider's name for its default.").tag(config=True)
    system = Unicode(help="The system prompt, sent before every conversation.").tag(config=True)
    temperature = Float(None, allow_none=True, help="Sent to providers that take it; 0 is sober, 2 wild.").tag(
        config=True
    )
    live = Enum(LIVE, help="Draw replies while they come: on, off, or auto (when a person watches).").tag(config=True)
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

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.credentials = Credentials()
        self.conversations: dict[str, Conversation] = {}
        self.current = "main"
        self.cell_id: str | None = None
        self.run: str | None = None
        self._runs = 0
        self._warned = False

    def before_cell(self, info: Any) -> None:
        """Note which cell runs; IPython calls it (event `pre_run_cell`)."""
        self.enter_cell(getattr(info, "cell_id", None))

    def enter_cell(self, cell_id: str | None) -> None:
        """A cell begins to run, once more perhaps; `cell_id` is None where the front end gives cells no ids."""
        self.cell_id = cell_id
        self._runs += 1
        self.run = str(self._runs)

    def after_cell(self, result: Any) -> None:
        """Warn of a credential written in a cell; IPython calls it (event `post_run_cell`)."""
        source = getattr(getattr(result, "info", None), "raw_cell", None)
        if isinstance(source, str) and not self._warned and secrets_in(source):
            self._warned = True
            warnings.warn(
                "this cell holds a credential, and would be saved with it. Delete it here, and use  %lockbots login",
                CredentialWarning,
                stacklevel=2,
            )

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
        chat = Chat(model, auth=self.credentials.get(name), conversation=self.conversation(conversation), **settings)
        if self.temperature is not None and "temperature" in chat.provider.parameters:
            chat.params["temperature"] = self.temperature
        return chat

    def settings_of(self, provider: str) -> dict[str, Any]:
        """Return the settings given for `provider`: by `%lockbots use`, the configuration, or the environment."""
        variable = f"LOCKBOTS_{provider.upper()}_BASE_URL"
        given = {"base_url": os.environ[variable]} if os.environ.get(variable) else {}
        return {**given, **self.providers.get(provider, {})}

    def use(self, model: str, base_url: str | None = None) -> Chat:
        """Talk to `model` from now on, at `base_url` if given, and return the chat.

        Raises:
            UsageError: there is no such provider, or the URL is none; nothing has changed then.
        """
        chat = self.chat(model, base_url)
        name, _ = split_model(model)
        if base_url:
            self.providers = {**self.providers, name: {**self.providers.get(name, {}), "base_url": base_url}}
        self.model = model
        return chat

    def conversation(self, name: str | None = None) -> Conversation:
        """Return the conversation called `name`, made if it is new; the current one by default."""
        name = name or self.current
        if name not in self.conversations:
            self.conversations[name] = Conversation(name)
        return self.conversations[name]

    def add(self, conversation: Conversation) -> Conversation:
        """Take a conversation in and make it the current one; a taken name gets a number."""
        conversation.name = self.free_name(conversation.name)
        self.conversations[conversation.name] = conversation
        self.current = conversation.name
        return conversation

    def free_name(self, name: str) -> str:
        """Return `name`, with a number behind it if it is taken."""
        taken = self.conversations
        numbered = (f"{name}-{n}" for n in range(2, len(taken) + 3))
        return name if name not in taken else next(n for n in numbered if n not in taken)

    def switch(self, name: str) -> Conversation:
        """Make the conversation called `name` the current one.

        Raises:
            UsageError: there is none.
        """
        self.current = self._existing(name).name
        return self.conversation()

    def delete(self, name: str) -> None:
        """Forget a conversation. After the current one, `main` is the current one.

        Raises:
            UsageError: there is none of that name.
        """
        del self.conversations[self._existing(name).name]
        if name == self.current:
            self.current = "main"

    def save(self, path: str | Path) -> Path:
        """Write the current conversation to a file; errors as `storage.save`."""
        return storage.save(self.conversation(), path)

    def load(self, path: str | Path) -> Conversation:
        """Read a conversation from a file and make it the current one; errors as `storage.load`."""
        return self.add(storage.load(path))

    def set(self, name: str, value: Any) -> None:
        """Set one of the settings above.

        Raises:
            UsageError: there is none of that name, or it does not take the value.
        """
        traits = self.class_traits(config=True)
        if name not in traits:
            raise UsageError(f"there is no setting {name!r}; there are: {', '.join(sorted(traits))}")
        if name == "model":
            self.use(str(value))
            return
        try:
            setattr(self, name, _fitting(traits[name], value))
        except Exception as error:  # traitlets raises TraitError, and what a validator raises
            raise UsageError(f"{name} does not take {value!r}: {traits[name].help}") from error

    def _existing(self, name: str) -> Conversation:
        if name == "main":
            return self.conversation("main")
        if name not in self.conversations:
            near = difflib.get_close_matches(name, self.conversations, 1)
            hint = f"did you mean {near[0]!r}?" if near else "%lockbots list  shows them"
            raise UsageError(f"there is no conversation {name!r}; {hint}")
        return self.conversations[name]


def _fitting(trait: Any, value: Any) -> Any:
    """Numbers and text come as people type them: 1 for 1.0, 5 for the text "5"."""
    if isinstance(trait, Float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return str(value) if isinstance(trait, Unicode | Enum) else value

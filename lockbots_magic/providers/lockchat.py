"""Lockchat: the chat-completions dialect with its own header, credential and quirks.

Wire facts: the public history of clients of this service, 2023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ..conversation.messages import ChatRequest, ModelInfo
from ..errors import ModelNotFoundError, ProviderError
from .base import models_table
from .http.client import Exchange
from .http.request import Call
from .openai_compatible import OpenAICompatible
from .wire.chat_completions import ChatCompletions
from .wire.errors import snippet

USER_AGENT = "ChatX/39 CFNetwork/1408.0.4 Darwin/22.5.0"
DEFAULT_TEMPERATURE = 0.7

_MISSING = re.compile(r"The model: `[^`\n]*` does not exist")


def _denial(words: str) -> ProviderError | None:
    """The error for a line that denies a model. The service says so of models that it serves a moment later."""
    if not _MISSING.search(words):
        return None
    error = ModelNotFoundError(snippet(words))
    error.retryable = True
    return error


class LockchatReader(ChatCompletions):
    """Knows the line by which the service, inside a 200, denies having a model."""

    def denial(self, line: str) -> ProviderError | None:
        """What to raise at once for `line`, which is no field of an event."""
        return _denial(line)

    def unrecognised(self, line: str) -> ProviderError:
        """What to raise when `line` came where events were promised."""
        return _denial(line) or super().unrecognised(line)

    def reported(self, body: Mapping[str, Any]) -> ProviderError:
        """What to raise when the error object `body` came inside a success."""
        error = super().reported(body)
        return _denial(str(error)) or error


class Lockchat(OpenAICompatible):
    """`POST {base}/v1/chat/completions`; the optional credential is the query parameter `auth`."""

    name = "lockchat"
    url = "http://supertest.lockchat.app"
    models = models_table(ModelInfo("gpt-4", "GPT-4"), ModelInfo("gpt-3.5-turbo", "GPT-3.5"))
    default_model = "gpt-3.5-turbo"
    aliases: ClassVar[Mapping[str, str]] = MappingProxyType({"gpt-35-turbo": "gpt-3.5-turbo"})
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({"temperature": "0 is sober, 2 is wild; default 0.7"})
    takes_images = False
    takes_tools = False
    reader = LockchatReader

    def call(self, request: ChatRequest, model: ModelInfo) -> Call:
        """The HTTP request for `request`."""
        return Call(
            "POST",
            f"{self.base_url}/v1/chat/completions",
            json=self.body(request, model),
            headers={"user-agent": USER_AGENT},
            secret_query={"auth": self.auth} if self.auth else {},
        )

    def body(self, request: ChatRequest, model: ModelInfo) -> dict[str, Any]:
        """The JSON that is sent."""
        temperature = request.params.get("temperature")
        return {
            "temperature": DEFAULT_TEMPERATURE if temperature is None else temperature,
            "messages": [m.to_dict() for m in request.messages],
            "model": model.id,
            "stream": request.stream,
        }

    def refused(self, exchange: Exchange) -> ProviderError:
        """The error for an answer with a bad status; a 404 may be the denial of a model."""
        error = super().refused(exchange)
        return (_denial(str(error)) if exchange.status == 404 else None) or error

    def list_models(self) -> list[ModelInfo]:
        """The models of the table; the service lists none."""
        return list(self.models.values())


url = Lockchat.url
model = list(Lockchat.models)
models = Lockchat.models
supports_stream = Lockchat.supports_stream
needs_auth = Lockchat.needs_auth
params = Lockchat.params
_create_completion = Lockchat.create_completion

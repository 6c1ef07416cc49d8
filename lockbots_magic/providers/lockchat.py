"""Lockchat: chat completions with a header, credential and quirks of its own.

Wire facts: public source history of this service's clients, 2023.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ..conversation.messages import ChatRequest, ModelInfo
from ..errors import ModelNotFoundError, ProviderError
from .declarations import model_table
from .dialects import CHAT_COMPLETIONS
from .http import HTTPRequest
from .openai_compatible import OpenAICompatible
from .wire.chat_completions import ChatCompletionsDecoder
from .wire.errors import make_snippet

if TYPE_CHECKING:
    from .http.exchange import Exchange

USER_AGENT = "ChatX/39 CFNetwork/1408.0.4 Darwin/22.5.0"
DEFAULT_TEMPERATURE = 0.7

_MISSING_MODEL = re.compile(r"The model: `[^`\n]*` does not exist")


def _find_missing_model(text: str) -> ProviderError | None:
    """Return the error for a text that says that a model is missing; retryable, as it may be served a moment later."""
    if not _MISSING_MODEL.search(text):
        return None
    error = ModelNotFoundError(make_snippet(text))
    error.retryable = True
    return error


class LockchatDecoder(ChatCompletionsDecoder):
    """Recognises the plain line by which the service says, inside a 200, that a model is missing."""

    def line_error(self, line: str) -> ProviderError | None:
        """Return the error for a line outside the grammar, if it is one."""
        return _find_missing_model(line)

    def unrecognised_error(self, line: str) -> ProviderError:
        """Return the error for a body that is not an event stream and begins with `line`."""
        return _find_missing_model(line) or super().unrecognised_error(line)

    def object_error(self, body: Mapping[str, Any]) -> ProviderError:
        """Return the error for the error object `body` inside a success."""
        error = super().object_error(body)
        return _find_missing_model(str(error)) or error


class Lockchat(OpenAICompatible):
    """`POST {base}/v1/chat/completions`, with the optional credential as the query parameter `auth`."""

    name = "lockchat"
    url = "http://supertest.lockchat.app"
    models = model_table(ModelInfo("gpt-4", "GPT-4"), ModelInfo("gpt-3.5-turbo", "GPT-3.5"))
    default_model = "gpt-3.5-turbo"
    aliases: ClassVar[Mapping[str, str]] = MappingProxyType({"gpt-35-turbo": "gpt-3.5-turbo"})
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"temperature": "sampling temperature, 0-2; lower is more deterministic; default 0.7"}
    )
    takes_images = False
    takes_tools = False
    lists_models = False
    dialects = (CHAT_COMPLETIONS,)

    def make_decoder(self, request: ChatRequest, body: Mapping[str, Any]) -> LockchatDecoder:
        """Return the decoder of a response."""
        return LockchatDecoder()

    def build_request(self, request: ChatRequest, model: ModelInfo) -> HTTPRequest:
        """Return the HTTP request for `request`."""
        return HTTPRequest(
            "POST",
            self.endpoint("/v1/chat/completions"),
            json=self.build_body(request, model),
            headers={"user-agent": USER_AGENT},
            secret_query={"auth": self.auth} if self.auth else {},
            base_url=self.base_url,
        )

    def build_body(self, request: ChatRequest, model: ModelInfo) -> dict[str, Any]:
        """Return the JSON body for `request`."""
        temperature = request.params.get("temperature")
        return {
            "temperature": DEFAULT_TEMPERATURE if temperature is None else temperature,
            "messages": [m.to_dict() for m in request.messages],
            "model": model.id,
            "stream": request.stream,
        }

    def refusal(self, exchange: Exchange) -> ProviderError:
        """Return the error for a response whose status is not a success; a 404 may mean a missing model."""
        error = super().refusal(exchange)
        return (_find_missing_model(str(error)) if exchange.status == 404 else None) or error

    def list_models(self) -> list[ModelInfo]:
        """Return the models of the table; the service has no list."""
        return list(self.models.values())


url = Lockchat.url
model = list(Lockchat.models)
models = Lockchat.models
supports_stream = Lockchat.supports_stream
needs_auth = Lockchat.needs_auth
params = Lockchat.params
_create_completion = Lockchat.create_completion

"""Every endpoint that speaks the chat-completions dialect; the well-known ones are rows of a table."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import ConnectionFailed, ModelNotFoundError, ProtocolError, ProviderError, ProviderTimeout, UsageError
from ..security.secrets import Secret
from .base import HTTPProvider
from .http.client import Exchange
from .http.request import Call, Limits
from .wire.chat_completions import ChatCompletions
from .wire.errors import refusal

DEADLINE_FOR_LISTS = 10.0
"""How long (s) asking for the list of models may take."""


class OpenAICompatible(HTTPProvider):
    """`POST {base}/chat/completions`, credential as bearer; any base URL, version path included.

    A model that no table knows is passed on: the server decides.
    """

    name = "openai"
    url = "https://api.openai.com/v1"
    takes_images = True
    takes_tools = True
    reports_usage: ClassVar[bool] = False
    """Whether the server is known to accept being asked for token counts in a stream."""
    reader: ClassVar[type[ChatCompletions]] = ChatCompletions
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "temperature": "0 is sober, 2 is wild",
            "top_p": "share of the likeliest tokens to choose from, 0 to 1",
            "max_tokens": "longest reply, tokens",
            "max_completion_tokens": "longest reply, reasoning included, tokens",
            "stop": "text, or list of texts, that ends the reply",
            "seed": "integer; the same seed asks for the same reply",
            "presence_penalty": "-2 to 2",
            "frequency_penalty": "-2 to 2",
            "logit_bias": "dict of token id -> bias",
            "response_format": "dict, such as {'type': 'json_object'}",
            "reasoning_effort": "low, medium or high",
            "service_tier": "the server's name of a tier",
            "user": "an id of your own for the person who asks",
            "extra_body": "dict of anything else the server takes",
        }
    )

    def ready(self) -> None:
        """A server at an address of the caller's own may need no credential; it will say so if it does."""
        if self.base_url == self.url:
            super().ready()

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request once and yield the reply."""
        limits = Limits(*self.timeout, deadline)
        with Exchange(self.call(request, model), limits, request.cancellation) as exchange:
            if exchange.status >= 300:
                raise self.refused(exchange)
            reader = self.reader()
            try:
                for piece in exchange:
                    yield from reader.feed(piece)
                    if reader.done:
                        exchange.finish()
                        return
            except (ConnectionFailed, ProviderTimeout):
                if not reader.finish_reason:  # the reply is whole, whatever becomes of the connection
                    raise
            yield from reader.close()

    def call(self, request: ChatRequest, model: ModelInfo) -> Call:
        """The HTTP request for `request`."""
        return Call(
            "POST",
            f"{self.base_url}/chat/completions",
            json=self.body(request, model),
            secret_headers=self.bearer(),
        )

    def body(self, request: ChatRequest, model: ModelInfo) -> dict[str, Any]:
        """The JSON that is sent."""
        params = dict(request.params)
        extra = params.pop("extra_body", {})
        if not isinstance(extra, Mapping):
            raise UsageError("extra_body must be a dict of what else is sent")
        body = {"model": model.id, "messages": [m.to_dict() for m in request.messages], "stream": request.stream}
        if request.tools:
            body["tools"] = [tool.to_dict() for tool in request.tools]
        if request.stream and self.reports_usage:
            body["stream_options"] = {"include_usage": True}
        return {**body, **params, **extra}

    def bearer(self) -> dict[str, Secret]:
        """The header that carries the credential (RFC 6750, 2.1), if there is one."""
        return {"authorization": self.auth.bearer()} if self.auth else {}

    def refused(self, exchange: Exchange) -> ProviderError:
        """The error for an answer with a bad status."""
        return self.redacted(refusal(exchange.status, exchange.body(), exchange.retry_after()))

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return what is known of `model`; where no default is declared, the first one the server lists."""
        info = self.model_info(model)
        if info.id:
            return info
        offered = self._listed(cancellation)
        if not offered:
            message = f"{self.name} serves no model yet; load one there, or name it: {self.name}:MODEL"
            raise ModelNotFoundError(message, provider=self.name)
        return offered[0]

    def list_models(self) -> list[ModelInfo]:
        """Ask the server: `GET {base}/models`.

        Raises:
            ProviderError: it does not answer, or not with a list of models.
            AuthenticationError: the credential is missing.
        """
        self.ready()
        return self._listed(Cancellation())

    def _listed(self, cancellation: Cancellation) -> list[ModelInfo]:
        call = Call("GET", f"{self.base_url}/models", secret_headers=self.bearer())
        limits = Limits(*self.timeout, time.monotonic() + DEADLINE_FOR_LISTS)
        try:
            with Exchange(call, limits, cancellation) as exchange:
                if exchange.status >= 300:
                    raise self.refused(exchange)
                body = b"".join(exchange)
        except ProviderError as error:
            error.provider = self.name
            raise
        try:
            return [ModelInfo(str(row["id"])) for row in json.loads(body)["data"]]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ProtocolError("the answer is not a list of models; check the base URL", provider=self.name) from None


@dataclass(frozen=True)
class Preset:
    """A well-known endpoint. `credential` is the environment variable its own clients read."""

    name: str
    url: str
    credential: str = ""
    default_model: str = ""
    reports_usage: bool = True
    takes_images: bool = True

    def provider(self) -> type[OpenAICompatible]:
        """The provider class this row describes."""
        declared = {
            "__doc__": f"The chat-completions endpoint of {self.name}.",
            "__module__": __name__,
            "name": self.name,
            "url": self.url,
            "credential_env": (self.credential,) if self.credential else (),
            "needs_auth": bool(self.credential),
            "default_model": self.default_model,
            "reports_usage": self.reports_usage,
            "takes_images": self.takes_images,
        }
        return type(self.name.capitalize(), (OpenAICompatible,), declared)


PRESETS = (
    Preset("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "gpt-4o-mini"),
    Preset("anthropic", "https://api.anthropic.com/v1", "ANTHROPIC_API_KEY", "claude-sonnet-4-5"),
    Preset("gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", "gemini-2.5-flash"),
    Preset("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter/auto"),
    Preset("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "llama-3.3-70b-versatile"),
    Preset("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral-small-latest", reports_usage=False),
    Preset("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "deepseek-chat", takes_images=False),
    Preset("ollama", "http://localhost:11434/v1"),
    Preset("lmstudio", "http://localhost:1234/v1"),
    Preset("llamacpp", "http://localhost:8080/v1"),
    Preset("vllm", "http://localhost:8000/v1"),
)

presets = SimpleNamespace(**{row.name: row.provider() for row in PRESETS})
"""The provider classes of the table, by name."""

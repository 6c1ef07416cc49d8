"""Endpoints that speak the chat-completions format; the well-known ones are rows of `PRESETS`.

Wire facts: the OpenAI API reference, "Create chat completion" and "List models".
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..conversation.opaque_data import OpaqueData
from ..errors import (
    ContextLengthError,
    ModelNotFoundError,
    ProviderError,
    UsageError,
)
from ..security.secrets import Secret
from .adaptation import given_fields, stream_adapted
from .address import is_azure, is_local, join_path, ollama_address, saved_address, with_path
from .advice import advise_on_request, append_advice, is_unknown_model, is_wrong_address
from .http import HTTPRequest
from .http.request import is_loopback
from .http_provider import HTTPProvider
from .parameters import LOCAL_PARAMETERS, check_types
from .response import read_response
from .server_probe import ServerProbe, strip_endpoint
from .wire.chat_completions import ChatCompletionsDecoder
from .wire.chat_messages import encode_messages
from .wire.model_list import ModelList, read_model_list
from .wire.reasoning_effort import EffortStyle, encode_effort
from .wire.response_format import build_response_format, is_object_schema

DEFAULTS_DATE = "2026-11-30"
"""Date at which the default models of `PRESETS` were looked up, each in its service's documentation: what it recommends
in place of what it retires, of the least expensive kind."""
MODEL_LIST_TIMEOUT = 10.0
"""Time (s) for the list of models."""


class OpenAICompatible(HTTPProvider):
    """`POST {base}/chat/completions` with the credential as a bearer token, at any base URL (version path included).

    Unknown models are passed on: the server decides.
    """

    name = "openai"
    url = "https://api.openai.com/v1"
    takes_images = True
    takes_tools = True
    reports_usage: ClassVar[bool] = False
    """Whether the server is known to accept ``stream_options`` (token counts at the end of a stream)."""
    effort_style: ClassVar[EffortStyle] = "openai"
    """How the service is told the parameter `reasoning_effort`."""
    takes_schema: ClassVar[bool] = True
    """Whether the service may enforce a JSON schema; one that refuses it is asked again without."""
    lists_models: ClassVar[bool] = True
    """Whether the server has a list of models, which tells more about an error."""
    decoder: ClassVar[type[ChatCompletionsDecoder]] = ChatCompletionsDecoder
    """Decoder of the response."""
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "temperature": "sampling temperature, 0-2; lower is more deterministic",
            "top_p": "nucleus sampling: probability mass of the tokens considered, 0-1",
            "max_tokens": "maximum length of the reply, tokens",
            "max_completion_tokens": "maximum length of reply and reasoning, tokens",
            "stop": "text, or list of texts, at which the reply ends",
            "seed": "integer; equal seeds give equal replies, as far as the server can",
            "presence_penalty": "penalty for tokens that have appeared, -2 to 2",
            "frequency_penalty": "penalty for tokens by how often they have appeared, -2 to 2",
            "logit_bias": "dict of token id -> bias",
            "response_format": "dict, such as {'type': 'json_object'}",
            "reasoning_effort": "effort of a reasoning model: none, low, medium, high or what else it takes",
            "service_tier": "service tier, by the server's name",
            "user": "your own id of the end user",
            "extra_body": "dict of further fields of the request",
        }
    )

    is_local: ClassVar[bool] = False
    """Whether the service is one that people run themselves, wherever it is."""

    def takes(self, param: str) -> bool:
        """Whether a request may set this parameter; servers on this machine take more of them."""
        if super().takes(param):
            return True
        passes_on = param in LOCAL_PARAMETERS and "extra_body" in self.parameters
        return passes_on and (self.is_local or is_local(self.base_url))

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise `UsageError` if a parameter is unknown, or a text stands where a dict or a number belongs."""
        for param in params:
            if param in LOCAL_PARAMETERS and "extra_body" in self.parameters and not self.takes(param):
                raise UsageError(
                    f"Unknown parameter {param!r} for {self.name}: servers on your own machine take it. If this one "
                    f"does, pass it in extra_body={{{param!r}: ...}}; in a cell: -p 'extra_body={{\"{param}\": ...}}'."
                )
        super().check_params(params)
        check_types(params)

    def ready(self) -> None:
        """Require the credential at the default base URL only; a server elsewhere may need none."""
        if self.base_url == self.url:
            super().ready()

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request and yield the reply; what the server refuses of the toolkit's own is left out."""
        http_request = self.build_request(request, model)

        def send(body: dict[str, Any]) -> Iterator[Delta]:
            return self._send(replace(http_request, json=body), request, model, deadline)

        key = self.base_url, model.id
        return stream_adapted(send, http_request.json, given_fields(request.params), self.learned, key)

    def _send(
        self, http_request: HTTPRequest, request: ChatRequest, model: ModelInfo, deadline: float
    ) -> Iterator[Delta]:
        with self.open(http_request, deadline, request.cancellation) as exchange:
            several = http_request.json.get("n")
            decoder = self.decoder(
                (tool.name for tool in request.tools),
                has_several_choices=isinstance(several, int) and several > 1,
            )
            for delta in read_response(exchange, decoder):
                yield self._with_origin(delta, model)

    def _with_origin(self, delta: Delta, model: ModelInfo) -> Delta:
        """Return the delta with the origin of its opaque data, and of those of its calls."""
        if delta.opaque is None and not any(call.opaque for call in delta.calls):
            return delta
        origin = self.name, saved_address(self.base_url), model.id
        if delta.opaque is not None:
            delta = delta._replace(opaque=OpaqueData(delta.opaque.data, *origin))
        return delta._replace(
            calls=tuple(
                call._replace(opaque=OpaqueData(call.opaque.data, *origin)) if call.opaque else call
                for call in delta.calls
            )
        )

    def chat_endpoint(self, model: ModelInfo) -> str:
        """Return the URL that chat requests go to."""
        return self.endpoint("/chat/completions")

    def build_request(self, request: ChatRequest, model: ModelInfo) -> HTTPRequest:
        """Return the HTTP request for `request`."""
        return HTTPRequest(
            "POST",
            self.chat_endpoint(model),
            json=self.build_body(request, model),
            secret_headers=self.build_auth_header(),
            base_url=self.base_url,
        )

    def build_body(self, request: ChatRequest, model: ModelInfo) -> dict[str, Any]:
        """Return the JSON body for `request`."""
        params = dict(request.params)
        extra = params.pop("extra_body", None) or {}
        check_types({"extra_body": extra})
        messages = encode_messages(request.messages, self.name, saved_address(self.base_url), model.id)
        if self.effort_style == "deepseek":  # demanded beside all calls, those of other models among them
            messages = [{"reasoning_content": "", **m} if "tool_calls" in m else m for m in messages]
        body = {"model": model.id, "messages": messages, "stream": request.stream}
        if request.tools:
            body["tools"] = [tool.to_dict() for tool in request.tools]
        if request.schema and self.enforces_schema(request):
            body["response_format"] = build_response_format(request.schema)
        effort = encode_effort(params.pop("reasoning_effort", None), self.effort_style)
        body = {**body, **effort, **params, **extra}
        if body["stream"] is True and self.reports_usage:
            body.setdefault("stream_options", {"include_usage": True})
        return body

    def enforces_schema(self, request: ChatRequest) -> bool:
        """Whether to ask the service to enforce the schema of `request`.

        Only local servers take another root than an object. Beside tools a schema is left to the prompt: some servers
        refuse both together, and one that constrains the reply by a grammar never calls a function.
        """
        if request.schema is None or request.tools or not self.takes_schema:
            return False
        return is_object_schema(request.schema) or is_loopback(urlsplit(self.base_url).hostname or "")

    def build_auth_header(self) -> dict[str, Secret]:
        """Return the header that carries the credential, if there is one (RFC 6750, 2.1; Azure has its own)."""
        if not self.auth:
            return {}
        return {"api-key": self.auth} if is_azure(self.base_url) else {"authorization": self.auth.bearer()}

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return the model to send to; without a declared default, the first one that the server lists."""
        info = self.model_info(model)
        if info.id:
            return info
        listed = self._fetch_models(cancellation, retry=True).models
        for one in listed:
            if not one.kind:
                return one
        told = f"lists no chat model, only {listed[0].name or listed[0].id}" if listed else "serves no model yet"
        message = f"{self.name} {told}. Load one there, or name it: `{self.name}:MODEL`."
        raise ModelNotFoundError(message, provider=self.name)

    def list_models(self) -> list[ModelInfo]:
        """Ask the server for its models: `GET {base}/models`.

        Raises:
            ProviderError: The server failed to reply, or not with a list of models.
            AuthenticationError: The credential is missing.
        """
        return list(self.model_list().models)

    def model_list(self) -> ModelList:
        """Ask the server for its models, see `list_models`."""
        self.ready()
        return self._fetch_models(Cancellation())

    def _fetch_models(self, cancellation: Cancellation, *, retry: bool = False) -> ModelList:
        def read() -> ModelList:
            return self._read_models(self.base_url, time.monotonic() + MODEL_LIST_TIMEOUT, cancellation)

        try:
            return self.retried(read, cancellation) if retry else read()
        except ProviderError as error:
            append_advice(error, self.advise(error, ChatRequest("", (), cancellation=cancellation), has_text=False))
            raise

    def _read_models(self, base_url: str, deadline: float, cancellation: Cancellation) -> ModelList:
        url = join_path(base_url, "/models")
        request = HTTPRequest("GET", url, secret_headers=self.build_auth_header(), base_url=base_url)
        late = f"The list of models took longer than {MODEL_LIST_TIMEOUT:g} s."
        with self.errors_named(), self.open(request, deadline, cancellation, late=late) as exchange:
            return read_model_list(exchange)

    def advise(self, error: ProviderError, request: ChatRequest, *, has_text: bool) -> str:
        """Return what to do about `error`; the server's list of models may tell."""
        known = super().advise(error, request, has_text=has_text)
        if has_text or not self.lists_models:
            return known
        probe = ServerProbe(
            self.name, self.base_url, lambda url, end: self._read_models(url, end, request.cancellation)
        )
        if isinstance(error, ContextLengthError):
            error.limit = error.limit or probe.context_size(request.model)
        elif is_unknown_model(error) and request.model and not advise_on_request(error, request, ""):
            advice = probe.advise_on_model(request.model)
            if request.model != self.default_model:
                return advice
            known = f"It was the default for {self.name} on {DEFAULTS_DATE}, when this release was made"
            return f"{known}. {advice} To choose another one: `%lockbots use {self.name}:MODEL`."
        elif is_wrong_address(error) and not known:
            return probe.advise_on_address(request.model)
        return known

    def _find_base_url(self, given: str | None) -> tuple[str, str]:
        base_url, variable = super()._find_base_url(given)
        return strip_endpoint(base_url), variable


_PARAMETERS_OF_LOCAL_SERVERS = MappingProxyType({**OpenAICompatible.parameters, **LOCAL_PARAMETERS})


@dataclass(frozen=True)
class Preset:
    """A well-known endpoint."""

    name: str
    url: str
    credential_variable: str = ""
    """Environment variable that the service's own clients read; empty if it needs no credential."""
    default_model: str = ""
    reports_usage: bool = True
    takes_images: bool = True
    takes_schema: bool = True
    effort_style: EffortStyle = "openai"
    base_url_variables: tuple[str, ...] = ()
    """Environment variables in which the service's own clients look for the base URL."""
    base_url_path: str = ""
    """Path that those variables leave out, such as ``/v1``."""

    def make_provider_class(self) -> type[OpenAICompatible]:
        """Return the provider class that this row describes."""
        declarations = {
            "__doc__": f"The chat-completions endpoint of {self.name}.",
            "__module__": __name__,
            "__qualname__": f"presets.{self.name}",  # where pickle finds the class
            "name": self.name,
            "url": self.url,
            "credential_env": (self.credential_variable,) if self.credential_variable else (),
            "needs_auth": bool(self.credential_variable),
            "default_model": self.default_model,
            "reports_usage": self.reports_usage,
            "takes_images": self.takes_images,
            "takes_schema": self.takes_schema,
            "effort_style": self.effort_style,
            "base_url_env": self.base_url_variables,
            "is_local": not self.credential_variable,
            "parameters": OpenAICompatible.parameters if self.credential_variable else _PARAMETERS_OF_LOCAL_SERVERS,
            "complete_base_url": classmethod(lambda _, url, variable: self.complete_base_url(url, variable)),
        }
        return type(self.name.capitalize(), (OpenAICompatible,), declarations)

    def complete_base_url(self, url: str, variable: str) -> str:
        """Return the base URL for the value of an environment variable; see `Provider.complete_base_url`."""
        if variable not in self.base_url_variables:  # one of this package: it holds the whole
            return url
        return ollama_address(url) if variable == "OLLAMA_HOST" else with_path(url, self.base_url_path)


PRESETS = (
    Preset(
        "openai",
        "https://api.openai.com/v1",
        "OPENAI_API_KEY",
        "gpt-6-luna",
        base_url_variables=("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    ),
    Preset(
        "anthropic",
        "https://api.anthropic.com/v1",
        "ANTHROPIC_API_KEY",
        "claude-sonnet-5-5",
        base_url_variables=("ANTHROPIC_BASE_URL",),
        base_url_path="/v1",
    ),
    Preset(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta/openai",
        "GEMINI_API_KEY",
        "gemini-3.5-flash-lite",
        base_url_variables=("GOOGLE_GEMINI_BASE_URL",),
        base_url_path="/v1beta/openai",
    ),
    Preset("openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter/auto"),
    Preset(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        "openai/gpt-oss-120b",
        base_url_variables=("GROQ_BASE_URL",),
        base_url_path="/openai/v1",
    ),
    Preset("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral-small-latest", reports_usage=False),
    Preset(
        "deepseek",
        "https://api.deepseek.com/v1",
        "DEEPSEEK_API_KEY",
        "deepseek-flash",
        takes_images=False,
        takes_schema=False,
        effort_style="deepseek",
    ),
    Preset("ollama", "http://localhost:11434/v1", base_url_variables=("OLLAMA_HOST",)),
    Preset("lmstudio", "http://localhost:1234/v1"),
    Preset("llamacpp", "http://localhost:8080/v1", effort_style="template"),
    Preset("vllm", "http://localhost:8000/v1", effort_style="template"),
)

presets = SimpleNamespace(**{row.name: row.make_provider_class() for row in PRESETS})
"""Provider classes of `PRESETS`, by name."""

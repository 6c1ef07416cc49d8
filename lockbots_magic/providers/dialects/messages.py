"""Messages: the dialect of Anthropic, which other services and local servers speak, too.

Wire facts: the Anthropic API reference, "Create a message"; "Thinking" (neither a temperature other than 1 nor `top_k`
goes with it).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ...conversation.documents import PDF, DocumentRules
from ...conversation.messages import ChatRequest
from ...errors import UsageError
from ...language import N_, _
from ...security.secrets import Secret
from ..adaptation_table import Adaptation
from ..body_changes import Body
from ..parameters import check_types
from ..response import Decoder
from ..wire.anthropic_messages import MessagesDecoder
from ..wire.anthropic_request import (
    REPLY_TOOL,
    encode_conversation,
    encode_output_format,
    encode_reply_tool,
    encode_tool,
)
from ..wire.anthropic_thinking import DEFAULT_MAX_TOKENS, encode_thinking, has_structured_outputs, is_thinking
from ..wire.prompt_cache import mark_head
from ..wire.response_format import is_object_schema
from .base import Dialect, Service
from .messages_adaptations import MESSAGES_ADAPTATIONS

VERSION = "2023-06-01"
"""Version of the API, sent with every request."""

MAX_FILE_DATA = 30_000_000
"""Size (characters of base64) of the files and images of one request, which may have 32 MB ("PDF support")."""
MAX_PAGES = 600
"""Pages of the documents of one request ("PDF support")."""


class Messages(Dialect):
    """`POST {base}/messages`, with the credential in the header `x-api-key`."""

    name = "messages"
    title = N_("the messages API")
    path = "/messages"
    count_path = "/messages/count_tokens"
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({"anthropic-version": VERSION})
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "temperature": "sampling temperature, 0-1; lower is more deterministic",
            "top_p": "nucleus sampling: probability mass of the tokens considered, 0-1",
            "top_k": "sample only from the k likeliest tokens",
            "max_tokens": f"maximum length of reply and reasoning, tokens; {DEFAULT_MAX_TOKENS:,} by default",
            "stop": "text, or list of texts, at which the reply ends",
            "reasoning_effort": "effort of reasoning: none, low, medium, high, xhigh or max",
            "thinking": "dict, in place of reasoning_effort, such as {'type': 'adaptive'}",
            "output_config": "dict, such as {'effort': 'low'}",
            "tool_choice": "dict, such as {'type': 'any'}",
            "user": "your own id of the end user",
            "metadata": "dict, such as {'user_id': '7'}",
            "service_tier": "service tier, by the server's name",
            "extra_body": "dict of further fields of the request",
        }
    )
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "max_completion_tokens": N_("Use `max_tokens`."),
            "max_output_tokens": N_("Use `max_tokens`."),
            "seed": "",
            "presence_penalty": "",
            "frequency_penalty": "",
            "logit_bias": "",
            "response_format": N_("Use a schema, or `output_config`."),
            "store": "",
        }
    )
    fields: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"stop": "stop_sequences", "reasoning_effort": "thinking", "user": "metadata"}
    )
    documents: ClassVar[DocumentRules] = DocumentRules(
        frozenset({PDF}), takes_text=True, max_data=MAX_FILE_DATA, max_pages=MAX_PAGES
    )
    adaptations: ClassVar[tuple[Adaptation, ...]] = MESSAGES_ADAPTATIONS

    def auth_headers(self, credential: Secret) -> dict[str, Secret]:
        """Return the header that carries the credential."""
        return {"x-api-key": credential}

    def encode_request(self, request: ChatRequest, service: Service) -> Body:
        """Return the JSON body for a request.

        Raises:
            UsageError: A parameter has a value that the API does not have.
        """
        params = dict(request.params)
        extra = params.pop("extra_body", None) or {}
        check_types({"extra_body": extra})
        body: Body = {"model": service.model, "max_tokens": DEFAULT_MAX_TOKENS}
        if system := request.system.strip():
            body["system"] = system
        if request.tools:
            body["tools"] = [encode_tool(tool) for tool in request.tools]
        body |= {"messages": encode_conversation(request.messages, service.target), "stream": request.stream}
        given = _encode_params(params, service.model)
        _check_sampling({**given, **extra})
        body |= given
        body = _with_schema(body, request, service)
        return mark_head({**body, **extra}, service.cache)

    def encode_count(self, body: Body) -> Body:
        """Return the body that asks how many tokens the request with `body` has."""
        counted = ("model", "system", "tools", "tool_choice", "thinking", "output_config", "messages")
        return {name: body[name] for name in counted if name in body}

    def make_decoder(self, request: ChatRequest, body: Body) -> Decoder:
        """Return the decoder of the response to `request`, which was sent as `body`."""
        names = request.tool_schemas
        choice = body.get("tool_choice")
        is_forced = isinstance(choice, dict) and choice.get("name") == REPLY_TOOL and REPLY_TOOL not in names
        return MessagesDecoder(
            names,
            reply_tool=REPLY_TOOL if is_forced else "",
            has_default_limit="max_tokens" not in self.given_fields(request.params),
        )


def _encode_params(params: dict[str, Any], model: str) -> Body:
    """Return the fields of a body for the parameters of a request."""
    limit = params.get("max_tokens")
    thinking = encode_thinking(params.pop("reasoning_effort", None), model, limit if type(limit) is int else None)
    if "stop" in params:
        stop = params.pop("stop")
        params["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if "user" in params:
        params["metadata"] = {"user_id": params.pop("user"), **(params.get("metadata") or {})}
    effort = thinking.get("output_config", {})
    if effort and isinstance(params.get("output_config"), Mapping):
        params["output_config"] = {**effort, **params["output_config"]}
    return {**thinking, **params}


def _check_sampling(body: Body) -> None:
    """Raise `UsageError` for a temperature that other APIs have, or that does not go with reasoning."""
    temperature = body.get("temperature")
    if isinstance(temperature, int | float) and temperature > 1:
        given = f"{temperature:g}"  # as it was written, whatever the decimal sign of the language
        raise UsageError(_("temperature must be 0-1 in the messages API, got {given}.", given=given))
    if not is_thinking(body):
        return
    for name, plain in (("temperature", 1), ("top_k", None)):
        if body.get(name) not in (None, plain):
            raise UsageError(
                _(
                    "The messages API takes no {name} together with reasoning. Leave one of them out; "
                    "`-p reasoning_effort=none` switches reasoning off.",
                    name=name,
                )
            )


def _with_schema(body: Body, request: ChatRequest, service: Service) -> Body:
    """Return the body with the schema of the reply enforced, as the model does that."""
    schema = request.schema
    if schema is None or not service.enforces_schema(request) or not is_object_schema(schema):
        return body
    if has_structured_outputs(service.model):
        config = body.get("output_config") or {}
        return {**body, "output_config": {**encode_output_format(schema), **config}}
    return body if is_thinking(body) or "tool_choice" in body else {**body, **encode_reply_tool(schema)}

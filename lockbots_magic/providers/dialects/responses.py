"""The Responses API of OpenAI, which other servers speak, too.

Wire facts: the OpenAI API reference, "Create a model response"; the guides "Reasoning models" and "Migrate to the
Responses API". Observed refusals: encrypted reasoning of a model that does not reason, summaries for an organization
that is not verified, reasoning items that another key encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from ...conversation.documents import FILE_TYPES, DocumentRules
from ...conversation.messages import ChatRequest, Tool
from ...errors import UsageError
from ...language import N_, _
from ..adaptation_table import SHARED_ADAPTATIONS, Adaptation, names_field
from ..body_changes import Body
from ..parameters import CHAT_PARAMETERS, check_types
from ..response import Decoder
from ..wire.response_format import build_response_format, close_schema, is_strict
from ..wire.responses import ResponsesDecoder
from ..wire.responses_input import encode_input, has_reasoning_items, without_reasoning_items
from .base import MAX_OPENAI_FILES, Dialect, Service

ENCRYPTED = "reasoning.encrypted_content"
"""Value of `include` that asks for reasoning in a form that can go back."""
_LACKS = {
    "stop": N_("It has no stop sequences."),
    "seed": "",
    "presence_penalty": "",
    "frequency_penalty": "",
    "logit_bias": "",
    "n": "",
}
_OWN_PARAMETERS = {
    "max_output_tokens": "another name of max_tokens",
    "reasoning": "dict, such as {'summary': 'detailed'}",
    "text": "dict, such as {'verbosity': 'low'}",
    "include": "list of further things to return",
    "truncation": "'auto' lets the service leave out old messages",
    "parallel_tool_calls": "whether the model may make several calls at once",
    "tool_choice": "which tool the model must call",
    "top_logprobs": "number of likeliest tokens to return, 0-20",
    "metadata": "dict of texts, stored with the response",
    "prompt_cache_key": "key by which the service finds cached prompts",
    "safety_identifier": "your own id of the end user",
}
_NO_REASONING = re.compile(r"^(?:ft:|openai/)*(?:gpt-3|gpt-4|chatgpt-)|-chat(?:-|$)", re.IGNORECASE)
"""Models that are known not to reason; of others, a refusal tells."""


def _has_summary(body: Body, given: Collection[str]) -> bool:
    return "summary" in (body.get("reasoning") or {}) and ("reasoning" not in given or "reasoning_effort" in given)


def _without_summary(body: Body, given: Collection[str]) -> Body:
    kept = {key: value for key, value in body["reasoning"].items() if key != "summary"}
    others = {key: value for key, value in body.items() if key != "reasoning"}
    return {**others, "reasoning": kept} if kept else others


def _has_format(body: Body, given: Collection[str]) -> bool:
    return "format" in (body.get("text") or {}) and not {"text", "response_format"} & {*given}


def _without_format(body: Body, given: Collection[str]) -> Body:
    return {key: value for key, value in body.items() if key != "text"}


def _has_instructions(body: Body, given: Collection[str]) -> bool:
    return "instructions" in body and not {"instructions", "input"} & {*given}


def _with_system_item(body: Body, given: Collection[str]) -> Body:
    others = {key: value for key, value in body.items() if key != "instructions"}
    item = {"type": "message", "role": "system", "content": body["instructions"]}
    return {**others, "input": [item, *body["input"]]}


_ADAPTATIONS = (
    *SHARED_ADAPTATIONS,
    Adaptation(
        N_("no encrypted reasoning"),
        ("include",),
        lambda body, given: "include" in body and "include" not in given,
        lambda body, given: {key: value for key, value in body.items() if key != "include"},
        re.compile(
            rf"{names_field('include').pattern}|encrypted[ _]content is not|{re.escape(ENCRYPTED)}", re.I | re.M
        ),
    ),
    Adaptation(
        N_("no reasoning summary"),
        ("reasoning",),
        _has_summary,
        _without_summary,
        re.compile(r"\breasoning[. ]summar|\bsummar(?:y|ies)\b[^.\n]{0,60}\b(?:not|unsupported)\b", re.IGNORECASE),
    ),
    Adaptation(
        N_("no reasoning items"),
        ("input",),
        lambda body, given: has_reasoning_items(body) and "input" not in given,
        lambda body, given: without_reasoning_items(body),
        re.compile(
            r"\bof type 'reasoning'|\brs_\w+|\bencrypted[ _]content\b[^\n]{0,80}\b(?:verif|decrypt|invalid|supported)"
            r"|invalid_encrypted_content|\breasoning items?\b",
            re.IGNORECASE,
        ),
        N_("The service did not take the model's earlier reasoning back; the model goes on without it."),
    ),
    Adaptation(
        N_("instructions as a message"),
        ("instructions",),
        _has_instructions,
        _with_system_item,
        names_field("instructions"),
    ),
    Adaptation(
        N_("no text format"),
        ("text",),
        _has_format,
        _without_format,
        re.compile(r"\btext[._]format\b|json[_\s-]?(?:schema|mode|object)|structured[_\s-]?output|\bgrammar\b", re.I),
    ),
)


class Responses(Dialect):
    """`POST {base}/responses`; nothing is stored at the service unless `store` is set."""

    name = "responses"
    title = N_("the Responses API")
    path = "/responses"
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType(
        {**{name: text for name, text in CHAT_PARAMETERS.items() if name not in _LACKS}, **_OWN_PARAMETERS}
    )
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType(_LACKS)
    fields: ClassVar[Mapping[str, str]] = MappingProxyType(
        {
            "max_tokens": "max_output_tokens",
            "max_completion_tokens": "max_output_tokens",
            "reasoning_effort": "reasoning",
            "response_format": "text",
        }
    )
    documents: ClassVar[DocumentRules] = DocumentRules(FILE_TYPES, max_data=MAX_OPENAI_FILES)
    adaptations: ClassVar[tuple[Adaptation, ...]] = _ADAPTATIONS

    def encode_request(self, request: ChatRequest, service: Service) -> Body:
        """Return the JSON body for a request."""
        params = dict(request.params)
        extra = params.pop("extra_body", None) or {}
        check_types({"extra_body": extra})
        body: Body = {
            "model": service.model,
            "input": encode_input(request.messages, service.target),
            "stream": request.stream,
            "store": False,
        }
        if request.system:
            body["instructions"] = request.system
        if request.tools:
            body["tools"] = [_encode_tool(tool) for tool in request.tools]
        if not _NO_REASONING.search(service.model):
            body["include"] = [ENCRYPTED]
        if limits := [value for name in _LIMITS if (value := params.pop(name, None)) is not None]:
            body["max_output_tokens"] = limits[0]
        if reasoning := _encode_reasoning(params, service):
            body["reasoning"] = reasoning
        if text := _encode_text(params, request, service):
            body["text"] = text
        return {**body, **params, **extra}

    def make_decoder(self, request: ChatRequest, body: Body) -> Decoder:
        """Return the decoder of the response to `request`, which was sent as `body`."""
        limit = body.get("max_output_tokens")
        return ResponsesDecoder(request.tool_schemas, limit=limit if type(limit) is int else None)


_LIMITS = ("max_output_tokens", "max_tokens", "max_completion_tokens")


def _encode_tool(tool: Tool) -> Body:
    """Return the declaration of a function, strict if its schema can be; the service would take it for strict."""
    closed = close_schema(tool.parameters)
    strict = is_strict(closed)
    parameters = closed if strict else dict(tool.parameters)
    described = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", **described, "strict": strict}


def _encode_reasoning(params: Body, service: Service) -> Body:
    """Return the field `reasoning`; its parameters are taken out of `params`."""
    effort, own = params.pop("reasoning_effort", None), params.pop("reasoning", None) or {}
    if effort is not None and not isinstance(effort, str):
        raise UsageError(_("reasoning_effort must be text, such as low or none, got {effort!r:.40}.", effort=effort))
    summary = {} if _NO_REASONING.search(service.model) or effort == "none" else {"summary": "auto"}
    return {**({"effort": effort} if effort is not None else {}), **summary, **_as_dict("reasoning", own)}


def _encode_text(params: Body, request: ChatRequest, service: Service) -> Body:
    """Return the field `text`; its parameters are taken out of `params`."""
    response_format, own = params.pop("response_format", None), params.pop("text", None) or {}
    if response_format is None and request.schema is not None and service.enforces_schema(request):
        response_format = build_response_format(request.schema)
    return {**({"format": _flatten(response_format)} if response_format else {}), **_as_dict("text", own)}


def _flatten(response_format: Mapping[str, Any]) -> Body:
    """Return the format of a reply as this dialect has it: the schema beside its type, not in an object of its own."""
    described = response_format.get("json_schema")
    others = {key: value for key, value in response_format.items() if key != "json_schema"}
    return {**others, **described} if isinstance(described, Mapping) else dict(response_format)


def _as_dict(name: str, value: Any) -> Body:
    if not isinstance(value, Mapping):
        raise UsageError(_("{name} must be a dict, got {value!r:.40}.", name=name, value=value))
    return dict(value)

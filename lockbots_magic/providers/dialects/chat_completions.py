"""Chat completions: the dialect that nearly every service speaks.

Wire facts: the OpenAI API reference, "Create chat completion".
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from ...conversation.documents import PDF, DocumentRules
from ...conversation.messages import ChatRequest
from ...language import N_
from ..adaptation_table import ADAPTATIONS, Adaptation
from ..body_changes import Body
from ..parameters import CHAT_PARAMETERS, check_types
from ..response import Decoder
from ..wire.chat_completions import ChatCompletionsDecoder
from ..wire.chat_messages import encode_messages
from ..wire.reasoning_effort import encode_effort
from ..wire.response_format import build_response_format
from .base import MAX_OPENAI_FILES, Dialect, Service


class ChatCompletions(Dialect):
    """`POST {base}/chat/completions`."""

    name = "chat-completions"
    title = N_("the chat-completions API")
    path = "/chat/completions"
    parameters = CHAT_PARAMETERS
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({"max_output_tokens": N_("Use `max_tokens`.")})
    documents: ClassVar[DocumentRules] = DocumentRules(frozenset({PDF}), max_data=MAX_OPENAI_FILES)
    adaptations: ClassVar[tuple[Adaptation, ...]] = ADAPTATIONS

    def encode_request(self, request: ChatRequest, service: Service) -> Body:
        """Return the JSON body for a request."""
        params = dict(request.params)
        extra = params.pop("extra_body", None) or {}
        check_types({"extra_body": extra})
        messages = encode_messages(request.messages, *service.target)
        if service.effort_style == "deepseek":  # demanded beside all calls, those of other models among them
            messages = [{"reasoning_content": "", **m} if "tool_calls" in m else m for m in messages]
        body = {"model": service.model, "messages": messages, "stream": request.stream}
        if request.tools:
            body["tools"] = [tool.to_dict() for tool in request.tools]
        if request.schema and service.enforces_schema(request):
            body["response_format"] = build_response_format(request.schema)
        effort = encode_effort(params.pop("reasoning_effort", None), service.effort_style)
        body = {**body, **effort, **params, **extra}
        if body["stream"] is True and service.reports_usage:
            body.setdefault("stream_options", {"include_usage": True})
        return body

    def make_decoder(self, request: ChatRequest, body: Body) -> Decoder:
        """Return the decoder of the response to `request`, which was sent as `body`."""
        several = body.get("n")
        return ChatCompletionsDecoder(
            request.tool_schemas,
            has_several_choices=isinstance(several, int) and several > 1,
            reads_call="response_format" in body and not request.tools,
            sent=(message.content for message in request.messages if message.role != "assistant"),
        )

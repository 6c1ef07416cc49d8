"""Frozen values that chats and providers exchange: messages, requests, deltas, usage. No I/O."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import field, fields
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass
from ..security.control_characters import has_surrogates
from .attachments import CitationPart, ImagePart
from .call_text import parse_arguments, quote_name
from .cancellation import Cancellation
from .documents import SentDocument
from .opaque_data import OpaqueData
from .recorded_reply import CassetteReport
from .token_estimate import TOKENS_PER_IMAGE, TOKENS_PER_MESSAGE, estimate_document_tokens, estimate_tokens


class ToolCall(NamedTuple):
    """A call that the model requested, and its result."""

    id: str
    """Identifier set by the model; unique in one reply."""
    name: str
    arguments: str
    """JSON object, as the model wrote it."""
    result: str | None = None
    """Return value as text for the model; None before the call."""
    opaque: OpaqueData | None = None
    """Data of the service that go back with the call: fields of the call by name, such as ``extra_content``."""
    elapsed: float | None = None
    """Duration of the call (s); None before the call, or if it was not made."""
    approved_by: str = ""
    """Who approved the call: ``"default"``, ``"policy"``, ``"user"`` or ``"session"`` (the user, for all of a session);
    empty if nobody did."""
    images: tuple[str, ...] = ()
    """Images of the result, ``data:image/png;base64,...``."""

    def __str__(self) -> str:
        """Format the call like Python; arguments that are not a JSON object are unchanged."""
        given = parse_arguments(self.arguments)
        if given is None:
            return f"{self.name}({self.arguments})"
        written = (f"{quote_name(name)}={json.dumps(value, ensure_ascii=False)}" for name, value in given.items())
        return f"{self.name}({', '.join(written)})"

    def to_dict(self) -> dict[str, Any]:
        """Return the form of chat APIs."""
        return {
            "id": self.id,
            "type": "function",
            "function": {"name": self.name, "arguments": self.arguments},
        }


@late_dataclass(frozen=True)
class Message:
    """One message of a conversation, in the common form of chat APIs."""

    role: str
    """``"system"``, ``"user"``, ``"assistant"``, or ``"tool"``: the result of a call."""
    content: str
    images: tuple[str, ...] = ()
    """URLs of images sent with the text, including ``data:image/png;base64,...``."""
    calls: tuple[ToolCall, ...] = ()
    """Tool calls that the assistant requests."""
    call_id: str = ""
    """Id of the call whose result this message is."""
    reasoning: str = ""
    """Reasoning that led to the text and the calls; it goes back only where `opaque` says so."""
    opaque: tuple[OpaqueData, ...] = ()
    """Data of the service that go back with the message: fields of it by name."""
    elapsed: float | None = field(default=None, compare=False)
    """Duration (s) of the call whose result this message is. No server is told."""
    approved_by: str = field(default="", compare=False)
    """Who approved that call; see `ToolCall`. No server is told."""
    documents: tuple[SentDocument, ...] = ()
    """Documents sent with the text as parts of their own."""

    @cached_property
    def is_plain(self) -> bool:
        """Whether it is text and nothing else, as nearly all messages are."""
        return not (self.images or self.calls or self.opaque or self.documents or self.call_id or self.role == "tool")

    @cached_property
    def characters(self) -> int:
        """Number of characters, those of its tool calls and documents too."""
        documents = sum(len(document.text) for document in self.documents)
        return len(self.content) + documents + sum(len(call.name) + len(call.arguments) for call in self.calls)

    @cached_property
    def estimated_tokens(self) -> int:
        """Estimated tokens, with its images, documents and tool calls, and the overhead of a message."""
        calls = sum(estimate_tokens(call.name + call.arguments) + TOKENS_PER_MESSAGE for call in self.calls)
        parts = TOKENS_PER_IMAGE * len(self.images) + sum(map(estimate_document_tokens, self.documents))
        return estimate_tokens(self.content) + TOKENS_PER_MESSAGE + parts + calls

    @cached_property
    def has_surrogates(self) -> bool:
        """Whether its text or the arguments of its calls hold a surrogate, which JSON readers refuse."""
        return has_surrogates("".join([self.content, *(call.arguments for call in self.calls)]))

    @classmethod
    def of(cls, value: Message | Mapping[str, Any]) -> Message:
        """Return a message unchanged, or build one from ``{"role": ..., "content": ...}``, the form of chat APIs.

        Raises:
            UsageError: `value` is neither.
        """
        if isinstance(value, Message):
            return value
        try:
            return _parse_message(value)
        except (TypeError, KeyError, AttributeError):
            raise UsageError(
                _(
                    "Invalid message. It must be a dict with the keys role and content, both strings; "
                    "content may also be a list of parts of type text, image_url or file."
                )
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the form of chat APIs (OpenAI API reference, "Create chat completion": messages; "File inputs")."""
        message: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.images or self.documents:
            text = [{"type": "text", "text": self.content}] if self.content else []
            images = ({"type": "image_url", "image_url": {"url": url}} for url in self.images)
            message["content"] = [*map(_document_part, self.documents), *text, *images]
        if self.calls:
            message["tool_calls"] = [call.to_dict() for call in self.calls]
        if self.call_id:
            message["tool_call_id"] = self.call_id
        return message


def _document_part(document: SentDocument) -> dict[str, Any]:
    if not document.url:
        return {"type": "text", "text": document.as_text()}
    return {"type": "file", "file": {"filename": document.name, "file_data": document.url}}


def _parse_document(part: Any) -> SentDocument:
    name, url = part["file"].get("filename") or "", part["file"]["file_data"]
    if not isinstance(name, str) or not isinstance(url, str):
        raise TypeError
    media_type = url[5:].partition(";")[0] if url.startswith("data:") else ""
    return SentDocument(name, media_type, url=url)


def _parse_message(value: Any) -> Message:
    content = value.get("content")
    calls = tuple(_parse_call(call) for call in value.get("tool_calls") or ())
    if content is None and calls:
        content = ""
    parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
    texts = [part["text"] for part in parts if part["type"] == "text"]
    images = [part["image_url"]["url"] for part in parts if part["type"] not in ("text", "file")]
    documents = tuple(_parse_document(part) for part in parts if part["type"] == "file")
    message = Message(
        value["role"],
        "\n".join(texts),
        tuple(images),
        calls,
        value.get("tool_call_id", ""),
        documents=documents,
    )
    if not all(isinstance(text, str) for text in (message.role, *images, message.call_id)):
        raise TypeError
    return message


def _parse_call(value: Any) -> ToolCall:
    call = ToolCall(value["id"], value["function"]["name"], value["function"]["arguments"])
    if not all(isinstance(text, str) for text in call[:3]):
        raise TypeError
    return call


@late_dataclass(frozen=True)
class Tool:
    """Declaration of a function that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any] = field(hash=False)
    """JSON schema of the arguments, an object."""

    def to_dict(self) -> dict[str, Any]:
        """Return the form of chat APIs (OpenAI API reference, "Create chat completion": tools)."""
        described = {"name": self.name, "description": self.description, "parameters": dict(self.parameters)}
        return {"type": "function", "function": described}


@late_dataclass(frozen=True)
class ModelInfo:
    """A model and its limits; None where a limit is unknown."""

    id: str
    name: str = ""
    max_length: int | None = None
    """Maximum length of all messages together (characters)."""
    token_limit: int | None = None
    """Maximum length of all messages together (tokens)."""
    takes_images: bool | None = None
    """Whether the model accepts images; None uses the provider's default."""
    kind: str = ""
    """What a model that is not for chat is for, such as ``"embedding"``; it is listed, but never a default."""
    owned_by: str = ""
    """Owner in the server's words; local servers name themselves here."""


@late_dataclass(frozen=True)
class Usage:
    """Token counts reported by the provider; None where it reported none."""

    prompt_tokens: int | None = None
    """Tokens of the whole request, including cached ones."""
    completion_tokens: int | None = None
    """Tokens of the answer, including reasoning."""
    reasoning_tokens: int | None = None
    cached_tokens: int | None = None
    """Tokens of the request read from the service's prompt cache."""
    cache_write_tokens: int | None = None
    """Tokens of the request written to that cache."""
    cache_write_1h_tokens: int | None = None
    """Those of them that stay there for an hour, which cost more."""

    def to_dict(self) -> dict[str, int]:
        """Return the counts that were reported."""
        return {f.name: count for f in fields(self) if (count := getattr(self, f.name)) is not None}

    def __add__(self, other: Usage) -> Usage:
        counts = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Usage(*(a if b is None else b if a is None else a + b for a, b in counts))


class Delta(NamedTuple):
    """One step of a reply. A named tuple: one is made for each token, and a dataclass takes four times as long."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    """``"stop"``, ``"length"``, ...; ``"truncated"`` when the stream ended without its end mark."""
    usage: Usage | None = None
    notice: str = ""
    """Remark of the toolkit, not part of the reply, such as "retrying in 3 s"."""
    calls: tuple[ToolCall, ...] = ()
    """Tool calls that the model requested; with their results once called."""
    parts: tuple[ImagePart | CitationPart, ...] = ()
    """Images that the model made and sources that it cites; they come after the text of this step."""
    model: str = ""
    """Model that answers, in the server's words."""
    retracts: bool = False
    """True if the text so far was reasoning, as a late closing tag shows: the text begins anew with `text`."""
    begins_round: bool = False
    """True if the model has answered results with calls and nothing else; text and reasoning show a round anyway."""
    opaque: OpaqueData | None = None
    """Data of the service that go back with the answer: fields of its message by name."""
    is_replayed: bool = False
    """True if a cassette asked for these calls: none of them is made."""

    @property
    def has_content(self) -> bool:
        """Whether the model has said or asked for anything in this step; white space is nothing."""
        said = self.text.strip() or self.reasoning.strip() or self.calls
        return bool(said) or any(isinstance(part, ImagePart) for part in self.parts)


NOTHING_ELSE = Delta()[1:]
"""What a step of text and nothing else holds behind its text; nearly all steps are such."""


@late_dataclass(frozen=True)
class CellOrigin:
    """Origin of a prompt in a notebook: cell, execution, and whether output is live."""

    cell_id: str | None = None
    """Cell of the prompt; its earlier turn is replaced."""
    run: str | None = None
    """Execution of that cell; one execution may hold several turns."""
    watched: bool = False
    """True if output is live; cassettes then replay at recorded speed."""


Asker = tuple[str, str]
"""Id of a notebook cell, and of its execution."""


@late_dataclass(frozen=True)
class ChatRequest:
    """Complete request to a provider; a provider needs no other state.

    `messages` may be given as dicts; a system prompt comes first among them, as role ``"system"``.
    """

    model: str
    messages: tuple[Message, ...]
    params: Mapping[str, Any] = field(default_factory=dict, hash=False)
    stream: bool = True
    tools: tuple[Tool, ...] = ()
    """Tools that the model may call."""
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    """JSON schema that the reply must match, for services that enforce one; the prompt states it, too."""
    conversation_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    """UUID4, constant for one conversation."""
    cancellation: Cancellation = field(default_factory=Cancellation, compare=False, repr=False)
    origin: CellOrigin = field(default=CellOrigin(), compare=False, repr=False)
    """Notebook cell of the prompt; empty outside notebooks."""
    report: CassetteReport = field(default_factory=CassetteReport, compare=False, repr=False)
    """What a cassette tells of this request and of the others of its reply."""

    def __post_init__(self) -> None:
        messages: tuple[Message | Mapping[str, Any], ...] = tuple(self.messages)
        if {*map(type, messages)} - {Message}:  # a long conversation is one of messages already
            messages = tuple(Message.of(m) for m in messages)
        object.__setattr__(self, "messages", messages)
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without what belongs to one reply in one process."""
        return {**vars(self), "params": dict(self.params), "cancellation": None, "report": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        params = MappingProxyType(state["params"])
        vars(self).update(state, params=params, cancellation=Cancellation(), report=CassetteReport())

    @cached_property
    def rich_messages(self) -> tuple[Message, ...]:
        """The messages that are more than text; see `Message.is_plain`."""
        return tuple(message for message in self.messages if not message.is_plain)

    @property
    def tool_schemas(self) -> dict[str, Mapping[str, Any]]:
        """JSON schemas of the arguments of the functions that the model may call, by their names."""
        return {tool.name: tool.parameters for tool in self.tools}

    @property
    def system(self) -> str:
        """The system prompt, ``""`` if there is none."""
        return "\n\n".join(m.content for m in self.messages if m.role == "system")

    @property
    def asker(self) -> Asker | None:
        """Cell and execution; a cassette may give a cell that runs again the same answer."""
        return (self.origin.cell_id, self.origin.run) if self.origin.cell_id and self.origin.run else None

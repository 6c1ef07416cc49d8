"""Preview of a request as text, for `--dry-run`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Protocol

from ..conversation.messages import ChatRequest, Message, Tool
from ..conversation.token_estimate import estimate_tokens
from ..language import _
from ..providers.address import display_address
from ..security.exits import clean_plain_form
from .text import to_one_line, truncate

MAX_URL_LENGTH = 60
"""Characters of an image's URL."""


class RequestTarget(Protocol):
    """What the preview shows of a provider."""

    @property
    def name(self) -> str:
        """Name of the provider."""

    @property
    def url(self) -> str:
        """Default base URL."""

    @property
    def base_url(self) -> str:
        """Base URL in use."""

    @property
    def auth(self) -> object:
        """The credential, if there is one."""

    @property
    def needs_auth(self) -> bool:
        """Whether the service needs a credential."""


def describe_request(
    target: RequestTarget,
    request: ChatRequest,
    left_out: int = 0,
    notes: Sequence[str] = (),
    cassette: str = "",
    *,
    too_long: str = "",
    counted: str = "",
) -> str:
    """Describe what `request` would send; credentials are redacted.

    Args:
        target: The provider that would get the request.
        request: The request.
        left_out: Number of older turns that do not fit into the context window.
        notes: What was left out of files and values, one line each.
        cassette: Description of the active cassette, if there is one.
        too_long: Why the prompt does not fit; nothing would be sent then.
        counted: What the service answered when it was asked for the number of tokens; empty if it was not asked.
    """
    params = json.dumps(dict(request.params), ensure_ascii=False, default=repr)
    lines = [
        _("Sent to be counted only. The request:") if counted else _("Nothing was sent. The request:"),
        *([_("too long: {too_long}", too_long=too_long)] if too_long else []),
        f"to: {target.name}:{request.model or '(its default model)'}{_address(target)}",
        f"credential: {_credential_state(target)}",
        *([f"cassette: {cassette}"] if cassette else []),
        *([f"parameters: {params}"] if request.params else []),
        *([_("left out to fit: {count}", count=_count(left_out, "older turn"))] if left_out else []),
        *(f"note: {note}" for note in notes),
        f"total: {_format_total(request.messages, request.tools)}",
        *([_("counted by the service: {counted}", counted=counted)] if counted else []),
    ]
    details = [line for message in request.messages for line in _format_message(message)]
    details += [line for tool in request.tools for line in _format_tool(tool)]
    return clean_plain_form("\n".join([*lines, *details]))


def _address(target: RequestTarget) -> str:
    return f" at {display_address(target.base_url)}" if target.base_url else ""


def _credential_state(target: RequestTarget) -> str:
    if target.auth:
        return "given"
    return "missing" if target.needs_auth and target.base_url == target.url else "none"


def _format_message(message: Message) -> Iterator[str]:
    yield ""
    yield f"{message.role} ({_format_size([message])}):"
    if message.content:
        yield indent(message.content, "    ", lambda _unused: True)
    for document in message.documents:
        yield f"    document: {to_one_line(document.label)}, {document.media_type}"
    for number, url in enumerate(message.images, 1):
        more = f"… ({len(url):,} characters)" if len(url) > MAX_URL_LENGTH else ""
        yield f"    image {number}: {to_one_line(truncate(url, MAX_URL_LENGTH))}{more}"
    for call in message.calls:
        yield f"    call: {to_one_line(str(call))}"


def _format_tool(tool: Tool) -> Iterator[str]:
    yield ""
    yield f"function {tool.name} ({_format_size(tools=[tool])}):"
    yield indent(json.dumps(tool.to_dict(), ensure_ascii=False, indent=2, default=repr), "    ")


def _format_total(messages: Sequence[Message], tools: Sequence[Tool]) -> str:
    functions = [_count(len(tools), "function")] if tools else []
    return ", ".join([_count(len(messages), "message"), *functions, _format_size(messages, tools)])


def _format_size(messages: Sequence[Message] = (), tools: Sequence[Tool] = ()) -> str:
    schemas = [json.dumps(tool.to_dict(), ensure_ascii=False, default=repr) for tool in tools]
    characters = sum(one.characters for one in messages) + sum(map(len, schemas))
    tokens = sum(one.estimated_tokens for one in messages) + sum(map(estimate_tokens, schemas))
    images = sum(len(m.images) for m in messages)
    documents = sum(len(m.documents) for m in messages)
    shown = [_count(images, "image")] if images else []
    shown += [_count(documents, "document")] if documents else []
    return ", ".join([_count(characters, "character"), *shown, f"about {_count(tokens, 'token')}"])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

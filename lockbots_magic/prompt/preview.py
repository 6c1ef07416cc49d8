"""What would be sent, in words: for `--dry-run`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from textwrap import indent

from ..conversation.context_window import estimate_message_tokens, estimate_tokens
from ..conversation.messages import ChatRequest, Message, Tool
from ..providers.base import Provider
from ..security.control_characters import printable
from ..security.secrets import redacted
from .text import begun, one_line

SHOWN_OF_URL = 60
"""Characters of an image's address that are shown."""


def described(
    provider: Provider,
    request: ChatRequest,
    left_out: int = 0,
    notes: Sequence[str] = (),
    cassette: str = "",
    *,
    too_long: str = "",
) -> str:
    """Return what `request` would send to `provider`, as text; credentials are redacted.

    Args:
        provider: who would be asked.
        request: what would be sent.
        left_out: how many older turns do not fit.
        notes: what was cut from files and values, a line each.
        cassette: the cassette that stands before the provider, in words.
        too_long: why not even the prompt fits, in words; nothing would be sent then.
    """
    params = json.dumps(dict(request.params), ensure_ascii=False, default=repr)
    lines = [
        "nothing was sent; this would be:",
        *([f"does not fit: {too_long}"] if too_long else []),
        f"to: {provider.name}:{request.model or '(its default model)'}{_place(provider)}",
        f"credential: {_credential(provider)}",
        *([f"cassette: {cassette}"] if cassette else []),
        *([f"parameters: {params}"] if request.params else []),
        *([f"left out to fit: {_many(left_out, 'older turn')}"] if left_out else []),
        *(f"note: {note}" for note in notes),
        f"in all: {_in_all(request.messages, request.tools)}",
    ]
    told = [line for message in request.messages for line in _message(message)]
    told += [line for tool in request.tools for line in _tool(tool)]
    return redacted(printable("\n".join([*lines, *told])))


def _place(provider: Provider) -> str:
    return f" at {provider.base_url}" if provider.base_url else ""


def _credential(provider: Provider) -> str:
    if provider.auth:
        return "given"
    return "missing" if provider.needs_auth and provider.base_url == provider.url else "none"


def _message(message: Message) -> Iterator[str]:
    yield ""
    yield f"{message.role} ({_size([message])}):"
    if message.content:
        yield indent(message.content, "    ", lambda _: True)
    for number, url in enumerate(message.images, 1):
        more = f"… ({len(url):,} characters)" if len(url) > SHOWN_OF_URL else ""
        yield f"    image {number}: {one_line(begun(url, SHOWN_OF_URL))}{more}"


def _tool(tool: Tool) -> Iterator[str]:
    yield ""
    yield f"function {tool.name} ({_size(tools=[tool])}):"
    yield indent(json.dumps(tool.to_dict(), ensure_ascii=False, indent=2, default=repr), "    ")


def _in_all(messages: Sequence[Message], tools: Sequence[Tool]) -> str:
    functions = [_many(len(tools), "function")] if tools else []
    return ", ".join([_many(len(messages), "message"), *functions, _size(messages, tools)])


def _size(messages: Sequence[Message] = (), tools: Sequence[Tool] = ()) -> str:
    schemas = [json.dumps(tool.to_dict(), ensure_ascii=False, default=repr) for tool in tools]
    characters = sum(len(m.content) for m in messages) + sum(map(len, schemas))
    tokens = sum(map(estimate_message_tokens, messages)) + sum(map(estimate_tokens, schemas))
    images = sum(len(m.images) for m in messages)
    pictures = [_many(images, "image")] if images else []
    return ", ".join([_many(characters, "character"), *pictures, f"about {_many(tokens, 'token')}"])


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

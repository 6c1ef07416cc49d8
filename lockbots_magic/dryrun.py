"""What would be sent, in words: for `--dry-run`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from textwrap import indent

from .conversation import tokens_of
from .messages import ChatRequest, Message, Tool
from .plaintext import printable
from .providers.base import Provider
from .providers.secrets import redacted

SHOWN_OF_URL = 60
"""Characters of an image's address that are shown."""


def described(provider: Provider, request: ChatRequest, left_out: int = 0, notes: Sequence[str] = ()) -> str:
    """Return what `request` would send to `provider`, as text; credentials are redacted.

    Args:
        provider: who would be asked.
        request: what would be sent.
        left_out: how many older turns do not fit.
        notes: what was cut from files and values, a line each.
    """
    lines = [
        "nothing was sent; this would be:",
        f"to: {provider.name}:{request.model or '(its default model)'}{_place(provider)}",
        f"credential: {_credential(provider)}",
        *(
            [f"parameters: {json.dumps(dict(request.params), ensure_ascii=False, default=repr)}"]
            if request.params
            else []
        ),
        *([f"left out to fit: {_many(left_out, 'older turn')}"] if left_out else []),
        *(f"cut: {note}" for note in notes),
        *_tools(request.tools),
        f"in all: {_size(request.messages)}",
    ]
    told = [line for message in request.messages for line in _message(message)]
    return redacted(printable("\n".join([*lines, *told])))


def _place(provider: Provider) -> str:
    return f" at {provider.base_url}" if provider.base_url else ""


def _credential(provider: Provider) -> str:
    if provider.auth:
        return "given"
    return "missing" if provider.needs_auth and provider.base_url == provider.url else "none"


def _tools(tools: Iterable[Tool]) -> Iterator[str]:
    for tool in tools:
        yield f"function: {tool.name}({', '.join(tool.parameters.get('properties', {}))}) {tool.description}".rstrip()


def _message(message: Message) -> Iterator[str]:
    yield ""
    yield f"{message.role} ({_size([message])}):"
    yield indent(message.content, "    ", lambda _: True)
    for number, url in enumerate(message.images, 1):
        more = f"… ({len(url):,} characters)" if len(url) > SHOWN_OF_URL else ""
        yield f"    image {number}: {url[:SHOWN_OF_URL]}{more}"


def _size(messages: Sequence[Message]) -> str:
    characters = sum(len(m.content) for m in messages)
    images = sum(len(m.images) for m in messages)
    return ", ".join(
        [
            *([_many(len(messages), "message")] if len(messages) > 1 else []),
            _many(characters, "character"),
            *([_many(images, "image")] if images else []),
            f"about {_many(sum(map(tokens_of, messages)), 'token')}",
        ]
    )


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

"""Preview of a request as text, for `--dry-run`. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from textwrap import indent
from typing import Protocol

from ..conversation.messages import ChatRequest, Message, Tool
from ..conversation.token_estimate import estimate_tokens
from ..language import _, ngettext, pgettext
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
    default = _("(its default model)")
    model = f"{target.name}:{request.model or default}{_address(target)}"
    lines = [
        _("Sent to be counted only. The request:") if counted else _("Nothing was sent. The request:"),
        *([_("too long: {too_long}", too_long=too_long)] if too_long else []),
        _("to: {model}", model=model),
        _("credential: {state}", state=_credential_state(target)),
        *([_("cassette: {cassette}", cassette=cassette)] if cassette else []),
        *([_("parameters: {params}", params=params)] if request.params else []),
        *([_left_out(left_out)] if left_out else []),
        *(_("note: {note}", note=note) for note in notes),
        _("total: {size}", size=_format_total(request.messages, request.tools)),
        *([_("counted by the service: {counted}", counted=counted)] if counted else []),
    ]
    details = [line for message in request.messages for line in _format_message(message)]
    details += [line for tool in request.tools for line in _format_tool(tool)]
    return clean_plain_form("\n".join([*lines, *details]))


def _address(target: RequestTarget) -> str:
    return _(" at {address}", address=display_address(target.base_url)) if target.base_url else ""


def _credential_state(target: RequestTarget) -> str:
    if target.auth:
        return pgettext("a credential", "given")
    is_missing = target.needs_auth and target.base_url == target.url
    return pgettext("a credential", "missing") if is_missing else pgettext("a credential", "none")


def _left_out(turns: int) -> str:
    return ngettext("left out to fit: {n:,} older turn", "left out to fit: {n:,} older turns", turns)


def _format_message(message: Message) -> Iterator[str]:
    yield ""
    yield f"{message.role} ({_format_size([message])}):"
    if message.content:
        yield indent(message.content, "    ", lambda _unused: True)
    for document in message.documents:
        label = _("document: {label}, {kind}", label=to_one_line(document.label), kind=document.media_type)
        yield f"    {label}"
    for number, url in enumerate(message.images, 1):
        more = f"… ({_characters(len(url))})" if len(url) > MAX_URL_LENGTH else ""
        label = _("image {number}", number=number)
        yield f"    {label}: {to_one_line(truncate(url, MAX_URL_LENGTH))}{more}"
    for call in message.calls:
        label = _("call: {call}", call=to_one_line(str(call)))
        yield f"    {label}"


def _format_tool(tool: Tool) -> Iterator[str]:
    yield ""
    yield _("function {name} ({size}):", name=tool.name, size=_format_size(tools=[tool]))
    yield indent(json.dumps(tool.to_dict(), ensure_ascii=False, indent=2, default=repr), "    ")


def _format_total(messages: Sequence[Message], tools: Sequence[Tool]) -> str:
    functions = [ngettext("{n:,} function", "{n:,} functions", len(tools))] if tools else []
    sent = ngettext("{n:,} message", "{n:,} messages", len(messages))
    return ", ".join([sent, *functions, _format_size(messages, tools)])


def _format_size(messages: Sequence[Message] = (), tools: Sequence[Tool] = ()) -> str:
    schemas = [json.dumps(tool.to_dict(), ensure_ascii=False, default=repr) for tool in tools]
    characters = sum(one.characters for one in messages) + sum(map(len, schemas))
    tokens = sum(one.estimated_tokens for one in messages) + sum(map(estimate_tokens, schemas))
    images = sum(len(m.images) for m in messages)
    documents = sum(len(m.documents) for m in messages)
    shown = [ngettext("{n:,} image", "{n:,} images", images)] if images else []
    shown += [ngettext("{n:,} document", "{n:,} documents", documents)] if documents else []
    about = _("about {text}", text=ngettext("{n:,} token", "{n:,} tokens", tokens))
    return ", ".join([_characters(characters), *shown, about])


def _characters(n: int) -> str:
    return ngettext("{n:,} character", "{n:,} characters", n)

"""Dry run: the request that a chat cell would send, as text."""

from __future__ import annotations

from ..cassette.active import cassette_of
from ..conversation.messages import ChatRequest
from ..errors import UsageError
from ..language import _, ngettext
from ..prompt.preview import describe_request
from ..providers.base import Provider
from .chat_command import ChatCell


def describe_dry_run(cell: ChatCell, *, count: bool = False) -> str:
    """Return the request that the cell would send, without sending it.

    Args:
        cell: The cell.
        count: Whether to ask the service for the number of tokens.

    Raises:
        LockbotsError: The service does not count tokens, or failed to.
    """
    provider = cell.chat.provider
    prepared, cassette = cell.prepare(), cassette_of(provider)
    return describe_request(
        provider,
        prepared.request,
        prepared.left_out,
        cell.destination.notes,
        _("{name}, mode {mode}", name=cassette.path.name, mode=cassette.mode) if cassette else "",
        too_long=str(prepared.too_long or ""),
        counted=_count_tokens(provider, prepared.request) if count and not prepared.too_long else "",
    )


def _count_tokens(provider: Provider, request: ChatRequest) -> str:
    if cassette_of(provider):
        raise UsageError(_("--count asks the service, and a cassette is active. Leave one of them out."))
    tokens = provider.count_tokens(request)
    if tokens is None:
        raise UsageError(
            _("{name} has no endpoint that counts tokens. Leave out --count for an estimate.", name=provider.name)
        )
    return ngettext("{n:,} token", "{n:,} tokens", tokens)

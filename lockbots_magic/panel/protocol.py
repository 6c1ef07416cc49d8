"""What the kernel tells a panel: turns, replies under way and settings as JSON-ready messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..conversation.usage import measure_turns, sum_tokens
from ..errors import UsageError
from ..rendering.html import render
from ..rendering.mime_bundle import made
from ..rendering.notices import notices_of
from ..security.control_characters import printable
from ..security.links import unlinked
from ..security.secrets import redacted
from .backend import PanelBackend

Message = dict[str, Any]
PAGE = 30
"""Turns that are told at a time."""


def shown_turns(conversation: Conversation) -> tuple[Turn, ...]:
    """Return the turns that a panel shows: all but failures before the first word."""
    return tuple(t for t in conversation.turns if t.is_shown)


def turn_message(turn: Turn, html: str | None = None) -> Message:
    """Tell of a turn.

    Args:
        turn: the turn.
        html: its reply as sanitised HTML, if that is there already.
    """
    usage = turn.usage
    notices = notices_of(turn)
    if turn.status == "error":
        notices.append(printable(turn.error))
    return {
        "id": turn.id,
        "prompt": printable(turn.prompt),
        "html": made(lambda: render(turn.reply), turn.reply) if html is None else html,
        "text": printable(turn.reply),
        "status": turn.status,
        "notices": [redacted(notice) for notice in notices],
        "model": printable(f"{turn.provider}:{turn.model}"),
        "usage": usage and {"prompt": usage.prompt_tokens, "completion": usage.completion_tokens},
        "stale": turn.stale,
        "cell": turn.cell_id is not None,
        "started": turn.started,
    }


def page_message(turns: Sequence[Turn], before: str | None = None) -> Message:
    """Tell of the last turns, of those before the one with the id `before` if it is given."""
    end = next((i for i, t in enumerate(turns) if t.id == before), len(turns))
    start = max(0, end - PAGE)
    return {"turns": [turn_message(t) for t in turns[start:end]], "more": start > 0}


def usage_message(conversation: Conversation) -> Message:
    """Describe the tokens of a conversation, as `%lockbots usage` counts them."""
    prompt, completion = sum_tokens(measure_turns([conversation]))
    return {
        "turns": len(shown_turns(conversation)),
        "prompt": prompt.tokens,
        "completion": completion.tokens,
        "estimated": prompt.estimated or completion.estimated,
    }


def settings_message(backend: PanelBackend) -> Message:
    """Tell who answers, and who else could."""
    try:
        provider = backend.chat().provider
        models = [{"id": m.id, "name": m.name or m.id} for m in provider.models.values()]
        takes_temperature = provider.takes("temperature")
    except Exception:  # noqa: BLE001  # the model in use can't be had: another one can be chosen
        models, takes_temperature = [], False
    return {
        "model": backend.model,
        "providers": backend.providers(),
        "models": models,
        "temperature": backend.temperature,
        "takes_temperature": takes_temperature,
        "system": backend.system,
        "usage": usage_message(backend.conversation),
    }


def conversation_message(backend: PanelBackend) -> Message:
    """Tell which conversation is open, and which could be."""
    return {
        "name": backend.conversation.name,
        "names": list(backend.conversations),
        "deleted": backend.is_deleted,
        "cells": backend.cells_talk_in,
        "unrestored": sum(len(conversation) for conversation in backend.unrestored),
    }


def format_error(error: BaseException) -> str:
    """Return what went wrong, with the name by which the page knows it; what a person has to mend has none."""
    text = str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"
    return redacted(unlinked(printable(text)))


def replace_lone_surrogates(value: Any) -> Any:
    """Return `value` with every text in it fit to be sent: half a surrogate pair is no UTF-8."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: replace_lone_surrogates(one) for name, one in value.items()}
    return [replace_lone_surrogates(one) for one in value] if isinstance(value, list) else value


@dataclass
class ReplyProgress:
    """A reply under way, as far as it has been told."""

    id: str
    prompt: str
    model: str
    replaces: str | None = None
    """The id of the turn whose place it takes."""
    finished: list[str] = field(default_factory=list)
    open: str = ""
    notice: str = ""
    n: int = 0
    """How many frames were told."""

    def message(self) -> Message:
        """Tell of it to who comes in the middle."""
        return {
            "id": self.id,
            "prompt": printable(self.prompt),
            "model": printable(self.model),
            "replaces": self.replaces,
            "finished": "".join(self.finished),
            "open": self.open,
            "notice": self.notice,
            "n": self.n,
        }

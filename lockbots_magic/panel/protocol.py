"""Messages from the kernel to the views of a panel, as JSON-ready dicts.

Each message has a `type`. A message with a `view` is for that view only; all others are for every view.

=============== ======================================================================================
`snapshot`      Full state: conversation, last turns, reply in progress, `busy`, settings.
`earlier`       Turns before the turn `before`.
`begin`         A reply has started. `replaces`: id of the turn it will replace.
`frame`         Next piece of the reply `id`: `finished` HTML to append, `open` HTML to redraw, `notice`.
`end`           The reply `id` has become `turn`, or None with the reason in `text`.
`turn`          A turn was added elsewhere: put it in place of `replaces`, or after the turn `after`.
`busy`          ``"here"``, ``"elsewhere"`` (a cell) or ``""``.
`approval`      A tool call waits for an answer (`is_open`), or no longer: its whole text is the `question`.
`usage`         Token counts of the conversation.
`settings`      Model, providers, temperature, system prompt; `address`: base URL, None for a model that has none.
`models`        Models of a provider, or the `error` of listing them.
`found`         Turns that a search has found: see `search.found_message`.
`conversations` Names of the conversations and which one is open; `branches` by the id of the turn where they part;
                `apart` if this is a branch of the conversation that cells use, or the other way round.
`notification`  Text to show; with `refused`, the request that failed.
`ack`           A slow request, or a `ping`, was received.
`saved`         Digest of the transcript output below the panel.
`transcript`    The transcript output itself.
=============== ======================================================================================

`begin`, `frame` and `end` of a reply are numbered by `seq`, so that a view detects lost and repeated messages.
`html`, `reasoning`, `finished`, `open` and `rest` are sanitised HTML; every other string is plain text. Text is not
cleaned here but in `ViewSync.send`, on the whole message.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..conversation.conversation import Conversation
from ..conversation.messages import ModelInfo
from ..conversation.model_names import display_name
from ..conversation.turn import Turn
from ..conversation.usage import measure_tokens_of_turns, sum_tokens
from ..errors import UsageError
from ..language import _
from ..providers.address import display_address
from ..rendering import calls
from ..rendering.attachments import attachments_of
from ..rendering.notices import document_notices, notices_of
from ..rendering.reasoning import reasoning_html
from .backend import PanelBackend
from .branches import find_branches

PanelMessage = dict[str, Any]
MAX_SENT_TURNS = 30
"""Turns in one message; views ask for earlier ones as needed."""
MAX_IMAGES = 12_000_000
"""Length (characters) of the images in one message; of the others, only the label in the text tells."""


def format_error(error: BaseException) -> str:
    """Format an error: ``Type: message``, from which the page finds its translation; a `UsageError` has no type."""
    return str(error) if isinstance(error, UsageError) else f"{type(error).__name__}: {error}"


def shown_model(name: str) -> str:
    """Return ``provider:model`` as it is shown: of a model that is a path, the last part."""
    provider, colon, model = name.partition(":")
    return f"{provider}{colon}{display_name(model)}"


def shown_turns(conversation: Conversation) -> tuple[Turn, ...]:
    """Return the turns that a panel shows: all except those that failed before the first word."""
    return tuple(t for t in conversation.turns if t.is_shown)


def reply_html(turn: Turn, max_size: int = MAX_IMAGES) -> str:
    """Return the reply of a turn as HTML, with calls, images and sources.

    Args:
        turn: The turn.
        max_size: Length (characters) that its images may have together.
    """
    return calls.reply_html(turn) + attachments_of(turn, max_size=max_size).html


def turn_message(turn: Turn, html: str | None = None) -> PanelMessage:
    """Describe a turn.

    Args:
        turn: The turn.
        html: Its reply as HTML; rendered here by default.

    Returns:
        The turn's part of a message.
    """
    usage = turn.usage
    notices = [*document_notices(turn), *notices_of(turn)]
    if turn.status == "error":
        notices.append(turn.error)
    return {
        "id": turn.id,
        "prompt": turn.prompt,
        "html": reply_html(turn) if html is None else html,
        "reasoning": reasoning_html(turn.reasoning),
        "text": turn.reply,
        "status": turn.status,
        "notices": notices,
        "model": f"{turn.provider}:{turn.model}",
        "usage": usage
        and {
            "prompt": usage.prompt_tokens,
            "completion": usage.completion_tokens,
            "cached": usage.cached_tokens,
            "written": usage.cache_write_tokens,
        },
        "stale": turn.stale,
        "cell": turn.cell_id is not None,
        "started": turn.started,
    }


def page_message(turns: Sequence[Turn], before: str | None = None) -> PanelMessage:
    """Describe the last `MAX_SENT_TURNS` turns.

    Args:
        turns: All turns, oldest first.
        before: Id of a turn; only turns before it are described.

    Returns:
        `turns`, and in `more` whether there are earlier ones.
    """
    end = next((i for i, t in enumerate(turns) if t.id == before), len(turns))
    start = max(0, end - MAX_SENT_TURNS)
    described: list[PanelMessage] = []
    room = MAX_IMAGES
    for turn in reversed(turns[start:end]):  # the latest images are shown first
        described.insert(0, turn_message(turn, reply_html(turn, room)))
        room -= sum(len(image.url) for image in turn.made_images)
    return {"turns": described, "more": start > 0}


def usage_message(conversation: Conversation) -> PanelMessage:
    """Describe the tokens of a conversation, as `%lockbots usage` counts them."""
    prompt, completion = sum_tokens(measure_tokens_of_turns([conversation]))
    return {
        "turns": len(shown_turns(conversation)),
        "prompt": prompt.tokens,
        "completion": completion.tokens,
        "estimated": prompt.estimated or completion.estimated,
    }


def settings_message(backend: PanelBackend) -> PanelMessage:
    """Describe the model in use and its settings, and the models and providers to choose from."""
    try:
        provider = backend.chat().provider
        models = describe_models(provider.models.values())
        takes_temperature = provider.takes("temperature")
        address = display_address(provider.base_url) if provider.base_url else None
    except Exception:  # noqa: BLE001  # the model in use is unavailable; another one can still be chosen
        models, takes_temperature, address = [], False, ""
    return {
        "model": backend.model,
        "providers": backend.providers(),
        "models": models,
        "temperature": backend.temperature,
        "takes_temperature": takes_temperature,
        "system": backend.system,
        "address": address,
        "usage": usage_message(backend.conversation),
    }


def describe_models(models: Iterable[ModelInfo]) -> list[dict[str, str]]:
    """Describe models for a menu; a model without a name is shown by its id. The catalogue has names of our own."""
    return [{"id": model.id, "name": _(model.name) or model.id} for model in models]


def conversations_message(backend: PanelBackend) -> PanelMessage:
    """Describe the conversations: their names, which one is open, and which one cells use."""
    branches = find_branches(backend.conversation, list(backend.conversations.values()), backend.families)
    return {
        "name": backend.conversation.name,
        "names": list(backend.conversations),
        "deleted": backend.is_deleted,
        "cells": backend.cell_conversation,
        "unrestored": sum(len(conversation) for conversation in backend.unrestored),
        **({"branches": branches} if branches else {}),
        **({"apart": True} if backend.is_apart else {}),
    }


@dataclass
class ReplyProgress:
    """A reply in progress: what the views have received of it."""

    id: str
    prompt: str
    model: str
    view: str = ""
    """The view that sent the prompt."""
    replaces: str | None = None
    """Id of the turn that the reply will replace."""
    finished: list[str] = field(default_factory=list)
    open: str = ""
    notice: str = ""
    seq: int = 0
    """Number of frames sent."""

    def begin_message(self) -> PanelMessage:
        """Return the message that has the views show the reply so far."""
        return {"type": "begin", "reply": self.message(), "replaces": self.replaces}

    def message(self) -> PanelMessage:
        """Describe the reply so far, for a view that opens in the middle of it."""
        return {
            "id": self.id,
            "prompt": self.prompt,
            "model": self.model,
            "replaces": self.replaces,
            "finished": "".join(self.finished),
            "open": self.open,
            "notice": self.notice,
            "seq": self.seq,
            "from": self.view,
        }

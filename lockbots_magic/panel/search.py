"""Search of a panel: in its conversations, and in the log if it is on."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

from ..conversation.conversation import Conversation
from ..storage.log import LogHit
from ..storage.log.query import SearchQuery, parse_query
from ..storage.log.snippet import snippet_parts
from .backend import PanelBackend
from .protocol import PanelMessage, format_error, shown_model, shown_turns

MAX_FOUND = 30
"""Turns that are found at most: in the conversations, and in the log."""


def found_message(backend: PanelBackend, view: str, words: str) -> PanelMessage:
    """Search, and describe what was found.

    Each of `hits` has the id of its `turn`, the `name` of its conversation, and its `snippet` as a list of texts, each
    with whether it is a word that was searched for. One that the log alone has is `logged`, with its `day` and `place`.
    `log` says whether the log was searched, and `error` why it could not be.

    Args:
        backend: What the panel works on.
        view: The view that searches.
        words: What was typed.
    """
    query = parse_query(words, unfinished=True)
    hits = list(_found_here(backend.conversations.values(), query)) if query.expression else []
    message: PanelMessage = {"type": "found", "view": view, "words": words, "log": False, "error": ""}
    try:
        logged = backend.search_log(words, MAX_FOUND)
    except Exception as error:  # noqa: BLE001  # every failure is shown in the panel
        return {**message, "hits": hits, "error": format_error(error)}
    here = {hit["turn"] for hit in hits}
    more = [_describe_logged(hit, query) for hit in logged or () if hit.id not in here]
    return {**message, "hits": [*hits, *more], "log": logged is not None}


def _found_here(conversations: Iterable[Conversation], query: SearchQuery) -> Iterator[PanelMessage]:
    """Yield turns of conversations, the latest first; a turn that a fork shares once."""
    found: dict[str, PanelMessage] = {}
    for conversation in conversations:
        for turn in shown_turns(conversation):
            if turn.id not in found and query.is_in(f"{turn.prompt}\n{turn.reply}"):
                snippet = snippet_parts([turn.prompt, turn.reply], query)
                hit = {"turn": turn.id, "name": conversation.name, "snippet": snippet, "logged": False}
                found[turn.id] = {**hit, "started": turn.started}
    yield from sorted(found.values(), key=lambda hit: -hit["started"])[:MAX_FOUND]


def _describe_logged(hit: LogHit, query: SearchQuery) -> PanelMessage:
    turn = hit.turn
    return {
        "turn": turn.id,
        "name": "",
        "snippet": snippet_parts([turn.prompt, turn.reply], query),
        "logged": True,
        "started": turn.started,
        "day": f"{datetime.datetime.fromtimestamp(turn.started):%Y-%m-%d}",
        "place": hit.notebook or shown_model(f"{turn.provider}:{turn.model}"),
    }

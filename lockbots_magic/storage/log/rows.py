"""A turn as a row of the log, and back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...conversation.attachments import ImagePart
from ...conversation.commits import CommittedTurn
from ...conversation.documents import SentDocument
from ...conversation.ordering import format_order
from ...conversation.parts import Part, Round
from ...conversation.turn import Turn
from ...conversation.usage import TurnUsage, measure_turn
from ...language import ngettext
from ...security.control_characters import replace_surrogates
from ...security.exits import clean_metadata
from ..output_metadata import turn_to_json
from .stems import stems_of

COLUMNS = (
    *("id", "conversation_id", "started", "provider", "model", "status", "notebook", "folder"),
    *("prompt_tokens", "completion_tokens", "estimated", "cost", "serial", "history", "elapsed", "address"),
    *("prompt", "reply", "reasoning", "system", "error", "attachments", "details", "stems"),
)
_TEXTS = ("prompt", "reply", "reasoning", "system", "error", "provider", "model", "status", "address")
_NUMBERS = ("started", "elapsed")
_LEFT_OUT = {"id", "images", "documents", *_TEXTS, *_NUMBERS}
"""Fields of a turn that have columns of their own, or are not kept."""


@dataclass(frozen=True)
class LogRecord:
    """A turn to be written: without credentials, attachments by name and digest only."""

    conversation: Mapping[str, Any] | None
    """Its `id`, `name` and `system`; None for a turn outside every conversation."""
    row: Mapping[str, Any]
    """Columns that are known before the turn is written."""
    committed: CommittedTurn


def make_record(committed: CommittedTurn, notebook: Path | None = None) -> LogRecord:
    """Return what the log keeps of a turn, in the thread that made it: credentials in use now are masked.

    Args:
        committed: The turn.
        notebook: The notebook in which it was made, if it is known.
    """
    entry, turn = committed.entry, committed.turn
    data, described = turn_to_json(_without_attachments(turn))
    details = {name: value for name, value in data.items() if name not in _LEFT_OUT}
    row: dict[str, Any] = {
        **{name: data.get(name, "") for name in _TEXTS},
        "reasoning": turn.reasoning,
        "status": turn.status,
        "notebook": notebook.name if notebook else "",
        "folder": str(notebook.parent) if notebook else "",
        "attachments": [
            *(_describe_image(url) for url in (*turn.images, *(one.url for one in turn.made_images))),
            *map(_describe_document, turn.documents),
        ],
        "details": {**details, **({"described": described} if described else {})},
    }
    info = entry.info
    conversation = {"id": info.id, "name": info.name, "system": info.system} if info else None
    conversation, row = clean_metadata([conversation, row])
    row |= {"id": replace_surrogates(turn.id), "serial": entry.serial, "history": format_order(entry.order)}
    row |= {name: float(getattr(turn, name)) for name in _NUMBERS}
    return LogRecord(conversation, row, committed)


def complete_row(record: LogRecord, prices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole row: with tokens, cost and stems, which take time. Called by the writer's thread.

    Args:
        record: The turn.
        prices: The user's own prices, see `find_price`.
    """
    row, used = dict(record.row), _measure(record.committed, prices)
    return {
        **row,
        "conversation_id": record.conversation["id"] if record.conversation else None,
        "prompt_tokens": used.prompt.tokens,
        "completion_tokens": used.reply.tokens,
        "estimated": int(used.estimated),
        "cost": used.cost,
        "attachments": json.dumps(row["attachments"], ensure_ascii=False),
        "details": json.dumps(row["details"], ensure_ascii=False),
        "stems": stems_of(row["prompt"], row["reply"], row["notebook"]),
    }


def _measure(committed: CommittedTurn, prices: Mapping[str, Any]) -> TurnUsage:
    turn, context = committed.turn, 0
    if turn.usage is None or turn.usage.prompt_tokens is None:
        context = sum(one.estimated_tokens for one in committed.messages[:-1] if one.role != "system")
    return measure_turn(turn, context, prices)


def _without_attachments(turn: Turn) -> Turn:
    """Return the turn without the pictures and documents that it holds: they are kept by name and digest."""
    rounds = tuple(Round(tuple(_without_image(part) for part in one.parts)) for one in turn.rounds)
    return replace(turn, images=(), documents=(), rounds=rounds)


def _without_image(part: Part) -> Part:
    is_embedded = isinstance(part, ImagePart) and part.url.startswith("data:")
    return ImagePart(omitted="not kept in the log") if is_embedded else part


def _describe_image(url: str) -> dict[str, Any]:
    """Return an image by its name and digest: its address, or its type where the URL holds it."""
    head, is_embedded, data = url.partition(",") if url.startswith("data:") else (url, "", "")
    if not is_embedded:
        return {"name": url}
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        content = data.encode("utf-8", "replace")
    name = head.removeprefix("data:").partition(";")[0]
    return {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _describe_document(document: SentDocument) -> dict[str, Any]:
    described = {"name": document.name, "type": document.media_type}
    return described | (_describe_image(document.url) | described if document.has_file else {"sha256": document.digest})


def turn_from_row(row: sqlite3.Row) -> Turn:
    """Return the turn of a row; what another program has damaged in it is left out."""
    try:
        details = json.loads(row["details"])
    except (ValueError, RecursionError):
        details = {}
    details = details if isinstance(details, dict) else {}
    data = {name: row[name] for name in (*_TEXTS, *_NUMBERS, "id") if row[name] not in ("", None)}
    data["prompt"] = row["prompt"] or ""
    try:
        turn = Turn.from_dict({**details, **data})
    except (ValueError, TypeError, AttributeError, LookupError):
        turn = Turn.from_dict({name: str(row[name] or "") for name in ("prompt", "reply", "id", "provider", "model")})
    kept = _attachments(row["attachments"])
    if not kept:
        return turn
    remark = ngettext("not kept in the log: {n} attachment", "not kept in the log: {n} attachments", len(kept))
    return replace(turn, remarks=(*turn.remarks, remark))


def _attachments(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []

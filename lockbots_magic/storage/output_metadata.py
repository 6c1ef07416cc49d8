"""Metadata of an output that records its conversation: written, and read back. No I/O."""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ..conversation.history_entry import MAX_FORMER_IDS, ConversationInfo, HistoryEntry
from ..conversation.ordering import format_order, parse_order
from ..conversation.shown_text import shown_text
from ..conversation.turn import MAX_ID, MAX_INTEGER, Turn, is_id, is_time, is_valid_field
from ..language import _
from ..late_dataclass import late_dataclass
from ..security.exits import clean_metadata, clean_plain_form

KEY = "lockbots"
"""Key of the record in the metadata of an output."""
VERSION = 1
MAX_FILE_DATA = 4_000_000
"""Size (characters of base64) of the documents of one turn up to which a notebook holds them as files."""
MAX_DEPTH = 20
"""Maximum number of levels of lists and dicts in a parameter."""

OrderParser = Callable[[str], tuple[int, ...]]


class NewerRecordError(ValueError):
    """A later release wrote the record."""


@late_dataclass(frozen=True)
class OutputRecord:
    """A history entry as an output holds it."""

    entry: HistoryEntry
    cell: str | None = None
    """Id of the cell that ran."""
    source: str = ""
    """Digest of the source that ran; `""` if unknown."""
    shown: str = ""
    """Digest of the reply as plain text."""
    described: tuple[str, ...] = ()
    """Parameters of the turn that are not JSON, by their types: ``"df: <DataFrame>"``."""


def digest(text: str) -> str:
    """Return a short digest of `text`, regardless of its line ends and of blank lines around it."""
    lines = "\n".join(text.strip().splitlines())
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()[:16]


def metadata(entry: HistoryEntry, cell: str | None = None, source: str = "") -> dict[str, Any]:
    """Return the JSON-ready metadata of an output that holds `entry`, without credentials; empty if there are none.

    Args:
        entry: What to keep.
        cell: Id of the cell that runs.
        source: Source of that cell; `""` if unknown.
    """
    record = _record(entry, cell, source)
    return {KEY: clean_metadata(record)} if record else {}


def metadata_of_several(entries: Iterable[HistoryEntry]) -> dict[str, Any]:
    """Return the metadata of an output that holds several entries, none of them of the cell that shows it."""
    records = [record for entry in entries if (record := _record(entry))]
    return {KEY: clean_metadata(records)} if records else {}


def parse_record(data: Any, parse: OrderParser = parse_order) -> OutputRecord:
    """Return the record that `metadata` made: the value under `KEY`, or one of the list there.

    Args:
        data: The record.
        parse: Reads the order of its conversation.

    Raises:
        NewerRecordError: If a later release made it.
        ValueError: If it is damaged.
    """
    try:
        version = data["version"]
        if type(version) is not int or version < VERSION:
            raise ValueError(_("version {version!r:.40}", version=version))
        if version > VERSION:
            raise NewerRecordError(
                _(
                    "the record has version {version}, this release reads version {known}",
                    version=version,
                    known=VERSION,
                )
            )
        turn = _parse_turn(data["turn"]) if "turn" in data else None
        is_lone = turn is not None and data.get("conversation") is None and "order" not in data
        entry = HistoryEntry(None, turn) if is_lone else _parse_entry(data, turn, parse)
        cell = turn.cell_id if turn and "cell" not in data else None if data["cell"] is None else _text(data["cell"])
        described = tuple(f"{_text(k)}: {_text(v)}" for k, v in data.get("described", {}).items())
        return OutputRecord(entry, cell, _text(data.get("source", "")), _text(data.get("shown", "")), described)
    except NewerRecordError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(_("the record is damaged: {error}", error=error)) from None


def _record(entry: HistoryEntry, cell: str | None = None, source: str = "") -> dict[str, Any]:
    turn = entry.turn if entry.turn and entry.turn.is_shown else None
    if entry.info is None and turn is None:
        return {}
    data: dict[str, Any] = {"version": VERSION}
    if entry.info is not None:
        data |= {"conversation": _describe_info(entry.info), "order": _format_order(entry.order), "made": entry.made}
        data |= {"stale": _format_order(entry.stale)} if entry.stale else {}
        data |= {"deleted": True} if entry.deleted else {}
    if turn is not None:
        data |= {**_describe_turn(turn), **({"serial": entry.serial} if entry.info else {})}
    if turn is None or turn.cell_id != cell:
        data["cell"] = cell
    return {**data, **({"source": digest(source)} if source else {})}


def turn_to_json(turn: Turn) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields of a turn that can be read again, and its parameters that are not JSON, by their types."""
    params = {str(name): _json_or_type(value) for name, value in turn.params.items()}
    plain = {name: value for name, (is_json, value) in params.items() if is_json}
    described = {name: value for name, (is_json, value) in params.items() if not is_json}
    if params or turn.stale:
        turn = replace(turn, params=plain, stale=False)  # the entry knows which turns are stale
    given = turn.to_dict()
    return {name: value for name, value in given.items() if is_valid_field(name, getattr(turn, name))}, described


def _describe_turn(turn: Turn) -> dict[str, Any]:
    given, described = turn_to_json(_without_large_files(turn))
    shown = digest(clean_plain_form(shown_text(turn.reply)))
    given = {name: value for name, value in given.items() if value != {}}
    return {"turn": given, "shown": shown, **({"described": described} if described else {})}


def _without_large_files(turn: Turn) -> Turn:
    """Return the turn without its documents' files where they are too large for a notebook: their text stays."""
    if sum(len(document.url) for document in turn.documents) <= MAX_FILE_DATA:
        return turn
    return replace(turn, documents=tuple(document.without_file() for document in turn.documents))


def _json_or_type(value: Any) -> tuple[bool, Any]:
    """Return whether `value` is JSON, and either its JSON form or its type."""
    try:
        return True, _to_json(value)
    except ValueError:
        return False, f"<{type(value).__name__}>"


def _to_json(value: Any, depth: int = 0) -> Any:
    """Return `value` in plain JSON types.

    Raises:
        ValueError: If it is not JSON.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and abs(value) <= MAX_INTEGER:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple) and depth < MAX_DEPTH:
        return [_to_json(one, depth + 1) for one in value]
    if isinstance(value, dict) and depth < MAX_DEPTH and all(isinstance(key, str) for key in value):
        return {str(key): _to_json(one, depth + 1) for key, one in value.items()}
    raise ValueError(type(value).__name__)


@functools.lru_cache(maxsize=8)
def _format_order(serials: tuple[int, ...]) -> str:
    """Return an order as text. All entries of an exported notebook have the same one."""
    return format_order(serials)


def _describe_info(info: ConversationInfo) -> dict[str, Any]:
    data: dict[str, Any] = {"id": info.id[:MAX_ID], "name": info.name[:MAX_ID] or "main"}
    if info.system:
        data["system"] = info.system
    if info.former:
        data["former"] = list(info.former)
    return data


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(_("{value!r:.40} is not text", value=value))
    return value


def _identity(value: Any) -> str:
    if not is_id(value):
        raise ValueError(_("{value!r:.40} is not an id", value=value))
    return str(value)


def _moment(value: Any) -> float:
    if not is_time(value):
        raise ValueError(_("{value!r:.40} is not a time", value=value))
    return float(value)


def _parse_turn(data: Any) -> Turn:
    if not isinstance(data, Mapping):
        raise TypeError(_("the turn is not an object"))
    return Turn.from_dict(data)


def _parse_entry(data: Any, turn: Turn | None, parse: OrderParser) -> HistoryEntry:
    order = parse(_text(data["order"]))
    serial = data["serial"] if turn else 0
    if turn and (type(serial) is not int or serial not in order):
        raise ValueError(_("the turn is not part of its conversation"))
    if turn is None and "serial" in data:
        raise ValueError(_("the turn is missing"))
    return HistoryEntry(
        _parse_info(data["conversation"]),
        turn,
        serial,
        order,
        parse(_text(data.get("stale", ""))),
        _moment(data["made"]),
        data.get("deleted") is True,
    )


def _parse_info(data: Any) -> ConversationInfo:
    former = tuple(_identity(one) for one in data.get("former", []))
    return ConversationInfo(
        _identity(data["id"]), _identity(data["name"]), _text(data.get("system", "")), former[-MAX_FORMER_IDS:]
    )

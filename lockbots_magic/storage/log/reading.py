"""Queries of the log: search, and conversations as they were."""

from __future__ import annotations

import datetime
import sqlite3
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...conversation.conversation import Conversation
from ...conversation.history_entry import ConversationInfo, RestoredConversation
from ...conversation.ordering import parse_order
from ...conversation.turn import Turn
from ...errors import UsageError
from ...language import _
from ...schema.code_blocks import find_code_blocks
from ...security.exits import clean_text_file
from ..export_document import to_markdown
from .query import SearchQuery, parse_query
from .rows import turn_from_row
from .snippet import make_snippet

MAX_LIMIT = 1_000
"""Hits of one search."""
MAX_CODE_SCANNED = 2_000
"""Turns whose code blocks are read for one search, the best matches first."""
MIN_ID = 6
"""Characters from which the beginning of an id stands for it."""
_CHUNK = 500
"""Variables of one SQL statement."""

Moment = str | float | datetime.date


@dataclass(frozen=True)
class LogHit:
    """A turn that a search has found."""

    id: str
    """Id of the turn."""
    turn: Turn
    snippet: str
    """Part of the prompt or the reply, the words that were found between ``**``."""
    conversation: str
    """Id of its conversation; ``""`` for a turn outside every conversation."""
    notebook: str = ""
    """Name of the notebook in which it was made."""
    folder: str = ""
    """Folder of that notebook."""


@dataclass(frozen=True)
class SearchFilter:
    """Which turns a search considers."""

    model: str | None = None
    """``provider:model``, a provider or a model; ``*`` stands for any characters."""
    notebook: Path | None = None
    since: Moment | None = None
    code: bool = False
    """True to look into the code blocks of replies alone."""


def search_turns(
    database: sqlite3.Connection, words: str, chosen: SearchFilter, limit: int, *, unfinished: bool = False
) -> list[LogHit]:
    """Return the turns that hold all words, the best match first."""
    if limit < 1:
        raise UsageError(_("limit must be >= 1, got {limit}.", limit=limit))
    query = parse_query(words, unfinished=unfinished)
    if not query.expression:
        return []
    conditions, values = _conditions(chosen)
    expression = f"{{reply stems}} : ({query.expression})" if chosen.code else query.expression
    limit = min(limit, MAX_LIMIT)
    rows = database.execute(
        "SELECT turn.* FROM turn_search JOIN turn ON turn.number = turn_search.rowid"  # noqa: S608  # constants
        f" WHERE turn_search MATCH ?{conditions} ORDER BY turn_search.rank LIMIT ?",
        (expression, *values, MAX_CODE_SCANNED if chosen.code else limit),
    )
    found = _hits_in_code(rows, query) if chosen.code else (_hit(row, query) for row in rows)
    return [hit for hit, _ in zip(found, range(limit), strict=False)]


def _conditions(chosen: SearchFilter) -> tuple[str, list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if chosen.model:
        operator = "GLOB" if "*" in chosen.model else "="
        names = ("turn.provider || ':' || turn.model", "turn.model", "turn.provider")
        conditions.append(f"({' OR '.join(f'{name} {operator} ?' for name in names)})")
        values += [chosen.model] * len(names)
    if chosen.notebook is not None:
        conditions.append("turn.notebook = ? AND turn.folder = ?")
        values += [chosen.notebook.name, str(chosen.notebook.parent)]
    if chosen.since is not None:
        conditions.append("turn.started >= ?")
        values.append(parse_moment(chosen.since))
    return "".join(f" AND {one}" for one in conditions), values


def _hit(row: sqlite3.Row, query: SearchQuery, texts: Sequence[str] = ()) -> LogHit:
    snippet = make_snippet(texts or (row["prompt"], row["reply"]), query)
    return LogHit(row["id"], turn_from_row(row), snippet, row["conversation_id"] or "", row["notebook"], row["folder"])


def _hits_in_code(rows: Iterable[sqlite3.Row], query: SearchQuery) -> Iterator[LogHit]:
    for row in rows:
        code = "\n".join(block.text for block in find_code_blocks(row["reply"]))
        if code and query.is_in(code):
            yield _hit(row, query, (code,))


def parse_moment(moment: Moment) -> float:
    """Return a time as Unix time (s): a date such as ``"2026-11-01"`` is its first moment here.

    Raises:
        UsageError: It is no date.
    """
    if isinstance(moment, int | float):
        return float(moment)
    try:
        if isinstance(moment, str):
            moment = datetime.datetime.fromisoformat(moment)
        if not isinstance(moment, datetime.datetime):
            moment = datetime.datetime.combine(moment, datetime.time())
        return moment.timestamp()
    except (ValueError, TypeError, OverflowError, OSError):
        raise UsageError(_("A date is written like 2026-11-01, got {moment!r:.40}.", moment=moment)) from None


# Conversations


@dataclass(frozen=True)
class LoggedConversation:
    """A conversation as the log has it."""

    info: ConversationInfo
    rows: tuple[sqlite3.Row, ...]
    missing: int
    """Number of its turns that the log doesn't have."""

    def turns(self) -> tuple[Turn, ...]:
        """Return its turns; the cells of another notebook own no turns here."""
        return tuple(replace(turn_from_row(row), cell_id=None) for row in self.rows)

    def to_markdown(self) -> str:
        """Return the conversation to read, as Markdown without credentials and active content."""
        return clean_text_file(to_markdown(self.take_up()))

    def take_up(self) -> Conversation:
        """Return a conversation with these turns and a new id: from here on there are two."""
        turns, serials = self.turns(), tuple(row["serial"] for row in self.rows)
        if len(set(serials)) < len(serials) or not all(serials):
            return Conversation(self.info.name, system=self.info.system, turns=turns)
        info = replace(self.info, id=str(uuid.uuid4()))
        return Conversation.from_restored(RestoredConversation(info, turns, serials, time.time()))


def find_turn_ids(database: sqlite3.Connection, id: str) -> tuple[str, list[str]]:  # noqa: A002  # the field's name
    """Return the conversation that an id names, ``""`` if it names a turn, and the ids of the turns.

    Args:
        database: The log.
        id: Id of a turn or a conversation, or its beginning.

    Raises:
        UsageError: Several have ids that begin so, or it is too short.
    """
    turns = _ids_like(database, "turn", id)
    conversations = _ids_like(database, "conversation", id)
    if len(turns) + len(conversations) > 1:
        raise UsageError(_("Several ids begin with {id!r}. Give more of it.", id=id))
    if conversations:
        numbered = database.execute("SELECT id FROM turn WHERE conversation_id = ? ORDER BY number", conversations)
        return conversations[0], [row["id"] for row in numbered]
    return "", turns


def _ids_like(database: sqlite3.Connection, table: str, id: str) -> list[str]:  # noqa: A002  # the field's name
    exact = database.execute(f"SELECT id FROM {table} WHERE id = ?", (id,)).fetchone()  # noqa: S608  # constant
    if exact is not None:
        return [exact["id"]]
    if len(id) < MIN_ID:
        return []
    rows = database.execute(
        f"SELECT id FROM {table} WHERE id >= ? AND id < ? LIMIT 2",  # noqa: S608  # constant
        (id, f"{id}\U0010ffff"),
    )
    return [row["id"] for row in rows]


def read_logged(database: sqlite3.Connection, id: str) -> LoggedConversation:  # noqa: A002  # the field's name
    """Return a conversation: as it was after its last turn, or for the id of a turn, up to that turn.

    Raises:
        UsageError: There is no such turn or conversation.
    """
    conversation, turns = find_turn_ids(database, id)
    if not turns:
        raise UsageError(
            _("The log has no turn and no conversation {id!r:.60}. To find one: `%lockbots search WORDS`.", id=id)
        )
    last = database.execute("SELECT * FROM turn WHERE id = ?", (turns[-1],)).fetchone()
    about = database.execute("SELECT * FROM conversation WHERE id = ?", (last["conversation_id"],)).fetchone()
    info = ConversationInfo("", about["name"], about["system"]) if about else ConversationInfo("", "log")
    serials = _serials(last, whole=bool(conversation))
    known = _rows_of(database, [serial for serial in serials if serial != last["serial"]], last["conversation_id"])
    known[last["serial"]] = last
    rows = tuple(known[serial] for serial in serials if serial in known)
    return LoggedConversation(info, rows, len(serials) - len(rows))


def _serials(last: sqlite3.Row, *, whole: bool) -> list[int]:
    """Return the serial numbers of the turns up to `last`, or of all that were there after it."""
    try:
        serials = list(parse_order(last["history"]))
    except ValueError:  # another program has changed it
        serials = []
    if last["serial"] not in serials:  # it failed, so that it was no part of the conversation
        return [*serials, last["serial"]]
    return serials if whole else serials[: serials.index(last["serial"]) + 1]


def _rows_of(database: sqlite3.Connection, serials: Sequence[int], conversation: str | None) -> dict[int, sqlite3.Row]:
    """Return rows by serial number; a number identifies a turn also in forks, which are other conversations."""
    rows: list[sqlite3.Row] = []
    for at in range(0, len(serials), _CHUNK):
        chunk = serials[at : at + _CHUNK]
        marks = ", ".join("?" * len(chunk))
        rows += database.execute(
            f"SELECT * FROM turn WHERE serial IN ({marks}) ORDER BY conversation_id IS ?, number",  # noqa: S608  # marks
            (*chunk, conversation),
        )
    return {row["serial"]: row for row in rows}  # the last one wins: that of the same conversation

"""Deletion of turns, so that their bytes are gone: from the database, its write-ahead log and its shared memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .erasing import erase, erase_later, is_erasing, probes_of
from .schema import SECURE_DELETE_SQLITE
from .stems import MAX_INDEXED, words_of

MAX_CHECKED = 300
"""Turns whose bytes are looked for; after deleting more, the file is written anew."""
MAX_WORDS = 400
"""Words that are looked up to see whether they stand in other turns, the longest first."""
_TEXTS = ("prompt", "reply", "reasoning", "system", "error", "notebook", "folder", "stems", "details", "attachments")


@dataclass(frozen=True)
class ForgetResult:
    """What a deletion did."""

    turns: int
    """Number of turns deleted."""
    erased: bool = True
    """True if their bytes are gone; False while another process reads the log: they go as soon as it has finished."""


def delete_turns(database: sqlite3.Connection, path: Path, condition: str, values: Sequence[object]) -> ForgetResult:
    """Delete turns and erase their bytes.

    Args:
        database: The log, open to write.
        path: Its file.
        condition: SQL condition on columns of `turn`.
        values: Its values.

    Raises:
        sqlite3.Error: It can't be written.
    """
    can_erase = sqlite3.sqlite_version_info >= SECURE_DELETE_SQLITE
    columns = ", ".join(_TEXTS)
    database.execute("BEGIN IMMEDIATE")
    try:
        if can_erase:  # an older SQLite may have made the file
            database.execute("INSERT INTO turn_search(turn_search, rank) VALUES ('secure-delete', 1)")
        # Not the count of changed rows, which triggers change, too.
        (count,) = database.execute(f"SELECT COUNT(*) FROM turn WHERE {condition}", values).fetchone()  # noqa: S608  # constant
        chosen = f"SELECT {columns} FROM turn WHERE {condition} LIMIT {MAX_CHECKED}"  # noqa: S608  # constants
        texts = [text for row in database.execute(chosen, values) for text in row if text]
        if count:
            database.execute(f"DELETE FROM turn WHERE {condition}", values)  # noqa: S608  # constant
            if not can_erase:  # words stay in the index until its parts are merged
                database.execute("INSERT INTO turn_search(turn_search) VALUES ('optimize')")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    if not count:
        return ForgetResult(0, not is_erasing(path))
    probes = probes_of(texts, _words_left_nowhere(database, texts))
    erased = erase(database, path, probes, anew=count > MAX_CHECKED)
    if not erased:
        erase_later(path)
    return ForgetResult(count, erased)


def _words_left_nowhere(database: sqlite3.Connection, texts: Iterable[str]) -> Iterator[str]:
    """Yield the words of deleted texts that no turn holds any more."""
    words = {word for text in texts for word in words_of(text[:MAX_INDEXED])}
    for word in sorted(words, key=len, reverse=True)[:MAX_WORDS]:
        found = database.execute("SELECT 1 FROM turn_search WHERE turn_search MATCH ? LIMIT 1", (f'"{word}"',))
        if found.fetchone() is None:
            yield word

"""Deletion of turns, so that their bytes are gone: from the database, its write-ahead log and its shared memory."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .schema import SECURE_DELETE_SQLITE

CHECKPOINT_TIMEOUT = 3.0
"""Time (s) to wait for other processes that are reading."""
_PAUSE = 0.05


@dataclass(frozen=True)
class ForgetResult:
    """What a deletion did."""

    turns: int
    """Number of turns deleted."""
    erased: bool = True
    """True if their bytes are gone; False while another process reads the log."""


def delete_turns(database: sqlite3.Connection, condition: str, values: Sequence[object]) -> ForgetResult:
    """Delete turns and erase their bytes.

    Args:
        database: The log, open to write.
        condition: SQL condition on columns of `turn`.
        values: Its values.

    Raises:
        sqlite3.Error: It can't be written.
    """
    can_erase = sqlite3.sqlite_version_info >= SECURE_DELETE_SQLITE
    database.execute("BEGIN IMMEDIATE")
    try:
        if can_erase:  # an older SQLite may have made the file
            database.execute("INSERT INTO turn_search(turn_search, rank) VALUES ('secure-delete', 1)")
        # Not the count of changed rows, which triggers change, too.
        (count,) = database.execute(f"SELECT COUNT(*) FROM turn WHERE {condition}", values).fetchone()  # noqa: S608  # constant
        if count:
            database.execute(f"DELETE FROM turn WHERE {condition}", values)  # noqa: S608  # constant
            if not can_erase:  # words stay in the index until its parts are merged
                database.execute("INSERT INTO turn_search(turn_search) VALUES ('optimize')")
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise
    return ForgetResult(count, erase_write_ahead_log(database))


def erase_write_ahead_log(database: sqlite3.Connection, timeout: float = CHECKPOINT_TIMEOUT) -> bool:
    """Move everything into the database and empty the write-ahead log; return False while others read it."""
    end = time.monotonic() + timeout
    while True:
        try:
            busy = bool(database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except sqlite3.OperationalError:  # a table is locked
            busy = True
        if not busy or time.monotonic() >= end:
            return not busy
        time.sleep(_PAUSE)

"""Thread that writes turns to a log, so that no cell waits for the disk.

One writer serves a file in this process. What can't be written for now, because the file is locked or the disk is full,
is kept and written with a later turn. What can't be written at all is told once.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...conversation.commits import CommittedTurn
from ...language import _
from .database import (
    BUSY_TIMEOUT,
    default_path,
    describe_error,
    file_identity,
    is_damaged,
    is_passing,
    open_database,
)
from .rows import COLUMNS, LogRecord, complete_row, make_record

MAX_WAITING = 2_000
"""Turns that wait to be written; of more, the oldest are lost, which is told."""
MAX_BATCH = 200
"""Turns in one transaction."""
RETRY_AFTER = 30.0
"""Time (s) after which turns that wait are tried again without a new one."""
EXIT_TIMEOUT = 5.0
"""Time (s) that the end of the process waits for turns to be written."""
IDLE_TIME = 20.0
"""Time (s) without a turn after which the file is closed."""

_INSERT_TURN = (
    f"INSERT INTO turn ({', '.join(COLUMNS)}) VALUES ({', '.join(f':{name}' for name in COLUMNS)})"  # noqa: S608  # constants
    " ON CONFLICT (id) DO NOTHING"  # replayed from a cassette, or two sessions of one process
)
_INSERT_CONVERSATION = (
    "INSERT INTO conversation (id, name, system, started) VALUES (:id, :name, :system, :started)"
    " ON CONFLICT (id) DO UPDATE SET name = excluded.name, system = excluded.system"
)
_DELETE_EMPTY = (
    "DELETE FROM conversation WHERE id = :id AND NOT EXISTS (SELECT 1 FROM turn WHERE conversation_id = :id)"
)


class LogWarning(UserWarning):
    """Turns can't be written to the log."""


class LogWriter:
    """Write turns to one file, in a thread of its own.

    Args:
        path: The file; created with the first turn.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prices: Callable[[], Mapping[str, Any]] = dict
        """Returns the user's own prices."""
        self._waiting: deque[LogRecord] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._database: sqlite3.Connection | None = None
        self._opened: tuple[int, int] | None = None
        self._is_writing = False
        self._is_blocked = False
        self._is_single = False
        self._tries = 0
        self._is_closing = False
        self._problem = ""
        self._untold = ""
        self._is_broken = False
        self._lost = 0

    @property
    def waiting(self) -> int:
        """Number of turns that are yet to be written."""
        return len(self._waiting)

    @property
    def problem(self) -> str:
        """Why turns can't be written, one sentence; ``""`` if they can."""
        return self._problem

    @property
    def lost(self) -> int:
        """Number of turns that will never be written: too many waited, or SQLite refused them."""
        return self._lost

    def take_problem(self) -> str:
        """Return a problem that was not returned before, else ``""``; one that lasts is returned once."""
        with self._changed:
            problem, self._untold = self._untold, ""
        return problem

    def put(self, committed: CommittedTurn, notebook: Path | None = None) -> None:
        """Have a turn written soon. It returns at once, and credentials that are in use now are masked.

        Args:
            committed: The turn.
            notebook: The notebook in which it was made, if it is known.
        """
        record = make_record(committed, notebook)
        with self._changed:
            if self._is_broken:
                self._lost += 1
                return
            self._waiting.append(record)
            if len(self._waiting) > MAX_WAITING:
                self._waiting.popleft()
                self._lost += 1
            self._is_blocked = False
            self._start()
            self._changed.notify_all()

    def retry(self) -> None:
        """Forget that the file was damaged, and try again."""
        with self._changed:
            self._is_broken, self._is_blocked, self._problem, self._untold = False, False, "", ""
            self._changed.notify_all()

    def flush(self, timeout: float = BUSY_TIMEOUT + 1) -> bool:
        """Wait until all turns are written, or can't be for now; return True if they are.

        Args:
            timeout: Time (s) to wait at most.
        """
        with self._changed:
            if self._waiting:
                self._is_blocked = False
                self._start()
                self._changed.notify_all()
            self._changed.wait_for(self._is_settled, timeout)
            return not self._waiting and not self._is_writing

    def wait_for_first(self, timeout: float) -> None:
        """Wait until the first turn was tried, so that its cell can tell a problem."""
        with self._changed:
            self._changed.wait_for(lambda: self._tries > 0, timeout)

    def release(self) -> None:
        """Close the file once nothing is being written; the next turn opens it again."""
        with self._changed:
            self._changed.wait_for(lambda: not self._is_writing, BUSY_TIMEOUT)
            if not self._is_writing:
                self._close()

    def close(self, timeout: float = EXIT_TIMEOUT) -> None:
        """Write what waits, and end the thread."""
        self.flush(timeout)
        with self._changed:
            self._is_closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _start(self) -> None:
        if self._thread is None:
            self._is_closing = False
            self._thread = threading.Thread(target=self._run, name="lockbots log", daemon=True)
            self._thread.start()

    def _is_settled(self) -> bool:
        return (not self._waiting and not self._is_writing) or self._is_blocked or self._is_broken

    def _run(self) -> None:
        while (batch := self._next_batch()) is not None:
            error = self._try(batch) if batch else None
            with self._changed:
                self._is_writing = False
                self._tries += bool(batch)
                if error is not None:
                    self._fail(batch, error)
                elif batch:
                    self._problem = self._untold = ""
                else:
                    self._close()  # idle
                self._changed.notify_all()

    def _next_batch(self) -> list[LogRecord] | None:
        """Wait for turns; return none of them after a while without, and None once the writer is closed."""
        with self._changed:
            begun = time.monotonic()
            while not self._waiting or self._is_blocked:
                if self._is_closing:
                    self._close()
                    self._thread = None
                    return None
                limit = RETRY_AFTER if self._is_blocked else IDLE_TIME if self._database is not None else None
                if limit is not None and time.monotonic() - begun >= limit:
                    self._is_blocked = False
                    if not self._waiting:
                        return []
                else:
                    self._changed.wait(limit)
            self._is_writing = True
            size = min(1 if self._is_single else MAX_BATCH, len(self._waiting))
            self._is_single = self._is_single and size < len(self._waiting)
            return [self._waiting.popleft() for _ in range(size)]

    def _try(self, batch: list[LogRecord]) -> Exception | None:
        try:
            if self._database is not None and file_identity(self.path) != self._opened:
                self._close()  # removed or replaced meanwhile: turns would go to a file that nobody can find
            if self._database is None:
                self._database = open_database(self.path)
                self._opened = file_identity(self.path)
            _write(self._database, batch, self.prices())
        except Exception as error:  # noqa: BLE001  # whatever it is, the kernel goes on without the log
            return error
        return None

    def _fail(self, batch: list[LogRecord], error: Exception) -> None:
        problem = describe_error(error, self.path)
        if is_damaged(error):
            self._lost += len(batch) + len(self._waiting)
            self._waiting.clear()
            self._is_broken = True
            problem += _(" Turns are not logged until `%lockbots log on`.")
        elif is_passing(error):
            self._waiting.extendleft(reversed(batch))
            self._is_blocked = True
            problem += _(" Turns wait in memory and are written once that is possible.")
        elif len(batch) > 1:  # one of them can't be written: each is tried alone
            self._waiting.extendleft(reversed(batch))
            self._is_single = True
            return
        else:
            self._lost += 1
        self._close()
        if problem != self._problem:
            self._problem = self._untold = problem

    def _close(self) -> None:
        if self._database is not None:
            with suppress(sqlite3.Error):
                self._database.close()
            self._database = None


def _write(database: sqlite3.Connection, records: list[LogRecord], prices: Mapping[str, Any]) -> None:
    rows = [(record.conversation, complete_row(record, prices)) for record in records]  # first: it takes time
    database.execute("BEGIN IMMEDIATE")
    try:
        for conversation, row in rows:
            if conversation is not None:
                database.execute(_INSERT_CONVERSATION, {**conversation, "started": row["started"]})
            if not database.execute(_INSERT_TURN, row).rowcount and conversation is not None:
                database.execute(_DELETE_EMPTY, conversation)
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


_writers: dict[tuple[int, Path], LogWriter] = {}
_lock = threading.Lock()


def writer_of(path: Path | None = None) -> LogWriter:
    """Return this process's writer of a file, by default of the one in the user's data folder."""
    path = path or default_path()
    key = os.getpid(), path
    with _lock:
        if key not in _writers:
            _writers[key] = LogWriter(path)
            atexit.register(_writers[key].close)
        return _writers[key]


def flush_writer(path: Path) -> None:
    """Wait for the turns of this process to be written, if there is a writer of the file."""
    writer = _writers.get((os.getpid(), path))
    if writer is not None:
        writer.flush()

"""Whether the bytes of deleted turns are gone from the database's file, and what is done if they aren't.

SQLite overwrites what it deletes (`secure_delete`), but not the copies that it leaves in the unused part of a page
when it moves neighbours to another page. Such copies are looked for there, and `VACUUM` writes the file anew if there
are any.

Facts: "Database File Format", sections 1.3 (header) and 1.6 (b-tree pages).
"""

from __future__ import annotations

import mmap
import sqlite3
import struct
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from .database import open_database

CHECKPOINT_TIMEOUT = 3.0
"""Time (s) to wait for other processes that are reading."""
PROBE = 24
"""Bytes of a deleted text that are looked for at once."""
MAX_PROBES = 200
"""Words, and places of deleted texts, that are looked for, each."""
_PAUSE = 0.05
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
_to_erase: set[Path] = set()
_lock = threading.Lock()
_B_TREE_PAGES = {2: 12, 5: 12, 10: 8, 13: 8}
"""Types of pages, and the length of their header."""


def probes_of(texts: Sequence[str], words: Iterable[str]) -> list[bytes]:
    """Return what is looked for: parts of deleted texts, and words that stand in no other turn."""
    encoded = b"\n".join(text.encode("utf-8", "replace") for text in texts)
    step = max(PROBE, len(encoded) // MAX_PROBES)
    parts = (encoded[at : at + PROBE] for at in range(0, len(encoded), step))
    found = [word.encode("utf-8", "replace") for word in islice(words, MAX_PROBES)]
    return [*found, *(part for part in parts if len(part) > PROBE // 2)]


def erase(database: sqlite3.Connection, path: Path, probes: list[bytes], *, anew: bool = False) -> bool:
    """Move everything into the database's file, without what was deleted; return False while others read the log.

    Args:
        database: The log, open to write.
        path: Its file.
        probes: What must not stand in unused bytes, see `probes_of`.
        anew: True to write the file anew in any case.
    """
    if not empty_write_ahead_log(database):
        return False
    if not anew and not _is_left(path, probes):
        return True
    try:
        database.execute("VACUUM")
    except sqlite3.OperationalError:  # another process is reading, or the disk is full
        return False
    return empty_write_ahead_log(database)


def _is_left(path: Path, probes: list[bytes]) -> bool:
    unused = b"\n".join(unused_bytes(path))
    return any(probe in unused for probe in probes)


def empty_write_ahead_log(database: sqlite3.Connection) -> bool:
    """Move everything into the database and empty the write-ahead log; return False while others read it."""
    end = time.monotonic() + CHECKPOINT_TIMEOUT
    while True:
        try:
            busy = bool(database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        except sqlite3.OperationalError:  # a table is locked
            busy = True
        if not busy or time.monotonic() >= end:
            return not busy
        time.sleep(_PAUSE)


def erase_later(path: Path) -> None:
    """Erase what was deleted as soon as no other process reads the log, in a thread of its own."""
    with _lock:
        if path not in _to_erase:
            _to_erase.add(path)
            threading.Thread(target=_erase_when_free, args=(path,), name="lockbots log erase", daemon=True).start()


def is_erasing(path: Path) -> bool:
    """Return whether bytes of deleted turns are yet to be erased by this process."""
    with _lock:
        return path in _to_erase


def _erase_when_free(path: Path) -> None:
    pause = _FIRST_PAUSE
    while not _try_to_erase(path):
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    with _lock:
        _to_erase.discard(path)


def _try_to_erase(path: Path) -> bool:
    try:
        with closing(open_database(path)) as database:
            return erase(database, path, [], anew=True)
    except (sqlite3.Error, OSError):
        return not path.exists()


def unused_bytes(path: Path) -> Iterator[bytes]:
    """Yield what stands between the cell pointers and the cells of each b-tree page, unless it is zero."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        size = int.from_bytes(content[16:18], "big")
        size = 65_536 if size == 1 else size
        if size < 512 or size & (size - 1) or len(content) % size:
            return
        with memoryview(content) as view:
            for number, (kind, cells, start) in enumerate(struct.iter_unpack(f">BxxHH{size - 7}x", view)):
                if kind not in _B_TREE_PAGES or number == 0:
                    continue
                begin, end = number * size + _B_TREE_PAGES[kind] + 2 * cells, number * size + (start or 65_536)
                if begin < end <= (number + 1) * size and (hole := content[begin:end].strip(b"\0")):
                    yield hole

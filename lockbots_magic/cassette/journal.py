"""Journal: a cassette file whose recordings are found by key. Adding and finding take constant time and memory.

A batch keeps the answers of its rows in one. The file only grows: a line is appended and handed to the system before
its row is reported, so a killed process loses nothing. The index (key to offset) is a temporary SQLite database, which
keeps most of itself on disk; lines are read when they are wanted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from ..conversation.messages import Tool
from ..errors import UsageError
from ..language import _
from .file import CassetteFile
from .lines import JOB, check_header
from .locked_file import absolute_path, append_bytes, file_lock
from .recording import Recording
from .server_records import TOOLS_OF, record_to_line

KEY_LENGTH = 32
"""Characters of a key: hexadecimal digits."""
_PREFIX = b'{"key": "'
_TOOLS_PREFIX = f'{{"{TOOLS_OF}": '.encode()
_JOB_PREFIX = f'{{"{JOB}": '.encode()
_AT = slice(len(_PREFIX), len(_PREFIX) + KEY_LENGTH)
MAX_HEADER = 4096
"""Bytes of the first line that are read."""
INDEX_CACHE = 4096
"""Memory (KiB) of the index."""


class Journal:
    """Answers of rows in a cassette file, found by key. Several processes may use one file at the same time.

    Args:
        path: The file; it is created if it doesn't exist.

    Raises:
        UsageError: The file can't be read or written, or is not a cassette file.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self.path = absolute_path(path)
        self._tool_lists: dict[str, bytes] = {}
        """Latest line of each list of tools, by the key of its server."""
        self._in_order = False
        """Whether the file stands after the line that was found last."""
        self._end = 0
        """Bytes of the file that are indexed: whole lines."""
        try:
            self._create()
            self._file: IO[bytes] = self.path.open("rb")
        except OSError as error:
            raise UsageError(_("Can't use {name}: {error}.", name=self.name, error=error.strerror or error)) from None
        self._index = _OffsetIndex()
        try:
            check_header(self._file.readline(MAX_HEADER), self.name)
            self._end = self._file.tell()
            with file_lock(self.path):
                self._catch_up()
                self._mend_end()
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise UsageError(
                    _("Can't use {name}: {error}.", name=self.name, error=error.strerror or error)
                ) from None
            raise

    def __repr__(self) -> str:
        return f"Journal({self.path.name!r})"

    def close(self) -> None:
        """Close the file and drop the index."""
        self._file.close()
        self._index.close()

    def find(self, key: str) -> dict[str, Any] | None:
        """Return the line of the latest answer with this key, as JSON; None if there is none.

        Lines that another process has added meanwhile are found too.
        """
        return _answer_in(self._following(key), key) or _answer_in(self._look_up(key), key)

    def _following(self, key: str) -> bytes:
        """Return the line after the one that was found last, if it has this key: rows mostly come in the same order."""
        if not self._in_order:
            return b""
        line = self._file.readline()
        self._in_order = line[_AT] == key.encode() and line.endswith(b"\n")
        return line if self._in_order else b""

    def _look_up(self, key: str) -> bytes:
        """Return the latest line with this key; empty if there is none."""
        at = self._index.get(key)
        if at is None and os.fstat(self._file.fileno()).st_size > self._end:
            self._catch_up()
            at = self._index.get(key)
        if at is None:
            return b""
        self._file.seek(at)
        self._in_order = True
        return self._file.readline()

    def add(self, answers: Iterable[tuple[str, Sequence[Recording]]]) -> None:
        """Append the answers of rows. They are in the file when this returns.

        Args:
            answers: The key of each row with the recordings of its answer, the last of which is found by the key.

        Raises:
            OSError: The file can't be written; it is as it was.
            UsageError: Another process keeps the file locked.
        """
        rows = [(key, _lines_of(key, recordings)) for key, recordings in answers]
        with file_lock(self.path):
            self._follow_replacement()
            if os.fstat(self._file.fileno()).st_size != self._end:
                self._catch_up()
                self._mend_end()
            append_bytes(self.path, b"".join(line for _unused, lines in rows for line in lines), self._end)
            offsets = []
            for key, lines in rows:
                offsets.append((key, self._end + sum(map(len, lines[:-1]))))
                self._end += sum(map(len, lines))
            self._index.put(offsets)

    def open_jobs(self) -> dict[str, list[str]]:
        """Return the jobs at a batch API that have not been collected: id -> beginnings of their keys."""
        jobs: dict[str, list[str]] = {}
        self._in_order = False
        self._file.seek(0)
        for line in self._file:
            if not line.startswith(_JOB_PREFIX):
                continue
            with suppress(ValueError, TypeError, KeyError):
                told = json.loads(line)
                if told["keys"] is None:
                    jobs.pop(told[JOB], None)
                else:
                    jobs[told[JOB]] = list(told["keys"])
        return jobs

    def note_job(self, job: str, keys: Sequence[str] | None) -> None:
        """Append that a job was sent with these keys, or with None that it has been collected; errors as `add`."""
        self._append_line(f"{json.dumps({JOB: job, 'keys': keys})}\n".encode())

    def note_tools(self, lists: Mapping[str, Sequence[Tool]]) -> None:
        """Append the lists of tools that servers gave, unless they are there, so that a replay starts no server.

        Args:
            lists: The tools by the key of their server; errors as for `add`.
        """
        for key, tools in lists.items():
            line = f"{record_to_line((key, ''), tuple(tools))}\n".encode("utf-8", "backslashreplace")
            if self._tool_lists.get(key) != line:
                self._append_line(line)
                self._tool_lists[key] = line

    def _append_line(self, line: bytes) -> None:
        with file_lock(self.path):
            self._follow_replacement()
            if os.fstat(self._file.fileno()).st_size != self._end:
                self._catch_up()
                self._mend_end()
            append_bytes(self.path, line, self._end)
            self._end += len(line)

    def _follow_replacement(self) -> None:
        """Read the file anew if another one has taken its place, as when a recording in it is replaced."""
        if os.path.samestat(self.path.stat(), os.fstat(self._file.fileno())):
            return
        self._in_order = False
        self._file.close()
        self._file = self.path.open("rb")
        check_header(self._file.readline(MAX_HEADER), self.name)
        self._end = self._file.tell()
        self._index.clear()
        self._tool_lists.clear()

    def _create(self) -> None:
        if not self.path.exists() or not self.path.stat().st_size:
            CassetteFile(self.path).create()

    def _catch_up(self) -> None:
        """Index the whole lines behind those that are indexed."""
        self._in_order = False
        self._file.seek(self._end)
        self._index.put(self._new_lines())

    def _new_lines(self) -> Iterator[tuple[str, int]]:
        at = self._end
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            if line.startswith(_PREFIX):
                yield line[_AT].decode("ascii", "replace"), at
            elif line.startswith(_TOOLS_PREFIX):
                with suppress(ValueError, RecursionError):
                    self._tool_lists[str(json.loads(line)[TOOLS_OF])] = line
            at += len(line)
        self._end = at

    def _mend_end(self) -> None:
        """Complete or remove a last line without its end, as a crash leaves it. Call it with the lock held."""
        self._in_order = False
        self._file.seek(self._end)
        rest = self._file.read()
        if not rest:
            return
        with suppress(ValueError, RecursionError):
            if isinstance(json.loads(rest), dict):  # only the newline is missing
                append_bytes(self.path, b"\n", self._end + len(rest))
                self._catch_up()
                return
        os.truncate(self.path, self._end)


def _answer_in(line: bytes, key: str) -> dict[str, Any] | None:
    """Return the answer in a line as JSON; None if the line is empty, torn, or was edited by hand to be none."""
    if not line:
        return None
    with suppress(ValueError, RecursionError):
        found = json.loads(line.decode())
        if found.get("key") == key and isinstance(found.get("reply"), str) and found.get("ended") == "complete":
            return found  # type: ignore[no-any-return]  # JSON
    return None


def _lines_of(key: str, recordings: Sequence[Recording]) -> list[bytes]:
    """Return the lines of one row; the last one, which is found by its key, begins with it."""
    named = [replace(one, id=f"{key[:12]}-{number}") for number, one in enumerate(recordings, 1)]
    named[-1] = replace(named[-1], id=key[:12], key=key)
    return [f"{one.to_line()}\n".encode("utf-8", "backslashreplace") for one in named]


class _OffsetIndex:
    """Offsets in a file by key, in a temporary database of bounded memory."""

    def __init__(self) -> None:
        import sqlite3  # noqa: PLC0415  # takes a few ms, and few sessions have a journal

        # An empty name: a file that SQLite deletes itself. Any thread may use it, one at a time.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for setting in (f"cache_size = -{INDEX_CACHE}", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("CREATE TABLE lines (key INTEGER PRIMARY KEY, at INTEGER)")

    def get(self, key: str) -> int | None:
        """Return the offset of a key."""
        found = self._database.execute("SELECT at FROM lines WHERE key = ?", (_number(key),)).fetchone()
        return None if found is None else int(found[0])

    def put(self, lines: Iterable[tuple[str, int]]) -> None:
        """Set the offsets of keys; a later one replaces an earlier one."""
        numbered = ((number, at) for key, at in lines if (number := _number(key)) is not None)
        self._database.execute("BEGIN")
        self._database.executemany("INSERT OR REPLACE INTO lines VALUES (?, ?)", numbered)
        self._database.execute("COMMIT")

    def clear(self) -> None:
        """Forget all keys."""
        self._database.execute("DELETE FROM lines")

    def close(self) -> None:
        """Delete the index."""
        self._database.close()


def _number(key: str) -> int | None:
    """Return the first 64 bits of a key as SQLite has integers; the line itself tells the rest."""
    try:
        return int(key[:16], 16) - 2**63
    except ValueError:
        return None

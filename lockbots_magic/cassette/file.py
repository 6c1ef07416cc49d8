"""A cassette as a file: one JSON object a line, the first of which names the format."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import UsageError
from .entry import Question, Recording, Thread

try:
    import fcntl
except ImportError:  # Windows: there one write at the end of a file is what keeps two kernels apart
    fcntl = None  # type: ignore[assignment]

FORMAT = "lockbots-cassette"
VERSION = 1
_HEADER = json.dumps({"format": FORMAT, "version": VERSION})


class CassetteFile:
    """The recordings of one file, in their order. What is added stands in the file at once.

    Args:
        path: the file; it need not exist.

    Raises:
        UsageError: the file can't be read, or is no cassette; the message names the line.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self.path = Path(path).expanduser().resolve()
        self.recordings: list[Recording] = []
        self._by_key: dict[Hashable, list[Recording]] = {}
        self._by_end: dict[Thread, Recording] = {}
        self._torn = False
        self._seen: tuple[int, ...] = ()
        self._read()

    def of(self, question: Question) -> list[Recording]:
        """The recordings of a question, in their order."""
        return list(self._by_key.get(question.key, ()))

    def create(self) -> None:
        """Make the file if there is none, so that what can't be written is known before anything is asked.

        Raises:
            UsageError: it can't be written.
        """
        try:
            with _held(self.path):
                if not self.path.stat().st_size:
                    self._rewrite()
        except OSError as error:
            raise UsageError(f"{self.name} can't be written: {error.strerror}") from None

    def add(self, recording: Recording, instead_of: Collection[str] = ()) -> Recording:
        """Put a recording at the end, and return it as it stands there: under an id of its own.

        Args:
            recording: the new one.
            instead_of: ids of those that are dropped for it.

        Raises:
            OSError: the file can't be written.
            UsageError: somebody else has damaged it meanwhile.
        """
        with _held(self.path):
            if self._state() != self._seen:
                self._read()
            recording = replace(recording, id=self._free(recording.digest()))
            kept = [r for r in self.recordings if r.id not in instead_of]
            if len(kept) < len(self.recordings) or self._torn or not self._seen[-1]:
                self._know((*kept, recording))
                self._rewrite()
            else:
                with self.path.open("ab") as file:
                    file.write(self._line(recording))
                self._know_one(recording)
            self._seen = self._state()
        return recording

    def _know(self, recordings: Iterable[Recording]) -> None:
        self.recordings = []
        self._by_key = {}
        self._by_end = {}
        for recording in recordings:
            self._know_one(recording)

    def _know_one(self, recording: Recording) -> None:
        self.recordings.append(recording)
        self._by_key.setdefault(recording.question.key, []).append(recording)
        self._by_end.setdefault(recording.thread, recording)

    def _free(self, digest: str) -> str:
        taken = {r.id for r in self.recordings}
        numbered = (f"{digest}-{n}" for n in range(2, len(taken) + 3))
        return digest if digest not in taken else next(one for one in numbered if one not in taken)

    def _line(self, recording: Recording) -> bytes:
        """The line of a recording that comes after those known."""
        line = recording.to_line(self._by_end.get(recording.question.thread[:-2]))
        return f"{line}\n".encode("utf-8", "backslashreplace")  # half a surrogate pair: JSON writes it so, too

    def _rewrite(self) -> None:
        lines = [f"{_HEADER}\n".encode()]
        recordings = self.recordings
        self._know(())
        for recording in recordings:  # a line follows one above it
            lines.append(self._line(recording))
            self._know_one(recording)
        draft = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            draft.write_bytes(b"".join(lines))
            with suppress(OSError):
                shutil.copymode(self.path, draft)
            draft.replace(self.path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
        self._torn = False
        self._seen = self._state()

    def _state(self) -> tuple[int, ...]:
        """What changes when somebody writes; its last number is the size (bytes)."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return (0,)
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> None:
        self._seen = self._state()
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            lines = [b""]
        except OSError as error:
            raise UsageError(f"{self.name} can't be read: {error.strerror}") from None
        last = lines.pop()
        if not lines and not _HEADER.encode().startswith(last):
            lines.append(last)  # what it is, the check tells
            last = b""
        self._torn = bool(last)
        if last and _is_json(last):  # edited by hand, without the newline at the end; else a crash cut it off
            lines.append(last)
        self._know(self._parsed(lines))

    def _parsed(self, lines: Sequence[bytes]) -> Iterator[Recording]:
        by_id: dict[str, Recording] = {}
        if lines:
            self._check_header(lines[0])
        for number, line in enumerate(lines[1:], 2):
            if not line.strip():
                continue
            try:
                recording = _recording(json.loads(line), by_id)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
                why = error if isinstance(error, _NothingToFollowError) else "it is no recording"
                message = f"{self.path.name}, line {number}: {why}; mend the line, or record anew"
                raise UsageError(message) from None
            recording = replace(recording, id=recording.id or recording.digest())
            if recording.id in by_id:  # the same lines twice: merged by hand
                recording = replace(recording, id=f"{recording.id}-{number}")
            by_id[recording.id] = recording
            yield recording

    def _check_header(self, line: bytes) -> None:
        try:
            header = json.loads(line)
            name, version = header["format"], header["version"]
        except (ValueError, TypeError, KeyError, RecursionError):
            name, version = "", 0
        if name != FORMAT:
            raise UsageError(f"{self.name} is no cassette: its first line should be {_HEADER}")
        if version != VERSION:
            raise UsageError(f"{self.name} is a cassette of version {version!r}; this release reads {VERSION}")


class _NothingToFollowError(ValueError):
    pass


def _recording(line: dict[str, Any], by_id: dict[str, Recording]) -> Recording:
    following = line.get("after")
    if following and following not in by_id:
        raise _NothingToFollowError(f"the recording {following!r} that it follows is not above it")
    return Recording.from_line(line, by_id[following] if following else None)


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """Keep other kernels from writing to `path`, which may be replaced while we wait for it."""
    while True:
        with path.open("ab") as file:
            if fcntl is not None:
                with suppress(OSError):  # a file system without locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            try:
                current = os.path.samestat(os.fstat(file.fileno()), path.stat())
            except FileNotFoundError:
                current = False
            if current:
                yield
                return

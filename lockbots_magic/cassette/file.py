"""Cassette file: JSON Lines, the first of which names the format."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from ..atomic_file import MAX_FILE, NEW_MODE, read_bytes, replace_file
from ..errors import UsageError
from ..language import _, ngettext
from .lines import HEADER_LINE, JOB, MissingPredecessorError, check_header, encode_line, is_torn, read_recording
from .locked_file import absolute_path, append_bytes, file_lock
from .recording import Recording
from .recordings import Recordings
from .request import RecordedRequest
from .server_records import RecordKey, Served, is_server_record, record_from_line, record_to_line


class CassetteFile:
    """Recordings of one file, in order. Additions are written at once.

    Args:
        path: The file; it need not exist.

    Raises:
        UsageError: If the file can't be read or is not a cassette file; the message names the line.
    """

    def __init__(self, path: str | Path) -> None:
        self.name = str(path)
        self.path = absolute_path(path)
        self._recordings = Recordings()
        self.served: dict[RecordKey, Served] = {}
        """What servers of tools gave."""
        self.damage = ""
        """Sentence that says which lines are torn and skipped; `""` if the file is whole."""
        self._torn = False
        self._skipped: list[bytes] = []
        self._seen: tuple[int, ...] = ()
        self._lines = 0
        """Number of lines that have been read or written."""
        self._last_line = b""
        self._read()

    @property
    def recordings(self) -> list[Recording]:
        """All recordings, in order."""
        return self._recordings.all

    def matching(self, request: RecordedRequest) -> list[Recording]:
        """Return the recordings of a request, in order."""
        return self._recordings.matching(request)

    def create(self) -> None:
        """Create the file if it doesn't exist, so that an unwritable path fails before any request is sent.

        Raises:
            UsageError: If the file can't be written.
        """
        try:
            with file_lock(self.path):
                self.path.touch(NEW_MODE)
                if not self.path.stat().st_size:
                    self._rewrite()
        except OSError as error:
            raise UsageError(
                _("Can't write cassette file {name}: {strerror}.", name=self.name, strerror=error.strerror)
            ) from None

    def add(self, recording: Recording, instead_of: Collection[str] = ()) -> Recording:
        """Append a recording and return it with its unique id.

        Args:
            recording: The new recording.
            instead_of: Ids of recordings to remove.

        Raises:
            OSError: If the file can't be written.
            UsageError: If the file is damaged by now, or another process keeps it locked.
        """
        with file_lock(self.path):
            if self._state() != self._seen and not self._read_more():
                self._read()
            recording = replace(recording, id=self._recordings.unused_id(recording.digest()))
            if self._torn or not self._seen[-1] or not self._recordings.by_id.keys().isdisjoint(instead_of):
                self._rewrite((*self._recordings.without(instead_of), recording))
            else:
                line = self._line(recording)
                append_bytes(self.path, line, self._seen[-1])
                self._recordings.add(recording)
                self._note_lines(self._lines + 1, [line])
            self._seen = self._state()
        return recording

    def add_served(self, key: RecordKey, value: Served, instead_of: Collection[RecordKey] = ()) -> None:
        """Write what a server gave, in the place of what it gave earlier under the same key.

        Args:
            key: The server, and what it gave.
            value: What it gave.
            instead_of: Keys of what to remove.

        Raises:
            OSError, UsageError: As for `add`.
        """
        with file_lock(self.path):
            if self._state() != self._seen and not self._read_more():
                self._read()
            line = record_to_line(key, value)
            known = self.served.get(key)
            if known is not None and record_to_line(key, known) == line and not instead_of:
                return
            replaces = known is not None or bool(instead_of)
            self.served = {name: one for name, one in self.served.items() if name not in (*instead_of, key)}
            self.served[key] = value
            if replaces or self._torn or not self._seen[-1]:
                self._rewrite()
            else:
                append_bytes(self.path, encode_line(line), self._seen[-1])
                self._note_lines(self._lines + 1, [encode_line(line)])
            self._seen = self._state()

    def _read_more(self) -> bool:
        """Read what another process has appended; return False if the file has changed otherwise."""
        state = self._state()
        if self._torn or len(state) != len(self._seen) or state[0] != self._seen[0] or state[-1] <= self._seen[-1]:
            return False
        known = self._seen[-1] - len(self._last_line)
        with self.path.open("rb") as file:
            file.seek(known)
            new = file.read(MAX_FILE)
        if not self._last_line or not new.startswith(self._last_line) or not new.endswith(b"\n"):
            return False
        lines = new[len(self._last_line) :].split(b"\n")[:-1]
        for recording in [*self._parsed(lines, self._lines + 1)]:
            self._recordings.add(recording)
        self._note_lines(self._lines + len(lines), lines)
        self._seen = state
        return True

    def _line(self, recording: Recording) -> bytes:
        """Return the line of a recording that is appended to those indexed."""
        return encode_line(recording.to_line(self._recordings.before(recording)))

    def _rewrite(self, recordings: Iterable[Recording] | None = None) -> None:
        """Write the whole file; with `recordings`, if they are given, in place of those it has."""
        recordings = self._recordings.all if recordings is None else recordings
        lines = [f"{HEADER_LINE}\n".encode(), *(line + b"\n" for line in self._skipped)]
        lines += [encode_line(record_to_line(key, value)) for key, value in self.served.items()]
        self._recordings = Recordings()
        for recording in recordings:  # a line follows one above it
            lines.append(self._line(recording))
            self._recordings.add(recording)
        replace_file(self.path, b"".join(lines))
        self._note_lines(len(lines), lines)
        self._torn = False
        self.damage = self.damage if self._skipped else ""
        self._seen = self._state()

    def _state(self) -> tuple[int, ...]:
        """Return a fingerprint that changes with every write; its last number is the size (bytes)."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return (0,)
        return status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> None:
        self._seen = self._state()
        try:
            lines = read_bytes(self.path).split(b"\n")
        except FileNotFoundError:
            lines = [b""]
        except OSError as error:
            raise UsageError(
                _("Can't read cassette file {name}: {strerror}.", name=self.name, strerror=error.strerror)
            ) from None
        last = lines.pop()
        if not lines and not HEADER_LINE.encode().startswith(last):
            lines.append(last)  # check_header says what is wrong with it
            last = b""
        self._torn = bool(last)
        self._skipped = []
        self.served = {}
        if last and lines:  # edited by hand, without the last newline, or cut off by a crash
            lines.append(last)
        self._recordings = Recordings()
        self.damage = ""
        if lines:
            check_header(lines[0], self.name)
        for recording in self._parsed(lines[1:], 2):
            self._recordings.add(recording)
        self._note_lines(len(lines), lines)
        if last and self._skipped[-1:] == [last]:
            self._skipped.pop()  # the next write replaces it

    def _note_lines(self, count: int, latest: Sequence[bytes]) -> None:
        """Note how many lines there are, and the last of them."""
        self._lines = count
        self._last_line = latest[-1].rstrip(b"\n") + b"\n" if latest else b""

    def _parsed(self, lines: Sequence[bytes], first: int) -> Iterator[Recording]:
        """Yield the recordings of lines, the number of the first of which is given."""
        torn: list[int] = []
        for number, line in enumerate(lines, first):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
                if JOB in value:  # of a journal
                    self._skipped.append(line)
                    continue
                if is_server_record(value):
                    key, served = record_from_line(value)
                    self.served[key] = served
                    continue
                recording = read_recording(value, self._recordings.by_id)
            except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
                if is_torn(line):
                    torn.append(number)
                elif not (torn and isinstance(error, MissingPredecessorError)):  # else it continues a torn one
                    why = error if isinstance(error, MissingPredecessorError) else _("it is not a recording")
                    message = _(
                        "{name}, line {number}: {why}. Correct the line, or record again.",
                        name=self.path.name,
                        number=number,
                        why=why,
                    )
                    raise UsageError(message) from None
                self._skipped.append(line)
                continue
            recording = replace(recording, id=recording.id or recording.digest())
            if recording.id in self._recordings.by_id:  # the same line twice, merged by hand
                recording = replace(recording, id=f"{recording.id}-{number}")
            yield recording
        self.damage = self._describe_damage(torn) or self.damage

    def _describe_damage(self, torn: Sequence[int]) -> str:
        if not torn:
            return ""
        others = len(self._skipped) - len(torn)
        follow = ngettext(", and {n} that continues it", ", and {n} that continue it", others) if others else ""
        return ngettext(
            "{name}: line {lines} is torn (half-written, as after a crash or a full disk) and skipped{follow}. "
            "The other recordings can be replayed; record again what is missing.",
            "{name}: lines {lines} are torn (half-written, as after a crash or a full disk) and skipped{follow}. "
            "The other recordings can be replayed; record again what is missing.",
            len(torn),
            name=self.path.name,
            lines=", ".join(map(str, torn)),
            follow=follow,
        )

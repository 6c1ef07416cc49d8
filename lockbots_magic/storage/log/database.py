"""The log's file: where it lies, and how it is opened."""

from __future__ import annotations

import os
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import platformdirs

from ...errors import UsageError
from ...language import N_, _
from .schema import migrate, repair_index, version_of

FILE = "log.db"
"""Name of the file in the user's data folder."""
BUSY_TIMEOUT = 3.0
"""Time (s) to wait for another process that writes."""
PAGE_CACHE = 32_000
"""kB of pages that a connection keeps in memory."""
_NETWORK_FILE_SYSTEMS = frozenset({
    "9p", "acfs", "afp", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.glusterfs", "fuse.rclone",
    "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb", "smb2", "smb3", "smbfs", "webdav",
})  # fmt: skip
_OCTAL = re.compile(r"\\([0-7]{3})")


def default_path() -> Path:
    """Return the log's path in the user's data folder, such as `~/.local/share/lockbots/log.db`."""
    return platformdirs.user_data_path("lockbots", appauthor=False) / FILE


def display_path(path: Path) -> str:
    """Return a path for messages; the home directory is `~`."""
    with suppress(ValueError, RuntimeError):
        return str(Path("~") / path.relative_to(Path.home()))
    return str(path)


def file_identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def open_database(path: Path, *, timeout: float | None = None) -> sqlite3.Connection:
    """Open the log to write, created if it doesn't exist.

    Only its owner may read a new file. Deleted content is overwritten.

    Args:
        path: The file.
        timeout: Time (s) to wait for another process that writes; by default `BUSY_TIMEOUT`.

    Raises:
        UsageError: It is not a regular file, a later release wrote it, or it is the database of another program.
        OSError, sqlite3.Error: It can't be opened.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # SQLite gives -wal and -shm the same mode
    if not path.is_file():
        raise UsageError(
            _(
                "The log {path} is not a regular file. Move it away, and run `%lockbots log on`.",
                path=display_path(path),
            )
        )
    timeout = BUSY_TIMEOUT if timeout is None else timeout
    database = sqlite3.connect(path, timeout=timeout, isolation_level=None, check_same_thread=False)
    try:
        version_of(database, display_path(path))  # before anything is changed in it
        database.execute("PRAGMA secure_delete = ON")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
        # A write-ahead log needs memory that all processes share: not on a network drive.
        _set_journal(database, "DELETE" if is_on_network_drive(path) else "WAL", timeout)
        database.execute("PRAGMA synchronous = NORMAL")
        migrate(database, display_path(path))
        repair_index(database)
    except BaseException:
        database.close()
        raise
    return database


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Open the log to read; None if there is none yet.

    Raises:
        UsageError: It can't be read.
    """
    if not path.exists():
        yield None
        return
    with told_errors(path), closing(_open_to_read(path)) as database:
        yield database


@contextmanager
def told_errors(path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the file system into a `UsageError` that says what to do."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise UsageError(describe_error(error, path)) from None


def describe_error(error: Exception, path: Path) -> str:
    """Return why the log can't be used, and what to do."""
    if isinstance(error, UsageError):
        return str(error)
    name = display_path(path)
    if isinstance(error, OSError):
        return _(
            "The log {name} can't be used: {reason}. Check the folder's permissions.",
            name=name,
            reason=error.strerror or error,
        )
    known = (text for words, text in _ADVICE if any(word in str(error) for word in words))
    return _(next(known, _UNUSABLE), name=name, reason=error)


_UNUSABLE = N_("The log {name} can't be used: {reason}.")


_ADVICE = (
    (("locked", "busy"), N_("The log {name} is locked by another program. Close what has it open.")),
    (("full",), N_("The log {name} can't be written: the disk is full.")),
    (("readonly", "read-only"), N_("The log {name} is read-only. Check its permissions and those of its folder.")),
    (
        ("malformed", "not a database", "corrupt"),
        N_("The log {name} is damaged ({reason}). Move it away, and run `%lockbots log on`: that starts a new one."),
    ),
)
"""Words of SQLite's message, and what is told for it."""


def is_damaged(error: Exception) -> bool:
    """Return whether no later try can succeed with the same file."""
    words = ("malformed", "not a database", "corrupt")
    is_unreadable = isinstance(error, sqlite3.DatabaseError) and any(word in str(error) for word in words)
    return is_unreadable or isinstance(error, UsageError)


def _set_journal(database: sqlite3.Connection, mode: str, timeout: float) -> None:
    """Set the journal; where two processes begin a file at once, SQLite gives one of them up without waiting."""
    end = time.monotonic() + timeout
    while True:
        try:
            database.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:  # noqa: PERF203  # tried again
            if "locked" not in str(error) or time.monotonic() >= end:
                raise
            time.sleep(0.01)


def is_passing(error: Exception) -> bool:
    """Return whether the same turns may be written later: the file is locked, or the disk full."""
    return isinstance(error, sqlite3.OperationalError | OSError)


def _open_to_read(path: Path) -> sqlite3.Connection:
    try:
        return open_database(path)
    except (sqlite3.OperationalError, PermissionError) as error:
        if os.access(path, os.W_OK) and "readonly" not in str(error) and "unable to open" not in str(error):
            raise
    uri = f"{path.resolve().as_uri()}?mode=ro"
    has_wal = path.with_name(f"{path.name}-wal").exists()
    database = sqlite3.connect(uri if has_wal else f"{uri}&immutable=1", uri=True, isolation_level=None)
    try:
        version_of(database, display_path(path))
    except BaseException:
        database.close()
        raise
    return database


def is_on_network_drive(path: Path) -> bool:
    """Return whether a file lies on a network drive, as far as the system tells."""
    if sys.platform == "win32":
        return str(path).startswith("\\\\")
    try:
        mounts = Path("/proc/self/mounts").read_text("utf-8", "replace")
    except OSError:  # not Linux
        return False
    return _file_system_of(os.path.realpath(path), mounts) in _NETWORK_FILE_SYSTEMS


def _file_system_of(path: str, mounts: str) -> str:
    """Return the type of the file system that holds `path`: that of the longest mount point above it."""
    longest, kind = "", ""
    for line in mounts.splitlines():
        _, mounted, file_system, *_ = [*line.split(), "", "", ""]
        point = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), mounted)
        if len(point) >= len(longest) and f"{path}/".startswith(f"{point.rstrip('/')}/"):
            longest, kind = point, file_system
    return kind

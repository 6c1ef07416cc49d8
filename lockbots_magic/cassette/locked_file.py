"""A file that several processes append to: the lock, and the write that leaves no half of it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import UsageError
from ..language import _

LOCK_TIMEOUT = 30.0
"""Longest wait (s) for another process that writes the same file."""


def absolute_path(path: str | Path) -> Path:
    """Return where `path` is, whatever the working directory becomes.

    Raises:
        UsageError: The working directory was deleted, or there is no home folder of that user.
    """
    try:
        return Path(path).expanduser().resolve()
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(_("Can't use {name}: {error}.", name=path, error=reason)) from None


def append_bytes(path: Path, content: bytes, size: int) -> None:
    """Append to a file of `size` bytes; a disk that is full leaves no half of it.

    Raises:
        OSError: The file can't be written.
    """
    with path.open("ab", buffering=0) as file:
        try:
            written = file.write(content)
            while written < len(content):
                written += file.write(content[written:])
        except OSError:
            with suppress(OSError):
                file.truncate(size)
            raise


@contextmanager
def file_lock(path: Path) -> Iterator[None]:
    """Keep other processes of this user from writing to `path`.

    The lock lives in the folder for temporary files, as some mounts support no locks, and stays there: next to the
    cassette it would be one more file to ignore.

    Raises:
        UsageError: If another process holds the lock for more than `LOCK_TIMEOUT`.
        OSError: If the lock can't be created.
    """
    user = os.getuid() if hasattr(os, "getuid") else ""
    digest = hashlib.sha256(os.fsencode(path)).hexdigest()[:24]
    lock = FileLock(Path(tempfile.gettempdir()) / f"lockbots-{user}-{digest}.lock", timeout=LOCK_TIMEOUT)
    try:
        lock.acquire()
    except Timeout:
        raise UsageError(
            _(
                "Can't write {name}: another process has kept it locked for {lock_timeout:g} s.",
                name=path.name,
                lock_timeout=LOCK_TIMEOUT,
            )
        ) from None
    except NotImplementedError as error:  # the file system has no locks
        raise UsageError(_("Can't lock {name}: {error}.", name=path.name, error=error)) from None
    try:
        yield
    finally:
        lock.release()

"""Regular files: read whole up to a limit, and replaced atomically."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from .errors import UsageError
from .language import N_, _

MAX_FILE = 200_000_000
"""Largest file (bytes) that is read whole."""

NEW_MODE = 0o600
"""Mode of a new file."""

WAITS_FOR_READERS = os.name == "nt"
"""Whether a file can't be replaced while it is read: by a virus scanner, a file synchroniser, another kernel."""
REPLACE_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Pauses (s) between attempts to replace such a file."""

_NOT_REGULAR = N_("it is not a regular file")
_NONBLOCK = getattr(os, "O_NONBLOCK", 0)
_BINARY = getattr(os, "O_BINARY", 0)


def write_text(path: str | Path, text: str) -> Path:
    """Write a UTF-8 text file atomically; see `replace_file`.

    Lone surrogates are written as backslash escapes, which in JSON mean the same.

    Args:
        path: Target; ``~`` is expanded.
        text: Full content. Newlines are written unchanged.

    Returns:
        The expanded path.

    Raises:
        UsageError: If the file can't be written.
    """
    path = _expand(path)
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError, RuntimeError) as error:
        raise UsageError(_("{path} can't be written: {reason}.", path=path, reason=_reason(error))) from None
    return path


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: until the new content is complete, the old file stays as it was.

    A symbolic link stays a link (its target is replaced), and an existing file keeps its mode. A new one, which may
    hold what nobody else is to read, is the owner's alone.

    Raises:
        OSError, ValueError, RuntimeError: If the file can't be written, or is a device, a pipe or a folder.
    """
    target = path.resolve()
    with suppress(FileNotFoundError):
        _check_regular(target.stat())
    draft = target.with_name(f".lockbots-{uuid.uuid4().hex[:12]}.tmp")
    try:
        if not _write_without_name(draft, content):
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, NEW_MODE), "wb") as file:
                _write_through(file, content)
        with suppress(OSError):
            shutil.copymode(target, draft)
        _give_name(draft, target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _give_name(draft: Path, target: Path) -> None:
    """Put a draft in the place of its target. Windows refuses it while another program has the target open."""
    for pause in REPLACE_PAUSES if WAITS_FOR_READERS else ():  # elsewhere a refusal is about rights
        with suppress(PermissionError):
            draft.replace(target)
            return
        time.sleep(pause)
    draft.replace(target)


def _write_without_name(draft: Path, content: bytes) -> bool:
    """Write a file that gets its name `draft` only when it is whole, so that a process that is killed leaves none.

    Returns:
        False if the system has no such files, as only Linux has (open(2), `O_TMPFILE`); nothing is written then.
    """
    try:
        descriptor = os.open(draft.parent, os.O_WRONLY | os.O_TMPFILE, NEW_MODE)
    except (AttributeError, OSError):
        return False
    with os.fdopen(descriptor, "wb") as file:
        _write_through(file, content)
        # A folder's descriptor makes Python call linkat(2), which follows the link; link(2) does not.
        folder = os.open(draft.parent, os.O_RDONLY)
        try:
            os.link(f"/proc/self/fd/{descriptor}", draft, src_dir_fd=folder)
        except OSError:  # without /proc
            return False
        finally:
            os.close(folder)
    return True


def _write_through(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file, with or without a byte order mark.

    Raises:
        UsageError: If the file can't be read, is larger than `MAX_FILE`, or is not UTF-8 text.
    """
    path = _expand(path)
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(_("Can't read {path}: it is not UTF-8 text.", path=path)) from None
    except (OSError, ValueError) as error:
        raise UsageError(_("Can't read {path}: {reason}.", path=path, reason=_reason(error))) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def read_bytes(path: Path, limit: int | None = None) -> bytes:
    """Read a regular file whole. A device might have no end, and a pipe be silent for ever.

    Args:
        path: The file.
        limit: Number of bytes up to which it is read; the rest is left. None refuses a file larger than `MAX_FILE`.

    Raises:
        OSError, ValueError: If the file can't be read, is not a regular file, or is too large.
    """
    most = MAX_FILE if limit is None else limit
    _check_regular(path.stat())  # first: a device may notice that it is opened
    # Not blocking: opening a pipe waits for its other end, and it may take a file's place after any check.
    with os.fdopen(os.open(path, os.O_RDONLY | _NONBLOCK | _BINARY), "rb") as file:
        _check_regular(os.fstat(file.fileno()))
        content = file.read(most + 1) or b""
    if limit is None and len(content) > most:
        raise OSError(errno.EFBIG, _("it is larger than {megabytes} MB", megabytes=MAX_FILE // 1000000))
    return content[:most]


def _check_regular(status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, _(_NOT_REGULAR))


def _expand(path: str | Path) -> Path:
    try:
        expanded = Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(_("Can't expand {path}: {error}.", path=path, error=error)) from None
    is_folder = str(path).endswith(("/", os.sep))  # which `Path` drops: a file would be where a folder was meant
    if is_folder or not expanded.name:
        raise UsageError(_("{path!r} is not a file name.", path=str(path)))
    return expanded


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

"""Text files: read whole, and replaced atomically."""

from __future__ import annotations

import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

from .errors import UsageError


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
        raise UsageError(f"Can't write {path}: {_reason(error)}.") from None
    return path


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: until the new content is complete, the old file stays as it was.

    A symbolic link stays a link (its target is replaced), and an existing file keeps its mode.

    Raises:
        OSError, ValueError, RuntimeError: If the file can't be written.
    """
    target = path.resolve()
    draft = target.with_name(f".lockbots-{uuid.uuid4().hex[:12]}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):
            shutil.copymode(target, draft)
        draft.replace(target)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def read_text(path: str | Path) -> str:
    """Read a UTF-8 text file, with or without a byte order mark.

    Raises:
        UsageError: If the file can't be read or is not UTF-8 text.
    """
    path = _expand(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"Can't read {path}: it is not UTF-8 text.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"Can't read {path}: {_reason(error)}.") from None


def _expand(path: str | Path) -> Path:
    try:
        expanded = Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"Can't expand {path}: {error}.") from None
    if not expanded.name:
        raise UsageError(f"{str(path)!r} is not a file name.")
    return expanded


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

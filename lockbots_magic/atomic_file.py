"""Text files: read whole, and written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from .errors import UsageError


def write_text(path: str | Path, text: str) -> Path:
    """Write `text` as UTF-8 and return where. An old file stays whole until the new one is.

    Half a character (a lone surrogate) becomes its escape, which in JSON means the same.

    Args:
        path: `~` is the home directory.
        text: the whole of it, with newlines as they are to stand there.

    Raises:
        UsageError: the file can't be written.
    """
    path = _at(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
        draft.replace(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be written: {_reason(error)}") from None
    finally:
        with suppress(OSError, ValueError):
            draft.unlink(missing_ok=True)
    return path


def read_text(path: str | Path) -> str:
    """Return what a file holds, in UTF-8 with or without a mark in front.

    Raises:
        UsageError: it can't be read, or is no text.
    """
    path = _at(path)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} holds no text (in UTF-8)") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} can't be read: {_reason(error)}") from None


def _at(path: str | Path) -> Path:
    try:
        whole = Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{path}: {error}") from None
    if not whole.name:
        raise UsageError(f"{path} is no name of a file")
    return whole


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)

"""Conversations as files."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from .conversation import Conversation
from .errors import UsageError


def save(conversation: Conversation, path: str | Path) -> Path:
    """Write `conversation` as JSON and return where. The old file stays whole until the new one is.

    Raises:
        UsageError: the file can't be written.
    """
    path = Path(path).expanduser()
    try:
        text = json.dumps(conversation.to_dict(), ensure_ascii=False, indent=1, allow_nan=False)
    except (TypeError, ValueError):
        raise UsageError("a parameter of a turn is no JSON, so the conversation can't be saved as that") from None
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        draft.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
        draft.replace(path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    return path


def load(path: str | Path) -> Conversation:
    """Read a conversation that `save` wrote.

    Raises:
        UsageError: the file can't be read, or holds something else.
    """
    path = Path(path).expanduser()
    try:
        return Conversation.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        why = error if isinstance(error, UsageError) else "it is not JSON"
        raise UsageError(f"{path}: {why}") from None

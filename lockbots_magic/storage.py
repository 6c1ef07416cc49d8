"""Conversations as files."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .conversation import Conversation
from .errors import UsageError


def save(conversation: Conversation, path: str | Path) -> Path:
    """Write `conversation` as JSON and return where. The old file stays whole until the new one is.

    Raises:
        UsageError: the file can't be written.
    """
    path = Path(path).expanduser()
    text = json.dumps(conversation.to_dict(), ensure_ascii=False, indent=1)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text + "\n")
        Path(draft).replace(path)
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
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

"""Lines of a cassette file: its header, a recording each, and what a crash leaves of one. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import UsageError
from ..language import _
from .recording import Recording

FORMAT = "lockbots-cassette"
VERSION = 1
JOB = "job"
"""Field of a line that notes a job at a batch API; it is no recording."""
HEADER_LINE = json.dumps({"format": FORMAT, "version": VERSION})
MAX_CUT_TOKEN = 6
"""Characters of an escape, a literal or a number that was cut off, from where JSON finds it invalid."""


def encode_line(line: str) -> bytes:
    """Return a line as it is written."""
    return f"{line}\n".encode("utf-8", "backslashreplace")  # lone surrogates as JSON escapes


class MissingPredecessorError(ValueError):
    """A recording follows one that is not above it."""


def read_recording(line: dict[str, Any], by_id: Mapping[str, Recording]) -> Recording:
    """Return the recording of a line.

    Args:
        line: The JSON object.
        by_id: Recordings above it.

    Raises:
        MissingPredecessorError: It follows another one.
        ValueError, TypeError, KeyError, AttributeError, IndexError: It is not a recording.
    """
    following = line.get("after")
    if following and following not in by_id:
        raise MissingPredecessorError(
            _("the recording {following!r} that it follows is not above it", following=following)
        )
    return Recording.from_line(line, by_id[following] if following else None)


def is_torn(line: bytes) -> bool:
    """Whether `line` is the beginning of a JSON object, cut off anywhere, or only zeros. Pure.

    Example:
        >>> is_torn(b'{"id": "a", "requ'), is_torn(b'{"id": oops}')
        (True, False)
    """
    text = line.decode("utf-8", "replace").strip(" \r\t\0")  # a power failure leaves zeros
    if not text.startswith("{"):
        return not text
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        left = len(text) - error.pos
        is_at_end = left == 0 or (left <= MAX_CUT_TOKEN and not text.endswith("}"))
        return is_at_end or error.msg.startswith("Unterminated string")
    except RecursionError:
        pass
    return False


def check_header(line: bytes, name: str) -> None:
    """Check the first line of a cassette file called `name`.

    Raises:
        UsageError: It is not a cassette file, or one of another version.
    """
    try:
        header = json.loads(line)
        found, version = header["format"], header["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        found, version = "", 0
    if found != FORMAT:
        raise UsageError(
            _(
                "{name} is not a cassette file: the first line must be {header_line}.",
                name=name,
                header_line=HEADER_LINE,
            )
        )
    if version != VERSION:
        raise UsageError(
            _(
                "{name} has version {version!r:.40}; this release reads version {supported}.",
                name=name,
                version=version,
                supported=VERSION,
            )
        )

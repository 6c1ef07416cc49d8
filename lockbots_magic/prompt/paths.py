"""Files that somebody names."""

from __future__ import annotations

import difflib
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError
from .text import one_line

MOST_OF_A_PATH = 400
"""Characters of a path that a message shows: what tells files apart stands at its end."""


def file_of(name: str | Path, hint: str) -> Path:
    """Return the path of the file called `name`; `~` is the user's own folder.

    Raises:
        UsageError: there is none, or it is no file; the message ends with `hint`, or names one that is called alike.
    """
    shown = one_line(str(name), MOST_OF_A_PATH)
    try:
        path = Path(name).expanduser()
        exists, is_file, is_folder = path.exists(), path.is_file(), path.is_dir()
    except (OSError, RuntimeError, ValueError) as error:  # not allowed to look; no such user; a zero byte
        raise UsageError(f"{shown} can't be read: {getattr(error, 'strerror', None) or error}") from error
    if is_file:
        return path
    if is_folder:
        raise UsageError(f"{shown} is a folder; {hint}")
    if exists:
        raise UsageError(f"{shown} is no ordinary file; {hint}")
    alike = _alike(path)
    raise UsageError(
        f"there is no file {shown}; {f'did you mean {one_line(alike, MOST_OF_A_PATH)}?' if alike else hint}"
    )


def _alike(path: Path) -> str | None:
    with suppress(OSError):
        found = difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
        return str(path.with_name(found[0])) if found else None
    return None

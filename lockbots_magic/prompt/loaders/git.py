"""Loader of files in a local git repository: ``git:REPO/PATH@REV``.

Nothing of the repository runs: no hook, no filter, no pager, and a partial clone fetches nothing.

Facts: git's manual, `git-cat-file`, `gitrevisions` and `git` (GIT_NO_LAZY_FETCH, `--end-of-options`).
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from ...errors import UsageError
from ...language import N_, _
from ..local_files import decode_text, language_of
from ..text import fence_code, to_one_line

MAX_BYTES = 400_004
"""Bytes of a file that are read: 100,000 characters in any encoding."""
MAX_SIZE = 50_000_000
"""Bytes of a file of which the beginning is read."""
TIMEOUT = 20.0
"""Time (s) for one call of git."""
MAX_SHOWN = 20
"""Names of a folder that a message lists."""

_REVISION = re.compile(r"(.+?)@((?:[^@]|@\{)+)", re.DOTALL)
_HINT = N_("It is written git:REPO/PATH@REV, such as git:project/src/main.py@v1.2; without @REV it is HEAD.")


def load(argument: str) -> tuple[str, str]:
    """File of a local git repository, as it was: git:REPO/PATH@REV; without @REV as in HEAD."""
    place, revision = _split_revision(argument)
    repository, path = _split_place(place)
    commit = _git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if commit is None:
        raise UsageError(
            _(
                "{repository} has no revision {revision!r}. {hint}",
                repository=_shown(repository),
                revision=to_one_line(revision),
                hint=_(_HINT),
            )
        )
    name = f"{commit.decode('ascii').strip()}:{path}"
    kind = (_git(repository, "cat-file", "-t", name) or b"").strip()
    if kind == b"tree":
        entries = (_git(repository, "ls-tree", "--name-only", "-z", name) or b"").decode("utf-8", "replace").split("\0")
        listed = ", ".join(to_one_line(entry) for entry in entries[:MAX_SHOWN] if entry)
        raise UsageError(_("{path} is a folder. It holds: {listed}.", path=path or _shown(repository), listed=listed))
    size = int(_git(repository, "cat-file", "-s", name) or 0) if kind == b"blob" else 0
    if size > MAX_SIZE:
        raise UsageError(
            _(
                "{path} is too large: {megabytes} MB. Only text can be sent.",
                path=to_one_line(path),
                megabytes=size // 1000000,
            )
        )
    content = _git(repository, "cat-file", "blob", name) if kind == b"blob" else None
    if content is None:
        raise UsageError(
            _(
                "{repository} has no file {path!r} in {revision}. {hint}",
                repository=_shown(repository),
                path=to_one_line(path),
                revision=to_one_line(revision),
                hint=_(_HINT),
            )
        )
    found = decode_text(content[:MAX_BYTES], is_whole=len(content) <= MAX_BYTES)
    if found is None:
        raise UsageError(_("{path} is not a text file. Only text can be sent.", path=to_one_line(path)))
    text = found[0].replace("\r\n", "\n").replace("\r", "\n")
    return fence_code(text, language_of(Path(path))), f"File {path} at {revision} ({commit[:7].decode('ascii')})"


def _split_revision(argument: str) -> tuple[str, str]:
    """Return the place and the revision, in which ``@{`` may stand: ``f.py@HEAD@{1}``."""
    match = _REVISION.fullmatch(argument)
    if match is None:
        return argument, "HEAD"
    return match[1], f"@{match[2]}" if match[2].startswith("{") else match[2]


def _split_place(place: str) -> tuple[Path, str]:
    """Return the repository and the path in it: the longest beginning of `place` that is a repository."""
    try:
        whole = Path(os.path.normpath(Path.cwd() / Path(place).expanduser()))
    except (RuntimeError, OSError) as error:
        raise UsageError(_("Can't expand {place}: {error}.", place=to_one_line(place), error=error)) from None
    for folder in (whole, *whole.parents):
        if _is_repository(folder):
            path = whole.relative_to(folder).as_posix()
            return folder, "" if path == "." else path
    raise UsageError(_("{place} lies in no git repository. {hint}", place=to_one_line(place), hint=_(_HINT)))


def _is_repository(folder: Path) -> bool:
    try:
        is_bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
        return is_bare or (folder / ".git").exists()
    except (OSError, ValueError):  # no permission; a NUL character
        return False


def _git(repository: Path, *arguments: str) -> bytes | None:
    """Return what a call of git writes, at most a little more than `MAX_BYTES`; None if it fails.

    Raises:
        UsageError: git is missing, takes too long, or refuses the repository.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {
        **kept,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C",
    }
    command = ["git", "--no-pager", "-c", "core.fsmonitor=false", "-C", str(repository), *arguments]
    try:
        with subprocess.Popen(  # noqa: S603  # git, with arguments that are no options
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as process:
            return _read(process, repository)
    except OSError as error:
        raise UsageError(_("git: needs git, which can't be run: {error}.", error=error.strerror or error)) from None
    except ValueError:  # a NUL character
        return None


def _read(process: subprocess.Popen[bytes], repository: Path) -> bytes | None:
    try:
        output, errors = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise UsageError(
            _("git takes longer than {timeout:.0f} s in {repository}.", timeout=TIMEOUT, repository=_shown(repository))
        ) from None
    except BaseException:
        process.kill()
        raise
    if process.returncode == 0:
        return output
    if b"dubious ownership" in errors:
        raise UsageError(_("git refuses {repository}: it belongs to another user.", repository=_shown(repository)))
    return None


def _shown(repository: Path) -> str:
    return to_one_line(str(repository), 200)

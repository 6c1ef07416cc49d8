"""What a server is reached by: a command that is run, or a URL. Pure, but for the environment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from urllib.parse import urlsplit

from ...errors import UsageError
from ...language import _
from ...providers.address import saved_address
from ...providers.headers import RequestHeaders
from ...providers.http.request import HTTPRequest, warn_if_unencrypted
from ...security.secrets import MASK, Secret
from ...security.url_secrets import secrets_of_path
from .references import Setting, read_settings

MAX_NAME = 32
"""Length (characters) of a server's name; the names of its tools may begin with it."""
MAX_SHOWN = 200
"""Length (characters) to which a command is cut where it is shown."""

_RUNNERS = frozenset(
    [
        "npx",
        "uvx",
        "bunx",
        "pnpm",
        "yarn",
        "npm",
        "uv",
        "pipx",
        "python",
        "node",
        "deno",
        "bun",
        "docker",
        "podman",
        "sh",
        "bash",
        "cmd",
        "run",
        "dlx",
        "exec",
    ]
)
"""Programs that start others, and their commands: they name no server."""
_SECRET_FLAG = re.compile(r"--?[\w-]*(?:key|token|secret|passw\w*|auth\w*|credential\w*)", re.IGNORECASE)
_TELLS_ALL = re.compile(r"mcp|server|/")
"""Found in names of packages, files and images that are servers."""
_GENERIC = re.compile(r"^(?:mcp[-_])?(?:server[-_])?|[-_]mcp(?:[-_]server)?$|[-_]server$")


@dataclass(frozen=True)
class CommandLaunch:
    """A command that is run as a child of this process, and spoken to by its standard input and output."""

    words: tuple[Setting, ...]
    env: Mapping[str, Setting] = field(default_factory=dict)
    cwd: str | None = None

    def resolve(self) -> tuple[list[str], dict[str, str], str | None]:
        """Return the words, the environment beyond the minimal one, and the working directory.

        Raises:
            UsageError: A variable of the environment is not set.
        """
        cwd = None if self.cwd is None else str(Path(self.cwd).expanduser())
        return [one.resolve() for one in self.words], {k: v.resolve() for k, v in self.env.items()}, cwd

    def shown_words(self) -> list[str]:
        """Return the words without credentials."""
        words = [one.shown() for one in self.words]
        for at, word in enumerate(words):
            flag, mark, value = word.partition("=")
            if _SECRET_FLAG.fullmatch(flag) and mark and not value.startswith("$"):
                words[at] = f"{flag}={MASK}"
            elif at and _SECRET_FLAG.fullmatch(words[at - 1]) and not word.startswith(("$", "-")):
                words[at] = MASK
        return words

    def shown(self) -> str:
        """Return the command for people."""
        return shlex.join(self.shown_words())[:MAX_SHOWN]

    def key(self) -> str:
        """Return the command without what differs between machines: folders of absolute paths, versions of Python."""
        return shlex.join(_shorten_path(word) for word in self.shown_words())

    def guess_name(self) -> str:
        """Return a name out of the command: of the package or file that is run."""
        return next(_names_in(self.shown_words()), "server")


@dataclass(frozen=True)
class EndpointLaunch:
    """A server at a URL, spoken to by streamable HTTP."""

    url: Setting
    auth: Setting | None = None
    headers: Mapping[str, Setting] = field(default_factory=dict)

    def resolve(self) -> tuple[str, RequestHeaders]:
        """Return the URL and the headers.

        Raises:
            UsageError: A variable of the environment is not set, or a header is invalid.
        """
        url = self.url.resolve()
        secrets_of_path(url)  # in use from now on: the server may repeat them
        headers: dict[str, str | Secret] = {name: one.resolve() for name, one in self.headers.items()}
        if self.auth is not None:
            headers = {name: value for name, value in headers.items() if name.lower() != "authorization"}
            token = self.auth.resolve()
            headers["Authorization"] = token if re.match(r"[A-Za-z]+ \S", token) else f"Bearer {token}"
        resolved = RequestHeaders.of(headers)
        headers = {}
        warn_if_unencrypted(HTTPRequest("POST", url, secret_headers=resolved.secret))
        return url, resolved

    def shown(self) -> str:
        """Return the URL for people."""
        return self.key()[:MAX_SHOWN]

    def key(self) -> str:
        """Return the URL without what may hold a credential."""
        return saved_address(self.url.shown())

    def guess_name(self) -> str:
        """Return a name out of the URL: of its path, else of its host."""
        parts = urlsplit(self.key())
        path = [one for one in parts.path.split("/") if one not in ("", "mcp", "sse", "v1", "api", "s", MASK)]
        host = [
            one
            for one in (parts.hostname or "").split(".")[:-1]
            if one not in ("www", "mcp", "api") and not one.isdigit()
        ]
        return path[-1] if path else host[-1] if host else parts.hostname or "server"


Launch = CommandLaunch | EndpointLaunch


def read_launch(
    server: str | Sequence[str],
    env: Mapping[str, str | Secret] | None,
    cwd: str | Path | None,
    auth: str | Secret | None,
    headers: Mapping[str, str | Secret] | None,
) -> Launch:
    """Return what a server is reached by.

    Args:
        server: A command line, its words, or a URL.
        env: Environment variables for a command.
        cwd: Working directory of a command.
        auth: Credential for a URL.
        headers: Headers for a URL.

    Raises:
        UsageError: `server` is neither, or a setting is of the other kind.
    """
    if isinstance(server, str) and re.match(r"https?://", server.strip(), re.IGNORECASE):
        if env is not None or cwd is not None:
            raise UsageError(_("env and cwd are for a command; a server at a URL takes auth and headers."))
        return EndpointLaunch(
            _read_url(server.strip()),
            None if auth is None else Setting("auth", auth, "auth_token"),
            read_settings("headers", headers),
        )
    if auth is not None or headers is not None:
        raise UsageError(
            _("auth and headers are for a URL; a command takes its credentials by env={'API_KEY': '$API_KEY'}.")
        )
    words = _split(server)
    names = read_settings("env", env)
    if cwd is not None and not isinstance(cwd, str | Path):
        raise UsageError(_("cwd must be the path of a folder, got {kind}.", kind=type(cwd).__name__))
    before = ("", *words)
    read = (
        Setting(_("the command"), word, "token" if _SECRET_FLAG.fullmatch(flag) and not word.startswith("-") else "")
        for flag, word in zip(before, words, strict=False)
    )
    return CommandLaunch(tuple(read), names, None if cwd is None else str(cwd))


def make_name(text: str) -> str:
    """Return `text` as the name of a server: ASCII letters, digits, ``_`` and ``-``.

    Example:
        >>> make_name("@scope/my server")
        'scope_my_server'
    """
    return re.sub(r"[^A-Za-z0-9_-]+", "_", text).strip("_-")[:MAX_NAME] or "server"


def _read_url(url: str) -> Setting:
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or any(c.isspace() for c in url):
        url = ""
        raise UsageError(_("Invalid URL of an MCP server. It is written https://host/mcp."))
    return Setting(_("the URL"), url)


def _split(server: str | Sequence[str]) -> list[str]:
    if isinstance(server, str):
        try:
            words = shlex.split(server)
        except ValueError as error:
            raise UsageError(_("The command of an MCP server can't be read: {error}.", error=error)) from None
    elif isinstance(server, Sequence) and all(isinstance(word, str) for word in server):
        words = list(server)
    else:
        raise UsageError(_("An MCP server is a command, its words, or a URL, got {kind}.", kind=type(server).__name__))
    if not words or not words[0].strip() or any("\0" in word for word in words):
        raise UsageError(_("An MCP server is a command or a URL, such as MCP('npx -y @scope/server')."))
    return words


def _shorten_path(word: str) -> str:
    flag, mark, value = word.partition("=") if word.startswith("-") else ("", "", word)
    kind = PureWindowsPath if re.match(r"[A-Za-z]:[\\/]|\\\\", value) else PurePosixPath
    path = kind(value)
    name = path.name if path.is_absolute() or value.startswith("~") else value
    return flag + mark + re.sub(r"^python[\d.]*(?:\.exe)?$", "python", name)


def _names_in(words: Sequence[str]) -> Iterator[str]:
    """Yield words that may name the server, best first."""
    names = {word: _shorten_path(word) for word in words if not word.startswith(("-", "$", ".", MASK))}
    found = [name for name in names.values() if name.lower() not in _RUNNERS and re.search("[A-Za-z]", name)]
    for name in sorted(found, key=lambda name: _TELLS_ALL.search(name) is None):
        short = re.sub(r"(?<=.)@[\w.^~-]+$|\.(?:py|js|mjs|ts|sh|exe)$", "", name)  # a version, or the kind of file
        yield _GENERIC.sub("", PurePosixPath(short).name) or short

"""Files in which clients of MCP describe servers. They are read when the user names one, and never searched for.

Wire facts: Claude Desktop and Claude Code ("mcpServers"), Visual Studio Code ("servers", with comments), as their
documentation has them in 2026.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...atomic_file import read_bytes
from ...errors import UsageError
from ...language import _
from ...security.foreign_text import quote_line
from .descriptions import join_names

MAX_FILE = 1_000_000
"""Size (bytes) of a file of servers."""
SECTIONS = ("mcpServers", "servers", "mcp_servers", "context_servers")

_COMMENT = re.compile(r'("(?:[^"\\\n]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])', re.DOTALL)


def read_server_entry(path: str | Path, name: str | None) -> tuple[str, dict[str, Any]]:
    """Return the name of a server in a file, and the arguments of `MCP` for it.

    Args:
        path: The file.
        name: Name of the server; None: the only one.

    Raises:
        UsageError: The file can't be read, or describes no such server.
    """
    shown = quote_line(str(path), 200)
    servers = _read_servers(Path(path).expanduser(), shown)
    if name is None and len(servers) == 1:
        name = next(iter(servers))
    if name is None or name not in servers:
        names = join_names(servers) or _("none")
        if name is None:
            raise UsageError(_("{shown}: Name one of its servers: {names}", shown=shown, names=names))
        name = quote_line(name, 60)
        raise UsageError(_("{shown}: It has no server {name}; it has: {names}", shown=shown, name=name, names=names))
    entry = servers[name]
    if not isinstance(entry, dict):
        raise UsageError(
            _("{shown}: {name} must be an object with `command` or `url`.", shown=shown, name=quote_line(name, 60))
        )
    return name, _read_entry(entry, f"{shown}: {quote_line(name, 60)}")


def _read_servers(path: Path, shown: str) -> Mapping[str, Any]:
    try:
        data = read_bytes(path)
    except OSError as error:
        raise UsageError(_("Can't read {shown}: {strerror}.", shown=shown, strerror=error.strerror)) from None
    if len(data) > MAX_FILE:
        raise UsageError(_("{shown} is too large for a file of MCP servers.", shown=shown))
    try:
        text = _COMMENT.sub(lambda match: match[1] or " ", data.decode("utf-8-sig"))
        value = json.loads(_TRAILING_COMMA.sub(lambda match: match[1] or "", text))
    except (ValueError, RecursionError):
        raise UsageError(_("{shown} is not JSON.", shown=shown)) from None
    if isinstance(value, dict) and isinstance(value.get("mcp"), dict):  # settings of Visual Studio Code
        value = value["mcp"]
    found = next((value[one] for one in SECTIONS if isinstance(value, dict) and one in value), None)
    if not isinstance(found, dict):
        raise UsageError(_("{shown} describes no MCP servers: it lacks the object `mcpServers`.", shown=shown))
    return found


def _read_entry(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    url = entry.get("url") or entry.get("serverUrl") or entry.get("httpUrl")
    if entry.get("type") == "sse":
        raise UsageError(
            _(
                "{where} speaks SSE, a transport that the protocol no longer has. Ask for its URL of streamable HTTP.",
                where=where,
            )
        )
    if isinstance(url, str):
        return {"server": url, **({"headers": entry["headers"]} if entry.get("headers") else {})}
    command, arguments = entry.get("command"), entry.get("args") or []
    if not isinstance(command, str) or not command.strip() or not _are_texts(arguments):
        raise UsageError(_("{where} must have `command`, with the texts `args`, or `url`.", where=where))
    options = {key: entry[key] for key in ("env", "cwd") if entry.get(key)}
    return {"server": [command, *arguments], **options}


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)

"""What a server says of its tools, as the model may read it: bounded, without what is invisible. Pure.

What it says is hostile: it is written by whoever runs the server, and the model reads it as instructions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol

from ...conversation.messages import Tool
from ...errors import UsageError
from ...language import _
from ...security.control_characters import printable, replace_surrogates
from ...security.foreign_text import quote_line
from ...security.hidden_text import without_hidden_text
from ...security.redaction import redacted
from .limits import MAX_DEPTH, MAX_DESCRIPTION, MAX_SCHEMA, MAX_TOOLS

MAX_TOOL_NAME = 64
"""Length (characters) of a tool's name; services refuse longer ones."""
MAX_NAMED = 20
"""Most tools that a message names."""
_DIGEST = 6


class DescribedTool(Protocol):
    """The part of a server's tool that is read."""

    name: str
    title: str | None
    description: str | None
    input_schema: dict[str, Any]


class UnusableSchemaError(ValueError):
    """A schema can't be sent to a model; the message is the reason."""


@dataclass(frozen=True)
class ServerToolList:
    """Tools of a server, as they are sent to the model."""

    tools: Mapping[str, Tool]
    """By the name that the server knows them by."""
    left_out: Mapping[str, str]
    """Tools that can't be used, each with the reason."""


def read_tool_list(server: str, listed: Sequence[DescribedTool], only: Sequence[str] | None) -> ServerToolList:
    """Return the tools of a server that are wanted and can be used.

    Args:
        server: Name of the server, for messages.
        listed: What the server sent.
        only: Patterns of names; None: all.

    Raises:
        UsageError: None is wanted, or more than services take.
    """
    by_name = {tool.name: tool for tool in reversed(listed)}  # of two of one name the first
    wanted = [tool for tool in by_name.values() if _is_wanted(tool.name, only)][::-1]
    if only is not None and not wanted:
        offered = join_names(tool.name for tool in listed) or "none"
        raise UsageError(
            _(
                "No tool of the MCP server {server} matches {names}. It offers: {offered}",
                server=server,
                names=", ".join(only),
                offered=offered,
            )
        )
    if len(wanted) > MAX_TOOLS:
        raise UsageError(
            _(
                "The MCP server {server} offers {n} tools; a request takes {max_tools}. Name those "
                "that you need: only=['search_*']. It offers: {names}",
                server=server,
                n=len(wanted),
                max_tools=MAX_TOOLS,
                names=join_names(tool.name for tool in wanted),
            )
        )
    names = _make_names([tool.name for tool in wanted])
    tools: dict[str, Tool] = {}
    left_out: dict[str, str] = {}
    for tool in wanted:
        try:
            schema = clean_schema(tool.input_schema)
        except UnusableSchemaError as error:
            left_out[tool.name] = str(error)
            continue
        tools[tool.name] = Tool(names[tool.name], _clean_text(tool.description or tool.title or ""), schema)
    return ServerToolList(tools, left_out)


def join_names(names: Iterable[str]) -> str:
    """Return names for a message; they are the server's words."""
    found = list(names)
    more = [_("and {n} more", n=len(found) - MAX_NAMED)] if len(found) > MAX_NAMED else []
    return ", ".join([*(quote_line(name, MAX_TOOL_NAME) for name in found[:MAX_NAMED]), *more])


def clean_schema(schema: Any) -> dict[str, Any]:
    """Return the schema of a tool's arguments with its texts cleaned.

    Raises:
        UnusableSchemaError: It describes no object, or is too large or too deep.
    """
    if not isinstance(schema, dict) or schema.get("type", "object") != "object":
        raise UnusableSchemaError(_("its schema does not describe an object"))
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or not all(isinstance(one, dict | bool) for one in properties.values()):
        raise UnusableSchemaError(_("its schema is invalid: properties must be an object of schemas"))
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        raise UnusableSchemaError(_("its schema is invalid: required must be a list of names"))
    cleaned: dict[str, Any] = _clean({"type": "object", **{k: v for k, v in schema.items() if k != "$schema"}}, 0)
    try:
        size = len(json.dumps(cleaned, allow_nan=False))
    except (ValueError, TypeError):
        raise UnusableSchemaError(_("its schema is not valid JSON")) from None
    if size > MAX_SCHEMA:
        raise UnusableSchemaError(_("its schema has more than {max_schema} characters", max_schema=MAX_SCHEMA))
    return cleaned


def _is_wanted(name: str, only: Sequence[str] | None) -> bool:
    names = (name, _valid_name(name))
    return only is None or any(fnmatchcase(one, pattern) for one in names for pattern in only)


def _make_names(names: Sequence[str]) -> dict[str, str]:
    """Return a valid name for each; those that would be equal end with a digest of what they were."""
    valid = {name: _valid_name(name) for name in names}
    taken = list(valid.values())
    made = {}
    for name, short in valid.items():
        if short != name and (taken.count(short) > 1 or len(name) > MAX_TOOL_NAME):
            digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
            made[name] = f"{short[: MAX_TOOL_NAME - _DIGEST - 1]}_{digest}"
        else:
            made[name] = short
    return made


def _valid_name(name: str) -> str:
    """Return a name that every service takes: ASCII letters, digits, ``_`` and ``-``, and no digit first."""
    short = re.sub(r"[^A-Za-z0-9_-]+", "_", name)
    return (short if re.match("[A-Za-z_]", short) else f"_{short}")[:MAX_TOOL_NAME]


def _visible(text: str) -> str:
    return printable(without_hidden_text(replace_surrogates(text)))


def _clean_text(text: str) -> str:
    """Return a text without invisible characters and credentials, cut to what services take."""
    text = redacted(_visible(text)).strip()  # before it is cut: half a credential is not found
    return text if len(text) <= MAX_DESCRIPTION else f"{text[: MAX_DESCRIPTION - 1]}…"


def _clean(value: Any, depth: int, key: str = "") -> Any:
    if depth > MAX_DEPTH:
        raise UnusableSchemaError(_("its schema is nested more than {max_depth} deep", max_depth=MAX_DEPTH))
    if isinstance(value, str):
        is_prose = key in ("description", "title", "$comment")
        return _clean_text(value) if is_prose else redacted(_visible(value))
    if isinstance(value, dict):
        return {_clean_key(name): _clean(one, depth + 1, name) for name, one in value.items()}
    return [_clean(one, depth + 1) for one in value] if isinstance(value, list) else value


def _clean_key(key: Any) -> str:
    """Return the name of a property as it is: a call must name it so."""
    if not isinstance(key, str) or key != _visible(key) or len(key) > MAX_TOOL_NAME * 2:
        raise UnusableSchemaError(_("its schema has a name that can't be shown"))
    return key

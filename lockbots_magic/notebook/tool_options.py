"""Tools, policies and limits as people write them in a magic: `--tools`, `--approve`, `--limits`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ..errors import UsageError
from ..language import _
from ..prompt.magic_line import parse_assignments, split_words
from ..tools.approval import MODES, Approve, check_policy
from ..tools.limits import Limits
from ..tools.tool_source import is_tool_source


def split_names(named: str) -> Iterator[str]:
    """Yield the names of a list such as ``docs,f``."""
    return (name for part in split_words(named) for name in part.split(",") if name)


def check_tool(value: Any, name: str) -> Any:
    """Return what a name of `--tools` stands for: a function, a source of tools, or a list of these.

    Raises:
        UsageError: If it is something else.
    """
    if callable(value) or is_tool_source(value) or isinstance(value, list | tuple):
        return value
    raise UsageError(
        _(
            "--tools takes functions, MCP servers and lists of these; {name} is a {kind}.",
            name=name,
            kind=type(value).__name__,
        )
    )


def parse_approve(text: str, variables: Mapping[str, Any]) -> Approve:
    """Return the policy that a text names.

    Args:
        text: A mode, a list of globs and modes such as ``search_*=auto,*=ask``, or the name of a variable.
        variables: The notebook's.

    Raises:
        UsageError: If it names no policy.

    Example:
        >>> parse_approve("read_*=auto,*=never", {})
        {'read_*': 'auto', '*': 'never'}
    """
    text = text.strip()
    if text in MODES:
        return text
    if "=" in text:
        pairs = [part.partition("=") for part in text.split(",") if part.strip()]
        policy: Approve = {glob.strip(): mode.strip() for glob, _, mode in pairs}
    elif text in variables:
        policy = variables[text]
        if isinstance(policy, str) and policy not in MODES:
            raise UsageError(
                _("approve: {text} is a text, but no policy. Modes: {names}.", text=text, names=", ".join(MODES))
            )
    else:
        raise UsageError(
            _(
                "approve takes one of {names}, globs such as search_*=auto,*=ask, or the name of a "
                "function or dict; the notebook has no {text!r:.60}.",
                names=", ".join(MODES),
                text=text,
            )
        )
    check_policy(policy)
    return policy


def parse_limits(text: str) -> Limits:
    """Return the limits of a text such as ``rounds=20,seconds=60``; blanks may stand for the commas.

    Raises:
        UsageError: If a limit is unknown or invalid.
    """
    parts = re.sub(r"\s*=\s*", "=", text).replace(",", " ").split()
    if wrong := next((part for part in parts if "=" not in part), None):
        raise UsageError(
            _("limits are written name=number, such as rounds=20,seconds=60; got {wrong!r:.40}.", wrong=wrong)
        )
    return Limits.of(parse_assignments(parts))


def limits_of_setting(value: Any) -> dict[str, Any]:
    """Return the setting `limits` that a person typed: ``usd=0.10``; none for ``none`` and ``default``.

    Raises:
        UsageError: As for `parse_limits`.
    """
    text = str(value).strip()
    if text.lower() in ("none", "default"):
        return {}
    return {name: limit for name, limit in asdict(parse_limits(text)).items() if limit is not None}

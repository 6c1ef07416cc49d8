"""What `--to` and `--as json` make of a reply: the value, and how the cell shows it."""

from __future__ import annotations

import builtins
import dataclasses
import difflib
import json
from collections.abc import Mapping, Sized
from contextlib import suppress
from typing import Any

from ..conversation.turn import Turn
from ..language import _, ngettext
from ..late_dataclass import late_dataclass
from ..prompt.text import fence_code
from ..schema.code_blocks import CodeBlock, extract_code, split_code_blocks
from ..schema.json_values import SchemaMismatch
from ..schema.structured_output import ReplySchema

CONTEXT_LINES = 3
"""Unchanged lines around a change."""
MAX_SHOWN_JSON = 100_000
"""Length (characters) of a reply up to which its JSON is shown indented."""


@late_dataclass(frozen=True)
class Delivery:
    """The value of a reply, and what its cell says."""

    value: Any
    notices: tuple[str, ...] = ()
    shown: str | None = None
    """Markdown to show in place of the reply; None for the reply itself."""
    rejected: bool = False
    """Whether the reply doesn't fit its schema."""
    changes: str = ""
    """Markdown of what its code changes, for outputs that show the reply itself."""


def deliver(
    turn: Turn,
    variable: str | None,
    schema: ReplySchema | None,
    *,
    as_code: bool = False,
    replaces: str = "",
) -> Delivery:
    """Return what becomes of the reply of `turn`.

    Args:
        turn: The turn.
        variable: Variable that the value is for, if any.
        schema: What the reply must fit, with ``--as json``; a reply that doesn't stays text, and the notice says why.
        as_code: True for the code of the reply, if it has any.
        replaces: Code that this code corrects; the changes are shown in place of the code.
    """
    if schema is None:
        code = extract_code(turn.reply) if as_code else None
        changes = format_changes(replaces, code) if code and replaces else ""
        shown = show_changes(turn.reply, replaces, code) if code and replaces else None
        return Delivery(code or turn.reply, _named(variable, code or turn.reply), shown, changes=changes)
    try:
        value = schema.parse(turn.reply, is_cut=turn.status == "truncated")
    except SchemaMismatch as error:
        return Delivery(turn.reply, (_("rejected: {error}", error=error),), rejected=True)
    return Delivery(value, _named(variable, value), _json_block(turn.reply, value))


def format_changes(old: str, new: str) -> str:
    """Return the changes from `old` to `new` code as a block of Markdown; ``""`` if there are none.

    Example:
        >>> print(format_changes("x = 1", "x = 2"))
        ```diff
        @@ -1 +1 @@
        -x = 1
        +x = 2
        ```
    """
    lines = list(difflib.unified_diff(old.strip("\n").split("\n"), new.split("\n"), n=CONTEXT_LINES, lineterm=""))[2:]
    return fence_code("\n".join(lines), "diff") if lines else ""


def show_changes(reply: str, old: str, new: str) -> str | None:
    """Return a reply with the changes from `old` to `new` code in place of its code; None if there are none.

    Example:
        >>> print(show_changes("```python\\nx = 2\\n```\\nSet x.", "x = 1", "x = 2"))
        ```diff
        @@ -1 +1 @@
        -x = 1
        +x = 2
        ```
        <BLANKLINE>
        Set x.
    """
    changes = format_changes(old, new)
    if not changes:
        return None
    parts = split_code_blocks(reply)
    if sum(isinstance(part, CodeBlock) for part in parts) != 1:
        return f"{reply}\n\n{changes}"
    shown = (part.strip("\n") if isinstance(part, str) else changes for part in parts)
    return "\n\n".join(filter(None, shown))


def describe_value(value: Any) -> str:
    """Return the type and the size of a value.

    Example:
        >>> describe_value({"a": 1}), describe_value([1, 2]), describe_value("text"), describe_value(None)
        ('dict, 1 key', 'list, 2 items', 'str, 4 characters', 'None')
    """
    if value is None or isinstance(value, bool):
        return str(value)
    kind = type(value).__name__
    if not isinstance(value, Sized):
        return kind
    if isinstance(value, str):
        return ngettext("{kind}, {n:,} character", "{kind}, {n:,} characters", len(value), kind=kind)
    if isinstance(value, Mapping):
        return ngettext("{kind}, {n:,} key", "{kind}, {n:,} keys", len(value), kind=kind)
    return ngettext("{kind}, {n:,} item", "{kind}, {n:,} items", len(value), kind=kind)


def _named(variable: str | None, value: Any) -> tuple[str, ...]:
    if not variable:
        return ()
    described = f"{variable}: {describe_value(value)}"
    if not hasattr(builtins, variable) or variable == "_":
        return (described,)
    return (described, _("{name} now hides Python's own {name}; `del {name}` brings that back", name=variable))


def _json_block(reply: str, value: Any) -> str | None:
    """Return a JSON reply as an indented block; text around it stays."""
    text = _indented(value)
    if text is None or len(reply) > MAX_SHOWN_JSON:
        return None
    block = f"```json\n{text}\n```"
    bare = reply.strip()
    is_fence = bare.startswith("```") and bare.endswith("```") and bare.count("```") == 2
    return block if is_fence or bare[:1] in ("{", "[", '"') else f"{reply}\n\n{block}"


def _indented(value: Any) -> str | None:
    with suppress(Exception):  # a value of the user's own type, or nested too deeply: the reply is shown as it is
        return json.dumps(value, indent=2, ensure_ascii=False, default=_fields_of)
    return None


def _fields_of(value: Any) -> Any:
    """Return a dataclass or a model of pydantic as its fields; raise `TypeError` for anything else."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json")
    raise TypeError

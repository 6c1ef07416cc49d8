"""What looks like a secret in a prompt is left out of it, unless the user says otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..language import _
from ..security.named_secrets import MIN_VALUE, is_credential_name
from ..security.secret_shapes import leave_out_secrets
from .session import Session

MAX_WORD = 15
"""Length (characters) up to which a value of letters alone may be any word, in a variable of the notebook."""


def filter_prompt(
    session: Session, text: str, variables: Mapping[str, Any], *, raw: bool = False
) -> tuple[str, tuple[str, ...]]:
    """Return a prompt without what looks like a secret, and notes for the user, a line each.

    Args:
        session: State of the magics; its setting `send_secrets` sends them.
        text: The prompt, with everything that was put into it.
        variables: The notebook's namespace.
        raw: True sends the prompt as it is.
    """
    if raw:
        return text, ()
    kept, left_out = without_secrets(session, text, variables)
    if not left_out:
        return text, ()
    return kept, (_describe(left_out),)


def make_prompt_filter(variables: Mapping[str, Any]) -> Callable[[str], tuple[str, tuple[str, ...]]]:
    """Return a function that filters many prompts as `filter_prompt` does one."""
    named = {**_named_values(variables.items()), **os.environ}

    def keep(text: str) -> tuple[str, tuple[str, ...]]:
        kept, left_out = leave_out_secrets(text, named)
        return kept, ((_describe(left_out),) if left_out else ())

    return keep


def _describe(left_out: str) -> str:
    return _(
        "left out of the prompt: {left_out}; to send it, use --raw or `%lockbots set send_secrets on`",
        left_out=left_out,
    )


def without_secrets(session: Session, text: str, variables: Mapping[str, Any]) -> tuple[str, str]:
    """Return a prompt without what looks like a secret, and what was left out; arguments as for `filter_prompt`."""
    if session.settings.send_secrets:
        return text, ""
    return leave_out_secrets(text, {**_named_values(variables.items()), **os.environ})


def _named_values(variables: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return the texts in variables that are named like credentials, other than plain words."""
    named = [(name, value) for name, value in list(variables) if isinstance(value, str) and is_credential_name(name)]
    return {name: str(value) for name, value in named if len(value) >= MIN_VALUE and not _is_word(value)}


def _is_word(value: str) -> bool:
    return any(map(str.isspace, value)) or (value.isalpha() and len(value) <= MAX_WORD)

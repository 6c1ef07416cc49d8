"""Settings of a server that take their values from the environment, such as `$NAME`. Pure, but for the environment.

Forms of references: `$NAME` and `${NAME}` (this package, and files for Claude Desktop and Claude Code, the latter with
`${NAME:-default}`), `${env:NAME}` (Visual Studio Code and Cursor, "Variables reference").
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from ...errors import UsageError
from ...language import _
from ...providers.headers import is_credential_name as is_credential_header
from ...security.named_secrets import is_credential_name
from ...security.secret_shapes import find_secrets
from ...security.secrets import MASK, MalformedCredential, Secret

_REFERENCE = re.compile(
    r"\$\{(?:env:)?(?P<braced>[A-Za-z_]\w*)(?::-(?P<default>[^{}]*))?\}|\$(?P<bare>[A-Za-z_]\w*)|\$\{(?P<other>[^{}]*)\}"
)


class Setting:
    """A text in which `$NAME`, `${NAME}` and `${env:NAME}` stand for variables of the environment.

    It is read when the server starts, so a replay needs no variables. What holds a credential, by its name or by that
    of its variable, is a `Secret` from then on.

    Args:
        name: What the setting is called in messages, such as ``"env"`` or ``"the header X-Api-Key"``.
        text: The text, or a `Secret`.
        key: Name under which the server gets it, such as ``"API_KEY"``; it may tell that the value is a credential.
    """

    def __init__(self, name: str, text: str | Secret, key: str = "") -> None:
        self._name = name
        self._key_is_credential = bool(key) and (is_credential_name(key) or is_credential_header(key))
        self._secrets: list[Secret] = []
        self._text: str | Secret = text
        if isinstance(text, Secret):
            return
        for match in _REFERENCE.finditer(text):
            if match["other"] is not None:
                raise UsageError(
                    _(
                        "{subject} holds ${{{match:.60}}}, which can't be filled in here. Write the "
                        "value, or name a variable of the environment: ${{NAME}}",
                        subject=name[:1].upper() + name[1:],
                        match=match["other"],
                    )
                )
        if self._key_is_credential and not _REFERENCE.search(text):
            self._text = self._hide(text) or text

    def __repr__(self) -> str:
        return f"Setting({self._name})"

    def shown(self) -> str:
        """Return the text with its references as they stand, and without credentials."""
        if isinstance(self._text, Secret) or (self._key_is_credential and not _REFERENCE.search(self._text)):
            return MASK
        text = self._text
        for finding in reversed(find_secrets(text)):
            text = text[: finding.start] + MASK + text[finding.end :]
        return text

    def resolve(self) -> str:
        """Return the text with the environment filled in.

        Raises:
            UsageError: A variable is not set.
        """
        if isinstance(self._text, Secret):
            return self._text.reveal()
        self._secrets.clear()
        value = _REFERENCE.sub(self._fill_in, self._text)
        if self._key_is_credential and not self._secrets:
            self._hide(value)
        return value

    def _fill_in(self, match: re.Match[str]) -> str:
        variable = match["braced"] or match["bare"]
        value = os.environ.get(variable, "") or match["default"]
        if value is None or (not value and match["default"] is None):
            subject = f"{self._name[:1].upper()}{self._name[1:]}"
            raise UsageError(
                _(
                    "{subject} takes its value from the environment variable {variable}, which is not set.",
                    subject=subject,
                    variable=variable,
                )
            )
        if self._key_is_credential or is_credential_name(variable):
            self._hide(value)
        return value

    def _hide(self, value: str) -> Secret | None:
        """Have `value` masked wherever it is shown; a text of several lines can't be."""
        try:
            secret = Secret(value)
        except MalformedCredential:
            return None
        self._secrets.append(secret)
        return secret


def read_settings(name: str, given: Mapping[str, str | Secret] | None) -> dict[str, Setting]:
    """Return named settings, such as those of ``env``.

    Args:
        name: What they are called, for messages.
        given: Names and texts.

    Raises:
        UsageError: `given` is not a dict of texts.
    """
    pairs = dict(given) if isinstance(given, Mapping) else {} if given is None else None
    valid = pairs is not None and all(isinstance(k, str) and isinstance(v, str | Secret) for k, v in pairs.items())
    if pairs is None or not valid:
        given, pairs = None, {}  # a traceback that shows this frame shows no credential
        raise UsageError(_("{name} must be a dict of texts, such as {{'API_KEY': '$API_KEY'}}.", name=name))
    return {key: Setting(f"{name}[{key!r}]", text, key) for key, text in pairs.items()}

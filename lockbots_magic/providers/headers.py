"""Headers of the user's own, with credentials apart from what may be shown. Pure, but for the environment.

Wire facts: RFC 9110, 5.1 (names) and 5.5 (values).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ..errors import UsageError
from ..language import _
from ..late_pattern import late_pattern
from ..security.secret_shapes import find_secrets
from ..security.secrets import MalformedCredential, Secret

MAX_HEADERS = 100
MAX_VALUE_LENGTH = 8_000
"""Characters of a value; servers refuse longer ones."""

_NAME = late_pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")
_VARIABLE = late_pattern(r"(?:(?P<scheme>[A-Za-z]{1,20}) +)?\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")
_SCHEME = late_pattern(r"(?P<scheme>[A-Za-z]{1,20}) +(?P<value>\S+)")
_CREDENTIAL = late_pattern(
    r"auth(?:oriz|entic)|(?:^|[-_.])x?auth(?:$|[-_.])|token|secret|key|cookie|passw|credential|signature|bearer"
    r"|session|jwt",
    re.IGNORECASE,
)
_OURS = frozenset(
    [
        "connection",
        "content-length",
        "content-type",
        "expect",
        "host",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ]
)
"""Headers that frame the message or name its host; a second one would make it another message."""


def is_credential_name(name: str) -> bool:
    """Tell whether the value of a header, or of a field of a query, is a credential, by its name."""
    return _CREDENTIAL.search(name) is not None


class RequestHeaders:
    """Headers that go with every request of a provider.

    A value that is `$NAME` or `${NAME}`, perhaps after a scheme as in `Bearer $NAME`, is read from the environment.
    The value of a header that holds a credential by its name is a `Secret`. Pickles hold neither: they read the
    environment again.

    Args:
        given: Names and values.

    Raises:
        UsageError: A name or value is invalid, or the environment lacks a variable.
    """

    def __init__(self, given: Mapping[str, str | Secret]) -> None:
        self.plain: Mapping[str, str] = MappingProxyType({})
        """Headers that may be shown."""
        self.secret: Mapping[str, Secret] = MappingProxyType({})
        """Headers that hold a credential."""
        self._templates: dict[str, str] = {}
        plain, secret = {}, {}
        names = {name.lower() for name in given}
        if len(names) < len(given) or len(given) > MAX_HEADERS:
            raise UsageError(
                _("headers must hold each name once, and at most {max_headers} names.", max_headers=MAX_HEADERS)
            )
        for name, value in given.items():
            if isinstance(value, Secret):
                secret[name] = value
                continue
            text, scheme, template = _read(name, value)
            if template:
                self._templates[name] = template
            if is_credential_name(name) or find_secrets(text):
                secret[name] = _wrap(name, text, scheme)
            else:
                plain[name] = f"{scheme}{text}"
        self.plain, self.secret = MappingProxyType(plain), MappingProxyType(secret)

    @classmethod
    def of(cls, given: Any) -> RequestHeaders:
        """Return `given` as headers; None is no header.

        Raises:
            UsageError: It is not a dict of names and values, or one of them is invalid.
        """
        if isinstance(given, RequestHeaders):
            return given
        is_valid = isinstance(given, Mapping) and all(
            isinstance(name, str) and isinstance(value, str | Secret) for name, value in given.items()
        )
        if given is not None and not is_valid:
            given = None  # tracebacks that show this frame show no credential
            raise UsageError(
                _("headers must be a dict of texts, such as {'X-Dept': '7', 'X-Api-Key': '$GATEWAY_KEY'}.")
            )
        try:
            return cls(given or {})
        except UsageError as error:
            given, message = None, str(error)
        raise UsageError(message)  # outside of the handler: its frames hold the values

    def over(self, other: RequestHeaders) -> RequestHeaders:
        """Return these headers, and those of `other` that have other names."""
        names = {name.lower() for name in (*self.plain, *self.secret)}
        others = {name: value for name, value in {**other.plain, **other.secret}.items() if name.lower() not in names}
        merged = RequestHeaders({})
        merged.plain = MappingProxyType({**self.plain, **{n: v for n, v in others.items() if isinstance(v, str)}})
        merged.secret = MappingProxyType({**self.secret, **{n: v for n, v in others.items() if isinstance(v, Secret)}})
        merged._templates = {**{n: t for n, t in other._templates.items() if n in others}, **self._templates}
        return merged

    def __bool__(self) -> bool:
        return bool(self.plain or self.secret)

    def __repr__(self) -> str:
        shown = [f"{name}: {value}" for name, value in self.plain.items()]
        return f"RequestHeaders({', '.join([*shown, *(f'{name}: ***' for name in self.secret)])})"

    def __deepcopy__(self, memo: object) -> RequestHeaders:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what is no credential, and the names of variables; one that is missing later is left out."""
        kept = {name: value for name, value in self.plain.items() if name not in self._templates}
        return _restore, (kept, dict(self._templates))


def parse_header_line(text: str) -> tuple[str, str]:
    """Return name and value of `text`, as in ``Name: value``; a credential must be named by its variable.

    Raises:
        UsageError: There is no colon, or a credential is written out.
    """
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if not colon or not name:
        raise UsageError(_('A header is written `--header "Name: value"`.'))
    if is_credential_name(name) and _VARIABLE.fullmatch(value) is None:
        value = ""
        raise UsageError(
            _(
                "The value of {name!r} is a credential, and this line is saved with the notebook. "
                'Put it into an environment variable, and name that: --header "{name}: $NAME".',
                name=name[:60],
            )
        )
    return name, value


def _read(name: str, value: str) -> tuple[str, str, str]:
    """Return the value with the environment read, its scheme, and the template if it has one."""
    if _NAME.fullmatch(name) is None:
        raise UsageError(_("Invalid header name {name!r}. Names are letters, digits and hyphens.", name=name[:60]))
    if name.lower() in _OURS:
        raise UsageError(_("The header {name} can't be set: it is part of how a request is sent.", name=name))
    value = value.strip(" \t")
    if variable := _VARIABLE.fullmatch(value):
        wanted = variable["bare"] or variable["braced"]
        found = os.environ.get(wanted, "").strip()
        if not found:
            raise UsageError(
                _(
                    "The header {name} takes its value from the environment variable {wanted}, which is not set.",
                    name=name,
                    wanted=wanted,
                )
            )
        text, scheme, template = found, f"{variable['scheme']} " if variable["scheme"] else "", value
    elif is_credential_name(name) and (parts := _SCHEME.fullmatch(value)):
        text, scheme, template = parts["value"], f"{parts['scheme']} ", ""
    else:
        text, scheme, template = value, "", ""
    if not (text.isascii() and text.replace("\t", " ").isprintable() and len(text) <= MAX_VALUE_LENGTH):
        text = value = found = ""
        raise UsageError(
            _("The value of the header {name} is too long, or holds a character that can't be sent.", name=name)
        )
    return text, scheme, template


def _wrap(name: str, text: str, scheme: str) -> Secret:
    try:
        return Secret(text, scheme)
    except MalformedCredential:
        text = ""
        raise UsageError(
            _("The value of the header {name} is empty, or holds a character that can't be sent.", name=name)
        ) from None


def _restore(plain: dict[str, str], templates: dict[str, str]) -> RequestHeaders:
    known = {name: text for name, text in templates.items() if _is_set(text)}
    return RequestHeaders({**plain, **known})


def _is_set(template: str) -> bool:
    variable = _VARIABLE.fullmatch(template)
    return variable is not None and bool(os.environ.get(variable["bare"] or variable["braced"], "").strip())

"""Secrets by their shapes: tokens of known services, private keys, and values under names of credentials. Pure.

A credential that is in use is known and masked (`secrets`). Here is what nobody has told of: a key in a file, in a
variable or in settings. A shape is only a guess, so whatever is left out is named, and can be sent all the same.

Sources: the services' own documentation of their prefixes; RFC 7468 (private keys); RFC 7519 (JSON Web Tokens).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..language import N_, _
from .secrets import is_dummy_value

LEFT_OUT = "[credential left out]"
"""Text that stands in place of a secret."""
MAX_NAMED = 5
"""Most secrets that one note names."""
MIN_VALUE = 8
"""Length (characters) of a value under the name of a credential; a shorter one may be any word."""

NAMED_VALUE = N_("value under the name of a credential")
"""Kind of a secret that was found by the name before it."""

_TOKENS = {
    N_("API key"): r"sk-[A-Za-z0-9][A-Za-z0-9_-]{19,250}",
    N_("Stripe key"): r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}",
    N_("GitHub token"): r"gh[pousr]_[A-Za-z0-9]{36,250}|/|github_pat_[A-Za-z0-9_]{22,250}",
    N_("GitLab token"): r"glpat-[A-Za-z0-9_-]{20,250}",
    N_("AWS key"): r"A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    N_("Google key"): r"AIza[A-Za-z0-9_-]{35}|/|ya29\.[A-Za-z0-9_-]{20,250}|/|GOCSPX-[A-Za-z0-9_-]{20,250}",
    N_("Slack token"): r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|/|xapp-[A-Za-z0-9-]{10,250}",
    N_("Slack address"): r"https://hooks\.slack\.com/services/[A-Za-z0-9/_-]{20,250}",
    N_("Hugging Face token"): r"hf_[A-Za-z0-9]{30,250}",
    N_("Groq key"): r"gsk_[A-Za-z0-9]{40,250}",
    N_("xAI key"): r"xai-[A-Za-z0-9]{40,250}",
    N_("Perplexity key"): r"pplx-[A-Za-z0-9]{40,250}",
    N_("NVIDIA key"): r"nvapi-[A-Za-z0-9_-]{40,250}",
    N_("Replicate token"): r"r8_[A-Za-z0-9]{30,250}",
    N_("npm token"): r"npm_[A-Za-z0-9]{36,250}",
    N_("PyPI token"): r"pypi-AgE[A-Za-z0-9_-]{50,500}",
    N_("SendGrid key"): r"SG\.[A-Za-z0-9_-]{16,100}\.[A-Za-z0-9_-]{16,100}",
    N_("DigitalOcean token"): r"do[opr]_v1_[a-f0-9]{60,100}",
    N_("Databricks token"): r"dapi[a-f0-9]{32}",
    N_("Shopify token"): r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    N_("Telegram token"): r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
    N_("JSON Web Token"): r"eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,2000}",
    N_("Azure key"): r"AccountKey=[A-Za-z0-9+/]{60,100}={0,2}",
    N_("bearer token"): r"[Bb]earer [A-Za-z0-9._~+/-]{24,4000}={0,2}",
    N_("private key"): (
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----[^-]{0,20000}(?:-----END [A-Z0-9 ]{0,60}-----)?"
    ),
    N_("password in an address"): r"(?<=://)[^\s/@:'\"<>\[\]{}$]{0,100}:[^\s/@:'\"<>\[\]{}$*]{3,200}(?=@[\w.-])",
}
_SHAPES = [(kind, re.compile(pattern)) for kind, patterns in _TOKENS.items() for pattern in patterns.split("|/|")]
"""Each begins with fixed letters, which `re` searches fast."""

_PASSWORDS = "passw(?:or)?d|passphrase|secret"
_KEYS = "(?:api|access|secret|private|auth|encryption|account|signing)[_-]?key(?:[_-]id)?|token|credential"
_WITHOUT_DIGIT = ("private key", "password in an address", "Slack address")
_PAIR = re.compile(
    rf"(?i:({_PASSWORDS})|{_KEYS})(?i:_?[a-z0-9]{{0,10}})\\{{0,3}}['\"]?\s{{0,3}}[:=]\s{{0,3}}\\{{0,3}}(['\"])([^'\"\s\\]{{8,300}})"
)
"""A quoted value: of a dict, JSON, or an assignment."""
_LINE = re.compile(
    rf"(?m)^[ \t]{{0,20}}(?:export |set )?[\w.-]{{0,60}}(?i:{_PASSWORDS}|{_KEYS}|_pwd)"
    r"[ \t]{0,3}[:=][ \t]{0,3}(\S{8,300})$"
)
"""A line of a file of settings."""
_TABLE = re.compile(
    r"(?m)^[ \t]{0,20}\|([^\n]{1,20000})\|[ \t]*\n[ \t]{0,20}\|(?:[ \t]{0,9}:?-{1,99}:?[ \t]{0,9}\|)+[ \t]*$"
)
"""The head of a Markdown table, and the line below it."""
_ROW = re.compile(r"\n[ \t]{0,20}\|([^\n]{0,20000})\|[ \t]*(?=\n|\Z)")
_CELL = re.compile(r"(?:[^|\\]|\\.)+|(?<=\|)(?=\|)")
_HEADER = re.compile(
    r"(?i:authorization)\\{0,3}['\"]?\s{0,3}[:=]\s{0,3}\\{0,3}['\"]?((?:[A-Za-z]{3,20} )?[A-Za-z0-9._~+/=-]{12,4000})"
)
_NETRC = re.compile(r"machine \S{1,200}\s{1,20}login \S{1,200}\s{1,20}password (\S{4,200})")
_NAME = re.compile(rf"(?i)(?:.*(?:{_PASSWORDS})|(?:.*[a-z0-9]_)?(?:{_KEYS})|.*_(?:pwd|auth|pat|key))\Z")
_PLACEHOLDER = re.compile(r"[<\[({$%*]|.*[(\[{]|.*(?:\.\.\.|…)|[xX*•]+\Z|(?i:your|my|the|some|an?)[-_ ]")
_PATH = re.compile(r"[~.]{0,2}/[\w.-]+(?:/[\w.-]*)+\Z|[A-Za-z]:\\")


class Finding(NamedTuple):
    """A secret in a text."""

    kind: str
    """What it is, such as ``"GitHub token"``, in English, or the name of the variable."""
    start: int
    end: int
    variable: str = ""
    """Name of the variable whose value it is, if it was found by that."""


def is_credential_name(name: str) -> bool:
    """Tell whether a variable of this name holds a credential.

    Example:
        >>> [is_credential_name(name) for name in ("DB_PASSWORD", "github_token", "PWD", "tokens_used")]
        [True, True, False, False]
    """
    return _NAME.match(name) is not None


def find_secrets(text: str, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what looks like a secret in `text`, in order and without overlaps.

    Args:
        text: The text.
        environment: Environment variables; values of those that are named like credentials are found wherever they
            stand. By default none.
    """
    found = [*_find_shapes(text), *_find_named(text), *_find_headers(text), *_find_columns(text)]
    found += _find_values(text, environment or {})
    kept: list[Finding] = []
    for one in sorted(found, key=lambda finding: (finding.start, -finding.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def leave_out_secrets(text: str, environment: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return `text` without what looks like a secret, and what was left out, for a note; ``""`` if nothing was.

    Args:
        text: A prompt.
        environment: As for `find_secrets`; by default that of this process.

    Example:
        >>> leave_out_secrets("clone https://me:hunter22@git.example/a", {})
        ('clone https://[credential left out]@git.example/a', 'password in an address')
    """
    found = find_secrets(text, os.environ if environment is None else environment)
    if not found:
        return text, ""
    pieces, at = [], 0
    for one in found:
        pieces += [text[at : one.start], LEFT_OUT]
        at = one.end
    kinds = list(dict.fromkeys(map(describe_finding, found)))
    more = [_("{n} more", n=len(kinds) - MAX_NAMED)] if len(kinds) > MAX_NAMED else []
    return "".join([*pieces, text[at:]]), ", ".join([*kinds[:MAX_NAMED], *more])


def describe_finding(found: Finding) -> str:
    """Return what a finding is, in the current language."""
    return _("value of {name}", name=found.variable) if found.variable else _(found.kind)


def _find_shapes(text: str) -> Iterator[Finding]:
    for kind, shape in _SHAPES:
        for match in shape.finditer(text):
            before = text[match.start() - 1 : match.start()]
            if before.isalnum() or before in ("_", "-", "+"):  # the middle of something longer
                continue
            if kind in _WITHOUT_DIGIT or (_has_digit(match[0]) and not _is_uniform(match[0])):
                yield Finding(kind, *match.span())


def _find_named(text: str) -> Iterator[Finding]:
    for match in _PAIR.finditer(text):
        if _is_value(match[3]) and (match[1] or _has_digit(match[3])):
            yield Finding(NAMED_VALUE, *match.span(3))
    for match in _LINE.finditer(text):
        if _is_value(match[1]) and _has_digit(match[1]) and match[1][0] not in "'\"":
            yield Finding(NAMED_VALUE, *match.span(1))


def _find_headers(text: str) -> Iterator[Finding]:
    for match in _HEADER.finditer(text):
        if _has_digit(match[1]):
            yield Finding(N_("authorization header"), *match.span(1))
    for match in _NETRC.finditer(text):
        if _is_value(match[1]):
            yield Finding(N_("login of .netrc"), *match.span(1))


def _find_columns(text: str) -> Iterator[Finding]:
    """Find the values in columns of Markdown tables that are named like credentials."""
    for table in _TABLE.finditer(text):
        names = _cells(table[1], table.start(1))
        wanted = [n for n, (start, end) in enumerate(names) if is_credential_name(text[start:end])]
        at = table.end()
        while wanted and (row := _ROW.match(text, at)):
            cells = _cells(row[1], row.start(1))
            for start, end in (cells[n] for n in wanted if n < len(cells)):
                value = text[start:end]
                if len(value) >= MIN_VALUE and _is_value(value) and " " not in value and _has_digit(value):
                    yield Finding(N_("column under the name of a credential"), start, end)
            at = row.end()


def _cells(row: str, at: int) -> list[tuple[int, int]]:
    """Return the place of each cell of a row of a table."""
    places = []
    for cell in _CELL.finditer(row):
        bare = cell[0].strip()
        start = at + cell.start() + cell[0].find(bare)
        places.append((start, start + len(bare)))
    return places


def _find_values(text: str, environment: Mapping[str, str]) -> Iterator[Finding]:
    for name, value in environment.items():
        if len(value) < MIN_VALUE or not is_credential_name(name) or not _is_value(value) or _PATH.match(value):
            continue
        for form in {value, repr(value)[1:-1]}:
            start = text.find(form)
            while start >= 0:
                yield Finding(name, start, start + len(form), name)
                start = text.find(form, start + len(form))


def _is_value(value: str) -> bool:
    return not (_PLACEHOLDER.match(value) or is_dummy_value(value) or _is_uniform(value) or value == LEFT_OUT)


def _is_uniform(value: str) -> bool:
    """Tell whether `value` is made of a few letters again and again, as in an example: ``sk-xxxxxxxxxxxxxxxxxxxx``."""
    return len(set(value[4:])) <= 2


def _has_digit(value: str) -> bool:
    return any(letter.isdigit() for letter in value) and not value.replace(".", "").isdigit()

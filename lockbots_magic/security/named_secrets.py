"""Secrets by the names before them: `password = "..."`, `API_KEY=...`, `--token ...`, headers, tables. Pure.

The name of a credential stands in code, settings, shell commands, addresses and headers; each has a pattern of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ..language import N_
from ..late_pattern import late_pattern
from .dummy_values import is_dummy_value

LEFT_OUT = "[credential left out]"
"""Text that stands in place of a secret."""
MIN_VALUE = 8
"""Length (characters) of a value under the name of a credential; a shorter one may be any word."""
NAMED_VALUE = N_("value under the name of a credential")
"""Kind of a secret that was found by the name before it."""

_PASSWORDS = "passw(?:or)?d|passphrase|secret|пароль|секрет(?![а-яё])"
_KEYS = (
    "(?:api|access|secret|private|auth|encryption|account|signing)[_-]?key(?:[_-]id)?|token|credential|"
    "токен|(?:секретный|закрытый|api)[ _-]ключ"
)
_ENDING = (
    r"(?i:s(?<=credentials)|-key|_?(?:id|value|base|key|prod|production|dev|test|live|staging|old|new|v?\d{1,3}))?"
)
"""What may follow the word in a name: an `api_key_2` is a credential, a `tokenizer` and a `token_count` are none."""
_WORD = late_pattern(rf"(?:(?i:({_PASSWORDS})|{_KEYS}|(?<![A-Za-z])pwd){_ENDING}(?![A-Za-z0-9_]))")
"""The end of a name; the first group is a password, whose value may be all letters."""
_LONGER_WORD = late_pattern(rf"(?i:{_PASSWORDS}|{_KEYS})[A-Za-z0-9_]{{1,20}}(?![A-Za-z0-9_])")
"""A name that goes on, as `API_KEY_OPENAI` and `tokenizer` do: its value is a secret if it is random."""
_RANDOM_FORM = late_pattern(r"[A-Za-z0-9_-]{16,300}={0,2}\Z")
"""Hexadecimal digits, or base64 of addresses (RFC 4648, section 5), which may begin with a hyphen."""
_RANDOM_RUN = late_pattern(
    r"(?<![A-Za-z0-9])(?=[A-Za-z]*\d[A-Za-z]*\d)"
    r"(?:(?=[A-Z0-9]*[a-z])(?=[a-z0-9]*[A-Z])[A-Za-z0-9]{12,300}|[0-9a-f]{24,300})(?![A-Za-z0-9])"
)
"""The part of a random value between hyphens that no word, version or name of a model looks like."""
_BARE = r"(?P<value>[^\s'\"`;&<>|(){}\[\],]{8,300})(?=[\s'\"`;&<|]|\Z)"
"""A value without quotes in a command or an address. A comma or a bracket behind it is Python's: `f(token=token2)`."""

# What may follow the name; each pattern is tried behind a name only.
_QUOTED = late_pattern(
    r"""\\{0,3}['"]?\]?(?:\s{0,3}:\s{0,3}[A-Za-z][\w.\[\], |]{0,40}?)?
    \s{0,3}(?:={1,3}|:=?|=>)\s{0,3}[rbfuRBFU]{0,2}\\{0,3}(?:\"\"\"|\'\'\'|['"])(?P<value>[^'"\s\\]{8,300})""",
    re.VERBOSE,
)
"""A value in quotes: of a dict, JSON, an assignment, an item (`environ["API_KEY"] = "..."`), a typed field."""
_ARGUMENT = late_pattern(
    r"\\{0,3}['\"](?:\s{0,3},\s{0,3}(?:default\s?=\s?)?|\s{1,3}value\s?=\s?)\\{0,3}['\"]"
    r"(?P<value>[^'\"\s\\]{8,300})['\"\\]"
)
"""An argument behind the name: `os.environ.setdefault("API_KEY", "...")`."""
_LINE = late_pattern(r"(?m)[ \t]{0,3}[:=][ \t]{0,3}(?P<value>[^\s'\"]\S{7,300})(?:[ \t\r]*$|[ \t]+#)")
"""A line of a file of settings; the end of a comment is not sought, as a line may hold thousands."""
_INLINE = late_pattern("=" + _BARE)
"""A word of a command, a part of an address or of a connection string."""
_OPTION = late_pattern(r" {1,3}['\"]?" + _BARE)
"""A word behind an option or a command that sets a variable."""
_HEADER = late_pattern(r": {0,3}(?P<value>[^\s'\"\\]{8,300})(?=\\?['\"])")
"""A header within quotes: `curl -H "X-Api-Key: ..."`."""
_ELEMENT = late_pattern(r">(?P<value>[^<>\s]{8,300})</")

# What must stand before the end of the name, within its line; tried for two of them.
_LINE_BEGIN = late_pattern(r"[ \t]{0,20}(?:export |set )?[\w.-]{0,60}\Z")
_OPTION_BEGIN = late_pattern(r"(?:--|\bENV |%env |%set_env |\bsetx |\bset -[a-z]{1,3} )[\w-]{0,60}\Z")
_MAX_BEGIN = 100
"""Characters before the end of a name that tell where it stands."""
_AUTHORIZATION = late_pattern(
    r"(?i:authorization)\\{0,3}['\"]?\s{0,3}[:=]\s{0,3}\\{0,3}['\"]?((?:[A-Za-z]{3,20} )?[A-Za-z0-9._~+/=-]{12,4000})"
)
_COOKIE = late_pattern(
    r"(?i:cookie)\\{0,3}['\"]?\s{0,3}:\s{0,3}\\{0,3}['\"]?([\w.%-]{1,60}=[^'\"\s\\][^'\"\n\\]{7,4000})"
)
_SIGNATURE = late_pattern(r"(?i:[?&](?:sig|signature|x-amz-signature|x-goog-signature)=)([A-Za-z0-9%+/=_-]{20,4000})")
_LOGINS = (
    (
        N_("login of .netrc"),
        late_pattern(r"machine \S{1,200}\s{1,20}login \S{1,200}\s{1,20}password (\S{4,200})"),
    ),
    (
        N_("password of a command"),
        late_pattern(
            r"\bcurl\b[^\n]{0,300}?\s(?:-u|--user|--proxy-user)[ =]?['\"]?[^\s:'\"]{1,100}"
            r":([^\s'\"\\]{4,200})"
        ),
    ),
    (
        NAMED_VALUE,
        late_pattern(
            r"\b(?:auth\s?=\s?|HTTP\w{1,10}Auth)\(\s{0,3}['\"][^'\"\n]{0,100}['\"]\s?,\s?['\"]([^'\"\s]{8,200})['\"]"
        ),
    ),
)
_TABLE = late_pattern(
    r"(?m)^[ \t]{0,20}\|([^\n]{1,20000})\|[ \t]*\n[ \t]{0,20}\|(?:[ \t]{0,9}:?-{1,99}:?[ \t]{0,9}\|)+[ \t]*$"
)
"""The head of a Markdown table, and the line below it."""
_ROW = late_pattern(r"\n[ \t]{0,20}\|([^\n]{0,20000})\|[ \t]*(?=\n|\Z)")
_CELL = late_pattern(r"(?:[^|\\]|\\.)+|(?<=\|)(?=\|)")
_NAME = re.compile(rf"(?i)(?:.*(?:{_PASSWORDS})|(?:.*[a-z0-9]_)?(?:{_KEYS})|.*_(?:pwd|auth|pat|key))\Z")
_PLACEHOLDER = late_pattern(r"[<\[({$%*]|.*[(\[{]|.*(?:\.\.\.|…)|[xX*•]+\Z|(?i:your|my|the|some|an?)[-_ ]")
_PATH = late_pattern(r"[~.]{0,2}/[\w.-]+(?:/[\w.-]*)+\Z|[A-Za-z]:\\")
_NO_NAME = late_pattern(r"[a-zA-Z]*\d[a-zA-Z]+\d[a-zA-Z0-9]*[A-Z][a-z0-9]+[A-Z]")
"""Part of base64 that looks like a path because it begins with a slash."""
_IDENTIFIER = late_pattern(r"[A-Za-z_]+\d{0,2}(?:\.[A-Za-z_]+\d{0,2})*\Z")


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


def find_named(text: str) -> Iterator[Finding]:
    """Yield what stands under the name of a credential, in no order; findings may overlap."""
    folded = text.casefold()
    for words, search in _SEARCHES:
        if any(word in folded for word in words):
            yield from search(text)


def _find_values(text: str) -> Iterator[Finding]:
    """Find the values behind names."""
    for word in _WORD.finditer(text):
        for pattern in (_QUOTED, _ARGUMENT, _LINE, _INLINE, _OPTION, _HEADER, _ELEMENT):
            match = pattern.match(text, word.end())
            if match and _is_secret(pattern, word, match["value"]):
                yield Finding(NAMED_VALUE, *match.span("value"))
    for word in _LONGER_WORD.finditer(text):
        for pattern in (_QUOTED, _LINE, _INLINE):
            match = pattern.match(text, word.end())
            if match and is_random(match["value"]) and _is_secret(pattern, word, match["value"]):
                yield Finding(NAMED_VALUE, *match.span("value"))


def is_value(value: str) -> bool:
    """Tell whether `value` may be a secret: it is no placeholder, no dummy and no path."""
    return not (
        _PLACEHOLDER.match(value)
        or is_dummy_value(value)
        or is_uniform(value)
        or value == LEFT_OUT
        or (_PATH.match(value) and not _NO_NAME.search(value))
    )


def is_uniform(value: str) -> bool:
    """Tell whether `value` is made of a few letters again and again, as in an example: ``sk-xxxxxxxxxxxxxxxxxxxx``."""
    return len(set(value[4:])) <= 2


def has_digit(value: str) -> bool:
    """Tell whether `value` has a digit, and is no number."""
    return any(letter.isdigit() for letter in value) and not value.replace(".", "").isdigit()


def is_random(value: str) -> bool:
    """Tell whether `value` looks as if a machine had drawn it."""
    return _RANDOM_FORM.match(value) is not None and _RANDOM_RUN.search(value) is not None


def _is_secret(pattern: re.Pattern[str], word: re.Match[str], value: str) -> bool:
    """Tell whether the value behind a name, as one of the patterns has it, is a secret."""
    if not is_value(value) or not (has_digit(value) or (pattern is _QUOTED and word.lastindex)):
        return False
    begin = word.string[max(0, word.start() - _MAX_BEGIN) : word.start()].rpartition("\n")[2]
    if pattern is _LINE:
        is_attribute = "." in value and _IDENTIFIER.match(value)
        return _LINE_BEGIN.match(begin) is not None and not is_attribute
    if pattern is _OPTION:
        return _OPTION_BEGIN.search(begin) is not None
    if pattern is _INLINE and _IDENTIFIER.match(value):  # a variable, but in a shell or an address
        name = re.search(r"[\w.]*\Z", begin)
        return word[0].isupper() or begin[: name.start() if name else 0].endswith(("-", "?", "&", ";"))
    return True


def _find_logins(text: str) -> Iterator[Finding]:
    for kind, pattern in (
        (N_("authorization header"), _AUTHORIZATION),
        (N_("cookie"), _COOKIE),
        (N_("signature of an address"), _SIGNATURE),
    ):
        for match in pattern.finditer(text):
            if has_digit(match[1]):
                yield Finding(kind, *match.span(1))
    for kind, pattern in _LOGINS:
        for match in pattern.finditer(text):
            if is_value(match[1]):
                yield Finding(kind, *match.span(1))


def _find_columns(text: str) -> Iterator[Finding]:
    """Find the values in columns of Markdown tables that are named like credentials."""
    tables = [*_TABLE.finditer(text)]
    ends = [*(table.start() for table in tables), len(text)][1:]
    wanted: set[int] = set()
    at = -1
    for table, end in zip(tables, ends, strict=True):  # rows end where a head stands within them: each is read once
        if at < table.start():
            wanted = set()  # else that head is a row of the table before, and the rows below it are, too
        names = _cells(table[1], table.start(1))
        wanted |= {n for n, (start, stop) in enumerate(names) if is_credential_name(text[start:stop])}
        at = table.end()
        while wanted and at < end and (row := _ROW.match(text, at)):
            for start, stop in (cell for n, cell in enumerate(_cells(row[1], row.start(1))) if n in wanted):
                value = text[start:stop]
                if len(value) >= MIN_VALUE and is_value(value) and " " not in value and has_digit(value):
                    yield Finding(N_("column under the name of a credential"), start, stop)
            at = row.end()


def _cells(row: str, at: int) -> list[tuple[int, int]]:
    """Return the place of each cell of a row of a table."""
    places = []
    for cell in _CELL.finditer(row):
        bare = cell[0].strip()
        start = at + cell.start() + cell[0].find(bare)
        places.append((start, start + len(bare)))
    return places


_SEARCHES: tuple[tuple[tuple[str, ...], Callable[[str], Iterator[Finding]]], ...] = (
    (
        ("passw", "passphrase", "secret", "key", "token", "credent", "pwd", "пароль", "секрет", "токен", "ключ"),
        _find_values,
    ),
    (("auth", "cook", "g=", "gnature=", "machine", "curl"), _find_logins),
    (("|",), _find_columns),
)
"""Searches, each with words of which one stands, in any case, in every text in which it finds something.

No word that is sought in any case has an i: `re` takes \u0130 and \u0131 of Turkish for one, `str.casefold` does not.
"""

"""Texts in the user's language, from gettext catalogues.

`_("...")` and `ngettext` look a text up when it is shown, so the language may change at any time. The language is, in
this order: that of a `speaking` block (a page of the panel), the setting `language`, the environment, English.

A language is one file, ``locale/CODE.po``; ``CODE.mo`` beside it is the same, compiled: ``make catalogue``.
"""

from __future__ import annotations

import functools
import os
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

SOURCE = "en"
"""Language of the texts in the code."""
AUTO = "auto"
"""Stands for the language of the environment."""
FOLDER = Path(__file__).parent / "locale"

_chosen = ""
_here: ContextVar[str] = ContextVar("language", default="")


def _(message: str, **values: Any) -> str:
    """Return a text in the current language.

    Args:
        message: The text in English, a literal.
        **values: Values of its ``{placeholders}``, if there are any. Numbers get the separators of the language,
            but not between backticks, where they are code; all else is formatted as `str.format` does.

    Example:
        >>> _("Unknown setting {name!r}.", name="modle")
        "Unknown setting 'modle'."
    """
    return _fill(catalogue(current_language()).gettext(message), values) if message else ""  # "" is the header


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """Return the form of a text that goes with a number, in the current language.

    Args:
        singular: The text in English for 1, a literal.
        plural: The text for other numbers.
        n: The number; also the value of the placeholder ``{n}``.
        **values: Values of other placeholders.

    Example:
        >>> ngettext("{n} turn", "{n} turns", 2)
        '2 turns'
    """
    return _fill(catalogue(current_language()).ngettext(singular, plural, n), {"n": n, **values})


def pgettext(context: str, message: str, **values: Any) -> str:
    """Return a text that is ambiguous without its context, in the current language.

    Args:
        context: What the text is, a literal; seen by translators only.
        message: The text in English, a literal.
        **values: As for `_`.

    Example:
        >>> pgettext("column of a table", "kind")
        'kind'
    """
    return _fill(catalogue(current_language()).pgettext(context, message), values)


def format_number(value: float, spec: str = ",") -> str:
    """Return a number with the separators of the current language.

    Args:
        value: The number.
        spec: How to format it, as for `format`.

    Example:
        >>> format_number(12345), format_number(0.5, "g")
        ('12,345', '0.5')
    """
    return _fill(f"{{value:{spec}}}", {"value": value})


def N_(message: str) -> str:  # noqa: N802  # gettext's own name for it
    """Mark a text for the catalogue, and return it as it is; `_` translates it where it is shown."""
    return message


def N_forms(singular: str, plural: str) -> tuple[str, str]:  # noqa: N802
    """Mark the forms of a text with a number for the catalogue, and return them; see `ngettext`."""
    return singular, plural


def current_language() -> str:
    """Return the code of the language in use, such as ``"ru"``."""
    return _here.get() or _chosen or environment_language()


def choose_language(code: str) -> None:
    """Set the language of this process: a code, or ``"auto"`` for that of the environment.

    Raises:
        ValueError: There is no catalogue of the language.
    """
    if code not in (AUTO, *available_languages()):
        raise ValueError(code)
    global _chosen  # noqa: PLW0603  # one for the process: threads of replies and batches speak it, too
    _chosen = "" if code == AUTO else code


def chosen_language() -> str:
    """Return the code of the language that was set, or ``""`` if the environment decides."""
    return _chosen


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Let a language be the current one in this context; ``""`` changes nothing."""
    token = _here.set(code or _here.get())
    try:
        yield
    finally:
        _here.reset(token)


@functools.cache
def available_languages() -> tuple[str, ...]:
    """Return the codes of all languages."""
    return (SOURCE, *sorted(file.stem for file in FOLDER.glob("*.mo")))


def match_language(tags: Sequence[str]) -> str:
    """Return the first available language, or ``""``.

    Args:
        tags: Languages by preference, as locales or as browsers write them: ``"ru_RU.UTF-8"``, ``"pt-BR"``.
    """
    for tag in tags:
        whole = tag.partition(".")[0].partition("@")[0].replace("-", "_")
        for code in (whole, whole.partition("_")[0].lower()):
            if code in available_languages():
                return code
    return ""


def environment_language() -> str:
    """Return the language that the environment asks for, by gettext's rules.

    The locale is the first of LC_ALL, LC_MESSAGES and LANG that is set. LANGUAGE, a list of languages separated by
    colons, comes before it, except in the locale C. Source: GNU gettext manual, "The LANGUAGE variable".
    """
    return _environment_language(*map(os.environ.get, ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")))


@functools.lru_cache(maxsize=8)
def _environment_language(language: str | None, *settings: str | None) -> str:
    locale = next(filter(None, settings), "")
    if locale in ("C", "POSIX"):
        return SOURCE
    return match_language([*(language or "").split(":"), locale]) or SOURCE


def plural_forms(code: str) -> str:
    """Return the index of the plural form for each n from 0 to 199, as digits.

    With 100 + n % 100 for larger numbers, that is all that the plural rule of a language depends on.
    """
    plural = getattr(catalogue(code), "plural", lambda n: int(n != 1))
    return "".join(str(plural(n)) for n in range(200))


@functools.cache
def catalogue(code: str) -> NullTranslations:
    """Return the texts of a language, read at the first use."""
    if code == SOURCE:
        return NullTranslations()
    with (FOLDER / f"{code}.mo").open("rb") as file:
        return GNUTranslations(file)


_LIBRARY_WORDS = frozenset(
    (
        N_("Broken pipe"),
        N_("Connection refused"),
        N_("Connection reset by peer"),
        N_("Connection timed out"),
        N_("File exists"),
        N_("File name too long"),
        N_("Input/output error"),
        N_("Is a directory"),
        N_("Name or service not known"),
        N_("Network is unreachable"),
        N_("No route to host"),
        N_("No space left on device"),
        N_("No such file or directory"),
        N_("Not a directory"),
        N_("Operation not permitted"),
        N_("Permission denied"),
        N_("Read-only file system"),
        N_("Remote end closed connection without response"),
        N_("Temporary failure in name resolution"),
        N_("Too many open files"),
        N_("Expecting ',' delimiter"),
        N_("Expecting ':' delimiter"),
        N_("Expecting a property name in double quotes"),
        N_("Expecting property name enclosed in double quotes"),
        N_("Expecting value"),
        N_("Extra data"),
        N_("Invalid \\escape"),
        N_("Invalid control character at"),
        N_("Unterminated string"),
        N_("Unterminated string starting at"),
    )
)
"""What the system, `http.client` and `json` say in English whatever the language, where it fills a placeholder."""


_CODE = "`"
"""Begins and ends code in a text; before a format, it says that the value is a part of code."""


class _LocalFormatter(string.Formatter):
    """`str.format` with the separators of numbers, and the words of libraries, of the current language."""

    def parse(self, format_string: Any) -> Iterator[Any]:
        is_code = False
        for literal, name, spec, conversion in super().parse(format_string):
            is_code ^= literal.count(_CODE) % 2 == 1
            yield literal, name, _CODE + (spec or "") if is_code and name is not None else spec, conversion

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec.startswith(_CODE):
            return format(value, format_spec[1:])
        text = _(value) if isinstance(value, str) and value in _LIBRARY_WORDS else format(value, format_spec)
        if isinstance(value, float) or (isinstance(value, int) and ("," in format_spec or "." in format_spec)):
            separators = {",": pgettext("thousands separator", ","), ".": pgettext("decimal separator", ".")}
            return "".join(separators.get(one, one) for one in text)
        return text


def _fill(text: str, values: dict[str, Any]) -> str:
    if not values:
        return text
    if current_language() == SOURCE:
        return text.format(**values)
    return _LocalFormatter().vformat(text, (), values)

"""Splits a magic's line into options and text. Pure.

Options come first, `--` ends them, and what follows is the text, verbatim: apostrophes, braces, dollars and
backslashes in it mean nothing to anybody here. `quoted` and `assignment` write what the others read.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from ..errors import UsageError

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<lead>[^\s"'=]+=)?(?:"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)')(?=\s|$)
      | (?P<plain>\S+)
    )""",
    re.VERBOSE | re.DOTALL,
)


class HelpRequested(Exception):  # noqa: N818  # it is no error; it carries the help text
    """`-h` was given; the text is the help."""


class Options(argparse.ArgumentParser):
    """A parser that raises `UsageError` instead of ending the kernel, and `HelpRequested` for `-h`."""

    def __init__(self, prog: str, description: str, **kwargs: Any) -> None:
        super().__init__(
            prog=prog,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )
        self.add_argument("-h", "--help", action="store_true", help="show this help")

    def error(self, message: str) -> NoReturn:
        """Raise what `argparse` would print."""
        raise UsageError(f"{message}. See {self.prog} -h")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Return the parsed `words`.

        Raises:
            UsageError: they are wrong; the message says how.
            HelpRequested: `-h` is among them.
        """
        if "-h" in words or "--help" in words:
            raise HelpRequested(self.format_help().rstrip())
        return self.parse_args(list(words))

    def leading(self, line: str) -> tuple[argparse.Namespace, str]:
        """Parse the options that `line` begins with; return them and the rest of the line, verbatim.

        Raises:
            UsageError, HelpRequested: as `parse`.
        """
        words: list[str] = []
        at = 0
        while match := _TOKEN.match(line, at):
            word = _word(match)
            if word == "--" and match["plain"]:
                at = match.end()
                break
            if not (match["plain"] or match["lead"] or "").startswith("-") or word == "-":
                break
            if not self._knows(word):
                raise UsageError(f"there is no option {word}; see {self.prog} -h, or put -- before the text")
            words.append(word)
            at = match.end()
            if self._wants_value(word) and (match := _TOKEN.match(line, at)):
                words[-1:] = _joined(word, _word(match))
                at = match.end()
        return self.parse(words), line[at:].strip()

    def _knows(self, word: str) -> bool:
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        return name in self._option_string_actions

    def _wants_value(self, word: str) -> bool:
        action = self._option_string_actions.get(word)
        return action is not None and action.nargs is None


def words(line: str) -> list[str]:
    """Split `line` at spaces, keeping quoted text together; a lone quote is a character like any other."""
    return [_word(match) for match in _TOKEN.finditer(line.strip())]


def assignments(pairs: Iterable[str]) -> dict[str, Any]:
    """Read ``name=value`` pairs; a value that is a Python literal is taken as that, any other as text.

    Raises:
        UsageError: a pair has no `=`.
    """
    given = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"-p takes name=value, not {pair!r}")
        given[name.strip().replace("-", "_")] = literal(value)
    return given


def assignment(name: str, value: Any) -> str:
    """Write what `assignments` reads as just this name and value, on one line.

    Raises:
        UsageError: there is no such form; it names the parameter.
    """
    for text in (value, repr(value)) if isinstance(value, str) else (repr(value),):
        pair = f"{name}={text}"
        with suppress(UsageError):
            ((read_name, read),) = assignments([pair]).items()
            if is_one_line(pair) and read_name == name and type(read) is type(value) and read == value:
                return pair
    raise UsageError(f"the parameter {name!r:.40} can't be written as an option -p name=value")


def quoted(value: str) -> str:
    """Write `value` as one word; what reads words takes no notice of what is in it."""
    if value and not re.search(r"[\s\"']", value):
        return value
    return '"' + re.sub(r'[\\"]', r"\\\g<0>", value) + '"'


def is_one_line(text: str) -> bool:
    """Whether `text` can stand in a magic's line: nothing in it ends a line."""
    return text.splitlines() in ([], [text])


def literal(text: str) -> Any:
    """Return the Python or JSON literal that `text` is, or the text itself."""
    constants = {"true": True, "false": False, "null": None, "none": None}
    if text in constants:
        return constants[text]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return text


def _joined(option: str, value: str) -> list[str]:
    """An option and its value, so that a value that begins with a dash is not taken for an option."""
    return [f"{option}={value}"] if value else [option, value]


def _word(match: re.Match[str]) -> str:
    if match["plain"] is not None:
        return match["plain"]
    quoted, quote = (match["double"], '"') if match["double"] is not None else (match["single"], "'")
    inner = re.sub(rf"\\([{quote}\\])", r"\1", quoted)
    return (match["lead"] or "") + inner

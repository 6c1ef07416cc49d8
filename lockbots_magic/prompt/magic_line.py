"""Words of a magic's line: splitting, quoting, and ``name=value`` pairs. Pure.

A word may be quoted as a whole, or after an equals sign: ``--system="Be brief"``; also in typographic quotes, as word
processors write them. `quote_word` and `format_assignment` write what `split_words` and `parse_assignments` read.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn

from ..errors import UsageError
from ..language import _

_WORD = re.compile(
    r"""\s*(?:
        (?P<lead>[^\s"'=]+=)?(?:
            "(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)'
          | “(?P<curly>[^“”]*)”|„(?P<low>[^„“”]*)[“”]|«(?P<angle>[^«»]*)»
        )(?=\s|$)
      | (?P<plain>\S+)
    )""",
    re.VERBOSE | re.DOTALL,
)


_LEAD = re.compile(r"(?:[^\S\n]*(?:#[^\n]*)?\n)*")


def cell_magic_start(source: str) -> int:
    """Return the index in a cell behind its leading blank lines and comments, where a cell magic of ours may stand.

    Example:
        >>> cell_magic_start("# ask about cats\\n\\n%%chat\\nTell of cats")
        18
    """
    lead = _LEAD.match(source)
    return lead.end() if lead else 0


class LineWord(NamedTuple):
    """One word of a line."""

    text: str
    """The word without its quotes."""
    bare: str
    """The part of it that stands outside quotes: all of it, or the beginning."""
    end: int
    """Index in the line behind the word."""


def read_word(line: str, start: int = 0) -> LineWord | None:
    """Return the word of `line` at or after `start`; None at the end. A single quote sign is an ordinary character."""
    match = _WORD.match(line, start)
    if match is None:
        return None
    if match["plain"] is not None:
        return LineWord(match["plain"], match["plain"], match.end())
    kind, lead = match.lastgroup or "", match["lead"] or ""
    quote = {"double": '"', "single": "'"}.get(kind)  # typographic ones know no backslash
    inner = re.sub(rf"\\([{quote}\\])", r"\1", match[kind]) if quote else match[kind]
    return LineWord(lead + inner, lead, match.end())


def split_words(line: str) -> list[str]:
    """Split `line` at white space; quoted text stays together."""
    words: list[str] = []
    start = 0
    while word := read_word(line, start):
        words.append(word.text)
        start = word.end
    return words


def quote_word(value: str) -> str:
    """Write `value` as one word, quoted if necessary."""
    if value and not re.search(r"[\s\"'“„«]", value):
        return value
    return '"' + re.sub(r'[\\"]', r"\\\g<0>", value) + '"'


def is_one_line(text: str) -> bool:
    """Whether `text` contains no line break and so can stand in a magic's line."""
    return text.splitlines() in ([], [text])


def parse_literal(text: str) -> Any:
    """Return the value of a Python or JSON literal; other text is returned unchanged."""
    constants = {"true": True, "false": False, "null": None}
    if text in constants:
        return constants[text]
    with suppress(ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
        return ast.literal_eval(text)
    with suppress(ValueError, RecursionError):
        return json.loads(text, parse_constant=_refuse_constant)
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(_("{name} is not JSON", name=name))


def parse_assignments(pairs: Iterable[str]) -> dict[str, Any]:
    """Parse ``name=value`` pairs; each value as `parse_literal` does, dashes in a name as underscores.

    Raises:
        UsageError: A pair has no name or no equals sign.
    """
    values = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(_("Invalid `-p`: expected name=value, got {pair!r}.", pair=pair))
        values[name.strip().replace("-", "_")] = parse_literal(value)
    return values


def format_assignment(name: str, value: Any) -> str:
    """Write the ``name=value`` pair from which `parse_assignments` reads this name and value, on one line.

    Raises:
        UsageError: There is no such pair; the message contains the name.
    """
    for text in (value, repr(value)) if isinstance(value, str) else (repr(value),):
        pair = f"{name}={text}"
        with suppress(UsageError):
            ((parsed_name, parsed),) = parse_assignments([pair]).items()
            if is_one_line(pair) and parsed_name == name and type(parsed) is type(value) and parsed == value:
                return pair
    raise UsageError(_("Parameter {name!r:.40} cannot be written as `-p name=value`.", name=name))

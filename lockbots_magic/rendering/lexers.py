"""Lexers that may colour code, each bounded in the text that one pattern sees and in its time. Pure.

The model names the language, and some of the patterns of Pygments take quadratic time or worse on texts that it may
write (20 KB: minutes, in one call that nothing can interrupt). So only the languages below are coloured, each pattern
looks at `WINDOW` characters at a time, and what is left when the time is over stays plain.
"""

from __future__ import annotations

import copy
import functools
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from pygments.lexer import Lexer, RegexLexer
from pygments.lexers import get_all_lexers, get_lexer_by_name
from pygments.token import Token, _TokenType

from .first_letters import first_letters
from .time_budget import remaining

WINDOW = 4_000
"""Characters that one pattern sees; a longer comment or string is coloured in parts, or not at all."""
MAX_SECONDS = 2.0
"""Processor time (s) for one block of code; 100,000 characters take less than half of it."""
LOOK_INTERVAL = 0.01
"""Time (s) between two looks at the processor time, which cost as much as many patterns."""

MIN_VISITS = 1_000
"""Places from which a lexer looks at the letter first: before, to read the patterns takes longer than to try them."""

Piece = tuple[int, _TokenType, str]
"""Position, kind and text of a token."""

_LANGUAGES = frozenset(
    {
        *("python", "json", "javascript", "typescript", "jsx", "tsx", "html", "css", "scss", "xml", "yaml", "toml"),
        *("bash", "powershell", "docker", "diff", "sql", "c", "cpp", "csharp", "java", "kotlin", "swift"),
        *("rust", "ruby", "php", "perl", "lua", "r", "julia", "haskell", "scala", "tex", "go", "ini"),
    }
)
"""By one of their aliases. Each was given 50 hostile texts: no pattern takes longer than some ms at a time."""


class BoundedLexer(Lexer):
    """A lexer of Pygments whose patterns are bounded.

    Args:
        lexer: The lexer. One without patterns has to take linear time.
    """

    def __init__(self, lexer: Lexer) -> None:
        super().__init__(stripnl=False, ensurenl=False)
        self._for_short = _bounded(lexer, lambda match: match)
        self._for_long = _bounded(lexer, _in_window)

    def get_tokens_unprocessed(self, text: str) -> Iterator[Piece]:
        """Yield position, kind and text of each token; when the time is over, the rest as one text."""
        pieces: list[Piece] = []
        _clock.deadline = time.thread_time() + MAX_SECONDS
        _clock.next_look = time.monotonic() + LOOK_INTERVAL
        lexer = self._for_short if len(text) <= WINDOW else self._for_long
        try:
            lexer.add_tokens(pieces, text)
        except _TooSlowError:
            at, _, last = pieces[-1] if pieces else (0, None, "")
            end = at + len(last)
            pieces.append((end, Token.Text, text[end:]))
        return iter(pieces)


class _TooSlowError(Exception):
    """The time for a block of code is over."""


_clock = threading.local()


_Match = Callable[..., "re.Match[str] | None"]
_TokenRule = tuple[_Match, Any, Any]


def _bounded(lexer: Lexer, bound: Callable[[_Match], _Match]) -> Any:
    """Return a copy of a lexer whose patterns are bounded by `bound`, and by the clock."""
    copied = cast("Any", copy.copy(lexer))
    copied.add_tokens = lambda pieces, text: pieces.extend(copied.get_tokens_unprocessed(text))
    if hasattr(lexer, "_tokens"):  # its patterns, by state
        copied._tokens = {state: _Rules(rules, bound) for state, rules in copied._tokens.items()}
        if type(lexer).get_tokens_unprocessed is RegexLexer.get_tokens_unprocessed:
            copied.add_tokens = functools.partial(_add_tokens, copied)
            copied.get_tokens_unprocessed = functools.partial(_tokens, copied)  # for rules that use this lexer again
    return copied


def _tokens(lexer: Any, text: str, stack: Iterable[str] = ("root",)) -> Iterable[Piece]:
    """Return what the loop of `RegexLexer` yields."""
    pieces: list[Piece] = []
    _add_tokens(lexer, pieces, text, stack)
    return pieces


def _add_tokens(lexer: Any, pieces: list[Piece], text: str, stack: Iterable[str] = ("root",)) -> None:
    """Add to `pieces` what the loop of `RegexLexer` yields, with as few calls of Python as possible."""
    names, at = [*stack], 0
    rules: _Rules = lexer._tokens[names[-1]]
    now, next_look, add = time.monotonic, 0.0, pieces.append
    while True:
        if now() >= next_look:
            _check_clock()
            next_look = _clock.next_look
        letter = text[at : at + 1]
        for match, action, new_state in rules.by_letter.get(letter) or rules.tried_at(letter):
            found = match(text, at)
            if found is None:
                continue
            if type(action) is _TokenType:
                add((at, action, found[0]))
            elif action is not None:
                pieces.extend(action(lexer, found))
            at = found.end()
            if new_state is not None:
                _enter(names, new_state)
                rules = lexer._tokens[names[-1]]
            break
        else:
            if at >= len(text):
                return
            is_end = text[at] == "\n"
            add((at, Token.Text.Whitespace if is_end else Token.Error, text[at]))
            at += 1
            if is_end:
                names = ["root"]
                rules = lexer._tokens["root"]


def _enter(names: list[str], new_state: Any) -> None:
    """Change the stack of states as Pygments writes it: by names, by `#pop` and `#push`, or by a number to pop."""
    if isinstance(new_state, int):
        del names[max(1, len(names) + new_state) :]
        return
    for state in new_state if isinstance(new_state, tuple) else (new_state,):
        if state != "#pop":
            names.append(names[-1] if state == "#push" else state)
        elif len(names) > 1:
            names.pop()


class _Rules:
    """Rules of one state of a lexer, as its loop goes through them at each place: those that may match there.

    Args:
        rules: A pattern's method `match`, an action and the next state each.
        bound: Bounds a pattern.
    """

    def __init__(self, rules: Sequence[_TokenRule], bound: Callable[[_Match], _Match]) -> None:
        self._patterns = [match for match, _, _ in rules]
        self._rules = [(bound(match), action, new_state) for match, action, new_state in rules]
        self._visits = 0
        self.by_letter: dict[str, list[_TokenRule]] = {}

    def __iter__(self) -> Iterator[_TokenRule]:
        place: list[Any] = []

        def look(text: str, at: int = 0, end: int = 0) -> None:  # matches nothing, in front of the patterns
            del end
            _check_clock()
            place[:] = text, at

        yield look, None, None
        text, at = place
        yield from self.tried_at(text[at : at + 1])

    def tried_at(self, letter: str) -> Sequence[_TokenRule]:
        """Return the rules that may match where a letter stands, "" for the end of the text."""
        self._visits += 1
        if self._visits < MIN_VISITS or not letter.isascii():
            return self._rules
        found = self.by_letter.get(letter)
        return self._find(letter) if found is None else found

    def _find(self, letter: str) -> list[_TokenRule]:
        """Return the rules whose match may begin with a letter, or be empty at the end of the text."""
        firsts = [_first_letters(match) for match in self._patterns]
        found = [rule for rule, first in zip(self._rules, firsts, strict=True) if first is None or letter in first]
        self.by_letter[letter] = found
        return found


def _first_letters(match: _Match) -> frozenset[str] | None:
    pattern = getattr(match, "__self__", None)
    return first_letters(pattern) if isinstance(pattern, re.Pattern) else None


def _in_window(match: _Match) -> _Match:
    """Return `match`, the method of a pattern, in a window. It is called for each pattern at each place."""

    def match_in_window(text: str, at: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        return match(text, at, at + WINDOW if end > at + WINDOW else end)

    return match_in_window


def _check_clock() -> None:
    """Raise once the time of this thread is over."""
    now = time.monotonic()
    if now >= _clock.next_look:
        _clock.next_look = now + LOOK_INTERVAL
        if time.thread_time() > _clock.deadline or remaining() < 0:
            raise _TooSlowError


@functools.lru_cache(maxsize=64)
def lexer_of(language: str) -> Lexer | None:
    """Return the lexer of `language`; None if it is unknown or not among those that may colour code."""
    name = language.lower()
    if name not in _coloured_languages():
        return None
    return BoundedLexer(get_lexer_by_name(name, stripnl=False, ensurenl=False))


@functools.cache
def _coloured_languages() -> frozenset[str]:
    """Return all aliases of the languages that are coloured. Plug-ins have none of them, and take long to find."""
    known: dict[str, Sequence[str]] = {}
    for _, aliases, _, _ in get_all_lexers(plugins=False):
        for alias in aliases:
            known.setdefault(alias, aliases)
    return frozenset(alias for alias, aliases in known.items() if _LANGUAGES.intersection(aliases))

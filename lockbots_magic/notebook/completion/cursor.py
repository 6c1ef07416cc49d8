"""What the cursor is on in a line of options. Pure: it reads the parser's options and parses nothing."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from dataclasses import dataclass, field

from ...prompt.magic_line import read_word

_UNCLOSED = re.compile(r"""\s*(?:[^\s"'=]+=)?(["'])(?:\\.|(?!\1)[^\\])*\\?\Z""", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class CursorWord:
    """The word that the cursor is in or behind."""

    start: int
    """Index in the line of the value, its quote included."""
    typed: str
    """The word so far, without its quote."""
    quote: str = ""
    """The quote it starts with."""
    action: Action | None = None
    """The option or argument whose value it is."""
    flags: tuple[Action, ...] = ()
    """The options that may stand there instead."""
    given: dict[str, list[str]] = field(default_factory=dict)
    """Values of the options and arguments before it, by `dest`."""


@dataclass(frozen=True)
class CursorText:
    """The text behind the options, with the cursor in it."""

    start: int
    """Index in the line of the text."""
    given: dict[str, list[str]]
    """Values of the options and arguments before it, by `dest`."""


def locate_cursor(
    parser: ArgumentParser, line: str, *, leading: bool = False, dashed: bool = False
) -> CursorWord | CursorText:
    """Return what the end of `line` is.

    Args:
        parser: The options.
        line: The line up to the cursor.
        leading: Whether text starts at the first word that is not an option, as for `%chat`.
        dashed: Whether text starts behind a `--`, as for `%lockbots compare`.
    """
    reader = _LineReader(parser, leading=leading)
    end = 0
    while not _UNCLOSED.match(line, end) and (word := read_word(line, end)) and word.end < len(line):
        start, end = _skip_space(line, end), word.end
        if not reader.take(word.text):
            return CursorText(start, reader.given)
        if reader.ended and (leading or dashed):
            return CursorText(end, reader.given)
    return reader.locate_last(line, _skip_space(line, end))


def _skip_space(line: str, start: int) -> int:
    return _SPACE.match(line, start).end()  # type: ignore[union-attr]  # matches at every index


class _LineReader:
    """Reads a line word by word and keeps what the next word can be."""

    def __init__(self, parser: ArgumentParser, *, leading: bool) -> None:
        actions = parser._actions  # argparse has no public list of them
        self._leading = leading
        self._options = {flag: action for action in actions for flag in action.option_strings}
        self._arguments = [action for action in actions if not action.option_strings]
        self._waiting: Action | None = None
        self.given: dict[str, list[str]] = {}
        self.ended = False
        """Whether `--` has ended the options."""

    def take(self, word: str) -> bool:
        """Take a whole word; return False if the text starts with it."""
        if self._waiting is not None and not (self._waiting.nargs is not None and word.startswith("-")):
            self._add(self._waiting, word)
            return True
        self._waiting = None
        if word == "--" and not self.ended:
            self.ended = True
            if self._arguments and self._arguments[0].dest in self.given:
                self._arguments.pop(0)  # a repeated argument ends here
        elif word.startswith("-") and word != "-" and not self.ended:
            self._take_option(word)
        elif self._leading:
            return False
        elif self._arguments:
            self._add(self._arguments[0], word)
            if not _is_repeated(self._arguments[0]):
                self._arguments.pop(0)
        return True

    def locate_last(self, line: str, start: int) -> CursorWord | CursorText:
        """Return what the last word is; it starts at `start` and may be empty."""
        if self._waiting is not None and (self._waiting.nargs is None or not line.startswith("-", start)):
            return self._value_at(line, start, self._waiting)
        if not self.ended and (joined := self._split_joined(line[start:])):
            action, length = joined
            return self._value_at(line, start + length, action)
        if self._leading and start < len(line) and line[start] != "-":
            return CursorText(start, self.given)
        argument = self._arguments[0] if self._arguments and not self._leading else None
        return self._value_at(line, start, argument, () if self.ended else self._unused_options())

    def _value_at(self, line: str, start: int, action: Action | None, flags: tuple[Action, ...] = ()) -> CursorWord:
        typed = line[start:]
        quote = typed[:1] if typed[:1] in ('"', "'") else ""
        typed = re.sub(rf"\\([\\{quote}])", r"\1", typed[1:]) if quote else typed
        return CursorWord(start, typed, quote, action, flags, self.given)

    def _split_joined(self, word: str) -> tuple[Action, int] | None:
        """Return the option that `word` starts with and the length before its value: `--model=x`, `-mx`."""
        if word.startswith("--"):
            flag, equals, _ = word.partition("=")
            length = len(flag) + 1 if equals else 0
        else:
            flag, length = word[:2], 2 if len(word) > 2 else 0
        action = self._options.get(flag)
        return (action, length) if action and length and action.nargs != 0 else None

    def _take_option(self, word: str) -> None:
        action = self._options.get(word)
        if action is not None:
            self.given.setdefault(action.dest, [])
            if action.nargs is None or (action.nargs != 0 and not self._leading):
                self._waiting = action
        elif joined := self._split_joined(word):
            self._add(joined[0], word[joined[1] :])

    def _add(self, action: Action, value: str) -> None:
        self.given.setdefault(action.dest, []).append(value)
        if not _is_repeated(action):
            self._waiting = None

    def _unused_options(self) -> tuple[Action, ...]:
        """Return the options that may still be given: those not given yet, and those that collect a list."""
        options = dict.fromkeys(self._options.values())
        return tuple(a for a in options if a.dest not in self.given or isinstance(a.default, list))


def _is_repeated(action: Action) -> bool:
    """Whether the action takes more than one word."""
    return action.nargs in ("*", "+", "...", "A...")

"""What a line of options waits for where the cursor is. Pure: it reads the parser, and parses nothing."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass, field

from ...prompt.option_syntax import words

_QUOTED = r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'"""
_WHOLE = re.compile(rf"""(?:[^\s"'=]+=)?(?:{_QUOTED})(?=\s)|\S+(?=\s)""", re.DOTALL)
_UNCLOSED = re.compile(r"""(?:[^\s"'=]+=)?(["'])(?:\\.|(?!\1)[^\\])*\\?\Z""", re.DOTALL)
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True)
class Slot:
    """The place of the word that the cursor is in or behind."""

    start: int
    """Where in the line the value begins, its quote included."""
    typed: str
    """What there is of it, without the quote."""
    quote: str = ""
    """The quote it began with."""
    action: Action | None = None
    """The option or argument whose value it is."""
    flags: tuple[Action, ...] = ()
    """The options that may stand there instead."""
    given: dict[str, list[str]] = field(default_factory=dict)
    """What stands before it: dest -> values."""


@dataclass(frozen=True)
class Text:
    """The text that comes after the options; the cursor is in it."""

    start: int
    """Where in the line it begins."""
    given: dict[str, list[str]]
    """As for a slot."""


def slot(parser: ArgumentParser, line: str, *, leading: bool = False, dashed: bool = False) -> Slot | Text:
    """Return the slot at the end of `line`, or the text there.

    Args:
        parser: knows the options.
        line: what is typed, up to the cursor.
        leading: whether text begins with the first word that is no option, as for `%chat`.
        dashed: whether it begins behind a `--` alone, as for `%lockbots compare`.
    """
    reading = _Reading(parser, leading=leading)
    for start, word in _split(line):
        if word is None:
            return reading.slot(line, start)
        if not reading.take(word):
            return Text(start, reading.given)
        if reading.over and (leading or dashed):
            return Text(start + len(word), reading.given)
    raise AssertionError("a line ends with a word, an empty one perhaps")


class _Reading:
    """How far the words of a line have come."""

    def __init__(self, parser: ArgumentParser, *, leading: bool) -> None:
        actions = parser._actions  # argparse tells of them nowhere else
        self._leading = leading
        self._options = {flag: action for action in actions for flag in action.option_strings}
        self._arguments = [action for action in actions if not action.option_strings]
        self._waiting: Action | None = None
        self.given: dict[str, list[str]] = {}
        self.over = False
        """Whether `--` has ended the options."""

    def take(self, word: str) -> bool:
        """Take a whole word; false where the text begins with it."""
        if self._waiting is not None and not (self._waiting.nargs is not None and word.startswith("-")):
            self._add(self._waiting, word)
            return True
        self._waiting = None
        if word == "--" and not self.over:
            self.over = True
            if self._arguments and self._arguments[0].dest in self.given:
                self._arguments.pop(0)  # it repeats, and has had enough
        elif word.startswith("-") and word != "-" and not self.over:
            self._option(word)
        elif self._leading:
            return False
        elif self._arguments:
            self._add(self._arguments[0], word)
            if not _repeats(self._arguments[0]):
                self._arguments.pop(0)
        return True

    def slot(self, line: str, start: int) -> Slot | Text:
        """Return the slot of the last word, which begins at `start`."""
        if self._waiting is not None and (self._waiting.nargs is None or not line.startswith("-", start)):
            return self._of_value(line, start, self._waiting)
        if not self.over and (glued := self._glued(line[start:])):
            action, length = glued
            return self._of_value(line, start + length, action)
        if self._leading and start < len(line) and line[start] != "-":
            return Text(start, self.given)
        argument = self._arguments[0] if self._arguments and not self._leading else None
        return self._of_value(line, start, argument, () if self.over else self._unused())

    def _of_value(self, line: str, start: int, action: Action | None, flags: tuple[Action, ...] = ()) -> Slot:
        typed = line[start:]
        quote = typed[:1] if typed[:1] in ('"', "'") else ""
        typed = re.sub(rf"\\([\\{quote}])", r"\1", typed[1:]) if quote else typed
        return Slot(start, typed, quote, action, flags, self.given)

    def _glued(self, word: str) -> tuple[Action, int] | None:
        """The option that `word` begins with, and where in it its value begins: `--model=x`, `-mx`."""
        if word.startswith("--"):
            flag, equals, _ = word.partition("=")
            length = len(flag) + 1 if equals else 0
        else:
            flag, length = word[:2], 2 if len(word) > 2 else 0
        action = self._options.get(flag)
        return (action, length) if action and length and action.nargs != 0 else None

    def _option(self, word: str) -> None:
        action = self._options.get(word)
        if action is not None:
            self.given.setdefault(action.dest, [])
            if action.nargs is None or (action.nargs != 0 and not self._leading):
                self._waiting = action
        elif glued := self._glued(word):
            self._add(glued[0], word[glued[1] :])

    def _add(self, action: Action, value: str) -> None:
        self.given.setdefault(action.dest, []).append(value)
        if not _repeats(action):
            self._waiting = None

    def _unused(self) -> tuple[Action, ...]:
        """The options that may still be given; those that may be given again gather in a list."""
        options = dict.fromkeys(self._options.values())
        return tuple(a for a in options if a.dest not in self.given or isinstance(a.default, list))


def _repeats(action: Action) -> bool:
    """Whether more than one word is its value."""
    return action.nargs in ("*", "+", "...", "A...")


def _split(line: str) -> Iterator[tuple[int, str | None]]:
    """Yield each whole word and where it begins; at last None for the word at the end, which may be empty."""
    at = _SPACE.match(line, 0).end()  # type: ignore[union-attr]  # it matches anywhere
    while not _UNCLOSED.match(line, at) and (whole := _WHOLE.match(line, at)):
        yield at, words(whole[0])[0]
        at = _SPACE.match(line, whole.end()).end()  # type: ignore[union-attr]  # as above
    yield at, None

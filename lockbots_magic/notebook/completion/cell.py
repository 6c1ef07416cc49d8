"""Completion of a cell: lines of `%chat`, `%%chat` and `%lockbots`, and `{{ }}` in prompts. Pure over `Sources`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from ...prompt.magic_line import cell_magic_start, is_one_line, quote_word
from ...security.control_characters import printable
from .cursor import CursorText, CursorWord, locate_cursor
from .sources import MAX_CANDIDATES, Candidate, Sources, describe

MAX_LENGTH = 300
"""Characters of a candidate."""

_LINE = re.compile(r"\s*%(chat|%?lockbots)[ \t]")


@dataclass(frozen=True)
class Completions:
    """All completions at the cursor. If there are none, other completers have none either."""

    start: int
    """Index in the cell where the text begins that they replace; it ends at the cursor."""
    candidates: tuple[Candidate, ...] = ()


def complete_cell(before: str, sources: Sources) -> Completions | None:
    """Complete a cell at the cursor.

    Args:
        before: Text of the cell up to the cursor.
        sources: Names, models and values.

    Returns:
        The completions; None if the cursor is in none of our lines, so that other completers may complete.
    """
    begin = cell_magic_start(before)
    begin += len(before[begin:]) - len(before[begin:].lstrip())
    if re.match(r"%%chat\s", before[begin:]):
        at = begin + len("%%chat")
        options, newline, body = before[at:].partition("\n")
        if newline:
            place = _locate(f"{options} ", sources)
            return _complete_prompt(before, len(before) - len(body), place.given if place else {}, sources)
        place = _locate(before[at:], sources)  # the first line takes options only
        return _complete_word(place, at, sources) if isinstance(place, CursorWord) else Completions(len(before))
    line = before.rpartition("\n")[2]
    match = _LINE.match(line)
    if match is None:
        return None
    at = len(before) - len(line) + match.end()
    return (_complete_chat_line if match[1] == "chat" else _complete_lockbots_line)(before, at, sources)


def _complete_chat_line(before: str, at: int, sources: Sources) -> Completions:
    """Complete a line of `%chat`, whose arguments start at `at`: options, then the prompt."""
    return _complete_at(_locate(before[at:], sources), before, at, sources)


def _complete_lockbots_line(before: str, at: int, sources: Sources) -> Completions:
    """Complete a line of `%lockbots`, whose arguments start at `at`: a command, then its options."""
    line = before[at:]
    command, space, _ = line.lstrip().partition(" ")
    at += len(line) - len(line.lstrip())
    if not space:
        return _filter(CursorWord(0, command), at, sources.complete_command())
    at += len(command)
    return _complete_at(_locate(before[at:], sources, command), before, at, sources)


def _locate(line: str, sources: Sources, command: str | None = None) -> CursorWord | CursorText | None:
    """Return what the end of a line is; None if there is no such command."""
    parser = sources.parser(command)
    if parser is None:
        return None
    dashed = command is not None and sources.takes_prompt(command)
    return locate_cursor(parser, line, leading=command is None, dashed=dashed)


def _complete_at(place: CursorWord | CursorText | None, before: str, at: int, sources: Sources) -> Completions:
    """Complete a place of a line that starts at `at` in the cell."""
    if place is None:
        return Completions(len(before))
    if isinstance(place, CursorText):
        return _complete_prompt(before, at + place.start, place.given, sources)
    return _complete_word(place, at, sources)


def _complete_prompt(before: str, begin: int, given: Mapping[str, list[str]], sources: Sources) -> Completions:
    """Complete Python between braces, unless `--raw` makes them text; prose has no completions."""
    code = _open_expression(before[begin:])
    if code is None or "raw" in given:
        return Completions(len(before))
    start, candidates = sources.complete_expression(code)
    plain = (one for one in candidates if _is_plain(one.text))
    return Completions(len(before) - len(code) + start, tuple(islice(plain, MAX_CANDIDATES)))


def _open_expression(prompt: str) -> str | None:
    """Return the text between `{{` and the end of `prompt`; None if no expression is open."""
    _, opened, code = prompt.rpartition("{{")
    return code.lstrip() if opened and "}}" not in code else None


def _complete_word(place: CursorWord, at: int, sources: Sources) -> Completions:
    """Complete a word of a line that starts at `at` in the cell."""
    return _filter(place, at, sources.complete_value(place), _complete_flags(place))


def _complete_flags(place: CursorWord) -> Iterator[Candidate]:
    """Yield options: all their names behind a dash, otherwise the longest; `--help` only behind a dash."""
    if place.quote:
        return
    for action in place.flags:
        names = action.option_strings if place.typed == "-" else action.option_strings[-1:]
        if place.typed or action.dest != "help":
            yield from (Candidate(name, describe(action.help) or "option") for name in names)


def _filter(place: CursorWord, at: int, values: Iterable[Candidate], flags: Iterable[Candidate] = ()) -> Completions:
    """Select the candidates that continue the word, written as words of a line."""
    typed = place.typed.lower()
    matching = (
        Candidate(_write_word(text, kind, place.quote), kind)
        for text, kind in values
        if text.lower().startswith(typed) and _is_plain(text) and not text.startswith("-")
    )
    options = (flag for flag in flags if flag.text.startswith(typed))
    candidates = dict.fromkeys((*islice(matching, MAX_CANDIDATES), *options))
    return Completions(at + place.start, tuple(candidates))


def _is_plain(text: str) -> bool:
    """Whether a text, which may come from anywhere, is short, on one line and without control characters."""
    return bool(text) and is_one_line(text) and printable(text) == text and len(text) <= MAX_LENGTH


def _write_word(text: str, kind: str, quote: str) -> str:
    """Write `text` as one word, in the quote it was started with. The quote of a folder stays open for its files."""
    inner = re.sub(rf"[\\{quote}]", r"\\\g<0>", text)
    written = f"{quote}{inner}{quote}" if quote else quote_word(text)
    return written[:-1] if kind == "path" and text.endswith("/") and written != text else written

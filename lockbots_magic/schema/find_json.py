"""Find the JSON of a reply: the answer, not an example, an echo of the question or a first try. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..late_pattern import late_pattern
from .code_blocks import CodeBlock, split_code_blocks
from .json_values import NESTED_TOO_DEEPLY, InvalidJSON, SchemaMismatch, read_json
from .near_json import read_near_json

MAX_FAILED_STARTS = 500
"""Brackets in prose that turn out not to begin JSON."""
MAX_PIECES = 10_000
"""JSON values parsed out of prose."""
MAX_SEARCHED = 5_000_000
"""Characters read by failed attempts, together."""
MAX_CANDIDATES = 20
"""JSON values of one reply that are validated."""
MAX_NEAR = 200_000
"""Characters of valid JSON before an error beyond which nothing but strict JSON is read: Python is slower than C."""
MAX_INTRODUCTION = 120
"""Characters before a value in which words tell what it is."""

ANSWER, PLAIN, EXAMPLE, LEAST = 3, 2, 1, 0
"""Ranks: stands alone or is called the answer; in prose; called an example; footnotes and code."""

_START = late_pattern(
    r"""\{(?=\s*(?:["'“„}]|//|/\*|\#|[A-Za-z_$][\w$]*\s*:))
      | \[(?=\s*(?:["'“„\d\[{\]-]|//|/\*|true|false|null|True|False|None))""",
    re.VERBOSE,
)
"""A bracket followed by what JSON, or nearly JSON, has there; most brackets in prose aren't."""
_CLEARLY_JSON = late_pattern(r"""\{\s*(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z_$][\w$]*)\s*:|\[\s*\{\s*["']""")
_JSON_LANGUAGES = ("json", "json5", "jsonc", "jsonl", "javascript", "")
_SENTENCE_END = late_pattern(r"(?<!e\.g)(?<!i\.e)[.!?;。！？]\s+|\n")
_HINT = late_pattern(
    r"""\b(?:(?P<example>examples?|e\.g\.|for\ instance|such\ as|like\ this|would\ (?:be|look)|form|format|template
    |placeholder|schema|given|input|instead\ of|rather\ than|sample|draft|wrong|incorrect|not|maybe|perhaps
    |(?:first|earlier|previous)\ (?:try|attempt|idea|version)|пример\w*|например|формат\w*|шаблон\w*|дано|вход\w*)
    |(?P<answer>answers?|results?|final\w*|output|correct(?:ed|ion)?|actually|so|therefore|thus|hence
    |ответ\w*|итог\w*|результат\w*|исправлен\w*|поэтому))\b""",
    re.VERBOSE | re.IGNORECASE,
)
_INTRODUCED = late_pattern(
    r"""(?:[:=]|\b(?:is|are|be|returns?|gives?|equals?|это|равен|равно))[\s`*"']*$""", re.IGNORECASE
)
"""What leads from words to a value, as in "The result is [1]"."""
_CALLED_EXAMPLE = late_pattern(
    r"""[`*"')\s]*(?:is|was|were|are|would\ be)\s+(?:\w+\s+){0,3}?
    (?:examples?|wrong|incorrect|invalid|placeholder|sample)\b""",
    re.VERBOSE | re.IGNORECASE,
)

_CALLED_OTHER = late_pattern(
    r"""[\W_]*(?:(?:the|an?|my)\s+)?(?:
    (?:previous(?:ly)?|original(?:ly)?|old|earlier|alternative(?:ly)?|another|bad|invalid|counter-?example|test\ case
    |for\ (?:comparison|reference)|ранее|раньше|прежн\w+|исходн\w+|стар(?:ый|ая|ое)|неправильн\w+|неверн\w+
    |альтернатив\w*|друг(?:ой|ая|ое)|для\ сравнения)\b(?:\s+\w+){0,3}
    |(?:before|was|было|до)\b(?:,?\s+\w+){0,4}
    )[\s`*"']*[:,]?[\s`*"']*$""",
    re.VERBOSE | re.IGNORECASE,
)
"""What a heading calls an earlier or another value, as in "Previously:"."""
_CALLED_CORRECT = late_pattern(r"\b(?:correct|final|updated|new|исправленн|итог|нов)", re.IGNORECASE)


class JSONPiece(NamedTuple):
    """A JSON value in a reply, or a `SchemaMismatch` for text that is clearly meant to be one."""

    value: Any
    rank: int
    """`ANSWER`, `PLAIN`, `EXAMPLE` or `LEAST`."""


def find_json(reply: str) -> list[JSONPiece]:
    """Return the JSON values of a reply, likeliest first; of equally likely ones the last comes first."""
    text = reply.strip().removeprefix("\ufeff").strip()
    whole = _read_whole(text)
    if not isinstance(whole, SchemaMismatch):
        return [JSONPiece(whole, ANSWER)]
    search = _Search()
    found: list[JSONPiece] = []
    introduction = ""
    for part in split_code_blocks(text):
        if isinstance(part, CodeBlock):
            found += search.read_block(part, introduction)
            introduction = ""
        else:
            found += search.read_prose(part)
            introduction = search.rest
    found.reverse()
    found.sort(key=lambda one: one.rank, reverse=True)
    is_json = text.startswith(("{", "["))
    return found[:MAX_CANDIDATES] + ([JSONPiece(whole, LEAST)] if is_json else [])


class _Search:
    """Reads JSON values out of the parts of one reply, within the limits of this module."""

    def __init__(self) -> None:
        self.rest = ""
        """Text behind the last value of the last part."""
        self._failed = 0
        self._searched = 0
        self._pieces = 0

    def read_block(self, block: CodeBlock, introduction: str) -> Iterator[JSONPiece]:
        """Yield the values of a code block, with the text before it."""
        if block.language not in _JSON_LANGUAGES:
            for _, _, value in self._read_pieces(block.text):
                yield JSONPiece(value, LEAST)
            return
        whole = _read_whole(block.text.strip())
        rank = _rank(introduction, "", alone=True)
        if not isinstance(whole, SchemaMismatch):
            yield JSONPiece(whole, rank)
            return
        pieces = [
            JSONPiece(value, rank if inside is None else LEAST) for inside, _, value in self._read_pieces(block.text)
        ]
        yield from pieces or [JSONPiece(whole, rank)]

    def read_prose(self, text: str) -> Iterator[JSONPiece]:
        """Yield the values in a text."""
        before = 0
        for inside, (start, end), value in self._read_pieces(text):
            rank = LEAST if inside is not None else _rank_in_prose(text, before, start, end, value)
            if rank is not None:
                yield JSONPiece(value, rank)
            before = max(before, end)
        self.rest = text[before:]

    def _read_pieces(self, text: str) -> Iterator[tuple[int | None, tuple[int, int], Any]]:
        """Yield the lists and objects in a text.

        Yields:
            The offset of a malformed value that it is inside of, if it is; its own offsets; and the value.
        """
        at, broken, broken_end = 0, 0, 0
        while self._pieces < MAX_PIECES and self._failed < MAX_FAILED_STARTS and self._searched <= MAX_SEARCHED:
            start = _START.search(text, at)
            if start is None:
                return
            self._pieces += 1
            at = start.start()
            inside = broken if at < broken_end else None
            try:
                value, end = _read_piece(text, at)
            except InvalidJSON as error:
                self._failed += 1
                self._searched += error.position - at
                if _CLEARLY_JSON.match(text, at):
                    line_end = text.find("\n", at)
                    yield inside, (at, line_end if line_end >= 0 else len(text)), error
                    if inside is None:
                        broken, broken_end = at, error.position
                at += 1
            except SchemaMismatch as mismatch:  # too deep: its end is unknown
                yield inside, (at, len(text)), mismatch
                return
            else:
                yield inside, (at, end), value
                at = end


def _read_whole(text: str) -> Any:
    try:
        return read_json(text)
    except SchemaMismatch as mismatch:
        if not text.startswith(("{", "[")) or _is_hopeless(mismatch, 0):
            return mismatch
        try:
            value, end = _read_near(text, 0)
        except SchemaMismatch as near:
            return near
        return value if end == len(text) else mismatch


def _read_piece(text: str, at: int) -> tuple[Any, int]:
    """Return the value at an offset, or what is wrong with it, and its end.

    Raises:
        SchemaMismatch: The end can't be told.
    """
    try:
        value, end = read_json(text, at)
    except SchemaMismatch as mismatch:
        if _is_hopeless(mismatch, at):
            raise
        return _read_near(text, at)
    return value, end


def _read_near(text: str, at: int) -> tuple[Any, int]:
    near = read_near_json(text, at)
    return (near.value if near.problem is None else near.problem), near.end


def _is_hopeless(mismatch: SchemaMismatch, at: int) -> bool:
    """Whether only strict JSON is worth reading, because the text is too long or nested too deeply."""
    if isinstance(mismatch, InvalidJSON):
        return mismatch.position - at > MAX_NEAR
    return mismatch.english == NESTED_TOO_DEEPLY


def _rank_in_prose(text: str, before: int, start: int, end: int, value: Any) -> int | None:
    """Rank a value by the text around it, from the end of the value before it; None if it is a mark in a sentence."""
    line_begin = text.rfind("\n", before, start) + 1 or before
    line_end = text.find("\n", end)
    behind = text[end : line_end if line_end >= 0 else len(text)]
    alone = not text[line_begin:start].strip(" \t`*>") and not behind.strip(" \t`*.;,")
    if behind.startswith("("):  # a link
        return None
    rank = _rank(text[before:start], text[end : end + MAX_INTRODUCTION], alone=alone)
    if isinstance(value, list | dict) and all(type(item) in (int, float) for item in value):  # may be footnotes
        follows = line_begin == before and bool(text[:before].rpartition("\n")[2].strip())  # as in `{"a": 1} [1][2]`
        if alone and not follows:
            return PLAIN
        if len(value) > 1:
            return EXAMPLE
        return LEAST if _INTRODUCED.search(text[before:start]) else None
    return rank


def _rank(introduction: str, behind: str, *, alone: bool) -> int:
    """Rank a value by the sentence before it and the words behind it."""
    sentence = _SENTENCE_END.split(introduction.rstrip()[-MAX_INTRODUCTION:])[-1]
    hint = None
    for hint in _HINT.finditer(sentence):  # noqa: B007  # the last one
        pass
    is_other = _CALLED_OTHER.match(sentence) and not _CALLED_CORRECT.search(sentence)
    if is_other or (hint and hint["example"]) or _CALLED_EXAMPLE.match(behind):
        return EXAMPLE
    return ANSWER if alone or hint else PLAIN

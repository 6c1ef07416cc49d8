"""What stands before a tag of reasoning on its line: code, quotes, or nothing. Pure.

It follows CommonMark as far as that can be told while the text streams: inline code ends with its line at the latest.
"""

from __future__ import annotations

import re
from typing import Literal

_BEFORE_FENCE = frozenset(" \t>*+-.)0123456789")
"""What may precede a fence on its line: indentation, quotes and list markers."""
_SENTENCE_END = frozenset(".!?…。！？")
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "(": ")", "`": "`"}
_ASSIGNMENTS = "=:"
_WITHOUT_SPACES = "\u2e80"
"""First of the scripts that write words without spaces between them."""
_INDENTED_CODE = 4
"""Columns from which Markdown takes a line for code."""

Verdict = Literal["tag", "text", "undecided"]


class LineContext:
    """The line of Markdown so far, and the fence around it: whether a tag at its end is a tag or an example."""

    def __init__(self) -> None:
        self.fence_has_opening = False
        """True if an opening tag stands in the open fence, so that a closing one belongs to it."""
        self._fence = ""
        self._begin()

    def _begin(self) -> None:
        self.is_blank = True
        self._indent = 0
        self._before = ""  # last character that is not white space
        self._gap = False  # whether white space follows it
        self._ticks = 0  # length of the run that opened inline code
        self._may_begin_fence = True
        self._may_end_fence = False
        self._begins_fence = False
        self._has_opening = False  # whether an opening tag of the line is text

    def end(self) -> None:
        """End the line."""
        if self._may_end_fence:
            self._fence = ""
        self._begin()

    def add(self, text: str) -> None:
        """Add text without backticks, tildes and line breaks."""
        bare = text.strip()
        if not bare:
            self._gap = True
            self._indent += len(text.expandtabs(_INDENTED_CODE)) if self.is_blank else 0
            return
        self.is_blank = self._may_end_fence = False
        self._before = bare[-1]
        self._gap = text[-1].isspace()
        self._may_begin_fence = self._may_begin_fence and _BEFORE_FENCE.issuperset(text)

    def add_run(self, run: str) -> None:
        """Add a run of backticks or tildes."""
        if self._fence and not self._begins_fence:
            is_end = self._may_begin_fence and run[0] == self._fence[0] and len(run) >= len(self._fence)
            self._may_end_fence = is_end
        elif self._begins_fence:
            if run[0] == "`" == self._fence[0]:  # the line holds inline code: a fence has no backtick behind it
                self._fence, self._begins_fence = "", False
        elif self._may_begin_fence and len(run) >= 3:
            self._fence, self._begins_fence, self.fence_has_opening = run, True, False
        elif run[0] == "`" and self._ticks in (0, len(run)):
            self._ticks = 0 if self._ticks else len(run)
        self.is_blank = self._may_begin_fence = self._gap = False
        self._before = run[-1]

    def note_opening(self, is_opening: bool) -> None:
        """Take note of a tag that is text."""
        self._has_opening = self._has_opening or (is_opening and not (self._fence or self._ticks))

    def may_open(self, *, first: bool, again: bool = False) -> bool:
        """Whether an opening tag here begins reasoning.

        Args:
            first: Nothing but white space precedes it in the answer.
            again: The answer has had such a tag before: it may follow a word without a space, which prose has there.
        """
        if self._fence or self._ticks:
            return False
        if self.is_blank:
            return first or self._indent < _INDENTED_CODE
        is_attached = again and self._before.isalnum() and self._before < _WITHOUT_SPACES
        return (self._before in _SENTENCE_END or is_attached) and not self._gap

    @property
    def may_end_answer(self) -> bool:
        """Whether a token here may be the end of the answer, and not one that the answer speaks of.

        A leaked token follows the last word at once, or on a line of its own, or behind the end of a sentence.
        """
        if (self._fence and not self._may_end_fence) or self._ticks:
            return False
        if self.is_blank:
            return self._indent < _INDENTED_CODE
        if self._may_begin_fence:  # only the marker of a list precedes it
            return False
        return self._before in _SENTENCE_END or not (self._gap or self._before in _ASSIGNMENTS)

    def judge_lone_end(self, rest: str, final: bool) -> Verdict:
        """Judge a closing tag without an opening one; `rest` follows it, all there is if `final`."""
        if self._fence or self._ticks or self._has_opening:
            return "text"
        if self.is_blank:
            return "tag" if self._indent < _INDENTED_CODE else "text"
        if self._before in _SENTENCE_END or not (self._gap or self._before in _QUOTES):
            return "tag"
        behind = rest.lstrip(" \t\r")
        if behind:
            return "tag" if behind[0] == "\n" and self._gap else "text"
        return "text" if final or not self._gap else "undecided"

    def judge_end(self, rest: str, final: bool) -> Verdict:
        """Judge a closing tag inside reasoning; `rest` follows it, all there is if `final`."""
        if self._fence and not self._may_end_fence:
            # a draft may leave its fence open, but a tag in the middle of a line is code
            return "tag" if self.is_blank and not self.fence_has_opening else "text"
        if self._ticks:
            return self._judge_in_code(rest, final)
        if self._gap or self._before not in _QUOTES:
            return "tag"
        if not rest and not final:
            return "undecided"
        return "text" if rest.startswith(_QUOTES[self._before]) else "tag"

    def _judge_in_code(self, rest: str, final: bool) -> Verdict:
        """Judge a closing tag behind a run of backticks: if none ends the code on this line, it is no code."""
        line, newline, _ = rest.partition("\n")
        runs = [len(run) for run in re.findall("`+", line if newline or final else line.rstrip("`"))]
        if self._ticks in runs:
            return "text"
        return "tag" if newline or final else "undecided"

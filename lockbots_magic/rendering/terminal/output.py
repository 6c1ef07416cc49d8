"""Replies as text: styled in a terminal, plain where the output is redirected."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from ...conversation.messages import Delta, ToolCall
from ...conversation.turn import Turn
from ...language import _
from ...security.control_characters import encodable, printable
from ...security.exits import clean_printed
from ...security.links import Unlinker
from ..calls import call_line
from ..console import is_shown_in_terminal
from ..reasoning import RETRACTED, ReasoningMode
from ..seconds import WAITING_DELAY
from ..sources import source_lines
from ..waiting import waiting_text
from .thinking import Thinking, ThinkingWriter


class TerminalOutput:
    """Writes a reply as it comes: to a terminal styled and wrapped, to anything else as it is.

    Args:
        stream: Where to write; by default standard output.
        is_page: Whether a front end shows it, which makes links of addresses.
        model: Model that the terminal says it waits for; ``""`` for none.
        reasoning: What is shown of reasoning.
    """

    shown = False  # what is written stays

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        is_page: bool = False,
        model: str = "",
        reasoning: ReasoningMode = "fold",
    ) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._is_page = is_page
        self._writer = _writer_for(self._stream, is_page)
        self._half_line_end = False
        self._calls: dict[str, ToolCall] = {}  # announced, and not written yet
        self._thinking = Thinking(self._writer, reasoning, self._remark)
        if model:
            self._writer.status(self._clean(waiting_text(model)), WAITING_DELAY)

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""
        if delta.reasoning:
            self._thinking.feed(self._clean(self._without_second_half(delta.reasoning)))
        if not (delta.notice or delta.calls or delta.retracts or delta.text):
            return
        self._thinking.end()
        self._writer.clear_status()
        if delta.notice:
            self._remark(delta.notice)
        self._show_calls(delta.calls)
        if delta.retracts:
            self._remark(_(RETRACTED))
        if delta.text:
            self._writer.write(self._clean(self._without_second_half(delta.text)))

    def finish(
        self,
        turn: Turn,
        notices: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        *,
        shown: str | None = None,
        foot: str = "",
        rejected: bool = False,
    ) -> None:
        """End the reply, with the toolkit's notices below it. Text has no room for metadata.

        The foot line is for people: it is left out where the text goes to a file or a page.
        """
        self._thinking.end()
        self._writer.end(as_is=turn.status == "interrupted")
        self._show_calls(call for call in turn.calls if call.id in self._calls)
        for line in source_lines(turn):
            self._remark(_("source {line}", line=line))
        for notice in notices:
            self._remark(notice)
        if foot and not self._is_page and (self._stream.isatty() or self._writer.can_erase):
            self._remark(foot)

    def close(self) -> None:
        """Leave the terminal without a style, and without a line that counts."""
        self._writer.clear_status()
        self._writer.close()

    def _show_calls(self, calls: Iterable[ToolCall]) -> None:
        """Write each call once it has ended, in the order in which they were announced."""
        self._calls.update((call.id, call) for call in calls)
        while self._calls:
            call = next(iter(self._calls.values()))
            if call.result is None:
                return
            del self._calls[call.id]
            self._writer.remark(self._clean(clean_printed(call_line(call, timed=self._stream.isatty()))))

    def _remark(self, notice: str) -> None:
        self._writer.remark(f"[{self._clean(clean_printed(notice))}]".replace("\n", " "))

    def _without_second_half(self, text: str) -> str:
        """Remove a newline that belongs to the carriage return at the end of the previous step."""
        rest = text.removeprefix("\n") if self._half_line_end else text
        self._half_line_end = text.endswith("\r")
        return rest

    def _clean(self, text: str) -> str:
        return printable(encodable(text, self._stream))


class _ReplyWriter(ThinkingWriter, Protocol):
    """What a reply is written by. All text it takes is printable."""

    def write(self, text: str) -> None:
        """Add text to the reply."""

    def remark(self, text: str) -> None:
        """Add a line that is not part of the reply."""

    def end(self, *, as_is: bool = False) -> None:
        """End the line, if one has begun, and render what is open unless it is left `as_is`."""

    def close(self) -> None:
        """Leave no style behind."""


class _PlainReply:
    """Writes text as it comes."""

    can_erase = False

    def __init__(self, stream: TextIO, is_page: bool) -> None:
        self._stream = stream
        self._line_open = False
        self._links = Unlinker() if is_page else None

    def write(self, text: str) -> None:
        self._put(self._links.feed(text) if self._links else text)

    def _put(self, text: str) -> None:
        if text:
            self._stream.write(text)
            self._stream.flush()
            self._line_open = not text.endswith("\n")

    def remark(self, text: str) -> None:
        self.end()
        self._put(f"{text}\n")

    def end(self, *, as_is: bool = False) -> None:
        self.close()
        if self._line_open:
            self._put("\n")

    def close(self) -> None:
        self._put(self._links.close() if self._links else "")

    def status(self, text: str, delay: float = 0) -> None:
        """Do nothing: the line could not be removed."""

    def clear_status(self) -> None:
        """Do nothing: there is no such line."""

    aside = write

    def end_aside(self) -> None:
        self.end()
        self._put("\n")


def _writer_for(stream: TextIO, is_page: bool) -> _ReplyWriter:
    is_terminal = stream.isatty() or (not is_page and is_shown_in_terminal(stream))
    if not is_terminal or os.environ.get("TERM") == "dumb":
        return _PlainReply(stream, is_page)
    from .reply import StyledReply  # noqa: PLC0415  # rich, at the first reply in a terminal

    return StyledReply(stream, styled=not os.environ.get("NO_COLOR"), counts=stream.isatty())

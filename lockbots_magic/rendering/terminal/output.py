"""Replies as text: styled in a terminal, plain where the output is redirected."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TextIO

from ...conversation.messages import Delta, ToolCall
from ...conversation.turn import Turn
from ...language import _
from ...security.control_characters import printable
from ...security.exits import clean_printed
from ...security.links import Unlinker
from ..calls import call_line
from ..reasoning import RETRACTED, thinking_notice
from ..sources import source_lines


class TerminalOutput:
    """Writes a reply as it comes: to a terminal styled and wrapped, to anything else as it is.

    Args:
        stream: Where to write; by default standard output.
        is_page: Whether a front end shows it, which makes links of addresses.
    """

    shown = False  # what is written stays

    def __init__(self, stream: TextIO | None = None, *, is_page: bool = False) -> None:
        self._stream = sys.stdout if stream is None else stream
        self._is_page = is_page
        self._writer = _writer_for(self._stream, is_page)
        self._half_line_end = False
        self._calls: dict[str, ToolCall] = {}  # announced, and not written yet
        self._is_thinking = False

    def feed(self, delta: Delta) -> None:
        """Show one step of the reply."""
        if delta.notice:
            self._remark(delta.notice)
        self._show_calls(delta.calls)
        if delta.retracts:
            self._remark(_(RETRACTED))
        if delta.reasoning and not self._is_thinking:
            self._remark(thinking_notice())
        self._is_thinking = bool(delta.reasoning) or (self._is_thinking and not delta.text)
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
        self._writer.end(as_is=turn.status == "interrupted")
        self._show_calls(call for call in turn.calls if call.id in self._calls)
        for line in source_lines(turn):
            self._remark(_("source {line}", line=line))
        for notice in notices:
            self._remark(notice)
        if foot and not self._is_page and self._stream.isatty():
            self._remark(foot)

    def close(self) -> None:
        """Leave the terminal without a style."""
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
        encoding = getattr(self._stream, "encoding", None)
        if encoding and not text.isascii():
            text = text.encode(encoding, "replace").decode(encoding)  # not every terminal is in UTF-8
        return printable(text)


class _ReplyWriter(Protocol):
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


def _writer_for(stream: TextIO, is_page: bool) -> _ReplyWriter:
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        return _PlainReply(stream, is_page)
    from .reply import StyledReply  # noqa: PLC0415  # rich, at the first reply in a terminal

    return StyledReply(stream, styled=not os.environ.get("NO_COLOR"))

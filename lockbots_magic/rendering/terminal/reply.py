"""Streaming reply in a terminal: finished blocks are styled, the open block is plain text.

When the open block is finished, its rows are erased and written again as `blocks` renders them. Only rows that are
certainly on the screen are erased; a block taller than the screen stays plain.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TextIO

from markdown_it.token import Token

from ..markdown import parse
from ..open_block import ENOUGH_OF_A_LINE, Finished, OpenBlock
from ..time_budget import MAX_RENDERED
from .blocks import Renderer
from .rows import OpenRows
from .status_line import DIM, RESET, StatusLine

MAX_WIDTH = 100
"""Columns that a reply takes at most: longer lines are hard to read."""
DEFAULT_SIZE = (80, 24)
"""Columns and rows if the terminal does not report its size."""

_STEP = ENOUGH_OF_A_LINE + 1  # characters of a line after which its kind is checked
_SHARE = 16
"""A block that stays plain is parsed again, to find its end, once it has grown by this share of its length;"""
_SHARE_AT_GAP = 64
"""behind an empty line, where most blocks end, by this one."""
_RESET = "\033[0m"


def size_of(stream: TextIO) -> tuple[int, int]:
    """Return the columns that a reply may take of the terminal behind `stream`, and its rows, as they are now."""
    try:
        size = os.get_terminal_size(stream.fileno())
    except (AttributeError, OSError, ValueError):  # no file, or no terminal behind it
        return DEFAULT_SIZE
    return min(size.columns or DEFAULT_SIZE[0], MAX_WIDTH), size.lines or DEFAULT_SIZE[1]


class StyledReply:
    """Writes a reply to a terminal.

    The final display depends only on the text and the size of the terminal, not on how the text was cut.

    Args:
        stream: The terminal.
        styled: Whether styles are used.
        counts: Whether a line that waits counts seconds.
    """

    can_erase = True

    def __init__(self, stream: TextIO, styled: bool, counts: bool = False) -> None:
        self._stream = stream
        self._styled = styled
        self._status = StatusLine(stream, styled=styled, counts=counts)
        self._aside = OpenRows()
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._renderer = Renderer(styled=styled, encoding=self._encoding)
        self._rows = OpenRows()
        self._output: list[str] = []
        self._begin()

    def _begin(self) -> None:
        self._open = OpenBlock()
        self._is_endless = False  # then the rest of the reply stays plain
        self._line_length = 0
        self._parsed = 0  # length of the open text when it was parsed last
        self._rows.restart("")

    def write(self, text: str) -> None:
        """Add `text`, which must hold no control characters, and show it."""
        self._rows.resize(*size_of(self._stream))
        for piece in self._pieces(text):
            self._add(piece)
        self._output.append(self._rows.update())
        self._flush()

    def remark(self, text: str) -> None:
        """Show a line that is not part of the reply."""
        self.end()
        self._output.append(self._renderer.remark(text, size_of(self._stream)[0]))
        self._flush()

    def status(self, text: str, delay: float = 0) -> None:
        """Show a line that counts seconds, after a `delay` (s), until `clear_status`."""
        self.end()
        self._status.show(text, size_of(self._stream)[0], delay)

    def clear_status(self) -> None:
        """Remove that line."""
        self._status.clear()

    def aside(self, text: str) -> None:
        """Add text that is not part of the reply, in grey, until `end_aside`."""
        self._aside.resize(*size_of(self._stream))
        self._aside.add(text)
        self._output.append(self._aside.update().join((DIM, RESET) if self._styled else ("", "")))
        self._flush()

    def end_aside(self) -> None:
        """End that text with an empty line."""
        self._output.append("\n\n" if self._aside.stands_in_row else "\n")
        self._aside = OpenRows()
        self._flush()

    def end(self, *, as_is: bool = False) -> None:
        """End the reply, or the part of it before a remark.

        Args:
            as_is: Erase nothing, because typed input such as ^C has moved the cursor.
        """
        if as_is or self._is_endless or self._rows.is_fixed:
            self._output.append("\n" if self._rows.stands_in_row else "")
        elif self._open.rest:
            self._rows.resize(*size_of(self._stream))
            if self._rows.is_fixed:
                return self.end(as_is=True)
            tokens = parse(self._open.text, self._open.environment())
            source = self._open.rest
            self._output += [self._rows.restart(""), self._render(tokens, source)]
        self._begin()
        return self._flush()

    def close(self) -> None:
        """Leave no style behind, even if a write was interrupted."""
        self._stream.write(_RESET if self._styled else "")
        self._stream.flush()

    def _pieces(self, text: str) -> Iterator[str]:
        """Cut `text` wherever a block may end, so that blocks end at the same places for any stream."""
        while text:
            line_end = text.find("\n") + 1 or len(text)
            piece = text[: min(line_end, _STEP - self._line_length % _STEP)]
            self._line_length = 0 if piece.endswith("\n") else self._line_length + len(piece)
            yield piece
            text = text[len(piece) :]

    def _add(self, piece: str) -> None:
        if self._is_endless:
            self._rows.add(piece)
            return
        if not self._open.source:
            piece = piece.lstrip("\n")
        self._open.add(piece)
        self._rows.add(piece)
        if piece and self._line_length % _STEP == 0 and self._is_due():
            self._advance()
            self._parsed = len(self._open.text)
        self._is_endless = len(self._open.text) > MAX_RENDERED

    def _is_due(self) -> bool:
        """Return whether to parse the open block: one that grows without an end is not parsed at every step."""
        if not self._rows.is_fixed:
            return True
        size = len(self._open.text)
        share = _SHARE_AT_GAP if self._open.text.endswith("\n\n") else _SHARE
        return size - self._parsed >= size // share

    def _advance(self) -> None:
        """Render what is finished."""
        hidden, before = self._open.repeated_lines, self._open.rest
        env = self._open.environment()
        tokens = self._open.read(env)
        if finished := self._open.finish(tokens, env):
            self._finish(finished, tokens, before[: len(before) - len(self._open.text)], hidden)
        elif self._rows.count > self._rows.max_count * 3 // 4 and not self._rows.is_fixed:
            self._part(tokens)

    def _finish(self, finished: Finished, tokens: list[Token], source: str, hidden: int) -> None:
        first, lines = 0, finished.lines - hidden
        if self._rows.is_fixed:  # the first block stays as it is
            self._output.append(self._rows.update())
            self._rows.drop(finished.first_lines - hidden)
            first, lines = finished.first_tokens, finished.lines - finished.first_lines
            source = "".join(source.splitlines(keepends=True)[finished.first_lines - hidden :])
        if self._rows.is_fixed:
            self._rows.drop(lines)
        elif first < finished.tokens:
            rendered = self._render(tokens[first : finished.tokens], source)
            self._output += [self._rows.restart(self._open.rest), rendered, "\n" if rendered else ""]

    def _part(self, tokens: list[Token]) -> None:
        """Render the beginning of a block that is too long to be erased."""
        before = self._open.rest
        part = self._open.take_part(tokens) if tokens and tokens[0].type != "table_open" else None
        if part is not None:
            rest = self._open.rest
            rendered = self._render(parse(part, self._open.environment()), before[: len(before) - len(rest)])
            self._output += [self._rows.restart(rest), rendered]

    def _render(self, tokens: Sequence[Token], source: str) -> str:
        try:
            return self._renderer.blocks(tokens, size_of(self._stream)[0])
        except Exception:  # noqa: BLE001  # a rendering bug never hides a reply
            return source.rstrip("\n") + "\n"

    def _flush(self) -> None:
        output = "".join(self._output)
        self._output.clear()  # first, so that an interrupt does not write it twice
        if output:
            self._stream.write(output.encode(self._encoding, "replace").decode(self._encoding))
            self._stream.flush()

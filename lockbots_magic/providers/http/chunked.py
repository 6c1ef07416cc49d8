"""Decoder of the chunked transfer coding. Pure.

http.client returns one chunk per read, and servers put each token in a chunk of its own: reading chunk by chunk takes
longer than the server sends (`benchmarks/bench_bodies.py`). This decoder returns all chunks that have arrived.
"""

from __future__ import annotations

import re

from ...language import _

MAX_LINE = 65536
"""Bytes of a chunk's size line or of a trailer field, as in http.client."""

_HEAD = re.compile(rb"([0-9a-fA-F]{1,16})\r\n")
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;|$)")


class MalformedChunk(ValueError):  # noqa: N818  # internal; users see a ConnectionFailed
    """The bytes are not a chunk (RFC 9112, 7.1)."""


class ChunkDecoder:
    """Decodes pieces of a chunked body, cut anywhere (RFC 9112, 7.1).

    `done` is true once the last chunk and its trailer fields have been read; bytes after them are ignored.
    """

    def __init__(self) -> None:
        self.done = False
        self._missing = 0  # bytes left of the current chunk, its CRLF included
        self._line = b""
        self._in_trailer = False
        self._failure: MalformedChunk | None = None

    def feed(self, piece: bytes) -> bytes:
        """Return the part of the body that `piece` holds.

        Raises:
            MalformedChunk: A size is not a hexadecimal number, or a line is too long. The body before it was returned.
        """
        if self._failure is not None:
            raise self._failure
        body: list[bytes] = []
        at = 0
        try:
            while at < len(piece) and not self.done:
                if not (self._missing or self._line or self._in_trailer):
                    at = _take_whole_chunks(piece, at, body)
                if self._missing:
                    at = self._take_data(piece, at, body)
                elif at < len(piece):
                    at = self._take_line(piece, at)
        except MalformedChunk as error:
            if not body:
                raise
            self._failure = error
        return b"".join(body)

    def _take_data(self, piece: bytes, at: int, body: list[bytes]) -> int:
        end = min(at + self._missing, len(piece))
        if self._missing > 2:
            body.append(piece[at : min(at + self._missing - 2, end)])
        self._missing -= end - at
        return end

    def _take_line(self, piece: bytes, at: int) -> int:
        end = piece.find(b"\n", at)
        whole = end >= 0
        self._line += piece[at : end if whole else len(piece)]
        if len(self._line) > MAX_LINE:
            raise MalformedChunk(_("a line is longer than {max_line} bytes", max_line=MAX_LINE))
        if not whole:
            return len(piece)
        line, self._line = self._line.rstrip(b"\r"), b""
        if self._in_trailer:
            self.done = not line
        else:
            size = _parse_size(line)
            self._in_trailer = size == 0
            self._missing = size + 2 if size else 0
        return end + 1


def _take_whole_chunks(piece: bytes, at: int, body: list[bytes]) -> int:
    """Fast path: append the data of the chunks that `piece` holds whole from `at` on; return the end of the last."""
    last = len(piece) - 2
    while head := _HEAD.match(piece, at):
        start = head.end()
        end = start + int(head[1], 16)
        if not start < end <= last:
            break
        body.append(piece[start:end])
        at = end + 2
    return at


def _parse_size(line: bytes) -> int:
    found = _SIZE.match(line)
    if found is None:
        raise MalformedChunk(_("a chunk does not begin with its size"))
    return int(found[1], 16)

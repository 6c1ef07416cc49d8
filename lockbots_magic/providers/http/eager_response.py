"""Responses as http.client reads them, with a head that is read in a fraction of its time and a body read eagerly.

http.client takes each head for that of a mail, which costs as much as sending the request. Here a line that is plainly
a field is split at its colon; a head with any other line goes to the parser of mails, with the same result as ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.parser import Parser
from http.client import HTTPException, HTTPMessage, HTTPResponse, IncompleteRead, LineTooLong, UnknownProtocol
from io import BufferedIOBase
from typing import Any

from ...language import _
from .chunked import ChunkDecoder, MalformedChunk

MAX_INTERIM = 100
"""Interim responses (100, 102, 103, ...) before the final one."""
MAX_LINE = 65536
"""Bytes of a line of the head, as in http.client."""
MAX_LINES = 1000
"""Lines of a head; http.client takes 100, which chains of gateways exceed,"""
MAX_HEAD = 1_000_000
"""and bytes of it."""
MAX_PEEKED = 4096
"""Bytes of a body that are read ahead, to tell whether it is compressed."""
_PLAIN = re.compile(rb"(?:data|event|id|retry|): ?[\x20-\x7e\n]|[{\[]\s*[\"{\]}]|<[!a-zA-Z?]")
"""Beginning of a body that is not compressed, whatever its header says: proxies decompress, and leave the header."""
_NO_BODY = (204, 304)
_FIELD = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([^\r\n]*)\r?\n")
"""A field on one line (RFC 9110, 5.1 and 5.5)."""


class HeadTooLong(LineTooLong):
    """The head of a response is HTTP, but longer than is read; the message says what of it."""

    def __init__(self, message: str) -> None:
        HTTPException.__init__(self, message)


class EagerResponse(HTTPResponse):
    """Returns all chunks that have arrived, where http.client returns one per read; and skips interim responses."""

    _chunks: ChunkDecoder | None = None
    _peeked = b""

    def begin(self, **_limits: Any) -> None:
        """Read the head; see `http.client.HTTPResponse.begin`, whose attributes these are.

        Raises:
            HTTPException: The head is malformed, or longer than is read.
        """
        if self.headers is not None:
            return
        version, status, reason = self._read_status()
        self.code = self.status = status
        self.reason = reason.strip()
        if not version.startswith(("HTTP/1.", "HTTP/0.9")):
            raise UnknownProtocol(version)
        self.version = 10 if version in ("HTTP/1.0", "HTTP/0.9") else 11
        self.headers = self.msg = read_head(self.fp)
        self.chunked = _is_chunked(self.headers.get("transfer-encoding", ""))
        self.chunk_left = None
        self.length = None if self.chunked else _parse_length(self.headers.get("content-length", ""))
        if status in _NO_BODY or 100 <= status < 200 or self._method == "HEAD":
            self.length = 0
        closes: bool = self._check_close()
        self.will_close = closes or (not self.chunked and self.length is None)
        if "content-encoding" in self.headers and self.length != 0 and _PLAIN.match(self._peek()):
            del self.headers["content-encoding"]

    def read1(self, n: int = -1) -> bytes:
        """Return the data that has arrived; wait only if there is none.

        Raises:
            IncompleteRead: The body was cut off, or its chunks are malformed.
        """
        if not self.chunked or self.fp is None:
            return super().read1(n)
        body, self._peeked = self._peeked or self._read_chunks(n), b""
        if self._chunks is not None and self._chunks.done:
            self.close()
        return body

    def _peek(self) -> bytes:
        """Return the first bytes of the body, which are read again afterwards."""
        if not self.chunked:
            return bytes(self.fp.peek(MAX_PEEKED)[:MAX_PEEKED])
        self._peeked = self._read_chunks(MAX_PEEKED)
        return self._peeked

    def _read_chunks(self, n: int) -> bytes:
        if self._chunks is None:
            self._chunks = ChunkDecoder()
        body = b""
        while not (body or self._chunks.done):
            piece = self.fp.read1(n)
            if not piece:
                raise IncompleteRead(b"")
            try:
                body = self._chunks.feed(piece)
            except MalformedChunk:
                raise IncompleteRead(b"") from None
        return body

    def _read_status(self) -> tuple[str, int, str]:
        """Return the status line of the final response (RFC 9110, 15.2); http.client skips only 100."""
        for _unused in range(MAX_INTERIM):
            version, status, reason = super()._read_status()  # type: ignore[misc]  # not in the stubs
            if not 100 <= status < 200 or status == 101:
                return version, status, reason
            _read_lines(self.fp)
        raise HeadTooLong(_("more than {max_interim} interim responses", max_interim=MAX_INTERIM))


def read_head(file: BufferedIOBase) -> HTTPMessage:
    """Read the fields of a head up to its blank line, as `http.client.parse_headers` does.

    Raises:
        HeadTooLong: It is longer than is read.
    """
    lines = [line.decode("iso-8859-1") for line in _read_lines(file)]
    fields = [_FIELD.fullmatch(line) for line in lines[:-1]]
    if not all(fields) or lines[-1] not in ("\r\n", "\n"):
        return _parse_as_mail(lines)
    head = HTTPMessage()
    for field in fields:
        if field is not None:
            head.set_raw(field[1], field[2])
    return head


def _read_lines(file: BufferedIOBase) -> list[bytes]:
    lines: list[bytes] = []
    size = 0
    while len(lines) < MAX_LINES:
        line = file.readline(MAX_LINE + 1)
        if len(line) > MAX_LINE:
            raise HeadTooLong(_("a line is longer than {max_line} bytes", max_line=MAX_LINE))
        lines.append(line)
        size += len(line)
        if size > MAX_HEAD:
            raise HeadTooLong(_("more than {count} bytes of headers", count=MAX_HEAD))
        if line in (b"\r\n", b"\n", b""):
            return lines
    raise HeadTooLong(_("more than {max_lines} lines of headers", max_lines=MAX_LINES))


def _parse_as_mail(lines: Sequence[str]) -> HTTPMessage:
    return Parser(_class=HTTPMessage).parsestr("".join(lines))


def _is_chunked(codings: str) -> bool:
    """Return whether the last transfer coding is the chunked one (RFC 9112, 6.3); http.client takes no other beside."""
    return codings.rpartition(",")[2].strip().lower() == "chunked"


def _parse_length(value: str) -> int | None:
    try:
        length = int(value)
    except ValueError:
        return None
    return length if length >= 0 else None

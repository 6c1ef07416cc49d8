"""Responses as values, and the encoders of their bodies."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class ConnectionAction(Enum):
    """What the server does with the connection between two pieces of a response."""

    HANG = "send nothing more, keep the connection open"
    CLOSE = "close the connection"
    RESET = "reset the connection"
    WAIT = "pause for the setting `delay`"


Piece = bytes | ConnectionAction


@dataclass(frozen=True)
class MockResponse:
    """One response."""

    pieces: Iterable[Piece]
    media_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    """Framing and encoding of the body, in place of the setting `body`."""
    raw: bool = False
    """Whether `pieces` are the whole response, status line and headers included."""
    slow_head: bool = False
    """Whether to pause for the setting `delay` after each line of the head."""


class BodyEncoder:
    """Frames and encodes one body; `headers` declare how.

    Args:
        kind: One of `BODIES`.
        pieces: Pieces of the body, for its length.
    """

    def __init__(self, kind: str, pieces: Iterable[Piece]) -> None:
        self.headers: dict[str, str] = {}
        self.reusable = kind != "close"
        """Whether the connection can carry another response afterwards."""
        self._chunked = kind not in ("close", "length")
        self._encode, self._finish = ENCODINGS[kind]() if kind in ENCODINGS else (_leave_plain, bytes)
        if kind == "close":
            self.headers["Connection"] = "close"
        elif kind == "length":
            self.headers["Content-Length"] = str(_declare_length(pieces))
        else:
            self.headers["Transfer-Encoding"] = "chunked"
        if kind in ENCODINGS:
            self.headers["Content-Encoding"] = kind

    def encode(self, data: bytes) -> bytes:
        """Return `data` as sent, flushed so that the client can read all of it."""
        return self._frame(self._encode(data))

    def end(self) -> bytes:
        """Return the end of the body."""
        return self._frame(self._finish()) + (b"0\r\n\r\n" if self._chunked else b"")

    def _frame(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data


def _declare_length(pieces: Iterable[Piece]) -> int:
    """Return the length to declare: too large for a body that breaks off or never ends."""
    if not isinstance(pieces, list):
        return 1 << 30
    size = sum(len(p) for p in pieces if isinstance(p, bytes))
    breaks_off = any(isinstance(p, ConnectionAction) and p is not ConnectionAction.WAIT for p in pieces)
    return size + 1000 if breaks_off else size


def cut_pieces(pieces: Iterable[Piece], size: int) -> Iterator[Piece]:
    """Yield the same bytes in pieces of `size` bytes."""
    for piece in pieces:
        if isinstance(piece, ConnectionAction):
            yield piece
        else:
            yield from (piece[i : i + size] for i in range(0, len(piece), size))


Encoder = tuple[Callable[[bytes], bytes], Callable[[], bytes]]


def _leave_plain(data: bytes) -> bytes:
    return data


def _make_zlib(window: int) -> Encoder:
    packer = zlib.compressobj(wbits=window)
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH), packer.flush


def _make_brotli() -> Encoder:
    packer: Any = importlib.import_module("brotli").Compressor()
    return lambda data: packer.process(data) + packer.flush(), packer.finish


def _make_zstd() -> Encoder:
    try:
        zstd: Any = importlib.import_module("compression.zstd")
    except ImportError:
        zstd = importlib.import_module("backports.zstd")
    packer = zstd.ZstdCompressor()
    return lambda data: packer.compress(data, packer.FLUSH_BLOCK), packer.flush


ENCODINGS: Mapping[str, Callable[[], Encoder]] = {
    "gzip": lambda: _make_zlib(31),
    "deflate": lambda: _make_zlib(15),
    "br": _make_brotli,
    "zstd": _make_zstd,
}
BODIES = ("chunked", "length", "close", *ENCODINGS)
"""Framings and encodings of a body."""

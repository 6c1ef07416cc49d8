"""An answer as a value, and the ways its body may be delimited and encoded."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Mark(Enum):
    """What may happen to a connection between two pieces."""

    HANG = "nothing more comes, the connection stays open"
    CLOSE = "the connection is closed"
    RESET = "the connection is reset"
    WAIT = "a pause of `delay`"


Piece = bytes | Mark


@dataclass(frozen=True)
class Answer:
    """What is sent."""

    pieces: Iterable[Piece]
    media_type: str = "application/json"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    """How the body is delimited and encoded, in place of what the address says."""
    raw: bool = False
    """Whether `pieces` are the whole answer, head included."""
    slow_head: bool = False


class Body:
    """Delimits and encodes one body; `headers` tell how."""

    def __init__(self, kind: str, pieces: Iterable[Piece]) -> None:
        self.headers: dict[str, str] = {}
        self.reusable = kind != "close"
        """Whether the connection can carry another answer afterwards."""
        self._chunked = kind not in ("close", "length")
        self._encode, self._finish = ENCODINGS[kind]() if kind in ENCODINGS else (_plain, bytes)
        if kind == "close":
            self.headers["Connection"] = "close"
        elif kind == "length":
            self.headers["Content-Length"] = str(_length(pieces))
        else:
            self.headers["Transfer-Encoding"] = "chunked"
        if kind in ENCODINGS:
            self.headers["Content-Encoding"] = kind

    def piece(self, data: bytes) -> bytes:
        """`data` as it goes over the wire, at once readable at the other end."""
        return self._delimited(self._encode(data))

    def end(self) -> bytes:
        """What ends the body."""
        return self._delimited(self._finish()) + (b"0\r\n\r\n" if self._chunked else b"")

    def _delimited(self, data: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(data), data) if self._chunked and data else data


def _length(pieces: Iterable[Piece]) -> int:
    """The length to declare: more than will come where the body breaks off or never ends."""
    if not isinstance(pieces, list):
        return 1 << 30
    size = sum(len(p) for p in pieces if isinstance(p, bytes))
    return size + 1000 if any(isinstance(p, Mark) and p is not Mark.WAIT for p in pieces) else size


def cut(pieces: Iterable[Piece], size: int) -> Iterator[Piece]:
    """The same bytes in pieces of `size` bytes."""
    for piece in pieces:
        if isinstance(piece, Mark):
            yield piece
        else:
            yield from (piece[i : i + size] for i in range(0, len(piece), size))


Encoder = tuple[Callable[[bytes], bytes], Callable[[], bytes]]


def _plain(data: bytes) -> bytes:
    return data


def _zlib(window: int) -> Encoder:
    packer = zlib.compressobj(wbits=window)
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH), packer.flush


def _brotli() -> Encoder:
    packer: Any = importlib.import_module("brotli").Compressor()
    return lambda data: packer.process(data) + packer.flush(), packer.finish


def _zstd() -> Encoder:
    try:
        zstd: Any = importlib.import_module("compression.zstd")
    except ImportError:
        zstd = importlib.import_module("backports.zstd")
    packer = zstd.ZstdCompressor()
    return lambda data: packer.compress(data, packer.FLUSH_BLOCK), packer.flush


ENCODINGS: Mapping[str, Callable[[], Encoder]] = {
    "gzip": lambda: _zlib(31),
    "deflate": lambda: _zlib(15),
    "br": _brotli,
    "zstd": _zstd,
}
BODIES = ("chunked", "length", "close", *ENCODINGS)

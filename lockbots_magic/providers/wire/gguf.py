"""Header of a model file in the format GGUF: what it says of the model. Pure.

Wire facts: the GGUF specification (ggml-org/ggml, docs/gguf.md), versions 2 and 3, little-endian.
"""

from __future__ import annotations

import struct
from typing import Any

from ...language import _

MAGIC = b"GGUF"
HEADER_SIZE = 1 << 20
"""Bytes from the beginning of a file that hold what is looked for; the vocabulary behind it is much longer."""
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""Type of a value -> its code in `struct`."""
_STRING, _ARRAY = 8, 9
_PREFIX = struct.Struct("<4sIQQ")
"""Magic, version, number of tensors, number of values."""


def parse_gguf_header(data: bytes) -> dict[str, Any]:
    """Return the numbers and texts at the beginning of a GGUF file, by key, up to where `data` ends.

    Arrays are skipped.

    Args:
        data: The first bytes of the file, such as `HEADER_SIZE` of them.

    Raises:
        ValueError: The file is not GGUF, or of another version.

    Example:
        >>> parse_gguf_header(b"GGUF" + bytes([3, 0, 0, 0]) + bytes(16))
        {}
    """
    if len(data) < _PREFIX.size:
        raise ValueError(_("It is too short for a GGUF file."))
    magic, version, _unused, count = _PREFIX.unpack_from(data)
    if magic != MAGIC or version not in (2, 3):
        raise ValueError(_("It is not a GGUF file of version 2 or 3."))
    reader, values = _ValueReader(data, _PREFIX.size), {}
    try:
        for _unused in range(count):
            key, kind = reader.string(), reader.number("I")
            value = reader.value(kind)
            if value is not None:
                values[key] = value
    except (struct.error, LookupError):  # the end of `data`, or a type of a later version
        pass
    return values


def context_length(header: dict[str, Any]) -> int | None:
    """Return the context (tokens) that the model was trained with, None where the header doesn't say.

    Args:
        header: As returned by `parse_gguf_header`.
    """
    value = header.get(f"{header.get('general.architecture')}.context_length")
    return value if type(value) is int and value > 0 else None


class _ValueReader:
    """Reads values one after the other. Raises `struct.error` or `LookupError` at the end of the data."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    def number(self, code: str) -> Any:
        (value,) = struct.unpack_from(f"<{code}", self._data, self._at)
        self._at += struct.calcsize(f"<{code}")
        return value

    def string(self) -> str:
        size = self.number("Q")
        self._skip(size)
        return self._data[self._at - size : self._at].decode("utf-8", "replace")

    def value(self, kind: int) -> Any:
        """Return a value; None for an array."""
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.number(_NUMBERS[kind])
        item, size = self.number("I"), self.number("Q")
        if item in _NUMBERS:
            self._skip(size * struct.calcsize(f"<{_NUMBERS[item]}"))
        elif item == _STRING:
            for _unused in range(size):
                self._skip(self.number("Q"))
        else:
            raise LookupError(item)
        return None

    def _skip(self, size: int) -> None:
        if size > len(self._data) - self._at:
            raise LookupError(_("The data end here."))
        self._at += size

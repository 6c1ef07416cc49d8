"""The header of model files."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.providers.wire.gguf import context_length, parse_gguf_header


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def gguf(*values, version=3):
    """Return a file with these values: (key, type, bytes)."""
    pairs = b"".join(text(key) + struct.pack("<I", kind) + value for key, kind, value in values)
    return struct.pack("<4sIQQ", b"GGUF", version, 0, len(values)) + pairs


NAMES = ("names", 9, struct.pack("<IQ", 8, 2) + text("a") + text("b"))
NUMBERS = ("numbers", 9, struct.pack("<IQ", 4, 3) + bytes(12))
MODEL = gguf(
    ("general.architecture", 8, text("llama")), NAMES, NUMBERS, ("llama.context_length", 4, struct.pack("<I", 8192))
)


def test_numbers_and_texts_are_read_and_arrays_skipped():
    header = parse_gguf_header(MODEL)
    assert header == {"general.architecture": "llama", "llama.context_length": 8192}
    assert context_length(header) == 8192


def test_file_that_does_not_tell_its_context_has_none():
    for values in ([], [("general.architecture", 8, text("llama"))], [("a.context_length", 4, bytes(4))]):
        assert context_length(parse_gguf_header(gguf(*values))) is None


def test_values_before_a_cut_and_before_an_unknown_type_are_kept():
    whole = parse_gguf_header(MODEL)
    for end in range(24, len(MODEL)):
        assert parse_gguf_header(MODEL[:end]).items() <= whole.items()
    later = gguf(("a", 4, struct.pack("<I", 1)), ("b", 99, b""), ("c", 4, bytes(4)))
    assert parse_gguf_header(later) == {"a": 1}


def test_size_beyond_the_file_ends_the_header():
    endless = gguf(("a", 9, struct.pack("<IQ", 8, 1 << 62)), ("b", 4, bytes(4)))
    assert parse_gguf_header(endless) == {}
    assert parse_gguf_header(gguf(("a", 9, struct.pack("<IQ", 12, 1 << 62)))) == {}


def test_other_files_are_refused():
    for data in (b"", b"GGUF", b"PK" + bytes(40), gguf(version=1), gguf(version=9)):
        with pytest.raises(ValueError, match="GGUF"):
            parse_gguf_header(data)


@given(st.binary(max_size=200))
def test_any_bytes_behind_the_beginning_are_read_without_another_error(data):
    header = parse_gguf_header(struct.pack("<4sIQQ", b"GGUF", 3, 0, 50) + data)
    assert all(isinstance(key, str) for key in header)

"""Decoder of the chunked transfer coding, cut anywhere (RFC 9112, 7.1)."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.providers.http.chunked import ChunkDecoder, MalformedChunk


def coded(chunks, extension=b"", trailer=b"", newline=b"\r\n"):
    sizes = [f"{len(c):x}".encode() + extension + newline + c + newline for c in chunks]
    return b"".join(sizes) + b"0" + newline + trailer + newline


def decoded(pieces):
    decoder = ChunkDecoder()
    return b"".join(decoder.feed(piece) for piece in pieces), decoder.done


CHUNKS = [b"a", b"data: {}\r\n\r\n", bytes(range(256)), b"\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize("step", range(1, 24))
def test_body_is_the_same_wherever_the_bytes_are_cut(step):
    data = coded(CHUNKS)
    assert decoded(data[i : i + step] for i in range(0, len(data), step)) == (b"".join(CHUNKS), True)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 400), max_size=12))
def test_any_body_cut_anywhere(chunks, cuts):
    data = coded(chunks)
    places = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(places)]
    assert decoded(pieces) == (b"".join(chunks), True)


def test_all_arrived_chunks_are_returned_at_once():
    assert ChunkDecoder().feed(coded([b"a", b"b", b"c"])[:-5]) == b"abc"


def test_part_of_a_chunk_is_returned():
    decoder = ChunkDecoder()
    assert decoder.feed(b"a\r\n12345") == b"12345"
    assert decoder.feed(b"67890\r") == b"67890"
    assert not decoder.done


def test_extensions_and_trailer_fields_are_skipped():
    data = coded(CHUNKS, extension=b';name="value"', trailer=b"Expires: never\r\nX: y\r\n")
    assert decoded([data]) == (b"".join(CHUNKS), True)
    assert decoded(bytes([b]) for b in data) == (b"".join(CHUNKS), True)


def test_bare_line_feed_ends_a_line():
    assert decoded([b"3\nabc\r\n0\n\n"]) == (b"abc", True)


def test_capital_digits_and_leading_zeros_are_sizes():
    assert decoded([b"00A\r\n1234567890\r\n0\r\n\r\n"]) == (b"1234567890", True)


def test_body_ends_with_the_last_chunk_and_its_trailer():
    data = coded([b"abc"])
    for end in range(len(data)):
        assert not decoded([data[:end]])[1]


def test_bytes_after_the_end_are_ignored():
    assert decoded([coded([b"a"]) + b"HTTP/1.1 200 OK"]) == (b"a", True)


@pytest.mark.parametrize(
    "bad", [b"xyz\r\n", b"\r\n", b"-5\r\n", b"+5\r\n", b"1_0\r\n", b"0x5\r\n", b" \r\n", b"g" * 70000]
)
def test_malformed_chunk_is_raised_after_the_body_before_it(bad):
    decoder = ChunkDecoder()
    assert decoder.feed(b"1\r\na\r\n" + bad) == b"a"
    with pytest.raises(MalformedChunk):
        decoder.feed(b"more")
    with pytest.raises(MalformedChunk):
        ChunkDecoder().feed(bad)


def test_line_in_pieces_over_the_bound_is_malformed():
    with pytest.raises(MalformedChunk):
        decoded([b"1" * 1000] * 100)


@given(st.lists(st.binary(max_size=60), max_size=6))
def test_any_bytes_are_a_body_or_malformed(pieces):
    decoder = ChunkDecoder()
    try:
        for piece in pieces:
            assert isinstance(decoder.feed(piece), bytes)
    except MalformedChunk:
        pass

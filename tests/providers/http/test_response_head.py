"""The head of a response is read as http.client reads it, whose parser of mails takes many times as long."""

import io
from http.client import LineTooLong, parse_headers

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.providers.http.connection import _encode_header
from lockbots_magic.providers.http.eager_response import (
    MAX_HEAD,
    MAX_LINE,
    MAX_LINES,
    EagerResponse,
    HeadTooLong,
    read_head,
)
from tests.effort import examples

LINES = [
    b"Content-Type: application/json\r\n",
    b"content-length:12\r\n",
    b"X-Empty:\r\n",
    b"X-Spaces: \t a  b \t\r\n",
    b"X-Bare: newline\n",
    b"Set-Cookie: a=1\r\n",
    b"Set-Cookie: b=2\r\n",
    b"X-Latin: caf\xe9\x85\x0b\r\n",
    b" folded\r\n",
    b"no colon\r\n",
    b": no name\r\n",
    b"Sp ace: x\r\n",
    b"From me\r\n",
    b"X-Return: a\rb\r\n",
    b"X-Return: a\r\r\n",
    b"Content-Type: multipart/mixed; boundary=x\r\n",
]


def heads():
    line = st.one_of(st.sampled_from(LINES), st.binary(max_size=20).map(lambda text: text + b"\r\n"))
    end = st.sampled_from([b"\r\n", b"\n", b""])
    return st.tuples(st.lists(line, max_size=8), end).map(lambda parts: b"".join([*parts[0], parts[1], b"{body}"]))


@settings(max_examples=examples(800))
@given(heads())
def test_head_is_that_of_http_client(head):
    ours, theirs = io.BytesIO(head), io.BytesIO(head)
    assert read_head(ours).items() == parse_headers(theirs).items()
    assert ours.read() == theirs.read()


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked \t", b"identity,chunked"])
def test_body_is_chunked_if_the_last_coding_is(coding):
    class Peer:
        def makefile(self, mode):
            return io.BytesIO(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: " + coding + b"\r\n\r\n2\r\nhi\r\n0\r\n\r\n")

    response = EagerResponse(Peer())
    response.begin()
    assert b"".join(iter(response.read1, b"")) == b"hi"


def test_head_is_bounded():
    long = b"a:" + b"b" * (MAX_LINE - 4) + b"\r\n"
    for line, count in ((b"a: b\r\n", MAX_LINES - 1), (long, 1), (long, MAX_HEAD // MAX_LINE)):
        assert len(read_head(io.BytesIO(line * count + b"\r\n"))) == count
    for line, count in ((b"a: b\r\n", MAX_LINES + 1), (long, MAX_HEAD // MAX_LINE + 2)):
        with pytest.raises(HeadTooLong):
            read_head(io.BytesIO(line * count + b"\r\n"))
    for read in (read_head, parse_headers):
        with pytest.raises(LineTooLong):
            read(io.BytesIO(b"a:" + b"b" * MAX_LINE + b"\r\n"))


@pytest.mark.parametrize(("name", "value"), [("a", "b\r\nc: d"), ("a\n", "b"), ("a b", "c"), ("a:b", "c"), ("", "c")])
def test_header_that_may_split_the_request_is_left_to_http_client(name, value):
    assert _encode_header(name, value) is None


def test_plain_header_is_sent_as_http_client_sends_it():
    assert _encode_header("Content-Type", "application/json") == b"Content-Type: application/json"
    assert _encode_header("Accept-Encoding", "@@@SKIP_HEADER@@@") is None

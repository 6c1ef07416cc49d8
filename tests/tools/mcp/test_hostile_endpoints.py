"""Servers at a URL that answer with anything: each is told clearly, in bounded time and memory."""

import gzip
import json
import threading

import pytest

from lockbots_magic import MCP
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.errors import Cancelled, UsageError
from lockbots_magic.tools.mcp.limits import MAX_MESSAGE
from tests.rawserver import RawServer, drips, hangs, sends

from .conftest import described

pytestmark = pytest.mark.once

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\n\r\n"
EVENTS = HEAD % b"text/event-stream"
JSON = HEAD % b"application/json"


def failure(script, **options):
    """Return what is told of a server, without its address."""
    with RawServer(script) as server:
        docs = MCP(f"{server.url}/mcp", name="docs", **options)
        with pytest.raises(UsageError) as caught:
            docs.list_tools(Cancellation())
        docs.close()
        return str(caught.value)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (sends(b"nonsense\r\n\r\n"), "closed the connection."),
        (sends(b""), "closed the connection."),
        (sends(JSON + b"<html>"), "answered with an error (-32700): Failed to parse JSON response"),
        (sends(JSON + b'{"jsonrpc":"2.0","id":1,"result":5}'), "answered with an error (-32700)"),
        (sends(HEAD % b"text/html" + b"<html>"), "answered with an error (-32600): Unexpected content type: text/html"),
        (sends(EVENTS + b"data: {no json}\n\n"), "answered with an error (-32700): Failed to parse SSE message"),
        (sends(EVENTS + b": nothing\n\n"), "answered with an error (-32000): SSE stream ended without a response"),
    ],
)
def test_answer_that_is_none_is_told(script, message):
    assert failure(script).startswith(f"The MCP server docs {message}")


@pytest.mark.parametrize(
    "script",
    [
        hangs(),
        hangs(b"HTTP/1.1 200 OK\r\n"),
        hangs(EVENTS),
        drips(EVENTS, b": still there\n\n"),
        drips(
            EVENTS, b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}\n\n'
        ),
        drips(JSON, b" "),
    ],
)
def test_server_that_never_answers_takes_no_longer_than_allowed_and_can_be_stopped(script):
    assert failure(script, start_timeout=1) == "The MCP server docs took too long to answer."
    with RawServer(script) as server:
        docs = MCP(f"{server.url}/mcp", name="docs")
        cancellation = Cancellation()
        threading.Timer(0.3, cancellation.cancel).start()
        with pytest.raises(Cancelled):
            docs.list_tools(cancellation)


def test_body_without_end_is_not_read_to_it():
    chunk = b" " * 1_000_000
    large = (JSON, *[chunk] * (MAX_MESSAGE // len(chunk) + 1))

    def script(peer):
        peer.request()
        try:
            for part in large:
                peer.send(part)
            peer.until_gone()
        except ConnectionError:
            pass

    assert failure(script) == "The MCP server docs was not read. It sent a message of more than 32 MB."


def test_compressed_body_is_not_read():
    bomb = gzip.compress(b" " * 10_000_000)

    def script(peer):
        assert "gzip" not in peer.request().headers["accept-encoding"]
        peer.answer(bomb, Content_Type="application/json", Content_Encoding="gzip")

    assert failure(script) == "The MCP server docs was not read. It sent a compressed body, which was not asked for."


def test_session_outlives_a_call_that_is_not_answered_in_time():
    late = {"is_first": True}

    def result_of(method):
        if method == "initialize":
            info = {"name": "raw", "version": "1"}
            return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": info}
        if method == "tools/list":
            return {"tools": described("echo")}
        return {"content": [{"type": "text", "text": "here"}]}

    def script(peer):
        while request := peer.request():
            asked = json.loads(request.body or b"{}")
            method = asked.get("method")
            if method == "tools/call" and late.pop("is_first", False):
                peer.until_gone()
                return
            failed = {"error": {"code": -32601, "message": "no"}}
            told = failed if method == "server/discover" else {"result": result_of(method)}
            if "id" in asked:
                answer = {"jsonrpc": "2.0", "id": asked["id"], **told}
                peer.answer(json.dumps(answer).encode(), Content_Type="application/json")
            else:
                peer.answer(status="202 Accepted")

    with RawServer(script) as server, MCP(f"{server.url}/mcp", name="docs") as docs:
        docs.list_tools(Cancellation())
        docs._sessions.current._timeout = 0.3  # of this call alone: a slow machine needs longer for the next one
        with pytest.raises(UsageError, match=r"The MCP server docs took too long to answer\."):
            docs.call_tool("echo", {}, Cancellation())
        docs._sessions.current._timeout = 60
        assert docs.call_tool("echo", {}, Cancellation()).text == "here"
        assert docs.protocol_version == "2025-11-25"

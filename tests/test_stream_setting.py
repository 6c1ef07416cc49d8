"""`stream=False`: the reply as one whole, as a setting and for one request."""

import threading

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import UsageError
from tests.rawserver import RawServer

ANSWER = b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}'


def chat(server, **settings):
    return Chat("openai:demo", base_url=server.url("openai"), **settings)


@pytest.mark.parametrize(("settings", "given"), [
    ({"stream": False}, {}), ({}, {"stream": False}), ({}, {"extra_body": {"stream": False}}),
    ({"params": {"stream": False}}, {}),
])  # fmt: skip
def test_reply_comes_as_one_whole(mock_server, settings, given):
    reply = chat(mock_server, **settings).stream("say one two three", **given)
    assert list(reply) == ["one two three"]
    body = mock_server.requests[-1].json
    assert body["stream"] is False
    assert "stream_options" not in body
    assert reply.turn.status == "complete"


def test_request_overrides_the_setting(mock_server):
    chat(mock_server, stream=False).ask("say x", stream=True)
    assert mock_server.requests[-1].json["stream"] is True


@pytest.mark.parametrize("value", ["no", 0, None])
def test_other_values_are_refused(mock_server, value):
    with pytest.raises(UsageError, match="stream must be True or False"):
        chat(mock_server).ask("x", stream=value)
    assert mock_server.requests == []


def test_redo_asks_in_the_same_way(mock_server):
    talk = chat(mock_server)
    talk.ask("say x", stream=False)
    talk.retry()
    assert mock_server.requests[-1].json["stream"] is False


def test_recording_answers_both_ways(mock_server, tmp_path):
    chat(mock_server, cassette=tmp_path / "talk.jsonl").ask("say x", stream=False)
    assert chat(mock_server, cassette=tmp_path / "talk.jsonl", mode="replay").ask("say x").reply == "x"


def test_function_keeps_its_own_parameter():
    assert Chat(lambda prompt, stream=1: f"{prompt} {stream}").ask("x", stream="y").reply == "x y"


def test_whole_reply_can_be_cancelled():
    asked = threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n")
        asked.set()
        peer.request()  # until the client closes

    with RawServer(script) as server:
        reply = Chat("openai:m", base_url=server.url, stream=False).stream("x")
        reader = threading.Thread(target=lambda: list(reply.deltas))
        reader.start()
        assert asked.wait(30)
        reply.cancel()
        reader.join(30)
        assert not reader.is_alive()
        assert reply.turn.status == "interrupted"

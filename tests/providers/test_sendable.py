"""What leaves is valid UTF-8, and the user is told what was replaced, and where requests go."""

import json
import os

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import ChatRequest, Delta
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.http.json_body import encode_json
from lockbots_magic.providers.streaming import read_stream


class Echo(Provider):
    """Keeps its requests, and replies nothing but "ok"."""

    name = "echo"
    takes_tools = True

    def __init__(self, **settings):
        super().__init__(**settings)
        self.asked = []

    def stream(self, request):
        self.asked.append(request)
        yield Delta("ok", finish_reason="stop")


def notices(reply):
    return [delta.notice for delta in reply.deltas if delta.notice]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=30)


@given(st.lists(ANY_TEXT, min_size=1, max_size=4))
def test_every_request_is_valid_utf_8(texts):
    provider = Echo()
    messages = tuple({"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts))
    list(read_stream(provider, ChatRequest("m", messages)))
    for message, text in zip(provider.asked[-1].messages, texts, strict=True):
        message.content.encode()
        if not any("\ud800" <= c <= "\udfff" for c in text):
            assert message.content == text


@given(st.dictionaries(ANY_TEXT, st.lists(ANY_TEXT)))
def test_every_body_is_valid_utf_8(body):
    text = encode_json(body).decode()
    json.dumps(json.loads(text), ensure_ascii=False).encode()


def test_user_is_told_what_was_replaced_once():
    provider = Echo()
    chat = Chat(provider)
    assert notices(chat.stream("a\ud83d b\udce9")) == [
        "2 characters of the request are half of a surrogate pair, which can't be sent; U+FFFD was sent instead."
    ]
    assert provider.asked[-1].messages[-1].content == "a� b�"
    assert notices(chat.stream("next")) == []
    assert provider.asked[-1].messages[0].content == "a� b�"


def test_halves_of_one_pair_are_joined_silently():
    provider = Echo()
    chat = Chat(provider)
    assert notices(chat.stream("\ud83d" + "\ude42")) == []
    assert provider.asked[-1].messages[-1].content == "🙂"


def test_result_of_a_function_is_clean(mock_server):
    def files() -> str:
        """List the files."""
        return os.fsdecode(b"caf\xe9.txt")

    reply = Chat("openai:demo", base_url=mock_server.url("openai")).stream("call files {}", tools=[files])
    told = notices(reply)
    sent = [m for request in mock_server.requests for m in request.json["messages"] if m["role"] == "tool"]
    assert [m["content"] for m in sent] == ["caf�.txt"]
    assert any("U+FFFD" in notice for notice in told)


def test_address_of_the_environment_is_told_with_the_first_request(monkeypatch, mock_server, tmp_path):
    monkeypatch.setattr("lockbots_magic.providers.base._told_addresses", set())
    monkeypatch.setenv("OPENAI_BASE_URL", mock_server.url("openai"))
    path = tmp_path / "talk.jsonl"
    told = [f"Requests for openai go to {mock_server.url('openai')} (OPENAI_BASE_URL)."]
    chat = Chat("openai:demo", cassette=path)
    assert [notices(chat.stream("say x")), notices(chat.stream("say y"))] == [told, []]
    monkeypatch.setattr("lockbots_magic.providers.base._told_addresses", set())
    assert notices(Chat("openai:demo", cassette=path, mode="replay").stream("say x")) == []
    assert "go to" not in path.read_text()

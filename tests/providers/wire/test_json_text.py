"""JSON that a server sends, whole or cut."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.ending import TOO_LONG
from lockbots_magic.errors import ProtocolError
from lockbots_magic.providers.liaobots import _decode_events
from lockbots_magic.providers.wire import body
from lockbots_magic.providers.wire.anthropic_messages import MessagesDecoder
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.json_text import close_json
from lockbots_magic.providers.wire.responses import ResponsesDecoder
from tests.effort import examples

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(['"', "\\", "\\u00e9", "😀"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), VALUES, min_size=1, max_size=4), st.booleans(), st.data())
@settings(max_examples=examples(800))
def test_any_beginning_of_an_object_is_closed(value, is_ascii, data):
    text = json.dumps(value, ensure_ascii=is_ascii)
    cut = data.draw(st.integers(1, len(text)))
    closed = json.loads(close_json(text[:cut]))
    assert set(closed) <= set(value)
    if cut == len(text):
        assert closed == value


TEXT = "word " * 4_000
CALL = {"type": "function_call", "name": "f", "call_id": "c", "arguments": "{}", "id": "i", "status": "completed"}
WHOLE = {
    "chat completions": (
        ChatCompletionsDecoder,
        {"choices": [{"finish_reason": "stop", "index": 0, "message": {"role": "assistant", "content": TEXT}}]},
    ),
    "messages": (
        MessagesDecoder,
        {"type": "message", "stop_reason": "end_turn", "content": [{"type": "text", "text": TEXT}]},
    ),
    "responses": (
        ResponsesDecoder,
        {
            "object": "response",
            "status": "completed",
            "output": [
                CALL,
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": TEXT}]},
            ],
        },
    ),
}


@pytest.mark.parametrize("dialect", WHOLE)
def test_a_document_that_is_too_long_ends_as_truncated(dialect, monkeypatch):
    monkeypatch.setattr(body, "MAX_EVENT", 10_000)
    kind, value = WHOLE[dialect]
    decoder, data = kind(), json.dumps(value).encode()
    deltas = [delta for at in range(0, len(data), 3_000) for delta in decoder.feed(data[at : at + 3_000])]
    assert decoder.done, "the rest of the body is not read"
    text = "".join(delta.text for delta in deltas)
    assert TEXT.startswith(text)
    assert 9_000 < len(text) < 10_000
    assert [delta.finish_reason for delta in deltas if delta.finish_reason] == [TOO_LONG]
    assert not any(delta.calls for delta in deltas)


def test_a_document_of_liaobots_that_is_too_long(monkeypatch):
    monkeypatch.setattr(body, "MAX_EVENT", 10_000)
    data = json.dumps({"content": TEXT}).encode()
    deltas = list(_decode_events(data[:3_000], iter([data[3_000:]])))
    assert 9_000 < len("".join(delta.text for delta in deltas)) < 10_000
    assert deltas[-1].finish_reason == TOO_LONG


def test_too_many_values_are_an_error_still():
    decoder = ChatCompletionsDecoder()
    with pytest.raises(ProtocolError):
        list(decoder.feed(b"[" + b"{}," * 6_000_000))

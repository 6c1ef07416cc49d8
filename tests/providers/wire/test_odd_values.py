"""Whatever stands in whichever place of a response: it is read, or refused as an error of the provider."""

import copy
import json

import pytest

from lockbots_magic.errors import ProviderError
from lockbots_magic.providers.wire.anthropic_messages import MessagesDecoder
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.responses import ResponsesDecoder

TOOL = {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
DETAIL = {"type": "reasoning.text", "text": "a", "index": 0}
CITATION = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "t"}}
DELTA = {
    "role": "assistant",
    "content": "x",
    "reasoning_details": [DETAIL, DETAIL],
    "tool_calls": [TOOL],
    "annotations": [CITATION],
    "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aa"}}],
}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 1}}
PARTS = [{"type": "text", "text": "x"}, {"type": "thinking", "thinking": "y"}]
ITEM = {
    "type": "message",
    "id": "i",
    "status": "x",
    "content": [{"type": "output_text", "text": "x", "annotations": []}],
}
CALL = {"type": "function_call", "name": "f", "arguments": "{}", "call_id": "c"}
OUTPUT = [{"type": "reasoning", "id": "i", "summary": [{"type": "summary_text", "text": "s"}]}, CALL, ITEM]
BLOCK = {"type": "thinking", "thinking": "", "signature": ""}
STREAMS = {
    ChatCompletionsDecoder: [
        {"choices": [{"index": 0, "delta": DELTA, "finish_reason": "stop"}], "usage": USAGE, "model": "m"},
        {"choices": [{"message": {"content": PARTS}, "finish_reason": "stop"}]},
        {"status": "failed", "error": {"message": "m", "type": "t", "code": "c"}},
    ],
    ResponsesDecoder: [
        {"type": "response.created", "response": {"id": "r", "status": "in_progress", "output": [], "model": "m"}},
        {"type": "response.output_item.added", "output_index": 0, "item": ITEM},
        {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "delta": "x"},
        {
            "type": "response.completed",
            "response": {
                "status": "completed",
                "output": OUTPUT,
                "incomplete_details": {"reason": "x"},
                "error": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        },
    ],
    MessagesDecoder: [
        {"type": "message_start", "message": {"role": "assistant", "content": [], "usage": {"input_tokens": 1}}},
        {"type": "content_block_start", "index": 0, "content_block": BLOCK},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "x"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message", "role": "assistant", "content": PARTS, "stop_reason": "end_turn"},
    ],
}
ODD = ([], {}, [[]], [{}], {"a": []}, None, True, -1, 2**70, float("inf"), "", "\ud800", [None], ["x"])


def places(value, at=()):
    """Yield the path of each value within `value`."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from places(one, (*at, key))


def with_odd(value, place, odd):
    if not place:
        return odd
    whole = copy.deepcopy(value)
    within = whole
    for key in place[:-1]:
        within = within[key]
    within[place[-1]] = odd
    return whole


def read(kind, *pieces):
    decoder = kind()
    try:
        for piece in pieces:
            list(decoder.feed(piece))
        list(decoder.close())
    except ProviderError:
        pass


@pytest.mark.parametrize("kind", STREAMS, ids=lambda kind: kind.__name__)
def test_any_value_in_any_place_is_read_or_refused(kind):
    events = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in STREAMS[kind]]
    for number, event in enumerate(STREAMS[kind]):
        for place in places(event):
            for odd in ODD:
                changed = json.dumps(with_odd(event, place, odd)).encode()
                read(kind, *events[:number], b"data: " + changed + b"\n\n", *events[number + 1 :])
                read(kind, changed)

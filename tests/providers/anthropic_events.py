"""Events of messages responses, as Anthropic's service sends them."""

import json

SIGNED = {"type": "thinking", "thinking": "Adding is easy.", "signature": "c2lnbmVk"}
REDACTED = {"type": "redacted_thinking", "data": "ZW5jcnlwdGVk"}


def frame(event):
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def start(**usage):
    message = {"type": "message", "role": "assistant", "content": [], "model": "claude-sonnet-5-5", "stop_reason": None}
    return {"type": "message_start", "message": {**message, "usage": {"input_tokens": 9, "output_tokens": 1, **usage}}}


def block(index, content, *deltas):
    yield {"type": "content_block_start", "index": index, "content_block": content}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def text(index, *words):
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": word} for word in words))


def thinking(index, *words, signature="c2lnbmVk"):
    deltas = [{"type": "thinking_delta", "thinking": word} for word in words]
    end = {"type": "signature_delta", "signature": signature}
    return block(index, {"type": "thinking", "thinking": "", "signature": ""}, *deltas, end)


def call(index, *pieces, name="add", identity="toolu_1"):
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in pieces)
    return block(index, {"type": "tool_use", "id": identity, "name": name, "input": {}}, *deltas)


def end(reason="end_turn", tokens=5, **more):
    delta = {"stop_reason": reason, "stop_sequence": None, **more}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": tokens}}
    yield {"type": "message_stop"}


def stream(*events):
    return b"".join(map(frame, events))

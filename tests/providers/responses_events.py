"""Events of the Responses API, as OpenAI's service sends them."""

import json

ENCRYPTED = "ZW5jcnlwdGVk"
REASONING = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Adding is easy."}],
    "encrypted_content": ENCRYPTED,
}
RETURNED = {"type": "reasoning", "summary": REASONING["summary"], "encrypted_content": ENCRYPTED}
"""The item as it goes back."""


def frame(event):
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def stream(*events):
    return b"".join(map(frame, events))


def event(kind, **fields):
    return {"type": f"response.{kind}", "sequence_number": 0, **fields}


def response(status="in_progress", output=(), **fields):
    head = {"id": "resp_1", "object": "response", "model": "gpt-6-luna", "status": status, "error": None}
    return {**head, "incomplete_details": None, "usage": None, "output": [*output], **fields}


def start():
    yield event("created", response=response())
    yield event("in_progress", response=response())


def thinking(index, *words, item=REASONING):
    place = {"item_id": item["id"], "output_index": index, "summary_index": 0}
    yield event("output_item.added", output_index=index, item={"type": "reasoning", "id": item["id"], "summary": []})
    yield event("reasoning_summary_part.added", **place, part={"type": "summary_text", "text": ""})
    for word in words:
        yield event("reasoning_summary_text.delta", **place, delta=word)
    yield event("reasoning_summary_text.done", **place, text="".join(words))
    yield event("output_item.done", output_index=index, item=item)


def message(text, identity="msg_1", **fields):
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": identity, "role": "assistant", "status": "completed", "content": content, **fields}


def text(index, *words, **fields):
    whole = message("".join(words), **fields)
    place = {"item_id": whole["id"], "output_index": index, "content_index": 0}
    part = whole["content"][0]
    yield event("output_item.added", output_index=index, item={**whole, "content": [], "status": "in_progress"})
    yield event("content_part.added", **place, part={**part, "text": ""})
    for word in words:
        yield event("output_text.delta", **place, delta=word, logprobs=[], obfuscation="x")
    yield event("output_text.done", **place, text=part["text"])
    yield event("content_part.done", **place, part=part)
    yield event("output_item.done", output_index=index, item=whole)


def function_call(arguments='{"a": 1, "b": 2}', name="add", identity="call_1"):
    described = {"call_id": identity, "name": name, "arguments": arguments}
    return {"type": "function_call", "id": f"fc_{identity}", "status": "completed", **described}


def call(index, *pieces, name="add", identity="call_1"):
    item = function_call("".join(pieces), name, identity)
    place = {"item_id": item["id"], "output_index": index}
    yield event("output_item.added", output_index=index, item={**item, "arguments": ""})
    for piece in pieces:
        yield event("function_call_arguments.delta", **place, delta=piece)
    yield event("function_call_arguments.done", **place, arguments=item["arguments"])
    yield event("output_item.done", output_index=index, item=item)


USAGE = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 4},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 14,
}


def end(*output, status="completed", **fields):
    yield event(status, response=response(status, output, usage=USAGE, **fields))

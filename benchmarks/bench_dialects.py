"""Processor time of each dialect's decoder for a token, without a connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from common import figure, median, spread, table, title

from lockbots_magic.conversation.messages import ChatRequest
from lockbots_magic.providers.dialects import CHAT_COMPLETIONS, DIALECTS, MESSAGES, RESPONSES, find_dialect

TOKENS = 20_000
REPETITIONS = 15
PIECE = 4096
"""Bytes of a piece of the body."""
MAX_MORE = 1.0
"""Time (us) that a dialect may add to a token."""

WORDS = [f"word{n} " for n in range(TOKENS)]


def frames(*events: dict[str, object], named: bool = True) -> bytes:
    lines = ((f"event: {event['type']}\n" if named else "") + f"data: {json.dumps(event)}\n\n" for event in events)
    return "".join(lines).encode()


def chat_completions() -> bytes:
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "m",
        "system_fingerprint": "f",
    }
    chunks = ({**head, "choices": [{"index": 0, "delta": {"content": w}, "finish_reason": None}]} for w in WORDS)
    return frames(*chunks, named=False) + b"data: [DONE]\n\n"


def responses() -> bytes:
    place = {
        "item_id": "msg_0123456789",
        "output_index": 0,
        "content_index": 0,
        "logprobs": [],
        "obfuscation": "abcdef",
    }
    events = (
        {"type": "response.output_text.delta", "sequence_number": n, **place, "delta": w} for n, w in enumerate(WORDS)
    )
    content = [{"type": "output_text", "text": "".join(WORDS), "annotations": []}]
    output = [{"type": "message", "id": "msg_0123456789", "role": "assistant", "content": content}]
    last = {"type": "response.completed", "response": {"status": "completed", "output": output}}
    return frames(*events, last)


def messages() -> bytes:
    start = {"type": "message_start", "message": {"type": "message", "model": "m", "content": [], "usage": {}}}
    opening = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    events = (
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS
    )
    ends = (
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": TOKENS}},
        {"type": "message_stop"},
    )
    return frames(start, opening, *events, *ends)


BODIES: dict[str, Callable[[], bytes]] = {CHAT_COMPLETIONS: chat_completions, RESPONSES: responses, MESSAGES: messages}


def timed(name: str, body: bytes) -> float:
    """Return the processor time (s) of decoding a body in one dialect."""
    decoder = find_dialect(name).make_decoder(ChatRequest("m", ()), {})
    started = time.process_time()
    text = [delta.text for at in range(0, len(body), PIECE) for delta in decoder.feed(body[at : at + PIECE])]
    text += [delta.text for delta in decoder.close()]
    taken = time.process_time() - started
    if "".join(text) != "".join(WORDS):
        raise RuntimeError("the text is not the reply")
    return taken


def main() -> None:
    bodies = {name: BODIES[name]() for name in DIALECTS}
    times: dict[str, list[float]] = {name: [] for name in DIALECTS}
    for n in range(REPETITIONS + 1):
        for name, body in bodies.items():
            taken = timed(name, body) / TOKENS * 1e6
            if n:  # the first round warms up
                times[name].append(taken)
    title(f"decoding {TOKENS:,} tokens, {REPETITIONS} interleaved runs each")
    table(
        ("dialect", "us/token", "lowest", "highest", "bytes/token"),
        *((name, *spread(taken), f"{len(bodies[name]) / TOKENS:.0f}") for name, taken in times.items()),
    )
    for name, taken in times.items():
        if name != CHAT_COMPLETIONS:
            more = median([one - base for one, base in zip(taken, times[CHAT_COMPLETIONS], strict=True)])
            figure(f"decoding, {name} over chat completions", f"{more:+.2f} us/token", f"<= {MAX_MORE:g} us/token")


if __name__ == "__main__":
    main()

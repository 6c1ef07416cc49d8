"""What the official clients read from given bytes, each in a process of its own: ``reading.py DIALECT URL``.

Prints one JSON object: the pieces of text and of reasoning, one for each event that has any, the calls, how the reply
ended, and the token counts of the request and of the answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MESSAGES = [{"role": "user", "content": "2 + 3?"}]


def read_chat_completions(url: str) -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, stream=True))
    choices = [choice for chunk in chunks for choice in chunk.choices]
    calls: dict[int, list[str]] = {}
    for piece in (piece for choice in choices for piece in choice.delta.tool_calls or ()):
        call = calls.setdefault(piece.index, [piece.id, piece.function.name, ""])
        call[2] += piece.function.arguments
    usage = chunks[-1].usage
    return {
        "text": [choice.delta.content for choice in choices if choice.delta.content],
        "reasoning": [],
        "calls": list(calls.values()),
        "end": next(choice.finish_reason for choice in choices if choice.finish_reason),
        "tokens": [usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens],
    }


def read_responses(url: str) -> dict[str, Any]:
    import openai

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    events = list(client.responses.create(model="m", input="2 + 3?", stream=True))
    response = events[-1].response
    called = [item for item in response.output if item.type == "function_call"]
    return {
        "text": [event.delta for event in events if event.type == "response.output_text.delta"],
        "reasoning": [event.delta for event in events if event.type == "response.reasoning_summary_text.delta"],
        "calls": [[item.call_id, item.name, item.arguments] for item in called],
        "end": "tool_calls" if response.status == "completed" and called else response.status,
        "tokens": [
            response.usage.input_tokens,
            response.usage.output_tokens,
            response.usage.input_tokens_details.cached_tokens,
        ],
    }


def read_messages(url: str) -> dict[str, Any]:
    import anthropic

    client = anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0)
    text, reasoning = [], []
    with client.messages.stream(model="m", max_tokens=100, messages=MESSAGES) as stream:
        for event in stream:
            if event.type == "content_block_delta" and event.delta.type == "text_delta":
                text.append(event.delta.text)
            elif event.type == "content_block_delta" and event.delta.type == "thinking_delta":
                reasoning.append(event.delta.thinking)
        message = stream.get_final_message()
    usage = message.usage
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    calls = [block for block in message.content if block.type == "tool_use"]
    return {
        "text": text,
        "reasoning": reasoning,
        "calls": [[block.id, block.name, json.dumps(block.input)] for block in calls],
        "end": "tool_calls" if message.stop_reason == "tool_use" else message.stop_reason,
        "tokens": [usage.input_tokens + read + written, usage.output_tokens, read],
    }


READERS = {"chat-completions": read_chat_completions, "responses": read_responses, "messages": read_messages}
"""Dialect -> what its official client reads."""

if __name__ == "__main__":
    print(json.dumps(READERS[sys.argv[1]](sys.argv[2])))

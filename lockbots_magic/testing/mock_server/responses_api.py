"""The Responses API of the service `openai`.

Wire facts: the OpenAI API reference, "Create a model response" and "Responses: streaming events".
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from .replies import MockToolCall, complain_of_documents
from .services import OpenAIService, StreamEvents, dump_json

ENCRYPTED = "bW9jay1yZWFzb25pbmc="
"""Reasoning as it goes back."""

_PART_TYPES = {"input_text": "text", "output_text": "text", "input_image": "image_url"}


class ResponsesService(OpenAIService):
    """`POST /v1/responses`: events with types, and items in place of messages."""

    path = "/responses"

    def messages(self, body: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Return the input as messages of chat completions."""
        given = body.get("input")
        if isinstance(given, str):
            given = [{"role": "user", "content": given}]
        if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
            return None
        said = [message for item in given if (message := _read_item(item)) is not None]
        system = body.get("instructions")
        return [*([{"role": "system", "content": system}] if system else []), *said]

    def complaint(self, body: Mapping[str, Any]) -> str:
        """Return why the input is refused: reasoning without what followed it, or without its content."""
        given = body.get("input")
        items: list[Any] = given if isinstance(given, list) else []
        if problem := complain_of_documents(self.messages(body) or []):
            return problem
        for item, following in itertools.pairwise([*items, {}]):
            if item.get("type") != "reasoning":
                continue
            if not item.get("encrypted_content"):
                return f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is false."
            if following.get("type") not in ("reasoning", "function_call") and following.get("role") != "assistant":
                return "Item of type 'reasoning' was provided without its required following item."
        return ""

    def chunk(self, delta: Mapping[str, Any], body: Mapping[str, Any]) -> str:
        """Return an event that holds `delta`: text, or reasoning."""
        if "reasoning_content" in delta:
            place = {"item_id": "rs_mock", "output_index": 0, "summary_index": 0}
            return _event("reasoning_summary_text.delta", **place, delta=delta["reasoning_content"])
        content = delta.get("content")
        if isinstance(content, list):
            content = "".join(part["text"] for part in content)
        return _event("output_text.delta", **_TEXT_PLACE, delta=content)

    def events(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str] = ()) -> StreamEvents:
        """Return all events of a response, `thoughts` first."""
        output = self._output(words, body, thoughts)
        opening = [_event(name, response=_response(body, "in_progress", [])) for name in ("created", "in_progress")]
        text: list[str] = []
        for number, item in enumerate(output):
            added, written, done = self._item_events(number, item, words, body, thoughts)
            is_head = item["type"] != "function_call" and not text  # what a broken reply has in any case
            (opening if is_head else text).extend(added)
            is_last = number == len(output) - 1
            text += written if is_last else [*written, *done]
            closing = done
        completed = _response(body, "completed", output, self._usage(words, body))
        return StreamEvents(opening, text, [*closing, _event("completed", response=completed)])

    def whole(self, words: list[str], body: Mapping[str, Any]) -> str:
        """Return the response object."""
        return dump_json(_response(body, "completed", self._output(words, body, ()), self._usage(words, body)))

    def _output(self, words: list[str], body: Mapping[str, Any], thoughts: Sequence[str]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if thoughts:
            summary = [{"type": "summary_text", "text": "".join(thoughts)}]
            has_content = "reasoning.encrypted_content" in (body.get("include") or [])
            content = {"encrypted_content": ENCRYPTED} if has_content else {}
            items.append({"type": "reasoning", "id": "rs_mock", "summary": summary, **content})
        calls = self.calls(body)
        return [*items, *(map(_describe_call, calls) if calls else [_message("".join(words))])]

    def _item_events(
        self, number: int, item: dict[str, Any], words: list[str], body: Mapping[str, Any], thoughts: Sequence[str]
    ) -> tuple[list[str], list[str], list[str]]:
        """Return the events of an item: those before its content, of its content, and after it."""
        place = {"item_id": item["id"], "output_index": number}
        done = [_event("output_item.done", output_index=number, item=item)]
        if item["type"] == "reasoning":
            written = [self.chunk({"reasoning_content": thought}, body) for thought in thoughts]
            bare = {"type": "reasoning", "id": item["id"], "summary": []}
            return [_event("output_item.added", output_index=number, item=bare)], written, done
        if item["type"] == "function_call":
            arguments = item["arguments"]
            pieces = [arguments[i : i + 3] for i in range(0, len(arguments), 3)]
            written = [_event("function_call_arguments.delta", **place, delta=piece) for piece in pieces]
            end = _event("function_call_arguments.done", **place, arguments=arguments)
            bare = {**item, "arguments": "", "status": "in_progress"}
            return [_event("output_item.added", output_index=number, item=bare)], [*written, end], done
        bare = {**item, "content": [], "status": "in_progress"}
        part = item["content"][0]
        added = _event("content_part.added", **place, content_index=0, part={**part, "text": ""})
        ends = [
            _event("output_text.done", **place, content_index=0, text=part["text"]),
            _event("content_part.done", **place, content_index=0, part=part),
        ]
        written = [_event("output_text.delta", **place, content_index=0, delta=word) for word in words]
        return [_event("output_item.added", output_index=number, item=bare), added], written, [*ends, *done]

    def _usage(self, words: list[str], body: Mapping[str, Any]) -> dict[str, Any]:
        counts = self.count_usage(words, body)
        return {
            "input_tokens": counts["prompt_tokens"],
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": counts["completion_tokens"],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": counts["total_tokens"],
        }


_TEXT_PLACE = {"item_id": "msg_mock", "output_index": 0, "content_index": 0}


def _event(kind: str, **fields: Any) -> str:
    return dump_json({"type": f"response.{kind}", "sequence_number": 0, **fields})


def _response(
    body: Mapping[str, Any], status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None = None
) -> dict[str, Any]:
    state = {"status": status, "error": None, "incomplete_details": None, "output": output, "usage": usage}
    asked = {name: body.get(name) for name in ("model", "instructions")}
    defaults: dict[str, Any] = {
        "tools": body.get("tools") or [],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "metadata": {},
    }
    return {"id": "resp_mock", "object": "response", "created_at": 0, **asked, **defaults, **state}


def _message(text: str) -> dict[str, Any]:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "msg_mock", "role": "assistant", "status": "completed", "content": content}


def _describe_call(call: MockToolCall) -> dict[str, Any]:
    described = {"call_id": call.id, "name": call.name, "arguments": call.arguments}
    return {"type": "function_call", "id": f"fc_{call.id}", "status": "completed", **described}


def _read_item(item: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return an item as a message; None for one that holds no message."""
    kind = item.get("type", "message")
    if kind == "message":
        content = item.get("content")
        return {"role": item.get("role"), "content": _read_parts(content) if isinstance(content, list) else content}
    if kind == "function_call":
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        return {"role": "assistant", "tool_calls": [{"id": item.get("call_id"), "function": function}]}
    if kind == "function_call_output":
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": item.get("output")}
    return None


def _read_parts(parts: list[Any]) -> list[dict[str, Any]]:
    return [_read_part(part) for part in parts if isinstance(part, dict)]


def _read_part(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "input_file":
        return {"type": "file", "file": {name: part.get(name) for name in ("filename", "file_data")}}
    return {**part, "type": _PART_TYPES.get(str(part.get("type")), "other")}

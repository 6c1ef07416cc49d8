"""Marks that let the service cache the stable head of a request: tools, system prompt, older turns. Pure.

Wire facts: Anthropic, "Prompt caching": a mark covers all before it, in the order tools, system, messages; four marks
at most; a head below a minimum, which depends on the model (512 to 4,096 tokens), is not cached; thinking blocks take
no mark. What is read costs a tenth, what is written a quarter more, or twice as much where it is kept for an hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from ...conversation.token_estimate import estimate_tokens

CacheMode = Literal["auto", "off", "1h"]
CACHE_MODES: tuple[CacheMode, ...] = ("auto", "off", "1h")
MIN_TOKENS = 512
"""Estimated tokens of a head below which no model caches it."""
MARK = "cache_control"

_MARKABLE = frozenset({"text", "image", "document", "tool_use", "tool_result"})

JSONObject = dict[str, Any]


def mark_head(body: JSONObject, mode: CacheMode) -> JSONObject:
    """Return a body whose stable head is marked, in up to three places.

    The places are the end of the system prompt (or of the tools, without one), the end of the turns before the prompt,
    and, among rounds of tool calls, the end of the last results: the next round begins with all of this.

    Args:
        body: Body of a request; not changed.
        mode: `"auto"` keeps the head for five minutes, `"1h"` for an hour, `"off"` marks nothing.
    """
    if mode == "off":
        return body
    mark = {"type": "ephemeral", **({"ttl": mode} if mode == "1h" else {})}
    size = _size(body.get("tools")) + _size(body.get("system"))
    marked = dict(body)
    if size >= MIN_TOKENS:
        marked |= _mark_constant(body, mark)
    messages = list(body["messages"])
    ends = [at for at in (_last_turn(messages), len(messages) if _ends_with_results(messages) else 0) if at]
    for end in ends:
        if size + sum(map(_size, messages[:end])) >= MIN_TOKENS:
            messages[end - 1] = _mark_message(messages[end - 1], mark)
    return {**marked, "messages": messages}


def without_marks(body: JSONObject) -> JSONObject:
    """Return a body without marks, with plain text where only a mark needed more."""
    plain = {**body, "messages": [{**one, "content": _unmark(one["content"])} for one in body["messages"]]}
    return {**plain, **{name: _unmark(body[name]) for name in ("tools", "system") if name in body}}


def has_automatic_marks(body: JSONObject) -> bool:
    """Whether a body holds marks, none of which is to last longer than usual."""
    lists = [body.get("tools"), body.get("system"), *(message["content"] for message in body["messages"])]
    blocks = (block for one in lists if isinstance(one, list) for block in one if isinstance(block, dict))
    marks = [block[MARK] for block in blocks if MARK in block]
    return bool(marks) and not any("ttl" in mark for mark in marks)


def _mark_constant(body: JSONObject, mark: Mapping[str, str]) -> JSONObject:
    system = body.get("system")
    if isinstance(system, str) and system.strip():
        return {"system": [{"type": "text", "text": system, MARK: mark}]}
    tools = body.get("tools")
    return {"tools": [*tools[:-1], {**tools[-1], MARK: mark}]} if tools and isinstance(tools, list) else {}


def _last_turn(messages: list[JSONObject]) -> int:
    """Return the number of messages before the prompt of the last turn."""
    prompts = [at for at, message in enumerate(messages) if message["role"] == "user" and not _is_result(message)]
    return prompts[-1] if prompts else 0


def _ends_with_results(messages: list[JSONObject]) -> bool:
    return bool(messages) and _is_result(messages[-1])


def _is_result(message: JSONObject) -> bool:
    content = message["content"]
    return isinstance(content, list) and bool(content) and content[0].get("type") == "tool_result"


def _mark_message(message: JSONObject, mark: Mapping[str, str]) -> JSONObject:
    content = message["content"]
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    for at in reversed(range(len(blocks))):
        if str(blocks[at].get("type")) in _MARKABLE:
            blocks[at] = {**blocks[at], MARK: mark}
            return {**message, "content": blocks}
    return message


def _unmark(blocks: Any) -> Any:
    if not isinstance(blocks, list):
        return blocks
    plain = [
        {key: value for key, value in one.items() if key != MARK} if isinstance(one, dict) else one for one in blocks
    ]
    is_text = len(plain) == 1 and plain[0].keys() == {"type", "text"}
    return plain[0]["text"] if is_text else plain


def _size(value: Any) -> int:
    """Return the estimated tokens of a part of a body; data of images and documents count too, which is too much."""
    if not value:
        return 0
    return estimate_tokens(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))

"""Token counts that a response reports, under the names of all services. Pure.

Wire facts: the API references of OpenAI ("Chat completion object": ``usage``), Anthropic ("Messages"), DeepSeek
(``prompt_cache_hit_tokens``), Groq (``x_groq.usage``), xAI, and llama-server (``timings``), and observed responses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ...conversation.messages import Usage
from ...errors import ProtocolError
from ...language import _
from .errors import make_snippet
from .json_text import parse_json
from .numbers import parse_count

_PLACES = frozenset({"usage", "x_groq", "usageMetadata", "timings"})
"""Fields of a chunk that hold token counts."""
_PROMPT = ("prompt_tokens", "input_tokens", "promptTokenCount", "promptTokens", "inputTokens")
_COMPLETION = ("completion_tokens", "output_tokens", "candidatesTokenCount", "completionTokens", "outputTokens")
_TOTAL = ("total_tokens", "totalTokenCount", "totalTokens")
_DETAILS = (
    *("prompt_tokens_details", "input_tokens_details", "completion_tokens_details", "output_tokens_details"),
    "cache_creation",
)
_CACHED = (
    *("cached_tokens", "cache_read_input_tokens", "prompt_cache_hit_tokens"),
    *("cache_read_tokens", "cachedContentTokenCount"),
)
_CACHE_WRITE = ("cache_write_tokens", "cache_creation_input_tokens", "cache_creation_tokens")
_CACHE_WRITE_1H = ("ephemeral_1h_input_tokens", "cache_write_1h_tokens")
_REASONING = ("reasoning_tokens", "thinking_tokens", "thoughtsTokenCount")
_APART = {"cache_read_input_tokens", "cache_creation_input_tokens"}


def find_usage(chunk: Mapping[str, Any], choice: Mapping[str, Any]) -> Usage | None:
    """Return the token counts in a chunk, wherever they stand; None if it has none.

    Args:
        chunk: The chunk, as parsed.
        choice: The choice in it that is the reply.
    """
    if _PLACES.isdisjoint(chunk) and "usage" not in choice:
        return None  # nearly all chunks
    groq = chunk.get("x_groq")
    places = (
        chunk.get("usage"),
        choice.get("usage"),
        groq.get("usage") if isinstance(groq, dict) else None,
        chunk.get("usageMetadata"),
    )
    for place in places:
        if place and (usage := parse_usage(place)):
            return usage
    timings = chunk.get("timings")
    return _parse_timings(timings) if isinstance(timings, dict) else None


def merge_usage(one: Usage | None, other: Usage | None) -> Usage | None:
    """Return the larger of each count: counts in several chunks are cumulative, and some of them null or 0."""
    if one is None or other is None:
        return one or other
    pairs = ((getattr(one, f.name), getattr(other, f.name)) for f in fields(Usage))
    return Usage(*(a if b is None else b if a is None else max(a, b) for a, b in pairs))


def parse_usage(value: Any) -> Usage | None:
    """Return the token counts of a usage object; None if it has neither prompt nor completion tokens.

    Example:
        >>> parse_usage({"prompt_tokens": 12.0, "completion_tokens": "3", "prompt_cache_hit_tokens": 8}).to_dict()
        {'prompt_tokens': 12, 'completion_tokens': 3, 'cached_tokens': 8}
    """
    if not isinstance(value, dict):
        return None
    rows = [value, *(row for name in _DETAILS if isinstance(row := value.get(name), dict))]
    prompt, completion = _first(rows[:1], _PROMPT), _first(rows[:1], _COMPLETION)
    if prompt is None and completion is None:
        return None
    cached, written, reasoning = _first(rows, _CACHED), _first(rows, _CACHE_WRITE), _first(rows, _REASONING)
    if "prompt_tokens" not in value and not _APART.isdisjoint(value) and prompt is not None:
        prompt += (cached or 0) + (written or 0)  # Anthropic's `input_tokens` excludes them
    total = _first(rows[:1], _TOTAL)
    if reasoning and total is not None and total == (prompt or 0) + (completion or 0) + reasoning:
        completion = (completion or 0) + reasoning  # xAI and Gemini don't count it as part of the answer
    elif reasoning is None and prompt is not None and completion is not None and total is not None:
        reasoning = _uncounted(total - prompt - completion, cached or 0, written or 0)
        completion += reasoning or 0
    return Usage(prompt, completion, reasoning, cached, written, _first(rows, _CACHE_WRITE_1H))


def _uncounted(rest: int, cached: int, written: int) -> int | None:
    """Return the tokens that only the total counts: Gemini's thoughts, at its OpenAI-compatible endpoint.

    Args:
        rest: Tokens of the total beside those of the prompt and the answer.
        cached: Tokens that the prompt cache read, which some gateways count only there, too.
        written: Tokens that the prompt cache wrote.
    """
    return None if rest <= 0 or rest in (cached, written, cached + written) else rest


def read_token_count(body: bytes) -> int:
    """Return the number of tokens that a counting endpoint answers (Anthropic API reference, "Count message tokens").

    Raises:
        ProtocolError: The body is something else.
    """
    text = body.decode("utf-8", "replace")
    value = parse_json(text)
    count = parse_count(value.get("input_tokens")) if isinstance(value, dict) else None
    if count is None:
        raise ProtocolError(
            _("The response is not a number of tokens: {value}", value=make_snippet(text) or _("an empty body"))
        )
    return count


def _parse_timings(timings: Mapping[str, Any]) -> Usage | None:
    """Return the counts among llama-server's timings; its prompt excludes the tokens that it had cached."""
    prompt, completion = (parse_count(timings.get(name)) for name in ("prompt_n", "predicted_n"))
    if prompt is None or completion is None:
        return None
    cached = parse_count(timings.get("cache_n"))
    return Usage(prompt + (cached or 0), completion, cached_tokens=cached)


def _first(rows: list[dict[str, Any]], names: tuple[str, ...]) -> int | None:
    for row in rows:
        for name in names:
            if name in row and (count := parse_count(row[name])) is not None:
                return count
    return None

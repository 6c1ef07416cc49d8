"""Recognise refusals of requests that are longer than a model takes, with the sizes that they name. Pure.

Wire facts: the error codes of OpenAI (``context_length_exceeded``) and llama.cpp (``exceed_context_size_error`` with
``n_ctx`` and ``n_prompt_tokens``); observed messages of vLLM, SGLang, TGI, Ollama, LM Studio, Anthropic, Gemini,
Mistral, Groq and OpenRouter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...late_pattern import late_pattern

MAX_TOKENS = 100_000_000
"""Sizes above this (tokens) are implausible and ignored."""

CODES = frozenset(
    {
        "context_length_exceeded",
        "exceed_context_size_error",
        "context_window_exceeded",
        "contextwindowexceedederror",
        "model_context_window_exceeded",
        "tokens_limit_reached",
        "request_too_large",
        "prompt_too_long",
        "input_too_long",
    }
)
"""Names of this error, in lower case."""
STATUSES = frozenset({400, 413, 422, 500})
"""HTTP statuses under which words alone are believed; a 429 or a 402 speaks of tokens, too, but of a quota."""

_WORDS = late_pattern(
    r"""
    context[\s_-]*(length|window|size|limit)\b.{0,200}\b(exceed|reduce|too\s|longer|larger|not\ enough|overflow|however)
  | (exceed\w*|longer\ than|larger\ than|over(flow)?s?|reached|greater\ than)\b.{0,80}\b(context|token\ limit)
  | \b(prompt|input|messages?|conversation)\b(?!\W*max_)[^.]{0,60}\b(too\ (long|large)|longer\ than)\b
  | \brequest\b[^.]{0,60}\btoo\ (long|large)\b[^.]{0,80}(tokens?|model|context)
  | \b(prompt|input)\b.{0,60}\btokens?\b.{0,60}\b(exceed|too\ (many|large)|larger|longer|greater|cannot)
  | \btoo\ many\ (input\ |prompt\ )?tokens\b
  | exceed\w*.{0,60}\bmax(imum)?\b.{0,30}\b(tokens|(input|prompt|model)\ length)
  | \binput\ length\b.{0,40}\bexceed
  | reduce\ the\ length\ of\ (the\ |your\ )?(messages|prompt|input)
  | maximum\ (prompt|input)\ length\ is\ \d
  | tokens?\b.{0,80}\bmust\ be\ <=\ \d
  | \bmust\ have\ less\ than\ \d+\ tokens
  | \bprompt\b.{0,60}\bexceeds?\b.{0,40}\bmax_model_len\b
  | range\ of\ input\ length\ should\ be
  | prompt\ exceeds\ max\ length
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
"""What messages say."""
_OTHER = late_pattern(r"\b(image|file|audio|document|string)s?\b|at least|too short", re.IGNORECASE)
"""What messages about something else say, such as a large image."""
_REPLY_TOO_LONG = late_pattern(r"max_\w*tokens['\"`]? is too large", re.IGNORECASE)
"""What messages say where the prompt and the longest reply together are too long, or the reply alone."""

_N = r"(\d[\d,]{0,11})"


def _patterns(*patterns: str) -> tuple[re.Pattern[str], ...]:
    """Compile patterns in which ``N`` stands for a number of tokens."""
    return tuple(late_pattern(pattern.replace("N", _N), re.IGNORECASE) for pattern in patterns)


_LIMITS = _patterns(
    r"maximum (?:context|prompt|model|input) length(?: of| is|:)? ?(?:only )?N",
    r"> N(?: maximum|,|\b)",
    r"tokens? allowed \(?N",
    r"allowed token count N",
    r"N maximum context length",
    r"must be <= N",
    r"less than N tokens",
    r"max_model_len N",
    r"cannot exceed N",
    r"should be \[\d+, ?N\]",
    r"max size: N tokens",
    r"context (?:length|window|size)[^\d.]{0,40}(?<!by )N",
    r"\blimit(?: is|:)? N",
)
_PROMPTS = _patterns(
    r"N(?: tokens)? (?:in|from|of) the (?:input )?(?:messages|prompt)",
    r"N of text input",
    r"given: N(?: `inputs` tokens|\Z)",
    r"prompt length N",
    r"N \+ \d+ > \d",
    r"(?:has|have|with|contains|resulted in|received|about|the first) N(?: input)? ?tokens",
    r"too long: N",
    r"contains N",
    r"request \(N",
    r"\blength (?:of )?\(?N\)? (?:is longer|exceeds)",
    r"\(length N\)",
    r"input \(N",
    r"count(?: of)? \(?N",
    r"received N",
    r"current length is N",
    r"requested (?:about |a total of )?N",
)
_REPLIES = _patterns(
    r"N(?: tokens)? (?:in|for|of) the (?:completion|output)",
    r"\d \+ N > \d",
    r"and N `max_new_tokens`",
    r"max_\w*tokens['\"`]? is too large: N",
)


class Overflow(NamedTuple):
    """A request that is too long; sizes are in tokens, None where the server names none."""

    limit: int | None = None
    """What a prompt may have, beside the reply that was asked for."""
    prompt: int | None = None
    """What this one has."""


def find_overflow(status: int, code: str, words: str, value: Any = None) -> Overflow | None:
    """Return what a refusal says about a request that is too long; None if it is about something else.

    Args:
        status: HTTP status, or the one named inside a success.
        code: Name of the error.
        words: What the server said.
        value: The error object, whose fields may hold the sizes.
    """
    overflow = _measure(words, value)
    named = code.lower() in CODES or any(line.strip().lower() in CODES for line in words.splitlines())
    too_large = status in (413, 429) and bool(overflow.limit and overflow.prompt) and "too large" in words
    if _REPLY_TOO_LONG.search(words):
        return overflow if overflow.prompt else None
    said = status in STATUSES or not 400 <= status < 600
    if named or too_large or (said and _WORDS.search(words) and not _OTHER.search(words)):
        return overflow
    return None


def _measure(words: str, value: Any) -> Overflow:
    numbers = dict(_walk_numbers(value))
    limit = numbers.get("n_ctx") or _find_number(_LIMITS, words)
    prompt = numbers.get("n_prompt_tokens") or _find_number(_PROMPTS, words)
    reply = _find_number(_REPLIES, words) or 0
    if limit is not None and reply:
        if reply >= limit:  # no prompt would do
            return Overflow()
        limit -= reply
    return Overflow(limit, prompt if prompt is not None and (limit is None or prompt >= limit) else None)


def _find_number(patterns: tuple[re.Pattern[str], ...], words: str) -> int | None:
    for pattern in patterns:
        if found := pattern.search(words):
            number = int(found[1].replace(",", ""))
            if 0 < number <= MAX_TOKENS:
                return number
    return None


def _walk_numbers(value: Any, depth: int = 0) -> Iterator[tuple[str, int]]:
    if isinstance(value, list) and depth < 4:
        for item in value:
            yield from _walk_numbers(item, depth + 1)
    if isinstance(value, dict) and depth < 4:
        for key, item in value.items():
            if type(item) is int and 0 < item <= MAX_TOKENS:
                yield str(key), item
            else:
                yield from _walk_numbers(item, depth + 1)

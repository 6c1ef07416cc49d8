"""How long a server asks to wait, in any of the forms that servers use. Pure.

Wire facts: RFC 9110, 10.2.3 (``Retry-After``); the OpenAI, Azure and Anthropic references, "Rate limits"
(``x-ratelimit-*``, ``anthropic-ratelimit-*``, ``retry-after-ms``, ``x-should-retry``); google.rpc.RetryInfo
(``retryDelay``); the draft "RateLimit header fields for HTTP" (``"name";r=0;t=30``). Observed: OpenRouter repeats the
headers of the limit in the body (``error.metadata.headers``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ...errors import ProviderError
from ...language import N_, _, format_number
from ...late_pattern import late_pattern

MAX_WORDS = 65536
"""Characters of a response that are searched for a wait."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,12})?"
_UNIT = r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)"
_PART = late_pattern(rf"({_NUMBER}) ?({_UNIT})(?![a-z])[ ,]{{0,2}}", re.IGNORECASE)
_DURATION = rf"(?:{_NUMBER} ?{_UNIT}(?![a-z])[ ,]{{0,2}}){{1,4}}"
_ISO = late_pattern(
    rf"P(?=[T0-9])(?:({_NUMBER})D)?(?:T(?=[0-9])(?:({_NUMBER})H)?(?:({_NUMBER})M)?(?:({_NUMBER})S)?)?", re.IGNORECASE
)
"""Duration in ISO 8601, without years, months and weeks."""
_IN_WORDS = late_pattern(
    r"\b(?:retry|try (?:it )?again|wait|resets?|available)(?: again)?(?: (?:in|after|for))?(?: about| at least)?"
    rf" ({_DURATION}|PT(?:{_NUMBER}[HMS]){{1,3}})",
    re.IGNORECASE,
)
_RETRY_INFO = late_pattern(rf"(?:\bretryDelay\"\s*:\s*\"|RetryInfo\n)({_NUMBER}s|PT(?:{_NUMBER}[HMS]){{1,3}})\b")
_IN_JSON = late_pattern(
    rf"\"retry[_-]?after(?:[_-]?(?:(ms|millis\w*)|s|secs?|seconds))?\"\s*:\s*\"?({_NUMBER})(?![0-9.\w])", re.IGNORECASE
)
"""Field of a refusal's JSON, in s or ms."""
_RESET_IN_JSON = late_pattern(rf"\"x-ratelimit-reset\"\s*:\s*\"?({_NUMBER})(?![0-9.\w])", re.IGNORECASE)
_LEFT_IN_JSON = late_pattern(r"\"x-ratelimit-remaining\"\s*:\s*\"?0*[1-9]", re.IGNORECASE)
_LIMIT = late_pattern(rf";\s*(?:r=0+;\s*t=({_NUMBER})|t=({_NUMBER});\s*r=0+)(?![0-9.])")
"""Limit of the header ``RateLimit`` that is used up."""
_EPOCH = 1e9
"""A reset above this is a time, in s since 1970; above a thousand times this, in ms."""
_LOADING = late_pattern(
    r"\b(?:still |currently |being )?loading\b.{0,40}\bmodel\b|\bmodel\b.{0,120}\bloading\b", re.IGNORECASE
)
_LOADING_FAILED = late_pattern(
    r"\b(?:error|fail(?:ed|ure)?|unable|cannot|can't|could not)\b.{0,40}\bload", re.IGNORECASE
)
_LOADING_STATUSES = (400, 409, 425, 429, 500, 502, 503)


def parse_retry_after(value: str) -> float | None:
    """Return the pause (s) that a ``Retry-After`` header asks for: s, a duration or a date; None if it is invalid.

    Example:
        >>> parse_retry_after("7"), parse_retry_after("1m30s"), parse_retry_after("soon")
        (7.0, 90.0, None)
    """
    value = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return float(value)
    duration = parse_duration(value)
    return _parse_date(value) if duration is None else duration


def parse_duration(text: str) -> float | None:
    """Return a duration such as ``2s``, ``1m30s``, ``6 minutes`` or ``PT30S`` in s; None for anything else."""
    text = text.strip()
    if iso := _ISO.fullmatch(text):
        parts = zip(iso.groups(), (86400.0, 3600.0, 60.0, 1.0), strict=True)
        return sum(float(part) * unit for part, unit in parts if part)
    seconds, at = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != at:
            return None
        unit = part[2].lower()
        seconds += float(part[1]) * _UNITS["ms" if unit.startswith(("ms", "milli")) else unit[0]]
        at = part.end()
    return seconds if at and at == len(text) else None


def find_header_wait(headers: Mapping[str, str]) -> float | None:
    """Return the pause (s) that the headers of a refusal ask for; None if they don't say.

    Args:
        headers: Header fields of the response, looked up without regard to case.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if re.fullmatch(_NUMBER, milliseconds):
        return float(milliseconds) / 1000
    wait = parse_retry_after(headers.get("retry-after", ""))
    return _find_reset(headers) if wait is None else wait


def find_stated_wait(text: str) -> float | None:
    """Return the pause (s) that a server asks for in its words, or in Google's ``RetryInfo``; None if it does not.

    Example:
        >>> find_stated_wait("Rate limit reached. Please try again in 1.2s. Visit ...")
        1.2
    """
    text = text[:MAX_WORDS]
    if found := _RETRY_INFO.search(text):
        return parse_duration(found[1])
    if found := _IN_JSON.search(text):
        return float(found[2]) * (_UNITS["ms"] if found[1] else 1.0)
    if (found := _RESET_IN_JSON.search(text)) and not _LEFT_IN_JSON.search(text):
        return _parse_reset(found[1])
    waits = [parse_duration(found[1]) for found in _IN_WORDS.finditer(text)]
    return max((wait for wait in waits if wait is not None), default=None)


def parse_should_retry(value: str) -> bool | None:
    """Return what the header ``x-should-retry`` says; None if it says nothing."""
    return {"true": True, "false": False}.get(value.strip().lower())


def is_loading(error: ProviderError) -> bool:
    """Whether the server says that it is still loading the model.

    Seen: llama.cpp ("Loading model", 503), Ollama ("llm server loading model"), LM Studio, text-generation-inference
    ("Model x is currently loading").
    """
    words = f"{error}\n{error.details}"
    return (
        getattr(error, "status", 0) in _LOADING_STATUSES
        and _LOADING.search(words) is not None
        and _LOADING_FAILED.search(words) is None
    )


def format_wait(seconds: float) -> str:
    """Return a wait for a message: ``1.5 s``, ``90 s``, ``3600 s (1 h)``."""
    number = format_number(round(seconds, 2), "g") if seconds < 100 else f"{seconds:.0f}"
    shown = _("{number} s", number=number)
    for unit, size in ((N_("{n:g} d"), 86400), (N_("{n:g} h"), 3600), (N_("{n:g} min"), 60)):
        if seconds >= 2 * size or (seconds >= size > 60):
            return f"{shown} ({_(unit, n=round(seconds / size, 1))})"
    return shown


def _find_reset(headers: Mapping[str, str]) -> float | None:
    """Return the time (s) until the limits that are used up are reset."""
    waits = [float(found[1] or found[2]) for found in _LIMIT.finditer(headers.get("ratelimit", "")[:MAX_WORDS])]
    for name, value in headers.items():
        kind = re.fullmatch(r"(?:x-|anthropic-)?ratelimit-(?:reset(?:-(\w+))?|(\w[\w-]*)-reset)", name.lower())
        if kind is None:
            continue
        wait = _parse_reset(value)
        left = headers.get(re.sub("reset", "remaining", name.lower()), "0").strip()
        if wait is not None and left in ("0", "0.0"):
            waits.append(wait)
    return max(waits, default=None)


def _parse_reset(value: str) -> float | None:
    value = value.strip()
    if not re.fullmatch(_NUMBER, value):
        duration = parse_duration(value)
        return _parse_date(value) if duration is None else duration
    number = float(value)
    if number > _EPOCH * 1000:
        number /= 1000
    return max(0.0, number - time.time()) if number > _EPOCH else number


def _parse_date(value: str) -> float | None:
    """Return the time (s) until a date of HTTP or ISO 8601, at least 0; None if it is neither."""
    date = None
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        date = parsedate_to_datetime(value)
    if date is None and re.match(r"\d{4}-\d\d-\d\dT", value):
        with suppress(ValueError):
            date = datetime.fromisoformat(value.replace("Z", "+00:00"))
    if date is None:
        return None
    with suppress(ValueError, OverflowError):
        return max(0.0, date.replace(tzinfo=date.tzinfo or timezone.utc).timestamp() - time.time())
    return None

"""Words of a server's error, in whatever form they come: JSON of any shape, text, or a web page. Pure.

Wire facts, each observed: FastAPI and vLLM (``detail``: text, list of ``{loc, msg}``, dict), Mistral (``message`` as a
dict or a list), OpenAI (``error.message``), Gemini (a list of one), OpenRouter (``error.metadata.raw``, plain or JSON,
and ``provider_name``), Groq (``error.failed_generation``), MiniMax (``base_resp``), RFC 9457 (``title``, ``detail``),
Laravel and Django (``errors``: lists of texts by field), Apigee (``fault.faultstring``), XML of AWS and Azure.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...late_pattern import late_pattern
from ...security.foreign_text import quote_line
from .json_text import parse_json

MAX_WORDS = 2000
"""Characters of a server's text that an error message quotes."""
MAX_ITEMS = 20
"""Items of a list of errors that are read."""
MAX_DEPTH = 6
"""Levels of nesting that are read."""

_OTHER_MESSAGES = ("error_description", "error_message", "error_msg", "errorMessage", "err_msg", "status_msg")
_FAULTS = ("fault", "faultstring")
_MAIN = (
    "error",
    "title",
    "message",
    "msg",
    "detail",
    "errors",
    *_OTHER_MESSAGES,
    *_FAULTS,
    "base_resp",
    "reason",
    "description",
)
_MORE = ("raw", "metadata", "innererror")
_DETAILS = "details"
"""Counts only where nothing else is said: mostly it repeats the message for programs."""
_VERBATIM = "failed_generation"
"""What the model wrote, such as ``<function=add{"a": 1}</function>``, which is no markup."""
_LAST = ("code", "type", "status")
_UNSEEN = late_pattern(r"<(script|style|head|svg)\b.*?</\1\s*>|<!--.*?-->", re.I | re.S)
_TITLE = late_pattern(r"<title[^>]*>(.*?)(?:</title|\Z)", re.I | re.S)
_XML = late_pattern(r"[\ufeff\s]*<(?:\?xml|\w*(?:error|exception|fault|response)\b)", re.I)
_HTML = late_pattern(r"<(?:!doctype html|html|body)\b", re.I)
_TAG = late_pattern(r"<[^>]*>?")


def error_words(value: Any) -> str:
    """Return what an error object or text says, on one line, bounded, without control characters and credentials.

    Args:
        value: A JSON value, or text.

    Returns:
        The server's words; a value of unknown form as JSON; empty if it is empty.

    Example:
        >>> error_words({"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]})
        'top_k: Extra inputs are not permitted'
        >>> error_words({"oddity": 1})
        '{"oddity": 1}'
    """
    words = quote_line("; ".join(_distinct(_words(value, 0))), MAX_WORDS)
    if words or not value or value is True:
        return words
    try:
        return quote_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), MAX_WORDS)
    except (TypeError, ValueError, RecursionError):
        return ""


def page_words(page: str) -> str:
    """Return the title of a web page, or else the beginning of its text; empty if it has neither."""
    title = _TITLE.search(page)
    text = title[1] if title and title[1].strip() else _UNSEEN.sub(" ", page)
    return quote_line(html.unescape(_TAG.sub(" ", text)), 200)


def is_markup(text: str) -> bool:
    """Whether a text is a web page or XML."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def is_page(text: str) -> bool:
    """Whether a text is a web page, as proxies and firewalls send it, and not the XML of a service."""
    return is_markup(text) and (_XML.match(text) is None or _HTML.search(text, 0, 2000) is not None)


def _words(value: Any, depth: int) -> Iterator[str]:
    """Yield the texts that `value` holds, the most telling first."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, str):
        inner = parse_json(value) if value.lstrip().startswith(("{", "[")) else None
        if isinstance(inner, dict | list):
            found = list(_words(inner, depth + 1))
            yield from found or [value]
        elif is_markup(value):
            yield page_words(value)
        else:
            yield value
    elif isinstance(value, list):
        for one in value[:MAX_ITEMS]:
            yield from _words(one, depth + 1)
    elif isinstance(value, Mapping):
        yield from _words_of_object(value, depth)


def _words_of_object(value: Mapping[str, Any], depth: int) -> Iterator[str]:
    found = list(_distinct(text for key in _MAIN for text in _words(value.get(key), depth + 1)))
    if place := _place(value.get("loc")):
        found = [f"{place}: {text}" for text in found]
    if isinstance(written := value.get(_VERBATIM), str):
        found.append(written)
    found += [text for key in _MORE for text in _words(value.get(key), depth + 1)]
    found = found or list(_words(value.get(_DETAILS), depth + 1))
    if not found:
        found = next(([code] for key in _LAST if isinstance(code := value.get(key), str)), [])
        found += [text for key, text in value.items() if key not in _LAST and _is_sentence(text)][:MAX_ITEMS]
        found += [f"{key}: {text}" for key, texts in value.items() for text in _sentences(texts)][:MAX_ITEMS]
    provider = _provider_name(value)
    if found and provider and not any(provider in text for text in found):
        found[-1] = f"{found[-1]} ({provider})"
    yield from found


def _is_sentence(value: Any) -> bool:
    """Whether a value under an unknown key may be what a server says, rather than an id."""
    return isinstance(value, str) and " " in value.strip()


def _sentences(value: Any) -> Iterator[str]:
    """Yield the sentences of a list, as frameworks send them for each field that is wrong."""
    return (text for text in (value if isinstance(value, list) else ())[:MAX_ITEMS] if _is_sentence(text))


def _provider_name(value: Mapping[str, Any]) -> str:
    """Return the service behind a gateway that an error object names."""
    metadata = value.get("metadata")
    name = metadata.get("provider_name") if isinstance(metadata, dict) else value.get("provider_name")
    return name if isinstance(name, str) else ""


def _place(loc: Any) -> str:
    """Return the path of a field that did not validate: ``"messages.0.content"``; empty if there is none."""
    if not isinstance(loc, list):
        return ""
    names = [str(name) for name in loc if isinstance(name, str | int)]
    return ".".join(names[1:] if names[:1] == ["body"] else names)


def _distinct(texts: Iterator[str]) -> Iterator[str]:
    """Yield the texts that are not blank, without those that an earlier one contains."""
    seen: list[str] = []
    for text in map(str.strip, texts):
        if text and not any(text in one for one in seen):
            seen.append(text)
            yield text

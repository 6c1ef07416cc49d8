"""Choices of a chat-completions chunk: which of them is the reply, and what it holds. Pure.

Wire facts: the OpenAI API reference, "Chat completion chunk object": with ``n`` above 1, each chunk belongs to one of
several choices. Observed elsewhere: one reply whose chunks count up the index, from any number.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ...errors import ProtocolError
from ...language import _

MAX_HELD = 3
"""Chunks with another index that are held until it is known what they are."""

_PLAIN_CHUNK = {"id", "object", "created", "model", "choices", "system_fingerprint", "service_tier", "obfuscation"}
_PLAIN_CHUNK |= {"provider"}
_PLAIN_CHOICE = {"index", "delta", "finish_reason", "logprobs"}
_PLAIN_DELTA = {"role", "content"}
_ASSISTANT = "assistant"
_PART_FIELDS = frozenset({"type", "text"})
_HOLDERS = ("delta", "message")
"""Fields of a choice that hold what it says."""
_CHOICE_TEXTS = ("text", "content")
"""Fields of a choice in which its text stands, where it has neither a delta nor a message."""
_CONTENT = ("content", "reasoning_content", "reasoning", "refusal")
"""Fields of a delta that make the message beside it a repetition."""

Choice = Mapping[str, Any]


class ChoiceSelector:
    """Selects the choice that is the reply: index 0, or else the first one; the text of several never mixes.

    A chunk with another index may belong to another choice, or be the next chunk of the only one where a server counts
    its chunks. Such chunks are held until that is known: choices come again, a counter never does.

    Args:
        has_several: Whether the request asks for several choices.
    """

    def __init__(self, *, has_several: bool = False) -> None:
        self._has_several = has_several
        self._index: int | None = 0 if has_several else None
        self._is_counter: bool | None = False if has_several else None
        self._held: list[Choice] = []
        self._last = -1
        self._ended = False

    def select(self, choices: Any) -> list[Choice]:
        """Return the choices that now continue the reply; mostly the one of the chunk.

        Args:
            choices: The chunk's `choices`; None if it has none.

        Raises:
            ProtocolError: They are malformed.
        """
        if choices is None:
            return []
        if not isinstance(choices, list):
            raise ProtocolError(_("The choices of a chunk are not a list."))
        if not all(isinstance(choice, dict) for choice in choices):
            raise ProtocolError(_("A choice of a chunk is not a JSON object."))
        if len(choices) == 1:
            return self._select_single(choices[0], index_of(choices[0]))
        return self._select_among(choices)

    def continues(self, choice: Choice) -> bool:
        """Whether `choice`, which is no last one, is the next of a reply whose index is known to be 0."""
        return self._index == 0 and not (self._held or self._is_counter or choice.get("index"))

    def close(self) -> list[Choice]:
        """Return the chunks that are still held, where they belong to the reply."""
        if self._index is None:
            return self._decide()
        held, self._held = self._held, []
        return held if not self._ended and _has_ended(held) else []

    def _select_among(self, choices: list[Choice]) -> list[Choice]:
        if not choices:
            return []
        self._settle(is_counter=False)
        if self._index is None:
            self._index = min(map(index_of, choices))
        own = [choice for choice in choices if index_of(choice) == self._index][:1]
        return own if self._has_several else own + [one for one in choices if one not in own and _only_calls(one)]

    def _select_single(self, choice: Choice, index: int) -> list[Choice]:
        if self._is_counter or (self._index is not None and not self._has_several and _only_calls(choice)):
            return [choice]
        if index != self._index and _is_empty(choice):
            return []
        if index in (0, self._index) and self._index in (None, index):
            if self._held:
                self._settle(is_counter=False)
            self._index, self._last = index, max(self._last, index)
            self._ended = self._ended or _has_ended([choice])
            return [choice]
        if self._is_counter is None and self._index is None:
            self._held.append(choice)
            return self._decide() if len(self._held) > MAX_HELD or _has_ended([choice]) else []
        if self._is_counter is None and index > self._last and not self._ended:
            self._last = index
            self._held.append(choice)
            return self._settle(is_counter=True) if len(self._held) == MAX_HELD else []
        self._settle(is_counter=False)
        return []

    def _decide(self) -> list[Choice]:
        """Return those of the chunks held that are the reply, where none has the index 0."""
        indices = [index_of(choice) for choice in self._held]
        if not indices:
            return []
        if len(indices) > 1 and all(a < b for a, b in pairwise(indices)):
            return self._settle(is_counter=True)
        self._index = min(indices)
        held = self._settle(is_counter=False)
        return [choice for choice in held if index_of(choice) == self._index]

    def _settle(self, *, is_counter: bool) -> list[Choice]:
        """Know what the index is; return the chunks that were held until then."""
        held, self._held, self._is_counter = self._held, [], is_counter
        return held


def with_choices_listed(chunk: Any) -> Any:
    """Return a chunk with its choices in a list: the only one may lack it, and some of a list may be null."""
    choice = chunk.get("choices") if isinstance(chunk, dict) else None
    if isinstance(choice, list) and None in choice:
        return {**chunk, "choices": [one for one in choice if one is not None]}
    if not isinstance(choice, dict) or choice.keys().isdisjoint(_HOLDERS):
        return chunk
    return {**chunk, "choices": [choice]}


def is_plain_text(chunk: Choice) -> bool:
    """Whether a chunk is one delta of text and nothing else.

    Args:
        chunk: The chunk, as parsed.
    """
    choices = chunk.get("choices")
    if not (type(choices) is list and len(choices) == 1 and _says_only(chunk, _PLAIN_CHUNK)):
        return False
    choice = choices[0]
    if type(choice) is not dict or choice.get("finish_reason") or not _says_only(choice, _PLAIN_CHOICE):
        return False
    delta = choice.get("delta")
    if type(delta) is not dict or (delta.get("role") or _ASSISTANT) != _ASSISTANT:
        return False
    return type(delta.get("content")) is str and _says_only(delta, _PLAIN_DELTA)


def _says_only(value: Choice, names: set[str]) -> bool:
    """Whether all other fields of an object are empty: ``"usage": null``, ``"tool_calls": []``."""
    return value.keys() <= names or not any(field and name not in names for name, field in value.items())


def index_of(choice: Choice) -> int:
    """Return the index of a choice; 0 if it has none."""
    index = choice.get("index")
    return index if type(index) is int else 0


def _has_ended(choices: list[Choice]) -> bool:
    return any(choice.get("finish_reason") for choice in choices)


def _only_calls(choice: Choice) -> bool:
    """Whether a choice beside the reply holds nothing but tool calls: they are its calls (GitHub Copilot)."""
    body = choice.get("delta") or choice.get("message")
    return isinstance(body, dict) and bool(body.get("tool_calls")) and not any(body.get(name) for name in _CONTENT)


def _is_empty(choice: Choice) -> bool:
    """Whether a choice says nothing about which one is the reply, as beside an error."""
    ends = choice.get("finish_reason") and not choice.get("error")
    for body in map(choice.get, ("delta", "message", *_CHOICE_TEXTS)):
        if body and not (isinstance(body, dict) and not any(_says(*field) for field in body.items())):
            return False
    return not ends


def _says(name: str, value: Any) -> bool:
    """Whether a field of a delta says something; a zero is text, see `content.parse_content`."""
    return name != "role" and bool(value or (name == "content" and type(value) in (int, float)))


def choice_body(choice: Choice) -> tuple[Mapping[str, Any], bool]:
    """Return what a choice holds, and whether that is a whole message instead of a delta.

    Raises:
        ProtocolError: It is malformed.
    """
    delta, message = choice.get("delta"), choice.get("message")
    text = next((choice[name] for name in _CHOICE_TEXTS if isinstance(choice.get(name), str)), None)
    for body in (delta, message):
        if body and not isinstance(body, dict):
            raise ProtocolError(_("The delta of a chunk is not a JSON object."))
    if message and not any((delta or {}).get(key) for key in _CONTENT):
        return _with_parts(_with_value(message)), True
    return _with_parts(delta) if delta else {} if text is None else {"content": text}, False


def _with_value(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message whose content is JSON in place of the text of JSON (Cloudflare), or stands parsed beside it."""
    content, parsed = message.get("content"), message.get("parsed")
    if content is None and isinstance(parsed, dict) and parsed:
        content = parsed
    is_value = isinstance(content, dict) and _PART_FIELDS.isdisjoint(content)
    is_value = is_value or type(content) in (int, float)
    return {**message, "content": json.dumps(content, ensure_ascii=False)} if is_value else message


def _with_parts(body: dict[str, Any]) -> dict[str, Any]:
    """Return a message or delta whose content is a list, where it is a single part (Mistral: references).

    The words of a spoken answer are its text (OpenAI API reference, "Chat completion object": ``audio.transcript``).
    """
    content, audio, text = body.get("content"), body.get("audio"), body.get("text")
    if not content and isinstance(audio, dict) and isinstance(audio.get("transcript"), str):
        return {**body, "content": audio["transcript"]}
    if content is None and isinstance(text, str):  # as in a chunk of the older completions
        return {**body, "content": text}
    is_part = isinstance(content, dict) and ("type" in content or isinstance(content.get("text"), str))
    return {**body, "content": [content]} if is_part else body

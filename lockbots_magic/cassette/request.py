"""RecordedRequest: the part of a request that decides the answer. No I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ..conversation.documents import SentDocument
from ..conversation.messages import ChatRequest, Message
from ..security.control_characters import has_surrogates, replace_surrogates
from ..security.redaction import redacted, secrets_in

RECORDED_IMAGE = "sha256:"
"""How the digest begins that a cassette keeps of an image."""
MAX_EXACT_WHOLE = 2.0**53
"""Below it, each whole number is a float."""
Thread = tuple[str, ...]
"""Messages, flattened: role, content, role, content, ..."""


@dataclass(frozen=True)
class RecordedRequest:
    """What decides an answer: provider, model, messages and parameters, but no machine, address or credential."""

    provider: str
    model: str
    messages: tuple[Message, ...]
    params: str = "{}"
    """JSON object with sorted keys; tools are part of it."""

    @classmethod
    def from_request(cls, provider: str, model: str, request: ChatRequest) -> RecordedRequest:
        """Return the recorded form of `request`, with every known credential redacted."""
        given = {**request.params, **({"tools": [tool.to_dict() for tool in request.tools]} if request.tools else {})}
        params = dump_params(given)
        messages = request.messages
        whole = "\n".join([m.content for m in messages])  # one search: a conversation has thousands of messages
        if has_surrogates(whole):
            messages = tuple(replace(m, content=replace_surrogates(m.content)) for m in messages)
        if secrets_in(whole):
            messages = tuple(replace(m, content=redacted(m.content)) for m in messages)
        if not all(_is_plain(m) for m in messages):
            messages = tuple(map(_recorded_message, messages))
        return cls(provider, redacted(model), messages, redacted(params))

    @cached_property
    def thread(self) -> Thread:
        """The messages, flattened."""
        return flatten(self.messages)

    @property
    def key(self) -> tuple[str, str, str, Thread]:
        """Hashable identity: equal for equal requests."""
        return self.provider, self.model, self.params, self.thread


def dump_params(params: Any) -> str:
    """Return parameters as JSON with sorted keys; 0 and 0.0 are the same text, and so one request."""
    return json.dumps(_with_equal_numbers(params), ensure_ascii=False, sort_keys=True, default=_describe_value)


def flatten(messages: Iterable[Message]) -> Thread:
    """Return messages as one flat tuple, which compares faster than the messages themselves."""
    return tuple([part for m in messages for part in (m.role, m.content if _is_plain(m) else json.dumps(m.to_dict()))])


def _with_equal_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_equal_numbers(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_with_equal_numbers(one) for one in value]
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < MAX_EXACT_WHOLE
    return int(value) if is_whole else value


def _is_plain(message: Message) -> bool:
    return not (message.images or message.calls or message.documents)


def _recorded_message(message: Message) -> Message:
    """Replace images and documents by their digests, and redact the arguments of calls."""
    images = tuple(map(_digest, message.images))
    calls = tuple(call._replace(arguments=redacted(call.arguments), result=None) for call in message.calls)
    documents = tuple(SentDocument(redacted(one.name), "", url=one.digest) for one in message.documents)
    return replace(message, images=images, calls=calls, documents=documents)


def _digest(url: str) -> str:
    """Return what is recorded of an image; the result of a recorded call holds that already."""
    return url if url.startswith(RECORDED_IMAGE) else f"{RECORDED_IMAGE}{hashlib.sha256(url.encode()).hexdigest()}"


def _describe_value(value: Any) -> str:
    """Describe a parameter that is not JSON by its type: a repr may hold a memory address or a path."""
    return f"<{type(value).__name__}>"

"""Messages of a chat-completions request. Pure.

Wire facts: OpenAI API reference, "Create chat completion": messages, and "File inputs" (PDF only); Gemini API, "Thought
signatures": one returns on the call that it came with. Observed: empty text beside calls or as a result is refused
(Bedrock, Anthropic); arguments that are no JSON object fail in the chat templates of local servers.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from ...conversation.call_messages import flatten_calls
from ...conversation.messages import Message, ToolCall
from .call_arguments import is_object
from .call_pieces import OPAQUE_FIELDS
from .reasoning_fields import returned_fields
from .tool_names import sendable_name

_is_plain = attrgetter("is_plain")

NO_RESULT = "(no output)"
"""Result of a function that returned an empty text."""
IMAGES_OF_RESULTS = "(Images that the tools returned.)"
"""Text of the message that holds the images of results."""
TAKE_IMAGES_OF_RESULTS = frozenset({"mistral"})
"""Services whose results hold images; they refuse a message of the user right behind a result (Mistral API reference,
"Chat completion": messages)."""


def encode_messages(messages: Iterable[Message], provider: str, url: str, model: str) -> list[dict[str, Any]]:
    """Return messages in the form of the wire.

    Args:
        messages: Messages of the request.
        provider: Name of the provider that gets them; opaque data go back only to where they are from.
        url: Its address, as opaque data hold it.
        model: Model id.
    """
    target = (provider, url, model)
    messages = tuple(messages)
    if all(map(_is_plain, messages)):  # nearly always, and often there are thousands
        return [{"role": message.role, "content": message.content} for message in messages]
    encoded: list[dict[str, Any]] = []
    for is_result, run in groupby(messages, lambda message: message.role == "tool"):
        kept = list(run)
        encoded += [_encode_message(message, target) for message in kept]
        if is_result and provider not in TAKE_IMAGES_OF_RESULTS and any(message.images for message in kept):
            encoded.append(_encode_images(kept))
    return encoded


def _encode_images(results: Iterable[Message]) -> dict[str, Any]:
    """Return the message behind the results that holds their images: a result itself holds only text."""
    images = tuple(url for message in results for url in message.images)
    return Message("user", IMAGES_OF_RESULTS, images).to_dict()


def _encode_message(message: Message, target: tuple[str, str, str]) -> dict[str, Any]:
    encoded = message.to_dict()
    if message.opaque:
        encoded |= returned_fields(message, target)
    if message.calls:
        encoded["tool_calls"] = [_encode_call(call, target) for call in message.calls]
    elif message.role == "tool":
        takes_images = bool(message.images) and target[0] in TAKE_IMAGES_OF_RESULTS
        encoded["content"] = encoded["content"] if takes_images else message.content or NO_RESULT
    return encoded


def _encode_call(call: ToolCall, target: tuple[str, str, str]) -> dict[str, Any]:
    # What the model wrote wrongly was refused, and the result says why; the server need not choke on it again.
    arguments = call.arguments if is_object(call.arguments) else "{}"
    encoded = call._replace(name=sendable_name(call.name), arguments=arguments).to_dict()
    opaque = call.opaque
    if opaque is not None and opaque.is_from(*target) and isinstance(opaque.data, dict):
        encoded |= {name: opaque.data[name] for name in OPAQUE_FIELDS if name in opaque.data}
    return encoded


def flatten_encoded(messages: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return encoded messages with calls and results as text of the reply; see `flatten_calls`."""
    flat: list[dict[str, Any]] = []
    for is_reply, run in groupby(messages, lambda message: message.get("role") in ("assistant", "tool")):
        kept = list(run)
        if is_reply and any(message.get("tool_calls") for message in kept):
            kept = [message.to_dict() for message in flatten_calls([Message.of(one) for one in kept])]
        flat += kept
    return flat

"""A conversation as the list of messages that OpenAI's chat completions take. Pure.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby, zip_longest
from typing import Any

from ..conversation.conversation import Conversation
from ..conversation.messages import Message, ToolCall
from ..conversation.turn import Turn
from ..errors import UsageError
from .export_common import counted, is_image, system_of, told
from .json_file import text_of

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_TEXTS = ("text", "input_text", "output_text")
_IMAGES = ("image_url", "input_image")


def text(conversation: Conversation) -> str:
    """Return `conversation` as a JSON list of messages: the system prompt, and the turns that a model is told of."""
    system = system_of(conversation)
    first = [Message("system", system)] if system else []
    messages = [*first, *(message for turn in told(conversation) for message in turn.messages)]
    return text_of([message.to_dict() for message in messages])


def remarks_on(conversation: Conversation) -> Iterator[str]:
    """Yield what the reader should know of `text`, a line each."""
    if called := sum(bool(turn.calls) for turn in told(conversation)):
        yield f"{counted(called, 'turn')} without the functions called for the reply: messages hold the reply alone"


def conversation_of(data: Any, name: str) -> tuple[Conversation, tuple[str, ...]]:
    """Return the conversation that a list of messages holds, or an object that has one as its `messages`.

    Functions that were called are kept with the reply for which they were: a model is told of the reply alone.

    Args:
        data: what the JSON says.
        name: what to call the conversation.

    Returns:
        The conversation, and what the reader should know, a line each.

    Raises:
        UsageError: `data` is something else, or holds what no conversation here can.
    """
    given = data.get("messages") if isinstance(data, Mapping) else data
    if not isinstance(given, list):
        raise UsageError("it holds neither a list of messages nor a saved conversation")
    if not given:
        raise UsageError("there is no message in it")
    messages = [_message(number, one) for number, one in enumerate(given, 1)]
    _check_order(messages)
    said = [_joined([*group]) for _, group in groupby(_with_results(messages), lambda m: m.role)]
    system = said.pop(0).content if said[0].role == "system" else ""
    return Conversation(name, system=system, turns=_turns(said, system)), (*_remarks(messages, said),)


def _turns(said: Sequence[Message], system: str) -> Iterator[Turn]:
    """Pair questions and replies; the last question may have none yet."""
    for prompt, reply in zip_longest(said[::2], said[1::2], fillvalue=Message("assistant", "")):
        calls = tuple(call for call in reply.calls if call.result is not None)
        yield Turn(prompt.content, reply.content, system=system, images=prompt.images, calls=calls)


def _check_order(messages: Iterable[Message]) -> None:
    """System prompts come first, then a question."""
    begun = False
    for number, message in enumerate(messages, 1):
        if begun and message.role == "system":
            raise UsageError(f"message {number} is a system prompt behind others; put it first, or take it out")
        if not begun and message.role == "assistant":
            raise UsageError(f"message {number} is a reply without a question; put one before it, or take it out")
        begun = begun or message.role == "user"


def _with_results(messages: Iterable[Message]) -> list[Message]:
    """Put the results of functions with their calls, which stand in the last message before that is no result."""
    kept: list[Message] = []
    for number, message in enumerate(messages, 1):
        if message.role != "tool":
            kept.append(message)
            continue
        asked = kept[-1].calls if kept else ()
        calls = tuple(
            call._replace(result=message.content) if (call.id, call.result) == (message.call_id, None) else call
            for call in asked
        )
        if calls == asked:
            raise UsageError(f"message {number} is the result of a call that nobody made; take it out")
        kept[-1] = replace(kept[-1], calls=calls)
    return kept


def _joined(messages: Sequence[Message]) -> Message:
    """Return what one side said before the other spoke as one message."""
    return Message(
        messages[0].role,
        "\n\n".join(m.content for m in messages if m.content),
        tuple(url for m in messages for url in m.images),
        tuple(call for m in messages for call in m.calls),
    )


def _remarks(messages: Iterable[Message], said: Iterable[Message]) -> Iterator[str]:
    calls = [call for message in said for call in message.calls]
    open_ = sum(call.result is None for call in calls)
    images = sum(len(message.images) for message in messages if message.role != "user")
    if len(calls) > open_:
        yield f"{counted(len(calls) - open_, 'call')} of functions kept; a model is told of the replies alone"
    if open_:
        yield f"{counted(open_, 'call')} of functions left out: no result is there"
    if images:
        yield f"{counted(images, 'image')} left out: only what is asked can have images here"


def _message(number: int, given: Any) -> Message:
    if not isinstance(given, Mapping):
        raise UsageError(f"message {number} is no object with a role and a content")
    role = given.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise UsageError(f"message {number} has the role {role!r:.40}; there are: {', '.join(_ROLES)}")
    role = _ROLES[role]
    calls = _calls(number, given) if role == "assistant" else ()
    content = given.get("content")
    if content is None and (calls or role == "tool"):
        content = ""
    texts, images = _content(number, content)
    answered = given.get("tool_call_id", given.get("name")) if role == "tool" else ""
    return Message(role, texts, images, calls, answered if isinstance(answered, str) else "")


def _calls(number: int, given: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """The functions that a message wants called; a call in the old form has no id but the name."""
    with suppress(TypeError, LookupError):
        old = given.get("function_call")
        calls = [{"id": old["name"], "function": old}] if old else given.get("tool_calls") or []
        made = tuple(ToolCall(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls)
        if all(isinstance(text, str) for call in made for text in call[:3]):
            return made
    raise UsageError(f"message {number} holds a call of a function without its id, name and arguments; take it out")


def _content(number: int, content: Any) -> tuple[str, tuple[str, ...]]:
    """The text of a message, and its images."""
    if isinstance(content, str):
        return content, ()
    if not isinstance(content, list):
        raise UsageError(f"message {number} has no text; give it a content, or take it out")
    parts = [_part(number, part) for part in content]
    return "\n\n".join(text for text, _ in parts if text), tuple(url for _, url in parts if url)


def _part(number: int, part: Any) -> tuple[str, str]:
    """The text that a part of a message is, or the URL of the image that it is."""
    part = part if isinstance(part, Mapping) else {}
    kind, text, url = (part.get(key) for key in ("type", "text", "image_url"))
    if kind in _TEXTS and isinstance(text, str):
        return text, ""
    if kind in _IMAGES:
        url = url.get("url") if isinstance(url, Mapping) else url
        if isinstance(url, str) and is_image(url):
            return "", url
        raise UsageError(f"message {number} holds an image without an http or data:image address; take the part out")
    what = f"a part of type {kind!r:.40}" if isinstance(kind, str) else "a part without a type"
    raise UsageError(f"message {number} holds {what}, and only text and images can be imported; take the part out")

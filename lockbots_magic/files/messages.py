"""A conversation as the list of messages that OpenAI's chat completions take. Pure.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from ..conversation import Conversation
from ..errors import UsageError
from ..messages import Message, Turn
from .as_json import text_of
from .turns import system_of, told

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_TOOLS = ("tool", "function")
_TEXTS = ("text", "input_text", "output_text")


def text(conversation: Conversation) -> str:
    """Return `conversation` as a JSON list of messages: the system prompt, and the turns that a model is told of."""
    system = system_of(conversation)
    first = [Message("system", system)] if system else []
    messages = [*first, *(message for turn in told(conversation) for message in turn.messages)]
    return text_of([message.to_dict() for message in messages])


def conversation_of(data: Any, name: str) -> Conversation:
    """Return the conversation that a list of messages holds, or an object that has one as its `messages`.

    Args:
        data: what the JSON says.
        name: what to call the conversation.

    Raises:
        UsageError: `data` is something else, or holds what no conversation here can.
    """
    given = data.get("messages") if isinstance(data, Mapping) else data
    if not isinstance(given, list):
        raise UsageError("it holds neither a list of messages nor a saved conversation")
    if not given:
        raise UsageError("there is no message in it")
    messages = [_message(number, one) for number, one in enumerate(given, 1)]
    said = [(role, "\n\n".join(m.content for m in group)) for role, group in groupby(messages, lambda m: m.role)]
    system = said.pop(0)[1] if said[0][0] == "system" else ""
    _check_order(messages)
    return Conversation(name, system=system, turns=_turns(said, system))


def _turns(said: list[tuple[str, str]], system: str) -> Iterator[Turn]:
    """Pair questions and replies; the last question may have none yet."""
    texts = [text for _, text in said]
    replies = [*texts[1::2], *([""] if len(texts) % 2 else [])]
    for prompt, reply in zip(texts[::2], replies, strict=True):
        yield Turn(prompt, reply, system=system)


def _check_order(messages: list[Message]) -> None:
    """System prompts come first, then a question."""
    begun = False
    for number, message in enumerate(messages, 1):
        if begun and message.role == "system":
            raise UsageError(f"message {number} is a system prompt behind others; put it first, or take it out")
        if not begun and message.role == "assistant":
            raise UsageError(f"message {number} is a reply without a question; put one before it, or take it out")
        begun = begun or message.role == "user"


def _message(number: int, given: Any) -> Message:
    if not isinstance(given, Mapping):
        raise UsageError(f"message {number} is no object with a role and a content")
    role = given.get("role")
    if role in _TOOLS or given.get("tool_calls") or given.get("function_call"):
        raise UsageError(f"message {number} belongs to a call of a tool, and only text can be imported; take it out")
    if not isinstance(role, str) or role not in _ROLES:
        raise UsageError(f"message {number} has the role {role!r:.40}; there are: {', '.join(_ROLES)}")
    return Message(_ROLES[role], _content(number, given.get("content")))


def _content(number: int, content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise UsageError(f"message {number} has no text; give it a content, or take it out")
    return "\n\n".join(_part(number, part) for part in content)


def _part(number: int, part: Any) -> str:
    kind = part.get("type") if isinstance(part, Mapping) else None
    text = part.get("text") if isinstance(part, Mapping) else None
    if kind not in _TEXTS or not isinstance(text, str):
        what = f"a part of type {kind!r:.40}" if isinstance(kind, str) else "a part without a type"
        raise UsageError(f"message {number} holds {what}, and only text can be imported; take the part out")
    return text

"""Import and export of messages in the format of OpenAI's chat completions. No I/O.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import groupby, takewhile, zip_longest
from typing import Any

from ..conversation.call_messages import NO_REPLY, with_unique_ids
from ..conversation.conversation import Conversation
from ..conversation.documents import MAX_NAME, SentDocument, checked_document
from ..conversation.foreign import is_sendable_image
from ..conversation.messages import Message, ToolCall
from ..conversation.parts import Round, TextPart, ToolCallPart, ToolResultPart
from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _, ngettext
from .export_common import context_turns, dump_json, system_prompt

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
_DOCUMENTS = ("file", "input_file")


def to_messages(conversation: Conversation) -> str:
    """Return `conversation` as a JSON list of messages: the system prompt, and the turns sent as context.

    Tool calls are among them, each with its result.
    """
    system = system_prompt(conversation)
    first = [Message("system", system)] if system else []
    turns = [message for turn in context_turns(conversation) for message in turn.messages]
    return dump_json([_to_dict(message) for message in with_unique_ids([*first, *turns])])


def remarks_on(conversation: Conversation) -> Iterator[str]:
    """Yield what the messages of `to_messages` lack, one line each."""
    if lost := sum(len(turn.made_images) for turn in context_turns(conversation)):
        yield ngettext(
            "{n} image of replies left out: messages hold only their labels.",
            "{n} images of replies left out: messages hold only their labels.",
            lost,
        )


def from_messages(data: Any, name: str) -> tuple[Conversation, tuple[str, ...]]:
    """Return the conversation in a list of messages, or in an object with such a list as its `messages`.

    Tool calls are kept with the reply they were made for, if they have a result.

    Args:
        data: Parsed JSON.
        name: Name of the conversation.

    Returns:
        The conversation, and remarks for the user, one line each.

    Raises:
        UsageError: If `data` is something else, or holds what a conversation can't; the message names the number.
    """
    given = data.get("messages") if isinstance(data, Mapping) else data
    if not isinstance(given, list):
        raise UsageError(_("the file holds neither a list of messages nor a saved conversation."))
    if not given:
        raise UsageError(_("the list of messages is empty."))
    messages = [_message(number, one) for number, one in enumerate(given, 1)]
    _check_order(messages)
    said = _with_results(messages)
    head = [*takewhile(lambda message: message.role == "system", said)]
    system = _join_texts(message.content for message in head)
    return Conversation(name, system=system, turns=_turns(said[len(head) :], system)), (*_remarks(messages, said),)


def _turns(said: Iterable[Message], system: str) -> Iterator[Turn]:
    """Yield a turn for each run of prompts with the replies after it; the last one may have no reply yet."""
    runs = [(role, [*run]) for role, run in groupby(said, lambda message: message.role)]
    for (_user, prompts), (_assistant, replies) in zip_longest(runs[::2], runs[1::2], fillvalue=("", [])):
        images = tuple(url for message in prompts for url in message.images)
        prompt = _join_texts(message.content for message in prompts)
        documents = tuple(document for message in prompts for document in message.documents)
        rounds = _rounds(replies)
        yield Turn(prompt, system=system, images=images, documents=documents, rounds=rounds, from_file=True)


def _rounds(replies: Iterable[Message]) -> tuple[Round, ...]:
    """Return the rounds of a reply: each ends with calls, but for the last one."""
    rounds: list[Round] = []
    texts: list[str] = []
    for message in replies:
        texts.append(message.content)
        if calls := [call for call in message.calls if call.result is not None]:
            asked = [ToolCallPart(call.id, call.name, call.arguments) for call in calls]
            results = [ToolResultPart(call.id, call.result or "") for call in calls]
            rounds.append(Round((*_text_parts(texts), *asked, *results)))
            texts = []
    if rounds and texts == [NO_REPLY]:
        texts = []
    last = Round(_text_parts(texts))
    return (*rounds, last) if last.parts else tuple(rounds)


def _text_parts(texts: Iterable[str]) -> tuple[TextPart, ...]:
    text = _join_texts(texts)
    return (TextPart(text),) if text else ()


def _join_texts(texts: Iterable[str]) -> str:
    return "\n\n".join(filter(None, texts))


def _to_dict(message: Message) -> dict[str, Any]:
    written = message.to_dict()
    return {**written, "content": written["content"] or None} if message.calls else written


def _check_order(messages: Iterable[Message]) -> None:
    """Raise `UsageError` unless system prompts come first, then a prompt."""
    begun = False
    for number, message in enumerate(messages, 1):
        if begun and message.role == "system":
            raise UsageError(
                _(
                    "message {number} is a system prompt after other messages. Move it to the top, or remove it.",
                    number=number,
                )
            )
        if not begun and message.role == "assistant":
            raise UsageError(
                _(
                    "message {number} is a reply without a prompt. Insert a prompt before it, or remove it.",
                    number=number,
                )
            )
        begun = begun or message.role == "user"


def _with_results(messages: Iterable[Message]) -> list[Message]:
    """Move the results of tool calls to the calls, which are in the last message before that is not a result."""
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
            raise UsageError(_("message {number} is the result of an unknown tool call. Remove it.", number=number))
        kept[-1] = replace(kept[-1], calls=calls)
    return kept


def _remarks(messages: Iterable[Message], said: Iterable[Message]) -> Iterator[str]:
    calls = [call for message in said for call in message.calls]
    open_ = sum(call.result is None for call in calls)
    images = sum(len(message.images) for message in messages if message.role != "user")
    if open_:
        yield ngettext(
            "{n} call of tools left out: they have no result.",
            "{n} calls of tools left out: they have no result.",
            open_,
        )
    if images:
        yield ngettext(
            "{n} image left out: only prompts can have images.",
            "{n} images left out: only prompts can have images.",
            images,
        )


def _message(number: int, given: Any) -> Message:
    if not isinstance(given, Mapping) or "role" not in given:
        raise UsageError(_("message {number} is not an object with a role and a content.", number=number))
    role = given.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise UsageError(
            _(
                "message {number} has the unknown role {role!r:.40}. Known roles: {names}.",
                number=number,
                role=role,
                names=", ".join(_ROLES),
            )
        )
    role = _ROLES[role]
    calls = _calls(number, given) if role == "assistant" else ()
    content = given.get("content")
    if content is None and (calls or role == "tool"):
        content = ""
    texts, images, documents = _content(number, content)
    answered = given.get("tool_call_id", given.get("name")) if role == "tool" else ""
    return Message(role, texts, images, calls, answered if isinstance(answered, str) else "", documents=documents)


def _calls(number: int, given: Mapping[str, Any]) -> tuple[ToolCall, ...]:
    """Return the tool calls of a message; a call in the old `function_call` form has its name as id."""
    with suppress(TypeError, LookupError):
        old = given.get("function_call")
        calls = [{"id": old["name"], "function": old}] if old else given.get("tool_calls") or []
        made = tuple(ToolCall(c["id"], c["function"]["name"], c["function"]["arguments"]) for c in calls)
        if all(isinstance(text, str) for call in made for text in call[:3]):
            return made
    raise UsageError(
        _("message {number} holds a tool call without id, name and arguments. Remove the call.", number=number)
    )


def _content(number: int, content: Any) -> tuple[str, tuple[str, ...], tuple[SentDocument, ...]]:
    """Return the text of a message, its images and its documents."""
    if isinstance(content, str):
        return content, (), ()
    if not isinstance(content, list):
        raise UsageError(_("message {number} has no text. Add a content, or remove it.", number=number))
    documents = [part for part in content if isinstance(part, Mapping) and part.get("type") in _DOCUMENTS]
    parts = [_part(number, part) for part in content if part not in documents]
    return (
        "\n\n".join(text for text, _ in parts if text),
        tuple(url for _, url in parts if url),
        tuple(_document(number, part) for part in documents),
    )


def _document(number: int, part: Mapping[str, Any]) -> SentDocument:
    """Return the document of a part: a file as a data URL, with its name."""
    given = part.get("file") if part["type"] == "file" else part
    name, url = (given.get(key) for key in ("filename", "file_data")) if isinstance(given, Mapping) else (None, None)
    if isinstance(url, str):
        media_type = url[:200].removeprefix("data:").partition(";")[0]
        document = SentDocument(str(name or "document")[:MAX_NAME], media_type, url=url)
        if checked_document(document).has_file:
            return document
    raise UsageError(
        _("message {number} holds a file that is not in it as a document. Remove the part.", number=number)
    )


def _part(number: int, part: Any) -> tuple[str, str]:
    """Return the text and the image URL of a part; one of them is empty."""
    part = part if isinstance(part, Mapping) else {}
    kind, text, url = (part.get(key) for key in ("type", "text", "image_url"))
    if kind in _TEXTS and isinstance(text, str):
        return text, ""
    if kind in _IMAGES:
        url = url.get("url") if isinstance(url, Mapping) else url
        if isinstance(url, str) and is_sendable_image(url):
            return "", url
        raise UsageError(
            _(
                "message {number} holds an image without an http(s) or data:image address. Remove the part.",
                number=number,
            )
        )
    what = _("a part of type {kind!r:.40}", kind=kind) if isinstance(kind, str) else _("a part without a type")
    raise UsageError(
        _(
            "message {number} holds {what}; only text, images and files can be imported. Remove the part.",
            number=number,
            what=what,
        )
    )

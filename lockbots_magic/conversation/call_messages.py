"""Tool calls of earlier turns as messages: paired with their results, with ids that any service takes. No I/O.

Wire facts: the OpenAI API reference, "Create chat completion": each call of an assistant message needs a message with
its result right after it. Mistral takes ids of nine letters and digits only, and no prompt right after a result;
Anthropic refuses an id that occurs twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from operator import attrgetter

from .messages import ChatRequest, Message, ToolCall
from .opaque_data import OpaqueData
from .parts import ROUND_SEPARATOR, Part, ReasoningPart, Round, ToolCallPart, ToolResultPart

DIGEST = "sha256:"
"""How the digest begins that a cassette keeps of an image."""
_calls_of = attrgetter("calls")
NO_REPLY = "(The reply ended here.)"
"""Reply of a turn that ended, interrupted or at a limit, after the result of a call."""


def messages_of_rounds(rounds: Iterable[Round]) -> tuple[Message, ...]:
    """Return the messages of a reply: its text, its calls, and the results of the calls.

    A call without a result is left out, because services refuse it. The last message has no calls.
    """
    messages: list[Message] = []
    texts: list[str] = []
    reasoning = ""
    opaque: tuple[OpaqueData, ...] = ()
    for one in rounds:
        texts += [one.text] if one.text else []
        reasoning, opaque = reasoning_to_return(one)
        if answered := [*_answered_calls(one)]:
            asked = tuple(ToolCall(call.id, call.name, call.arguments, opaque=call.opaque) for call in answered)
            results = [result_message(call) for call in answered]
            text = ROUND_SEPARATOR.join(texts)
            messages += [Message("assistant", text, calls=asked, reasoning=reasoning, opaque=opaque), *results]
            texts = []
    if texts or not messages:
        last = Message("assistant", ROUND_SEPARATOR.join(texts), reasoning=reasoning, opaque=opaque)
        return (*messages, last)
    return (*messages, Message("assistant", NO_REPLY))


def result_message(call: ToolCall) -> Message:
    """Return the message that tells the model what a call returned."""
    about = {"elapsed": call.elapsed, "approved_by": call.approved_by}
    return Message("tool", call.result or "", call.images, call_id=call.id, **about)  # type: ignore[arg-type]  # mixed


def reasoning_to_return(one: Round) -> tuple[str, tuple[OpaqueData, ...]]:
    """Return the reasoning of a round, and the opaque data beside it; nothing if there are none of these."""
    thoughts = [part for part in one.parts if isinstance(part, ReasoningPart)]
    opaque = tuple(part.opaque for part in thoughts if part.opaque is not None)
    return ("".join(part.text for part in thoughts), opaque) if opaque else ("", ())


def without_digests(request: ChatRequest) -> ChatRequest:
    """Return a request without images of results of which a cassette has kept nothing but a digest."""
    if not any(message.role == "tool" and message.images for message in request.rich_messages):
        return request
    return replace(request, messages=tuple(map(_without_digests, request.messages)))


def _without_digests(message: Message) -> Message:
    kept = tuple(url for url in message.images if not url.startswith(DIGEST))
    return message if kept == message.images else replace(message, images=kept)


def flatten_calls(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages with calls and results as text of the reply, for a service without tools."""
    flat: list[Message] = []
    results = {}
    for message in reversed(messages):
        if message.role == "tool":
            results[message.call_id] = message.content
        elif message.calls:
            told = [f"[Called {call}; result: {results.pop(call.id, '')}]" for call in message.calls]
            after = [flat.pop().content] if flat and flat[-1].role == "assistant" else []
            text = ROUND_SEPARATOR.join(filter(None, [message.content, *told, *after]))
            flat.append(replace(message, content=text, calls=()))
        else:
            flat.append(message)
    return tuple(reversed(flat))


def with_portable_ids(rounds: Iterable[Round]) -> tuple[Round, ...]:
    """Return the rounds with ids of calls that every service takes, for calls that another one made."""
    return tuple(Round(tuple(map(_with_portable_id, one.parts))) for one in rounds)


def with_unique_ids(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages of a request with the id of each call unique in it; results follow their calls."""
    if not any(map(_calls_of, messages)):  # nearly always, and often there are thousands
        return tuple(messages)
    taken: set[str] = set()
    renamed: list[tuple[str, str]] = []
    unique: list[Message] = []
    for message in messages:
        if message.calls:
            calls = rename_calls(message.calls, taken)
            renamed = [(old.id, new.id) for old, new in zip(message.calls, calls, strict=True)]
            taken.update(new for _, new in renamed)
            unique.append(message if calls == message.calls else replace(message, calls=calls))
        else:
            at = next((n for n, (old, _) in enumerate(renamed) if old == message.call_id), None)
            new = message.call_id if at is None else renamed.pop(at)[1]
            unique.append(message if new == message.call_id else replace(message, call_id=new))
    return tuple(unique)


def rename_calls(calls: Iterable[ToolCall], taken: Iterable[str]) -> tuple[ToolCall, ...]:
    """Return the calls of one reply, with another id for each whose id is one of `taken`."""
    used = set(taken)
    renamed = []
    for call in calls:
        free = call.id
        number = 2
        while free in used:
            free, number = _digest(f"{call.id}:{number}"), number + 1
        used.add(free)
        renamed.append(call if free == call.id else call._replace(id=free))
    return tuple(renamed)


def _with_portable_id(part: Part) -> Part:
    if isinstance(part, ToolCallPart):
        return replace(part, id=_digest(part.id))
    return replace(part, call_id=_digest(part.call_id)) if isinstance(part, ToolResultPart) else part


def _answered_calls(one: Round) -> Iterator[ToolCall]:
    """Yield the calls of a round that have a result, each with it and its opaque data."""
    results = [part for part in one.parts if isinstance(part, ToolResultPart)]
    for part in one.parts:
        at = next((n for n, r in enumerate(results) if isinstance(part, ToolCallPart) and r.call_id == part.id), None)
        if isinstance(part, ToolCallPart) and at is not None:
            yield results.pop(at).result_of(part)


def _digest(identity: str) -> str:
    return hashlib.blake2b(identity.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()[:9]

"""Long conversations: what a prompt costs, and the memory that turns and a streaming reply take."""

from __future__ import annotations

import functools
import gc
import json
import re
import tracemalloc
from pathlib import Path
from typing import Any

import texts
from common import server

import rows
from lockbots_magic import Chat
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn

from . import Measured, row
from ._measuring import in_fresh_process, interleaved_ms

SIZE = 1_000
"""Characters of a reply."""


def turns(count: int, size: int = SIZE) -> list[Turn]:
    text = texts.text(count + size, "paragraph")
    return [Turn(f"Question {n}: what is item {n}?", text[n : n + size], "demo", "function") for n in range(count)]


def plain(conversation: Conversation) -> list[dict[str, str]]:
    """The messages of a conversation, as any client sends them."""
    pairs = ((("user", turn.prompt), ("assistant", turn.reply)) for turn in conversation.turns)
    return [{"role": role, "content": text} for pair in pairs for role, text in pair]


def cost(chat: Chat, count: int) -> tuple[float, float]:
    """Return what a prompt costs after `count` turns, and the JSON of the messages (ms)."""
    chat.conversation = Conversation(turns=turns(count))
    messages = plain(chat.conversation)
    ask, encode = interleaved_ms(lambda: chat.ask("Go on."), lambda: json.dumps(messages, ensure_ascii=False).encode())
    return ask, encode


@functools.cache
def of_a_function(count: int) -> tuple[float, float]:
    return cost(Chat(lambda prompt: "Yes."), count)


def with_chatlas(url: str, count: int) -> float | None:
    """What chatlas takes for the same (ms), without streaming nor printing; None if it is not installed."""
    try:
        from chatlas import AssistantTurn, ChatOpenAICompletions, UserTurn  # noqa: PLC0415  # may be missing
    except ImportError:
        return None
    chat = ChatOpenAICompletions(base_url=url, api_key="k", model="1")
    past = [one for turn in turns(count) for one in (UserTurn(turn.prompt), AssistantTurn(turn.reply))]
    chat.set_turns(past)
    (taken,) = interleaved_ms(lambda: chat.chat("Go on.", echo="none"))
    return taken


@row("conversation", "ask at 10 turns", unit="ms", aim="<= 1 ms", limit="the messages' JSON", quick=True)
def ask_at_10() -> Measured:
    taken, encoded = of_a_function(10)
    return Measured(taken, encoded, "json.dumps of the messages")


@row("conversation", "ask at 1,000 turns", unit="ms", aim="<= 2 x", limit="the messages' JSON", quick=True)
def ask_at_1000() -> Measured:
    taken, encoded = of_a_function(1_000)
    return Measured(taken, encoded, "json.dumps of the messages")


@row("conversation", "ask at 10,000 turns", unit="ms", aim="<= 60 ms", limit="the messages' JSON")
def ask_at_10_000() -> Measured:
    taken, encoded = of_a_function(10_000)
    return Measured(taken, encoded, "json.dumps of the messages")


@row("conversation", "ask at 1,000 turns, over HTTP", unit="ms", aim="<= 2 x", limit="the messages' JSON", quick=True)
def ask_over_http() -> Measured:
    with server() as source:
        taken, encoded = cost(Chat("openai:1", base_url=source.url, auth="k"), 1_000)
        theirs = None if rows.IN_HASTE else with_chatlas(source.url, 1_000)
    return Measured(taken, encoded, "json.dumps of the messages", {} if theirs is None else {"chatlas": theirs})


def allocated(make: Any) -> float:
    """Return the memory (MB) that `make` leaves behind, what was there before not counted."""
    gc.collect()
    tracemalloc.start()
    kept = make()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size / 1e6


def memory_of_turns(count: int, size: int) -> float:
    """Return the memory (MB) of a conversation of `count` turns, after a prompt that sent them all."""
    chat = Chat(lambda prompt: "Yes.")

    def ask_once() -> Conversation:
        chat.conversation = Conversation(turns=turns(count, size))
        chat.ask("Go on.")
        return chat.conversation

    chat.ask("Go on.")
    return allocated(ask_once)


@row("conversation", "memory of 1,000 turns of 2 KB", unit="MB", aim="<= 6 MB", limit="2 MB", quick=True)
def memory_of_1000_turns() -> Measured:
    return Measured(in_fresh_process(memory_of_turns, 1_000, 2_000), 2.0, "the text")


def memory_of_streaming(size: int) -> float:
    """Return the most memory (MB) that the process took for a reply of `size` bytes while it streamed."""
    status = Path("/proc/self/status")

    def memory(name: str) -> int:
        return int(re.search(rf"{name}:\s+(\d+)", status.read_text(encoding="utf-8"))[1])

    with server() as source:
        for _ in Chat("openai:1000-document", base_url=source.url, auth="k").stream("Go on."):
            pass
        chat = Chat(f"openai:{size // texts.PER_TOKEN}-document", base_url=source.url, auth="k")
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
        before = memory("VmRSS")
        for _ in chat.stream("Go on."):
            pass
        return (memory("VmHWM") - before) / 1e3


@row("conversation", "memory of a streaming reply of 1 MB", unit="MB", aim="<= 8 MB", limit="1 MB")
def memory_of_a_reply() -> Measured:
    return Measured(in_fresh_process(memory_of_streaming, 1_000_000), 1.0, "the text")

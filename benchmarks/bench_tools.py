"""Time that the tool loop adds to each call, over the function's own time and the server's."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

from common import figure, median, spread, table, title

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import ChatRequest, Delta, ToolCall
from lockbots_magic.providers.base import Provider
from lockbots_magic.tools.function_tool import tool

ROUNDS = 20
CALLS = 8
REPETITIONS = 7
SLOWEST = 0.002
"""Time (s) that one call may cost."""


class Scripted(Provider):
    """Asks for calls in each of its rounds, and takes no time."""

    name = "scripted"
    takes_tools = True

    def __init__(self, function: str, calls: int) -> None:
        super().__init__()
        self._asked = tuple(ToolCall(f"id{n}", function, '{"x": 1}') for n in range(calls))
        self._round = 0

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        self._round += 1
        if self._round > ROUNDS:
            yield Delta("done", finish_reason="stop")
        else:
            yield Delta(finish_reason="tool_calls", calls=self._asked)


def plain(x: int) -> int:
    """Return a number."""
    return x


@tool(parallel=True)
def threaded(x: int) -> int:
    """Return a number."""
    return x


async def later(x: int) -> int:
    """Return a number."""
    await asyncio.sleep(0)
    return x


def seconds_a_call(function: object, name: str, calls: int) -> float:
    chat = Chat(Scripted(name, calls))
    prepared = chat.prepare("go", tools=[function], limits={"rounds": ROUNDS}, approve="auto")
    started = time.perf_counter()
    turn = prepared.send()
    taken = time.perf_counter() - started
    assert len(turn.calls) == ROUNDS * calls, turn
    return taken / len(turn.calls)


def main() -> None:
    title("Tool loop: time a call, with a model and functions that take none")
    rows, worst = [], 0.0
    for what, function, name in (
        ("a function, in order", plain, "plain"),
        ("a function, parallel", threaded, "threaded"),
        ("an async function", later, "later"),
    ):
        for calls in (1, CALLS):
            times = [seconds_a_call(function, name, calls) for _ in range(REPETITIONS)]
            worst = max(worst, median(times))
            rows.append((what, calls, *spread(times, 2, 1000)))
    table(("", "calls a round", "ms", "lowest", "highest"), *rows)
    figure("slowest kind of call", f"{worst * 1000:.2f} ms", f"<= {SLOWEST * 1000:g} ms")
    figure("mcp is imported", str("mcp" in sys.modules), "False")


if __name__ == "__main__":
    main()

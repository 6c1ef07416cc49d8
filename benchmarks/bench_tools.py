"""Time that the tool loop adds to each call, over the function's own time and the server's.

As a script with a number, it is an MCP server by the official package with as many tools.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

from common import figure, median, spread, table, title

from lockbots_magic import MCP, Chat
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import ChatRequest, Delta, ToolCall
from lockbots_magic.providers.base import Provider
from lockbots_magic.tools.function_tool import tool

ROUNDS = 20
CALLS = 8
REPETITIONS = 7
SERVER_TOOLS = (2, 100)
"""Tools of the MCP servers: the list of all of them is read again before each call."""
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


def serve(tools: int) -> None:
    """Serve tools over standard input and output."""
    from mcp.server import MCPServer  # noqa: PLC0415  # whether the loop loads it is measured

    app = MCPServer("bench")
    for number in range(tools):
        app.tool(name=f"plain{number}")(plain)
    app.run("stdio")


async def seconds_of_client(tools: int) -> float:
    """Return the time (s) of a call by the official client, and nothing else."""
    from mcp import StdioServerParameters  # noqa: PLC0415  # whether the loop loads it is measured
    from mcp.client.client import Client  # noqa: PLC0415  # whether the loop loads it is measured
    from mcp.client.stdio import stdio_client  # noqa: PLC0415  # whether the loop loads it is measured

    parameters = StdioServerParameters(command=sys.executable, args=[__file__, str(tools)])
    async with Client(stdio_client(parameters)) as client:
        await client.call_tool("plain0", {"x": 1})
        started = time.perf_counter()
        for _ in range(ROUNDS):
            await client.call_tool("plain0", {"x": 1})
        return (time.perf_counter() - started) / ROUNDS


def measure_servers() -> None:
    """Print what a call through an MCP server takes, by the official client alone and by the loop."""
    rows = []
    for tools in SERVER_TOOLS:
        bare = [asyncio.run(seconds_of_client(tools)) for _ in range(REPETITIONS)]
        with MCP([sys.executable, __file__, str(tools)], name="bench") as server:
            server.list_tools(Cancellation())
            ours = [seconds_a_call(server, "plain0", 1) for _ in range(REPETITIONS)]
        added = f"{(median(ours) - median(bare)) * 1000:.1f}"
        rows += [(f"{tools} tools: the client alone", *spread(bare, 1, 1000), "")]
        rows += [(f"{tools} tools: the loop", *spread(ours, 1, 1000), added)]
        if tools == SERVER_TOOLS[0]:
            figure("MCP, added to a call", f"{added} ms", f"<= {SLOWEST * 1000:g} ms")
    table(("MCP over stdio, one call a round", "ms", "lowest", "highest", "added"), *rows)


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
    measure_servers()


if __name__ == "__main__":
    serve(int(sys.argv[1])) if sys.argv[1:] else main()

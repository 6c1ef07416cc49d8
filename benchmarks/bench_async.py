"""What awaiting costs over iterating: a short reply, each token, and the delay of tokens when many replies stream."""

from __future__ import annotations

import asyncio
import time

from common import figure, median, server, spread, table, title

from lockbots_magic import Chat

RUNS = 300
TOKENS = 20_000
REPEATS = 5
REPLIES = 100
PACE = 0.05
"""Time (s) between two tokens of one of many replies."""


def hello(prompt):
    yield "Hello."


def many(prompt):
    for n in range(TOKENS):
        yield f"word{n} "


def stamped(prompt):
    """Yield the time at which each token was made."""
    for _ in range(40):
        time.sleep(PACE)
        yield f"{time.monotonic()}\n"


def time_asks() -> tuple[list[float], list[float]]:
    chat = Chat(hello)
    sync = []
    for _ in range(RUNS):
        began = time.perf_counter()
        chat.ask("Hi", history=False)
        sync.append(time.perf_counter() - began)

    async def main() -> list[float]:
        awaited = []
        for _ in range(RUNS):
            began = time.perf_counter()
            await chat.ask_async("Hi", history=False)
            awaited.append(time.perf_counter() - began)
        return awaited

    return sync, asyncio.run(main())


def time_tokens(chat: Chat) -> tuple[float, float]:
    """Return the time of one token (s), by `for` and by `async for`: the best of some runs."""

    def iterate() -> float:
        began = time.perf_counter()
        count = sum(1 for _ in chat.stream("Go on.", history=False))
        return (time.perf_counter() - began) / count

    async def main() -> float:
        began, count = time.perf_counter(), 0
        async for _ in chat.stream("Go on.", history=False):
            count += 1
        return (time.perf_counter() - began) / count

    return min(iterate() for _ in range(REPEATS)), min(asyncio.run(main()) for _ in range(REPEATS))


def measure_delays() -> list[float]:
    """Return how late each token of many replies in one loop was (s)."""

    async def read() -> list[float]:
        return [time.monotonic() - float(text) async for text in Chat(stamped).stream("Hi") if text.strip()]

    async def main() -> list[list[float]]:
        return await asyncio.gather(*(read() for _ in range(REPLIES)))

    return [delay for reply in asyncio.run(main()) for delay in reply]


def main() -> None:
    sync, awaited = time_asks()
    title("a reply of one word, ms")
    table(("", "median", "lowest", "highest"), ("ask", *spread(sync, 2, 1e3)), ("ask_async", *spread(awaited, 2, 1e3)))
    print(f"  ratio of the medians: {median(awaited) / median(sync):.2f}")
    figure("ask_async over ask", f"{(median(awaited) - median(sync)) * 1e3:.2f} ms", "<= 1 ms")

    title(f"each of {TOKENS} tokens, µs")
    rows = []
    with server() as source:
        for name, chat in (
            ("a function", Chat(many)),
            ("a server", Chat(f"openai:{TOKENS}", base_url=source.url, auth="bench")),
        ):
            for_, async_for = time_tokens(chat)
            rows.append((name, f"{for_ * 1e6:.1f}", f"{async_for * 1e6:.1f}", f"{async_for / for_:.2f}"))
            figure(f"async for over for, {name}", f"{(async_for - for_) * 1e6:.1f} µs a token", "<= 20 µs")
    table(("", "for", "async for", "ratio"), *rows)

    delays = sorted(measure_delays())
    title(f"delay of the tokens of {REPLIES} replies in one loop, ms")
    shares = (50, 90, 99, 100)
    table(("percentile", *shares), ("", *(f"{delays[int(p / 100 * (len(delays) - 1))] * 1e3:.1f}" for p in shares)))
    figure(f"latest token of {REPLIES} replies at once", f"{delays[-1] * 1e3:.1f} ms", "<= 50 ms")


if __name__ == "__main__":
    main()

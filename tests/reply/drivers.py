"""The same steps of a test, taken synchronously, by asyncio and by trio."""

import asyncio
import itertools
import threading
import time
from typing import Any

import trio

PATIENCE = 60
"""Time (s) after which a test gives up."""


class SyncDriver:
    """Takes a reply by `for`."""

    name = "sync"

    def ask(self, chat, prompt, **options):
        return chat.ask(prompt, **options)

    def turn(self, reply):
        return reply.wait()

    def texts(self, reply, count=None):
        return list(itertools.islice(reply, count))

    def deltas(self, reply):
        return list(reply.deltas)

    def within(self, reply, count):
        with reply:
            return self.texts(reply, count)


class AsyncDriver:
    """Takes a reply by `await` and `async for`, in a loop of its own for each step."""

    def __init__(self, name, run):
        self.name = name
        self._run = run

    def ask(self, chat, prompt, **options):
        async def main():
            return await chat.ask_async(prompt, **options)

        return self._run(main)

    def turn(self, reply):
        async def main():
            return await reply

        return self._run(main)

    def texts(self, reply, count=None):
        async def main():
            return await some(reply, count)

        return self._run(main)

    def deltas(self, reply):
        async def main():
            return [delta async for delta in reply.deltas]

        return self._run(main)

    def within(self, reply, count):
        async def main():
            async with reply:
                return await some(reply, count)

        return self._run(main)


async def some(steps, count=None):
    """Return the next `count` steps, by default all."""
    found = []
    async for step in steps:
        found.append(step)
        if len(found) == count:
            break
    return found


def run_asyncio(main):
    return asyncio.run(main())


DRIVERS: list[Any] = [SyncDriver(), AsyncDriver("asyncio", run_asyncio), AsyncDriver("trio", trio.run)]
"""Ways to take a reply; each test that has one body for all is parametrised by them."""


def wait_until(condition):
    """Wait for something that a thread does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def wait_for_threads():
    """Wait until no thread of an awaited reply is left: the last have still to return."""
    ours = {"lockbots await", "lockbots loop"}
    wait_until(lambda: not any(thread.name in ours for thread in threading.enumerate()))

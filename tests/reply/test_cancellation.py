"""An awaited reply that is stopped, left or forgotten: nothing hangs, nothing is lost, no thread is left."""

import asyncio
import gc
import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest
import trio

from lockbots_magic import Chat
from lockbots_magic.errors import Interrupted, UsageError
from lockbots_magic.reply import awaited
from tests.reply.drivers import PATIENCE, some, wait_for_threads, wait_until

WORDS = ("One. ", "Two. ", "Three. ", "Four.")


@pytest.fixture(autouse=True)
def no_thread_is_left(monkeypatch):
    monkeypatch.setattr(awaited, "STOP_TIMEOUT", 0.1)  # for threads that are in a function of the test
    yield
    wait_for_threads()


class Gated:
    """A model that says one word for each permission."""

    __name__ = "gated"

    def __init__(self):
        self.permits = threading.Semaphore(0)
        self.said = 0

    def __call__(self, prompt):
        for word in WORDS:
            self.permits.acquire()
            yield word
            self.said += 1


async def cancelled_after(count, chat, gate):
    """Cancel a task once it has taken `count` steps and waits for the next."""
    taken = []
    waits = asyncio.Event()

    async def take():
        async for text in chat.stream("hi"):
            taken.append(text)
            if len(taken) == count:
                waits.set()

    task = asyncio.create_task(take())
    for _ in range(count):
        gate.permits.release()
    if count:
        await asyncio.wait_for(waits.wait(), PATIENCE)
    else:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    gate.permits.release(len(WORDS))  # the thread goes on, and ends
    return "".join(taken)


@pytest.mark.parametrize("count", range(len(WORDS)))
def test_cancelling_at_every_step_keeps_what_came(count):
    gate = Gated()
    chat = Chat(gate)
    text = asyncio.run(cancelled_after(count, chat, gate))
    (turn,) = chat.conversation.turns
    assert (turn.reply, turn.status) == (text, "interrupted")


def test_a_task_cancelled_before_it_began_sends_nothing(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai"))

    async def main():
        task = asyncio.create_task(chat.ask_async("hi"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (mock_server.requests, len(chat.conversation)) == ([], 0)


@pytest.mark.parametrize("fault", ["silence", "slow-headers", "silence-body", "silence-midway", "heartbeat"])
@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_cancelling_closes_the_connection_wherever_it_waits(mock_server, run, fault):
    chat = Chat("openai:demo", base_url=mock_server.url("openai", fault=fault), max_retries=0)

    def arrived():
        return bool(mock_server.requests)

    async def in_asyncio():
        task = asyncio.create_task(chat.ask_async("count to 5"))
        while not arrived():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def in_trio():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(chat.ask_async, "count to 5")
            while not arrived():
                await trio.sleep(0.005)
            nursery.cancel_scope.cancel()

    asyncio.run(in_asyncio()) if run is asyncio.run else trio.run(in_trio)
    (turn,) = chat.conversation.turns
    assert turn.status == "interrupted"
    mock_server.wait_for_disconnect()


def test_a_function_that_blocks_does_not_hold_the_task():
    release = threading.Event()

    def stuck(prompt):
        yield "So far. "
        release.wait(PATIENCE)
        yield "Too late."

    chat = Chat(stuck)

    async def main():
        reply = chat.stream("hi")
        assert await reply.__anext__() == "So far. "
        task = asyncio.create_task(reply.__anext__())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (reply.turn.reply, reply.turn.status) == ("So far. ", "interrupted")
        assert (await Chat(lambda p: "Free.", conversation=chat.conversation).ask_async("more")).reply == "Free."

    asyncio.run(main())
    release.set()
    assert [turn.status for turn in chat.conversation.turns] == ["interrupted", "complete"]


@pytest.mark.parametrize("is_async", [False, True])
def test_a_tool_that_runs_when_the_task_is_cancelled_is_kept_with_its_call(mock_server, is_async):
    begun, release = threading.Event(), threading.Event()
    chat = Chat("openai:demo", base_url=mock_server.url("openai"))

    def pay() -> str:
        """Pay."""
        begun.set()
        release.wait(PATIENCE)
        return "paid"

    async def pay_async() -> str:
        """Pay."""
        begun.set()
        await asyncio.sleep(PATIENCE)
        return "paid"

    tool = pay_async if is_async else pay

    async def main():
        task = asyncio.create_task(chat.ask_async(f"call {tool.__name__} {{}}", tools=[tool]))
        while not begun.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    release.set()
    wait_until(lambda: len(chat.conversation) == 1)
    (turn,) = chat.conversation.turns
    assert turn.status == "interrupted"
    assert [call.name for call in turn.calls] == [tool.__name__]
    assert turn.calls[0].result.startswith(("paid", "interrupted"))


def test_cancel_from_anywhere_ends_an_awaited_reply_quietly(mock_server):
    async def main(cancel):
        chat = Chat("openai:demo", base_url=mock_server.url("openai", fault="silence-midway"))
        reply = chat.stream("count to 5")
        first = await reply.__anext__()
        asyncio.get_running_loop().call_soon(cancel, reply)
        turn = await asyncio.wait_for(reply, PATIENCE)
        assert turn.status == "interrupted"
        assert turn.reply.startswith(first)

    asyncio.run(main(lambda reply: reply.cancel()))
    asyncio.run(main(lambda reply: threading.Thread(target=reply.cancel).start()))


def test_a_reply_that_is_dropped_ends():
    gate = Gated()
    chat = Chat(gate)
    gate.permits.release()

    async def main():
        async for _ in chat.stream("one"):
            break
        await asyncio.sleep(0)
        gate.permits.release(len(WORDS))

    asyncio.run(main())
    assert [(t.reply, t.status) for t in chat.conversation.turns] == [("One. ", "interrupted")]


def test_a_reply_left_and_held_makes_way_for_the_next_of_the_same_task():
    gate = Gated()
    chat = Chat(gate)

    async def main():
        gate.permits.release(2)
        reply = chat.stream("one")
        async for _ in reply:
            break
        gate.permits.release(10)
        return reply, await chat.ask_async("two")

    reply, turn = asyncio.run(main())
    assert reply.turn.status == "interrupted"
    assert turn.status == "complete"


def test_a_loop_that_is_closed_midway_ends_the_reply(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai", fault="silence-midway"))
    loop = asyncio.new_event_loop()
    task: Any = loop.create_task(chat.ask_async("count to 5"))
    while not mock_server.requests:
        loop.run_until_complete(asyncio.sleep(0.005))
    loop.close()
    mock_server.wait_for_disconnect()
    wait_for_threads()
    assert Chat(lambda p: "Next.", conversation=chat.conversation).ask("more").status == "complete"
    assert [turn.status for turn in chat.conversation.turns] == ["interrupted", "complete"]
    task._log_destroy_pending = False  # asyncio would say that the test destroyed it
    del task
    gc.collect()


def test_a_task_that_is_collected_ends_the_reply(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai", fault="silence-midway"))
    loop = asyncio.new_event_loop()
    task: Any = loop.create_task(chat.ask_async("count to 5"))
    while not mock_server.requests:
        loop.run_until_complete(asyncio.sleep(0.005))
    task._log_destroy_pending = False
    del task
    gc.collect()
    mock_server.wait_for_disconnect()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    wait_for_threads()
    assert [turn.status for turn in chat.conversation.turns] == ["interrupted"]


EXIT = """
import asyncio, time, sys
from lockbots_magic import Chat

def stuck(prompt):
    yield "So far. "
    time.sleep(600)

async def slow(seconds: float) -> str:
    "Wait."
    await asyncio.sleep(seconds)
    return "done"

async def main():
    asyncio.get_running_loop().slow_callback_duration = 60  # a slow machine is no finding
    reply = Chat(stuck).stream("hi")
    await reply.__anext__()
    task = asyncio.create_task(Chat(stuck).ask_async("hi"))
    await asyncio.sleep(0.05)
    HOW

asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["pass", "sys.exit(0)", "globals().update(kept=[reply, task])", "raise SystemExit"])
def test_the_interpreter_exits_at_once_and_prints_nothing(how):
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", EXIT.replace("HOW", how)],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_slow_consumer_holds_the_reader_back():
    count = 100_000
    made = []

    def endless(prompt):
        for n in range(count):
            made.append(n)
            yield "word "

    async def main():
        reply = Chat(endless).stream("hi")
        await some(reply, 10)
        seen = -1
        while seen != len(made):
            seen = len(made)
            await asyncio.sleep(0.05)
        assert seen < 1000
        assert len(await some(reply, 5000)) == 5000
        await reply.__aexit__()

    asyncio.run(main())
    assert len(made) < 10_000


def test_a_fast_reply_lets_the_other_tasks_run():
    turns = []

    async def other():
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    async def main():
        task = asyncio.create_task(other())
        reply = Chat(lambda prompt: iter(["word "] * 20_000)).stream("hi")
        async for _ in reply:
            pass
        task.cancel()

    asyncio.run(main())
    assert len(turns) > 10


def test_an_awaited_reply_is_not_read_synchronously():
    async def main():
        chat = Chat(lambda prompt: iter(WORDS))
        reply = chat.stream("hi")
        await reply.__anext__()
        with pytest.raises(UsageError, match="await"):
            next(reply)
        with pytest.raises(UsageError, match="await"):
            list(reply.deltas)
        return await reply

    assert asyncio.run(main()).status == "complete"


def test_without_a_known_loop_it_says_what_is_needed():
    chat = Chat(lambda prompt: iter(WORDS))
    coroutine = chat.ask_async("hi")
    with pytest.raises(UsageError, match="asyncio and in trio"):
        coroutine.send(None)
    assert len(chat.conversation) == 0


def test_an_interrupt_of_a_function_interrupts_the_reply():
    def stops(prompt):
        yield "So far. "
        raise KeyboardInterrupt

    async def main():
        chat = Chat(stops)
        with pytest.raises(Interrupted):
            await chat.ask_async("hi")
        return chat.conversation.turns

    (turn,) = asyncio.run(main())
    assert (turn.reply, turn.status) == ("So far. ", "interrupted")


def test_nothing_warns_when_a_coroutine_is_never_awaited():
    chat = Chat(lambda prompt: iter(WORDS))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chat.stream("hi")  # a reply is no coroutine: it may be left alone
        gc.collect()

"""Async functions run where their caller's loop is, or on a loop of our own, and can be stopped."""

import asyncio
import contextvars
import gc
import threading

import pytest
import trio

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.errors import Cancelled
from lockbots_magic.event_loops.coroutines import coroutines_run_on, run_coroutine
from lockbots_magic.event_loops.host import awaiting_host
from lockbots_magic.event_loops.own_loop import shared_loop

word = contextvars.ContextVar("word", default="")


def our_threads():
    return [t.name for t in threading.enumerate() if t.name == "lockbots loop"]


async def where(value=None):
    return threading.current_thread(), asyncio.get_running_loop(), word.get(), value


def run(coroutine):
    return run_coroutine(coroutine, Cancellation())


async def on_thread(function):
    """Call a function in a thread that runs coroutines on this loop, as the reader of an awaited reply does."""
    host, done = awaiting_host(), []

    def work():
        with coroutines_run_on(host):
            done.append(function())

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,))
    thread.start()
    while thread.is_alive():
        await host.give_way()
    return done[0]


def test_without_a_loop_it_runs_on_one_of_ours_whose_thread_ends():
    word.set("mine")
    thread, loop, seen, value = run(where(42))
    assert thread is not threading.current_thread()
    assert (seen, value) == ("mine", 42)
    assert our_threads() == []
    assert run(where())[1] is loop, "what is bound to the loop can be used again"


def test_inside_a_running_loop_it_runs_on_one_of_ours():
    async def main():
        return asyncio.get_running_loop(), run(where())

    mine, (_, loop, _, _) = asyncio.run(main())
    assert loop is not mine


def test_it_runs_on_the_loop_that_awaits():
    async def main():
        word.set("theirs")
        thread, loop, seen, _ = await on_thread(lambda: run(where()))
        assert (thread, loop, seen) == (threading.current_thread(), asyncio.get_running_loop(), "theirs")

    asyncio.run(main())


def test_it_runs_in_trio():
    async def in_trio():
        await trio.sleep(0)
        return trio.lowlevel.current_task().name, word.get()

    async def main():
        word.set("three")
        return await on_thread(lambda: run(in_trio()))

    name, seen = trio.run(main)
    assert "run" in name
    assert seen == "three"


@pytest.mark.parametrize("error", [ZeroDivisionError("no"), SystemExit(3), KeyboardInterrupt()])
def test_an_exception_is_raised_where_it_is_waited_for_and_the_loop_goes_on(error):
    async def fail():
        await asyncio.sleep(0)
        raise error

    def call():
        with pytest.raises(type(error)):
            run(fail())
        return "went on"

    async def main():
        return await on_thread(call)

    assert call() == asyncio.run(main()) == "went on"


@pytest.mark.parametrize("awaited", [False, True])
def test_cancelling_ends_the_coroutine(awaited):
    ended = []
    cancellation = Cancellation()

    async def endless():
        try:
            threading.Thread(target=cancellation.cancel).start()
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    def call():
        with pytest.raises(Cancelled):
            run_coroutine(endless(), cancellation)
        return ended

    if awaited:

        async def main():
            return await on_thread(call)

        assert asyncio.run(main()) == [True]
    else:
        assert call() == [True]
    assert our_threads() == []


def test_a_cancellation_that_was_used_before_starts_nothing():
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        run_coroutine(where(), cancellation)


def test_a_coroutine_that_cancels_itself_is_an_error_and_no_stop():
    async def odd():
        raise asyncio.CancelledError

    with pytest.raises(RuntimeError, match="cancelled"):
        run(odd())


def test_a_closed_loop_is_a_stop_and_no_hang():
    async def main():
        return awaiting_host()

    closed = asyncio.run(main())
    with coroutines_run_on(closed), pytest.raises(Cancelled):
        run(where())
    gc.collect()  # a coroutine that was never awaited would warn


def test_nested_calls_do_not_wait_for_each_other():
    async def inner():
        return "inner"

    async def middle():
        return run(inner())  # blocks its own loop

    async def outer():
        return run(middle())

    assert run(outer()) == "inner"

    async def main():
        return await on_thread(lambda: run(outer()))

    assert asyncio.run(main()) == "inner"
    assert our_threads() == []


def test_calls_of_several_threads_share_the_loop():
    together = threading.Barrier(4)
    loops = []

    async def work():
        await asyncio.to_thread(together.wait, 30)
        loops.append(asyncio.get_running_loop())

    threads = [threading.Thread(target=run, args=(work(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(loops) == 4
    assert len(set(loops)) == 1


def test_what_is_left_running_ends_when_the_loop_is_closed():
    ended, tasks = [], []

    async def background():
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    async def begin():
        tasks.append(asyncio.create_task(background()))
        await asyncio.sleep(0)

    run(begin())
    assert ended == []
    shared_loop.close()
    assert ended == [True]
    assert run(where())[1] is not None

"""Replies awaited at once: each conversation takes one at a time, in order; conversations don't wait for each other."""

import asyncio
import threading

import pytest
import trio

from lockbots_magic import Chat, Conversation
from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.errors import PromptTooLongError, ProviderError, UsageError
from lockbots_magic.providers.base import Provider
from tests.reply.drivers import PATIENCE, wait_for_threads


def seen(messages):
    """Answer with the number of messages that came."""
    yield f"{len(messages)} "
    yield "messages."


def prompts_of(chat):
    return [turn.prompt for turn in chat.conversation.turns]


def test_a_second_await_waits_its_turn_in_order_and_sees_the_turns_before_it():
    chat = Chat(seen)

    async def main():
        return await asyncio.gather(*(chat.ask_async(str(n)) for n in range(20)))

    turns = asyncio.run(main())
    assert [turn.reply for turn in turns] == [f"{2 * n + 1} messages." for n in range(20)]
    assert prompts_of(chat) == [str(n) for n in range(20)]
    assert not any(turn.stale for turn in chat.conversation.turns)
    wait_for_threads()


def test_it_is_the_order_of_awaiting_that_counts():
    chat = Chat(seen)

    async def main():
        first, second = chat.stream("first"), chat.stream("second")
        return [await second, await first]

    turns = asyncio.run(main())
    assert [turn.prompt for turn in turns] == prompts_of(chat) == ["second", "first"]
    assert [turn.reply[0] for turn in turns] == ["1", "3"]
    assert not any(turn.stale for turn in chat.conversation.turns)


def test_in_trio_too():
    chat = Chat(seen)

    async def main():
        async with trio.open_nursery() as nursery:
            for n in range(5):
                nursery.start_soon(chat.ask_async, str(n))

    trio.run(main)
    assert sorted(turn.reply for turn in chat.conversation.turns) == [f"{n} messages." for n in (1, 3, 5, 7, 9)]


def test_the_synchronous_api_says_that_a_reply_is_in_progress():
    go_on = threading.Event()

    def slow(prompt):
        yield "So "
        go_on.wait(PATIENCE)
        yield "far."

    chat = Chat(slow)

    async def main():
        task = asyncio.create_task(chat.ask_async("one"))
        await asyncio.sleep(0.01)
        with pytest.raises(UsageError, match="in progress"):
            chat.ask("two")
        with pytest.raises(UsageError, match="in progress"):
            await asyncio.to_thread(chat.ask, "two")
        go_on.set()
        return await task

    assert asyncio.run(main()).status == "complete"
    assert prompts_of(chat) == ["one"]


def test_a_synchronous_reply_is_waited_for():
    chat = Chat(seen)
    began, go_on = threading.Event(), threading.Event()

    def read():
        reply = chat.stream("one")
        next(reply)
        began.set()
        go_on.wait(PATIENCE)
        reply.wait()

    thread = threading.Thread(target=read)
    thread.start()
    assert began.wait(PATIENCE)

    async def main():
        task = asyncio.create_task(chat.ask_async("two"))
        await asyncio.sleep(0.01)
        assert prompts_of(chat) == []
        go_on.set()
        return await task

    assert asyncio.run(main()).reply == "3 messages."
    thread.join(PATIENCE)
    assert prompts_of(chat) == ["one", "two"]


def test_a_reply_that_fails_or_is_cancelled_lets_the_next_in():
    began, go_on = threading.Event(), threading.Event()

    def odd(prompt):
        yield f"{prompt}. "
        if prompt == "fail":
            raise ValueError(prompt)
        if prompt == "wait":
            began.set()
            go_on.wait(PATIENCE)
        yield "Done."

    chat = Chat(odd)

    async def main():
        tasks = [asyncio.create_task(chat.ask_async(p)) for p in ("fail", "wait", "queued", "last")]
        while not began.is_set():
            await asyncio.sleep(0.005)
        tasks[2].cancel()  # it waits for its turn
        tasks[1].cancel()
        go_on.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    failed, waited, queued, last = asyncio.run(main())
    assert isinstance(failed, ProviderError)
    assert isinstance(waited, asyncio.CancelledError)
    assert isinstance(queued, asyncio.CancelledError)
    assert last.reply == "last. Done."
    assert prompts_of(chat) == ["fail", "wait", "last"]


def test_what_can_no_longer_be_sent_when_its_turn_comes_is_an_error_and_no_turn():
    class Small(Provider):
        """Takes less, the longer the conversation is."""

        name = "small"
        default_model = "m"
        limit = 100

        def model_info(self, model):
            return ModelInfo("m", max_length=self.limit)

        def stream(self, request):
            type(self).limit = 10
            yield "Fine."

    chat = Chat(Small())

    async def main():
        return await asyncio.gather(*(chat.ask_async("x" * 50) for _ in range(2)), return_exceptions=True)

    fine, refused = asyncio.run(main())
    assert fine.reply == "Fine."
    assert isinstance(refused, PromptTooLongError)
    assert len(chat.conversation) == 1
    assert chat.conversation.active_reply is None


def test_two_hundred_at_once():
    together = threading.Barrier(200)

    def model(prompt):
        together.wait(PATIENCE)  # all have begun
        yield "You "
        yield f"said {prompt}"

    chats = [Chat(model) for _ in range(200)]

    async def main():
        return await asyncio.gather(*(chat.ask_async(str(n)) for n, chat in enumerate(chats)))

    assert [turn.reply for turn in asyncio.run(main())] == [f"You said {n}" for n in range(200)]
    wait_for_threads()


def test_two_hundred_of_a_server_at_once(mock_server):
    async def main():
        chats = [Chat("openai:demo", base_url=mock_server.url("openai")) for _ in range(200)]
        return await asyncio.gather(*(chat.ask_async(f"say word {n}") for n, chat in enumerate(chats)))

    assert [turn.reply for turn in asyncio.run(main())] == [f"word {n}" for n in range(200)]


def test_a_reply_may_be_redone_and_prepared_and_awaited():
    chat = Chat(seen)

    async def main():
        first = await chat.ask_async("one")
        again = await chat.redo(first.id, "uno")
        return again, await chat.prepare("two").stream()

    again, two = asyncio.run(main())
    assert prompts_of(chat) == ["uno", "two"]
    assert (again.reply, two.reply) == ("1 messages.", "3 messages.")


def test_outside_the_history_nothing_waits():
    both = threading.Barrier(2)

    def model(prompt):
        both.wait(PATIENCE)
        return "Both."

    chat = Chat(model, conversation=Conversation())

    async def main():
        return await asyncio.gather(*(chat.ask_async("hi", history=False) for _ in range(2)))

    assert [turn.reply for turn in asyncio.run(main())] == ["Both.", "Both."]
    assert len(chat.conversation) == 0


def test_two_tasks_may_await_one_reply():
    async def main():
        reply = Chat(seen).stream("hi")

        async def turn():
            return await reply

        return await asyncio.gather(turn(), turn())

    first, second = asyncio.run(main())
    assert first is second

"""Calls while they run: at once or in order, stopped, and within limits."""

import asyncio
import itertools
import sqlite3
import threading
import time
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.ending import TOO_MANY_SECONDS, TOO_MANY_TOKENS, TOO_MUCH_USD
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.conversation.prices import Price
from lockbots_magic.errors import Cancelled, Interrupted, UsageError
from lockbots_magic.tools import running
from lockbots_magic.tools.function_tool import FunctionTool, tool
from lockbots_magic.tools.limits import Limits, Spent
from lockbots_magic.tools.loop import ToolLoop
from lockbots_magic.tools.toolbox import Toolbox
from tests.tools.test_toolbox import Model, add, request, result_of, results, says, stream, wants


class Rendezvous:
    """Calls that end only once as many as expected have begun."""

    def __init__(self, count):
        self._barrier = threading.Barrier(count)

    def meet(self, name: str) -> str:
        """Meet the others."""
        self._barrier.wait(20)
        return name

    async def meet_async(self, name: str) -> str:
        """Meet the others."""
        await asyncio.to_thread(self._barrier.wait, 20)
        return name


@pytest.mark.parametrize("is_async", [False, True])
def test_calls_of_a_round_run_at_once_where_they_may(is_async):
    there = Rendezvous(3)
    function = there.meet_async if is_async else tool(parallel=True)(there.meet)
    name = "meet_async" if is_async else "meet"
    asked = [(name, f'{{"name": "{n}"}}') for n in "abc"]
    model = Model(wants(*asked), says("done"))
    assert sorted(results(stream([function], model, request()))) == [(name, n) for n in "abc"]
    assert [m.content for m in model.asked[1].messages[-3:]] == ["a", "b", "c"]


def test_other_calls_run_in_order_in_the_thread_of_the_reply():
    connection = sqlite3.connect(":memory:")  # of this thread alone
    seen = []

    def query(sql: str) -> list:
        """Query."""
        seen.append(sql)
        return connection.execute(sql).fetchall()

    asked = [("query", f'{{"sql": "select {n}"}}') for n in range(3)]
    told = results(stream([query], Model(wants(*asked), says("done")), request()))
    connection.close()
    assert told == [("query", f"[[{n}]]") for n in range(3)]
    assert seen == [f"select {n}" for n in range(3)]


def test_async_functions_methods_and_objects_are_called():
    class Shop:
        async def price(self, name: str) -> str:
            return f"{name}: 3"

        def __call__(self, name: str) -> str:
            return name.upper()

    assert result_of(Shop().price, '{"name": "pen"}') == "pen: 3"
    assert result_of(Shop(), '{"name": "pen"}', "Shop") == "PEN"

    def later(x: int):
        return Shop().price(str(x))

    assert result_of(later, '{"x": 1}') == "1: 3"


def test_an_async_function_that_fails_is_told():
    async def fail():
        raise KeyError("nothing")

    assert result_of(fail) == "error: KeyError: 'nothing'"


def test_a_partial_function_keeps_its_name_and_description():
    import functools

    offered = FunctionTool(functools.partial(add, 1))
    assert (offered.name, offered.tool.description) == ("add", "Add two numbers.")
    assert list(offered.tool.parameters["properties"]) == ["y"]


def read_in_thread(reply):
    """Read a reply in a thread, and return the thread."""
    thread = threading.Thread(target=reply.wait)
    thread.start()
    return thread


@pytest.mark.parametrize("parallel", [False, True])
def test_a_function_that_can_not_be_stopped_is_told_as_still_running(parallel):
    done, begun = threading.Event(), threading.Event()

    def wait() -> str:
        """Wait."""
        begun.set()
        done.wait(30)
        return "late"

    chat = Chat(Model(wants(("wait", "{}")), says("never")))
    reply = chat.stream("hi", tools=[tool(parallel=parallel)(wait)])
    thread = read_in_thread(reply)
    begun.wait(20)
    reply.cancel()
    thread.join(10)
    assert not thread.is_alive()
    done.set()
    turn = reply.turn
    assert turn.status == "interrupted"
    assert turn.calls[0].result == "interrupted; it can't be stopped and is still running"


def test_an_async_function_is_cancelled():
    begun, ended = threading.Event(), []

    async def wait():
        """Wait."""
        begun.set()
        try:
            await asyncio.sleep(30)
        finally:
            ended.append(True)

    chat = Chat(Model(wants(("wait", "{}")), says("never")))
    reply = chat.stream("hi", tools=[wait])
    thread = read_in_thread(reply)
    begun.wait(20)
    reply.cancel()
    thread.join(10)
    assert not thread.is_alive()
    assert ended
    assert reply.turn.calls[0].result == "interrupted"


def test_in_the_main_thread_a_stop_from_elsewhere_interrupts_the_function():
    cancellation, begun = Cancellation(), threading.Event()

    def sleep():
        """Sleep."""
        begun.set()
        time.sleep(30)

    def stop():
        begun.wait(20)
        cancellation.cancel()

    threading.Thread(target=stop).start()
    model = Model(wants(("sleep", "{}"), ("sleep", "{}")))
    told = []
    deltas = stream([sleep], model, request(cancellation=cancellation))
    with pytest.raises(Cancelled):
        told.extend(iter(deltas))
    assert results(told) == [("sleep", "interrupted")]


def test_an_interrupt_ends_calls_that_run_at_once():
    done, begun = threading.Event(), threading.Barrier(2)

    @tool(parallel=True)
    def wait():
        """Wait."""
        begun.wait(20)
        done.wait(30)

    def interrupt():
        import signal

        begun.wait(20)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    chat = Chat(Model(wants(("wait", "{}")), says("never")))
    with pytest.raises(Interrupted):
        chat.ask("hi", tools=[wait])
    done.set()
    assert "still running" in chat.conversation.turns[-1].calls[0].result


def test_the_limit_of_seconds_ends_a_call_and_says_so():
    def sleep():
        """Sleep."""
        time.sleep(30)

    chat = Chat(Model(wants(("add", '{"x": 1}'), ("sleep", "{}"), text="First."), says("never")))
    turn = chat.ask("hi", tools=[add, sleep], limits={"seconds": 0.3})
    assert (turn.status, turn.finish_reason) == ("truncated", TOO_MANY_SECONDS)
    assert turn.error == "Stopped at the limit of 0.3 s; what was done so far is kept."
    assert [(call.name, call.result) for call in turn.calls] == [("add", "2"), ("sleep", "interrupted")]
    assert turn.reply == "First."


def test_the_limit_of_seconds_ends_a_stream():
    def drip():
        for _ in range(1000):
            time.sleep(0.01)
            yield from says("x")[:1]

    model = Model(drip())
    turn = Chat(model).ask("hi", tools=[add], limits={"seconds": 0.2})
    assert turn.finish_reason == TOO_MANY_SECONDS
    assert turn.reply.startswith("x")
    assert model.closed == 1


@pytest.mark.parametrize(("limits", "reason", "told"), [
    ({"tokens": 100}, TOO_MANY_TOKENS, "the limit of 100 tokens"),
    ({"usd": 0.001}, TOO_MUCH_USD, "the limit of 0.001 USD"),
    ({"rounds": 1}, "max_tool_rounds", "the limit of 1 round of tool calls"),
    ({"rounds": 0}, "max_tool_rounds", "the limit of 0 rounds of tool calls"),
])  # fmt: skip
def test_each_limit_ends_the_reply_and_says_which(limits, reason, told):
    usage = Usage(80, 10)
    chat = Chat(Model(*[wants(("add", '{"x": 1}'), usage=usage)] * 20))
    chat.prices = {"model": [10, 10]}
    turn = chat.ask("hi", tools=[add], limits=limits)
    assert (turn.finish_reason, told in turn.error) == (reason, True)
    assert len(turn.calls) < 3


def test_limits_compose():
    both = Limits(seconds=60) & Limits(rounds=3, seconds=90, usd=1)
    assert both == Limits(3, 60, None, 1)
    chat = Chat(Model(*[wants(("add", '{"x": 1}'))] * 20), limits={"rounds": 2})
    assert len(chat.ask("hi", tools=[add], limits={"seconds": 60}).calls) == 2
    chat = Chat(Model(*[wants(("add", '{"x": 1}'))] * 12, says("done")))
    assert len(chat.ask("hi", tools=[add], limits={"rounds": 20}).calls) == 12


@pytest.mark.parametrize("limits", [{"rounds": -1}, {"rounds": 1.5}, {"seconds": "x"}, {"usd": True}, {"hours": 1}, 3,
                                    {"seconds": float("nan")}])  # fmt: skip
def test_an_invalid_limit_is_refused(limits):
    with pytest.raises(UsageError, match="limit"):
        Chat(Model()).prepare("hi", tools=[add], limits=limits)


def test_a_limit_of_cost_needs_a_price():
    chat = Chat(Model())
    chat.model = "m"
    with pytest.raises(UsageError, match="price of model:m is unknown"):
        chat.prepare("hi", tools=[add], limits={"usd": 1})


def test_the_time_of_an_answer_does_not_count():
    spent = Spent(Limits(seconds=10), Price(1, 1))
    spent.waited += 100
    assert spent.seconds_left > 100


def test_a_duration_is_kept(monkeypatch):
    clock = itertools.count(100.0, 2.5)
    monkeypatch.setattr(running, "time", SimpleNamespace(monotonic=lambda: next(clock)))

    def work():
        """Work."""

    loop = ToolLoop(Toolbox([work]))
    deltas = list(loop.stream(Model(wants(("work", "{}")), says("done")), request()))
    assert [call.elapsed for d in deltas for call in d.calls if call.result is not None] == [2.5]


@pytest.mark.parametrize(("stopped", "told"), [(True, "interrupted"), (False, "error: The call was cancelled.")])
def test_call_that_ends_with_its_event_loop_is_interrupted_if_the_reply_was_stopped(stopped, told):
    reply = Cancellation()

    def end_with_the_loop(_own):
        raise Cancelled

    job = running.Job(0, end_with_the_loop)
    if stopped:
        reply.cancel()
    with pytest.raises(Cancelled) if stopped else nullcontext():
        job.make(reply)
    assert job.told().text == told

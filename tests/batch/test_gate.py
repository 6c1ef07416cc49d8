"""Rate, budget and circuit breaker: what may start, and when. Time is counted, not waited for."""

import itertools
import threading
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.batch.breaker import CircuitBreaker
from lockbots_magic.batch.budget import BudgetGuard, parse_budget
from lockbots_magic.batch.gate import RateGate
from lockbots_magic.errors import ConnectionFailed, ContextLengthError, RateLimitError, UsageError
from tests.batch.server import RowServer, refusal, whole


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def starts(gate, clock, count, tokens=0):
    """Start `count` requests as soon as the gate lets them; return when they started."""
    times = []
    while len(times) < count:
        pause = gate.start(tokens)
        if pause:
            clock.now += pause
        else:
            times.append(clock.now)
    return times


def test_requests_are_spaced_evenly():
    clock = Clock()
    times = starts(RateGate(active=8, rpm=120, clock=clock), clock, 30)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(gap == pytest.approx(0.5) for gap in gaps)
    clock.now += 60  # a quiet minute earns no burst
    gate = RateGate(active=8, rpm=120, clock=clock)
    starts(gate, clock, 1)
    clock.now += 60
    times = starts(gate, clock, 3)
    assert times[1] - times[0] == pytest.approx(0.5)


@given(st.lists(st.integers(0, 500), min_size=1, max_size=40))
def test_tokens_of_any_minute_stay_below_the_limit(sizes):
    clock = Clock()
    gate = RateGate(active=8, tpm=1000, clock=clock)
    sent = [(starts(gate, clock, 1, size)[0], size) for size in sizes]
    for begin, _ in sent:
        assert sum(size for at, size in sent if begin <= at < begin + 60 - 1e-6) <= 1000 + 500


def test_tokens_are_corrected_by_what_was_used():
    clock = Clock()
    gate = RateGate(active=8, tpm=60, clock=clock)
    assert gate.start(10) == 0
    gate.settle(10, 30)
    assert gate.start(1) == pytest.approx(30)


def test_refusal_halves_what_is_under_way_and_it_grows_back_slowly():
    clock = Clock()
    gate = RateGate(active=8, clock=clock)
    for _ in range(8):
        assert gate.start() == 0
    for _ in range(8):  # of one moment: they count once
        gate.refuse(2.0, started=clock.now - 1)
    assert gate.active == 4
    assert gate.start() == pytest.approx(2.0)
    clock.now += 2.0
    assert gate.start() == 0
    gate.refuse(1.0, started=clock.now)
    assert gate.active == 2
    answers = 0
    while gate.active < 8:
        gate.succeed()
        answers += 1
    assert 20 <= answers <= 40
    for _ in range(20):
        clock.now += 10
        gate.refuse(0.0, started=clock.now)
    assert gate.active == 1


def test_invalid_limits_are_refused():
    for name, value in (("active", 0), ("active", 1.5), ("rpm", -1), ("tpm", 0), ("rpm", float("nan")), ("rpm", "9")):
        with pytest.raises(UsageError, match=name):
            RateGate(**{"active": 8, name: value})


def test_budget_is_a_number_of_usd_or_text():
    assert str(parse_budget("2 USD")) == str(parse_budget("$2")) == str(parse_budget(2.0)) == "$2.00"
    assert str(parse_budget(0.003)) == "$0.0030"
    assert str(parse_budget("1.5M tokens")) == "1,500,000 tokens"
    for wrong in (0, -1, "much", True, float("inf"), []):
        with pytest.raises(UsageError, match="budget"):
            parse_budget(wrong)


def test_unknown_price_refuses_a_budget_before_the_first_request():
    with RowServer() as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        with pytest.raises(UsageError, match=r"price of openai:m is unknown.*prices="):
            chat.map("{{ value }}", ["a"], budget=1)
        assert server.count == 0


def test_budget_is_kept_with_what_is_under_way():
    cost = 15 / 1000  # 10 + 5 tokens at 1000 USD per 1,000,000
    prices = {"openai:m": [1000, 1000]}
    for active in (1, 4):
        with RowServer() as server:
            chat = Chat("openai:m", base_url=server.url, auth="k")
            batch = chat.map("{{ value }}", list("abcdefghijklmnop"), active=active, budget=10 * cost, prices=prices)
            assert batch.usage.cost <= 10 * cost + active * cost
            assert server.count >= 8
            assert "budget of $0.15" in batch.stopped
            assert len(batch.failed) == 16 - server.count
            assert batch.failed[-1].error.startswith("Not asked")


def test_without_a_budget_nothing_is_estimated():
    guard = BudgetGuard(None, "openai", "m", {"openai:m": [1000, 1000]})
    assert (guard.estimate(1_000_000), guard.allows(1e9)) == (0, True)


def test_budget_in_tokens_needs_no_price():
    with RowServer() as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        batch = chat.map("{{ value }}", [str(n) for n in range(50)], active=2, budget="100 tokens", prices={})
    assert batch.usage.tokens <= 100 + 2 * 15
    assert batch.stopped


def test_batch_goes_on_when_it_is_run_again(tmp_path):
    prices = {"openai:m": [1000, 1000]}
    keep = tmp_path / "kept.jsonl"
    with RowServer() as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        for _ in range(4):
            batch = chat.map("{{ value }}", list("abcdefgh"), budget=0.05, prices=prices, keep=keep, active=1)
        assert batch.failed == []
        assert server.count == 8
        assert not batch.stopped


def test_wait_of_the_server_is_honoured_and_no_row_is_lost():
    refused = []

    def answer(prompt, number):
        if number == 1 and len(refused) < 4:
            refused.append(time.monotonic())
            return refusal(429, "Slow down", retry_after_ms="300")
        return whole(prompt)

    with RowServer(answer) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        batch = chat.map("{{ value }}", [str(n) for n in range(20)], active=4)
        later = [at for at in server.times if at > max(refused) + 0.02]
    assert batch.failed == []
    assert min(later) - min(refused) >= 0.29
    assert server.count == 24


def test_storm_of_refusals_ends_in_errors():
    with RowServer(lambda prompt, number: refusal(429, "Slow down")) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k", backoff=0.001, max_retries=2)
        batch = chat.map("{{ value }}", [str(n) for n in range(100)], active=4)
    assert len(batch.failed) == 100
    assert batch.failed[0].error.startswith("RateLimitError")
    assert batch.stopped, "a service that answers nobody is not asked for ever"
    assert server.count < 100


def test_very_long_wait_ends_the_batch():
    with RowServer(lambda prompt, number: refusal(429, "Come back", retry_after="7200")) as server:
        batch = Chat("openai:m", base_url=server.url, auth="k").map("{{ value }}", list("abcdefgh"), active=2)
        assert server.count <= 2
    assert "7200 s" in batch.stopped


def test_breaker_tells_what_concerns_all_rows_from_what_concerns_one():
    breaker = CircuitBreaker()
    assert not any(breaker.fail(ContextLengthError("Too long.", status=400)) for _ in range(100))
    assert not any(breaker.fail(UsageError("No such file.")) for _ in range(100))
    assert [bool(breaker.fail(ConnectionFailed("Refused."))) for _ in range(5)] == [False] * 4 + [True]
    breaker.succeed()
    quota = RateLimitError("No credit.", status=402)
    assert [bool(breaker.fail(quota)) for _ in range(3)] == [False, False, True]


def test_chaos_leaves_a_value_or_an_error_in_every_row():
    released, hanging = threading.Event(), []

    def answer(prompt, number):
        kind = zlib.crc32(prompt.encode()) % 20
        if kind == 0:
            return None
        if kind == 1:
            return 200, {}, b'{"choices": [{'
        if kind == 2:
            return whole("no json here")
        if kind == 3 and number < 2:
            return refusal(429, "Slow down", retry_after_ms="20")
        if kind == 4:
            return refusal(500, "oops")
        if kind == 5:
            return refusal(400, "This content is refused")
        if kind == 6 and len(hanging) < 3:  # more of them in a row would end the batch
            hanging.append(prompt)  # the server holds it after the client has given up
            released.wait(30)
        return whole(str(len(prompt)))

    with RowServer(answer) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k", backoff=0.001, max_retries=1, timeout=(10, 3))
        rows = [f"row {n}" for n in range(300)]
        batch = chat.map("{{ value }}", rows, schema=int, active=16)
        released.set()
    assert len(batch.answers) == 300
    assert not batch.stopped
    assert all((row.value is None) == bool(row.error) for row in batch.answers)
    assert server.most_active <= 16 + len(hanging)

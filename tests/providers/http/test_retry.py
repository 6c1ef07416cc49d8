"""Retry policy and backoff."""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import ChatRequest, Delta
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import (
    Cancelled,
    ConnectionFailed,
    HTTPStatusError,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers.http import TimeLimits, retry, server_wait
from lockbots_magic.providers.http.retry import JITTER, MAX_PAUSE, Deltas, get_retry_pause, with_retries
from lockbots_magic.providers.http.server_wait import parse_retry_after
from lockbots_magic.providers.presets import presets
from tests.rawserver import PATIENCE, Peer, RawServer, hangs, sends

REPLY = b'data: {"choices": [{"delta": {"content": "hello"}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
START = b'data: {"choices": [{"delta": {"content": "he"}}]}\n\n'


class Pauses(Cancellation):
    """Records the pauses before retries instead of waiting; `then` is called in each."""

    def __init__(self, then: Callable[[float], object] | None = None) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self._then = then

    def wait(self, seconds: float) -> bool:
        self.pauses.append(seconds)
        if self._then is not None:
            self._then(seconds)
        return super().wait(0)


class Clock:
    """Stands for the module `time` in `retry`; time passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    time = monotonic

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    monkeypatch.setattr(server_wait, "time", clock)
    monkeypatch.setattr(retry, "JITTER", 0.0)
    return clock


# The pause


@pytest.mark.parametrize(("value", "seconds"), [("0", 0), ("7", 7), (" 120 ", 120), ("1.5", 1.5)])
def test_retry_after_in_seconds(value, seconds):
    assert parse_retry_after(value) == seconds


@pytest.mark.parametrize("ahead", [0, 20, 5000])
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
def test_retry_after_as_a_date(monkeypatch, clock, ahead, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for text in (formatdate(clock.time() + ahead, usegmt=True), time.asctime(time.gmtime(clock.time() + ahead))):
            assert parse_retry_after(text) == ahead
    finally:
        monkeypatch.undo()
        time.tzset()


def test_retry_after_in_the_past_is_now():
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "1e3", "9" * 40, "٣", "Wed, 99 Oct 2015 07:28:00 GMT", "inf", "nan"]
)
def test_invalid_retry_after_is_none(value):
    assert parse_retry_after(value) is None


@given(st.text() | st.text("0123456789 :,+-GMTWedOct."))
def test_any_retry_after_is_a_pause_or_none(value):
    pause = parse_retry_after(value)
    assert pause is None or pause >= 0


def test_own_pause_doubles_is_capped_and_has_jitter():
    error = ConnectionFailed("no")
    for tried, longest in ((0, 0.5), (1, 1), (2, 2), (3, 4), (10_000, MAX_PAUSE)):
        pauses = {get_retry_pause(error, tried, 0.5) for _ in range(50)}
        assert len(pauses) > 10
        assert all(longest * (1 - JITTER) <= pause <= longest for pause in pauses)
    assert get_retry_pause(error, 3, 0) == 0


def test_pauses_leave_the_random_numbers_of_the_user_alone():
    random.seed(7)
    state = random.getstate()
    get_retry_pause(ServerError("busy", status=503), 1, 0.5)
    assert random.getstate() == state, "a seed must give the same results, retries or not"


def test_wait_of_the_server_takes_precedence_and_has_no_jitter():
    for asked in (2, 0, 3600):
        assert {get_retry_pause(RateLimitError("no", status=429, retry_after=asked), 5, 0.5) for _ in range(9)} == {
            asked
        }
    assert get_retry_pause(RateLimitError("no, try again in 1.2s.", status=429), 0, 0.5) == 1.2


# Policy


def attempts(*failures: Exception | None, before: str = "") -> tuple[Callable[[], Deltas], list[int]]:
    """Return an attempt that raises `failures` in turn, after the text `before`, and the list of its calls."""
    tries: list[int] = []

    def attempt() -> Deltas:
        tries.append(len(tries))
        if before:
            yield Delta(before)
        failure = failures[len(tries) - 1]
        if failure is not None:
            raise failure
        yield Delta("hello")

    return attempt, tries


def retried(
    attempt: Callable[[], Deltas], max_retries: int = 2, backoff: float = 0.0, deadline: float = math.inf,
    cancellation: Cancellation | None = None,
) -> Deltas:  # fmt: skip
    return with_retries(
        attempt, max_retries=max_retries, backoff=backoff, deadline=deadline,
        cancellation=cancellation or Cancellation(),
    )  # fmt: skip


PASSING = [ConnectionFailed("no"), ProviderTimeout("no"), *(HTTPStatusError("no", status=s) for s in (408, 409, 429)),
           *(ServerError("no", status=s) for s in (500, 502, 503, 529))]  # fmt: skip
LASTING = [
    ProtocolError("no"),
    *(HTTPStatusError("no", status=s) for s in (400, 401, 402, 403, 404, 422)),
    ServerError("no"),
]


@pytest.mark.parametrize("failure", PASSING, ids=str)
def test_temporary_failure_is_retried_with_a_notice(failure):
    attempt, tries = attempts(failure, failure, None)
    notice = Delta(notice="no. Retrying in 0 s.")
    assert list(retried(attempt)) == [notice, notice, Delta("hello")]
    assert len(tries) == 3


def test_notice_names_the_requested_pause_exactly():
    for seconds, words in ((0.25, "0.25 s"), (0.0, "0 s")):
        attempt, _ = attempts(RateLimitError("Slow down.", status=429, retry_after=seconds), None)
        assert next(retried(attempt)).notice == f"Slow down. Retrying in {words}."


@pytest.mark.parametrize("failure", LASTING, ids=str)
def test_permanent_failure_is_not_retried(failure):
    attempt, tries = attempts(failure, None)
    with pytest.raises(type(failure)):
        list(retried(attempt))
    assert len(tries) == 1


@pytest.mark.parametrize("count", [0, 1, 4])
def test_retries_are_bounded(count):
    attempt, tries = attempts(*[ConnectionFailed(str(n)) for n in range(9)])
    with pytest.raises(ConnectionFailed, match=str(count)) as caught:
        list(retried(attempt, max_retries=count))
    assert len(tries) == count + 1
    assert caught.value.__context__ is None


def test_failure_after_the_first_text_is_not_retried():
    attempt, tries = attempts(ConnectionFailed("no"), None, before="he")
    deltas = retried(attempt)
    assert next(deltas) == Delta("he")
    with pytest.raises(ConnectionFailed):
        next(deltas)
    assert len(tries) == 1


def test_no_retry_if_the_pause_exceeds_the_deadline(clock):
    for left, count in ((4.9, 1), (5.0, 1), (5.1, 2)):
        attempt, tries = attempts(ConnectionFailed("no"), None)
        cancellation = Pauses()
        deltas = retried(attempt, backoff=5, deadline=clock.now + left, cancellation=cancellation)
        with pytest.raises(ConnectionFailed) if count == 1 else nullcontext():
            list(deltas)
        assert (len(tries), cancellation.pauses) == (count, [5] * (count - 1)), left


def test_attempts_and_pauses_count_towards_the_deadline(clock):
    tries = []

    def attempt() -> Deltas:
        tries.append(clock.now)
        clock.advance(10)
        yield Delta(notice="connecting")
        raise ProviderTimeout("no")

    deltas = retried(attempt, max_retries=1000, backoff=1, deadline=clock.now + 25, cancellation=Pauses(clock.advance))
    with pytest.raises(ProviderTimeout):
        list(deltas)
    assert tries == [1000, 1011, 1023], "the third ends at 1033"


def test_closing_closes_the_attempt():
    closed = threading.Event()

    def attempt() -> Deltas:
        try:
            yield Delta("he")
        finally:
            closed.set()

    deltas = retried(attempt)
    next(deltas)
    deltas.close()
    assert closed.is_set()


# Through a provider, over the wire


def refuses(status: str, times: int, **headers: str) -> Callable[[Peer], None]:
    """Return a script that responds with `status` for the first `times` requests, then with a reply."""

    def script(peer: Peer) -> None:
        while peer.request():
            if len(peer.server.requests) <= times:
                peer.answer(b"no", status, **headers)
            else:
                peer.answer(REPLY)

    return script


def deltas_of(url: str, *, cancel: Cancellation | None = None, **settings: float) -> Iterator[Delta]:
    provider = presets.vllm(base_url=url, **{"backoff": 0.01, **settings})
    return provider.stream(ChatRequest("m", (), cancellation=cancel or Cancellation()))


@pytest.mark.parametrize("status", ["429 No", "503 No", "500 No"])
def test_temporary_refusal_is_retried_on_the_same_connection(status):
    with RawServer(refuses(status, 2)) as server:
        deltas = list(deltas_of(server.url))
        assert "".join(d.text for d in deltas) == "hello"
        assert [bool(d.notice) for d in deltas[:2]] == [True, True]
        assert (len(server.requests), server.connections) == (3, 1)


@pytest.mark.parametrize("value", ["0.05", "0", formatdate(0, usegmt=True)])
def test_retry_after_is_obeyed(value):
    with RawServer(refuses("429 No", 1, Retry_After=value)) as server:
        cancel = Pauses()
        assert "".join(d.text for d in deltas_of(server.url, cancel=cancel, backoff=PATIENCE)) == "hello"
        assert cancel.pauses == [0.05 if value == "0.05" else 0]


@pytest.mark.parametrize("ahead", [3600, "date", 31])
@pytest.mark.parametrize("max_retries", [0, 2])
def test_longer_wait_than_is_kept_is_told_and_nothing_is_asked_again(ahead, max_retries):
    value = formatdate(time.time() + 3600, usegmt=True) if ahead == "date" else str(ahead)
    with RawServer(refuses("429 No", 1, Retry_After=value)) as server:
        with pytest.raises(RateLimitError, match=r"asks to wait (3600|359\d|31) s") as caught:
            list(deltas_of(server.url, max_retries=max_retries))
        assert "longer than retries do (30 s)" in str(caught.value)
        assert len(server.requests) == 1


def test_wait_in_the_words_of_the_server_is_kept():
    def script(peer: Peer) -> None:
        while peer.request():
            if len(peer.server.requests) == 1:
                peer.answer(b'{"error": {"message": "Rate limit reached. Please try again in 1.5s."}}', "429 No")
            elif len(peer.server.requests) == 2:
                info = b'{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}'
                peer.answer(b'[{"error": {"code": 429, "message": "Quota", "details": [%s]}}]' % info, "429 No")
            else:
                peer.answer(REPLY)

    cancel = Pauses()
    with RawServer(script) as server:
        deltas = list(deltas_of(server.url, cancel=cancel))
    assert cancel.pauses == [1.5, 2.5]
    assert [d.notice[-18:] for d in deltas if d.notice] == ["Retrying in 1.5 s.", "Retrying in 2.5 s."]


@pytest.mark.parametrize(
    ("status", "says", "count"), [("500 No", "false", 1), ("429 No", "false", 1), ("400 No", "true", 2)]
)
def test_server_decides_whether_to_retry(status, says, count):
    with RawServer(refuses(status, 1, x_should_retry=says)) as server:
        with pytest.raises(HTTPStatusError) if count == 1 else nullcontext():
            list(deltas_of(server.url))
        assert len(server.requests) == count


def test_quota_that_is_used_up_is_not_retried():
    with RawServer(
        answers_with("429 No", b'{"error": {"message": "no money", "code": "insufficient_quota"}}')
    ) as server:
        with pytest.raises(RateLimitError):
            list(deltas_of(server.url))
        assert len(server.requests) == 1


def answers_with(status: str, body: bytes, times: int = 1000) -> Callable[[Peer], None]:
    """Return a script that refuses the first `times` requests with `body`, and then replies."""

    def script(peer: Peer) -> None:
        while request := peer.request():
            if len(peer.server.requests) <= times:
                peer.answer(body, status)
            elif request.target.endswith("/models"):
                peer.answer(b'{"object": "list", "data": [{"id": "m"}]}')
            else:
                peer.answer(REPLY)

    return script


LOADING = [
    ("503 No", b'{"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}'),
    ("500 No", b'{"error": {"message": "llm server loading model"}}'),
    ("503 No", b'{"error": "Model m is currently loading", "estimated_time": 20.0}'),
    ("400 No", b'{"error": "The model is still loading."}'),
]


@pytest.mark.parametrize(("status", "body"), LOADING)
def test_model_that_is_loading_is_waited_for_with_one_notice(status, body):
    with RawServer(answers_with(status, body, times=7)) as server:
        deltas = list(deltas_of(server.url, cancel=Pauses(), max_retries=1))
        assert "".join(d.text for d in deltas) == "hello"
        (notice,) = [d.notice for d in deltas if d.notice]
        assert notice == "The server is loading the model. Waiting for it, up to 600 s (10 min)."
        assert len(server.requests) == 8


def test_model_that_never_loads_is_waited_for_in_bounds(clock):
    cancel = Pauses(clock.advance)
    with RawServer(answers_with(*LOADING[0])) as server, pytest.raises(ServerError, match=r"Loading model .* Waited"):
        list(deltas_of(server.url, cancel=cancel, backoff=300, total_timeout=1e9))
    assert sum(cancel.pauses) <= retry.MAX_LOADING


def test_model_that_failed_to_load_is_not_waited_for():
    body = b'{"error": {"message": "error loading model: out of memory"}}'
    with RawServer(answers_with("500 No", body)) as server:
        with pytest.raises(ServerError):
            list(deltas_of(server.url))
        assert len(server.requests) == 3


def test_silent_server_is_not_asked_again_and_the_setting_is_named():
    with RawServer(hangs()) as server:
        with pytest.raises(ProviderTimeout, match=r"sent no data .*0\.1 s.*silence_timeout 0\.2"):
            list(deltas_of(server.url, timeout=(PATIENCE, 0.1)))
        assert len(server.requests) == 1


def test_silence_is_not_limited_on_this_machine_and_600_s_elsewhere():
    limits = TimeLimits(10)
    assert limits.silence_of("http://localhost:1/v1") == limits.silence_of("http://[::1]") == math.inf
    assert limits.silence_of("https://api.openai.com/v1") == 600
    assert TimeLimits(10, 5).silence_of("http://127.0.0.1") == 5
    provider = presets.vllm()
    assert (provider.timeout, provider.total_timeout) == ((10, None), math.inf)


def test_list_that_names_the_default_model_is_retried_and_its_failure_advised():
    with RawServer(answers_with("503 No", b"busy", times=2)) as server:
        provider = presets.vllm(base_url=server.url, backoff=0.01)
        assert "".join(d.text for d in provider.stream(ChatRequest("", ()))) == "hello"
        assert [r.target for r in server.requests[:3]] == ["/models"] * 3
    with pytest.raises(ConnectionFailed, match=r"Is the server running\?$"):
        list(presets.vllm(base_url=server.url, backoff=0.01).stream(ChatRequest("", ())))


@pytest.mark.parametrize("body", [LOADING[0][1], b"busy", b'{"error": {"message": "try again in 20s"}}'])
@pytest.mark.parametrize("model", ["m", ""])
def test_every_pause_ends_when_the_reply_is_cancelled(body, model):
    cancel = Pauses(lambda _: cancel.cancel())
    with RawServer(answers_with("503 No", body)) as server:
        provider = presets.vllm(base_url=server.url)
        with pytest.raises(Cancelled):
            list(provider.stream(ChatRequest(model, (), cancellation=cancel)))
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["400 No", "401 No", "403 No", "404 No"])
def test_permanent_refusal_is_not_retried(status):
    with RawServer(refuses(status, 9)) as server:
        with pytest.raises(HTTPStatusError, match=r"^no") as caught:
            list(deltas_of(server.url))
        assert caught.value.status == int(status[:3])
        assert len([r for r in server.requests if r.line.startswith("POST")]) == 1


def test_last_failure_names_provider_and_model():
    with RawServer(refuses("503 No", 9)) as server:
        with pytest.raises(ServerError) as caught:
            list(deltas_of(server.url, max_retries=3))
        assert (caught.value.provider, caught.value.model, caught.value.partial) == ("vllm", "m", "")
        assert len(server.requests) == 4


def test_reply_cut_off_after_text_is_not_retried():
    with RawServer(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + START)) as server:
        with pytest.raises(ConnectionFailed) as caught:
            list(TurnAccumulator().follow(deltas_of(server.url)))
        assert caught.value.partial == "he"
        assert len(server.requests) == 1


def test_connection_closed_before_the_response_is_retried():
    def script(peer: Peer) -> None:
        peer.request()
        if peer.number == 2:
            peer.answer(REPLY)

    with RawServer(script) as server:
        assert "".join(d.text for d in deltas_of(server.url)) == "hello"
        assert server.connections == 2


def test_total_timeout_includes_retries():
    with RawServer(hangs()) as server:
        with pytest.raises(ProviderTimeout):
            list(deltas_of(server.url, timeout=(PATIENCE, 0.1), total_timeout=0.25, max_retries=30, backoff=0))
        assert len(server.requests) <= 3, "each takes 0.1 s"


def test_every_failure_above_is_a_provider_error():
    assert all(isinstance(failure, ProviderError) for failure in PASSING + LASTING)

"""The debouncer: one run of a slow action for many requests."""

import threading

import pytest

from lockbots_magic.panel import debouncer
from lockbots_magic.panel.debouncer import Debouncer
from lockbots_magic.security.secrets import Secret

UNDELAYED = 0.2
"""Time (s) after which an action would long have run, were there no delay."""


@pytest.fixture
def endless(monkeypatch):
    """A delay that no test waits for."""
    monkeypatch.setattr(debouncer, "DELAY", 60)


class Action:
    """Counts its runs."""

    def __init__(self):
        self.runs = 0
        self.began = threading.Event()

    def __call__(self):
        self.runs += 1
        self.began.set()


@pytest.mark.usefixtures("endless")
def test_request_waits_for_the_delay():
    action = Action()
    worker = Debouncer(action)
    worker.request()
    assert not action.began.wait(UNDELAYED)
    worker.close()
    assert action.runs == 1


@pytest.mark.usefixtures("endless")
def test_requests_during_the_delay_are_one_run():
    action = Action()
    worker = Debouncer(action)
    for _ in range(20):
        worker.request()
    worker.flush()
    assert action.runs == 1


def test_request_is_run_after_the_delay_without_a_flush(monkeypatch):
    monkeypatch.setattr(debouncer, "DELAY", 0.01)
    action = Action()
    worker = Debouncer(action)
    worker.request()
    assert action.began.wait(30)
    worker.close()
    assert action.runs == 1


def test_request_during_a_run_is_another_run(monkeypatch):
    monkeypatch.setattr(debouncer, "DELAY", 0.01)
    running, go_on, runs = threading.Event(), threading.Event(), []

    def act():
        runs.append(threading.current_thread())
        running.set()
        assert go_on.wait(30)

    worker = Debouncer(act)
    worker.request()
    assert running.wait(30)
    worker.request()
    go_on.set()
    worker.flush()
    assert len(runs) == 2


@pytest.mark.usefixtures("endless")
def test_flush_without_a_request_runs_nothing():
    action = Action()
    worker = Debouncer(action)
    worker.flush()
    assert action.runs == 0


@pytest.mark.usefixtures("endless")
def test_closed_debouncer_accepts_no_request():
    action = Action()
    worker = Debouncer(action)
    worker.close()
    worker.request()
    worker.flush()
    assert action.runs == 0


def test_thread_ends_without_requests_and_a_closed_worker_starts_none():
    worker = Debouncer(lambda: None)
    worker.request()
    thread = worker._thread
    thread.join(30)
    assert not thread.is_alive()
    worker.request()
    worker.close()
    worker.request()
    assert worker._thread is None


def test_flush_runs_a_requested_action_before_it_returns(endless):
    done = []
    worker = Debouncer(lambda: done.append(1))
    worker.flush()
    assert done == []
    for count in (1, 2):
        worker.request()
        worker.flush()
        assert done == [1] * count
    worker.request()
    worker.close()
    assert done == [1] * 3


def test_failed_action_is_a_warning_and_the_next_run_succeeds():
    done = threading.Event()
    results = iter([lambda: 1 / 0, done.set])
    worker = Debouncer(lambda: next(results)())  # noqa: PLW0108  # the next one each time
    with pytest.warns(UserWarning, match="The panel's transcript failed: ZeroDivisionError"):
        request_and_wait(worker)
    worker.request()
    worker.close()
    assert done.is_set()


def request_and_wait(worker):
    worker.request()
    worker._thread.join(30)


def test_delay_is_one_that_a_reader_tolerates():
    assert 0.1 <= debouncer.DELAY <= 1


def test_warning_of_a_failed_action_shows_no_credential():
    secret = Secret("planted-credential-1")

    def fail():
        raise OSError("\x1b[2Jplanted\0-credential-1")

    with pytest.warns(UserWarning, match=r"The panel's transcript failed: OSError: \[2J\*\*\*\Z"):
        request_and_wait(Debouncer(fail))
    assert secret

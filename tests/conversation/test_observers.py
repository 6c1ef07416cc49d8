"""Observers: notified on changes, held weakly, and isolated from each other's failures."""

import gc
import weakref

import pytest

from lockbots_magic.conversation.observers import Observers
from lockbots_magic.security.secrets import Secret


class Watcher:
    def __init__(self):
        self.told = 0

    def notice(self):
        self.told += 1


def test_observer_is_notified_until_it_is_removed():
    observers, watcher = Observers(), Watcher()
    observers.add(watcher.notice)
    observers.notify()
    observers.remove(watcher.notice)
    observers.notify()
    assert watcher.told == 1
    assert len(observers) == 0


def test_method_is_held_weakly():
    observers, watcher = Observers(), Watcher()
    observers.add(watcher.notice)
    gone = weakref.ref(watcher)
    del watcher
    gc.collect()
    assert gone() is None
    assert len(observers) == 0
    observers.notify()


def test_function_is_held_strongly():
    observers, told = Observers(), []
    observers.add(lambda: told.append(1))
    gc.collect()
    observers.notify()
    assert told == [1]


def test_failing_observer_is_a_warning_and_the_others_are_notified():
    observers, watcher = Observers(), Watcher()
    observers.add(lambda: 1 / 0)
    observers.add(watcher.notice)
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        observers.notify()
    assert watcher.told == 1


def test_warning_of_a_failing_observer_shows_no_credential():
    secret, observers = Secret("planted-credential-1"), Observers()

    def fail():
        raise OSError("\x1b[2Jplanted\0-credential-1")

    observers.add(fail)
    with pytest.warns(UserWarning, match=r"Updating a view failed: OSError: \[2J\*\*\*\Z"):
        observers.notify()
    assert secret

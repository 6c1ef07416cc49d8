"""Who wants to know of changes, and who does not live for it."""

import gc
import weakref

import pytest

from lockbots_magic.conversation.observers import Observers


class Watcher:
    def __init__(self):
        self.told = 0

    def tell(self):
        self.told += 1


def test_a_watcher_is_told_until_it_is_removed():
    observers, watcher = Observers(), Watcher()
    observers.add(watcher.tell)
    observers.tell()
    observers.remove(watcher.tell)
    observers.tell()
    assert watcher.told == 1
    assert len(observers) == 0


def test_a_method_does_not_keep_its_object():
    observers, watcher = Observers(), Watcher()
    observers.add(watcher.tell)
    gone = weakref.ref(watcher)
    del watcher
    gc.collect()
    assert gone() is None
    assert len(observers) == 0
    observers.tell()


def test_a_function_is_kept():
    observers, told = Observers(), []
    observers.add(lambda: told.append(1))
    gc.collect()
    observers.tell()
    assert told == [1]


def test_one_that_fails_is_warned_of_and_the_others_are_told():
    observers, watcher = Observers(), Watcher()
    observers.add(lambda: 1 / 0)
    observers.add(watcher.tell)
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        observers.tell()
    assert watcher.told == 1

"""Who wants to know of changes, and who does not live for it."""

import gc
import weakref

import pytest

from lockbots_magic.watchers import Watchers


class Watcher:
    def __init__(self):
        self.told = 0

    def tell(self):
        self.told += 1


def test_a_watcher_is_told_until_it_is_removed():
    watchers, watcher = Watchers(), Watcher()
    watchers.add(watcher.tell)
    watchers.tell()
    watchers.remove(watcher.tell)
    watchers.tell()
    assert watcher.told == 1
    assert len(watchers) == 0


def test_a_method_does_not_keep_its_object():
    watchers, watcher = Watchers(), Watcher()
    watchers.add(watcher.tell)
    gone = weakref.ref(watcher)
    del watcher
    gc.collect()
    assert gone() is None
    assert len(watchers) == 0
    watchers.tell()


def test_a_function_is_kept():
    watchers, told = Watchers(), []
    watchers.add(lambda: told.append(1))
    gc.collect()
    watchers.tell()
    assert told == [1]


def test_one_that_fails_is_warned_of_and_the_others_are_told():
    watchers, watcher = Watchers(), Watcher()
    watchers.add(lambda: 1 / 0)
    watchers.add(watcher.tell)
    with pytest.warns(UserWarning, match="ZeroDivisionError"):
        watchers.tell()
    assert watcher.told == 1

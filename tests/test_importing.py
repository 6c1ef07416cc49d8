"""Imports run without the collector, and leave it as it was."""

import gc

import pytest

from lockbots_magic.importing import without_collector


def fail():
    assert not gc.isenabled()
    raise ImportError


def test_collector_is_off_within_the_block_and_as_before_after_it():
    with pytest.raises(ImportError), without_collector():
        fail()
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_interrupt_right_behind_the_switch_leaves_the_collector_on(monkeypatch):
    def disable(switch=gc.disable):
        switch()
        raise KeyboardInterrupt

    monkeypatch.setattr(gc, "disable", disable)
    try:
        with pytest.raises(KeyboardInterrupt), without_collector():
            pass
        assert gc.isenabled()
    finally:
        gc.enable()

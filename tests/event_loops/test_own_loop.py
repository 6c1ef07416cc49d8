"""A loop of our own: which loop that is."""

import asyncio

from lockbots_magic.event_loops.own_loop import OwnLoop


def test_on_windows_the_loop_can_start_programs_whatever_the_policy_of_the_kernel(monkeypatch):
    made = []

    def make():
        made.append(asyncio.SelectorEventLoop())
        return made[0]

    monkeypatch.setattr(asyncio, "ProactorEventLoop", make, raising=False)
    own = OwnLoop(lasting=False)
    with own as host:
        assert host._loop is made[0]

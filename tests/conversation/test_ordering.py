"""Compact text form of the order of turns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.ordering import MAX_TURNS, format_order, parse_order, random_start


@given(st.lists(st.integers(1, 60) | st.integers(2**40, 2**40 + 60), unique=True, max_size=80))
def test_order_is_read_as_written(serials):
    assert parse_order(format_order(serials)) == tuple(serials)


def test_consecutive_turns_are_one_run():
    start = random_start()
    assert len(format_order(range(start, start + 2000))) <= 22
    assert format_order([10, 11, 12, 40, 13]) == "a 0+2 1e 3"


def test_conversations_start_at_different_numbers():
    assert len({random_start() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "-1 0",
        "1 x",
        "1 0+-1",
        "1 0+-2",
        "1 0 0",
        "1 0+2 1",
        f"1 0+{MAX_TURNS:x}",
        "1 0+" + "9" * 30,
        "1 " + "f" * 20,
    ],
)
def test_what_is_not_an_order_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  # also int's own
        parse_order(text)


def test_order_may_hold_as_many_turns_as_the_bound():
    assert len(parse_order(f"1 0+{MAX_TURNS - 1:x}")) == MAX_TURNS

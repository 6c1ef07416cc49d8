"""Difference between the turns that views have and those of the conversation."""

import pytest

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.panel.turn_diff import find_added_turn, newly_stale, sent_turns


def turns(ids):
    return [Turn(name, "reply", id=name) for name in ids]


@pytest.mark.parametrize(
    ("before", "after", "added"),
    [
        ("", "a", ("a", None, None)),
        ("ab", "abc", ("c", None, "b")),
        ("ab", "xab", ("x", None, None)),
        ("abc", "axc", ("x", "b", "a")),
        ("abc", "bcx", ("x", "a", "c")),
    ],
)
def test_one_added_turn_is_found_with_its_place(before, after, added):
    found = find_added_turn(sent_turns(turns(before)), turns(after))
    assert found is not None
    assert (found.turn.id, found.replaces, found.after) == added


@pytest.mark.parametrize(
    ("before", "after"), [("ab", "a"), ("a", "abc"), ("ab", "x"), ("abc", "x"), ("ab", "bax"), ("ab", "ba")]
)
def test_other_changes_need_a_snapshot(before, after):
    assert find_added_turn(sent_turns(turns(before)), turns(after)) is None


def test_turns_that_have_become_outdated_are_listed_once():
    before = [Turn("a", "reply", id="a"), Turn("b", "reply", id="b", stale=True)]
    after = [Turn(name, "reply", id=name, stale=True) for name in "abc"]
    assert newly_stale(sent_turns(before), after) == ["a", "c"]
    assert newly_stale(sent_turns(after), after) == []

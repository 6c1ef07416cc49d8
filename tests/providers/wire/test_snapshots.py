"""Streams that repeat their text: it is never doubled, and deltas are never lost."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.providers.wire.snapshots import MIN_FIRST, SnapshotFilter

WORDS = ["Well", ", ", "maybe", " not", ".\n", "Well", " then", ": yes"]


def filtered(*texts: str, last: int | None = None, whole: tuple[int, ...] = ()) -> str:
    text = SnapshotFilter()
    got = [text.feed(one, is_whole=n in whole, is_last=last is not None and n >= last) for n, one in enumerate(texts)]
    return "".join([*got, text.close()])


def test_deltas_pass_at_once():
    text = SnapshotFilter()
    assert [text.feed(word) for word in WORDS] == WORDS
    assert text.close() == ""


@pytest.mark.parametrize("many", range(1, len(WORDS) + 1))
def test_whole_text_in_the_last_chunk_adds_nothing(many):
    deltas, end = WORDS[:many], "".join(WORDS[:many])
    assert filtered(*deltas, end, whole=(many,)) == end
    assert filtered(*deltas, end, last=many) == end
    assert filtered(*deltas, end, last=many - 1, whole=(many,)) == end


def test_whole_text_may_add_the_rest_and_differ_in_white_space():
    assert filtered("Hello ", "you", "Hello you!", whole=(2,)) == "Hello you!"
    assert filtered(" Hello ", "you\n", "Hello you", whole=(2,)) == " Hello you\n"
    assert filtered("Hello ", "you", "Hello you!", last=2) == "Hello you!"
    assert filtered("a", "Another text.", whole=(1,)) == "aAnother text."


@pytest.mark.parametrize("many", range(1, len(WORDS) + 1))
@pytest.mark.parametrize("whole", [(), range(20)])
def test_snapshots_are_one_text(many, whole):
    snapshots = list(itertools.accumulate(WORDS[:many]))
    assert filtered(*snapshots, whole=whole) == snapshots[-1]
    assert filtered(*snapshots, snapshots[-1], whole=whole, last=many) == snapshots[-1]
    if many > 1:
        assert filtered(*(s for s in snapshots for _ in range(2)), whole=whole) == snapshots[-1]


def test_snapshots_come_while_they_grow():
    text = SnapshotFilter()
    snapshots = itertools.accumulate(WORDS)
    assert [text.feed(one) for one in snapshots] == ["Well", "", "", "", ", maybe not.\n", "Well", " then", ": yes"]


def test_snapshot_may_correct_its_end():
    assert filtered("One", "One two", "One two three \ufffd", "One two three 🙂", "One two three 🙂!").endswith("🙂!")


@pytest.mark.parametrize("deltas", [
    ["ha", "ha", "ha"], ["0", "00", "1"], [" ", "    ", "x"], ["The", "The", " end"], ["no", "nono"], ["==", "===="],
    ["a", "ab", "c"], ["Hey", "Hey there", " you"], ["bo", "bo"], ["x", "x", "x"],
])  # fmt: skip
def test_deltas_that_repeat_are_kept(deltas):
    assert filtered(*deltas) == "".join(deltas)


@given(st.lists(st.text("ab \n", min_size=1, max_size=5), min_size=1, max_size=9), st.booleans())
def test_nothing_is_lost_or_doubled(pieces, are_whole):
    snapshots = list(itertools.accumulate(pieces))
    text = snapshots[-1]
    whole = range(len(snapshots)) if are_whole else ()
    if len(pieces) == 1 or (len(set(text)) > 1 and (len(pieces) > 2 or len(pieces[0]) >= MIN_FIRST)):
        assert filtered(*snapshots, whole=whole) == text
    if len(pieces) > 1 and not pieces[1].startswith(pieces[0]):
        assert filtered(*pieces, whole=whole) == text
        assert filtered(*pieces, text, whole=(len(pieces),)) == text

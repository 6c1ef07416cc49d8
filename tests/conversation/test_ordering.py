"""Places between any two of which there is room."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.ordering import between, place_of


def test_places_at_the_end_are_counted():
    first = between(None, None)
    assert (first, between(first, None), between((2, 1, 3), None)) == ((1,), (2,), (3,))


def test_places_behind_one_another_stay_short():
    place = (5,)
    for _ in range(100):
        place = between(place, (6,))
    assert place == (5, 100)


@given(st.lists(st.integers(0, 100), max_size=60))
def test_between_any_two_there_is_room_and_it_can_be_saved(steps):
    places = []
    for step in steps:
        at = step % (len(places) + 1)
        low, high = places[at - 1] if at else None, places[at] if at < len(places) else None
        places.insert(at, between(low, high))
    assert places == sorted(set(places))
    assert [place_of(json.loads(json.dumps(place))) for place in places] == places


@pytest.mark.parametrize("numbers", [None, 5, "12", [], [0], [1, 0], [-1], [1.0], [True], [2**60], [1] * 201, {}])
def test_what_is_no_place_is_refused(numbers):
    with pytest.raises(ValueError, match="a place can't be"):
        place_of(numbers)

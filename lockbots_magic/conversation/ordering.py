"""Places in an order that grows anywhere: between any two there is room for more, and none ever has to move. Pure."""

from __future__ import annotations

from typing import Any

Place = tuple[int, ...]
"""Places compare as tuples do: (2, 1) lies between (2,) and (3,)."""

DEEPEST = 200
"""Numbers of a place in a file, at most."""
_LARGEST = 2**53


def between(low: Place | None, high: Place | None) -> Place:
    """Return a place behind `low` and before `high`; None is the beginning, or the end, of all places."""
    if low is None:
        return (1,) if high is None else (*(0 for _ in high), 1)
    if high is None:
        return (low[0] + 1,)
    beside = (*low[:-1], low[-1] + 1)
    deeper = ((*low, *(0 for _ in range(n)), 1) for n in range(len(high)))
    return beside if beside < high else next(place for place in deeper if place < high)


def place_of(numbers: Any) -> Place:
    """Return the place that a list in a file describes.

    Raises:
        ValueError: it describes none.
    """
    is_place = isinstance(numbers, list) and 0 < len(numbers) <= DEEPEST
    # Before a place that ends in 0 there may be no room.
    if not is_place or not all(type(n) is int and 0 <= n <= _LARGEST for n in numbers) or not numbers[-1]:
        raise ValueError(f"a place can't be {numbers!r:.40}")
    return tuple(numbers)

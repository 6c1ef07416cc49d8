"""How much property tests and long parametrisations try: the profile named by `HYPOTHESIS_PROFILE`.

| profile | for | share of the examples |
|---|---|---|
| default | every run | an eighth |
| brief | a second run, on another Python | a twentieth |
| thorough | `make test-thorough` | all |
| explore | new random examples at each run, many times as many | twenty times |
| fuzz | `make fuzz`: new random examples at each run, and those that failed before | an eighth |

All but `explore` and `fuzz` try the same examples every time. None has a deadline, because a shared machine pauses.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import settings

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "default")
MIN_EXAMPLES = 5
_SHARE = {"brief": 1 / 20, "default": 1 / 8, "thorough": 1, "explore": 20, "fuzz": 1 / 8}[PROFILE]

T = TypeVar("T")


def examples(count: int) -> int:
    """Return the `max_examples` of a test that is worth `count` examples in the thorough profile."""
    return max(MIN_EXAMPLES, round(count * _SHARE))


def sample(values: Sequence[T], most: int) -> Sequence[T]:
    """Return all values in the thorough profile, else at most `most`, evenly spread, first and last included."""
    if _SHARE >= 1 or len(values) <= most:
        return values
    return [values[round(at * (len(values) - 1) / (most - 1))] for at in range(most)]


def pick(default: T, thorough: T) -> T:
    """Return `thorough` in the thorough profile (and in explore), else `default`."""
    return thorough if _SHARE >= 1 else default


def load_profile() -> None:
    """Set the default for tests without `max_examples`: Hypothesis's own hundred, by the profile's share."""
    default = max(examples(100), 20)
    settings.register_profile(
        PROFILE, derandomize=PROFILE not in ("explore", "fuzz"), deadline=None, max_examples=default
    )
    settings.load_profile(PROFILE)

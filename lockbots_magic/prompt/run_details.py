"""What differs from run to run in the prompt of a cell, so that its recording would not be found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from ..language import N_, _

_DETAILS = (
    (re.compile(r"\b0x[0-9A-Fa-f]{9,16}\b"), N_("a memory address")),
    (re.compile(r"\bipykernel_\d+\b|[/\\]tmp[a-z0-9_]{8}\b"), N_("a temporary path")),
    (
        re.compile(
            r"\b(?:CPU times|Wall time): .*|\bper loop \(mean|\d\d:\d\d<\d\d:\d\d, .*\]"
        ),  # %time, %timeit, tqdm
        N_("a measured time"),
    ),
)
_DATE = re.compile(r"(?<!\d)(\d{4})(?:-|, |/)(\d{1,2})(?:-|, |/)(\d{1,2})(?!\d)")
_DAY = timedelta(days=1)


def find_run_details(text: str, typed: str = "", *, is_drawn: bool = False, now: datetime | None = None) -> str:
    """Return what of `text` will differ when the same notebook runs again, `""` if nothing is known to.

    Args:
        text: The text to send.
        typed: What of it the user wrote: it is the same each time.
        is_drawn: Whether figures were drawn for the prompt.
        now: The time; today by default.

    Example:
        >>> find_run_details("made 2026-11-30 by <Model at 0x7f1040ec6450>", now=datetime(2026, 11, 30))
        "a memory address, today's date"
    """
    today = (now or datetime.now()).date()  # local, as people print it
    return ", ".join(_find(text, typed, is_drawn=is_drawn, today=today))


def _find(text: str, typed: str, *, is_drawn: bool, today: date) -> Iterator[str]:
    for pattern, name in _DETAILS:
        if any(found not in typed for found in pattern.findall(text)):
            yield _(name)
    if any(match[0] not in typed and _is_today(match, today) for match in _DATE.finditer(text)):
        yield _("today's date")
    if is_drawn:
        yield _("a picture, which other versions of its library draw differently")


def _is_today(match: re.Match[str], today: date) -> bool:
    try:
        found = date(*map(int, match.groups()))
    except ValueError:
        return False
    return abs(found - today) <= _DAY  # of another time zone, too

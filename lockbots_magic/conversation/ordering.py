"""Order of turns: serial numbers, and their compact form for outputs. No I/O.

Every conversation counts its turns from a random start, or if a cassette made or replayed its first turn, from one
that follows from that turn: a notebook that is replayed again is the same file. A serial number therefore identifies a
turn in every conversation that contains it, including forks and restored ones. Consecutive turns have consecutive
numbers, so the order of thousands of turns is a few runs of numbers.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator

from ..language import _

MAX_TURNS = 100_000
"""Maximum number of turns in the order of one conversation."""
MAX_READ = 10_000_000
"""Maximum number of turns in all different orders of a notebook: of `MAX_TURNS`, a few letters take 4 MB of memory."""
_MAX_SERIAL = 2**53
_MAX_START = 2**48


def random_start() -> int:
    """Return the first serial number of a conversation."""
    return 1 + secrets.randbelow(_MAX_START)


def start_of(turn_id: str) -> int:
    """Return the first serial number of a conversation whose first turn has that id."""
    digest = hashlib.sha256(turn_id.encode("utf-8", "backslashreplace")).digest()
    return 1 + int.from_bytes(digest[:8], "big") % _MAX_START


def format_order(serials: Iterable[int]) -> str:
    """Return serial numbers as text: the lowest one, then runs of consecutive numbers as offsets from it, in hex.

    Example:
        >>> format_order([0xC0FFEE, 0xC0FFEF, 0xC0FFF0, 0xC0FFF5])
        'c0ffee 0+2 7'
    """
    runs: list[list[int]] = []
    for serial in serials:
        if runs and serial == runs[-1][1] + 1:
            runs[-1][1] = serial
        else:
            runs.append([serial, serial])
    if not runs:
        return ""
    base = min(first for first, _unused in runs)
    parts = (f"{first - base:x}" + (f"+{last - first:x}" if last > first else "") for first, last in runs)
    return " ".join((f"{base:x}", *parts))


def parse_order(text: str) -> tuple[int, ...]:
    """Return the serial numbers that `format_order` wrote.

    Raises:
        ValueError: If the text has another form, repeats a number, or holds more than `MAX_TURNS`.
    """
    base, *runs = text.split() or ["0"]
    serials = tuple(_serials(int(base, 16), runs))
    if len(set(serials)) < len(serials):
        raise ValueError(_("an order must not repeat a turn"))
    return serials


class OrderReader:
    """Reads the orders in one file: each that repeats once, as nearly all of an exported notebook do."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, ...]] = {}
        self._left = MAX_READ

    def parse(self, text: str) -> tuple[int, ...]:
        """Return the serial numbers in an order.

        Raises:
            ValueError: As `parse_order`, or all orders together hold more than `MAX_READ`.
        """
        if text not in self._known:
            serials = parse_order(text)
            self._left -= len(serials)
            if self._left < 0:
                raise ValueError(_("the orders of all turns are too long"))
            self._known[text] = serials
        return self._known[text]


def _serials(base: int, runs: Iterable[str]) -> Iterator[int]:
    left = MAX_TURNS
    for run in runs:
        offset, _unused, more = run.partition("+")
        start, count = base + int(offset, 16), int(more or "0", 16) + 1
        left -= count
        if not (0 <= start <= _MAX_SERIAL and count > 0 and left >= 0):
            raise ValueError(_("invalid run of turns {run!r:.40}", run=run))
        yield from range(start, start + count)

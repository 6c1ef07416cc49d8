"""A short traceback: the lines that led to an error, named by cell or file, nothing of where the machine keeps them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from traceback import FrameSummary, TracebackException

from .text import shortened

FIRST, LAST = 5, 10
"""Calls of each error that are shown, from the outermost and from the innermost."""
CHAIN = 3
"""Errors shown, the last one and those that led to it."""
CHARACTERS = 8_000
"""Of the whole."""

_NUMBERED = re.compile(r"<ipython-input-(\d+)-")
_KERNEL = re.compile(r"[/\\]ipykernel_\d+[/\\]")
_HOST = re.compile(r"[/\\](?:IPython|ipykernel)[/\\]")
_FRAME = re.compile(r"""(?P<word>\bFile )(?P<quote>"?)(?P<path>(?:[A-Za-z]:)?[^"\n:]*[/\\])(?P<name>[^"/\\\n]+)""")


def short_traceback(error: BaseException) -> str:
    """Return what a person would copy of the traceback of `error`: calls with their lines, and what it says."""
    return shortened("\n".join(_chain(TracebackException.from_exception(error))), CHARACTERS)


def without_paths(traceback: str) -> str:
    """Return a `traceback` that was written already; of the paths in it only the names of files are left."""
    return _FRAME.sub(lambda found: found["word"] + found["quote"] + found["name"], traceback)


def _chain(error: TracebackException, most: int = CHAIN) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and most > 1:
        yield from _chain(before, most - 1)
        yield f"\n{'That caused' if error.__cause__ else 'While that was handled, there came'}:\n"
    if calls := _own(error.stack):
        yield "Traceback (most recent call last):"
        yield from _calls(calls)
    if isinstance(getattr(error, "filename", None), str):  # a SyntaxError
        error.filename = _place(error.filename)
    yield "".join(error.format_exception_only()).rstrip()


def _own(calls: Sequence[FrameSummary]) -> Sequence[FrameSummary]:
    """The calls from the cell on: before it there is only what runs cells. None if the cell was not even begun."""
    hosts = [number for number, call in enumerate(calls) if _HOST.search(call.filename)]
    leading = next((n for n, number in enumerate(hosts) if n != number), len(hosts))
    return calls[leading:]


def _calls(calls: Sequence[FrameSummary]) -> Iterator[str]:
    for number, call in enumerate(calls):
        if FIRST <= number < len(calls) - LAST:
            if number == FIRST:
                yield f"  … {len(calls) - FIRST - LAST} more calls …"
            continue
        within = "" if call.name == "<module>" else f", in {call.name}"
        yield f"  {_named(call.filename)}, line {call.lineno}{within}"
        if call.line:
            yield f"    {call.line.strip()}"


def _named(filename: str) -> str:
    place = _place(filename)
    return place if place.startswith("Cell") else f'File "{place}"'


def _place(filename: str) -> str:
    if numbered := _NUMBERED.match(filename):
        return f"Cell In[{numbered[1]}]"
    if _KERNEL.search(filename):
        return "Cell of the notebook"
    return PurePath(filename.replace("\\", "/")).name

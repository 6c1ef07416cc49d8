"""Tracebacks for prompts, and the prompts about the last error of the notebook.

A traceback holds the calls from the notebook's cell on; cells and files are named without their folders. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from textwrap import indent
from traceback import FrameSummary, TracebackException

from ..language import _
from ..security.redaction import redacted
from .text import fence_code, truncate_middle, without_memory_addresses

MAX_FIRST, MAX_LAST = 5, 10
"""Calls of each error: the outermost and the innermost."""
MAX_CHAIN = 6
"""Errors of a chain: the first ones, where it began, and the last one."""
MAX_GROUP = 10
"""Errors of an exception group."""
MAX_GROUP_DEPTH = 4
"""Depth of groups within groups."""
MAX_LENGTH = 8_000
"""Characters of a traceback."""
MAX_SOURCE_LENGTH = 30_000
"""Characters of the failed cell's code in a prompt."""

_NUMBERED = re.compile(r"<ipython-input-(\d+)-")
_KERNEL = re.compile(r"[/\\]ipykernel_\d+[/\\]")
_HOST = re.compile(r"[/\\](?:IPython|ipykernel)[/\\]")
_FRAME = re.compile(r"""(?P<word>\bFile )(?P<quote>"?)(?P<path>(?:[A-Za-z]:)?[^"\n:]*[/\\])(?P<name>[^"/\\\n]+)""")


def explain_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks for an explanation of an error, in the user's language: so are most replies then.

    Args:
        error: The error.
        source: Code of the cell that raised it; ``""`` if it is unknown.
    """
    request = _("Explain in a few sentences what went wrong and why. Then show how to put it right.")
    return _error_prompt(request, error, source)


def fix_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks for the corrected cell, in the user's language.

    Args:
        error: The error.
        source: Code of the cell that raised it; ``""`` if it is unknown.
    """
    request = _(
        "Correct the cell. Change only what the error calls for, and keep magics (lines that begin with % or !) as they"
        " are. Answer with the whole cell in one fenced block of Python, then say in a sentence what you changed."
    )
    return _error_prompt(request, error, source)


def _error_prompt(request: str, error: BaseException, source: str) -> str:
    source = source.strip("\n")
    code = fence_code(truncate_middle(source, MAX_SOURCE_LENGTH), "python")
    cell = [_("The cell:"), code] if source.strip() else []
    raised = [_("The error:"), fence_code(format_traceback(error), "text")]
    return redacted("\n\n".join([_("A cell of my notebook failed.") + f" {request}", *cell, *raised]))


def format_traceback(error: BaseException) -> str:
    """Format the part of a traceback that a person would copy: the calls with their lines, and the message.

    Causes come first; notes (PEP 678) and the errors within an exception group follow the message.
    """
    lines = _format_chain(TracebackException.from_exception(error))
    return truncate_middle(without_memory_addresses("\n".join(lines)), MAX_LENGTH)


def strip_paths(traceback: str) -> str:
    """Remove the folders from the file names in a formatted traceback."""
    return _FRAME.sub(lambda match: match["word"] + match["quote"] + match["name"], traceback)


def _format_chain(error: TracebackException, depth: int = 0) -> Iterator[str]:
    """Yield the lines of an error, after those of its causes."""
    chain = [*_read_chain(error)][::-1]
    first, last = chain[: MAX_CHAIN // 2], chain[max(MAX_CHAIN // 2, len(chain) - MAX_CHAIN // 2) :]
    yield from _format_links(first, depth)
    if left_out := len(chain) - len(first) - len(last):
        yield f"\n… {left_out:,} more errors …"
    yield from _format_links(last, depth)


def _read_chain(error: TracebackException) -> Iterator[tuple[TracebackException, str]]:
    """Yield an error and those before it, each with how the one before led to it; an empty text for the first one."""
    current: TracebackException | None = error
    while current is not None:
        before = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
        link = "That caused" if current.__cause__ else "While handling it, another error occurred"
        yield current, link if before else ""
        current = before


def _format_links(links: Sequence[tuple[TracebackException, str]], depth: int) -> Iterator[str]:
    for error, link in links:
        if link:
            yield f"\n{link}:\n"
        yield from _format_error(error, depth)


def _format_error(error: TracebackException, depth: int) -> Iterator[str]:
    if calls := _own_calls(error.stack):
        yield "Traceback (most recent call last):"
        yield from _format_calls(calls)
    if isinstance(getattr(error, "filename", None), str):  # a SyntaxError
        error.filename = _name_file(error.filename)
    yield "".join(error.format_exception_only()).rstrip()
    within: Sequence[TracebackException] = getattr(error, "exceptions", None) or ()
    if within and depth == MAX_GROUP_DEPTH:
        yield f"  … {len(within):,} errors within …"
        return
    for number, inner in enumerate(within, 1):
        if number > MAX_GROUP:
            yield f"  … {len(within) - MAX_GROUP:,} more errors …"
            return
        yield f"\n  Error {number} of {len(within):,} within:"
        yield indent("\n".join(_format_chain(inner, depth + 1)), "    ")


def _own_calls(calls: Sequence[FrameSummary]) -> Sequence[FrameSummary]:
    """Return the calls from the cell on; those before it run the cell. Empty if the cell did not start."""
    hosts = [number for number, call in enumerate(calls) if _HOST.search(call.filename)]
    leading = next((n for n, number in enumerate(hosts) if n != number), len(hosts))
    return calls[leading:]


def _format_calls(calls: Sequence[FrameSummary]) -> Iterator[str]:
    for number, call in enumerate(calls):
        if MAX_FIRST <= number < len(calls) - MAX_LAST:
            if number == MAX_FIRST:
                yield f"  … {len(calls) - MAX_FIRST - MAX_LAST} more calls …"
            continue
        name = _name_file(call.filename)
        place = name if name.startswith("Cell") else f'File "{name}"'
        within = "" if call.name == "<module>" else f", in {call.name}"
        yield f"  {place}, line {call.lineno}{within}"
        if call.line:
            yield f"    {call.line.strip()}"


def _name_file(filename: str) -> str:
    if numbered := _NUMBERED.match(filename):
        return f"Cell In[{numbered[1]}]"
    if _KERNEL.search(filename):
        return "Cell of the notebook"
    return PurePath(filename.replace("\\", "/")).name

"""Tracebacks for prompts, and the prompts about the last error of the notebook.

A traceback holds the calls from the notebook's cell on; cells and files are named without their folders. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from traceback import FrameSummary, TracebackException

from ..security.secrets import redacted
from .text import fence_code, truncate_middle

MAX_FIRST, MAX_LAST = 5, 10
"""Calls of each error: the outermost and the innermost."""
MAX_CHAIN = 3
"""Errors of a chain: the last one and its causes."""
MAX_LENGTH = 8_000
"""Characters of a traceback."""
MAX_SOURCE_LENGTH = 30_000
"""Characters of the failed cell's code in a prompt."""

_NUMBERED = re.compile(r"<ipython-input-(\d+)-")
_KERNEL = re.compile(r"[/\\]ipykernel_\d+[/\\]")
_HOST = re.compile(r"[/\\](?:IPython|ipykernel)[/\\]")
_FRAME = re.compile(r"""(?P<word>\bFile )(?P<quote>"?)(?P<path>(?:[A-Za-z]:)?[^"\n:]*[/\\])(?P<name>[^"/\\\n]+)""")


def explain_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks for an explanation of an error.

    Args:
        error: The error.
        source: Code of the cell that raised it; ``""`` if it is unknown.
    """
    request = "Explain in a few sentences what went wrong and why. Then show how to put it right."
    return _error_prompt(request, error, source)


def fix_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks for the corrected cell.

    Args:
        error: The error.
        source: Code of the cell that raised it; ``""`` if it is unknown.
    """
    request = (
        "Correct the cell. Change only what the error calls for, and keep magics (lines that begin with % or !) as they"
        " are. Answer with the whole cell in one fenced block of Python, then say in a sentence what you changed."
    )
    return _error_prompt(request, error, source)


def _error_prompt(request: str, error: BaseException, source: str) -> str:
    source = source.strip("\n")
    code = fence_code(truncate_middle(source, MAX_SOURCE_LENGTH), "python")
    cell = f"The cell:\n\n{code}\n\n" if source.strip() else ""
    raised = f"The error:\n\n{fence_code(format_traceback(error), 'text')}"
    return redacted(f"A cell of my notebook failed. {request}\n\n{cell}{raised}")


def format_traceback(error: BaseException) -> str:
    """Format the part of a traceback that a person would copy: the calls with their lines, and the message."""
    return truncate_middle("\n".join(_format_chain(TracebackException.from_exception(error))), MAX_LENGTH)


def strip_paths(traceback: str) -> str:
    """Remove the folders from the file names in a formatted traceback."""
    return _FRAME.sub(lambda match: match["word"] + match["quote"] + match["name"], traceback)


def _format_chain(error: TracebackException, most: int = MAX_CHAIN) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and most > 1:
        yield from _format_chain(before, most - 1)
        yield f"\n{'That caused' if error.__cause__ else 'While handling it, another error occurred'}:\n"
    if calls := _own_calls(error.stack):
        yield "Traceback (most recent call last):"
        yield from _format_calls(calls)
    if isinstance(getattr(error, "filename", None), str):  # a SyntaxError
        error.filename = _name_file(error.filename)
    yield "".join(error.format_exception_only()).rstrip()


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

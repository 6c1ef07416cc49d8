"""The prompts that ask about the last error of the notebook: what went wrong, and the cell put right. Pure."""

from __future__ import annotations

from ..security.secrets import redacted
from .text import fenced, shortened
from .tracebacks import short_traceback

LONGEST_SOURCE = 30_000
"""Characters of the cell's code that are sent."""


def explain_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks what went wrong.

    Args:
        error: what was raised.
        source: the code of the cell that raised it; ``""`` if it is not known.
    """
    ask = "Explain in a few sentences what went wrong and why. Then show how to put it right."
    return _prompt(ask, error, source)


def fix_prompt(error: BaseException, source: str) -> str:
    """Return the prompt that asks for the corrected cell; arguments as for `explain_prompt`."""
    ask = (
        "Correct the cell. Change only what the error calls for, and keep magics (lines that begin with % or !) as they"
        " are. Answer with the whole cell in one fenced block of Python, then say in a sentence what you changed."
    )
    return _prompt(ask, error, source)


def _prompt(ask: str, error: BaseException, source: str) -> str:
    source = source.strip("\n")
    cell = f"The cell:\n\n{fenced(shortened(source, LONGEST_SOURCE), 'python')}\n\n" if source.strip() else ""
    raised = f"The error:\n\n{fenced(short_traceback(error), 'text')}"
    return redacted(f"A cell of my notebook failed. {ask}\n\n{cell}{raised}")

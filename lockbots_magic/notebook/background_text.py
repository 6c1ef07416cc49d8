"""A reply that goes on after its cell has ended, as plain text."""

from __future__ import annotations

from collections.abc import Callable

from IPython.core.interactiveshell import InteractiveShell

from ..rendering.terminal.output import TerminalOutput
from .display import context_of_cell


class BackgroundText(TerminalOutput):
    """Writes a reply as plain text into the cell that sent the prompt."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(is_page=True)
        self._context = context_of_cell(shell)

    def run(self, work: Callable[[], object]) -> None:
        """Run `work`; what it displays and prints goes to this cell."""
        self._context.copy().run(work)

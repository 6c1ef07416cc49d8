"""What the magics do. The first cell loads this; `extension`, which registers them, must stay cheap to import."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from ..conversation.turn import Turn
from ..errors import Interrupted, UsageError
from ..security.exits import clean_bundle
from .awaiting import interrupt_cancels_task, interrupt_raises
from .chat_command import chat_cell, load_material, no_stale_value, prompt_of
from .display import display_listener, show_line, shown_forms, watched
from .display_recorder import DisplayRecorder
from .live_output import turn_bundle
from .notebook_context import NotebookContext
from .option_parser import HelpRequested
from .options import chat_options
from .presenter import Presenter
from .session import Session


class MagicRunner:
    """Runs the magics of one notebook.

    Args:
        shell: The running IPython.
        session: State of the magics.
        displays: Records what the cells display.
    """

    def __init__(self, shell: InteractiveShell, session: Session, displays: DisplayRecorder) -> None:
        self._shell = shell
        self._session = session
        self._displays = displays
        self._presenter = Presenter(shell, session)

    async def chat_awaiting(self, line: str, cell: str) -> None:
        """Run `%%chat` with `await` in its expressions: they are evaluated on the loop that runs the cell."""
        context = self._context()
        with suppress(HelpRequested, UsageError):  # `chat` tells of it
            options, text = chat_options().parse_leading(line)
            if not options.raw and options.each is None:
                with interrupt_cancels_task():
                    await_expressions = load_material().await_expressions
                    context = await await_expressions(self._session, prompt_of(text, cell), context)
        with interrupt_raises():
            self.chat(line, cell, context)

    def _context(self) -> NotebookContext:
        live = watched(self._shell, self._session.settings.live)
        return NotebookContext(self._session.namespace, self._shell, self._displays, live)

    def chat(self, line: str, cell: str | None, context: NotebookContext | None = None) -> None:
        """Run `%chat`, or `%%chat` with the text below it."""
        with self._in_cell():
            try:
                options, text = chat_options().parse_leading(line)
            except HelpRequested as help_text:
                self._presenter.message(str(help_text))
                return
            if options.each is not None:
                self._each(options, prompt_of(text, cell, of_rows=True))
                return
            with no_stale_value(self._shell.user_ns, None if options.dry_run else options.to):
                prompt = chat_cell(self._session, options, prompt_of(text, cell), context or self._context())
            if options.dry_run:
                self._presenter.preview(prompt, count=options.count)
            else:
                self._presenter.run(prompt)

    def _each(self, options: Namespace, template: str) -> None:
        """Send a prompt for each row of a table, and keep the result in the variable of `--to`."""
        from .each import run_each  # noqa: PLC0415  # few notebooks ask about rows

        live = watched(self._shell, self._session.settings.live)
        context = NotebookContext(self._session.namespace, self._shell, self._displays, live)
        with no_stale_value(self._shell.user_ns, None if options.dry_run else options.to):
            run_each(self._session, options, template, context)

    def lockbots(self, line: str, cell: str | None = None) -> None:
        """Run a command of `%lockbots`, or of `%%lockbots` with the prompt below it."""
        with self._in_cell():
            _commands().run(self._session, line, cell).present(self._presenter)

    @contextmanager
    def _in_cell(self) -> Iterator[None]:
        """Record what the cell displays, and turn an interrupt, wherever it hits, into one line."""
        token = display_listener.set(self._displays.callback())
        try:
            yield
        except KeyboardInterrupt as error:
            interrupt = error if isinstance(error, Interrupted) else Interrupted(str(error) or "Interrupted.")
            interrupt.is_shown = interrupt.is_shown or show_line(self._shell, str(interrupt))
            raise interrupt.with_traceback(None) from None
        finally:
            display_listener.reset(token)


def describe_chat() -> str:
    """Return the help text of `%%chat`, its summary first: a tooltip shows only the beginning."""
    options = chat_options()
    summary, options.description = options.description, None
    return f"{summary}\n\n{options.format_help()}"


def _commands() -> Any:
    from . import commands  # noqa: PLC0415  # `%%chat` needs none, and all of them take longer to load than it does

    return commands


def describe_lockbots() -> str:
    """Return the list of commands of `%lockbots`."""
    summary: str = _commands().summarize()
    return summary


def own_notebook(shell: InteractiveShell) -> Path | None:
    """Return the path of the notebook that `shell` runs, as far as it is known."""
    from ..storage.restore import find_own_notebook  # noqa: PLC0415  # `%%chat` needs nothing that is saved

    return find_own_notebook(os.environ, shell.user_ns)


def format_turn(turn: Turn) -> Mapping[str, str]:
    """Format a turn that a cell ends with; its repr is shown besides."""
    return {kind: form for kind, form in clean_bundle(shown_forms(turn_bundle(turn))).items() if kind != "text/plain"}

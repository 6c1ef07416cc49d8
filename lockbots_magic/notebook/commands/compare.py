"""Several models, one prompt: `compare`."""

from __future__ import annotations

import keyword
from argparse import Namespace
from typing import TYPE_CHECKING, Any

from ...chat import Chat
from ...conversation.conversation import Conversation
from ...errors import UsageError
from ..chat_command import NotebookContext, expanded, system_of
from ..session import Lockbots
from .command import Work, argument, command

if TYPE_CHECKING:
    from ...rendering.side_by_side import SideBySide
    from ..comparison import Comparison


@command(
    argument(
        "models", nargs="+", metavar="MODEL", completer="model", help="provider:model; one given twice is asked twice"
    ),
    argument(
        "--to", metavar="VAR", completer="variable", help="put the replies into this variable: a dict, model -> text"
    ),
    argument("--raw", action="store_true", help="send {{ }} as it stands; else it is a Python expression"),
    text="PROMPT",
)
def compare(session: Lockbots, options: Namespace) -> Work:
    """Ask several models the same and show the answers side by side, outside the conversation."""
    if not options.text:
        raise UsageError("put the prompt behind  -- :  %lockbots compare MODEL MODEL -- PROMPT")
    if options.to and (not options.to.isidentifier() or keyword.iskeyword(options.to)):
        raise UsageError(f"--to takes the name of a variable, not {options.to!r}")
    return _Comparing(session, options)


class _Comparing(Work):
    """A comparison in a cell."""

    def __init__(self, session: Lockbots, options: Namespace) -> None:
        self._session = session
        self._models: list[str] = options.models
        self._prompt: str = options.text
        self._raw: bool = options.raw
        self._variable: str | None = options.to
        self._system = ""
        self._watched = False
        self._comparison: Comparison | None = None
        self._output: SideBySide | None = None

    def run(self, shell: Any) -> None:
        """Ask the models and show what comes."""
        from ...rendering.side_by_side import SideBySide  # noqa: PLC0415  # as above
        from ..comparison import compare  # noqa: PLC0415  # few cells compare; %load_ext does not wait for it
        from ..live_output import show, watched  # noqa: PLC0415  # as above

        session = self._session
        self._watched = watched(shell, session.live)
        around = NotebookContext(shell.user_ns, shell, watched=self._watched)
        self._system = session.conversation().system or system_of(session, None, around)
        material = expanded(session, self._prompt, around) if "{{" in self._prompt and not self._raw else None
        self._comparison = comparison = compare(
            material.text if material else self._prompt,
            self._models,
            self._chat,
            prices=session.prices,
            images=material.images if material else (),
            origin=session.cells.origin(watched=self._watched),
        )
        for answer in comparison.answers:
            if answer.reply is not None:
                session.watch(answer.reply)
        live = self._watched and hasattr(shell, "kernel") and session.live != "text"
        self._output = output = SideBySide([answer.name for answer in comparison.answers], live=live, show=show)
        for number, answer in enumerate(comparison.answers):
            if answer.reply is None:
                output.end(number, comparison.column(number))
        comparison.run(output.feed, lambda number: output.end(number, comparison.column(number)))

    def end(self, shell: Any) -> None:
        """Show what came, and keep it in the variable."""
        if self._comparison is None or self._output is None:
            return
        if self._variable:
            shell.user_ns[self._variable] = self._comparison.replies
        columns = self._comparison.columns(timed=self._watched)
        self._output.finish(columns, plain=self._session.live == "text")
        for answer in self._comparison.answers:
            if answer.reply is not None:
                self._session.count_outside(answer.reply)

    def _chat(self, model: str) -> Chat:
        """A chat in a conversation of its own: of the current one, only the system prompt counts."""
        return self._session.chat(model).within(Conversation("comparison", system=self._system))

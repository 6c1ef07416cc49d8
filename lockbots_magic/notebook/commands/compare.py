"""Several models, one prompt: `compare`."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from collections.abc import Callable, Set
from typing import Any

from ...chat import Chat
from ...conversation.conversation import Conversation
from ...errors import UsageError
from ...language import _
from ...providers import names
from ...providers.model_families import suggest_model
from ...rendering.side_by_side import SideBySide
from ...security.exits import clean_printed
from ..chat_command import check_target, resolve_system
from ..comparison import Comparison
from ..comparison import compare as start_comparison
from ..display import show, watched
from ..front_end import sets_tex_in_html
from ..interrupts import interrupt_shown
from ..notebook_context import NotebookContext
from ..presenter import Presenter
from ..prompt_material import expand_prompt
from ..secret_filter import filter_prompt
from ..session import Session
from .command import argument, command
from .request_options import REQUEST_OPTIONS, chat_for
from .result import CommandResult

_MODEL = re.compile(r"[A-Za-z][\w-]+:(?!//)[\w./:@-]+")


@command(
    argument(
        "models", nargs="+", metavar="MODEL", completer="model", help="provider:model; repeat one to ask it twice."
    ),
    argument("--to", metavar="VAR", completer="variable", help="Variable for the replies: a dict, model to text."),
    argument("--raw", action="store_true", help="Send {{ }} as is; by default it is a Python expression."),
    *REQUEST_OPTIONS,
    text="PROMPT",
    make_is_argument=lambda: _looks_like_model(frozenset(names())),
)
def compare(session: Session, options: Namespace) -> CommandResult:
    """Send a prompt to several models and show the replies side by side, outside the conversation."""
    if not options.text:
        raise UsageError(
            _(
                "Prompt missing. Write it after the models: `%lockbots compare MODEL MODEL -- PROMPT`, "
                "or below a line of `%%lockbots compare MODEL MODEL`."
            )
        )
    check_target(options)
    return _ComparisonResult(session, options)


def _looks_like_model(known: Set[str]) -> Callable[[str], bool]:
    """Return what tells a model from the first word of a prompt: a provider, or the form of an id.

    A word of that form whose provider is unknown counts as a model, so that a slip is an error and not a prompt.
    """

    def looks_like_model(word: str) -> bool:
        is_model = word.partition(":")[0] in known or _MODEL.fullmatch(word) is not None
        return is_model or ":" in suggest_model(word)

    return looks_like_model


class _ComparisonResult(CommandResult):
    """A comparison that runs in the cell."""

    def __init__(self, session: Session, options: Namespace) -> None:
        self._session = session
        self._options = options
        self._models: list[str] = options.models
        self._prompt: str = options.text
        self._raw: bool = options.raw
        self._variable: str | None = options.to
        self._system = ""
        self._notes: tuple[str, ...] = ()
        self._watched = False
        self._comparison: Comparison | None = None
        self._output: SideBySide | None = None

    def present(self, presenter: Presenter) -> None:
        """Ask the models and show the replies as they stream."""
        presenter.work(self.run, self.finish)
        if self._notes:
            presenter.message("\n".join(self._notes))

    def run(self, shell: Any) -> None:
        """Ask the models."""
        session = self._session
        self._watched = watched(shell, session.settings.live)
        context = NotebookContext(session.namespace, shell, watched=self._watched)
        self._system = session.conversations.get().system or resolve_system(session, None, context)
        material = expand_prompt(session, self._prompt, context) if "{{" in self._prompt and not self._raw else None
        self._notes = material.notes if material else ()
        prompt = material.text if material else self._prompt
        prompt, notes = filter_prompt(session, prompt, shell.user_ns, raw=self._raw)
        if notes:
            sys.stdout.write(clean_printed(_("Note: {note}.", note=notes[0])) + "\n")
        self._comparison = comparison = start_comparison(
            prompt,
            self._models,
            self._chat,
            prices=session.settings.prices,
            images=material.images if material else (),
            origin=session.cells.origin(watched=self._watched),
        )
        for answer in comparison.answers:
            if answer.reply is not None:
                session.watch(answer.reply)
        live = (
            self._watched and hasattr(shell, "kernel") and session.settings.live != "text" and sets_tex_in_html(shell)
        )
        self._output = output = SideBySide([answer.name for answer in comparison.answers], live=live, show=show)
        for number, answer in enumerate(comparison.answers):
            if answer.reply is None:
                output.end(number, comparison.column(number))
        try:
            comparison.run(output.feed, lambda number: output.end(number, comparison.column(number)))
        except KeyboardInterrupt as error:
            raise interrupt_shown(error) from None  # by a notice in each column

    def finish(self, shell: Any) -> None:
        """Show the replies, and put them into the variable; safe to call twice."""
        if self._comparison is None or self._output is None:
            shell.user_ns.pop(self._variable or "", None)  # its old value must not pass for these replies
            return
        if self._variable:
            shell.user_ns[self._variable] = self._comparison.replies
        columns = self._comparison.columns(timed=self._watched)
        self._output.finish(columns, plain=self._session.settings.live == "text")
        for answer in self._comparison.answers:
            if answer.reply is not None:
                self._session.count_outside(answer.reply)

    def _chat(self, model: str) -> Chat:
        """Return a chat in a conversation of its own, with the system prompt of the current one."""
        chat = chat_for(self._session, self._options, model)
        return chat.with_conversation(Conversation("comparison", system=self._system))

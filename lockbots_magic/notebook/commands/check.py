"""What a server does, measured: `check`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ...conversation.conversation import Conversation
from ...errors import Interrupted
from ..session import Session
from .command import argument, command
from .result import CommandResult

if TYPE_CHECKING:
    from ...doctor import CheckReport
    from ..presenter import Presenter


@command(
    argument("model", nargs="?", completer="model", help="provider:model; by default the one in use."),
    argument("--base-url", metavar="URL", completer="address", help="Base URL of the service, for this check alone."),
    argument("--yes", action="store_true", help="Send requests that may cost something."),
    argument("--report", action="store_true", help="Print it as redacted text, with versions, for a bug report."),
)
def check(session: Session, options: Namespace) -> CommandResult:
    """Measure what a server does: models, streaming, token counts, tools, JSON schemas, images."""
    chat = session.chat(options.model, options.base_url).with_conversation(Conversation("check"))
    report = chat.check(yes=options.yes, prices=session.settings.prices, watch=session.watch)
    for reply in report.replies:
        session.count_outside(reply)
    return _CheckResult(report, options.report)


class _CheckResult(CommandResult):
    """A report, whole or in part."""

    def __init__(self, report: CheckReport, as_text: bool) -> None:
        self._report = report
        self._as_text = as_text

    def present(self, presenter: Presenter) -> None:
        """Show the report; an interrupt also stops "Run all"."""
        if self._as_text:
            presenter.message(self._report.text)
        else:
            presenter.display(self._report)
        if self._report.stopped:
            raise Interrupted("Check stopped; the table holds what was measured.")

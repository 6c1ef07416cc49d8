"""What a server does, measured: `check`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from ...conversation.conversation import Conversation
from ...errors import Interrupted
from ...language import SOURCE, _, speaking
from ..session import Session
from .command import argument, command
from .result import CommandResult

if TYPE_CHECKING:
    from ...chat import Chat
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
    return _Check(session, chat, options)


class _Check(CommandResult):
    """A check that is made when it is shown."""

    def __init__(self, session: Session, chat: Chat, options: Namespace) -> None:
        self._session = session
        self._chat = chat
        self._options = options

    def present(self, presenter: Presenter) -> None:
        """Make the check and show the report; an interrupt also stops "Run all"."""
        if self._options.report:
            with speaking(SOURCE):  # those who read a report of a bug may not know the language of the user
                report = self._make(lambda _line: None)
                presenter.message(report.text)
        else:
            report = presenter.display_made(self._make)
        if report.stopped:
            raise Interrupted(_("Check stopped; the table holds what was measured."))

    def _make(self, tell: Callable[[str], object]) -> CheckReport:
        session = self._session
        report = self._chat.check(
            yes=self._options.yes, prices=session.settings.prices, watch=session.watch, progress=tell
        )
        for reply in report.replies:
            session.count_outside(reply)
        return report

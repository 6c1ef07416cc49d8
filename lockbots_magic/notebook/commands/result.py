"""Results of commands: each presents itself in the cell that ran the command."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...conversation.conversation import Conversation
from ...conversation.history_entry import HistoryEntry
from ...reply import Reply

if TYPE_CHECKING:
    from ...rendering.notices import Page
    from ..presenter import Presenter


class CommandResult(ABC):
    """Result of a command."""

    @abstractmethod
    def present(self, presenter: Presenter) -> None:
        """Show the result in the running cell."""


@dataclass(frozen=True)
class TextResult(CommandResult):
    """A line or two for the user."""

    text: str
    entry: HistoryEntry | None = None
    """What the notebook keeps with it: where a conversation ends after turns were removed."""

    def present(self, presenter: Presenter) -> None:
        """Print the text; with an entry, show it as an output that carries it."""
        presenter.message(self.text, self.entry)


@dataclass(frozen=True)
class DisplayResult(CommandResult):
    """A value that displays itself, such as a table or a widget."""

    value: Any

    def present(self, presenter: Presenter) -> None:
        """Display the value."""
        presenter.display(self.value)


@dataclass(frozen=True)
class PageResult(CommandResult):
    """A page of the help."""

    page: Page

    def present(self, presenter: Presenter) -> None:
        """Show the page as a reply is shown."""
        presenter.page(self.page)


@dataclass(frozen=True)
class CodeResult(CommandResult):
    """Code for a new cell."""

    code: str

    def present(self, presenter: Presenter) -> None:
        """Insert the cell."""
        presenter.insert_code(self.code)


@dataclass(frozen=True)
class ReplyResult(CommandResult):
    """A reply to be streamed into the cell."""

    send: Callable[[], Reply]
    """Returns the reply; called when no other reply of the conversation is in progress."""
    conversation: Conversation
    as_code: bool = False
    """True if its code becomes a new cell."""
    notes: tuple[str, ...] = ()
    """What was left out of the prompt, a line each."""
    replaces: str = ""
    """Code that the new cell corrects; the changes are shown."""

    def present(self, presenter: Presenter) -> None:
        """Stream the reply."""
        presenter.show_reply(
            self.send, self.conversation, as_code=self.as_code, notes=self.notes, replaces=self.replaces
        )

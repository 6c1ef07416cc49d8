"""A reply that arrives in pieces, text and tool calls -> HTML, each block rendered once. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ..conversation.messages import ToolCall
from .calls import calls_html, calls_markdown
from .incremental import IncrementalMarkdown


class IncrementalReply:
    """Renders a reply that is still streaming. Calls stand between the text before and after them."""

    def __init__(self) -> None:
        self._document = IncrementalMarkdown()
        self._calls: dict[str, ToolCall] = {}
        """Calls behind the current text, by id."""
        self._earlier = ""  # Markdown of the rounds before, without their calls
        self._earlier_markdown: list[str] = []
        self._earlier_html: list[str] = []
        self._ready: list[str] = []  # HTML of those rounds that `advance` has not returned yet

    @property
    def text(self) -> str:
        """The Markdown so far, calls included."""
        return "\n\n".join(filter(None, [*self._earlier_markdown, *self._current_markdown()]))

    def feed(self, text: str) -> None:
        """Add a piece of text."""
        if text and self._calls:
            self._begin_round()
        self._document.feed(text)

    def feed_calls(self, calls: Iterable[ToolCall]) -> None:
        """Add calls, or their results."""
        self._calls.update((call.id, call) for call in calls)

    def retract(self, text: str) -> None:
        """Replace the text so far; the rounds before the current one stay.

        Args:
            text: All the text that remains.
        """
        self._document = IncrementalMarkdown()
        self._ready = list(self._earlier_html)
        self.feed(text.removeprefix(self._earlier))

    def advance(self) -> tuple[str, str]:
        """Return the HTML that was finished since the last call, and the HTML of what is open."""
        finished, growing = self._document.advance()
        ready, self._ready = self._ready, []
        return "".join([*ready, finished]), growing + calls_html(self._calls.values(), timed=True, images=False)

    def whole(self) -> str:
        """Return the HTML of the complete reply."""
        made = (call for call in self._calls.values() if call.result is not None)
        return "".join(self._earlier_html) + self._document.whole() + calls_html(made, timed=True)

    def _begin_round(self) -> None:
        """Finish the text and the calls so far."""
        finished, growing = self._document.advance()
        shown = calls_html(self._calls.values(), timed=True, images=False)
        self._ready.append(finished + growing + shown)
        self._earlier_html.append(self._document.whole() + calls_html(self._calls.values(), timed=True))
        self._earlier += self._document.text
        self._earlier_markdown += self._current_markdown()
        self._document, self._calls = IncrementalMarkdown(), {}

    def _current_markdown(self) -> list[str]:
        return [self._document.text, calls_markdown(self._calls.values())]

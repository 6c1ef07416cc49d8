"""Several replies side by side in one output, which grows while they stream."""

from __future__ import annotations

import contextvars
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..conversation.messages import Delta
from ..language import _
from ..security.control_characters import printable
from .attachments import NONE, Attachments
from .escaping import escaped
from .frame import IGNORED, framed, style, style_element
from .frame_loop import interval_after
from .html import render
from .incremental import IncrementalMarkdown
from .mime_bundle import html_or_source
from .safe_markdown import neutralised
from .safe_markdown.inline import literal

# As many columns as there is room for, each below a line; no colour of its own, so it follows any theme.
_STYLE = """
.lockbots .lockbots-columns {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20em), 1fr)); gap: 1.2em; align-items: start
}
.lockbots .lockbots-column {min-width: 0; border-top: 2px solid currentColor; padding-top: 0.4em}
.lockbots .lockbots-heading {font-weight: bold; overflow-wrap: anywhere}
.lockbots .lockbots-failed .lockbots-notice {color: var(--jp-error-color1); opacity: 1}
.lockbots .lockbots-state {opacity: 0.75; font-size: 0.9em; margin-bottom: 0.8em}
"""


@dataclass(frozen=True)
class Column:
    """One of the replies."""

    heading: str
    """Who answers."""
    state: str = ""
    """Line below the heading: progress, or what the reply cost."""
    text: str = ""
    """The reply, Markdown."""
    notices: Sequence[str] = ()
    """The toolkit's own remarks."""
    attached: Attachments = NONE
    """What stands below the reply."""
    is_failed: bool = False
    """True if the notices tell of an error."""

    def cleaned(self) -> Column:
        """Return the column with one-line texts in which nothing steers a terminal or reorders a line."""
        heading, state = " ".join(printable(self.heading).split()), printable(self.state)
        return replace(self, heading=heading, state=state, notices=[printable(notice) for notice in self.notices])


def bundle(columns: Sequence[Column], htmls: Sequence[str] = ()) -> Mapping[str, str]:
    """Return the columns as HTML, as Markdown and as plain text.

    Args:
        columns: The replies.
        htmls: Each as sanitised HTML, if that exists already.
    """
    columns = [one.cleaned() for one in columns]
    htmls = htmls or [html_or_source(partial(render, one.text), one.text) for one in columns]
    return {
        "text/html": _page(columns, htmls),
        "text/markdown": "\n\n".join(_markdown(one) for one in columns),
        "text/plain": "\n\n".join(_plain(one) for one in columns),
    }


def _page(columns: Sequence[Column], htmls: Sequence[str]) -> str:
    parts = "".join(_html(one, html) for one, html in zip(columns, htmls, strict=True))
    grid = f'<div class="lockbots-columns">{parts}</div>'
    return f'<div class="lockbots {IGNORED}">{style()}{style_element(_STYLE)}{grid}</div>'


def _html(column: Column, html: str) -> str:
    heading = f'<div class="lockbots-heading">{escaped(column.heading)}</div>'
    state = f'<div class="lockbots-state">{escaped(column.state)}</div>' if column.state else ""
    reply = framed(html + column.attached.html, column.notices, styled=False)
    failed = " lockbots-failed" if column.is_failed else ""
    return f'<div class="lockbots-column{failed}">{heading}{state}{reply}</div>'


def _markdown(column: Column) -> str:
    state = f"*{literal(column.state)}*" if column.state else ""
    remarks = [f"*{literal(notice)}*" for notice in column.notices]
    heading = f"**{literal(column.heading)}**"
    text = neutralised(column.text) if column.text else ""
    return "\n\n".join(filter(None, [heading, state, text, column.attached.markdown, *remarks]))


def _plain(column: Column) -> str:
    state = f"({column.state})" if column.state else ""
    above = "\n".join(filter(None, [column.heading, "-" * len(column.heading), state]))
    remarks = [f"[{notice}]" for notice in column.notices]
    sources = "\n".join(column.attached.lines)
    return "\n\n".join(filter(None, [above, column.text.rstrip("\n"), sources, *remarks]))


class SideBySide:
    """Shows replies side by side while they stream. Thread-safe.

    Args:
        headings: Who answers, one for each column.
        live: Whether to show the replies while they stream; otherwise only at the end.
        show: Displays an output: takes the MIME bundle, the display id, and `update`, which tells whether it exists.
    """

    def __init__(self, headings: Sequence[str], *, live: bool, show: Callable[..., None]) -> None:
        self._display = show
        self._columns = [_StreamingColumn(heading) for heading in headings]
        self._name = uuid.uuid4().hex[:12]
        self._shown = False
        self._changed = threading.Event()
        self._stopped = threading.Event()
        run = contextvars.copy_context().run  # output goes to the cell that runs now
        self._thread = threading.Thread(target=run, args=(self._draw_frames,), name="lockbots frames", daemon=True)
        if live:
            self._changed.set()
            self._thread.start()

    def feed(self, number: int, delta: Delta) -> None:
        """Take one step of the reply in column `number`, counted from 0."""
        self._columns[number].arrived.append(delta)
        self._changed.set()

    def end(self, number: int, column: Column) -> None:
        """Take a column that has ended, while others may go on."""
        self._columns[number].ended = column
        self._changed.set()

    def finish(self, columns: Sequence[Column], *, plain: bool = False) -> None:
        """Show the final columns. Idempotent.

        Args:
            columns: One for each heading.
            plain: Whether to show plain text only.
        """
        self.close()
        for growing, column in zip(self._columns, columns, strict=True):
            growing.ended = column
        data = bundle(columns, [growing.html() for growing in self._columns])
        self._show({"text/plain": data["text/plain"]} if plain else data)

    def close(self) -> None:
        """Stop drawing frames."""
        self._stopped.set()
        self._changed.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _draw_frames(self) -> None:
        while self._changed.wait() and not self._stopped.is_set():
            self._changed.clear()
            started = time.monotonic()
            try:
                htmls = [growing.html() for growing in self._columns]
                page = _page([growing.column().cleaned() for growing in self._columns], htmls)
                self._show({"text/html": page})
            except Exception:  # noqa: BLE001  # a failed frame costs no reply: the end shows them
                return
            spent = time.monotonic() - started
            self._stopped.wait(max(interval_after(len(page)), 4 * spent) - spent)

    def _show(self, data: Mapping[str, str]) -> None:
        self._display(data, self._name, update=self._shown)
        self._shown = True


class _StreamingColumn:
    """One column while its reply streams. Only the drawing thread takes in what has arrived."""

    def __init__(self, heading: str) -> None:
        self.arrived: deque[Delta] = deque()
        self.ended: Column | None = None
        self._column = Column(heading, _("asked …"))
        self._document = IncrementalMarkdown()
        self._finished: list[str] = []
        self._whole: str | None = None

    def column(self) -> Column:
        """Return the current state of the column."""
        return self.ended or self._column

    def html(self) -> str:
        """Return the HTML of what has arrived."""
        ended = self.ended  # read first: nothing arrives after the end
        while self.arrived:
            delta = self.arrived.popleft()
            if delta.retracts:
                self._document = IncrementalMarkdown()
                self._finished.clear()
            self._document.feed(delta.text)
            if delta.text or delta.notice or delta.reasoning:
                state = (
                    _("answers …") if self._document.text else _("thinks …") if delta.reasoning else self._column.state
                )
                self._column = replace(self._column, state=state, notices=[delta.notice] if delta.notice else [])
        if ended is None:
            finished, growing = self._document.advance()
            self._finished.append(finished)
            return "".join(self._finished) + growing
        if self._whole is None:
            self._whole = html_or_source(self._document.whole, ended.text)
        return self._whole

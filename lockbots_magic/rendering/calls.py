"""Tool calls as people see them: one line each, before the text that they led to. Pure.

A line names every argument. What is cut of a line stands in full below it, folded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import partial
from html import escape

from ..conversation.call_text import describe_call, describe_result
from ..conversation.messages import ToolCall
from ..conversation.parts import ROUND_SEPARATOR, calls_of
from ..conversation.turn import Turn
from ..language import _, ngettext
from ..security.control_characters import printable
from ..security.pictures import embedded_picture
from .escaping import printed
from .html import render
from .mime_bundle import forms_of, html_or_source
from .safe_markdown import neutralised

MAX_LINE = 160
"""Length (characters) from which a call can be unfolded."""
MIN_SHOWN_SECONDS = 0.05
"""Durations (s) below this are not shown."""
RUNNING = "…"
"""Stands for the result of a call that has none yet."""

Segment = tuple[str, tuple[ToolCall, ...]]
"""Text of a reply, and the calls that follow it."""

_BACKTICKS = re.compile(r"`+")


def segments_of(turn: Turn) -> list[Segment]:
    """Return the text and the calls of a turn, in order; of one without calls, its whole text."""
    segments: list[Segment] = []
    for one in turn.rounds:
        calls = calls_of([one])
        if segments and not segments[-1][1]:
            text = ROUND_SEPARATOR.join(filter(None, (segments.pop()[0], one.text)))
        else:
            text = one.text
        segments.append((text, calls))
    return segments or [("", ())]


def call_line(call: ToolCall, *, timed: bool = False) -> str:
    """Return a call and its result on one line.

    Args:
        call: The call.
        timed: Whether to tell its duration, which differs from run to run.

    Example:
        >>> call_line(ToolCall("1", "mean_mass", '{"species": "Gentoo"}', "5076.0"))
        'mean_mass(species="Gentoo") -> 5076.0'
    """
    return f"{_without_time(call)}{time_of(call) if timed else ''}"


def time_of(call: ToolCall) -> str:
    """Return the duration of a call for the end of its line; empty if it is short or unknown."""
    return (
        _(" ({elapsed:.1f} s)", elapsed=call.elapsed)
        if call.elapsed is not None and call.elapsed >= MIN_SHOWN_SECONDS
        else ""
    )


def calls_html(calls: Iterable[ToolCall], *, timed: bool = False, images: bool = True) -> str:
    """Return calls as HTML; one that is cut on its line can be unfolded.

    Args:
        calls: The calls; those without a result are shown as running.
        timed: Whether to tell durations.
        images: Whether to show images of results.
    """
    return "".join(_call_html(call, timed=timed, images=images) for call in calls)


def calls_markdown(calls: Iterable[ToolCall]) -> str:
    """Return calls as Markdown: a paragraph of code each."""
    return "\n\n".join(_code_span(_without_time(call)) for call in calls)


def reply_html(turn: Turn, below: int = 0, *, shown: str | None = None, images: bool = True) -> str:
    """Return the text and the calls of a turn as HTML, without durations.

    Args:
        turn: The turn.
        below: Level of the heading below which it stands, see `render`.
        shown: Markdown to show in place of the text, below all calls.
        images: Whether to show images of results.
    """
    return "".join(
        (html_or_source(partial(render, text, below), text) if text else "") + calls_html(calls, images=images)
        for text, calls in _shown_segments(turn, shown)
    )


def reply_markdown(turn: Turn, shown: str | None = None) -> list[str]:
    """Return the text and the calls of a turn as pieces of Markdown, see `reply_html`."""
    pieces = (piece for text, calls in _shown_segments(turn, shown) for piece in (text, calls_markdown(calls)))
    return list(filter(None, pieces))


def reply_forms(turn: Turn, shown: str | None = None) -> tuple[str, list[str]]:
    """Return the text and the calls of a turn as HTML and as pieces of safe Markdown, each text parsed once.

    Args:
        turn: The turn.
        shown: Markdown to show in place of the text, below all calls.
    """
    html: list[str] = []
    markdown: list[str] = []
    for text, calls in _shown_segments(turn, shown):
        if text:
            page, source = forms_of(text)
            html.append(page)
            markdown.append(source)
        if calls:
            html.append(calls_html(calls))
            markdown.append(neutralised(calls_markdown(calls)))
    return "".join(html), markdown


def _shown_segments(turn: Turn, shown: str | None) -> Sequence[Segment]:
    return segments_of(turn) if shown is None else [("", turn.calls), (shown, ())]


def _without_time(call: ToolCall) -> str:
    described = describe_call(call.name, call.arguments)
    return f"{described} {RUNNING}" if call.result is None else f"{described} -> {_result_of(call)}"


def _result_of(call: ToolCall) -> str:
    images = len(call.images)
    pictures = "" if not images else ngettext("[image]", "[{n} images]", images)
    return " ".join(filter(None, (describe_result(call.result or ""), pictures))) or '""'


def _call_html(call: ToolCall, *, timed: bool, images: bool) -> str:
    line = f"<code>{printed(_without_time(call))}</code>{time_of(call) if timed else ''}"
    whole = f"{call} -> {call.result}"
    pictures = _pictures(call) if images else ""
    if call.result is None or (len(whole) <= MAX_LINE and "\n" not in whole and not pictures):
        return f'<div class="lockbots-call">{line}</div>'
    full = f"<pre><code>{printed(printable(str(call)))}</code></pre><pre><code>{printed(call.result)}</code></pre>"
    return f'<div class="lockbots-call"><details><summary>{line}</summary>{full}{pictures}</details></div>'


def _pictures(call: ToolCall) -> str:
    urls = filter(embedded_picture, call.images)
    names = (_("image {number}", number=number) for number in range(1, len(call.images) + 1))
    return "".join(f'<p><img src="{escape(url)}" alt="{name}"></p>' for name, url in zip(names, urls, strict=False))


def _code_span(text: str) -> str:
    """Return text as code of Markdown, whatever marks it holds (CommonMark 6.1)."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    mark = "`" * (longest + 1)
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{mark}{space}{text}{space}{mark}"

"""Rendering of replies: HTML, terminal, MIME bundles. Imports no provider; reply text is never trusted as HTML.

What a chat cell draws with is had from here, and imported when it is first used: it takes as long as to import all that
sends the prompt, and can wait until the model is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..importing import late_names

if TYPE_CHECKING:
    from .attachments import attachments_of
    from .calls import reply_forms, reply_html, reply_markdown, segments_of
    from .escaping import printed
    from .frame import count_formulas, framed, has_formulas
    from .mime_bundle import bundle, html_or_source
    from .notices import notices_of
    from .reasoning import reasoned_html, thinking_html
    from .terminal.output import TerminalOutput
    from .waiting import waiting_html

_HOME = {
    "TerminalOutput": "terminal.output",
    "attachments_of": "attachments",
    "bundle": "mime_bundle",
    "framed": "frame",
    "count_formulas": "frame",
    "has_formulas": "frame",
    "html_or_source": "mime_bundle",
    "notices_of": "notices",
    "printed": "escaping",
    "reasoned_html": "reasoning",
    "reply_forms": "calls",
    "reply_html": "calls",
    "reply_markdown": "calls",
    "segments_of": "calls",
    "thinking_html": "reasoning",
    "waiting_html": "waiting",
}

__all__ = [
    "TerminalOutput",
    "attachments_of",
    "bundle",
    "count_formulas",
    "framed",
    "has_formulas",
    "html_or_source",
    "notices_of",
    "printed",
    "reasoned_html",
    "reply_forms",
    "reply_html",
    "reply_markdown",
    "segments_of",
    "thinking_html",
    "waiting_html",
]

__getattr__ = late_names(__name__, _HOME)

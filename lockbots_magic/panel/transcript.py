"""A conversation as an output that needs neither a kernel nor a script. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ..conversation import Conversation
from ..messages import Turn
from ..plaintext import printable
from ..rendering.forms import made
from ..rendering.highlight import printed
from ..rendering.html import framed, render
from ..rendering.notices import notices_of

MOST_TURNS = 50
"""Turns that it shows: it is sent anew after each."""

_STYLE = """<style>
.lockbots-transcript .said {white-space: pre-wrap; overflow-wrap: anywhere; font-weight: bold; margin: 1em 0 0.4em}
.jp-OutputArea:has(.lockbots-panel) .jp-OutputArea-child:has(.lockbots-transcript),
.cell_container:has(.lockbots-panel) .lockbots-transcript {display: none}
.jp-OutputArea:has(.lockbots-transcript) .jupyter-widgets:not(:has(*)) {display: none}
</style>"""
"""Where the panel itself lives in the same cell, the transcript hides; where it can't, its error message does."""


def transcript(conversation: Conversation) -> Mapping[str, str]:
    """Return the last turns of `conversation` as HTML and as plain text."""
    turns = conversation.turns[-MOST_TURNS:]
    left_out = len(conversation) - len(turns)
    earlier = [f"{left_out} earlier turns"] if left_out else []
    html = "".join(f"<p>{line}</p>" for line in earlier) + "".join(_html(t, first=t is turns[0]) for t in turns)
    text = "\n\n".join([*earlier, *(f"> {printable(t.prompt)}\n\n{printable(t.reply)}" for t in turns)])
    return {
        "text/html": f'<div class="lockbots-transcript">{_STYLE}{html}</div>',
        "text/plain": text or "nothing was said yet",
    }


def _html(turn: Turn, *, first: bool) -> str:
    reply = made(lambda: render(turn.reply), turn.reply)
    said = f'<div class="said" dir="auto">{printed(printable(turn.prompt))}</div>'
    return said + framed(reply, notices_of(turn), styled=first)

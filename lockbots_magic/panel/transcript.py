"""A conversation as an output that needs neither a kernel nor a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..conversation.turn import Turn
from ..rendering.highlight import printed
from ..rendering.html import IGNORED, framed, render, style
from ..rendering.mime_bundle import made
from ..rendering.notices import notices_of
from ..security.control_characters import printable
from ..security.secrets import redacted

MOST_TURNS = 50
MOST_CHARACTERS = 200_000
"""What it shows at most: it is sent anew when turns have changed, and saved with the notebook."""

_STYLE = """<style>
.lockbots-transcript .said {white-space: pre-wrap; overflow-wrap: anywhere; font-weight: bold; margin: 0 0 0.6em}
.lockbots-transcript .you {margin-top: 1em; opacity: 0.75}
.jp-OutputArea:has(.lockbots-panel) .jp-OutputArea-child:has(.lockbots-transcript),
.cell_container:has(.lockbots-panel) .lockbots-transcript {display: none}
.jp-OutputArea:has(.lockbots-transcript) .jupyter-widgets:not(:has(*)) {display: none}
</style>"""
"""Where the panel itself lives in the same cell, the transcript hides; where it can't, its error message does."""


_GOING_ON = "<p>To go on with it in a new kernel, run <code>%lockbots restore</code> before this cell.</p>"


class Transcript:
    """Shows the last turns of a conversation. A turn is rendered once, as long as it is among them."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], _Forms] = {}

    def of(self, turns: Sequence[Turn]) -> Mapping[str, str]:
        """Return the last of `turns` as HTML and as plain text; they are of one conversation, oldest first."""
        before, self._made = self._made, {}
        size = 0
        for turn in reversed(turns[-MOST_TURNS:]):
            key = (turn.id, turn.prompt, turn.reply, *notices_of(turn))
            html, text = before.get(key) or _forms(turn)
            size += len(html) + len(text)
            if size > MOST_CHARACTERS and self._made:
                break
            self._made[key] = html, text
        shown = list(reversed(self._made.values()))
        left_out = len(turns) - len(shown)
        earlier = [f"{left_out} earlier {'turn' if left_out == 1 else 'turns'}"] if left_out else []
        lines = [f"<p>{line}</p>" for line in earlier]
        html = "".join([*lines, style(), *(one for one, _ in shown), _GOING_ON]) if shown else ""
        return {
            "text/html": f'<div class="lockbots-transcript">{_STYLE}{html}</div>',
            "text/plain": "\n\n".join([*earlier, *(text for _, text in shown)]) or "nothing was said yet",
        }


_Forms = tuple[str, str]
"""A turn as HTML and as plain text."""


def _forms(turn: Turn) -> _Forms:
    reply = made(lambda: render(turn.reply), turn.reply)
    said = f'<div class="you">You:</div><div class="said {IGNORED}" dir="auto">{printed(printable(turn.prompt))}</div>'
    notices = [redacted(notice) for notice in notices_of(turn)]
    html = said + framed(reply, notices, styled=False)
    return html, f"> {printable(turn.prompt)}\n\n{printable(turn.reply)}"

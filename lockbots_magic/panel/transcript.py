"""Transcript of a conversation: static HTML and text for readers without the kernel or scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..conversation.turn import Turn
from ..language import N_, _, ngettext
from ..rendering.attachments import attachments_of
from ..rendering.calls import call_line, reply_html
from ..rendering.escaping import escaped, printed
from ..rendering.frame import IGNORED, framed, style
from ..rendering.notices import document_notices, notices_of
from ..rendering.reasoning import reasoning_html
from ..security.exits import clean_bundle

MAX_SHOWN_TURNS = 50
MAX_CHARACTERS = 200_000
"""Bounds of a transcript: it is sent again after each change, and saved with the notebook."""

MAX_PLAIN_REPLY = 10_000
"""Characters of a reply as plain text: what reads no HTML is rare, and the record of the turn holds the reply."""

_STYLE = """<style>
.lockbots-transcript .said {white-space: pre-wrap; overflow-wrap: anywhere; font-weight: bold; margin: 0 0 0.6em}
.lockbots-transcript .you {margin-top: 1em; opacity: 0.75}
.jp-OutputArea:has(.lockbots-panel) .jp-OutputArea-child:has(.lockbots-transcript),
.cell_container:has(.lockbots-panel) .lockbots-transcript {display: none}
.jp-OutputArea:has(.lockbots-transcript) .jupyter-widgets:not(:has(*)) {display: none}
</style>"""
"""Hides the transcript where the panel itself works, and the widget's error message where it doesn't."""

_HOW_TO_CONTINUE = N_("To continue it in a new kernel, run <code>%lockbots restore</code> before this cell.")

_RenderedTurn = tuple[str, str]
"""A turn as HTML and as plain text."""


class Transcript:
    """Renders the last turns of a conversation. Each turn is formatted once, as long as it is among them."""

    def __init__(self) -> None:
        self._formatted: dict[tuple[str, ...], _RenderedTurn] = {}

    def render(self, turns: Sequence[Turn], formatted: int = MAX_SHOWN_TURNS) -> Mapping[str, str]:
        """Render the last turns.

        Args:
            turns: Turns of one conversation, oldest first.
            formatted: Number of turns, the last ones, whose Markdown is formatted; earlier ones stay text, which takes
                a tenth of the time.

        Returns:
            The transcript as ``text/html`` and ``text/plain``, without credentials and control characters.
        """
        before, self._formatted = self._formatted, {}
        shown: list[_RenderedTurn] = []
        size = 0
        for turn in reversed(turns[-MAX_SHOWN_TURNS:]):
            key = (turn.id, turn.prompt, turn.reply, turn.reasoning, *map(call_line, turn.calls), *_notices(turn))
            is_formatted = len(shown) < formatted
            html, text = before.get(key) or (_format_turn(turn) if is_formatted else _quote_turn(turn))
            size += len(html) + len(text)
            if size > MAX_CHARACTERS and shown:
                break
            shown.insert(0, (html, text))
            if is_formatted:
                self._formatted[key] = html, text
        omitted = len(turns) - len(shown)
        earlier = [ngettext("{n} earlier turn", "{n} earlier turns", omitted)] if omitted else []
        lines = [f"<p>{line}</p>" for line in earlier]
        html = (
            "".join([*lines, style(), *(html for html, _text in shown), f"<p>{_(_HOW_TO_CONTINUE)}</p>"])
            if shown
            else ""
        )
        bundle = {
            "text/html": f'<div class="lockbots-transcript">{_STYLE}{html}</div>',
            "text/plain": "\n\n".join([*earlier, *(text for _html, text in shown)]) or _("No turns yet."),
        }
        return clean_bundle(bundle)


def _format_turn(turn: Turn) -> _RenderedTurn:
    attached = attachments_of(turn, max_size=0)  # the label in the text tells of an image
    reply = reply_html(turn, images=False) + attached.html
    html = _prompt_html(turn) + framed(reply, _notices(turn), styled=False, above=reasoning_html(turn.reasoning))
    return html, _plain_text(turn)


def _quote_turn(turn: Turn) -> _RenderedTurn:
    """Return a turn with its reply as the model wrote it; what is said of the reply stands below it all the same."""
    reply = f'<pre class="{IGNORED}" dir="auto">{printed(turn.reply)}</pre>'
    return _prompt_html(turn) + framed(reply, _notices(turn), styled=False), _plain_text(turn)


def _prompt_html(turn: Turn) -> str:
    speaker = escaped(_("You:"))
    said = printed(turn.prompt).replace("\n", "&#10;")  # in exported Markdown an empty line would end the HTML
    return f'<div class="you">{speaker}</div><div class="said {IGNORED}" dir="auto">{said}</div>'


def _plain_text(turn: Turn) -> str:
    return f"> {turn.prompt}\n\n{_cut(turn.reply)}"


def _cut(reply: str) -> str:
    if len(reply) <= MAX_PLAIN_REPLY:
        return reply
    return reply[:MAX_PLAIN_REPLY] + _("… ({n:,} more characters)", n=len(reply) - MAX_PLAIN_REPLY)


def _notices(turn: Turn) -> list[str]:
    return [*document_notices(turn), *notices_of(turn)]

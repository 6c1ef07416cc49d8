"""A conversation as one HTML page that needs nothing else: no script, no network. Pure."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..rendering.escaping import printed
from ..rendering.html import framed, render, style, style_element
from ..rendering.mime_bundle import html_or_source
from ..security.control_characters import printable
from .export_common import remarks, remarks_on_prompt, speaker, system_of, title_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""What a browser may do for the page: show its style, and pictures that came along in replies."""
_LEVEL = 2
"""That of the headings above prompts and replies."""

_PAGE = """\
<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
{style}
</head>
<body>
<main>
<h1 dir="auto">{title}</h1>
{parts}
</main>
</body>
</html>
"""


def text(conversation: Conversation) -> str:
    """Return `conversation` as HTML: its name, and of every turn who said what."""
    system = system_of(conversation)
    first = [_part("system", "System prompt", _as_typed(system))] if system else []
    parts = [*first, *(part for turn in conversation.turns for part in _turn(turn))]
    title = _shown(title_of(conversation))
    return _PAGE.format(policy=POLICY, title=title, style=style() + _style(), parts="\n".join(parts))


def _turn(turn: Turn) -> Iterable[str]:
    reply = html_or_source(lambda: render(turn.reply, _LEVEL), turn.reply)
    with_it = remarks_on_prompt(turn)
    yield _part("prompt", "You", _as_typed(turn.prompt) + (framed("", with_it, styled=False) if with_it else ""))
    yield _part("reply", _shown(speaker(turn)), framed(reply, remarks(turn), styled=False))


def _part(kind: str, heading: str, html: str) -> str:
    return f'<section class="{kind}">\n<h{_LEVEL} dir="auto">{heading}</h{_LEVEL}>\n{html}\n</section>'


def _as_typed(words: str) -> str:
    return f'<div class="typed" dir="auto">{printed(printable(words))}</div>'


def _shown(name: str) -> str:
    return escape(printable(name))


@functools.cache
def _style() -> str:
    return style_element(files(__package__).joinpath("page.css").read_text("utf-8"))

"""Documents of a conversation to read: Markdown, and an HTML page without scripts and network access. No I/O."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from markdown_it.token import Token

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..language import _, ngettext
from ..rendering.attachments import attachments_of
from ..rendering.calls import calls_markdown, reply_html, segments_of
from ..rendering.escaping import printed
from ..rendering.frame import framed, style, style_element
from ..rendering.markdown import lowered, parse
from ..rendering.notices import document_notices, notices_of
from ..rendering.safe_markdown import neutralised, written
from ..rendering.safe_markdown.inline import literal
from ..security.control_characters import printable
from .export_common import one_line, system_prompt, title_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
)
"""What a browser may do for the page: apply its style, and show images embedded in replies."""
_LEVEL = 2
"""Level of the headings above prompts and replies."""
_ERROR_TYPE = re.compile(r"(\w+)(?::|\Z)")

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


def to_html(conversation: Conversation) -> str:
    """Return `conversation` as an HTML page."""
    system = system_prompt(conversation)
    first = [_section("system", _escape(_("System prompt")), _typed_text(system))] if system else []
    parts = [*first, *(part for turn in conversation.turns for part in _html_turn(turn))]
    title = _escape(title_of(conversation))
    page_style = style() + _page_style()
    return _PAGE.format(policy=CONTENT_SECURITY_POLICY, title=title, style=page_style, parts="\n".join(parts))


def to_markdown(conversation: Conversation) -> str:
    """Return `conversation` as Markdown without active content."""
    blocks = [f"# {literal(title_of(conversation), heading=True)}"]
    heading = _("System prompt")
    if system := system_prompt(conversation):
        blocks += [f"## {heading}", _markdown_part(system, 0)]
    you = _("You")
    for number, turn in enumerate(conversation.turns, 1):
        blocks += _markdown_turn(turn, number, you)
    return "\n\n".join(filter(None, blocks)) + "\n"


def speaker_of(turn: Turn) -> str:
    """Return who replied, on one line: ``provider:model`` as far as known."""
    return one_line(":".join(filter(None, (turn.provider, turn.model)))) or _("Assistant")


def prompt_remarks(turn: Turn) -> list[str]:
    """Return remarks on the prompt, one line each. Images are only counted: showing them would fetch them."""
    return [
        *([ngettext("with {n} image", "with {n} images", len(turn.images))] if turn.images else []),
        *document_notices(turn),
    ]


def reply_remarks(turn: Turn) -> list[str]:
    """Return remarks on the reply, one line each, without the address of the service."""
    remarks = notices_of(turn)
    if turn.status == "error" and not turn.reply:
        error_type = _ERROR_TYPE.match(turn.error)
        remarks.append(_("no reply: {error}", error=error_type[1]) if error_type else _("no reply"))
    if turn.stale:
        remarks.append(_("stale: an earlier turn has changed since"))
    return remarks


def _html_turn(turn: Turn) -> Iterable[str]:
    reply = reply_html(turn, _LEVEL) + attachments_of(turn).html
    remarks = prompt_remarks(turn)
    yield _section(
        "prompt", _escape(_("You")), _typed_text(turn.prompt) + (framed("", remarks, styled=False) if remarks else "")
    )
    yield _section("reply", _escape(speaker_of(turn)), framed(reply, reply_remarks(turn), styled=False))


def _section(kind: str, heading: str, html: str) -> str:
    return f'<section class="{kind}">\n<h{_LEVEL} dir="auto">{heading}</h{_LEVEL}>\n{html}\n</section>'


def _typed_text(text: str) -> str:
    return f'<div class="typed" dir="auto">{printed(printable(text))}</div>'


def _escape(name: str) -> str:
    return escape(printable(name))


@functools.cache
def _page_style() -> str:
    return style_element(files(__package__).joinpath("page.css").read_text("utf-8"))


def _markdown_turn(turn: Turn, number: int, you: str) -> list[str]:
    prompt = [f"## {you}", _markdown_part(turn.prompt, 2 * number - 1), *_emphasize(prompt_remarks(turn))]
    attached = attachments_of(turn)
    parts = (
        piece
        for text, calls in segments_of(turn)
        for piece in (_markdown_part(text, 2 * number), calls_markdown(calls) if calls else "")
    )
    reply = [*parts, attached.pictures, attached.markdown]
    return [*prompt, f"## {_heading(speaker_of(turn))}", *reply, *_emphasize(reply_remarks(turn))]


@functools.lru_cache(maxsize=16)
def _heading(name: str) -> str:
    """Return a name as the text of a heading. Most turns have the same speaker."""
    return literal(name, heading=True)


def _emphasize(remarks: Iterable[str]) -> list[str]:
    return [f"*{literal(remark)}*" for remark in remarks]


def _markdown_part(markdown: str, number: int) -> str:
    """Return one prompt or reply, its headings below those of the document, and its footnotes with labels of its own.

    Args:
        markdown: The text.
        number: Number of the part, unique in the document.
    """
    try:
        tokens = lowered(parse(markdown, {}), 2)
        if "[^" in markdown:
            _number_labels(tokens, number)
        return written(tokens)
    except Exception:  # noqa: BLE001  # a bug in the writer must not lose a reply
        return neutralised(markdown)


def _number_labels(tokens: Iterable[Token], number: int) -> None:
    for token in tokens:
        if "label" in token.meta:
            token.meta["label"] = f"{number}-{token.meta['label']}"
        _number_labels(token.children or [], number)

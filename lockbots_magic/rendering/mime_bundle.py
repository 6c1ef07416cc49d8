"""MIME bundle of a reply: the forms that front ends choose from. Pure.

`security.exits.clean_bundle` cleans the whole where it is displayed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ..conversation.shown_text import shown_text
from ..security.control_characters import printable
from .attachments import NONE, Attachments
from .escaping import printed
from .frame import foot_html, framed
from .html import rendered
from .markdown import Environment, parse
from .reasoning import reasoning_html, reasoning_markdown
from .safe_markdown import fenced, neutralised
from .safe_markdown.inline import literal
from .time_budget import MAX_SECONDS, at_most, check_length


def bundle(
    text: str,
    html: str,
    notices: Sequence[str] = (),
    attached: Attachments = NONE,
    *,
    reasoning: str = "",
    is_open: bool = False,
    is_quoted: bool = False,
    shown: str | None = None,
    pieces: Sequence[str] = (),
    written: Sequence[str] = (),
    foot: str = "",
    rejected: bool = False,
) -> Mapping[str, str]:
    """Return a reply as HTML, as Markdown and as plain text.

    Args:
        text: The reply, Markdown.
        html: The reply as sanitised HTML.
        notices: The toolkit's own remarks.
        attached: What stands below the text.
        shown: Markdown that `html` was rendered from, if it isn't the reply.
        pieces: Markdown to show in place of the text, piece by piece: the reply with its calls.
        written: The same, rewritten as safe Markdown already, see `forms_of`.
        reasoning: What the model reasoned; the HTML shows it, folded.
        is_open: True to show it unfolded.
        is_quoted: True to show it in the Markdown, too.
        foot: The foot line, text.
        rejected: Whether the HTML shows the reply faded.
    """
    remarks = [f"*{literal(printable(n))}*" for n in (*notices, foot) if n]
    sources = [] if written else [shown_text(one) for one in pieces or (text if shown is None else shown,)]
    quoted = reasoning_markdown(reasoning) if is_quoted else ""
    parts = [
        *filter(None, [quoted]),
        *(written or map(neutralised, sources)),
        *filter(None, [attached.markdown]),
        *remarks,
    ]
    markdown = "\n\n".join(parts)
    above = reasoning_html(reasoning, is_open=is_open)
    whole = framed(html + attached.html, notices, final=True, above=above, below=foot_html(foot), rejected=rejected)
    return {"text/html": whole, "text/markdown": markdown, "text/plain": shown_text(text)}


def forms_of(text: str) -> tuple[str, str]:
    """Return a text as HTML and as safe Markdown, parsed once; a form that fails or takes too long is code."""
    env: Environment = {}
    try:
        check_length(text)
        with at_most(MAX_SECONDS):
            tokens = parse(text, env)
    except Exception:  # noqa: BLE001  # as in `html_or_source`
        return html_as_source(text), fenced(shown_text(text))
    # The HTML first: the writer of Markdown joins texts, and notes what stands beside them.
    return html_or_source(lambda: rendered(tokens, env), text), neutralised(text, tokens)


def html_or_source(render: Callable[[], str], text: str) -> str:
    """Return the HTML that `render` makes of `text`; if it fails, `text` as code.

    A bug in rendering never hides a reply.
    """
    try:
        check_length(text)
        with at_most(MAX_SECONDS):
            return render()
    except Exception:  # noqa: BLE001  # whatever fails, or takes too long
        return html_as_source(text)


def html_as_source(text: str) -> str:
    """Return a text as HTML without reading it as Markdown."""
    return f"<pre><code>{printed(shown_text(text))}</code></pre>"

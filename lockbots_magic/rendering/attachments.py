"""What stands below the text of a reply: images that the model made, and the sources that it cites. Pure.

Nothing is fetched: an image on the web is a link in the text (see `ImagePart.label`). What is shown is checked here
again, because a turn may come from a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..conversation.attachments import CitationPart
from ..conversation.turn import Turn
from ..language import _
from ..late_dataclass import late_dataclass
from ..security.html_policy import sanitize
from ..security.links import spelled_out
from ..security.pictures import embedded_picture
from .escaping import escaped
from .safe_markdown.inline import literal
from .sources import MAX_SOURCES, count_more, source_host, source_lines, source_title

MAX_IMAGES = 20
"""Images shown below one reply."""


@late_dataclass(frozen=True)
class Attachments:
    """What stands below a reply, in the forms of an output."""

    html: str = ""
    markdown: str = ""
    """The sources; a notebook holds each image twice already."""
    pictures: str = ""
    """The images, Markdown."""
    lines: Sequence[str] = ()
    """For a terminal; images are named in the text of the reply."""


NONE = Attachments()


def attachments_of(turn: Turn, *, max_size: int | None = None) -> Attachments:
    """Return what stands below the reply of `turn`.

    Args:
        turn: The turn.
        max_size: Length (characters) that all images may have together; of those that don't fit, only the label in the
            text tells. None for no limit.
    """
    images = [part.url for part in turn.made_images if embedded_picture(part.url)][:MAX_IMAGES]
    if max_size is not None:
        images = _fitting(images, max_size)
    sources = turn.citations[:MAX_SOURCES]
    if not (images or sources):
        return NONE
    more = len(turn.citations) - len(sources)
    return Attachments(
        _images_html(images) + _sources_html(sources, more),
        _sources_markdown(sources, more),
        _images_markdown(images),
        source_lines(turn),
    )


def _fitting(images: Iterable[str], size: int) -> list[str]:
    fitting = []
    for url in images:
        size -= len(url)
        if size >= 0:
            fitting.append(url)
    return fitting


def _images_html(images: Sequence[str]) -> str:
    """Return the images as HTML. The sanitiser admits only small ones; these URLs hold nothing but base64."""
    return "".join(f'<p><img src="{escape(url)}" alt="{_name(number)}"></p>' for number, url in enumerate(images, 1))


def _images_markdown(images: Sequence[str]) -> str:
    return "\n\n".join(f"![{_name(number)}]({url})" for number, url in enumerate(images, 1))


def _name(number: int) -> str:
    return _("image {number}", number=number)


def _sources_html(sources: Sequence[CitationPart], more: int) -> str:
    if not sources:
        return ""
    rows = "".join(f"<li>{_source_html(source)}</li>" for source in sources)
    rest = f"<p>{escaped(count_more(more))}</p>" if more else ""
    heading = escaped(_("Sources"))
    return sanitize(f"<p>{heading}</p><ol>{rows}</ol>{rest}")


def _source_html(source: CitationPart) -> str:
    shown, host = escaped(source_title(source)), source_host(source)
    if not host:
        return shown
    link = f'<a href="{escape(spelled_out(source.url))}" target="_blank">{shown}</a>'
    return link if source_title(source) == host else f"{link} ({escaped(host)})"


def _sources_markdown(sources: Sequence[CitationPart], more: int) -> str:
    if not sources:
        return ""
    rows = [f"{number}. {_source_markdown(source)}" for number, source in enumerate(sources, 1)]
    return "\n".join([_("Sources"), "", *rows, *(["", count_more(more)] if more else [])])


def _source_markdown(source: CitationPart) -> str:
    title, host = source_title(source), source_host(source)
    shown = literal(title.replace("[", "(").replace("]", ")"))
    if not host:
        return shown
    link = f"[{shown}]({spelled_out(source.url)})"
    return link if title == host else f"{link} ({literal(host)})"

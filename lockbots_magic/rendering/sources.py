"""Sources that a reply cites, as text. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Sequence

from ..conversation.attachments import CitationPart
from ..conversation.turn import Turn
from ..language import _, ngettext
from ..security.control_characters import printable
from ..security.links import host_of, spelled_out

MAX_SOURCES = 30
"""Sources listed below one reply."""
MAX_TITLE = 120
"""Length (characters) to which the title of a source is cut."""


def source_lines(turn: Turn) -> Sequence[str]:
    """Return the sources of a reply, one numbered line each."""
    lines = [f"{number}. {_describe(source)}" for number, source in enumerate(turn.citations[:MAX_SOURCES], 1)]
    more = len(turn.citations) - len(lines)
    return [*lines, count_more(more)] if more > 0 else lines


def count_more(number: int) -> str:
    """Return a line for the sources that are not listed."""
    return ngettext("and {n} more source", "and {n} more sources", number)


def source_title(source: CitationPart) -> str:
    """Return the title of a source on one line, or else its host."""
    title = " ".join(printable(source.title[: 4 * MAX_TITLE]).split())
    return (title if len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…") or source_host(source) or _("source")


def source_host(source: CitationPart) -> str:
    """Return the host that the address of a source leads to; `""` if it leads nowhere."""
    return host_of(source.url) or ""


def _describe(source: CitationPart) -> str:
    title, host = source_title(source), source_host(source)
    return " — ".join(filter(None, ["" if title == host else title, spelled_out(source.url) if host else ""]))

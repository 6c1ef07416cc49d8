"""The reply of a saved turn, held once beside the HTML: read from the form of the output that shows it. No I/O.

An output is HTML for pages, Markdown for exporters, and plain text for what shows neither; its record holds the turn.
Of a long reply, the Markdown is kept, and the delta that makes the reply of it; the plain text is cut to its beginning.
Where the Markdown is too different, or somebody may read the plain text, that is kept whole. The record keeps the
digest of the reply, so `restore` notices if the output was edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..language import _
from .output_metadata import KEY, digest
from .text_delta import delta, patched

MIN_LEFT_OUT = 200
"""Shortest reply (characters) that a record leaves out: of a shorter one, little is gained."""
MIN_CUT = 500
"""Shortest reply (characters) of which the plain text is cut."""
MAX_CUT = 100_000
"""Longest reply (characters) of which it is: its lines are compared."""
MAX_BEGINNING = 100
"""Characters of the beginning of a reply as plain text."""
MAX_DELTA = 0.2
"""Longest delta, as a part of the reply."""
PLAIN, MARKDOWN = FORMS = ("text/plain", "text/markdown")
"""The forms that may hold the reply."""

_PLACE = "reply_in"
"""Field of a record: the form that holds the reply."""
_DELTA = "delta"
"""Field of a record: the delta that makes the reply of that form; none if it is the reply."""

Bundle = Mapping[str, Any]
"""An output by MIME type, or its metadata."""


def saved_once(forms: Bundle, metadata: Bundle | None, *, whole: bool = False) -> tuple[Bundle, Bundle | None]:
    """Return an output and its metadata with a long reply once beside the HTML.

    Args:
        forms: The output as it is displayed.
        metadata: What `output_metadata.metadata` returned, or any other metadata.
        whole: Whether to leave the forms as they are, since somebody may read the plain text.
    """
    record = metadata.get(KEY) if metadata else None
    turn = record.get("turn") if isinstance(record, Mapping) else None
    if metadata is None or not isinstance(record, Mapping) or not isinstance(turn, Mapping):
        return forms, metadata
    reply = turn.get("reply")
    if not isinstance(reply, str) or len(reply) < MIN_LEFT_OUT:
        return forms, metadata
    rest = {**record, "turn": {name: value for name, value in turn.items() if name != "reply"}}
    if "rounds" in turn:  # the reply is made of them
        return forms, {**metadata, KEY: rest}
    if forms.get(PLAIN) != reply:
        return forms, metadata
    steps = None if whole else _delta(forms, reply)
    if steps is None:
        return forms, {**metadata, KEY: {**rest, _PLACE: PLAIN}}
    return {**forms, PLAIN: _beginning(reply)}, {**metadata, KEY: {**rest, _PLACE: MARKDOWN, _DELTA: steps}}


def place_of(record: Any) -> str | None:
    """Return the form that holds the reply of a record; None if the record itself does."""
    place = record.get(_PLACE) if isinstance(record, Mapping) and isinstance(record.get("turn"), Mapping) else None
    return place if place in (PLAIN, MARKDOWN) else None


def reply_in(record: Any, forms: Mapping[str, str]) -> str:
    """Return the reply as an output shows it now, edited or not.

    Args:
        record: What a notebook holds under `output_metadata.KEY`.
        forms: The texts of the output, by MIME type.
    """
    if place_of(record) != MARKDOWN or not forms.get(MARKDOWN):
        return forms.get(PLAIN, "")
    markdown, steps = forms[MARKDOWN], record.get(_DELTA)
    if not isinstance(steps, str) or len(steps) > MAX_CUT * MAX_DELTA:  # none that is written: it may take long
        return markdown
    try:
        reply = patched(markdown, steps)
    except ValueError:
        return markdown
    return reply if digest(reply) == record.get("shown") else markdown


def with_reply(record: Any, reply: str) -> Any:
    """Return a record with the reply that its output holds."""
    return {**record, "turn": {**record["turn"], "reply": reply}} if place_of(record) else record


def _delta(forms: Bundle, reply: str) -> str | None:
    markdown = forms.get(MARKDOWN)
    if not isinstance(markdown, str) or not MIN_CUT <= len(reply) <= MAX_CUT:
        return None
    steps = delta(markdown, reply, int(len(reply) * MAX_DELTA))
    return steps if steps is not None and patched(markdown, steps) == reply else None


def _beginning(reply: str) -> str:
    """Return the first words of a reply, and how much follows."""
    text = reply.lstrip()
    words = text[:MAX_BEGINNING].strip()
    words = words.rsplit(maxsplit=1)[0] if words else ""  # not a word that is cut
    left_out = _("{n:,} more characters: text/markdown", n=len(text) - len(words))
    return f"{words}… [{left_out}]"

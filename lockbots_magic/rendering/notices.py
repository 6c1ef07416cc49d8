"""Notices below a reply, and pages of the toolkit. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Mapping

from ..conversation.turn import Turn
from ..language import _, ngettext
from ..late_dataclass import late_dataclass
from ..security.control_characters import printable
from .html import render
from .mime_bundle import bundle

MAX_REMARK = 200
"""Length (characters) to which a remark of foreign words is cut."""


@late_dataclass(frozen=True)
class Page:
    """A page of the toolkit's own, such as one of the help."""

    text: str
    """Markdown."""

    def mime_bundle(self) -> Mapping[str, str]:
        """Return the forms that front ends choose from."""
        return bundle(self.text, render(self.text))


def notices_of(turn: Turn) -> list[str]:
    """Return the remarks to show below the reply of `turn`, one line each."""
    notices = []
    if turn.answered_by:
        notices.append(_("answered by {model}", model=_shorten(turn.answered_by)))
    if turn.left_out:
        notices.append(
            ngettext(
                "{n} older turn was left out: the model takes no more",
                "{n} older turns were left out: the model takes no more",
                turn.left_out,
            )
        )
    notices += map(_shorten, turn.remarks)
    if turn.status in ("interrupted", "truncated"):
        notices.append(turn.error or _(turn.status))
    elif turn.status == "error" and turn.reply:
        notices.append(_("the reply broke off here; the turn is kept out of the conversation"))
    elif turn.status == "complete" and not turn.reply:
        notices.append(_("the reply is empty"))
    return notices


def document_notices(turn: Turn) -> list[str]:
    """Return the remarks that name the documents of a prompt, which its text doesn't show, one line each."""
    return [_("with {document}", document=_shorten(document.label)) for document in turn.documents]


def _shorten(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= MAX_REMARK else f"{line[: MAX_REMARK - 1]}…"

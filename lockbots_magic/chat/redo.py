"""What a turn that is asked again sends again, and what it does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..conversation.foreign import resent_params
from ..conversation.turn import Turn
from ..language import _
from ..providers.base import Provider
from .request import STREAM


def params_again(turn: Turn, provider: Provider) -> tuple[dict[str, Any], list[str]]:
    """Return the parameters of a turn that `provider` is sent again, and the names of those that it is not.

    A file may have brought any parameter: of those only the ones that shape the reply are sent.
    """
    known = {name: value for name, value in turn.params.items() if name == STREAM or provider.takes(name)}
    sent = resent_params(known) if turn.from_file else known
    return sent, [name for name in known if name not in sent]


def remarks_on_redo(turn: Turn, left_out: list[str], *, has_tools: bool) -> Iterator[str]:
    """Yield what a prompt that is sent again lacks, a sentence each."""
    if turn.calls and not has_tools:
        yield _("sent again without tools: none were named for this prompt in this kernel")
    if left_out:
        yield _("not sent again, because a file brought it: {names}", names=", ".join(map(repr, left_out)))
    if lost := len(turn.images) - len(turn.sent_images):
        yield _("not sent again, because they name files: {lost} of the images", lost=lost)

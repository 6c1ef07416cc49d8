"""What the toolkit itself has to say of a turn, below its reply. Pure."""

from __future__ import annotations

from ..conversation.turn import Turn
from ..security.control_characters import printable

MOST_OF_A_CALL = 200
"""Characters of a call's arguments, and of its result, that are told."""


def notices_of(turn: Turn) -> list[str]:
    """Return what the reader should know of `turn` besides its reply, a line each."""
    notices = [f"called {_short(str(call))} → {_short(call.result or '')}" for call in turn.calls]
    if turn.left_out:
        many = "turn was" if turn.left_out == 1 else "turns were"
        notices.append(f"{turn.left_out} older {many} left out: the model takes no more")
    if turn.status in ("interrupted", "truncated"):
        notices.append(turn.error or turn.status)
    elif turn.status == "error" and turn.reply:
        notices.append("the reply broke off here; the turn is kept out of the conversation")
    elif turn.status == "complete" and not turn.reply:
        notices.append("the reply is empty")
    return notices


def _short(text: str) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= MOST_OF_A_CALL else f"{line[: MOST_OF_A_CALL - 1]}…"

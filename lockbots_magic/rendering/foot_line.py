"""Foot line of a reply: who answered, how long it took, and what it used. Pure, and cheap to import."""

from __future__ import annotations

from collections.abc import Sequence

from ..conversation.model_names import GUIDE
from ..conversation.usage import TokenCount, TurnUsage, format_dollars
from ..language import N_, _, ngettext
from ..security.control_characters import printable

MAX_MODEL = 80
"""Length (characters) to which the name of a model is cut."""
GUIDE_LINE = N_("built-in guide, not a model: it searches the help")
CODE_HINT = N_("code into a new cell: %lockbots code")


def foot_line(used: TurnUsage, *, timed: bool, has_code: bool = False) -> str:
    """Return the foot line of a reply.

    Args:
        used: Usage of its turn.
        timed: True to tell the time, which differs from run to run.
        has_code: True to tell how its code becomes a cell.

    Example:
        >>> from lockbots_magic import Turn
        >>> from lockbots_magic.conversation.usage import measure_turn
        >>> turn = Turn("Hi", "Hello!", provider="openai", model="gpt-5-mini", elapsed=1.25)
        >>> foot_line(measure_turn(turn), timed=True)
        'openai:gpt-5-mini · 1.2 s · ~2 tokens · ~0.0000045 USD'
    """
    turn = used.turn
    if turn.provider == GUIDE:
        parts = [_(GUIDE_LINE)]
    else:
        name = " ".join(printable(used.model).split())
        parts = [name if len(name) <= MAX_MODEL else f"{name[: MAX_MODEL - 1]}…"]
        parts += [_("{elapsed:.1f} s", elapsed=turn.elapsed)] if timed else []
        parts += figures(used)
    return " · ".join(filter(None, [*parts, _(CODE_HINT) if has_code else ""]))


def _count_tokens(count: TokenCount) -> str:
    return ngettext("{count} token", "{count} tokens", count.tokens, count=count)


def figures(used: TurnUsage) -> Sequence[str]:
    """Return the tokens and the cost of a reply, as far as they are known."""
    cost = used.cost
    return [
        *([_count_tokens(used.reply)] if used.reply.tokens else []),
        *([_("{cost} USD", cost=format_dollars(cost, estimated=used.estimated))] if cost else []),
    ]

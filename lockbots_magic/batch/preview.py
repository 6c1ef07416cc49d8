"""What a batch would do, without a request: filled prompts, rows to ask and to reuse, tokens and cost."""

from __future__ import annotations

from ..conversation.usage import format_price
from ..errors import UsageError
from ..language import _, ngettext
from .counts import BatchCounts
from .engine import BatchEngine
from .run import BatchPlan
from .usage import BatchUsage

MAX_PROMPT = 2_000
"""Characters of a prompt that are shown."""


def describe_batch(plan: BatchPlan) -> str:
    """Return a description of what a batch would do. Nothing is sent.

    Raises:
        UsageError: The rows can be read only once.
    """
    if not plan.source.is_sized:
        raise UsageError(_("A dry run reads all rows, and these can be read only once. Pass a list or a data frame."))
    engine = BatchEngine(plan.settings, iter(plan.source), plan.template, BatchUsage())
    try:
        counts = engine.count()
    finally:
        engine.close()
    lines = [
        _describe_rows(counts),
        f"{_describe_tokens(counts)}; {_describe_price(counts)}.",
        *([_("First error: {first_error}", first_error=counts.first_error)] if counts.first_error else []),
        *engine.notes,
    ]
    prompts = [_shown(number, prompt) for number, prompt in enumerate(counts.prompts, 1)]
    return "\n".join([*prompts, *lines, _("Nothing was sent.")])


def _describe_rows(counts: BatchCounts) -> str:
    parts = [
        _("{n:,} would be asked", n=counts.asked),
        *([_("{n:,} reused", n=counts.reused)] if counts.reused else []),
        *([_("{n:,} can't be filled in", n=counts.failed)] if counts.failed else []),
    ]
    return f"{ngettext('{n:,} row', '{n:,} rows', counts.rows)}: {', '.join(parts)}."


def _describe_tokens(counts: BatchCounts) -> str:
    prompts, replies = counts.prompt_tokens, counts.reply_tokens
    if replies:
        return _("About {n:,} prompt tokens and at most {replies:,} reply tokens", n=prompts, replies=replies)
    return _("About {n:,} prompt tokens, and the replies, whose length isn't known before", n=prompts)


def _describe_price(counts: BatchCounts) -> str:
    if counts.cost is None:
        return _("the price is unknown")
    if not counts.cost:
        return _("free of charge")
    cost = format_price(counts.cost)
    return _("up to about {cost}", cost=cost) if counts.reply_tokens else _("about {cost} for the prompts", cost=cost)


def _shown(number: int, prompt: str) -> str:
    cut = prompt if len(prompt) <= MAX_PROMPT else f"{prompt[:MAX_PROMPT]}…"
    return f"[{number}] {cut}\n"

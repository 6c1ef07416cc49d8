"""What a batch would do, without a request: filled prompts, rows to ask and to reuse, tokens and cost."""

from __future__ import annotations

from ..conversation.usage import format_price
from ..errors import UsageError
from ..language import _
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
    limited = (
        _("and at most {reply_tokens:,} reply tokens", reply_tokens=counts.reply_tokens)
        if counts.reply_tokens
        else _("and the reply tokens")
    )
    money = "" if counts.cost is None else f", {_price(counts)}"
    unfilled = _(", {failed:,} can't be filled", failed=counts.failed) if counts.failed else ""
    lines = [
        _(
            "{rows:,} rows: {asked:,} would be asked, {reused:,} reused{unfilled}",
            rows=counts.rows,
            asked=counts.asked,
            reused=counts.reused,
            unfilled=unfilled,
        ),
        _(
            "~{prompt_tokens:,} prompt tokens {limited}{money}",
            prompt_tokens=counts.prompt_tokens,
            limited=limited,
            money=money,
        ),
        *([_("First error: {first_error}", first_error=counts.first_error)] if counts.first_error else []),
        *engine.notes,
    ]
    prompts = [_shown(number, prompt) for number, prompt in enumerate(counts.prompts, 1)]
    return "\n".join([*prompts, *lines, _("Nothing was sent.")])


def _price(counts: BatchCounts) -> str:
    cost = format_price(counts.cost or 0.0, estimated=True)
    return cost if counts.reply_tokens else _("{cost} without the replies", cost=cost)


def _shown(number: int, prompt: str) -> str:
    cut = prompt if len(prompt) <= MAX_PROMPT else f"{prompt[:MAX_PROMPT]}…"
    return f"[{number}] {cut}\n"

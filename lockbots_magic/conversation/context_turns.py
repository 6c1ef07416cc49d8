"""Earlier turns as the model of a new prompt can take them. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import attrgetter

from .call_messages import flatten_calls, with_portable_ids
from .documents import NO_DOCUMENTS, DocumentBudget, DocumentRules, split_documents
from .model_names import display_name
from .parts import Part, Round, TextPart, ToolResultPart
from .turn import Turn

_documents_of = attrgetter("documents")
UNSEEN = "that you can't see"
"""What a remark in the place of images says of them."""


def adapt_turns(
    turns: Iterable[Turn],
    provider: str,
    model: str,
    *,
    takes_images: bool,
    takes_tools: bool,
    rules: DocumentRules = NO_DOCUMENTS,
    budget: DocumentBudget | None = None,
) -> list[Turn]:
    """Return the turns of a context for a model.

    Args:
        turns: Turns before the prompt.
        provider: Name of the provider that will get them.
        model: Model id; `""` if the server chooses it.
        takes_images: Whether the model takes images; otherwise a remark takes their place.
        takes_tools: Whether the provider takes tool calls; otherwise they become text.
        rules: What it takes of documents; others become text.
        budget: What the prompt leaves of the room for files; the latest turns come first.
    """
    seen = _with_fitting_documents(turns if takes_images else map(_without_images, turns), rules, budget)
    if not takes_tools:
        return [*map(_without_calls, seen)]
    known = {model, display_name(model)}  # a turn keeps the last part of a path
    return [
        turn
        if not turn.calls or (turn.provider == provider and (not model or turn.model in known))
        else _with_portable_ids(turn)
        for turn in seen
    ]


def _with_fitting_documents(
    turns: Iterable[Turn], rules: DocumentRules, budget: DocumentBudget | None
) -> Iterable[Turn]:
    turns = [*turns]
    if not any(map(_documents_of, turns)):
        return turns
    budget = budget or DocumentBudget(rules)
    fitting = []
    for turn in reversed(turns):
        budget.add_images(turn.sent_images)
        kept, text = split_documents(turn.sent_documents, budget, rules) if turn.documents else ((), "")
        fitting.append(replace(turn, prompt=f"{text}\n\n{turn.prompt}", documents=kept) if text else turn)
    return reversed(fitting)


def _without_images(turn: Turn) -> Turn:
    if any(call.images for call in turn.calls):
        turn = replace(turn, rounds=tuple(Round(tuple(map(_without_result_images, one.parts))) for one in turn.rounds))
    if not turn.images:
        return turn
    return replace(turn, prompt=f"{turn.prompt}\n\n[{_count(turn.images)} {UNSEEN}]", images=())


def _without_result_images(part: Part) -> Part:
    if not (isinstance(part, ToolResultPart) and part.images):
        return part
    is_told = UNSEEN in part.text.rpartition("\n")[2]  # by the loop, where the model took none then
    return replace(part, text=part.text if is_told else f"{part.text}\n[{_count(part.images)} {UNSEEN}]", images=())


def _count(images: Sequence[str]) -> str:
    return "an image" if len(images) == 1 else f"{len(images)} images"


def _with_portable_ids(turn: Turn) -> Turn:
    return replace(turn, rounds=with_portable_ids(turn.rounds))


def _without_calls(turn: Turn) -> Turn:
    if not turn.calls:
        return turn
    text = flatten_calls(turn.messages)[-1].content
    return replace(turn, rounds=(Round((TextPart(text),)),))

"""Branches of a conversation: other conversations that part from it at a turn, as an edited prompt makes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..conversation.conversation import Conversation


def find_branches(
    opened: Conversation, conversations: Sequence[Conversation], families: Mapping[str, str]
) -> dict[str, Any]:
    """Return where other conversations part from the open one.

    Args:
        opened: The open conversation.
        conversations: All conversations.
        families: Id of a conversation -> id of the one that it was made from; those without a common turn are branches
            of each other only if they are of one family.

    Returns:
        For the id of each turn at which there are several: the `names` of conversations with one branch each, and the
        index `at` of the open one among them.
    """
    here = opened.turns
    found: dict[int, dict[str, str]] = {}
    for other in conversations:
        there = other.turns
        at = next((n for n, (a, b) in enumerate(zip(here, there, strict=False)) if a.id != b.id), None)
        if other is opened or at is None or not (at or _root(other, families) == _root(opened, families)):
            continue
        found.setdefault(at, {}).setdefault(there[at].id, other.name)
    return {here[at].id: _describe(opened, names, conversations) for at, names in found.items()}


def _describe(opened: Conversation, names: Mapping[str, str], conversations: Sequence[Conversation]) -> dict[str, Any]:
    places = {one.name: place for place, one in enumerate(conversations)}
    ordered = sorted([opened.name, *names.values()], key=lambda name: places.get(name, len(places)))
    return {"names": ordered, "at": ordered.index(opened.name)}


def _root(conversation: Conversation, families: Mapping[str, str]) -> str:
    return families.get(conversation.id, conversation.id)

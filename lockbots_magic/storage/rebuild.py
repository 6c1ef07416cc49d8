"""Rebuilds conversations from the entries that outputs hold. No I/O.

Each entry holds the whole order of its conversation at one moment, so the latest one wins. Turns that it names and no
output holds are gaps. Turns after a gap are stale: a turn of their context is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..conversation.history_entry import ConversationInfo, HistoryEntry, RestoredConversation
from ..conversation.turn import Turn


def rebuild_conversations(entries: Iterable[HistoryEntry]) -> list[RestoredConversation]:
    """Return the conversations that `entries` describe, the latest one last; no two have the same name.

    Turns outside conversations, deleted conversations, and turns from before a conversation was cleared are left out.

    Args:
        entries: The entries of all outputs of a notebook, in any order.
    """
    known = [(entry.info, entry) for entry in entries if entry.info]
    latest: dict[str, tuple[ConversationInfo, HistoryEntry]] = {}
    for info, entry in sorted(known, key=lambda one: (one[1].made, one[1].deleted, one[0].name, one[0].system)):
        latest[info.id] = info, entry
    cleared = {former for info, _ in known for former in info.former}
    kept = [one for name, one in latest.items() if name not in cleared and not one[1].deleted]
    turns = {entry.serial: entry.turn for _, entry in known if entry.turn}
    kept.sort(key=lambda one: (one[1].made, one[0].id))
    return _with_unique_names([_rebuild(info, entry, turns) for info, entry in kept])


def _rebuild(info: ConversationInfo, entry: HistoryEntry, turns: Mapping[int, Turn]) -> RestoredConversation:
    stale = set(entry.stale)
    found: dict[int, Turn] = {}
    gaps: list[str] = []
    is_gap = is_incomplete = False
    for serial in entry.order:
        turn = turns.get(serial)
        if turn is None:
            is_gap = is_incomplete = True
            continue
        if is_gap:
            gaps.append(turn.id)
        is_gap = False
        found[serial] = replace(turn, stale=is_incomplete or serial in stale)
    return RestoredConversation(info, tuple(found.values()), tuple(found), entry.made, tuple(gaps))


def _with_unique_names(conversations: Sequence[RestoredConversation]) -> list[RestoredConversation]:
    """Append a number to the name of all but the latest conversation of that name."""
    taken = {one.info.name for one in conversations}
    seen: set[str] = set()
    named: list[RestoredConversation] = []
    for one in reversed(conversations):
        original = name = one.info.name
        number = 2
        while name in seen or (name != original and name in taken):
            name, number = f"{original}-{number}", number + 1
        seen.add(name)
        named.insert(0, replace(one, info=replace(one.info, name=name), original_name=original))
    return named

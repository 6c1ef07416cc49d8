"""What the metadata of an output say of its conversation: built, and read back. Pure.

An entry is what a conversation can say at one moment of all that surrounds a turn: which one stands right before it,
which one right behind, and so, that nothing stands between. Entries are enough to rebuild the conversation: see
`history`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from ..conversation.history_entry import MAX_FORMER_IDS, Entry, Neighbour, Origin, Owner
from ..conversation.messages import Usage
from ..conversation.ordering import place_of
from ..conversation.turn import Turn
from ..security.control_characters import printable

KEY = "lockbots"
"""The name of a record among the metadata of an output."""
VERSION = 1
LONGEST_ID = 200
MOST_EXACT = 2**53
"""Front ends, which save the notebook, know whole numbers up to here."""
DEEPEST_VALUE = 20
"""Levels of lists and dicts in a parameter."""


class NewerRecordError(ValueError):
    """A later release wrote the record."""


@dataclass(frozen=True)
class Record:
    """An entry in an output."""

    entry: Entry
    cell: str | None = None
    """The cell that ran."""
    source: str = ""
    """Digest of what it ran; `""`: unknown."""
    shown: str = ""
    """Digest of the reply as plain text."""
    described: tuple[str, ...] = ()
    """Parameters of the turn that are no JSON: only what they were is known, ``"df: <DataFrame>"``."""


def digest(text: str) -> str:
    """Return a short digest of `text`, whichever line ends it has and whatever blank lines surround it."""
    lines = "\n".join(text.strip().splitlines())
    return hashlib.sha256(lines.encode("utf-8", "replace")).hexdigest()[:16]


def metadata(entry: Entry, clean: Callable[[str], str], cell: str | None = None, source: str = "") -> dict[str, Any]:
    """Return the metadata of an output that holds `entry`, ready for JSON; none if there is nothing to keep.

    Args:
        entry: what to keep.
        clean: takes out of a text what must not be saved: credentials.
        cell: the id of the cell that runs.
        source: its source; `""` if unknown.
    """
    if entry.owner is None and not (entry.turn and entry.turn.is_shown):
        return {}
    data: dict[str, Any] = {"version": VERSION, "conversation": None if entry.owner is None else _of_owner(entry.owner)}
    if entry.turn and entry.turn.is_shown:
        data |= {**_of_turn(entry.turn), "trail": entry.trail}
    else:
        data |= {"ended": entry.made, "deleted": entry.deleted}
    data |= {"after": _of_neighbour(entry.after), "before": _of_neighbour(entry.before)}
    data |= {"cell": cell, "source": digest(source) if source else ""}
    return {KEY: _cleaned(data, clean)}


def metadata_of_several(entries: Iterable[Entry], clean: Callable[[str], str]) -> dict[str, Any]:
    """Return the metadata of an output that holds several entries, none of them of the cell that shows it.

    Such entries tell how things stood when the output was made, not when their turns were.
    """
    records = [one[KEY] for entry in entries if (one := metadata(entry, clean))]
    return {KEY: records} if records else {}


def parsed(data: Any) -> Record:
    """Return the record that `metadata` made: the value under `KEY`, or one of the list there.

    Raises:
        NewerRecordError: a later release made it.
        ValueError: it is damaged.
    """
    try:
        version = data["version"]
        if type(version) is not int or version < VERSION:
            raise ValueError(f"version {version!r:.40}")
        if version > VERSION:
            raise NewerRecordError(f"the record is of version {version}, this release reads {VERSION}")
        turn = _turn(data["turn"]) if "turn" in data else None
        owner = _owner(data["conversation"]) if data["conversation"] is not None or turn is None else None
        entry = Entry(
            owner,
            turn if turn is None or owner is None else _placed(turn),
            _neighbour(data["after"]),
            _neighbour(data["before"]),
            _text(data.get("trail", "")),
            0.0 if turn else _moment(data["ended"]),
            turn is None and data["deleted"] is True,
        )
        cell = None if data["cell"] is None else _text(data["cell"])
        described = tuple(f"{_text(k)}: {_text(v)}" for k, v in data.get("described", {}).items())
        return Record(_in_order(entry), cell, _text(data["source"]), _text(data.get("shown", "")), described)
    except NewerRecordError:
        raise
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"the record is damaged: {error}") from None


def _of_turn(turn: Turn) -> dict[str, Any]:
    params = {str(name): _param(value) for name, value in turn.params.items()}
    plain = {name: value for name, (is_plain, value) in params.items() if is_plain}
    described = {name: value for name, (is_plain, value) in params.items() if not is_plain}
    given = replace(turn, params=plain, stale=False).to_dict()  # what became stale is seen from the turns before it
    return {"turn": given, "shown": digest(printable(turn.reply)), **({"described": described} if described else {})}


def _param(value: Any) -> tuple[bool, Any]:
    """Whether `value` is JSON, and that; otherwise what it is, in words."""
    try:
        return True, _plain(value)
    except ValueError:
        return False, f"<{type(value).__name__}>"


def _plain(value: Any, depth: int = 0) -> Any:
    """Return `value` as JSON has it; `ValueError` if it is something else."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int) and abs(value) <= MOST_EXACT:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple) and depth < DEEPEST_VALUE:
        return [_plain(one, depth + 1) for one in value]
    if isinstance(value, dict) and depth < DEEPEST_VALUE and all(isinstance(key, str) for key in value):
        return {str(key): _plain(one, depth + 1) for key, one in value.items()}
    raise ValueError(type(value).__name__)


def _of_owner(owner: Owner) -> dict[str, Any]:
    data: dict[str, Any] = {"id": owner.id, "name": owner.name}
    if owner.system:
        data["system"] = owner.system
    if owner.origin:
        data["origin"] = {"id": owner.origin.id, "made": owner.origin.made, "last": list(owner.origin.last)}
    if owner.former:
        data["former"] = list(owner.former)
    return data


def _of_neighbour(neighbour: Neighbour | None) -> dict[str, Any] | None:
    return None if neighbour is None else {"id": neighbour.id, "place": list(neighbour.place)}


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    """Return `value` with every text in it cleaned, names too; half a character can't be sent and is replaced."""
    if isinstance(value, str):
        return clean(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    if isinstance(value, dict):
        return {_cleaned(key, clean): _cleaned(one, clean) for key, one in value.items()}
    return [_cleaned(one, clean) for one in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value


def _identity(value: Any) -> str:
    if not 0 < len(_text(value)) <= LONGEST_ID:
        raise ValueError(f"{value!r:.40} is no id")
    return str(value)


def _moment(value: Any) -> float:
    if not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
        raise ValueError(f"{value!r:.40} is no time")
    return float(value)


def _turn(data: Any) -> Turn:
    if not isinstance(data, Mapping):
        raise TypeError("its turn is none")
    turn = Turn.from_dict(data)
    for moment in (turn.started, turn.elapsed, turn.first_text or 0.0, turn.made):
        _moment(moment)
    usage = turn.usage or Usage()
    if not all(n is None or type(n) is int for n in (usage.prompt_tokens, usage.completion_tokens)):
        raise TypeError("its usage counts no tokens")
    _identity(turn.id)
    return turn


def _placed(turn: Turn) -> Turn:
    if not (turn.place and turn.made):
        raise ValueError("its turn has no place")
    return turn


def _owner(data: Any) -> Owner:
    origin = data.get("origin")
    former = tuple(_identity(one) for one in data.get("former", []))
    return Owner(
        _identity(data["id"]),
        _identity(data["name"]),
        _text(data.get("system", "")),
        origin and Origin(_identity(origin["id"]), _moment(origin["made"]), place_of(origin["last"])),
        former[-MAX_FORMER_IDS:],
    )


def _neighbour(data: Any) -> Neighbour | None:
    return None if data is None else Neighbour(_identity(data["id"]), place_of(data["place"]))


def _in_order(entry: Entry) -> Entry:
    """Return `entry`; `ValueError` if its turn does not stand between its neighbours."""
    given = (entry.after, entry.turn if entry.owner else None, entry.before)
    if any(a.place >= b.place for a, b in pairwise([one for one in given if one is not None])):
        raise ValueError("its turn does not stand between its neighbours")
    return entry

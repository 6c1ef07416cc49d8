"""The reply of a saved turn: read from the form of the output that shows it, so that a notebook holds it once. No I/O.

A notebook holds a reply in each form of its output, and in the record of the turn. The record leaves a long one out
where the plain text beside it is exactly the reply. Its digest stays, so `restore` notices if the output was edited.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .output_metadata import KEY

MIN_LEFT_OUT = 200
"""Shortest reply (characters) that a record leaves out: of a shorter one, little is gained."""
PLAIN = "text/plain"
_PLACE = "reply_in"
"""Field of a record: the form that holds the reply."""


def without_reply(metadata: Mapping[str, Any] | None, forms: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the metadata of an output without the reply, if `forms` hold it.

    Args:
        metadata: What `output_metadata.metadata` returned, or any other metadata.
        forms: The output as it is displayed, by MIME type.
    """
    record = metadata.get(KEY) if metadata else None
    turn = record.get("turn") if isinstance(record, Mapping) else None
    if metadata is None or not isinstance(record, Mapping) or not isinstance(turn, Mapping):
        return metadata
    reply = turn.get("reply")
    if not isinstance(reply, str) or len(reply) < MIN_LEFT_OUT:
        return metadata
    rest = {name: value for name, value in turn.items() if name != "reply"}
    if "rounds" in turn:  # the reply is made of them
        return {**metadata, KEY: {**record, "turn": rest}}
    return {**metadata, KEY: {**record, "turn": rest, _PLACE: PLAIN}} if forms.get(PLAIN) == reply else metadata


def is_left_out(record: Any) -> bool:
    """Return whether a record leaves the reply to the output."""
    return isinstance(record, Mapping) and record.get(_PLACE) == PLAIN


def with_reply(record: Any, plain: str) -> Any:
    """Return a record with its reply.

    Args:
        record: What a notebook holds under `output_metadata.KEY`.
        plain: The output as plain text, as the notebook holds it now.
    """
    turn = record.get("turn") if is_left_out(record) else None
    return {**record, "turn": {**turn, "reply": plain}} if isinstance(turn, Mapping) else record

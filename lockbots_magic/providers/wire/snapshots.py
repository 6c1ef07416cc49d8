"""Text of a stream whose chunks repeat what came before: only what is new is the reply. Pure.

Observed: the last chunk holds the whole message again; each chunk holds all of the text so far (a snapshot).
"""

from __future__ import annotations

from ...conversation.text_buffer import TextBuffer

MIN_REPEAT = 4
"""Characters of a text whose repetition in the last chunk is left out; a model repeats shorter pieces by itself."""
MIN_SNAPSHOTS = 3
"""Chunks, each of which continues the one before, after which all are taken for snapshots,"""
MIN_SNAPSHOT = 16
"""if the last of them has so many characters."""
MIN_FIRST = 3
"""Characters of the first of two chunks that are all of a reply, for the second to be taken for a snapshot."""
MAX_HELD = 16
"""Chunks that are held until it is known whether they are snapshots."""
MAX_CORRECTED = 4
"""Characters at the end of a snapshot that the next one may change: half a character, decoded too early."""


class SnapshotFilter:
    """Returns what each chunk adds to the text. Chunks that may be snapshots are held until that is known.

    Example:
        >>> text = SnapshotFilter()
        >>> [text.feed("Hello "), text.feed("you"), text.feed("Hello you!", is_whole=True)]
        ['Hello ', 'you', '!']
    """

    def __init__(self) -> None:
        self._kept = TextBuffer()
        self._first = ""
        self._held: list[str] = []
        self._are_snapshots: bool | None = None
        self._has_deltas = False

    def feed(self, text: str, *, is_whole: bool = False, is_last: bool = False) -> str:
        """Return what `text` adds to the reply.

        Args:
            text: Text of a chunk.
            is_whole: Whether it stands in a message instead of a delta.
            is_last: Whether the finish reason has come.
        """
        if self._are_snapshots is False and self._has_deltas and text and not (is_whole or is_last):
            self._kept.add(text)  # nearly all pieces
            return text
        if not text:
            return ""
        repeats_all = is_whole and self._has_deltas
        self._has_deltas = self._has_deltas or not is_whole
        if repeats_all:
            released = self._release(self._continues_deltas(text))
            return released + self._keep(_after(self._text, text))
        if self._are_snapshots is None and self._first:
            return self._decide(text, is_last=is_last)
        if self._are_snapshots:
            return self._replace(text)
        return self._keep(self._without_repetition(text) if is_last else text)

    def close(self) -> str:
        """Return the text that is still held, at the end of the reply."""
        return self._release(not self._may_be_snapshots())

    @property
    def has_any(self) -> bool:
        """Whether any text has come."""
        return bool(self._first)

    @property
    def _text(self) -> str:
        return self._kept.value

    def _decide(self, text: str, *, is_last: bool) -> str:
        """Hold a chunk as long as all of them may be snapshots."""
        if is_last and not self._held and not self._without_repetition(text):
            return ""
        before = self._held[-1] if self._held else self._first
        continues = text.startswith(before) and (len(text) > len(before) or len(text) >= MIN_FIRST)
        if not continues or len(self._held) == MAX_HELD:
            released = self._release(are_deltas=True)
            return released + self._keep(self._without_repetition(text) if is_last else text)
        self._held.append(text)
        if len({self._first, *self._held}) >= MIN_SNAPSHOTS and len(text) >= MIN_SNAPSHOT:
            return self._release(not self._may_be_snapshots())
        return ""

    def _may_be_snapshots(self) -> bool:
        """Whether the chunks held are likelier snapshots than deltas. A run of one character is no sign of it."""
        if not self._held or len(set(self._held[-1])) == 1:
            return False
        first, different = self._first, len({self._first, *self._held})
        return different >= MIN_SNAPSHOTS or len(first) >= (MIN_FIRST if different > 1 else MIN_SNAPSHOT)

    def _continues_deltas(self, whole: str) -> bool:
        return whole.startswith("".join([self._text, *self._held])) or not self._may_be_snapshots()

    def _release(self, are_deltas: bool) -> str:  # what the caller has found out
        held, self._held = self._held, []
        if self._first and (held or are_deltas):
            self._are_snapshots = not are_deltas
        if not held:
            return ""
        return self._keep("".join(held)) if are_deltas else self._replace(held[-1])

    def _replace(self, snapshot: str) -> str:
        """Return what a snapshot adds."""
        text = self._text
        common = _common_length(text, snapshot)
        if common == len(snapshot):  # an older one
            return ""
        if common < len(text) - MAX_CORRECTED:
            return self._keep(snapshot)
        self._kept.replace(snapshot)
        return snapshot[common:]

    def _without_repetition(self, text: str) -> str:
        so_far = self._text
        return text.removeprefix(so_far) if len(so_far) >= MIN_REPEAT else text

    def _keep(self, text: str) -> str:
        if text:
            self._kept.add(text)
            self._first = self._first or text
        return text


def _common_length(one: str, other: str) -> int:
    """Return the number of characters with which both begin."""
    if other.startswith(one):
        return len(one)
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _after(text: str, whole: str) -> str:
    """Return what a whole message adds to the `text` that came in deltas; all of it if it is another text."""
    if whole.startswith(text):
        return whole[len(text) :]
    _, found, rest = whole.partition(text.strip())
    if found:
        return rest
    return "" if " ".join(whole.split()) in " ".join(text.split()) else whole

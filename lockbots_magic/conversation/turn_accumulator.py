"""Accumulate the deltas of a reply into the rounds of a turn: the one place where deltas become a turn."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator

from ..errors import ProviderError
from .attachments import CitationPart, ImagePart
from .ending import TOO_LONG
from .messages import NOTHING_ELSE, Delta, ToolCall, Usage
from .opaque_data import OpaqueData
from .parts import PARAGRAPH, ROUND_SEPARATOR, Part, ReasoningPart, Round, TextPart, ToolCallPart, ToolResultPart
from .text_buffer import TextBuffer

MAX_REPLY = 16_000_000
"""Characters of one turn, its reasoning, calls and results included; the reply ends there, as truncated."""
PART_COST = 250
"""Characters that each part of a turn counts for besides its own: the memory of one in Python."""


class TurnAccumulator:
    """Collects deltas: text, reasoning, calls and results by rounds, usage and how the reply ended.

    Text or reasoning after a result begins a new round, and so does a delta that says so. Adding a delta takes constant
    time.

    Example:
        >>> reply = TurnAccumulator()
        >>> for delta in (Delta("Hel"), Delta("lo", finish_reason="stop")):
        ...     _ = reply.add(delta)
        >>> reply.text, reply.finish_reason
        ('Hello', 'stop')
    """

    def __init__(self) -> None:
        self.usage: Usage | None = None
        """Tokens of all rounds, as last reported."""
        self.finish_reason = ""
        self.first_text: float | None = None
        """Seconds from the start to the first text."""
        self._began = time.monotonic()
        self._text = TextBuffer()
        self._size = 0
        self._earlier_text = ""  # of the rounds before the current one
        self._rounds: list[list[Part | ToolCall]] = []
        self._reasoning = TextBuffer()  # of the open part
        self._begin = 0  # where the open part begins in the text
        self._kind: type[TextPart] | type[ReasoningPart] | None = None
        self._has_results = False
        self._after_image = False
        self.answered_by = ""
        """Model that answers, in the server's words."""

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    @property
    def text(self) -> str:
        """Text of the reply so far."""
        return self._text.value

    @property
    def earlier_text(self) -> str:
        """Text of the rounds before the current one."""
        return self._earlier_text

    @property
    def rounds(self) -> tuple[Round, ...]:
        """Rounds so far."""
        self._flush()
        return tuple(Round(tuple(_parts(one))) for one in self._rounds)

    @property
    def has_calls(self) -> bool:
        """True once a tool has been called."""
        return any(isinstance(part, ToolCall) and part.result is not None for one in self._rounds for part in one)

    @property
    def has_open_calls(self) -> bool:
        """True if the model has asked for a call that nobody made."""
        return any(isinstance(part, ToolCall) and part.result is None for one in self._rounds for part in one)

    @property
    def only_reasoned(self) -> bool:
        """True if the last round holds reasoning and nothing else but white space; it may have been kept back."""
        self._flush()
        if not self._rounds:
            return bool(self.usage and self.usage.reasoning_tokens)
        last = [part for part in self._rounds[-1] if not isinstance(part, CitationPart)]
        others = [part for part in last if not isinstance(part, ReasoningPart)]
        return len(others) < len(last) and all(isinstance(o, TextPart) and not o.text.strip() for o in others)

    def restart(self) -> None:
        """Restart the clock; nothing may have been added yet."""
        self._began = time.monotonic()

    def add(self, delta: Delta) -> Delta:
        """Add one step of the reply.

        Returns:
            The step to show: text that begins another round is preceded by a blank line; one that retracts holds all
            the text that remains.
        """
        if self._kind is TextPart and delta[1:] == NOTHING_ELSE and not self._after_image:  # the next word
            self._text.add(delta.text)
            return delta
        if delta.retracts:
            self._retract()
        if delta.begins_round and self._has_results:
            self._begin_round()
        if delta.text:
            shown = self._add_text(delta.text)
            delta = delta if shown is delta.text else delta._replace(text=shown)
        if delta.reasoning:
            if self._has_results:
                self._begin_round()
            self._append(ReasoningPart, delta.reasoning)
        for part in delta.parts:
            delta = delta._replace(text=delta.text + self._add_part(part))
        if delta.opaque is not None:
            self.add_opaque(delta.opaque)
        for call in delta.calls:
            self._add_call(call)
        self.finish_reason = delta.finish_reason or self.finish_reason
        self.usage = delta.usage or self.usage
        self.answered_by = delta.model or self.answered_by
        return delta._replace(text=self.text) if delta.retracts else delta

    def follow(self, deltas: Iterator[Delta]) -> Generator[Delta, None, None]:
        """Add each of `deltas`, and yield it in the form to show.

        A reply that is longer than `MAX_REPLY` ends there; what follows is not read.

        Raises:
            ProviderError: As raised by `deltas`, with `.partial` set to the text so far.
        """
        try:
            for delta in deltas:
                self._size += _size_of(delta)
                surplus = self._size - MAX_REPLY
                if surplus > 0:
                    yield self.add(_without_end(delta, surplus)._replace(finish_reason=TOO_LONG))
                    return
                yield self.add(delta)
        except ProviderError as error:
            error.partial = self.text
            raise

    def add_opaque(self, opaque: OpaqueData) -> None:
        """Attach opaque data to the current round, or to a new one if that has results."""
        if self._has_results:
            self._begin_round()
        self._flush()
        self._current().append(ReasoningPart("", opaque))

    def _retract(self) -> None:
        """Turn the text of the current round into reasoning."""
        self._flush()
        parts = self._current()
        for n, part in enumerate(parts):
            if isinstance(part, TextPart):
                between = ROUND_SEPARATOR if any(isinstance(one, ReasoningPart) for one in parts[:n]) else ""
                parts[n] = ReasoningPart(between + part.text.strip())
        images = Round(tuple(part for part in parts if isinstance(part, ImagePart))).text
        kept = ROUND_SEPARATOR.join(filter(None, (self._earlier_text, images)))
        self._text.replace(kept)
        self._after_image = bool(images)
        self.first_text = self.first_text if self._earlier_text else None

    def _add_text(self, text: str) -> str:
        """Add text; return the text to show."""
        if self.first_text is None:
            self.first_text = self.elapsed
        if self._has_results:
            self._begin_round()
        is_apart = self._text and (self._after_image or self._is_first_text_of_round())
        separator = ROUND_SEPARATOR if is_apart else ""
        self._after_image = False
        if separator:
            self._text.add(separator)
        self._append(TextPart, text)
        return separator + text

    def _add_part(self, part: ImagePart | CitationPart) -> str:
        """Add an image or a source; return the text that stands for it."""
        if isinstance(part, CitationPart):
            self._flush()
            self._current().append(part)
            return ""
        if self.first_text is None:
            self.first_text = self.elapsed
        if self._has_results:
            self._begin_round()
        self._flush()
        self._current().append(part)
        shown = f"{PARAGRAPH if self._text else ''}{part.label}"
        self._text.add(shown)
        self._after_image = True
        return shown

    def _is_first_text_of_round(self) -> bool:
        if self._kind is TextPart:
            return False
        return not (self._rounds and any(isinstance(part, TextPart) for part in self._rounds[-1]))

    def _add_call(self, call: ToolCall) -> None:
        self._flush()
        parts = self._current()
        for n, part in enumerate(parts):
            if isinstance(part, ToolCall) and part.id == call.id and part.result is None:
                parts[n] = call
                break
        else:
            parts.append(call)
        self._has_results = self._has_results or call.result is not None

    def _append(self, kind: type[TextPart] | type[ReasoningPart], text: str) -> None:
        if self._kind is not kind:
            self._flush()
            self._size += PART_COST
            self._kind = kind
            self._begin = self._text.size
        (self._text if kind is TextPart else self._reasoning).add(text)

    def _flush(self) -> None:
        if self._kind is TextPart:  # of a reply that is one part it is the text itself, not a copy
            self._current().append(TextPart(self._text.since(self._begin)))
        elif self._kind is ReasoningPart:
            self._current().append(ReasoningPart(self._reasoning.value))
            self._reasoning = TextBuffer()
        self._kind = None

    def _begin_round(self) -> None:
        self._flush()
        self._earlier_text = self.text
        self._rounds.append([])
        self._has_results = False

    def _current(self) -> list[Part | ToolCall]:
        if not self._rounds:
            self._rounds.append([])
        return self._rounds[-1]


def _parts(items: list[Part | ToolCall]) -> Iterator[Part]:
    """Yield the parts of a round; the results of its calls come last."""
    calls = [item for item in items if isinstance(item, ToolCall)]
    for item in items:
        yield ToolCallPart(item.id, item.name, item.arguments, item.opaque) if isinstance(item, ToolCall) else item
    yield from (ToolResultPart.of(call) for call in calls if call.result is not None)


def _size_of(delta: Delta) -> int:
    """Return the characters that a delta adds to the turn."""
    size = len(delta.text) + len(delta.reasoning)
    for call in delta.calls:
        size += len(call.arguments) + len(call.result or "") + sum(map(len, call.images))
    return size


def _without_end(delta: Delta, surplus: int) -> Delta:
    """Return the beginning of a delta: without its calls, and without so many characters of its text."""
    text = delta.text[: max(0, len(delta.text) - surplus)]
    kept = max(0, len(delta.reasoning) - max(0, surplus - len(delta.text)))
    return delta._replace(text=text, reasoning=delta.reasoning[:kept], calls=())

"""Reasoning in the text of a reply, in whichever way a model writes it there: separated while it streams. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...conversation.messages import NOTHING_ELSE, Delta
from .harmony import HarmonySplitter
from .thinking import ThinkingSplitter


class ReasoningSplitter:
    """Separates reasoning from the text of one answer: between tags, or in channels of its own."""

    def __init__(self) -> None:
        self._channels: HarmonySplitter | None = HarmonySplitter()
        self._tags = ThinkingSplitter()

    def passes(self, text: str) -> bool:
        """Whether `text`, which is taken then, is text and nothing else, as nearly all pieces of an answer are."""
        return self._channels is None and self._tags.passes(text)

    def feed(self, text: str) -> list[Delta]:
        """Return the steps that `text` completes, each with text or with reasoning; see `ThinkingSplitter.feed`."""
        return self._tags.feed(text) if self._channels is None else self._split(self._channels.feed(text))

    def close(self) -> list[Delta]:
        """End the answer: return what was held back."""
        return self.end_beginning() + self._tags.close()

    def end_beginning(self) -> list[Delta]:
        """Return what was held back because it may begin channels: something else than text follows it."""
        return [] if self._channels is None else self._split(self._channels.close())

    def restart_text(self) -> None:
        """Take note that the text so far was retracted."""
        self._tags.restart_text()

    def follow_reasoning(self) -> None:
        """Take note that reasoning came by another way."""
        self._tags.has_reasoning = True

    def _split(self, steps: list[Delta]) -> list[Delta]:
        if self._channels is None or self._channels.is_harmony is not False:
            return steps
        self._channels = None
        return [split for step in steps for split in self._tags.feed(step.text)]


def split_reasoning(deltas: Iterator[Delta]) -> Iterator[Delta]:
    """Yield the deltas of one answer, with the reasoning in its text as such. Closes `deltas` with itself."""
    splitter = ReasoningSplitter()
    try:
        for delta in deltas:
            if delta[1:] == NOTHING_ELSE and splitter.passes(delta.text):
                yield delta
                continue
            if delta.retracts:
                splitter.restart_text()
            if (delta.parts or delta.calls or delta.reasoning) and not delta.text:
                yield from splitter.end_beginning()
            steps = splitter.feed(delta.text) if delta.text else []
            if delta.finish_reason:
                steps += splitter.close()
            if delta.reasoning:
                splitter.follow_reasoning()
            yield from _with_steps(delta, steps)
    except Exception:  # what was held back comes before the error
        yield from splitter.close()
        raise
    finally:
        close = getattr(deltas, "close", None)
        if close is not None:
            close()
    yield from splitter.close()


def _with_steps(delta: Delta, steps: list[Delta]) -> Iterator[Delta]:
    """Yield `steps` in the place of the text of `delta`; the last one holds all else that `delta` says."""
    if steps == [Delta(delta.text)]:
        yield delta
        return
    if not steps:
        if delta != Delta(delta.text):
            yield delta._replace(text="")
        return
    if delta.reasoning or delta.retracts:
        yield Delta(reasoning=delta.reasoning, retracts=delta.retracts)
    yield from steps[:-1]
    last = steps[-1]
    yield delta._replace(text=last.text, reasoning=last.reasoning, retracts=last.retracts)

"""Comparison: one prompt sent to several models at once, outside every conversation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..cassette.active import cassette_of
from ..chat import Chat
from ..conversation.messages import Delta
from ..conversation.turn import Turn
from ..conversation.usage import measure_turn
from ..errors import Interrupted, LockbotsError
from ..language import _
from ..rendering.attachments import NONE, attachments_of
from ..rendering.foot_line import figures
from ..rendering.notices import notices_of
from ..rendering.side_by_side import Column, bundle
from ..reply import Reply, ReplyWorker
from ..security.exits import clean_bundle

THREAD_NAME = "lockbots compare"
STOP_TIMEOUT = 5.0
"""Time (s) to wait for stopped replies to end."""
POLL_INTERVAL = 0.1
"""Maximum length (s) of one wait: on Windows, an interrupt doesn't end a wait."""


@dataclass
class ComparedReply:
    """One model and its reply."""

    name: str
    """Model as given, with a number if it was given several times."""
    model: str = ""
    """``provider:model``, as far as it is known before the request."""
    reply: Reply | None = None
    """None if the request could not be prepared."""
    error: Exception | None = None
    """Error of the preparation or of the reply."""
    is_recorded: bool = False
    """True if a cassette records or replays it."""

    @property
    def turn(self) -> Turn | None:
        """Turn of the reply; None until it has ended."""
        return self.reply.turn if self.reply is not None else None


class Comparison:
    """Replies of several models to one prompt. `run` fetches them; front ends show them side by side.

    Args:
        prompt: The prompt.
        answers: One for each model, not started yet.
        prices: The user's own prices, see `find_price`.
    """

    def __init__(self, prompt: str, answers: Sequence[ComparedReply], prices: Mapping[str, Any] | None = None) -> None:
        self.prompt = prompt
        self.answers = tuple(answers)
        self._prices = dict(prices or {})

    def __repr__(self) -> str:
        return f"Comparison({self.prompt!r}, {[answer.name for answer in self.answers]})"

    @property
    def turns(self) -> dict[str, Turn]:
        """Turns by model, of the replies that have ended."""
        return {answer.name: answer.turn for answer in self.answers if answer.turn is not None}

    @property
    def replies(self) -> dict[str, str]:
        """Texts by model, of the replies that did not fail."""
        return {name: turn.reply for name, turn in self.turns.items() if turn.status != "error"}

    def run(
        self,
        on_delta: Callable[[int, Delta], None] = lambda *_: None,
        on_end: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Send all requests at once and wait for the replies. A failure of one doesn't affect the others.

        Args:
            on_delta: Called, by several threads, for each step of a reply with the reply's number, counted from 0.
            on_end: Called with the number of a reply that has ended.

        Raises:
            Interrupted: If it was stopped; the text so far is kept.
            LockbotsError: If no model replied; the error of the first one.
        """
        workers = [self._make_worker(lane, on_delta, on_end) for lane in self._lanes()]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                while not worker.done.wait(POLL_INTERVAL):  # up to Python 3.12, an interrupt in `join` marks the
                    pass  # thread as ended
        finally:
            self.stop()
            deadline = time.monotonic() + STOP_TIMEOUT
            for worker in workers:
                worker.join(deadline - time.monotonic())
        self._raise_failure()

    def stop(self) -> None:
        """Stop the replies that have not ended, from any thread; the text so far is kept."""
        for answer in self.answers:
            if answer.reply is not None and answer.turn is None and answer.error is None:
                answer.reply.cancel()

    def columns(self, *, timed: bool = True) -> list[Column]:
        """Return the replies as columns.

        Args:
            timed: True to show durations, which differ from run to run.
        """
        return [self.column(number, timed=timed) for number in range(len(self.answers))]

    def column(self, number: int, *, timed: bool = True) -> Column:
        """Return the column of one reply."""
        answer = self.answers[number]
        turn = answer.turn
        text = answer.reply.text if answer.reply is not None else ""
        if answer.error is not None:
            notices = [f"{type(answer.error).__name__}: {answer.error}"]
        else:
            notices = notices_of(turn) if turn is not None else [_("Not stopped in time; the text so far is shown.")]
        state, attached = ("", NONE) if turn is None else (self._describe(turn, timed=timed), attachments_of(turn))
        return Column(answer.name, state, text, notices, attached, is_failed=answer.error is not None)

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, str]:
        return clean_bundle(bundle(self.columns()))

    def _describe(self, turn: Turn, *, timed: bool) -> str:
        used = measure_turn(turn, prices=self._prices)
        waited = (
            _("first text after {first_text:.1f} s", first_text=turn.first_text) if turn.first_text is not None else ""
        )
        return " · ".join(
            filter(None, [*([waited, _("{elapsed:.1f} s", elapsed=turn.elapsed)] if timed else []), *figures(used)])
        )

    def _lanes(self) -> list[list[int]]:
        """Return groups of replies to read in order: on a cassette, only the order tells replies of one model apart."""
        numbers = [number for number, answer in enumerate(self.answers) if answer.reply is not None]
        if not any(answer.is_recorded for answer in self.answers):
            return [[number] for number in numbers]
        lanes: dict[str, list[int]] = {}
        for number in numbers:
            lanes.setdefault(self.answers[number].model, []).append(number)
        return list(lanes.values())

    def _make_worker(
        self, lane: list[int], on_delta: Callable[[int, Delta], None], on_end: Callable[[int], None]
    ) -> ReplyWorker:
        """Return the thread that reads the replies of a lane."""
        replies = {number: reply for number in lane if (reply := self.answers[number].reply) is not None}
        numbers = {reply.id: number for number, reply in replies.items()}

        def end(reply: Reply, error: BaseException | None) -> None:
            number = numbers[reply.id]
            if isinstance(error, Exception) and not reply.request.cancellation.cancelled:
                self.answers[number].error = error  # the turn says that it was interrupted
            on_end(number)

        return ReplyWorker(
            list(replies.values()),
            lambda reply, delta: on_delta(numbers[reply.id], delta),
            end,
            name=THREAD_NAME,
        )

    def _raise_failure(self) -> None:
        if any(turn.status == "interrupted" for turn in self.turns.values()):
            raise Interrupted(_("Comparison stopped; the text so far is kept."))
        errors = [answer.error for answer in self.answers if answer.error is not None]
        if len(errors) == len(self.answers):
            raise errors[0]


def compare(
    prompt: str,
    models: Sequence[str],
    chat_of: Callable[[str], Chat],
    *,
    prices: Mapping[str, Any] | None = None,
    **options: Any,
) -> Comparison:
    """Prepare a comparison. Nothing is sent before `Comparison.run`.

    Args:
        prompt: The prompt.
        models: ``provider:model`` each; one may be given several times.
        chat_of: Returns a chat with a model; the prompt is sent without its history, and no turn is saved.
        prices: The user's own prices, see `find_price`.
        **options: As for `Chat.stream`.

    Raises:
        LockbotsError: If no request could be prepared; the error of the first one.
    """
    answers = [
        _prepare(name, model, prompt, chat_of, options)
        for name, model in zip(_number_names(models), models, strict=True)
    ]
    errors = [answer.error for answer in answers if answer.error is not None]
    if errors and len(errors) == len(answers):
        raise errors[0]
    return Comparison(prompt, answers, prices)


def _prepare(
    name: str, model: str, prompt: str, chat_of: Callable[[str], Chat], options: Mapping[str, Any]
) -> ComparedReply:
    try:
        chat = chat_of(model)
        reply = chat.stream(prompt, history=False, **options)
    except LockbotsError as error:
        return ComparedReply(name, model, error=error)
    is_recorded = cassette_of(chat.provider) is not None
    return ComparedReply(name, f"{chat.provider.name}:{reply.request.model}", reply, is_recorded=is_recorded)


def _number_names(models: Sequence[str]) -> list[str]:
    times, seen = Counter(models), Counter[str]()
    names = []
    for model in models:
        seen[model] += 1
        names.append(f"{model} ({seen[model]})" if times[model] > 1 else model)
    return names

"""The same prompt to several models at once, outside every conversation."""

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
from ..conversation.usage import format_dollars, measure_turn
from ..errors import Interrupted, LockbotsError
from ..rendering.notices import notices_of
from ..rendering.side_by_side import Column, bundle
from ..reply import Reply, ReplyWorker
from ..security.exits import clean_bundle

THREAD_NAME = "lockbots compare"
STOP_TIMEOUT = 5.0
"""Seconds to wait for stopped replies to end."""
POLL_INTERVAL = 0.1
"""Seconds that one wait lasts at most: on Windows, an interrupt doesn't break into a wait."""


@dataclass
class Answer:
    """One model's part."""

    name: str
    """The model as it was given, with a number if it was given several times."""
    model: str = ""
    """``provider:model``, as far as that is known before it is asked."""
    reply: Reply | None = None
    """None where the model could not be asked."""
    error: Exception | None = None
    """Why it could not, or what went wrong."""
    is_recorded: bool = False
    """Whether it goes through a cassette."""

    @property
    def turn(self) -> Turn | None:
        """What came of it."""
        return self.reply.turn if self.reply is not None else None


class Comparison:
    """The answers of several models to one prompt: `run` fetches them; a front end shows them side by side.

    Args:
        prompt: what they are asked.
        answers: one a model, none of them begun.
        prices: the user's own, see `find_price`.
    """

    def __init__(self, prompt: str, answers: Sequence[Answer], prices: Mapping[str, Any] | None = None) -> None:
        self.prompt = prompt
        self.answers = tuple(answers)
        self._prices = dict(prices or {})

    def __repr__(self) -> str:
        return f"Comparison({self.prompt!r}, {[answer.name for answer in self.answers]})"

    @property
    def turns(self) -> dict[str, Turn]:
        """Model -> its turn, of those that were asked."""
        return {answer.name: answer.turn for answer in self.answers if answer.turn is not None}

    @property
    def replies(self) -> dict[str, str]:
        """Model -> its reply, of those that did not fail."""
        return {name: turn.reply for name, turn in self.turns.items() if turn.status != "error"}

    def run(
        self,
        tell: Callable[[int, Delta], None] = lambda *_: None,
        ended: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Ask all at once and wait for them. One that fails disturbs no other.

        Args:
            tell: called for each step of a reply, with its number, from 0; by several threads.
            ended: called with the number of a reply that has ended.

        Raises:
            Interrupted: it was stopped; what had come is kept.
            LockbotsError: not one model answered; it is the first one's.
        """
        workers = [self._worker(lane, tell, ended) for lane in self._lanes()]
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                while not worker.done.wait(POLL_INTERVAL):  # not `join`: up to 3.12 an interrupt in it marks the
                    pass  # thread as ended
        finally:
            self.stop()
            deadline = time.monotonic() + STOP_TIMEOUT
            for worker in workers:
                worker.join(deadline - time.monotonic())
        self._raise()

    def stop(self) -> None:
        """Stop the replies that have not ended, from any thread; what has come is kept."""
        for answer in self.answers:
            if answer.reply is not None and answer.turn is None and answer.error is None:
                answer.reply.cancel()

    def columns(self, *, timed: bool = True) -> list[Column]:
        """Return the answers as they are shown.

        Args:
            timed: whether it is told how long they took, which is never the same twice.
        """
        return [self.column(number, timed=timed) for number in range(len(self.answers))]

    def column(self, number: int, *, timed: bool = True) -> Column:
        """Return one of them."""
        answer = self.answers[number]
        turn = answer.turn
        text = answer.reply.text if answer.reply is not None else ""
        if answer.error is not None:
            notices = [f"{type(answer.error).__name__}: {answer.error}"]
        else:
            notices = notices_of(turn) if turn is not None else ["it did not stop in time; what had come is shown"]
        return Column(answer.name, self._state(turn, timed=timed) if turn is not None else "", text, notices)

    def _repr_mimebundle_(self, **_: Any) -> Mapping[str, str]:
        return clean_bundle(bundle(self.columns()))

    def _state(self, turn: Turn, *, timed: bool) -> str:
        used = measure_turn(turn, prices=self._prices)
        waited = f"first text after {turn.first_text:.1f} s" if turn.first_text is not None else ""
        return " · ".join(
            filter(
                None,
                [
                    *([waited, f"{turn.elapsed:.1f} s"] if timed else []),
                    f"{used.reply} tokens" if used.reply.tokens else "",
                    f"{format_dollars(used.cost, estimated=used.estimated)} USD" if used.cost else "",
                ],
            )
        )

    def _lanes(self) -> list[list[int]]:
        """Who is asked beside whom. On a cassette, answers of one model are told apart by nothing but their order."""
        asked = [number for number, answer in enumerate(self.answers) if answer.reply is not None]
        if not any(answer.is_recorded for answer in self.answers):
            return [[number] for number in asked]
        lanes: dict[str, list[int]] = {}
        for number in asked:
            lanes.setdefault(self.answers[number].model, []).append(number)
        return list(lanes.values())

    def _worker(self, lane: list[int], tell: Callable[[int, Delta], None], ended: Callable[[int], None]) -> ReplyWorker:
        """Return the worker that reads the replies of a lane."""
        replies = {number: reply for number in lane if (reply := self.answers[number].reply) is not None}
        numbers = {reply.id: number for number, reply in replies.items()}

        def end(reply: Reply, error: BaseException | None) -> None:
            number = numbers[reply.id]
            if isinstance(error, Exception) and not reply.request.cancellation.cancelled:
                self.answers[number].error = error  # a recorded interrupt is told by the turn
            ended(number)

        return ReplyWorker(
            list(replies.values()),
            lambda reply, delta: tell(numbers[reply.id], delta),
            end,
            name=THREAD_NAME,
        )

    def _raise(self) -> None:
        if any(turn.status == "interrupted" for turn in self.turns.values()):
            raise Interrupted("the comparison was stopped; what had come is kept")
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
    """Return the comparison of models, not begun: nothing is sent before `Comparison.run`.

    Args:
        prompt: what they are asked.
        models: provider:model each; one given several times is asked as often.
        chat_of: makes the chat with a model; its conversation is neither told nor kept.
        prices: the user's own, see `find_price`.
        options: as for `Chat.stream`.

    Raises:
        LockbotsError: not one of the models can be asked; it is the first one's.
    """
    answers = [
        _asked(name, model, prompt, chat_of, options) for name, model in zip(_names(models), models, strict=True)
    ]
    errors = [answer.error for answer in answers if answer.error is not None]
    if errors and len(errors) == len(answers):
        raise errors[0]
    return Comparison(prompt, answers, prices)


def _asked(name: str, model: str, prompt: str, chat_of: Callable[[str], Chat], options: Mapping[str, Any]) -> Answer:
    try:
        chat = chat_of(model)
        reply = chat.stream(prompt, history=False, **options)
    except LockbotsError as error:
        return Answer(name, model, error=error)
    is_recorded = cassette_of(chat.provider) is not None
    return Answer(name, f"{chat.provider.name}:{reply.request.model}", reply, is_recorded=is_recorded)


def _names(models: Sequence[str]) -> list[str]:
    times, seen = Counter(models), Counter[str]()
    names = []
    for model in models:
        seen[model] += 1
        names.append(f"{model} ({seen[model]})" if times[model] > 1 else model)
    return names

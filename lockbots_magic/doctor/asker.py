"""Asks a server single questions, outside every conversation and past cassettes, and measures what comes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..conversation.ending import outcome_of
from ..conversation.turn import Turn
from ..errors import AuthenticationError, ConnectionFailed, LockbotsError, ProviderError, ProviderTimeout, UsageError
from ..language import _
from ..providers.adaptation import find_given
from ..providers.base import Provider
from ..providers.learned import LearnedFacts
from ..reply import PreparedRequest, Reply

MAX_TOKENS = 200
"""Tokens of one reply that are asked for: enough for a model that thinks a little."""
LIMITS = ("max_tokens", "max_output_tokens")
"""Parameters that bound a reply; the first that the provider takes is sent."""
MAX_TIME = 300.0
"""Time (s) of one reply."""


class Stopped(Exception):  # noqa: N818  # a signal, not an error
    """The user stopped the check."""


@dataclass
class Answer:
    """What came of one question."""

    turn: Turn | None = None
    error: LockbotsError | None = None
    pieces: int = 0
    """Pieces of text that arrived apart."""

    @property
    def has_text(self) -> bool:
        """Whether any text or reasoning came."""
        return self.turn is not None and bool(self.turn.reply or self.turn.reasoning)

    @property
    def is_final(self) -> bool:
        """Whether no other question can succeed after this one."""
        final = AuthenticationError | ConnectionFailed | ProviderTimeout | UsageError
        return isinstance(self.error, final) and not self.pieces

    @property
    def words(self) -> str:
        """What the server said: the error, or the beginning of its reply."""
        if self.error is not None:
            return str(self.error)
        return (
            _("It answered: {reply!r}", reply=self.turn.reply)
            if self.turn and self.turn.reply
            else _("It answered nothing.")
        )


def _is_whole(turn: Turn) -> bool:
    """Whether a reply ended as it should, or at the limit that was asked for."""
    if turn.status == "truncated":
        return outcome_of(turn.finish_reason, turn.params, turn.usage, has_answer=True).at_limit
    return turn.status == "complete"


class Questioner:
    """Asks one server.

    Args:
        provider: The provider; it is not changed.
        prepare: `Chat.prepare` of a chat with that provider.
        watch: Called with each reply before it is read.
    """

    def __init__(
        self, provider: Provider, prepare: Callable[..., PreparedRequest], watch: Callable[[Reply], object]
    ) -> None:
        self.provider = copy.copy(provider)
        self.provider.learned = LearnedFacts()  # what it refuses is measured anew
        self.provider.max_retries = 1  # one refusal of a busy server measures nothing
        self.provider.total_timeout = min(self.provider.total_timeout, MAX_TIME)
        self.replies: list[Reply] = []
        self.without: tuple[str, ...] = ()
        """Parameters that were left out because the server refused them."""
        self._prepare = prepare
        self._watch = watch
        limit = next((name for name in LIMITS if self.provider.takes(name)), None)
        self._limit = {limit: MAX_TOKENS} if limit else {}

    def ask(self, prompt: str, **options: Any) -> Answer:
        """Ask one question outside the conversation; again without a limit, if the server refuses its name."""
        answer = self._ask_once(prompt, **self._limit, **options)
        if isinstance(answer.error, ProviderError) and find_given(answer.error, self._limit):
            self.without += tuple(self._limit)
            self._limit = {}
            answer = self._ask_once(prompt, **options)
        return answer

    def _ask_once(self, prompt: str, **options: Any) -> Answer:
        """Ask one question, and measure what comes."""
        answer = Answer()
        try:
            prepared = self._prepare(prompt, system="", history=False, **options)
            reply = replace(prepared, provider=self.provider).stream()
        except LockbotsError as error:
            answer.error = error
            return answer
        self._watch(reply)
        self.replies.append(reply)
        try:
            for delta in reply.deltas:
                answer.pieces += bool(delta.text)
        except LockbotsError as error:
            answer.error = error
        answer.turn = reply.turn
        if answer.turn is not None and answer.turn.status == "interrupted":
            raise Stopped
        if answer.error is None and answer.turn is not None and not _is_whole(answer.turn):
            answer.error = LockbotsError(answer.turn.error)
        return answer

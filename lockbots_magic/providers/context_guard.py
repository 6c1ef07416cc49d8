"""Requests that turn out to be longer than the model takes: send them again without the oldest turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import urlsplit

from ..conversation.context_window import (
    count_turns,
    estimate_prompt_tokens,
    leave_out_oldest,
    without_oldest,
)
from ..conversation.documents import SentDocument
from ..conversation.messages import ChatRequest, Delta, Message, Usage
from ..conversation.token_estimate import estimate_tokens
from ..errors import ContextLengthError
from ..language import N_, _, ngettext
from .base import Provider
from .http.request import is_loopback
from .streaming import closing_stream, read_stream

ROOM_FOR_REPLY = 1 / 8
"""Share of the context window that is left free for the reply."""
CUT_BELOW = 0.4
"""A local server that counts less than this share of the estimated tokens has cut the prompt."""
MIN_ESTIMATE = 2000
"""Estimates (tokens) below this are too rough to tell."""
ADVICE = N_(
    "The prompt alone is too long: shorten it, or use a model with a larger context "
    "window. `--no-history` sends it without the conversation, `%lockbots undo` removes "
    "the last turn, `%lockbots new` begins another conversation."
)


class ContextGuard:
    """The requests of one reply, kept within the model's context window.

    A server says only by an error that a request is too long. Then the oldest turns are left out, of this request and
    of the further ones of the reply. Turns go as a whole, so a tool call is never parted from its result.

    Args:
        provider: Provider that replies.
        model: Model as the user named it; what is learned of its limit is kept under this name.
    """

    def __init__(self, provider: Provider, model: str) -> None:
        self.name = provider.name
        self.left_out = 0
        """Number of turns that were left out."""
        self.remarks: list[str] = []
        """What the user should know of the requests, once the reply has ended."""
        self._provider = provider
        self._model = model
        self._budget: int | None = None

    def address_notice(self) -> str:
        """Return what is to be said of the address; see `Provider.address_notice`."""
        return self._provider.address_notice()

    def check_parts(self, request: ChatRequest) -> None:
        """Raise `UsageError` if the provider does not support a part of the request."""
        self._provider.check_parts(request)

    def sees(self, model: str) -> bool:
        """Whether `model` accepts images; see `Provider.sees`."""
        return self._provider.sees(model)

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[Message, ...]:
        """Return recorded results of `calls`, the reply to `request` as it was sent."""
        return self._provider.recorded_results(self._fit(request), calls)

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as `Provider.stream` does; a request that is too long is sent again without the oldest turns.

        Raises:
            ContextLengthError: The last turn alone is too long; the message says what to do.
            ProviderError: As raised by the provider.
        """
        refusals = 0
        while True:
            sent = self._fit(request)
            begun, usage = False, None
            try:
                with closing_stream(read_stream(self._provider, sent)) as deltas:
                    for delta in deltas:
                        begun = begun or self._begin(delta)
                        usage = delta.usage or usage
                        yield delta
                self._check_usage(sent, usage)
                return
            except ContextLengthError as error:
                if begun:
                    raise
                refusals += 1
                left_out = self._shorten(sent, error, refusals)
                if not left_out:
                    error.args = (f"{str(error).rstrip('.')}. {_(ADVICE)}",)
                    raise
                size = _(" ({limit} tokens)", limit=error.limit) if error.limit else ""
            self.left_out += left_out
            notice = ngettext(
                "The request is longer than the model takes{size}: sent again without the oldest turn.",
                "The request is longer than the model takes{size}: sent again without the {n} oldest turns.",
                self.left_out,
                size=size,
            )
            yield Delta(notice=notice)

    def _fit(self, request: ChatRequest) -> ChatRequest:
        return replace(request, messages=without_oldest(request.messages, self.left_out)) if self.left_out else request

    def _shorten(self, sent: ChatRequest, error: ContextLengthError, refusals: int) -> int:
        """Return how many more turns to leave out: as the sizes say, else half, and at the second refusal all."""
        self._budget = None
        most = count_turns(sent.messages) - 1
        if refusals > 1 or most <= 0:
            return most
        estimate = estimate_prompt_tokens(sent.messages)
        if error.limit is None:
            budget = (estimate + estimate_prompt_tokens(without_oldest(sent.messages, most))) // 2
        else:
            # The server counts otherwise than the estimate; where it doesn't say how, it counted the limit at least.
            counted = error.prompt_tokens or max(error.limit, estimate)
            budget = self._budget = int(error.limit * (1 - ROOM_FOR_REPLY) * estimate / counted)
        return max(leave_out_oldest(sent.messages, budget)[1], 1)

    def _begin(self, delta: Delta) -> bool:
        """Return whether `delta` begins the reply; the limit is remembered, now that a shorter request was accepted."""
        begun = bool(delta.text or delta.reasoning or delta.calls)
        if begun and self._budget is not None:
            self._provider.learned.set_prompt_limit(self._provider.base_url, self._model, self._budget)
        return begun

    def _check_usage(self, sent: ChatRequest, usage: Usage | None) -> None:
        """Remark on a prompt that a server has cut, and on documents that it has ignored: some do so without a word."""
        counted = usage.prompt_tokens if usage else None
        if documents := [document for message in sent.rich_messages for document in message.documents]:
            self._check_documents(documents, counted)
            return
        estimate = estimate_prompt_tokens(sent.messages) if counted else 0
        if not counted or estimate < MIN_ESTIMATE or any(m.images for m in sent.rich_messages):
            return
        if not is_loopback(urlsplit(self._provider.base_url).hostname or ""):
            return
        if counted < estimate * CUT_BELOW and not self.remarks:
            self.remarks.append(cut_remark(counted, estimate))

    def _check_documents(self, documents: Sequence[SentDocument], counted: int | None) -> None:
        """Remark on documents whose text alone has more tokens than the server counted for the whole request."""
        estimate = sum(estimate_tokens(document.text) for document in documents)
        if not counted or estimate < MIN_ESTIMATE or counted >= estimate * CUT_BELOW or self.remarks:
            return
        names = ", ".join(document.name for document in documents)
        self.remarks.append(
            _(
                "The server counted {counted} tokens, and the text of {names} alone has about {estimate}: it may not "
                "have read it. To send the text instead: `send_documents` = text.",
                counted=counted,
                names=names,
                estimate=estimate,
            )
        )


def cut_remark(counted: int, estimate: int) -> str:
    """Return the remark on a prompt that the server may have cut.

    Args:
        counted: Tokens of the prompt that the server counted.
        estimate: Tokens that it has by estimate.
    """
    return _(
        "The server counted {n} tokens of a prompt of about {about_n}: it may have cut the beginning. "
        "Give the model a larger context there (Ollama: OLLAMA_CONTEXT_LENGTH).",
        n=counted,
        about_n=estimate,
    )

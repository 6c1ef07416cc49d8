"""Base class of providers behind HTTP: retries, one deadline for all attempts, and redaction of the credential."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..conversation.call_messages import without_digests
from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import AuthenticationError, ModelNotFoundError, ProviderError
from ..language import _
from .address import display_address
from .advice import advise_on_credential, advise_on_request, append_advice
from .base import Provider
from .http import HTTPRequest, TimeLimits, open_exchange
from .http.retry import Deltas, with_retries
from .redaction import redact_deltas
from .response import require_reply
from .streaming import closing_stream
from .wire.errors import refusal_error

if TYPE_CHECKING:
    from .http.exchange import Exchange

T = TypeVar("T")


class HTTPProvider(Provider):
    """A provider behind HTTP. A subclass implements `attempt`, which sends the request once."""

    @abstractmethod
    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request once and yield the reply.

        Args:
            request: What to send.
            model: The model to ask.
            deadline: End of the reply, as a `time.monotonic()` (s).
        """

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it arrives, retrying where that is safe; see `Provider.stream`."""
        request = without_digests(request)
        self.check_parts(request)
        self.ready()
        model = self.resolved(request.model, request.cancellation)
        deadline = time.monotonic() + self.total_timeout
        deltas = self._with_retries(lambda: self._attempt(request, model, deadline), deadline, request.cancellation)
        has_text = False
        try:
            with closing_stream(deltas):
                for delta in deltas:
                    has_text = has_text or bool(delta.text)
                    yield delta
        except ProviderError as error:
            error.model = model.id
            append_advice(error, self.advise(error, replace(request, model=model.id), has_text=has_text))
            raise

    def retried(self, attempt: Callable[[], T], cancellation: Cancellation) -> T:
        """Return `attempt()`, which asks the server something else than a reply; retried as a reply is.

        Args:
            attempt: Asks the server once.
            cancellation: Ends a pause at once.

        Raises:
            ProviderError: The last failure.
            Cancelled: `cancellation` was used during a pause.
        """
        found: list[T] = []

        def run() -> Deltas:
            found.append(attempt())
            yield from ()

        for _unused in self._with_retries(run, time.monotonic() + self.total_timeout, cancellation):
            pass
        return found[0]

    def _with_retries(self, attempt: Callable[[], Deltas], deadline: float, cancellation: Cancellation) -> Deltas:
        return with_retries(
            attempt,
            max_retries=self.max_retries,
            backoff=self.backoff,
            deadline=deadline,
            cancellation=cancellation,
        )

    @contextmanager
    def open(
        self, http_request: HTTPRequest, deadline: float, cancellation: Cancellation, *, late: str = ""
    ) -> Iterator[Exchange]:
        """Send `http_request`; within the block its response can be read.

        Args:
            http_request: What to send.
            deadline: End of the exchange, as a `time.monotonic()` (s).
            cancellation: Closes the connection from another thread.
            late: Message once the deadline has passed; by default that of a reply.

        Raises:
            ProviderError: No connection, or the server refused the request.
        """
        http_request = http_request.with_headers(self.headers.plain, self.headers.secret)
        limits = TimeLimits(*self.timeout, deadline)
        limits = replace(limits, late=late) if late else limits
        with open_exchange(http_request, limits, cancellation) as exchange:
            if not 200 <= exchange.status < 300:
                error = self.refusal(exchange)
                error.should_retry = exchange.should_retry
                raise error
            yield exchange

    def refusal(self, exchange: Exchange) -> ProviderError:
        """Hook: override to interpret a refusal. Return the error for a response whose status is not a success."""
        return refusal_error(
            exchange.status,
            exchange.read_body(),
            exchange.retry_after,
            exchange.charset,
            exchange.challenge,
        )

    @contextmanager
    def errors_named(self) -> Iterator[None]:
        """Within the block, give a `ProviderError` the provider's name, and redact the credentials in its message."""
        try:
            yield
        except ProviderError as error:
            error.provider = self.name
            for secret in self.echoes:
                error.args = (secret.redact(str(error)),)
                for name in ("details", "code", "param"):
                    setattr(error, name, secret.redact(getattr(error, name)))
            raise

    def _attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Deltas:
        """Make one attempt. A server may echo a credential, so they are redacted here: in the reply and in errors."""
        with self.errors_named():
            yield from redact_deltas(require_reply(self.attempt(request, model, deadline)), self.echoes)

    def advise(self, error: ProviderError, request: ChatRequest, *, has_text: bool) -> str:
        """Hook: override to know more. Return a sentence that says what to do about `error`, where that is known.

        Args:
            error: The failure.
            request: What was asked.
            has_text: Whether the failure came after some text.
        """
        if isinstance(error, AuthenticationError):
            return advise_on_credential(error, self.name, has_auth=bool(self.secrets))
        if advice := advise_on_request(error, request, display_address(self.base_url)):
            return advice
        if isinstance(error, ModelNotFoundError):
            return _("To list the models, run `%lockbots models {name}`.", name=self.name)
        return "" if has_text else error.advice

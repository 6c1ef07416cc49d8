"""Registry of faults, and the builders of responses that they share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from types import MappingProxyType

from ..responses import MockResponse, Piece
from ..services import MockExchange


@dataclass(frozen=True)
class Fault:
    """A way to fail: a function from the exchange to its response."""

    meaning: str
    build: Callable[[MockExchange], MockResponse]
    services: tuple[str, ...]


_table: dict[str, Fault] = {}
FAULTS: Mapping[str, Fault] = MappingProxyType(_table)

ALL = ("lockchat", "liaobots", "liaobots-events", "openai")
EVENTS = ("lockchat", "liaobots-events", "openai")
CHAT_COMPLETIONS = ("lockchat", "openai")

ResponseBuilder = Callable[[MockExchange], MockResponse]


def fault(name: str, meaning: str, services: tuple[str, ...] = ALL) -> Callable[[ResponseBuilder], ResponseBuilder]:
    """Register the decorated function as a fault.

    Args:
        name: Value of the setting `fault`.
        meaning: One line of help.
        services: Services that have the fault.
    """

    def register(build: ResponseBuilder) -> ResponseBuilder:
        _table[name] = Fault(meaning, build, services)
        return build

    return register


def normal_response(exchange: MockExchange) -> MockResponse:
    """Return the response without a fault."""
    if exchange.body.get("stream", exchange.service.always_streams):
        return stream_response(exchange, *exchange.frames())
    return whole_response(exchange)


def stream_response(exchange: MockExchange, *pieces: Piece) -> MockResponse:
    """Return a response of the service's own media type, made of `pieces`."""
    return MockResponse(list(pieces), exchange.service.media_type)


def whole_response(exchange: MockExchange) -> MockResponse:
    """Return the reply as one JSON object, or streamed if the service has no such format."""
    value = exchange.service.whole(exchange.words, exchange.body)
    return stream_response(exchange, *exchange.frames()) if value is None else MockResponse([value.encode()])


def error_response(exchange: MockExchange, status: int, message: str, code: str | None = None) -> MockResponse:
    """Return an error status with an error object, and with `Retry-After` according to the settings."""
    headers = {}
    if exchange.settings.retry_after:
        headers["Retry-After"] = exchange.settings.retry_after
    if exchange.settings.retry_date:
        headers["Retry-After"] = formatdate(time.time() + float(exchange.settings.retry_date), usegmt=True)
    return MockResponse([exchange.service.error(status, message, code).encode()], status=status, headers=headers)

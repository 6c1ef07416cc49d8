"""HTTP transport, the only importer of requests and urllib3.

`request` and `retry` are pure and cheap to import. `exchange` sends a request and iterates over the body; it loads
urllib3, so callers reach it through `open_exchange`, which imports it at the first request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...conversation.cancellation import Cancellation
from ...importing import without_collector
from .request import HTTPRequest, TimeLimits

if TYPE_CHECKING:
    from .exchange import Exchange

__all__ = ["HTTPRequest", "TimeLimits", "open_exchange"]


def open_exchange(request: HTTPRequest, limits: TimeLimits, cancellation: Cancellation) -> Exchange:
    """Prepare an exchange: a context manager that sends `request` when entered, and closes the connection when left.

    Args:
        request: The request.
        limits: How long it may take.
        cancellation: Closes the connection from another thread.

    Example:
        ::

            with open_exchange(request, limits, cancellation) as exchange:
                for piece in exchange:
                    ...
    """
    with without_collector():
        from .exchange import Exchange  # noqa: PLC0415  # the one place that loads urllib3: not before the first request

    return Exchange(request, limits, cancellation)

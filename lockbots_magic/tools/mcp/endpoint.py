"""HTTP client for a server at a URL. Loaded at the first use: it needs `mcp`, and its HTTP library.

Wire facts: Model Context Protocol 2025-11-25, "Transports: Streamable HTTP".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2

from ...language import _
from ...providers.headers import RequestHeaders
from .limits import MAX_MESSAGE

CONNECT_TIMEOUT = 10.0
"""Time (s) to connect."""


class OversizedMessageError(Exception):
    """A body is larger than a message may be."""


class EndpointClient(httpx2.AsyncClient):
    """An HTTP client whose bodies are bounded, and which keeps the last status for errors.

    Args:
        headers: Headers of every request.
    """

    def __init__(self, headers: RequestHeaders) -> None:
        sent = {"User-Agent": "lockbots-magic", **headers.plain}
        secret = {name: value.reveal() for name, value in headers.secret.items()}
        super().__init__(
            headers={**sent, **secret, "Accept-Encoding": "identity"},  # what is compressed can't be bounded here
            timeout=httpx2.Timeout(CONNECT_TIMEOUT, read=None),  # each call has its own, which leaves the session alive
        )
        self._kept_secrets = headers  # masked as long as the client lives
        self.last_status = 0
        """Status of the last response to a message."""
        self.broken_limit = ""
        """Sentence that says why a response was not read."""

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and bound the body of its response."""
        response = await super().send(request, **options)
        if request.method == "POST":  # a GET only asks for messages that the server sends by itself
            self.last_status = response.status_code
        stream = response.stream
        if isinstance(stream, httpx2.AsyncByteStream):
            is_event_stream = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            response.stream = _BoundedStream(stream, self, is_endless=is_event_stream)
        if response.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            await response.aclose()
            self.broken_limit = _("It sent a compressed body, which was not asked for.")
            raise OversizedMessageError(self.broken_limit)
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    """A body of at most `MAX_MESSAGE` bytes; the events of a stream are bounded one by one, by the transport."""

    def __init__(self, stream: httpx2.AsyncByteStream, client: EndpointClient, *, is_endless: bool) -> None:
        self._stream = stream
        self._client = client
        self._is_endless = is_endless

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            if size > MAX_MESSAGE and not self._is_endless:
                self._client.broken_limit = _(
                    "It sent a message of more than {megabytes} MB.", megabytes=MAX_MESSAGE // 1000000
                )
                raise httpx2.StreamError(self._client.broken_limit)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()

"""Handler of one connection: reads requests, sends the responses, and notices a disconnect."""

from __future__ import annotations

import json
import socket
import struct
from http.client import responses
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .batch_api import BatchStore
from .faults import FAULTS, error_response, normal_response
from .pacer import ClientGoneError, Pacer
from .request_log import MockRequest, RequestLog
from .responses import BodyEncoder, ConnectionAction, MockResponse, cut_pieces
from .service_table import SERVICES, choose_service
from .services import MockExchange
from .settings import MockSettings
from .web_guard import find_offence

BATCH = 32768
"""Bytes sent at once if no rate is set."""
MAX_BODY = 64 << 20
"""Bytes of a request's body."""


class ServerState(Protocol):
    """The part of the server that a handler uses."""

    origin: str

    @property
    def log(self) -> RequestLog:
        """The current log."""

    @property
    def batches(self) -> BatchStore:
        """Jobs of the batch APIs."""


class Handler(BaseHTTPRequestHandler):
    """Serves the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ServerState  # type: ignore[assignment]  # the base class has a more general type

    def handle_one_request(self) -> None:
        """Serve the next request of the connection."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        log = self.server.log
        request = self._read_request()
        if request is None:
            self.send_error(413)
            self.close_connection = True
            return
        offence = find_offence(request, self.headers.items(), self.server.origin)
        if offence:
            self.send_error(403, explain=offence)
            self.close_connection = True
            return
        nth = log.record(request)
        try:
            self._send(*build_response(request, nth, self.server.origin, self.server.batches))
        except (ClientGoneError, ConnectionError):
            self.close_connection = True
            log.record_disconnect()

    def log_message(self, *_: Any) -> None:
        """Log nothing: a path may hold a credential."""

    def _read_request(self) -> MockRequest | None:
        """Read the body; return None if its length is no number, or too large."""
        size = self.headers.get("content-length") or "0"
        if not (size.isascii() and size.isdigit() and len(size) < 12 and int(size) <= MAX_BODY):
            return None
        content = self.rfile.read(int(size))
        parts = urlsplit(self.path)
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            value = None
        headers = {name.lower(): text for name, text in self.headers.items()}
        return MockRequest(self.command, parts.path, dict(parse_qsl(parts.query)), headers, content, value)

    def _send(self, response: MockResponse, settings: MockSettings) -> None:
        body = BodyEncoder(response.body or settings.body, response.pieces)
        self._pending = b""
        with Pacer(self.connection, settings.rate) as pacer:
            if not response.raw:
                self._send_head(response, body, settings, pacer)
            pieces = cut_pieces(response.pieces, settings.piece) if settings.piece else response.pieces
            for piece in pieces:
                if isinstance(piece, ConnectionAction):
                    self._flush()
                    if self._perform(piece, settings, pacer):
                        return
                    continue
                self._pending += piece if response.raw else body.encode(piece)
                if settings.rate or settings.piece or len(self._pending) >= BATCH:
                    self._flush()
                pacer.after_piece()
        self._pending += body.end()
        self._flush()
        self.close_connection = self.close_connection or not body.reusable

    def _send_head(self, response: MockResponse, body: BodyEncoder, settings: MockSettings, pacer: Pacer) -> None:
        fields = {"Content-Type": settings.type or response.media_type, **body.headers, **response.headers}
        lines = [f"HTTP/1.1 {response.status} {responses[response.status]}", *(f"{k}: {v}" for k, v in fields.items())]
        for line in [*lines, ""]:
            self._pending += f"{line}\r\n".encode("latin-1")
            if response.slow_head:
                self._flush()
                pacer.pause(settings.delay)

    def _perform(self, action: ConnectionAction, settings: MockSettings, pacer: Pacer) -> bool:
        """Perform `action`; return whether the connection is over."""
        self.close_connection = True
        if action is ConnectionAction.WAIT:
            pacer.pause(settings.delay)
            return False
        if action is ConnectionAction.HANG:
            pacer.hang()
        elif action is ConnectionAction.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        return True

    def _flush(self) -> None:
        data, self._pending = self._pending, b""
        if data:
            self.connection.sendall(data)


def build_response(
    request: MockRequest, nth: int, origin: str, batches: BatchStore
) -> tuple[MockResponse, MockSettings]:
    """Return the response to a request, and the settings of its URL.

    Args:
        request: The request.
        nth: Its number among the requests to the same URL, from 1.
        origin: URL of the server, without a path.
        batches: Jobs of the batch APIs.
    """
    name, _, text = request.path.lstrip("/").partition("/")[0].partition(";")
    try:
        settings = MockSettings.parse(text)
    except ValueError as error:
        return MockResponse([str(error).encode()], "text/plain", 400), MockSettings()
    if name not in SERVICES:
        return MockResponse([f"Unknown service {name!r}.".encode()], "text/plain", 404), settings
    exchange = MockExchange(choose_service(name, request), settings, request, origin)
    answered = batches.answer(exchange) if name == "openai" else None
    return answered or _build_service_response(exchange, nth), settings


def _build_service_response(exchange: MockExchange, nth: int) -> MockResponse:
    fault = FAULTS.get(exchange.settings.fault)
    fails = fault is not None and (nth <= exchange.settings.times or not exchange.settings.times)
    return fault.build(exchange) if fault and fails else _build_faultless_response(exchange)


def _build_faultless_response(exchange: MockExchange) -> MockResponse:
    if not exchange.service.accepts(exchange):
        return error_response(exchange, 401, "The credential is missing or wrong")
    if (answer := exchange.service.answer(exchange)) is not None:
        return MockResponse([answer.encode()])
    if exchange.path != exchange.service.path:
        return error_response(exchange, 404, f"Unknown path {exchange.path}")
    if exchange.request.method != "POST":
        return error_response(exchange, 405, f"Method {exchange.request.method} is not allowed; use POST")
    if complaint := exchange.complaint:
        return error_response(exchange, 400, complaint)
    return normal_response(exchange)

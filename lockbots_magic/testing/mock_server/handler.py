"""One connection: reads requests, sends what the address says, and notices when the client goes."""

from __future__ import annotations

import json
import socket
import struct
from http.client import responses
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from .answers import Answer, Body, Mark, cut
from .faults import FAULTS, normal, refusal
from .pace import ClientGoneError, Pace
from .record import Log, Recorded
from .services import MODELS, SERVICES, Question, dumps
from .settings import Settings

BATCH = 32768
"""Bytes that are sent at once where no rate is set."""


class Host(Protocol):
    """What a connection knows of its server."""

    origin: str

    @property
    def log(self) -> Log:
        """The log of now."""


class Handler(BaseHTTPRequestHandler):
    """Serves one connection, request after request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Host  # type: ignore[assignment]  # the base only knows some server

    def handle_one_request(self) -> None:
        """Serve the next request of the connection."""
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        log = self.server.log
        request = self._read()
        nth = log.record(request)
        try:
            self._send(*answer(request, nth, self.server.origin))
        except (ClientGoneError, ConnectionError):
            self.close_connection = True
            log.disconnected()

    def log_message(self, *_: Any) -> None:
        """Nothing is logged: a path may hold a credential."""

    def _read(self) -> Recorded:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        try:
            value = json.loads(content)
        except ValueError:
            value = None
        headers = {name.lower(): text for name, text in self.headers.items()}
        return Recorded(self.command, parts.path, dict(parse_qsl(parts.query)), headers, content, value)

    def _send(self, given: Answer, settings: Settings) -> None:
        body = Body(given.body or settings.body, given.pieces)
        self._pending = b""
        with Pace(self.connection, settings.rate) as pace:
            if not given.raw:
                self._send_head(given, body, settings, pace)
            pieces = cut(given.pieces, settings.piece) if settings.piece else given.pieces
            for piece in pieces:
                if isinstance(piece, Mark):
                    self._flush()
                    if self._act(piece, settings, pace):
                        return
                    continue
                self._pending += piece if given.raw else body.piece(piece)
                if settings.rate or settings.piece or len(self._pending) >= BATCH:
                    self._flush()
                pace.after_piece()
        self._pending += body.end()
        self._flush()
        self.close_connection = self.close_connection or not body.reusable

    def _send_head(self, given: Answer, body: Body, settings: Settings, pace: Pace) -> None:
        fields = {"Content-Type": settings.type or given.media_type, **body.headers, **given.headers}
        lines = [f"HTTP/1.1 {given.status} {responses[given.status]}", *(f"{k}: {v}" for k, v in fields.items())]
        for line in [*lines, ""]:
            self._pending += f"{line}\r\n".encode("latin-1")
            if given.slow_head:
                self._flush()
                pace.pause(settings.delay)

    def _act(self, mark: Mark, settings: Settings, pace: Pace) -> bool:
        """Do what `mark` says; true when the connection is over."""
        self.close_connection = True
        if mark is Mark.WAIT:
            pace.pause(settings.delay)
            return False
        if mark is Mark.HANG:
            pace.hang()
        elif mark is Mark.RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        return True

    def _flush(self) -> None:
        data, self._pending = self._pending, b""
        if data:
            self.connection.sendall(data)


def answer(request: Recorded, nth: int, origin: str) -> tuple[Answer, Settings]:
    """Return what to answer to `request`, the `nth` to its address, and the settings of the address."""
    name, _, written = request.path.lstrip("/").partition("/")[0].partition(";")
    try:
        settings = Settings.parse(written)
    except ValueError as error:
        return Answer([str(error).encode()], "text/plain", 400), Settings()
    if name not in SERVICES:
        return Answer([f"the mock server has no service {name!r}".encode()], "text/plain", 404), settings
    return _answer(Question(SERVICES[name], settings, request, origin), nth), settings


def _answer(q: Question, nth: int) -> Answer:
    fault = FAULTS.get(q.settings.fault)
    fails = fault is not None and (nth <= q.settings.times or not q.settings.times)
    return fault.answer(q) if fault and fails else _sound(q)


def _sound(q: Question) -> Answer:
    if not q.service.admits(q):
        return refusal(q, 401, "the credential is missing or wrong")
    if q.service.name == "openai" and q.path == "/models" and q.request.method == "GET":
        rows = [{"id": m, "object": "model", "created": 0, "owned_by": "mock"} for m in MODELS]
        return Answer([dumps({"object": "list", "data": rows}).encode()])
    if q.path != q.service.path:
        return refusal(q, 404, f"there is nothing at {q.path}")
    if q.request.method != "POST":
        return refusal(q, 405, f"{q.request.method} is not allowed; POST is")
    if not isinstance(q.body.get("messages"), list) or not q.body.get("model"):
        return refusal(q, 400, "the body must be a JSON object that holds a model and messages")
    return normal(q)

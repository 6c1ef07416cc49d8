"""Batch APIs: many requests in one job, answered within a day at half the price.

Wire facts: the OpenAI API reference, "Batch" and "Files"; the Anthropic API reference, "Message Batches".
"""

from __future__ import annotations

import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta
from ..errors import ProtocolError, ProviderError, UsageError
from ..language import _
from ..security.foreign_text import quote_line
from .adaptation import MAX_ADAPTATIONS, adapt, find_refused
from .dialects import MESSAGES
from .http import HTTPRequest
from .http.json_body import encode_json
from .learned import Key
from .openai_compatible import OpenAICompatible
from .redaction import redact_deltas
from .response import require_reply
from .wire.errors import object_error, refusal_error

MAX_REQUESTS = 50_000
"""Requests in one job: the limit of OpenAI; Anthropic takes twice as many."""
MAX_BYTES = 100_000_000
"""Bytes of one job: below the limits of both services, 200 and 256 MB."""
EXCHANGE_TIMEOUT = 600.0
"""Time (s) that sending a job or reading its results may take."""
MAX_LINE = 64_000_000
"""Bytes of one result, and of any other answer of the API: bounds the memory that an endless one takes."""
MAX_MESSAGE = 300
"""Characters of a service's words."""
_OVER = ("completed", "expired", "cancelled", "failed")


@dataclass(frozen=True)
class BatchJob:
    """A job at the service."""

    id: str
    ended: bool = False
    failure: str = ""
    """Why the job as a whole failed, in the service's words."""
    results: tuple[str, ...] = ()
    """Where its results are."""


@dataclass(frozen=True)
class BatchResult:
    """The answer to one request of a job."""

    key: str
    body: bytes = b""
    """Body of the response; empty if there is none."""
    error: ProviderError | None = None


class BatchService(ABC):
    """The batch API of one service.

    Args:
        provider: The service.
        model: Id of the model.
    """

    def __init__(self, provider: OpenAICompatible, model: str) -> None:
        self._provider = provider
        self._model = provider.model_info(model)

    def encode(self, request: ChatRequest, adaptations: Iterable[str] = ()) -> dict[str, Any]:
        """Return the body of one request, without what the service is known to refuse.

        Args:
            request: The request.
            adaptations: Names of further adaptations, see `adaptations_after`.
        """
        provider = self._provider
        body = provider.build_body(request, self._model)
        names = (*provider.learned.adaptations(*self._key), *adaptations)
        body = adapt(body, self._given(request), dict.fromkeys(names), provider.adaptations_of(request))
        return {name: value for name, value in body.items() if name != "stream"}

    def adaptations_after(self, error: ProviderError, request: ChatRequest, known: Sequence[str]) -> list[str]:
        """Return the adaptations after which a request that was refused may be answered; empty if there are none.

        Args:
            error: What the service answered.
            request: The request.
            known: Adaptations with which it was sent.
        """
        rows = self._provider.adaptations_of(request)
        found = find_refused(error, self.encode(request, known), self._given(request), rows)
        new = [row.name for row in found if row.name not in known]
        return new if len(known) + len(new) <= MAX_ADAPTATIONS else []

    def remember(self, request: ChatRequest, adaptations: Sequence[str]) -> list[str]:
        """Remember adaptations that helped; return what the user is told of them."""
        learned, rows = self._provider.learned, self._provider.adaptations_of(request)
        new = [name for name in adaptations if name not in learned.adaptations(*self._key)]
        learned.add_adaptations(*self._key, new)
        return [_(row.notice, **row.values) for row in rows if row.name in new and row.notice]

    @property
    def _key(self) -> Key:
        return self._provider.chat_endpoint(self._model), self._model.id

    def _given(self, request: ChatRequest) -> Collection[str]:
        return self._provider.dialect.given_fields(request.params)

    @abstractmethod
    def submit(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> BatchJob:
        """Send a job.

        Args:
            requests: Key and body of each request; a key has up to 64 letters and digits.

        Raises:
            ProviderError: The service refused it.
        """

    @abstractmethod
    def look_up(self, job: str) -> BatchJob:
        """Return a job as it is now; errors as `submit`."""

    @abstractmethod
    def read_result(self, line: Mapping[str, Any]) -> BatchResult:
        """Return the result that a line describes."""

    def results(self, job: BatchJob) -> Iterator[BatchResult]:
        """Yield the results of a job that has ended; errors as `submit`."""
        for url in job.results:
            for line in self._lines(url):
                with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):  # one row of many
                    result = self.read_result(json.loads(line))
                    if not isinstance(result.key, str):
                        continue
                    yield result if result.error is None else replace(result, error=self._named(result.error))

    def decode(self, request: ChatRequest, body: bytes) -> Iterator[Delta]:
        """Yield the reply in the body of a response.

        Raises:
            ProviderError: It is none.
        """
        provider = self._provider
        with provider.errors_named():
            decoder = provider.make_decoder(request, provider.build_body(request, self._model))
            yield from redact_deltas(require_reply(_decoded(decoder, body)), provider.echoes)

    def _named(self, error: ProviderError) -> ProviderError:
        """Return an error of a result with the provider's name, and without its credentials."""
        with suppress(ProviderError), self._provider.errors_named():
            raise error
        return error

    def _send(self, method: str, url: str, **content: Any) -> dict[str, Any]:
        """Send a request of the API, and return the JSON object that it answers."""
        held = _HeldBytes()
        for piece in self._pieces(method, url, **content):
            held.add(piece)
        answer = held.take()
        try:
            read = json.loads(answer)
        except ValueError:
            read = None
        if not isinstance(read, dict):
            raise ProtocolError(
                _("The batch API answered no JSON object: {answer}", answer=quote_line(repr(answer), MAX_MESSAGE))
            )
        return read

    def _pieces(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, **content: Any
    ) -> Iterator[bytes]:
        provider = self._provider
        request = HTTPRequest(
            method,
            url,
            headers={**provider.dialect.headers, **(headers or {})},
            secret_headers=provider.build_auth_header(),
            base_url=provider.base_url,
            **content,
        )
        deadline = time.monotonic() + EXCHANGE_TIMEOUT
        with provider.errors_named(), provider.open(request, deadline, Cancellation()) as exchange:
            yield from exchange

    def _lines(self, url: str) -> Iterator[bytes]:
        held = _HeldBytes()
        for piece in self._pieces("GET", url):
            first, *others = piece.split(b"\n")
            held.add(first)
            for line in others:
                if whole := held.take():
                    yield whole
                held.add(line)
        if (rest := held.take()).strip():
            yield rest


class FileBatches(BatchService):
    """OpenAI: the requests are a file, and so are the results."""

    def submit(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> BatchJob:
        """Upload the requests, and start the job."""
        provider = self._provider
        endpoint = f"/v1{provider.dialect.path}"
        lines = [
            encode_json({"custom_id": key, "method": "POST", "url": endpoint, "body": body}) for key, body in requests
        ]
        media_type, content = _encode_form("batch", b"\n".join([*lines, b""]))
        uploaded = self._send(
            "POST", provider.endpoint("/files"), content=content, headers={"content-type": media_type}
        )
        asked = {"input_file_id": uploaded.get("id"), "endpoint": endpoint, "completion_window": "24h"}
        return self._job(self._send("POST", provider.endpoint("/batches"), json=asked))

    def look_up(self, job: str) -> BatchJob:
        """Ask for the state of the job."""
        return self._job(self._send("GET", self._provider.endpoint(f"/batches/{_safe_id(job)}")))

    def read_result(self, line: Mapping[str, Any]) -> BatchResult:
        """Read a line of the files of results and of errors."""
        response, failure = line.get("response") or {}, line.get("error")
        body = json.dumps(response.get("body")).encode()
        if failure:
            return BatchResult(line["custom_id"], error=ProviderError(quote_line(str(failure["message"]), MAX_MESSAGE)))
        if response["status_code"] != 200:
            return BatchResult(line["custom_id"], error=refusal_error(int(response["status_code"]), body, None))
        return BatchResult(line["custom_id"], body)

    def _job(self, told: Mapping[str, Any]) -> BatchJob:
        status = told.get("status")
        files = [told[name] for name in ("output_file_id", "error_file_id") if told.get(name)]
        errors = (told.get("errors") or {}).get("data") or [{}]
        failure = str(errors[0].get("message") or _("the job failed")) if status == "failed" else ""
        return BatchJob(
            str(told.get("id", "")),
            status in _OVER,
            quote_line(failure, MAX_MESSAGE),
            tuple(self._provider.endpoint(f"/files/{_safe_id(file)}/content") for file in files),
        )


class MessageBatches(BatchService):
    """Anthropic: the requests are a list, and the results lines."""

    def submit(self, requests: Sequence[tuple[str, Mapping[str, Any]]]) -> BatchJob:
        """Start the job."""
        listed = [{"custom_id": key, "params": body} for key, body in requests]
        return self._job(self._send("POST", self._provider.endpoint("/messages/batches"), json={"requests": listed}))

    def look_up(self, job: str) -> BatchJob:
        """Ask for the state of the job."""
        return self._job(self._send("GET", self._provider.endpoint(f"/messages/batches/{_safe_id(job)}")))

    def read_result(self, line: Mapping[str, Any]) -> BatchResult:
        """Read a line of the results."""
        result = line["result"]
        if result["type"] == "succeeded":
            return BatchResult(line["custom_id"], json.dumps(result["message"]).encode())
        told = result.get("error") or {}
        if not told.get("error"):
            words = quote_line(str(result["type"]), MAX_MESSAGE)
            return BatchResult(line["custom_id"], error=ProviderError(_("the request was {kind}", kind=words)))
        is_refused = told["error"].get("type") == "invalid_request_error"
        return BatchResult(line["custom_id"], error=object_error(told, 400 if is_refused else 200))

    def _job(self, told: Mapping[str, Any]) -> BatchJob:
        job = str(told.get("id", ""))
        ended = told.get("processing_status") == "ended"
        url = self._provider.endpoint(f"/messages/batches/{_safe_id(job)}/results")
        return BatchJob(job, ended, results=(url,) if ended else ())


def batch_service(provider: Any, model: str) -> BatchService:
    """Return the batch API of a provider.

    Raises:
        UsageError: It has none that is known.
    """
    if not isinstance(provider, OpenAICompatible) or provider.is_local:
        raise UsageError(
            _('{name} has no batch API that is known here. Leave out through="batch".', name=provider.name)
        )
    return (MessageBatches if provider.dialect.name == MESSAGES else FileBatches)(provider, model)


class _HeldBytes:
    """Pieces of one line or answer, joined once."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Add a piece; raise `ProtocolError` if there is too much."""
        self._pieces.append(piece)
        self._size += len(piece)
        if self._size > MAX_LINE:
            raise ProtocolError(
                _("The batch API answered more than {megabytes} MB at once.", megabytes=MAX_LINE // 10**6)
            )

    def take(self) -> bytes:
        """Return the bytes so far, and begin anew."""
        whole = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return whole


def _decoded(decoder: Any, body: bytes) -> Iterator[Delta]:
    yield from decoder.feed(body)
    yield from decoder.close()


def _safe_id(identity: Any) -> str:
    """Return an id of the service for a path."""
    text = str(identity)
    if not text or not all(c.isalnum() or c in "_-." for c in text) or ".." in text:
        raise ProtocolError(_("The batch API named an unusable id: {text}", text=quote_line(text, 80)))
    return text


def _encode_form(purpose: str, content: bytes) -> tuple[str, bytes]:
    """Return the media type and the body of a form with a file (RFC 7578)."""
    boundary = uuid.uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="batch.jsonl"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", head.encode() + content + f"\r\n--{boundary}--\r\n".encode()

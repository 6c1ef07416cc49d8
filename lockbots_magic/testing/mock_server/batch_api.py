"""The batch APIs of OpenAI (at the service `openai`) and of Anthropic: jobs that end after some looks at them.

Wire facts: the OpenAI API reference, "Batch" and "Files"; the Anthropic API reference, "Message Batches".
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from typing import Any

from .faults import FAULTS, error_response
from .responses import MockResponse
from .service_table import choose_service
from .services import MockExchange, dump_json

_FILE = re.compile(rb'name="file".*?\r\n\r\n(.*?)\r\n--', re.DOTALL)
_CREATED = {"created_at": 0, "object": "batch", "completion_window": "24h"}


class BatchStore:
    """Files and jobs of the batch APIs, since the last `MockServer.forget`."""

    def __init__(self) -> None:
        self.jobs: dict[str, list[str]] = {}
        """Id of each job -> the lines of its results."""
        self._files: dict[str, bytes] = {}
        self._looks: dict[str, int] = {}
        self._lock = threading.Lock()

    def answer(self, exchange: MockExchange) -> MockResponse | None:
        """Return the response to a request for a batch API; None if it is for something else."""
        method, path = exchange.request.method, exchange.path
        job = re.fullmatch(r"(?:/messages)?/batches/([\w-]+)(/results)?", path)
        file = re.fullmatch(r"/files/([\w-]+)/content", path)
        if not (job or file or (method == "POST" and path in ("/files", "/batches", "/messages/batches"))):
            return None
        if not exchange.service.accepts(exchange):
            return error_response(exchange, 401, "The credential is missing or wrong")
        with self._lock:
            if method == "POST":
                told = self._create(exchange, path)
            elif job and not job[2]:
                told = self._look(exchange, job[1])
            else:
                told = self._results((job or file)[1].removesuffix("-out"))  # type: ignore[index]  # one of them is there
        return error_response(exchange, 404, f"Unknown path {path}") if told is None else MockResponse([told.encode()])

    def _create(self, exchange: MockExchange, path: str) -> str | None:
        number = len(self._files) + len(self.jobs) + 1
        if path == "/files":
            found = _FILE.search(exchange.request.content)
            self._files[f"file-{number}"] = found[1] if found else b""
            return dump_json({"id": f"file-{number}", "object": "file", "purpose": "batch"})
        if path == "/batches":
            content = self._files.get(str(exchange.body.get("input_file_id")))
            if content is None:
                return None
            asked = [json.loads(line) for line in content.splitlines() if line.strip()]
            rows = [_openai_result(exchange, one) for one in asked]
        else:
            rows = [_anthropic_result(exchange, one) for one in exchange.body.get("requests", [])]
        self.jobs[f"batch_{number}"] = [dump_json(row) for row in rows]
        return self._look(exchange, f"batch_{number}")

    def _look(self, exchange: MockExchange, job: str) -> str | None:
        if job not in self.jobs:
            return None
        self._looks[job] = self._looks.get(job, -1) + 1
        ended = self._looks[job] > exchange.settings.polls
        if "/messages" in exchange.path:
            return dump_json(
                {"id": job, "type": "message_batch", "processing_status": "ended" if ended else "in_progress"}
            )
        status = {"status": "completed" if ended else "in_progress", "output_file_id": f"{job}-out" if ended else None}
        return dump_json({"id": job, **_CREATED, **status, "error_file_id": None})

    def _results(self, job: str) -> str | None:
        return "\n".join([*self.jobs[job], ""]) if job in self.jobs else None


def _inner(exchange: MockExchange, path: str, body: Any) -> MockExchange:
    """Return one request of a job as if it had come alone."""
    head = exchange.request.path.partition("/v1")[0]
    request = replace(
        exchange.request, method="POST", path=f"{head}{path}", json=body, content=json.dumps(body).encode()
    )
    return replace(exchange, service=choose_service("openai", request), request=request)


def _refusal(inner: MockExchange) -> tuple[int, str]:
    """Return the status and the error object of a request that is refused; 200 for any other."""
    fault = FAULTS.get(inner.settings.fault)
    response = fault.build(inner) if fault else None
    if response is not None and response.status >= 400:
        return response.status, b"".join(one for one in response.pieces if isinstance(one, bytes)).decode()
    complaint = inner.complaint
    return (400, inner.service.error(400, complaint)) if complaint else (200, "")


def _openai_result(exchange: MockExchange, asked: dict[str, Any]) -> dict[str, Any]:
    inner = _inner(exchange, asked["url"], asked["body"])
    status, told = _refusal(inner)
    body = json.loads(told or inner.service.whole(inner.words, inner.body) or "null")
    response = {"status_code": status, "request_id": "req_mock", "body": body}
    return {"id": "batch_req_mock", "custom_id": asked["custom_id"], "response": response, "error": None}


def _anthropic_result(exchange: MockExchange, asked: dict[str, Any]) -> dict[str, Any]:
    inner = _inner(exchange, "/v1/messages", asked["params"])
    status, told = _refusal(inner)
    if status != 200:
        return {"custom_id": asked["custom_id"], "result": {"type": "errored", "error": json.loads(told)}}
    message = json.loads(inner.service.whole(inner.words, inner.body) or "null")
    return {"custom_id": asked["custom_id"], "result": {"type": "succeeded", "message": message}}

"""A chat-completions server for batches: it answers from the prompt, and counts what it is asked."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def whole(text: str, prompt_tokens: int = 10, completion_tokens: int = 5) -> tuple[int, dict[str, str], bytes]:
    """Return a response with a reply: status, headers, body."""
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return 200, {}, json.dumps({"id": "1", "model": "m", "choices": choices, "usage": usage}).encode()


def refusal(status: int, message: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return a response with an error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, named, json.dumps({"error": {"message": message}}).encode()


class RowServer:
    """Answers each prompt by `answer(prompt, number)`, which returns a response, or None to reset the connection.

    Args:
        answer: Takes the prompt and how often it has been asked, from 1.
    """

    def __init__(self, answer: Callable[[str, int], Any] = lambda prompt, number: whole(prompt.upper())) -> None:
        self.asked: Counter[str] = Counter()
        self.times: list[float] = []
        """When requests arrived, as `time.monotonic()` (s)."""
        self.most_active = 0
        self.bodies: list[dict[str, Any]] = []
        self._active = 0
        self._lock = threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                content = body["messages"][-1]["content"]
                prompt = content if isinstance(content, str) else json.dumps(content)
                with outer._lock:
                    outer.times.append(time.monotonic())
                    outer.bodies.append(body)
                    outer.asked[prompt] += 1
                    outer._active += 1
                    outer.most_active = max(outer.most_active, outer._active)
                    number = outer.asked[prompt]
                try:
                    response = answer(prompt, number)
                finally:
                    with outer._lock:
                        outer._active -= 1
                if response is None:
                    self.connection.close()
                    self.close_connection = True
                    return
                status, headers, content = response
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, *_: Any) -> None:
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def count(self) -> int:
        """Number of requests so far."""
        return sum(self.asked.values())

    def __enter__(self) -> RowServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

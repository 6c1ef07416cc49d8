"""Main program of the process that computes the replies of a local model; `model_process` starts it.

It reads its settings, one JSON object on one line, from the standard input, writes the address of its server, one
line, to the standard output, and serves until the standard input closes or its parent ends. It imports nothing of this
package, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from typing import Any

PARENT_CHECK = 2.0
"""Time (s) between two looks at the parent: a fork of it may hold the standard input open."""
PROMPT_CACHE = 256
"""MiB of memory for prompts of earlier replies; llama.cpp takes up to 8 GiB by default."""


def start_server(settings: dict[str, Any]) -> Any:
    """Return the running server.

    Args:
        settings: `path` of the model, `name`, `key`, `context` (tokens) and `threads`.
    """
    import xllamacpp  # noqa: PLC0415  # the extra `local`; loaded in this process alone

    params = xllamacpp.CommonParams()
    params.model.path = settings["path"]
    params.model_alias = {settings["name"]}
    params.api_keys = [settings["key"]]
    params.n_ctx = settings["context"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.cache_ram_mib = PROMPT_CACHE
    params.endpoint_slots = True
    params.warmup = False
    params.ui = False
    params.offline = True
    return xllamacpp.Server(params)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)  # at once, whatever is being computed


def main() -> None:
    """Serve until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the kernel's, which closes the connection
    settings = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    server = start_server(settings)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    parent = settings["parent"]
    while os.name == "nt" or os.getppid() == parent:
        threading.Event().wait(PARENT_CHECK)
    os._exit(0)


if __name__ == "__main__":
    main()

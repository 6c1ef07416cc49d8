"""Processes that compute the replies of local models: llama.cpp's server, as a child of this process.

A process ends with this one, also if this one is killed: it watches its standard input. Chats that use the same file
with the same settings share one.
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..conversation.cancellation import SIGNAL_CHECK, Cancellation
from ..errors import Cancelled, ConnectionFailed, ProviderTimeout, UsageError
from ..language import N_, _
from ..security.secrets import Secret
from .shutdown import at_shutdown
from .wire.errors import make_snippet

MAX_THREADS = 8
"""Threads of one process by default; more rarely make it faster, as memory is the limit."""
END_TIMEOUT = 2.0
"""Time (s) that a process may take to end, or to be seen to have ended."""
MAX_LOG_LINES = 40
"""Last lines of the log that are kept to tell why a process ended."""
EXTRA = N_("local needs the extra `local`: pip install 'lockbots-magic[local]'")

_MAIN = Path(__file__).with_name("model_process_main.py")
_START = (  # without the folder of the script or the working folder, whose files could stand for modules
    "import runpy, sys; sys.path[:] = filter(None, sys.path); runpy.run_path(sys.argv[1], run_name='__main__')"
)


@dataclass(frozen=True)
class ModelSettings:
    """What a process is started with."""

    path: Path
    """The model file."""
    context: int
    """Context window (tokens)."""
    threads: int
    """Threads that compute."""


class ModelProcess:
    """One process, which may still be loading its model.

    Args:
        settings: What it is started with.

    Raises:
        UsageError: The extra is not installed, or the process can't be started.
    """

    def __init__(self, settings: ModelSettings) -> None:
        if importlib.util.find_spec("xllamacpp") is None:
            raise UsageError(_(EXTRA))
        self.settings = settings
        self.name = settings.path.stem
        self.key = Secret(secrets.token_urlsafe(32))
        """Credential of its server: other users of this machine can reach the port, too."""
        self.url = ""
        """Base URL of its server, once it is ready."""
        self._ready = threading.Event()
        self._closed = False
        self._log: deque[str] = deque(maxlen=MAX_LOG_LINES)
        command = [sys.executable, "-c", _START, str(_MAIN)]
        try:
            self._process = subprocess.Popen(  # noqa: S603  # this Python, and a file of this package
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,  # an interrupt goes to the whole group of the kernel
            )
        except OSError as error:
            raise UsageError(
                _("The process for {name} can't be started. {strerror}.", name=self.name, strerror=error.strerror)
            ) from None
        self._send_settings()
        self._log_reader = threading.Thread(target=self._read_log, args=(self._process.stderr,), daemon=True)
        self._log_reader.start()
        threading.Thread(target=self._read_address, args=(self._process.stdout,), daemon=True).start()

    def _send_settings(self) -> None:
        settings = {
            "path": str(self.settings.path),
            "name": self.name,
            "key": self.key.reveal(),
            "context": self.settings.context,
            "threads": self.settings.threads,
            "parent": os.getpid(),
        }
        assert self._process.stdin is not None
        with suppress(OSError):  # it has ended already, which is told by `wait_until_ready`
            self._process.stdin.write(f"{json.dumps(settings)}\n")
            self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """Id of the process."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return not self._closed and self._process.poll() is None

    def wait_until_ready(self, cancellation: Cancellation, deadline: float = math.inf) -> None:
        """Wait until the model is loaded. An interrupt leaves it loading, for the next question.

        Args:
            cancellation: Ends the wait.
            deadline: End of the wait, as a `time.monotonic()` (s).

        Raises:
            ConnectionFailed: The process has ended.
            ProviderTimeout: The deadline has passed.
            Cancelled: `cancellation` was used.
        """
        while not self._ready.wait(SIGNAL_CHECK):
            if cancellation.cancelled:
                raise Cancelled(_("The reply was stopped while the model was loading."))
            if time.monotonic() > deadline:
                error = ProviderTimeout(_("{name} took longer to load than `total_timeout` allows.", name=self.name))
                error.retryable = False
                raise error
        if not self.url:
            raise self.end_error() or ConnectionFailed(_("The process of {name} has no server.", name=self.name))

    def end_error(self) -> ConnectionFailed | None:
        """Return the error that tells how the process ended; None while it runs."""
        with suppress(subprocess.TimeoutExpired):  # a connection is gone before its process
            self._process.wait(END_TIMEOUT)
        if self.running:
            return None
        self._log_reader.join(END_TIMEOUT)  # the reason stands in the last lines
        error = ConnectionFailed(self._describe_end())
        error.retryable = False  # what ended it once may do so again: the user decides
        return error

    def _describe_end(self) -> str:
        again = _("The next question starts it again.")
        if self._closed:
            return _("The process of {name} was closed. {again}", name=self.name, again=again)
        if not self.url:
            why = make_snippet(_find_reason([*self._log]))
            return _(
                "{name} could not be loaded ({status}). {why}",
                name=self.name,
                status=self._describe_status(),
                why=why,
            ).rstrip()
        return _(
            "The process of {name} ended unexpectedly ({status}). {again}",
            name=self.name,
            status=self._describe_status(),
            again=again,
        )

    def _describe_status(self) -> str:
        status = self._process.returncode or 0
        if status >= 0:
            return _("exit status {status}", status=status)
        with suppress(ValueError):
            name = signal.Signals(-status).name
            return _("{name}; perhaps the memory was short", name=name) if name == "SIGKILL" else name
        return _("signal {number}", number=-status)

    def memory(self) -> int | None:
        """Return the memory (bytes) in use, None where this system doesn't tell."""
        with suppress(OSError, ValueError, LookupError):
            pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        with suppress(OSError, ValueError, subprocess.SubprocessError):
            command = ["ps", "-o", "rss=", "-p", str(self.pid)]
            told = subprocess.run(command, capture_output=True, timeout=END_TIMEOUT, check=True)  # noqa: S603  # a number
            return int(told.stdout) * 1024
        return None

    def close(self) -> None:
        """End the process at once; does nothing if it has ended."""
        self._closed = True
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_TIMEOUT)
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _read_address(self, pipe: IO[str]) -> None:
        with pipe, suppress(ValueError, OSError):
            address = pipe.readline().strip()
            self.url = f"{address}/v1" if address else ""
            self._ready.set()
            for _unused in pipe:  # so that the process never waits for a reader
                pass
        self._ready.set()

    def _read_log(self, pipe: IO[str]) -> None:
        with pipe, suppress(ValueError, OSError):
            self._log.extend(pipe)


def _find_reason(log: Iterable[str]) -> str:
    """Return the first line that llama.cpp marked as an error, without its time; else the last line of a traceback."""
    lines = [line.strip() for line in log]
    marked = (found for line in lines if (found := re.match(r"[\d.]+ E (.*)", line)))
    return next((found[1] for found in marked), lines[-1] if lines else "")


_lock = threading.Lock()
_processes: dict[ModelSettings, ModelProcess] = {}


def model_process(settings: ModelSettings) -> ModelProcess:
    """Return the process with these settings, started if there is none or it has ended. It may be loading.

    Raises:
        UsageError: As for `ModelProcess`.
    """
    with _lock:
        known = _processes.get(settings)
        if known is None or not known.running:
            if known is not None:
                known.close()
            known = _processes[settings] = ModelProcess(settings)
        return known


def running_processes() -> list[ModelProcess]:
    """Return the processes that run, oldest first."""
    with _lock:
        return [one for one in _processes.values() if one.running]


def close_model_processes() -> None:
    """End all processes; the next question starts one again."""
    with _lock:
        ended = [*_processes.values()]
        _processes.clear()
    for one in ended:
        one.close()


def default_threads() -> int:
    """Return the number of threads that compute: the processors that this process may use, at most `MAX_THREADS`."""
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        available = os.cpu_count() or 1
    return max(1, min(available, MAX_THREADS))


at_shutdown(close_model_processes)

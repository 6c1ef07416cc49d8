"""Clocks and sizes that rows share."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common import median


def processor_ms(action: Callable[[], object], repetitions: int = 7) -> float:
    """Return the processor time (ms) of an action: the median of several runs, after one that warms up."""
    times = []
    for n in range(repetitions + 1):
        gc.collect()
        started = time.process_time()
        action()
        if n:
            times.append((time.process_time() - started) * 1e3)
    return median(times)


def interleaved_ms(*actions: Callable[[], object], repetitions: int = 7) -> list[float]:
    """Return the processor times (ms) of actions that run in turn, each the median after one round that warms up."""
    times: list[list[float]] = [[] for _ in actions]
    for n in range(repetitions + 1):
        for of, action in zip(times, actions, strict=True):
            gc.collect()
            started = time.process_time()
            action()
            if n:
                of.append((time.process_time() - started) * 1e3)
    return [median(of) for of in times]


def in_fresh_process(function: Callable[..., object], *arguments: object) -> Any:
    """Call a module-level function of a row's module in a process of its own; return its JSON value."""
    code = (
        f"import importlib, json; module = importlib.import_module({function.__module__!r});"
        f"print(json.dumps(module.{function.__name__}(*{arguments!r})))"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent.parent)!r}); {code}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])

"""Time to the first token of `local:`, in a process without anything loaded, and of the next prompts.

The model is the smallest that the tests use (SmolLM2-135M), so that the figures are those of the toolkit: starting the
server, loading the file, asking.
"""

from __future__ import annotations

import json
import subprocess
import sys

from common import figure, median, spread, table, title

STARTS = 5
PROMPTS = 5
CODE = """
import json, sys, time
began = time.monotonic()
from lockbots_magic import Chat
chat = Chat("local", system="Answer briefly.")
times = []
for number in range(int(sys.argv[1])):
    reply = chat.stream(f"Name a color, please ({number}).", max_tokens=8)
    next(reply)
    times.append(time.monotonic() - began)
    for _ in reply:
        pass
    began = time.monotonic()
print(json.dumps(times))
"""


def first_tokens() -> list[float]:
    """Return the times (s) to the first token: of a new process, then of the prompts after it."""
    command = [sys.executable, "-c", CODE, str(PROMPTS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    times: list[float] = json.loads(done.stdout.splitlines()[-1])
    return times


def main() -> None:
    runs = [first_tokens() for _ in range(STARTS)]
    cold, warm = [run[0] for run in runs], [time for run in runs for time in run[1:]]
    title(f"first token of local:, {STARTS} processes, s")
    table(("", "median", "lowest", "highest"), ("cold", *spread(cold)), ("warm", *spread(warm)))
    figure("first token, cold", f"{median(cold):.1f} s", "<= 8 s on two cores")
    figure("first token, warm", f"{median(warm):.2f} s", "<= 1 s")


if __name__ == "__main__":
    main()

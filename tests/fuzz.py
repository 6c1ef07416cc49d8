"""Fuzzing: the property tests on bytes from outside, again and again with new examples, until the time is up.

Run by `make fuzz`. What Hypothesis finds, it keeps in `FUZZ_CORPUS` (default ``~/.cache/lockbots-fuzz``, outside of the
repository) and tries first the next time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

TARGETS = {
    "wire": ["tests/providers/wire"],
    "files": ["tests/storage/test_hostile_files.py", "tests/cassette/test_file.py", "tests/storage/test_rebuild.py"],
    "messages": ["tests/panel/test_controller.py", "tests/panel/test_hostile_messages.py"],
    "renderers": ["tests/rendering/test_hostile.py", "tests/rendering/test_safe_markdown.py"],
    "redaction": ["tests/security"],
    "brief": [
        "tests/providers/wire/test_sse.py",
        "tests/providers/wire/test_anthropic_messages.py",
        "tests/providers/wire/test_json_text.py",
        "tests/panel/test_hostile_messages.py",
    ],
}
BRIEF = "brief"
"""Target of `make test`: some seconds of new examples at each run."""


def run(names: list[str], seconds: float, corpus: Path) -> int:
    """Fuzz each target for an equal share of the time, at least once, and return the exit status."""
    root = Path(__file__).parents[1]
    environment = {
        **os.environ,
        "HYPOTHESIS_PROFILE": "fuzz",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(corpus),
        "PYTHONPATH": str(root),
    }
    status = 0
    for name in names:
        files = [one for one in TARGETS[name] if (root / one).exists()]
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-m",
            "not (kernel or browser)",
            *files,
        ]
        until = time.monotonic() + seconds / len(names)
        rounds = 0
        while rounds == 0 or (time.monotonic() < until and not status):
            ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
            rounds += 1
            if ran.returncode:
                sys.stdout.write(ran.stdout[-6000:])
                status = 1
        sys.stdout.write(f"{name}: {rounds} rounds, {'FAILED' if status else 'no failure'}\n")
        sys.stdout.flush()
    return status


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz what reads bytes from outside.")
    parser.add_argument("targets", nargs="*", help=f"some of {', '.join(TARGETS)}; by default all but {BRIEF}")
    parser.add_argument("--seconds", type=float, default=300.0, help="time for all targets together (default 300)")
    options = parser.parse_args()
    if unknown := set(options.targets) - TARGETS.keys():
        parser.error(f"unknown target {sorted(unknown)[0]}; one of {', '.join(TARGETS)}")
    corpus = Path(os.environ.get("FUZZ_CORPUS", "~/.cache/lockbots-fuzz")).expanduser()
    corpus.mkdir(parents=True, exist_ok=True)
    return run(options.targets or [name for name in TARGETS if name != BRIEF], options.seconds, corpus)


if __name__ == "__main__":
    sys.exit(main())

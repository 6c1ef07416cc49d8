"""Export and import of a conversation of 1,000 turns, beside what `json` alone takes for the same data."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from common import figure, median, reply, spread, table, title

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.storage import files

TURNS = 1000
REPETITIONS = 3
TEXT = reply(250)[:1000]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def main() -> None:
    turns = [Turn(f"Question {n}: what is item {n}?", TEXT, "demo", "openai") for n in range(TURNS)]
    conversation = Conversation("talk", turns=turns)
    data = [turn.to_dict() for turn in conversation.turns]
    plain = json.dumps(data, indent=1, ensure_ascii=False)
    writing = median([timed(lambda: json.dumps(data, indent=1, ensure_ascii=False)) for _ in range(REPETITIONS)])
    reading = median([timed(lambda: json.loads(plain)) for _ in range(REPETITIONS)])
    rows = [("json.dumps", f"{len(plain) / 1e6:.1f}", f"{writing:.3f}", "", "", "1.0 x")]
    with tempfile.TemporaryDirectory() as folder:
        for ending in files.EXPORT_FORMATS:
            path = Path(folder) / f"talk{ending}"
            times = [timed(lambda p=path: files.export_conversation(conversation, p)) for _ in range(REPETITIONS)]
            ratio = f"{median(times) / writing:.1f} x"
            rows.append((f"export as {ending}", f"{path.stat().st_size / 1e6:.1f}", *spread(times), ratio))
            figure(f"export of {TURNS} turns as {ending}, over json.dumps", ratio, "none")
        rows.append(("json.loads", f"{len(plain) / 1e6:.1f}", f"{reading:.3f}", "", "", "1.0 x"))
        for ending in files.IMPORT_FORMATS:
            path = Path(folder) / f"talk{ending}"
            times = [timed(lambda p=path: files.import_conversations(p)) for _ in range(REPETITIONS)]
            ratio = f"{median(times) / reading:.1f} x"
            rows.append((f"import of {ending}", f"{path.stat().st_size / 1e6:.1f}", *spread(times), ratio))
            figure(f"import of {TURNS} turns from {ending}, over json.loads", ratio, "none")
    title(f"{TURNS} turns of 1 KB, median of {REPETITIONS}, s")
    table(("", "MB", "median", "lowest", "highest", "ratio"), *rows)


if __name__ == "__main__":
    main()

"""The log with 100,000 turns: what a turn costs, search, forgetting, and whether forgotten words are gone."""

from __future__ import annotations

import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from common import figure, spread, table, title

from lockbots_magic import Chat
from lockbots_magic.conversation.commits import observe_commits
from lockbots_magic.storage.log import Log
from lockbots_magic.storage.log.database import open_database
from lockbots_magic.storage.log.rows import COLUMNS
from lockbots_magic.storage.log.stems import stems_of
from lockbots_magic.storage.log.writer import LogWriter

TURNS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
TURNS_PER_CONVERSATION = 10
WORDS_PER_REPLY = 120
SHARE = 0.1
"""Share of the turns that hold the searched words."""
REPETITIONS = 9
FORGOTTEN = 9
"""Conversations that are forgotten, one after the other."""
LATIN = ("confusion", "matrix", "plots", "running", "universities", "axes", "models", "layers", "gradients", "weights")
CYRILLIC = ("матрица", "ошибок", "графики", "погоды", "городах", "осей", "модели", "слои", "градиенты", "беседы")


def vocabulary(random_source: random.Random) -> list[str]:
    letters = "etaoinshrdlucmfw", "оеаинтсрвлкмдпуя"
    made = ["".join(random_source.choices(letters[n % 2], k=random_source.randint(3, 10))) for n in range(30_000)]
    return [*LATIN, *CYRILLIC, *made]


def rows(count: int) -> Iterator[dict[str, Any]]:
    """Yield turns: words of a long-tailed distribution, in English and Russian; every tenth has two words more."""
    source = random.Random(7)
    words = vocabulary(source)
    weights = [1 / (rank + 5) for rank in range(len(words))]
    ranks = list(range(len(words)))
    for number in range(count):
        conversation, place = divmod(number, TURNS_PER_CONVERSATION)
        picked = source.choices(ranks, weights, k=WORDS_PER_REPLY)
        marked = ["zebrafish", "кардиограммы"] if number % round(1 / SHARE) == 0 else []
        own = f"only{number}x"  # a word that stands in this turn alone
        prompt = " ".join([*(words[rank] for rank in picked[:12]), own])
        reply = " ".join([*(words[rank] for rank in picked), *marked, f"answer{number}x"])
        yield {
            **dict.fromkeys(COLUMNS, ""),
            "id": f"{number:032x}",
            "conversation_id": f"c{conversation:08d}",
            "started": 1.7e9 + 100 * number,
            "provider": "openai",
            "model": f"model-{number % 5}",
            "status": "complete",
            "prompt_tokens": 200,
            "completion_tokens": 300,
            "estimated": 0,
            "cost": 0.001,
            "serial": number + 1,
            "history": f"{conversation * TURNS_PER_CONVERSATION + 1:x} 0+{place:x}",
            "elapsed": 1.0,
            "prompt": prompt,
            "reply": reply,
            "notebook": f"notebook-{number % 300}.ipynb",
            "attachments": "[]",
            "details": "{}",
            "stems": stems_of(prompt, reply),
        }


def fill(path: Path) -> float:
    """Make the log; return the time (s) for a turn."""
    begun = time.perf_counter()
    with closing(open_database(path)) as database:
        names = ", ".join(f":{name}" for name in COLUMNS)
        insert = f"INSERT INTO turn ({', '.join(COLUMNS)}) VALUES ({names})"
        batch: list[dict[str, Any]] = []
        for row in rows(TURNS):
            batch.append(row)
            if len(batch) == 1_000:
                write(database, insert, batch)
                batch = []
        write(database, insert, batch)
    return (time.perf_counter() - begun) / TURNS


def write(database: sqlite3.Connection, insert: str, batch: list[dict[str, Any]]) -> None:
    database.execute("BEGIN")
    conversations = {row["conversation_id"]: row["started"] for row in batch}
    database.executemany(
        "INSERT OR IGNORE INTO conversation (id, name, started) VALUES (?, 'main', ?)", conversations.items()
    )
    database.executemany(insert, batch)
    database.execute("COMMIT")


def times(action: Callable[[int], object], repetitions: int = REPETITIONS) -> list[float]:
    measured = []
    for number in range(repetitions):
        begun = time.perf_counter()
        action(number)
        measured.append(1000 * (time.perf_counter() - begun))
    return measured


def turn_times(path: Path | None) -> tuple[list[float], list[float]]:
    """Return the times (ms) to the first token and of the end of a turn, with the log at `path` or without one."""
    text = "Some words of a reply about models. " * 60
    chat = Chat(lambda prompt: iter([text]))
    writer = LogWriter(path) if path else None
    stop = observe_commits(writer.put) if writer else lambda: None
    firsts, ends = [], []
    for number in range(200):
        chat.clear()
        begun = time.perf_counter()
        reply = chat.stream(f"Prompt number {number}")
        next(reply)
        firsts.append(1000 * (time.perf_counter() - begun))
        begun = time.perf_counter()
        for _ in reply:
            pass
        ends.append(1000 * (time.perf_counter() - begun))
        if writer:
            writer.flush()  # as turns come, not all at once
    stop()
    if writer:
        writer.close()
    return firsts, ends


def found_bytes(path: Path, words: list[str]) -> list[str]:
    """Return the words that stand in the bytes of the log's files."""
    files = [path.with_name(path.name + ending) for ending in ("", "-wal", "-shm")]
    content = b"".join(file.read_bytes() for file in files if file.exists())
    return [word for word in words if word.encode() in content]


def main() -> None:
    folder = Path(tempfile.mkdtemp())
    path = folder / "log.db"
    title(f"Log of {TURNS:,} turns, SQLite {sqlite3.sqlite_version}")
    per_turn = fill(path)
    log = Log(path)
    rows_of_table: list[tuple[object, ...]] = []

    def add(name: str, measured: list[float], bound: str) -> None:
        rows_of_table.append((name, *spread(measured), bound))
        figure(name, f"{statistics.median(measured):.1f} ms", bound)

    without, with_log = turn_times(None), turn_times(path)
    for name, at in (("first token", 0), ("end of a turn", 1)):
        added = statistics.median(with_log[at]) - statistics.median(without[at])
        figure(f"log on: added to the {name}", f"{added:.2f} ms", "3 ms" if at else "0 ms")
        rows_of_table += [
            (f"{name}, log off", *spread(without[at]), ""),
            (f"{name}, log on", *spread(with_log[at]), ""),
        ]
    add("search, two words in the same 10 %", times(lambda _: log.search("zebrafish кардиограмма")), "50 ms")
    add("search, two common words", times(lambda _: log.search("confusion матрица")), "none")
    add("search, one rare word", times(lambda n: log.search(f"only{n + 5}x")), "none")
    add("search, unfinished word", times(lambda _: log.search("zebraf", unfinished=True)), "none")
    add("open a conversation", times(lambda n: log.open(f"c{n:08d}")), "none")
    add("stats", times(lambda _: log.stats(), 3), "none")
    source = random.Random(3)
    chosen = source.sample(range(TURNS // TURNS_PER_CONVERSATION), FORGOTTEN)
    with closing(sqlite3.connect(path)) as other:  # another kernel has it open
        other.execute("SELECT COUNT(*) FROM conversation").fetchone()
        bound = "200 ms" if sqlite3.sqlite_version_info >= (3, 42) else "3000 ms"
        add("forget a conversation", times(lambda n: log.forget(f"c{chosen[n]:08d}"), FORGOTTEN), bound)
        gone = [
            f"{kind}{number}x"
            for one in chosen
            for number in range(one * TURNS_PER_CONVERSATION, (one + 1) * TURNS_PER_CONVERSATION)
            for kind in ("only", "answer")
        ]
        left = found_bytes(path, gone)
    figure("forgotten words in the bytes", f"{len(left)} of {len(gone)}", "0")
    table(("ms", "median", "lowest", "highest", "bound"), *rows_of_table)
    print(f"{path.stat().st_size / 1e6:.0f} MB, {1000 * per_turn:.2f} ms a turn to fill; left: {left[:5]}")
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


if __name__ == "__main__":
    main()

"""What is forgotten is gone: from the bytes of the database, its write-ahead log and its shared memory."""

import random
import sqlite3
import subprocess
import sys
import threading

import pytest

from lockbots_magic import Chat
from lockbots_magic.storage.log import erasing
from lockbots_magic.storage.log.database import open_database
from lockbots_magic.storage.log.erasing import probes_of, unused_bytes


def files_of(path):
    return [file for ending in ("", "-wal", "-shm") if (file := path.with_name(path.name + ending)).exists()]


def left(path, words):
    content = b"".join(file.read_bytes() for file in files_of(path))
    return [word for word in words if word.encode() in content]


@pytest.fixture
def other(log, chat):
    """A second connection that has the log open and has read it."""
    chat.ask("something to read")
    assert log.count() == 1
    database = sqlite3.connect(log.path)
    database.execute("SELECT prompt FROM turn").fetchall()
    yield database
    database.close()


def test_forgotten_words_are_not_in_the_bytes(log, other):
    words = ["xylophone", "кардиограмма", "sixtieth", "thinkingly", "underlying"]
    chat = Chat(lambda prompt: "A reply about кардиограмма and the sixtieth. " * 200)
    chat.conversation.name, chat.conversation.system = "underlying", "Be thinkingly."
    for number in range(30):
        Chat(lambda prompt: "filler " * 300).ask(f"filler {number}")
    chat.ask("Play the xylophone.")
    assert left(log.path, words[:1]) or log.search("xylophone")
    assert log.forget(chat.conversation.id) == 1
    assert left(log.path, words) == []
    assert other.execute("SELECT COUNT(*) FROM turn").fetchone() == (31,)


def test_any_order_of_forgetting_leaves_nothing(log, other):
    """Pages are joined as turns go, which leaves copies of neighbours behind: those have to go, too."""
    source = random.Random(1)
    turns = []
    for number in range(100):
        length = source.choice([3, 30, 300, 1500])
        chat = Chat(lambda prompt, length=length, number=number: f"answer{number}x " + f"filler{number}y " * length)
        turns.append((chat.ask(f"only{number}x").id, [f"only{number}x", f"answer{number}x", f"filler{number}y"]))
    source.shuffle(turns)
    gone = []
    for count, (turn, words) in enumerate(turns[:60]):
        assert log.forget(turn) == 1
        gone += words
        if count % 20 == 19:
            assert left(log.path, gone) == []
    assert len(log.search("filler1y filler2y", limit=1)) == 0
    assert all(len(log.search(words[0])) == 1 for _, words in turns[60:])


def test_copies_in_unused_bytes_are_found_and_removed(log, other):
    turn = Chat(lambda prompt: "yes").ask("a prompt about xylophones")
    assert log.count() == 2
    assert log.forget(turn.id) == 1
    database = open_database(log.path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = database.execute("PRAGMA page_size").fetchone()[0]
    with log.path.open("r+b") as file:  # as SQLite leaves it when it moves a neighbour
        page = next(
            n for n in range(1, log.path.stat().st_size // size) if log.path.read_bytes()[n * size] in (2, 5, 10, 13)
        )
        file.seek(page * size + size // 4)
        file.write(b"a prompt about xylophones")
    assert any(b"xylophones" in hole for hole in unused_bytes(log.path))
    probes = probes_of(["a prompt about xylophones"], ["xylophones"])
    assert erasing.erase(database, log.path, probes)
    database.close()
    assert left(log.path, ["xylophones"]) == []
    assert log.count() == 1


def test_a_reader_delays_it_and_that_is_told(log, other, monkeypatch):
    monkeypatch.setattr("lockbots_magic.storage.log.database.BUSY_TIMEOUT", 0.05)
    monkeypatch.setattr("lockbots_magic.storage.log.erasing.CHECKPOINT_TIMEOUT", 0.05)
    turn = Chat(lambda prompt: "yes").ask("a prompt about xylophones")
    assert log.count() == 2
    other.execute("BEGIN")
    other.execute("SELECT prompt FROM turn").fetchall()
    done = log.forget_turns(turn.id)
    assert (done.turns, done.erased) == (1, False)
    other.execute("COMMIT")
    thread = next((one for one in threading.enumerate() if one.name == "lockbots log erase"), None)
    if thread is not None:
        thread.join(30)
    assert not erasing.is_erasing(log.path)
    assert left(log.path, ["xylophones"]) == []
    assert log.forget_turns(turn.id).erased


def test_another_program_deletes_for_good_too(log, other):
    Chat(lambda prompt: "yes").ask("a prompt about xylophones")
    assert log.count() == 2
    script = (
        "import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute('PRAGMA secure_delete = ON');"
        "d.execute(\"DELETE FROM turn WHERE prompt LIKE '%xylo%'\"); d.commit();"
        "d.execute(\"INSERT INTO turn_search(turn_search) VALUES ('optimize')\"); d.commit();"
        "d.execute('PRAGMA wal_checkpoint(TRUNCATE)'); d.close()"
    )
    subprocess.run([sys.executable, "-c", script, log.path], check=True)
    assert left(log.path, ["xylophones"]) == []
    assert log.search("xylophones") == []
    assert log.search("something")

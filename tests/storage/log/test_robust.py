"""A log that can't be written: one warning, the chat goes on, and what can be kept is kept."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from lockbots_magic import Chat, Log, UsageError
from lockbots_magic.conversation.commits import observe_commits
from lockbots_magic.storage.log import database as databases
from lockbots_magic.storage.log import schema
from lockbots_magic.storage.log.rows import complete_row
from lockbots_magic.storage.log.writer import LogWriter, writer_of


@pytest.fixture
def writer(tmp_path, monkeypatch):
    """A writer with short waits, which every chat is logged to."""
    monkeypatch.setattr(databases, "BUSY_TIMEOUT", 0.05)
    writer = LogWriter(tmp_path / "log.db")
    stop = observe_commits(writer.put)
    yield writer
    stop()
    writer.close()


def ask(*prompts):
    chat = Chat(lambda prompt: f"You said: {prompt}")
    return [chat.ask(prompt) for prompt in prompts]


def problems_of(writer, *prompts):
    """Return what is told after each prompt."""
    told = []
    for prompt in prompts:
        ask(prompt)
        writer.flush()
        told.append(writer.take_problem())
    return told


def test_a_locked_log_is_written_later_and_told_once(writer):
    ask("before")
    assert writer.flush()
    with closing(sqlite3.connect(writer.path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        first, *others = problems_of(writer, "one", "two", "three")
        assert "locked by another program" in first
        assert others == ["", ""]
        assert writer.waiting == 3
        other.execute("ROLLBACK")
    ask("after")
    assert writer.flush()
    assert (writer.waiting, writer.lost, writer.problem) == (0, 0, "")
    rows = Log(writer.path).search("said", limit=20)
    assert sorted(hit.turn.prompt for hit in rows) == ["after", "before", "one", "three", "two"]


def test_a_read_only_log_is_told_and_can_be_read(writer):
    ask("before")
    writer.close()
    real = sqlite3.connect
    blocked = LogWriter(writer.path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", lambda path, **options: real(f"file:{path}?mode=ro", uri=True, **options))
        stop = observe_commits(blocked.put)
        told = problems_of(blocked, "one", "two")
        stop()
    assert "read-only" in told[0]
    assert told[1] == ""
    assert blocked.waiting == 2
    assert blocked.flush()  # it can be written again
    assert Log(writer.path).count() == 3


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(writer):
    writer.path.parent.chmod(0o500)
    (told,) = problems_of(writer, "one")
    writer.path.parent.chmod(0o700)
    assert "can't be used" in told


def test_a_full_disk_is_told_and_nothing_is_lost(writer):
    ask("before")
    assert writer.flush()
    writer.release()
    real = databases.open_database

    def small(path, **options):
        database = real(path, **options)
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages}")
        return database

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lockbots_magic.storage.log.writer.open_database", small)
        told = problems_of(writer, "long " * 20_000, "two")
    assert "the disk is full" in told[0]
    assert told[1] == ""
    assert writer.flush()
    assert (Log(writer.path).count(), writer.lost) == (3, 0)


@pytest.mark.parametrize("content", [b"This is no database. " * 50, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_log_is_told_once_and_left_as_it_is(writer, content):
    writer.path.write_bytes(content)
    told = problems_of(writer, "one", "two")
    assert "damaged" in told[0]
    assert told[1] == ""
    assert writer.path.read_bytes() == content
    assert writer.lost == 2
    with pytest.raises(UsageError, match="damaged"):
        Log(writer.path).search("one")
    writer.path.unlink()
    writer.retry()
    assert problems_of(writer, "three") == [""]
    assert Log(writer.path).count() == 1


@pytest.mark.parametrize("is_replaced", [False, True], ids=["removed", "replaced"])
def test_a_file_that_is_gone_is_made_anew_before_the_next_turn(writer, is_replaced):
    ask("before")
    assert writer.flush()
    for one in writer.path.parent.glob("log.db*"):
        one.rename(one.with_name(f"old {one.name}")) if is_replaced else one.unlink()
    if is_replaced:
        databases.open_database(writer.path).close()
    assert problems_of(writer, "after") == [""]
    assert [hit.turn.prompt for hit in Log(writer.path).search("said")] == ["after"]


@pytest.mark.parametrize("make", [os.mkdir, *([os.mkfifo] if hasattr(os, "mkfifo") else [])])
def test_what_is_no_regular_file_is_told(writer, make):
    make(writer.path)
    (told,) = problems_of(writer, "one")
    assert "not a regular file" in told
    with pytest.raises(UsageError, match="not a regular file"):
        Log(writer.path).search("one")


def test_a_log_of_a_later_release_is_told_and_left_as_it_is(writer):
    ask("one")
    assert writer.flush()
    writer.release()
    with closing(sqlite3.connect(writer.path)) as database:
        database.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = writer.path.read_bytes()
    told = problems_of(writer, "two", "three")
    assert "Update lockbots-magic" in told[0]
    assert told[1] == ""
    with pytest.raises(UsageError, match="Update"):
        Log(writer.path).search("one")
    assert writer.path.read_bytes() == before


def test_the_database_of_another_program_is_left_alone(writer):
    with closing(sqlite3.connect(writer.path)) as database:
        database.execute("CREATE TABLE precious (value)")
    (told,) = problems_of(writer, "one")
    assert "another program" in told
    with closing(sqlite3.connect(writer.path)) as database:
        assert [name for (name,) in database.execute("SELECT name FROM sqlite_master")] == ["precious"]


def test_a_turn_that_sqlite_refuses_loses_no_other(writer, monkeypatch):
    def complete(record, prices):
        row = complete_row(record, prices)
        return {**row, "elapsed": object()} if "refused" in row["prompt"] else row

    monkeypatch.setattr("lockbots_magic.storage.log.writer.complete_row", complete)
    with closing(sqlite3.connect(writer.path)) as other:
        other.execute("BEGIN EXCLUSIVE")  # so that they go into one batch
        ask("one", "refused", "two")
        other.execute("ROLLBACK")
    ask("three")
    writer.flush()
    writer.flush()
    assert sorted(hit.turn.prompt for hit in Log(writer.path).search("said")) == ["one", "three", "two"]
    assert writer.lost == 1


def test_two_processes_write_at_once(tmp_path):
    path = tmp_path / "log.db"
    script = (
        "import sys; from pathlib import Path; from lockbots_magic import Chat;"
        "from lockbots_magic.conversation.commits import observe_commits;"
        "from lockbots_magic.storage.log.writer import writer_of;"
        "writer = writer_of(Path(sys.argv[1])); observe_commits(writer.put);"
        "chat = Chat(lambda prompt: 'yes');"
        "[chat.ask(f'{sys.argv[2]} number {n}') for n in range(40)];"
        "print(writer.take_problem())"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", script, path, name], stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    assert [run.communicate(timeout=120)[0].strip() for run in runs] == ["", ""]
    assert [run.returncode for run in runs] == [0, 0]
    log = Log(path)
    assert [len(log.search(name, limit=100)) for name in ("left", "right")] == [40, 40]
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        database.execute("INSERT INTO turn_search(turn_search) VALUES ('integrity-check')")


def test_migrations_run_once_however_many_open_the_file(tmp_path, monkeypatch):
    ran = []

    def step(database):
        ran.append(database.in_transaction)
        database.execute("ALTER TABLE turn ADD COLUMN rating INTEGER")

    databases.open_database(tmp_path / "log.db").close()
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    monkeypatch.setattr(schema, "VERSION", 2)
    for _ in range(2):
        with closing(databases.open_database(tmp_path / "log.db")) as database:
            assert database.execute("PRAGMA user_version").fetchone() == (2,)
            assert database.execute("SELECT rating FROM turn").fetchall() == []
    assert ran == [True]


def test_a_migration_that_fails_changes_nothing(tmp_path, monkeypatch):
    def step(database):
        database.execute("CREATE TABLE half (x)")
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
    monkeypatch.setattr(schema, "VERSION", 2)
    with pytest.raises(sqlite3.OperationalError):
        databases.open_database(tmp_path / "log.db")
    with closing(sqlite3.connect(tmp_path / "log.db")) as database:
        assert database.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)


def test_a_network_drive_is_known_by_its_mount():
    mounts = "dev / ext4 rw\nserver:/x /home/me/my\\040files nfs4 rw\n//s/y /mnt cifs rw\nz /mnt/local xfs rw\n"
    for path, kind in (
        ("/home/me/log.db", "ext4"),
        ("/home/me/my files/log.db", "nfs4"),
        ("/home/me/my files2/log.db", "ext4"),
        ("/mnt/a/log.db", "cifs"),
        ("/mnt/local/log.db", "xfs"),
    ):
        assert databases._file_system_of(path, mounts) == kind


def test_on_a_network_drive_no_memory_is_shared(tmp_path, monkeypatch):
    monkeypatch.setattr(databases, "is_on_network_drive", lambda path: True)
    with closing(databases.open_database(tmp_path / "log.db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_one_writer_serves_a_file_in_a_process(tmp_path):
    assert writer_of(tmp_path / "a.db") is writer_of(tmp_path / "a.db")
    assert writer_of(tmp_path / "a.db") is not writer_of(tmp_path / "b.db")

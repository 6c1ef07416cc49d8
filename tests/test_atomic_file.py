"""Atomic file writes: complete or not at all, with mode and symbolic links kept."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lockbots_magic import atomic_file
from lockbots_magic.atomic_file import read_text, replace_file, write_text
from lockbots_magic.errors import UsageError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.txt"


@pytest.mark.parametrize("text", ["", "Привет 👋\r\n\u2028\x00 end", "x" * 100_000])
def test_text_is_read_as_written(path, text):
    assert write_text(path, text) == path
    assert path.read_bytes() == text.encode()
    assert read_text(path) == text.replace("\r\n", "\n")


def test_a_lone_surrogate_becomes_its_escape(path):
    write_text(path, "a\ud83d")
    assert read_text(path) == "a\\ud83d"


def test_a_byte_order_mark_is_not_part_of_the_text(path):
    path.write_text("a", encoding="utf-8-sig")
    assert read_text(path) == "a"


def test_a_home_folder_is_expanded(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert write_text("~/a.txt", "x") == tmp_path / "a.txt"
    assert read_text("~/a.txt") == "x"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_no_draft(path, monkeypatch, step):
    def fail(*_):
        raise OSError(28, "No space left on device")

    path.write_text("old")
    monkeypatch.setattr(*((os, "fsync", fail) if step == "fsync" else (Path, "replace", fail)))
    with pytest.raises(UsageError, match=r"a\.txt can't be written: No space left on device\.$"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="links and modes need rights there")
def test_a_link_stays_a_link_and_the_file_keeps_its_mode(path):
    path.write_text("old")
    path.chmod(0o640)
    link = path.with_name("link.txt")
    link.symlink_to(path.name)
    assert write_text(link, "new") == link
    assert link.is_symlink()
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_is_the_owners_alone(path):
    write_text(path, "x")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
def test_only_a_regular_file_is_read_or_replaced(tmp_path, path):
    os.mkfifo(tmp_path / "fifo")
    listener = socket.socket(socket.AF_UNIX)
    with listener:
        listener.bind(str(tmp_path / "s"))
        path.symlink_to("fifo")
        for name in (tmp_path / "fifo", path, tmp_path / "s"):
            before = name.stat()
            with pytest.raises(UsageError, match=r"can't be written: it is not a regular file\.$"):
                write_text(name, "x")
            assert name.stat().st_ino == before.st_ino
            with pytest.raises(UsageError, match=r"Can't read .*: it is not a regular file"):
                read_text(name)
    with pytest.raises(UsageError, match="it is not a regular file"):
        read_text("/dev/null")  # a device that harms nobody, should the test find a bug
    with pytest.raises(UsageError, match="Is a directory"):
        write_text(tmp_path, "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.txt", "fifo", "s"]


def test_file_is_read_up_to_a_limit(path, monkeypatch):
    path.write_bytes(b"abcdef")
    assert atomic_file.read_bytes(path, 3) == b"abc"
    monkeypatch.setattr(atomic_file, "MAX_FILE", 6)
    assert read_text(path) == "abcdef"
    monkeypatch.setattr(atomic_file, "MAX_FILE", 5)
    with pytest.raises(UsageError, match=r"Can't read .*a\.txt: it is larger than"):
        read_text(path)


def test_a_name_as_long_as_the_file_system_takes_can_be_written(tmp_path):
    assert read_text(write_text(tmp_path / ("x" * 255), "y")) == "y"


@pytest.mark.parametrize("name", ["no/such/folder.txt", ".", "/", "\0", "folder/"])
def test_what_can_not_be_written_is_one_clear_message(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for act in (lambda: write_text(name, ""), lambda: read_text(name)):
        with pytest.raises(UsageError, match=r"can't be|Can't|is not a file name"):
            act()


def test_bytes_that_are_not_text_are_one_clear_message(path):
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match="not UTF-8 text"):
        read_text(path)


READER = """
import sys
from pathlib import Path

path = Path(sys.argv[1])
print("ready", flush=True)
seen = set()
while path.exists():
    try:
        seen.add(path.read_bytes())
    except FileNotFoundError:
        break
assert seen <= {b"a" * 500_000, b"b" * 500_000}, [len(one) for one in seen]
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows refuses to replace a file that is being read")
def test_a_reader_never_sees_half_a_file(path):
    replace_file(path, b"a" * 500_000)
    with subprocess.Popen([sys.executable, "-c", READER, str(path)], stdout=subprocess.PIPE) as reader:
        assert reader.stdout.readline() == b"ready\n"
        for letter in b"ba" * 10:
            atomic_file.replace_file(path, bytes([letter]) * 500_000)
        path.unlink()
    assert reader.returncode == 0


def open_elsewhere(monkeypatch, times):
    """Refuse the first `times` replacements, as Windows does while another program has the file open."""
    attempts, pauses = [], []
    replace = Path.replace

    def refuse(draft, target):
        attempts.append(target)
        if len(attempts) <= times:
            raise PermissionError(13, "Access is denied")
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr("lockbots_magic.atomic_file.time.sleep", pauses.append)
    return attempts, pauses


def test_a_file_that_another_program_reads_on_windows_is_replaced_a_moment_later(path, monkeypatch):
    monkeypatch.setattr(atomic_file, "WAITS_FOR_READERS", True)
    write_text(path, "old")
    attempts, pauses = open_elsewhere(monkeypatch, 3)
    write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "new"
    assert (len(attempts), pauses) == (4, [*atomic_file.REPLACE_PAUSES[:3]])


def test_a_file_that_stays_open_on_windows_is_an_error_and_keeps_its_content(path, monkeypatch):
    monkeypatch.setattr(atomic_file, "WAITS_FOR_READERS", True)
    write_text(path, "old")
    _, pauses = open_elsewhere(monkeypatch, 100)
    with pytest.raises(UsageError, match="can't be written: Access is denied"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert sum(pauses) < 1
    assert list(path.parent.iterdir()) == [path]


def test_a_refusal_elsewhere_is_told_at_once(path, monkeypatch):
    write_text(path, "old")
    monkeypatch.setattr(atomic_file, "WAITS_FOR_READERS", False)
    attempts, pauses = open_elsewhere(monkeypatch, 1)
    with pytest.raises(UsageError, match="Access is denied"):
        write_text(path, "new")
    assert (len(attempts), pauses) == (1, [])

"""Cassette files: nothing is lost, with concurrent writers, crashes and edits by hand."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.cassette import locked_file
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.cassette.journal import Journal
from lockbots_magic.cassette.lines import is_torn
from lockbots_magic.cassette.locked_file import file_lock
from lockbots_magic.cassette.recording import Recording
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.conversation.messages import Message
from lockbots_magic.errors import UsageError


def recording(prompt, reply="yes", before=()):
    return Recording(
        RecordedRequest("p", "m", (*before, Message("user", prompt))), reply, rhythm=[[9, 3]], finish_reason="stop"
    )


def lines_of(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def prompts(tape):
    return [r.request.messages[-1].content for r in tape.recordings]


def test_first_line_names_the_format(path):
    CassetteFile(path).create()
    assert lines_of(path) == [{"format": "lockbots-cassette", "version": 1}]


def test_added_recording_is_in_the_file_at_once(path):
    tape = CassetteFile(path)
    tape.add(recording("Привет 👋\u2028\x85"))
    assert prompts(CassetteFile(path)) == ["Привет 👋\u2028\x85"]
    tape.add(recording("two"))
    assert prompts(CassetteFile(path)) == ["Привет 👋\u2028\x85", "two"]


def test_conversation_is_not_repeated_with_every_turn(path):
    tape = CassetteFile(path)
    one = tape.add(recording("one"))
    two = tape.add(recording("two", before=one.messages))
    three = tape.add(recording("three", before=two.messages))
    written = lines_of(path)[1:]
    assert [len(line["request"]["messages"]) for line in written] == [1, 1, 1]
    assert [line.get("after") for line in written] == [None, one.id, two.id]
    assert CassetteFile(path).recordings == [one, two, three]


def test_recording_that_others_follow_can_be_replaced(path):
    tape = CassetteFile(path)
    one = tape.add(recording("one"))
    two = tape.add(recording("two", before=one.messages))
    tape.add(recording("one", "no"), instead_of={one.id})
    again = CassetteFile(path)
    assert prompts(again) == ["two", "one"]
    assert again.recordings[0] == two
    assert [len(line["request"]["messages"]) for line in lines_of(path)[1:]] == [3, 1]


def test_same_answer_twice_is_two_recordings(path):
    tape = CassetteFile(path)
    ids = [tape.add(recording("one")).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert [r.id for r in CassetteFile(path).recordings] == ids
    assert len(tape.matching(recording("one").request)) == 3


def test_lines_doubled_by_hand_are_two_recordings(path):
    CassetteFile(path).add(recording("one"))
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    assert len({r.id for r in CassetteFile(path).recordings}) == 2


@given(cut=st.integers(1, 400))
def test_crash_loses_only_the_line_being_written(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "talk.jsonl"
    tape = CassetteFile(path)
    tape.add(recording("one"))
    before = path.stat().st_size
    tape.add(recording("two ё" * 20))
    cut = min(cut, path.stat().st_size - before - 1)
    os.truncate(path, path.stat().st_size - cut)
    again = CassetteFile(path)
    kept = prompts(again)
    assert kept == ["one"] or (cut == 1 and len(kept) == 2)  # the newline alone was lost
    again.add(recording("three"))
    assert prompts(CassetteFile(path)) == [*kept, "three"]


def test_every_beginning_of_a_line_is_torn_and_a_whole_one_is_not(path):
    tape = CassetteFile(path)
    tape.add(recording('ж 😀 \\ " \u2028 \ud800'))
    value = {"a": None, "b": [True, False, -2.5e3], "c": "\\ é\ud83d"}
    for line in (path.read_bytes().splitlines()[1], json.dumps(value).encode()):
        assert not is_torn(line)
        assert [n for n in range(1, len(line)) if not is_torn(line[:n])] == []


@pytest.mark.parametrize("torn", [b'{"id": "x", "request": {"prov', b"\0\0\0\0", b'{"id": "x"}'[:5] + b"\0\0"])
def test_torn_line_is_told_and_the_others_are_replayed(path, torn):
    tape = CassetteFile(path)
    one = tape.add(recording("one"))
    tape.add(recording("two", before=one.messages))
    tape.add(recording("three"))
    head, first, *others = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([head, torn, *others, first, b""]))  # the second recording continues a lost one
    again = CassetteFile(path)
    assert prompts(again) == ["three", "one"]
    assert "line 2 is torn (half-written" in again.damage
    assert "1 that continues it" in again.damage
    again.add(recording("three", "no"), instead_of={again.recordings[0].id})
    assert path.read_bytes().splitlines()[1:3] == [torn, others[0]], "what can't be read is kept"
    assert prompts(CassetteFile(path)) == ["one", "three"]


def test_torn_last_line_is_told_until_it_is_replaced(path):
    tape = CassetteFile(path)
    tape.add(recording("one"))
    tape.add(recording("two"))
    os.truncate(path, path.stat().st_size - 9)
    again = CassetteFile(path)
    assert "line 3 is torn" in again.damage
    again.add(recording("three"))
    assert again.damage == CassetteFile(path).damage == ""
    assert prompts(CassetteFile(path)) == ["one", "three"]


def test_file_edited_by_hand_may_lack_its_last_newline(path):
    CassetteFile(path).add(recording("one"))
    path.write_text(path.read_text().rstrip("\n"))
    tape = CassetteFile(path)
    tape.add(recording("two"))
    assert prompts(CassetteFile(path)) == ["one", "two"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("# a readme\n", "is not a cassette file"),
        ("[]\n", "is not a cassette file"),
        ("my precious one-line note", "is not a cassette file"),
        ("{}", "is not a cassette file"),
        ('{"format": "lockbots-cassette", "version": 2}\n', "version 2; this release reads version 1"),
        ('{"format": "lockbots-cassette", "version": 1}\n<<<<<<< HEAD\n', "line 2: it is not a recording"),
        ('{"format": "lockbots-cassette", "version": 1}\n\n{"request": 1}\n', "line 3: it is not a recording"),
        ('{"format": "lockbots-cassette", "version": 1}\n{"id": oops}\n', "line 2: it is not a recording"),
        ('{"format": "lockbots-cassette", "version": 1}\nmy note', "line 2: it is not a recording"),
        (
            '{"format": "lockbots-cassette", "version": 1}\n{"after": "gone"}\n',
            "line 2: the recording 'gone' that it follows is not above it",
        ),
    ],
)
def test_file_that_is_not_a_cassette_is_an_error_and_stays_unchanged(path, content, said):
    path.write_text(content)
    with pytest.raises(UsageError, match=said):
        CassetteFile(path)
    assert path.read_text() == content


def test_empty_file_becomes_a_cassette(path):
    path.touch()
    tape = CassetteFile(path)
    tape.create()
    tape.add(recording("one"))
    assert lines_of(path)[0]["format"] == "lockbots-cassette"


def test_missing_folder_is_an_error_before_anything_is_sent(tmp_path):
    with pytest.raises(UsageError, match="Can't write cassette file"):
        CassetteFile(tmp_path / "no" / "talk.jsonl").create()


@pytest.mark.skipif(os.name == "nt", reason="a working directory can't be deleted there")
@pytest.mark.parametrize("opened", [CassetteFile, Journal])
def test_path_that_leads_nowhere_is_an_error(opened, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    for name in ("talk.jsonl", "~nobody-of-that-name/talk.jsonl"):
        with pytest.raises(UsageError, match=f"Can't use {name}: "):
            opened(name)


def test_folder_instead_of_a_file_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="Can't read cassette file"):
        CassetteFile(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_link_stays_a_link_and_the_file_keeps_its_mode(tmp_path, path):
    tape = CassetteFile(path)
    one = tape.add(recording("one"))
    path.chmod(0o640)
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    CassetteFile(link).add(recording("two"), instead_of={one.id})
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert prompts(CassetteFile(path)) == ["two"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.jsonl", "talk.jsonl"]


def test_recordings_of_another_kernel_survive_a_replacement(path):
    mine, theirs = CassetteFile(path), CassetteFile(path)
    one = mine.add(recording("one"))
    theirs.add(recording("two", before=one.messages))
    mine.add(recording("three"), instead_of={one.id})
    theirs.add(recording("four", before=one.messages))
    assert prompts(CassetteFile(path)) == ["two", "three", "four"]


WRITER = """
import sys
from lockbots_magic.cassette.recording import Recording
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.conversation.messages import Message

name, path = sys.argv[1:]
tape = CassetteFile(path)
sys.stdin.readline()
last = None
for n in range(40):
    question = RecordedRequest("p", "m", (Message("user", f"{name}-{n} " + "ё" * 3000),))
    one = Recording(question, "x" * 9000, rhythm=[[0, 9000]])
    last = tape.add(one, {last.id} if n % 10 == 9 else ())
"""


def test_kernels_that_write_at_once_lose_nothing(path):
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, name, str(path)], stdin=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    for writer in writers:
        writer.stdin.write("\n")
        writer.stdin.flush()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdin.close()
    kept = [prompt.split()[0] for prompt in prompts(CassetteFile(path))]
    for name in "ab":
        assert [one for one in kept if one.startswith(name)] == [f"{name}-{n}" for n in range(40) if n % 10 != 8]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_cassette_or_an_error_that_says_so(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "talk.jsonl"
    for start in (b"", b'{"format": "lockbots-cassette", "version": 1}\n'):
        path.write_bytes(start + content)
        try:
            CassetteFile(path)
        except UsageError:
            assert path.read_bytes() == start + content


def test_locked_file_is_one_clear_error(path, monkeypatch):
    monkeypatch.setattr(locked_file, "LOCK_TIMEOUT", 0.1)
    file = CassetteFile(path)
    with file_lock(path), pytest.raises(UsageError, match=r"Can't write talk\.jsonl: another process"):
        file.add(recording("one"))
    file.add(recording("one"))
    assert prompts(CassetteFile(path)) == ["one"]


def test_a_lock_leaves_no_file_beside_the_cassette(path):
    CassetteFile(path).add(recording("one"))
    assert list(path.parent.iterdir()) == [path]


def test_writers_read_only_what_the_other_has_added(path, monkeypatch):
    """Adding takes the same time however long the file is: nothing is read again."""
    one, two = CassetteFile(path), CassetteFile(path)
    one.add(recording("first"))
    two.add(recording("second"))
    read = []
    monkeypatch.setattr(CassetteFile, "_read", read.append)
    for number in range(20):
        (one if number % 2 else two).add(recording(f"prompt {number}"))
    assert read == []
    monkeypatch.undo()
    expected = ["first", "second", *(f"prompt {number}" for number in range(20))]
    assert prompts(one) == prompts(CassetteFile(path)) == expected


def test_edit_in_place_is_noticed(path):
    """An editor may write the same file, longer: then all of it is read again."""
    file = CassetteFile(path)
    file.add(recording("one", "yes"))
    file.add(recording("two", "yes"))
    path.write_text(path.read_text().replace('"yes"', '"yes, and more"', 1))
    file.add(recording("three"))
    assert [r.reply for r in file.recordings] == ["yes, and more", "yes", "yes"]
    assert prompts(CassetteFile(path)) == ["one", "two", "three"]

"""Files survive what ends a process or fills a disk: each is whole, old or new, and no draft is left."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.storage.files import load_conversation
from tests.effort import pick

pytestmark = pytest.mark.skipif(os.name == "nt", reason="processes are killed by a signal")

RECORD = """
import sys
from lockbots_magic import Chat
chat = Chat(lambda prompt: "r" * 20_000 + prompt, cassette="talk.jsonl", mode="record")
for number in range(int(sys.argv[2])):
    chat.ask(f"{sys.argv[1]} {number}", history=False)
    print(number, flush=True)
"""
SAVE = """
from lockbots_magic import Chat
from lockbots_magic.storage.files import export_conversation, save_conversation
chat = Chat(lambda prompt: "r" * 40_000)
chat.ask("x")
while True:
    save_conversation(chat.conversation, "talk.json")
    for kind in ("md", "html", "ipynb"):
        export_conversation(chat.conversation, f"talk.{kind}")
        print(kind, flush=True)
"""
FULL = """
import resource, signal, warnings
from lockbots_magic import Chat
from lockbots_magic.errors import UsageError
from lockbots_magic.storage.files import load_conversation, save_conversation
small, large = Chat(lambda prompt: "ok"), Chat(lambda prompt: "z" * 200_000)
small.ask("q"), large.ask("q")
save_conversation(small.conversation, "s.json")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (96_000, 96_000))
try:
    save_conversation(large.conversation, "s.json")
except UsageError as error:
    print(error)
assert load_conversation("s.json").turns[0].reply == "ok"
chat = Chat(lambda prompt: "y" * 9_000, cassette="c.jsonl", mode="record")
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    for number in range(20):
        assert len(chat.ask(f"q{number}", history=False).reply) == 9_000
print({str(one.message).partition(" in ")[0] for one in warned})
"""


def start(code, folder, *arguments):
    command = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)


def kill_after(lines, process):
    for _ in range(lines):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()


def test_cassette_of_a_killed_process_can_be_read_and_goes_on(tmp_path):
    for number in range(pick(3, 25)):
        kill_after(3 + number, start(RECORD, tmp_path, f"k{number}", "100000"))
        assert CassetteFile(tmp_path / "talk.jsonl").recordings
    Chat(lambda prompt: "x", cassette=str(tmp_path / "talk.jsonl"), mode="record").ask("after")
    last = CassetteFile(tmp_path / "talk.jsonl").recordings[-1]
    assert "".join(delta.text for _, delta in last.deltas()) == "x"


def test_files_of_a_killed_process_are_whole_and_no_draft_is_left(tmp_path):
    for number in range(pick(2, 25)):
        kill_after(3 + number, start(SAVE, tmp_path))
        assert len(load_conversation(tmp_path / "talk.json").turns[0].reply) == 40_000
        json.loads((tmp_path / "talk.ipynb").read_text())
        assert (tmp_path / "talk.html").read_text().rstrip().endswith("</html>")
    if sys.platform == "linux":
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == ["talk.html", "talk.ipynb", "talk.json", "talk.md"]


def test_several_processes_write_into_one_cassette(tmp_path):
    processes = [start(RECORD, tmp_path, f"w{number}", "12") for number in range(3)]
    for process in processes:
        process.communicate(timeout=120)
    assert len(CassetteFile(tmp_path / "talk.jsonl").recordings) == 36


def test_a_full_disk_is_told_and_costs_nothing_that_was_there(tmp_path):
    pytest.importorskip("resource")
    told, _ = start(FULL, tmp_path).communicate(timeout=120)
    failed, warned = told.splitlines()
    assert failed.startswith("s.json can't be written: ")
    assert "not recorded" in warned
    assert CassetteFile(tmp_path / "c.jsonl").recordings
    assert not list(tmp_path.glob("*.tmp"))

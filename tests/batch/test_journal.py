"""The journal of a batch: nothing that was answered is lost or asked again."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette import journal
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.cassette.journal import Journal
from lockbots_magic.cassette.locked_file import append_bytes
from lockbots_magic.errors import UsageError
from tests.batch.server import RowServer, whole
from tests.effort import pick
from tests.tools.test_recorded_tools import FakeSource


@pytest.fixture
def keep(tmp_path):
    return tmp_path / "labels.jsonl"


class Model:
    """A model in this process that counts what it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, prompt):
        self.asked.append(prompt)
        return prompt.upper()


@pytest.fixture
def model():
    return Model()


def values(batch):
    return [row.value for row in batch.answers]


def test_second_run_asks_only_what_is_missing(model, keep):
    chat = Chat(model)
    assert values(chat.map("say {{ x }}", [{"x": x} for x in "abc"], keep=keep)) == ["SAY A", "SAY B", "SAY C"]
    again = chat.map("say {{ y }}", [{"y": y} for y in "cdba"], keep=keep)
    assert values(again) == ["SAY C", "SAY D", "SAY B", "SAY A"]
    assert sorted(model.asked) == ["say a", "say b", "say c", "say d"]
    assert (again.usage.asked, again.usage.reused, again.usage.cost) == (1, 3, 0)
    assert [row.reused for row in again.answers] == [True, False, True, True]


def test_what_decides_an_answer_decides_whether_it_is_asked_again(model, keep):
    def count(chat, **options):
        before = len(model.asked)
        chat.map("say {{ value }}", ["a"], keep=keep, **options)
        return len(model.asked) - before

    def tuned(prompt, temperature=0):
        return model(prompt)

    assert count(Chat(tuned)) == 1
    assert count(Chat(tuned)) == 0
    assert count(Chat(tuned, system="Be brief.")) == 1
    assert count(Chat(tuned), temperature=1) == 1
    assert count(Chat(tuned, params={"temperature": 1})) == 0
    assert count(Chat(tuned, base_url="http://127.0.0.1:9")) == 1
    assert count(Chat(tuned), schema=str) == 1
    assert count(Chat(tuned)) == 0


def test_address_is_part_of_the_key(keep):
    with RowServer() as one, RowServer() as two:
        for server in (one, two, one):
            Chat("openai:m", base_url=server.url, auth="k").map("{{ value }}", ["a"], keep=keep)
        assert (one.count, two.count) == (1, 1)


def test_row_is_on_the_journal_before_it_is_reported(model, keep):
    for number, row in enumerate(Chat(model).rows("{{ value }}", list("abcdef"), keep=keep, active=2), 1):
        assert f'"reply": "{row.value}"' in keep.read_text()
        assert number <= len(keep.read_text().splitlines()) - 1


def test_failures_and_misfits_are_asked_again(keep):
    replies = {"a": "1", "b": "no"}
    chat = Chat(lambda prompt: replies[prompt[0]])
    first = chat.map("{{ value }}", list("ab"), keep=keep, schema=int)
    assert [row.index for row in first.failed] == [1]
    replies["b"] = "2"
    assert values(chat.map("{{ value }}", list("ab"), keep=keep, schema=int)) == [1, 2]


def test_journal_is_a_cassette_that_is_replayed(model, keep, tmp_path):
    image = "data:image/png;base64,iVBORw0KGgo="
    with RowServer(lambda prompt, number: whole(prompt)) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k", system="Be brief.")
        chat.map("say {{ x }}", [{"x": x, "i": image} for x in "ab"], images="i", keep=keep)
    replayed = Chat("openai:m", system="Be brief.", cassette=keep, mode="replay")
    batch = replayed.map("say {{ x }}", [{"x": x, "i": image} for x in "ab"], images="i")
    assert [json.loads(value)[0]["text"] for value in values(batch)] == ["say a", "say b"]
    assert batch.usage.tokens == 30
    replayed = Chat("openai:m", system="Be brief.", cassette=keep, mode="replay")
    assert "say b" in replayed.ask("say b", images=[image]).reply


def test_rounds_of_tools_are_replayed_too(keep):
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    def answer(prompt, number):
        if "tool_calls" in prompt:
            return whole(prompt)
        call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}
        message = {"role": "assistant", "content": "Let me see.", "tool_calls": [call]}
        choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
        return 200, {}, json.dumps({"choices": choices}).encode() if prompt == "add" else whole(f"It is {prompt}")[2]

    with RowServer(answer) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        assert values(chat.map("{{ value }}", ["add"], tools=[add], keep=keep)) == ["It is 3"]
        assert values(chat.map("{{ value }}", ["add"], tools=[add], keep=keep)) == ["It is 3"]
        assert server.count == 2
    replayed = Chat("openai:m", cassette=keep, mode="replay").ask("add", tools=[add])
    assert replayed.reply == "Let me see.\n\nIt is 3"


def test_torn_last_line_is_repaired_and_no_other_is_lost(model, keep):
    chat = Chat(model)
    chat.map("{{ value }}", list("abc"), keep=keep)
    whole_file = keep.read_bytes()
    last = whole_file.rstrip(b"\n").rfind(b"\n") + 1
    for cut in sorted({last, last + 1, last + 9, len(whole_file) - 2, len(whole_file) - 1}):
        keep.write_bytes(whole_file[:cut])
        model.asked.clear()
        assert values(chat.map("{{ value }}", list("abc"), keep=keep)) == list("ABC")
        assert len(model.asked) == (0 if cut == len(whole_file) - 1 else 1), cut
        assert len(CassetteFile(keep).recordings) == 3
        assert not CassetteFile(keep).damage


def test_torn_line_inside_costs_that_row_alone(model, keep):
    chat = Chat(model)
    chat.map("{{ value }}", list("abc"), keep=keep)
    lines = keep.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:50] + b"\n"
    keep.write_bytes(b"".join(lines))
    model.asked.clear()
    assert values(chat.map("{{ value }}", list("abc"), keep=keep)) == list("ABC")
    assert len(model.asked) == 1


def test_other_file_is_refused_and_stays_as_it_is(model, keep):
    keep.write_text("my diary\n")
    with pytest.raises(UsageError, match="not a cassette file"):
        Chat(model).map("{{ value }}", ["a"], keep=keep)
    assert keep.read_text() == "my diary\n"
    with pytest.raises(UsageError):
        Chat(model).map("{{ value }}", ["a"], keep=keep.parent)


def test_answer_of_another_process_is_not_asked_again(model, keep):
    chat = Chat(model)
    rows = iter(chat.rows("{{ value }}", (x for x in "abcdefgh"), keep=keep, active=1))
    assert next(rows).value == "A"
    Chat(model).map("{{ value }}", list("fgh"), keep=keep)  # writes through a handle of its own
    assert [row.value for row in rows] == list("BCDEFGH")
    assert sorted(model.asked) == list("abcdefgh")


def test_file_that_is_replaced_meanwhile_is_followed(model, keep):
    chat = Chat(model)
    rows = iter(chat.rows("{{ value }}", (x for x in "abcd"), keep=keep, active=1))
    next(rows)
    other = keep.with_name("other")
    other.write_bytes(keep.read_bytes())
    other.replace(keep)
    assert [row.value for row in rows] == list("BCD")
    assert len(CassetteFile(keep).recordings) == 4


WRITER = """
import sys
from pathlib import Path
from lockbots_magic import Chat
url, keep, name, count = sys.argv[1:]
chat = Chat("openai:m", base_url=url, auth="k", max_retries=0)
rows = [{"x": f"{name}{n}"} for n in range(int(count))]
print("ready", flush=True)
for row in chat.rows("{{ x }}", rows, keep=keep, active=4):
    print(row.index, row.error, flush=True)
"""


def start(url, keep, name, count):
    command = [sys.executable, "-c", WRITER, url, str(keep), name, str(count)]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd()), "NO_PROXY": "127.0.0.1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_two_processes_lose_nothing(model, keep):
    with RowServer(lambda prompt, number: whole(prompt)) as server:
        writers = [start(server.url, keep, name, 60) for name in ("x", "y")]
        for writer in writers:
            writer.communicate(timeout=120)
            assert writer.returncode == 0
        assert server.count == 120
        assert len(CassetteFile(keep).recordings) == 120
        assert not CassetteFile(keep).damage
        chat = Chat("openai:m", base_url=server.url, auth="k")
        batch = chat.map("{{ x }}", [{"x": f"{name}{n}"} for name in "xy" for n in range(60)], keep=keep)
        assert (batch.usage.asked, batch.usage.reused) == (0, 120)


def test_killed_process_repeats_at_most_what_was_under_way(keep):
    kills, rows, active = pick(3, 200), 40, 4
    with RowServer(lambda prompt, number: whole(prompt)) as server:
        for kill in range(kills):
            writer = start(server.url, keep, f"{kill}-", rows)
            for _ in range(1 + (kill * 7) % (rows - 2)):
                writer.stdout.readline()
            os.kill(writer.pid, signal.SIGKILL)
            reported = [line for line in writer.stdout if line.strip()]
            writer.wait()
            writer.stdout.close()
            assert reported is not None
            chat = Chat("openai:m", base_url=server.url, auth="k")
            batch = chat.map("{{ x }}", [{"x": f"{kill}-{n}"} for n in range(rows)], keep=keep)
            assert values(batch) == [f"{kill}-{n}" for n in range(rows)]
            asked = sum(count for prompt, count in server.asked.items() if prompt.startswith(f"{kill}-"))
            assert rows <= asked <= rows + active
    assert not CassetteFile(keep).damage


def test_full_disk_ends_the_batch_and_keeps_what_there_is(model, keep, monkeypatch):
    written = []

    def fill(path, content, size):
        if len(written) >= 2:
            with path.open("ab") as file:  # half of it fits
                file.write(content[:20])
                file.truncate(size)
            raise OSError(28, "No space left on device")
        written.append(content)
        return append(path, content, size)

    append = append_bytes
    monkeypatch.setattr(journal, "append_bytes", fill)
    batch = Chat(model).map("{{ value }}", list("abcdef"), keep=keep, active=1)
    assert values(batch) == ["A", "B", "C", None, None, None]
    assert "No space left on device" in batch.stopped
    monkeypatch.setattr(journal, "append_bytes", append)
    model.asked.clear()
    assert values(Chat(model).map("{{ value }}", list("abcdef"), keep=keep)) == list("ABCDEF")
    assert sorted(model.asked) == list("cdef")


def test_finding_does_not_read_what_is_not_asked_for(model, keep):
    Chat(model).map("{{ value }}", [str(n) for n in range(500)], keep=keep)
    opened = Journal(keep)
    keys = [json.loads(line)["key"] for line in keep.read_text().splitlines()[1:]]
    assert opened.find(keys[7])["reply"] == opened.find(keys[7])["reply"]
    assert opened.find("0" * 32) is None
    assert not [value for value in vars(opened).values() if isinstance(value, list | dict) and value]
    opened.close()


def test_credential_of_the_environment_is_not_on_the_journal(keep, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-" + "abcdef0123456789")
    Chat(lambda prompt: f"I was told {prompt}").map("{{ value }}", ["sk-" + "abcdef0123456789"], keep=keep)
    assert "abcdef0123456789" not in keep.read_text()


def test_replay_of_a_batch_with_tools_of_a_server_starts_no_server(keep):
    def answer(prompt, number):
        if prompt.startswith("called with"):
            return whole("found")
        call = {"id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
        choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
        return 200, {}, json.dumps({"choices": choices}).encode()

    def run(chat, source, **options):
        return values(chat.map("{{ value }}", ["a", "b"], tools=[[source]], approve="auto", **options))

    with RowServer(answer) as server:
        chat = Chat("openai:m", base_url=server.url, auth="k")
        for _ in range(2):  # the second run finds the list on the journal
            assert run(chat, FakeSource(), keep=keep) == ["found", "found"]
        assert server.count == 4
    assert keep.read_text().count('"tools_of"') == 1
    source = FakeSource()
    assert run(Chat("openai:m", cassette=keep, mode="replay"), source) == ["found", "found"]
    assert not source.started


def test_a_file_that_can_not_be_made_leaves_no_index_open(tmp_path, monkeypatch):
    """Python 3.13 warns of a database that is dropped open."""
    monkeypatch.setattr(journal, "_OffsetIndex", lambda: pytest.fail("an index was made"))
    with pytest.raises(UsageError, match="Can't use"):
        Journal(tmp_path)

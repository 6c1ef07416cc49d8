"""A batch at its edges: what is refused, what a dry run tells, and jobs of a batch API that go wrong."""

import asyncio
import re
import signal
import sys
import threading
import types
from dataclasses import dataclass
from enum import Enum

import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel

from lockbots_magic import Chat
from lockbots_magic.batch import preview, remote
from lockbots_magic.batch.executors import RayExecutor
from lockbots_magic.batch.frame import build_frame, plain_value
from lockbots_magic.batch.interrupt import stop_on_interrupt
from lockbots_magic.batch.preview import describe_batch
from lockbots_magic.batch.row import BatchRow
from lockbots_magic.batch.row_stream import RowStream
from lockbots_magic.batch.rows import row_source
from lockbots_magic.batch.run import BatchPlan
from lockbots_magic.errors import ConnectionFailed, UsageError
from lockbots_magic.language import speaking
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.batch_api import BatchJob, BatchResult, BatchService


def shout(prompt):
    return prompt.upper()


def remote_chat(mock_server):
    return Chat("anthropic:demo", base_url=mock_server.url("openai", auth="required"), auth="mock")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(remote, "FIRST_POLL", 0.01)


def test_number_of_more_digits_than_python_converts_costs_no_batch():
    batch = Chat(shout).map("say {{ x }}", [{"x": 10**5000}, {"x": 1}])
    assert batch.answers[1].value == "SAY 1"


def test_dry_run_tells_prompts_rows_and_cost(tmp_path, monkeypatch):
    keep = tmp_path / "a.jsonl"
    rows = [{"x": x} for x in ("one", "two", "", "two")]
    Chat(shout).map("say {{ x }}", rows[:1], keep=keep)
    monkeypatch.setattr(preview, "MAX_PROMPT", 6)
    told = describe_batch(BatchPlan(Chat(shout), "say {{ x[0] and x }}", rows, keep=keep))
    assert told.splitlines()[0] == "[1] say tw…"
    assert "\n4 rows: 1 would be asked, 2 reused, 1 can't be filled in.\n" in told
    assert "isn't known before; free of charge.\n" in told
    assert "First error: " in told
    assert told.endswith("Nothing was sent.")
    prices = {"openai:demo": [1, 1]}
    chat = Chat("openai:demo", base_url="http://127.0.0.1:9", auth="mock")
    open_ended = describe_batch(BatchPlan(chat, "say {{ x }}", rows, prices=prices))
    assert re.search(r"About \d+ prompt tokens, and the replies, .*; about \$0\.\d+ for the prompts\.\n", open_ended)
    assert "4 rows: 3 would be asked, 1 reused." in open_ended
    limited = describe_batch(BatchPlan(chat, "say {{ x }}", rows, prices=prices, max_tokens=100))
    assert re.search(r"About \d+ prompt tokens and at most 300 reply tokens; up to about \$0\.\d+\.\n", limited)
    assert "isn't known before; the price is unknown.\n" in describe_batch(BatchPlan(chat, "say {{ x }}", rows))
    with speaking("ru"):
        assert re.search(
            r"не больше 300 в ответах; примерно до 0,\d+\u00a0\$\.\n",
            describe_batch(BatchPlan(chat, "say {{ x }}", rows, prices=prices, max_tokens=100)),
        )


def test_dry_run_refuses_rows_that_can_be_read_only_once():
    plan = BatchPlan(Chat(shout), "{{ x }}", ({"x": n} for n in range(3)))
    with pytest.raises(UsageError, match="only once"):
        describe_batch(plan)


def test_cells_hold_plain_values():
    class Mood(Enum):
        GOOD = "good"

    @dataclass
    class Inner:
        mood: Mood

    class Outer(BaseModel):
        inner: Inner

    assert plain_value([Inner(Mood.GOOD), 7]) == [{"mood": "good"}, 7]
    assert plain_value(Outer(inner=Inner(Mood.GOOD))) == {"inner": {"mood": Mood.GOOD}}
    frame = build_frame(pl.DataFrame({"x": [1, 2]}), [], {"y": [{"a": 1}, "text"]})
    assert frame["y"].to_list() == [{"a": 1}, "text"]
    assert build_frame(pl.Series("x", [1]), [{"x": 1}], {"y": [2]}).to_dicts() == [{"x": 1, "y": 2}]


def test_without_pandas_rows_are_still_there(monkeypatch):
    batch = Chat(shout).map("{{ x }}", [{"x": "a"}])
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"`batch\.frame` needs pandas"):
        batch.frame  # noqa: B018
    assert batch.rows == [{"x": "a", "reply": "A", "error": ""}]
    assert [row.value for row in batch] == ["A"]


def test_samples_of_every_kind_of_rows():
    for rows in (pl.DataFrame({"x": list("abcd")}), pl.Series("x", list("abcd")), pd.Series(list("abcd"), name="x")):
        assert [row.value for row in Chat(shout).map("{{ x }}", rows, sample=2)] == ["A", "C"]
    assert [row.value for row in Chat(shout).map("{{ x }}", list("abcd"), sample=2)] == ["A", "C"]


def test_columns_of_one_name_are_refused_before_anything_is_asked():
    asked = []
    for names in (["a", "a"], [1, "1"]):
        with pytest.raises(UsageError, match="two columns with the name '"):
            Chat(asked.append).map("Q: {{ row }}", pd.DataFrame([[1, 2]], columns=names))
    assert not asked


def test_what_can_not_be_asked_is_refused():
    for template, options, said in (
        (" \n", {}, "prompt is empty"),
        ("{{ x }}", {"documents": ["a.pdf"]}, "Name documents by `files`"),
    ):
        with pytest.raises(UsageError, match=said):
            Chat(shout).map(template, [{"x": "a"}], **options)
    batch = Chat(shout).map("{{ x }}", [{"x": " "}, {"x": "b"}])
    assert [row.error for row in batch] == ["UsageError: The prompt is empty.", ""]
    batch = Chat(shout).map("{{ x }}", [{"x": "a", "file": 7}], files="file")
    assert batch.failed[0].error.endswith("A file must be a path, got a int.")


def test_any_failure_of_a_model_is_the_error_of_its_row():
    def broken(prompt):
        raise RuntimeError(f"no {prompt}")

    batch = Chat(broken).map("{{ x }}", [{"x": "a"}])
    assert "RuntimeError: no a" in batch.failed[0].error


def test_interrupts_elsewhere_than_in_the_main_thread_are_left_alone():
    class Batch:
        interrupted = 0

        def interrupt(self):
            self.interrupted += 1

    seen = []

    def run():
        with stop_on_interrupt(Batch()):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert seen == [signal.default_int_handler]
    batch = Batch()
    with stop_on_interrupt(batch):
        signal.raise_signal(signal.SIGINT)
        assert batch.interrupted == 1
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_handler_that_is_not_python_is_left_alone(monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("a handler was set"))
    with stop_on_interrupt(object()):
        pass


def test_error_of_an_engine_is_raised_where_its_rows_are_awaited():
    class Engine:
        stopped = ""

        def __iter__(self):
            yield BatchRow(0, 0, {}, "a")
            raise ValueError("no more")

        def close(self):
            pass

        interrupt = close

    async def read():
        return [row async for row in RowStream(Engine)]

    with pytest.raises(ValueError, match="no more"):
        asyncio.run(read())


@pytest.mark.usefixtures("quick")
def test_jobs_are_as_large_as_the_service_takes_and_the_budget_allows(mock_server, monkeypatch):
    monkeypatch.setattr(remote, "MAX_REQUESTS", 2)
    batch = remote_chat(mock_server).map("{{ value }}", list("abc"), through="batch")
    assert batch.failed == []
    created = [r for r in mock_server.requests if r.method == "POST"]
    assert [len(r.json["requests"]) for r in created] == [2, 1]
    stopped = remote_chat(mock_server).map("{{ value }}", list("def"), through="batch", budget="1 tokens")
    assert "budget of 1 tokens is used up" in stopped.stopped
    assert len(stopped.failed) == 3


class Service(BatchService):
    """A batch API whose answers are given."""

    looked_up: list = []  # noqa: RUF012  # set for each test
    found: tuple = ()

    def encode(self, request, adaptations=()):
        return {"prompt": request.messages[-1].content}

    def submit(self, requests):
        self.submitted = [key for key, _ in requests]
        return BatchJob("job-1")

    def look_up(self, job_id):
        answer = self.looked_up.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def results(self, job):
        return iter(self.found)

    def read_result(self, line):
        raise AssertionError


@pytest.fixture
def service(monkeypatch, mock_server, quick):
    made = object.__new__(Service)
    monkeypatch.setattr(remote, "batch_service", lambda provider, model: made)
    return made


def run(mock_server, **options):
    return remote_chat(mock_server).map("{{ value }}", list("ab"), through="batch", **options)


def test_a_job_that_can_not_be_looked_up_is_kept_for_later(service, mock_server, tmp_path):
    service.looked_up = [ConnectionFailed("The connection was refused.")]
    batch = run(mock_server, keep=tmp_path / "a.jsonl")
    assert "job job-1 can't be looked up now: The connection was refused." in batch.stopped
    assert "job-1" in (tmp_path / "a.jsonl").read_text()
    assert len(batch.failed) == 2


def test_a_job_that_failed_says_why_and_foreign_results_are_passed_over(service, mock_server):
    service.looked_up = [BatchJob("job-1"), BatchJob("job-1", ended=True, failure="expired")]
    service.found = [BatchResult("of another table")]
    batch = run(mock_server)
    assert batch.stopped == "job job-1 failed: expired"
    assert len(batch.failed) == 2


def test_a_batch_that_is_stopped_leaves_its_job_to_the_service(service, mock_server, monkeypatch):
    service.looked_up = [BatchJob("job-1")] * 3
    monkeypatch.setattr(remote, "FIRST_POLL", 60)

    def interrupt(seconds):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(remote, "sleep", interrupt)
    batch = run(mock_server)
    assert "job job-1 goes on at the service; run the batch again to collect it" in repr(batch)


@pytest.mark.usefixtures("quick")
def test_a_job_that_can_not_be_noted_is_collected_all_the_same(mock_server, tmp_path, monkeypatch):
    def full(self, job, keys):
        raise OSError("disk full")

    monkeypatch.setattr("lockbots_magic.cassette.journal.Journal.note_job", full)
    batch = run(mock_server, keep=tmp_path / "a.jsonl")
    assert (batch.failed, batch.stopped) == ([], "")
    assert "can't be noted in" in repr(batch)


def test_a_journal_that_can_not_take_the_tools_ends_the_batch(mock_server, tmp_path, monkeypatch):
    def full(self, lists):
        raise OSError("disk full")

    monkeypatch.setattr("lockbots_magic.cassette.journal.Journal.note_tools", full)
    chat = Chat("openai:demo", base_url=mock_server.url("openai"), auth="mock")
    batch = chat.map("{{ value }}", list("ab"), tools=[shout], approve="auto", keep=tmp_path / "a.jsonl")
    assert "disk full" in batch.stopped


def test_answers_of_every_schema_have_their_columns():
    @dataclass
    class Node:
        name: str
        children: list["Node"]

    globals()["Node"] = Node  # where its own name is looked up
    answer = '{"name": "a", "children": [{"name": "b", "children": []}]}'
    batch = Chat(lambda prompt: answer).map("{{ x }}", [{"x": 1}], schema=Node)
    assert batch.rows[0]["children"] == [{"name": "b", "children": []}]
    schema = {"type": "object", "properties": {"mood": {"type": "string"}, "why": {"type": "string"}}}
    batch = Chat(lambda prompt: '{"mood": "good"}').map("{{ x }}", [{"x": 1}], schema=schema)
    assert batch.rows == [{"x": 1, "mood": "good", "why": None, "error": ""}]
    assert len(batch) == 1


def test_a_batch_that_asked_nothing_names_no_tokens():
    assert repr(Chat(shout).map("{{ x }}", [])).startswith("Batch(0 rows: 0 asked")
    assert "tokens" not in repr(Chat(shout).map("{{ x }}", []))


def test_a_provider_that_is_no_longer_ready_is_the_error_of_every_row():
    asked = []

    class Unready(Provider):
        name = "unready"
        default_model = "m"

        def ready(self):
            asked.append(1)
            if len(asked) > 1:
                raise RuntimeError("no model file")

        def stream(self, request):
            return iter(())

    batch = Chat(Unready()).map("{{ x }}", [{"x": 1}])
    assert "RuntimeError: no model file" in batch.failed[0].error


def test_rows_know_their_number_only_where_they_do():
    assert row_source(iter("abc")).pick(2).size is None
    assert row_source(list("abc")).pick(2).size == 2
    source = row_source(list("abc"))
    assert row_source(source) is source


def test_ray_is_started_where_nobody_has(monkeypatch):
    started = []
    task = types.SimpleNamespace(options=lambda **_: "task")
    ray = types.SimpleNamespace(
        is_initialized=lambda: bool(started), init=lambda: started.append(1), remote=lambda _: task
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    RayExecutor()
    RayExecutor()
    assert started == [1]

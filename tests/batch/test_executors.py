"""Where requests are sent: threads, processes, a Dask cluster. The prompts, the journal and the result are the same."""

import asyncio
import os
import pickle
import signal
import sys
import tempfile
import threading
import types
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from lockbots_magic import Chat
from lockbots_magic.batch import RayExecutor
from lockbots_magic.batch.run import BatchPlan
from lockbots_magic.batch.worker import RowRequest, send_request
from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.part import PromptPart
from tests.batch.server import RowServer, refusal, whole
from tests.optional import need

KEY = "secret-of-the-parent-0123456789"


def answer(prompt, number):
    if prompt == "refused":
        return refusal(400, "This content is refused")
    return None if prompt == "reset" and number == 1 else whole(prompt.upper())


@pytest.fixture
def server():
    with RowServer(answer) as server:
        yield server


def run(server, keep, **options):
    chat = Chat("openai:m", base_url=server.url, auth=KEY, backoff=0.01)
    return chat.map("{{ value }}", ["a", "reset", "refused", "a", "b"], keep=keep, **options)


def check(batch, keep, server):
    assert [row.value for row in batch.answers] == ["A", "RESET", None, "A", "B"]
    assert batch.failed[0].error.startswith("HTTPStatusError")
    assert dict(server.asked) == {"a": 1, "reset": 2, "refused": 1, "b": 1}
    assert (batch.usage.asked, batch.usage.reused) == (4, 1)
    assert KEY not in keep.read_text()
    again = run(server, keep)
    assert again.usage.asked == 1, "another executor finds another journal"


def test_request_for_a_worker_holds_no_credential(server):
    chat = Chat("openai:m", base_url=server.url, auth=KEY, headers={"X-Api-Key": KEY})
    plan = BatchPlan(chat, "{{ value }}", ["a"])
    request = RowRequest(plan.settings.requests.make(PromptPart("hello"), "key"))
    pickled = pickle.dumps(request)
    assert KEY.encode() not in pickled
    loaded = pickle.loads(pickled)
    assert loaded.prepared.request.messages == request.prepared.request.messages


def test_worker_without_a_credential_says_so(server, monkeypatch):
    chat = Chat("openai", base_url="https://api.openai.com/v1", auth=KEY)
    request = RowRequest(BatchPlan(chat, "{{ value }}", ["a"]).settings.requests.make(PromptPart("hello"), "key"))
    answer = send_request(pickle.loads(pickle.dumps(request)))
    assert type(answer.error).__name__ == "AuthenticationError"
    assert pickle.loads(pickle.dumps(answer)).error.args == answer.error.args


@pytest.fixture(autouse=True)
def main_module(monkeypatch):
    """A main module as scripts have it, not what a shell of IPython left: new processes look at it."""
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))


def test_threads_of_the_caller(server, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        check(run(server, tmp_path / "kept.jsonl", executor=executor), tmp_path / "kept.jsonl", server)
        assert executor.submit(int).result() == 0, "the caller's executor was shut down"


def test_processes(server, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-the-worker-0123456789")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        check(run(server, tmp_path / "kept.jsonl", executor=executor), tmp_path / "kept.jsonl", server)


def test_dask_takes_no_two_calls_for_the_same():
    need("distributed")
    from dask.tokenize import tokenize

    chat = Chat("openai:m", base_url="http://127.0.0.1:9/v1", auth=KEY)
    request = RowRequest(BatchPlan(chat, "{{ value }}", ["a"]).settings.requests.make(PromptPart("hello"), "key"))
    assert tokenize(request) != tokenize(request), "a second batch would be answered by the first one"


@pytest.mark.once
def test_dask_cluster(server, tmp_path, monkeypatch):
    need("distributed")
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-the-worker-0123456789")
    from dask import config
    from distributed import Client, LocalCluster

    with (
        config.set({"distributed.comm.timeouts.connect": "120s", "distributed.comm.timeouts.tcp": "120s"}),
        LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, processes=True) as cluster,
        Client(cluster) as client,
    ):
        check(run(server, tmp_path / "kept.jsonl", executor=client.get_executor()), tmp_path / "kept.jsonl", server)


def dies(prompt):
    """A model whose worker is killed by one prompt; it notes each time that it is asked."""
    folder, _, name = prompt.rpartition("/")
    with Path(folder, "asked").open("a", encoding="utf-8") as file:
        file.write(name)
    return os.kill(os.getpid(), signal.SIGKILL) if name == "b" else name.upper()


@pytest.mark.once
def test_ray_cluster(server, tmp_path, monkeypatch):
    ray = pytest.importorskip("ray", reason="`make test-ray` installs it")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # leaves no token in the home directory
    of_workers = {"OPENAI_API_KEY": "secret-of-the-worker-0123456789", "PYTHONPATH": str(Path.cwd())}
    with tempfile.TemporaryDirectory() as folder:
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
            runtime_env={"env_vars": of_workers},
        )
        try:
            keep = tmp_path / "kept.jsonl"
            check(run(server, keep, executor=RayExecutor()), keep, server)
            rows = [f"{tmp_path}/{name}" for name in "abc"]
            batch = Chat(dies).map("{{ value }}", rows, executor=RayExecutor(num_cpus=0.5), progress=False)
        finally:
            ray.shutdown()
    assert [row.value for row in batch.answers] == ["A", None, "C"]
    assert "Worker" in batch.failed[0].error
    assert sorted((tmp_path / "asked").read_text()) == list("abc"), "Ray asked again by itself"


class BrokenExecutor(ThreadPoolExecutor):
    def submit(self, *args, **kwargs):
        raise RuntimeError("cannot schedule new futures after shutdown")


class LosingExecutor(ThreadPoolExecutor):
    """Loses the worker of one call."""

    def submit(self, function, request):
        if request.prepared.draft.prompt != "b":
            return super().submit(function, request)
        lost = Future()
        lost.set_exception(RuntimeError("the worker died"))
        return lost


def test_broken_executor_ends_the_batch(server):
    batch = Chat("openai:m", base_url=server.url, auth=KEY).map("{{ value }}", list("abc"), executor=BrokenExecutor(1))
    assert "takes no work" in batch.stopped
    assert len(batch.failed) == 3


def test_lost_worker_is_the_error_of_its_row(server):
    with LosingExecutor(2) as executor:
        batch = Chat("openai:m", base_url=server.url, auth=KEY).map("{{ value }}", list("abc"), executor=executor)
    assert [row.value for row in batch.answers] == ["A", None, "C"]
    assert "the worker died" in batch.failed[0].error


def test_ray_executor_submits_tasks(monkeypatch):
    """Ray itself is not installed everywhere; this is the part of its interface that the executor uses."""

    class Reference:
        def __init__(self, value):
            self._value = value

        def future(self):
            done = Future()
            done.set_result(self._value)
            return done

    class Remote:
        def __init__(self, function):
            self._function = function

        def options(self, **options):
            assert options == {"max_retries": 0, "num_cpus": 0.1}
            return self

        def remote(self, *args):
            return Reference(self._function(*args))

    ray = types.SimpleNamespace(is_initialized=lambda: True, remote=Remote)
    monkeypatch.setitem(sys.modules, "ray", ray)
    with RayExecutor(num_cpus=0.1) as executor:
        batch = Chat(lambda prompt: prompt.upper()).map("{{ value }}", list("ab"), executor=executor)
    assert [row.value for row in batch.answers] == ["A", "B"]
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="pip install ray"):
        RayExecutor()


def test_rows_can_be_awaited():
    async def collect():
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.create_task(tick())
        rows = [
            row async for row in Chat(lambda prompt: prompt.upper()).rows("{{ value }}", [str(n) for n in range(80)])
        ]
        ticking.cancel()
        assert ticks > 0
        return sorted(int(row.value) for row in rows)

    assert asyncio.run(collect()) == list(range(80))


def test_rows_can_be_awaited_in_trio():
    trio = pytest.importorskip("trio")

    async def collect():
        return [row.value async for row in Chat(lambda prompt: prompt.upper()).rows("{{ value }}", list("ab"))]

    assert sorted(trio.run(collect)) == ["A", "B"]


def test_leaving_the_loop_stops_the_batch():
    asked = []

    def model(prompt):
        asked.append(prompt)
        return prompt

    async def first():
        rows = Chat(model).rows("{{ value }}", (str(n) for n in range(100_000)), active=2).__aiter__()
        row = await rows.__anext__()
        await rows.aclose()
        return row

    assert asyncio.run(first()).value in asked
    for row in Chat(model).rows("{{ value }}", (f"x{n}" for n in range(100_000)), active=2):
        assert row.value.startswith("x")
        break
    assert len(asked) < 1000
    assert not [one for one in threading.enumerate() if one.name == "lockbots rows" and not one.daemon]


def test_interrupt_returns_what_there_is():
    release = threading.Event()

    def slow(prompt, number):
        if prompt == "slow":
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            release.wait(30)
        return whole(prompt)

    with RowServer(slow) as server:
        batch = Chat("openai:m", base_url=server.url, auth=KEY).map("{{ value }}", ["a", "slow", *"bcdef"], active=1)
        release.set()
    assert [row.value for row in batch.answers] == ["a", None, None, None, None, None, None]
    assert batch.stopped == "you stopped the batch."
    assert all(row.error.startswith("Not asked: you stopped") for row in batch.answers[2:])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

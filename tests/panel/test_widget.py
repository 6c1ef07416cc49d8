"""The panel in a real kernel, driven over its comm as by a front end."""

import json
import os
import queue
import subprocess
import sys
import time

import pytest

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.kernel

from tests.kernels import Execution, Kernel, visible  # noqa: E402  # after the skip


@pytest.fixture(scope="module")
def kernel():
    with Kernel() as kernel:
        assert kernel.run("%load_ext lockbots_magic").reply["status"] == "ok"
        yield kernel


class Panel:
    """Front end of one panel.

    Args:
        kernel: The kernel.
        code: Cell that shows the panel.
        cell: Id of the cell, which only front ends send that a person watches.
    """

    def __init__(self, kernel, code="%lockbots panel", cell=None):
        self.kernel = kernel
        opened, request, self.shown = [], kernel.send(code, cell), Execution()
        self.heard = []
        while not (self.shown.messages and self.shown.messages[-1]["content"].get("execution_state") == "idle"):
            message = kernel.client.get_iopub_msg(timeout=60)
            if message["msg_type"] == "comm_open" and "_esm" in message["content"]["data"]["state"]:
                opened.append(message)
            if message["parent_header"].get("msg_id") == request:
                self.shown.messages.append(message)
            self.heard.append(message)
        assert opened[-1]["parent_header"] == {}  # not a message of the cell: subshells serve it while cells run
        self.state = opened[-1]["content"]["data"]["state"]
        self.comm = opened[-1]["content"]["comm_id"]
        self.messages = []

    def send(self, kind, **fields):
        content = {"comm_id": self.comm, "data": {"method": "custom", "content": {"type": kind, **fields}}}
        self.kernel.client.shell_channel.send(self.kernel.client.session.msg("comm_msg", content))

    @property
    def transcript(self):
        """Transient data of the transcript output, with its display id."""
        shown = (m["content"] for m in self.shown.messages if m["msg_type"] == "display_data")
        return next(c["transient"] for c in shown if "lockbots-transcript" in c["data"].get("text/html", ""))

    def wait_for_transcript(self, text, seconds=60):
        """Return the next update of the transcript that contains `text`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            message = self.heard.pop(0) if self.heard else self.kernel.client.get_iopub_msg(timeout=seconds)
            content = message["content"]
            is_update = message["msg_type"] == "update_display_data" and content["transient"] == self.transcript
            if is_update and text in content["data"]["text/plain"]:
                return content
        raise TimeoutError(f"no transcript with {text!r} arrived")

    def wait_for(self, kind, seconds=60):
        """Return the next message with the type `kind`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                message = self.kernel.client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            content = message["content"]
            if message["msg_type"] == "comm_msg" and content["comm_id"] == self.comm:
                message = content["data"].get("content", {})
                self.messages.append(message)
                if message.get("type") == kind:
                    return message
        raise TimeoutError(f"no {kind!r} arrived, only {[one.get('type') for one in self.messages]}")


def test_panel_is_a_widget_with_a_transcript_output_below(kernel):
    panel = Panel(kernel)
    widget, transcript = panel.shown.outputs
    assert widget["data"]["application/vnd.jupyter.widget-view+json"]["model_id"] == panel.comm
    assert "lockbots-transcript" in transcript["data"]["text/html"]
    assert transcript["data"]["text/plain"] == "No turns yet."
    assert set(panel.state["texts"]) >= {"en", "ru"}
    assert "http" not in json.dumps(panel.state["texts"])


def test_turn_of_the_panel_is_in_the_conversation(kernel):
    panel = Panel(kernel, "%lockbots new chat-1\n%lockbots panel")
    panel.send("hello", view="v")
    assert panel.wait_for("snapshot")["conversation"]["name"] == "chat-1"
    panel.send("send", prompt="How do I undo?")
    assert panel.wait_for("begin")["reply"]["prompt"] == "How do I undo?"
    assert panel.wait_for("end")["turn"]["status"] == "complete"
    panel.wait_for("usage")
    history = kernel.run("%lockbots history")
    assert "How do I undo?" in history.outputs[0]["data"]["text/plain"]


def test_turn_of_a_cell_is_sent_to_the_panel(kernel):
    panel = Panel(kernel, "%lockbots new other\n%lockbots panel")
    panel.send("hello", view="v")
    panel.wait_for("snapshot")
    request = kernel.send("%%chat\nHow do I save?", "cell-1")
    turn = panel.wait_for("turn")["turn"]
    assert (turn["prompt"], turn["cell"]) == ("How do I save?", True)
    kernel.finish(request)


def test_transcript_is_updated_with_each_turn(kernel):
    panel = Panel(kernel, "%lockbots new third\n%lockbots panel")
    panel.send("send", prompt="How do I undo? <b>")
    data = panel.wait_for_transcript("How do I undo? <b>")["data"]
    assert "How do I undo? <b>" in visible(data)
    assert "<b>" not in data["text/html"]


SLOW = """
import threading, time
from lockbots_magic import Chat, ChatPanel
before = set(threading.enumerate())
def new_threads():
    return [t.name for t in threading.enumerate() if t not in before and 'panel' in t.name]
def slow(prompt):
    for n in range(10000):
        yield f"{n} "
        time.sleep(0.01)
chat = Chat(slow)
panel = ChatPanel(chat)
panel
"""


def test_closing_a_panel_ends_its_threads(kernel):
    panel = Panel(kernel, SLOW)
    panel.send("send", prompt="go")
    panel.wait_for("frame")
    ended = kernel.run("panel.close()\nprint(new_threads(), chat.conversation.turns[0].status)")
    assert ended.printed == "[] interrupted\n"
    shown, transcript = kernel.run("panel").outputs
    assert shown["data"] == {"text/plain": "This panel is closed. To open a new one, run `%lockbots panel`."}
    assert "go" in transcript["data"]["text/html"]
    refused = kernel.run("import pickle\ntry:\n    pickle.dumps(panel)\nexcept TypeError as error:\n    print(error)")
    assert refused.printed == "A panel can't be pickled. Pickle `panel.conversation`.\n"


def test_closing_the_comm_ends_the_threads_of_the_panel(kernel):
    panel = Panel(kernel, SLOW)
    panel.send("send", prompt="go")
    panel.wait_for("frame")
    kernel.client.shell_channel.send(kernel.client.session.msg("comm_close", {"comm_id": panel.comm, "data": {}}))
    ended = kernel.run("print(new_threads(), chat.conversation.turns[0].status, len(chat.conversation.observers))")
    assert ended.printed == "[] interrupted 0\n"


def test_closed_panel_without_references_is_collected(kernel):
    code = f"""{SLOW.rstrip().removesuffix("panel")}
import gc, weakref
panel.close()
gone = weakref.ref(panel)
del panel
gc.collect()
print(gone(), new_threads(), len(chat.conversation.observers))
"""
    assert kernel.run(code).printed == "None [] 0\n"


def test_cell_that_runs_again_closes_its_earlier_panel(kernel):
    kernel.run("%lockbots new retired\nfrom lockbots_magic.notebook.extension import session_of")
    watched = "print(len(session_of(get_ipython()).conversations.get().observers))"
    for cell, panels in (("one", 1), ("one", 1), ("two", 2), ("one", 2)):
        kernel.run("%lockbots panel", cell)
        assert kernel.run(watched).printed == f"{panels}\n"


def test_conversation_of_a_panel_is_restored_from_the_saved_notebook(kernel, tmp_path):
    panel = Panel(kernel, "%lockbots new kept\n%lockbots panel")
    panel.send("send", prompt="How do I undo?")
    output = panel.wait_for_transcript("How do I undo?")
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "%lockbots panel", "execution_count": 1}
    saved = {"output_type": "display_data", "data": output["data"], "metadata": output["metadata"]}
    path = tmp_path / "kept.ipynb"
    book = {"cells": [{**cell, "outputs": [saved]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book), encoding="utf-8")
    with Kernel() as other:
        result = other.run(f"%load_ext lockbots_magic\n%lockbots restore {path}\n%lockbots history")
        assert "kept: 1 turn" in str(result.outputs), result.outputs
        assert "How do I undo?" in result.outputs[-1]["data"]["text/plain"]


def test_reloaded_page_is_sent_the_transcript_to_save(kernel):
    panel = Panel(kernel, "%lockbots new anew\n%lockbots panel")
    panel.send("hello", view="v")
    before = panel.wait_for("saved")
    assert before["view"] == "v"
    panel.send("send", prompt="How do I undo?")
    while (state := panel.wait_for("saved")["state"]) == before["state"]:
        pass
    panel.send("transcript", view="v")
    sent = panel.wait_for("transcript")
    assert sent["metadata"]["lockbots_state"] == state
    assert sent["metadata"]["lockbots"][0]["turn"]["prompt"] == "How do I undo?"
    assert "How do I undo?" in sent["data"]["text/plain"]
    assert sent["view"] == "v"


def test_panel_without_a_chat_is_refused(kernel):
    result = kernel.run("from lockbots_magic import ChatPanel\nChatPanel('openai:gpt-4o')")
    assert result.reply["ename"] == "UsageError"
    assert "ChatPanel(Chat('provider:model'))" in result.reply["evalue"]


def test_executed_notebook_contains_the_whole_transcript():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    sources = ("%load_ext lockbots_magic", "%lockbots panel", "%%chat\nHow do I undo?")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3").execute()
    transcript = book.cells[1].outputs[1]
    assert transcript["data"]["text/plain"].startswith("> How do I undo?")
    assert transcript["metadata"]["lockbots"][0]["turn"]["prompt"] == "How do I undo?"


LOAD = """
import sys
from IPython.core.interactiveshell import InteractiveShell
InteractiveShell().run_line_magic('load_ext', 'lockbots_magic')
print([name for name in ('anywidget', 'ipywidgets') if name in sys.modules])
"""


def test_widget_libraries_are_imported_by_the_first_panel(tmp_path):
    environment = {**os.environ, "IPYTHONDIR": str(tmp_path)}
    loaded = subprocess.run(
        [sys.executable, "-c", LOAD], capture_output=True, text=True, timeout=60, check=True, env=environment
    )
    assert loaded.stdout.strip() == "[]"


MANY = """\
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.extension import session_of
from lockbots_magic.panel import widget
%lockbots new many-{name}
talk = session_of(get_ipython()).conversations.find("many-{name}")
for n in range(widget.MANY_TURNS):
    talk.commit(Turn(f"Turn {{n}}.", "**done**"), talk.slot())
widget.MAX_WAIT = {wait}
%lockbots panel"""


def count_formatted(output):
    return output["data"]["text/html"].count("<strong>done</strong>")


def test_transcript_of_many_turns_is_formatted_after_the_first_screen(kernel):
    watched = Panel(kernel, MANY.format(name="watched", wait=600), "cell-many")
    *_, begun = watched.shown.outputs
    everything = {f"Turn {n}." for n in range(20)}
    for form in begun["data"].values():
        assert [turn for turn in everything if turn not in form] == []
    assert count_formatted(begun) == 1
    assert {one["turn"]["prompt"] for one in begun["metadata"]["lockbots"] if "turn" in one} >= everything
    watched.send("hello", view="v")
    assert len(watched.wait_for("snapshot")["turns"]) == 20
    whole = watched.wait_for_transcript("Turn 0.")
    assert count_formatted(whole) == 20
    assert {one["turn"]["prompt"] for one in whole["metadata"]["lockbots"] if "turn" in one} >= everything

    unseen = Panel(kernel, MANY.format(name="unseen", wait=0.01), "cell-unseen")
    assert count_formatted(unseen.wait_for_transcript("Turn 0.")) == 20  # no view has asked for anything

    again = kernel.run("widget.MAX_WAIT = 600\ndisplay([*widget._created_in][-1])", "cell-again")
    assert count_formatted(again.outputs[-1]) == 20  # the first output is the same display, and stays whole

    closed = Panel(kernel, MANY.format(name="closed", wait=600), "cell-closed")
    kernel.send("for one in list(widget._created_in): one.close()")
    assert count_formatted(closed.wait_for_transcript("Turn 0.")) == 20


def test_transcript_of_many_turns_is_whole_at_once_in_a_program(kernel):
    *_, transcript = Panel(kernel, MANY.format(name="program", wait=600)).shown.outputs
    assert count_formatted(transcript) == 20

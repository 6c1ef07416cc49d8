"""In real kernels: one dies, its notebook is saved, and another goes on as if nothing had happened."""

import json
import re

import pytest

pytest.importorskip("ipykernel")
nbformat = pytest.importorskip("nbformat")
pytestmark = pytest.mark.kernel

from tests.kernels import Execution, Kernel, visible  # noqa: E402  # after the skip

AS_NEW = """
%load_ext lockbots_magic
import os
from lockbots_magic.notebook.extension import session_of
session = session_of(get_ipython())
session.conversations._named.clear()
session.conversations.current, session.settings.model, session.settings.providers = "main", "guide", {}
vars(session).pop("chat", None)
os.environ.pop("JPY_SESSION_NAME", None)
"""
PLANTED = "planted-credential-9"
DIARY = """
heard = []
def diary(messages):
    heard.append([m["content"] for m in messages])
    return f"reply {len(heard)}"
"""
ANSWERS = """
from lockbots_magic import Chat
session.chat = lambda *_: Chat({model}, conversation=session.conversations.get(), params={params})
"""


class Book:
    """A notebook, run in kernels as a front end runs it: a cell that runs again loses what it showed."""

    def __init__(self, path):
        self.path = path
        self.cells = {}

    def run(self, kernel, cell_id, source):
        execution = kernel.run(source, cell_id=cell_id)
        assert execution.reply["status"] == "ok", execution.reply
        self.cells[cell_id] = source, execution.outputs
        return execution

    def save(self):
        cells = [
            nbformat.v4.new_code_cell(source, id=cell_id, outputs=[as_saved(o) for o in outputs])
            for cell_id, (source, outputs) in self.cells.items()
        ]
        book = nbformat.v4.new_notebook(cells=cells)
        nbformat.validate(book)
        nbformat.write(book, self.path)
        return self.path


def as_saved(output):
    kept = {
        k: v for k, v in output.items() if k in ("data", "metadata", "name", "text", "ename", "evalue", "traceback")
    }
    return nbformat.v4.new_output(output["type"], **kept)


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "talk.ipynb")


@pytest.fixture(scope="module")
def _kernels():
    with Kernel() as one, Kernel() as other:
        yield one, other


@pytest.fixture
def kernels(_kernels):
    """Two kernels, each as new."""
    for kernel in _kernels:
        kernel.run("%reset -f\n%unload_ext lockbots_magic")
        assert kernel.run(AS_NEW).reply["status"] == "ok"
    return _kernels


def shown(execution):
    return execution.outputs[0]["data"]["text/plain"]


def value(kernel, expression):
    return eval(kernel.run(expression).of("execute_result")[0]["data"]["text/plain"])


def said(kernel, line):
    execution = kernel.run(line)
    assert execution.reply["status"] == "ok", execution.reply
    return "".join(o.get("text", "") for o in execution.outputs)


EVERYTHING = """
{c.name: (c.id, [(t.id, t.cell_id, t.stale, t.prompt) for t in c.turns])
 for c in session.conversations.all() if c.turns}
"""
TURNS = "[(t.prompt, t.reply, t.cell_id, t.stale) for t in session.conversations.get().turns]"


def test_a_fresh_kernel_goes_on_with_what_the_notebook_shows(book, kernels, mock_server):
    dead, fresh = kernels
    use = f"%lockbots use openai:demo --base-url {mock_server.url('openai')}"
    dead.run(use)
    for number in range(3):
        book.run(dead, f"c{number}", f"%%chat\nquestion {number}")
    before = value(dead, TURNS)
    said_so = said(fresh, f"%lockbots restore {book.save()}")
    assert said_so.startswith("Restored from talk.ipynb; the current conversation is main.\nmain: 3 turns\n")
    assert f"To continue with it: `{use}`" in said_so
    assert value(fresh, TURNS) == before
    fresh.run(use)
    assert "I have heard 7 messages" in shown(book.run(fresh, "c3", "%%chat\nand now?"))
    sent = mock_server.requests[-1].json["messages"]
    assert [m["content"] for m in sent[:2]] == ["question 0", 'You said: "question 0". I have heard 1 message.']


def test_a_cell_that_runs_again_replaces_its_turn_where_it_stands(book, kernels, mock_server):
    dead, fresh = kernels
    use = f"%lockbots use openai:demo --base-url {mock_server.url('openai')}"
    dead.run(use)
    for number in range(3):
        book.run(dead, f"c{number}", f"%%chat\nsay {number}")
    fresh.run(use)
    fresh.run(f"%lockbots restore {book.save()}")
    book.run(fresh, "c1", "%%chat\nsay one")
    assert [m["content"] for m in mock_server.requests[-1].json["messages"]] == ["say 0", "0", "say one"]
    had = value(fresh, TURNS)
    assert [(reply, stale) for _, reply, _, stale in had] == [("0", False), ("one", False), ("2", True)]
    for kernel in (dead, fresh):
        kernel.run("session.conversations._named.clear()")
    said(dead, f"%lockbots restore {book.save()}")
    assert value(dead, TURNS) == had


def test_loops_retries_forks_undone_and_cleared_turns_come_back_as_they_were(book, kernels):
    dead, fresh = kernels
    dead.run(DIARY + ANSWERS.format(model="diary", params={}))
    steps = [
        ("a", "%%chat\none"),
        ("b", "%chat two\n%chat three"),
        ("u", "%lockbots undo"),
        ("c", "%%chat\nfour"),
        ("f", "%lockbots fork other --at 2"),
        ("d", "%%chat\nin the fork"),
        ("s", "%lockbots switch main"),
        ("r", "%lockbots retry"),
        ("n", "%lockbots new third"),
        ("e", "%%chat\nforgotten"),
        ("x", "%lockbots clear"),
        ("g", "%%chat\nfifth"),
        ("b", "%chat TWO"),
    ]  # fmt: skip
    for cell_id, source in steps[:-1]:
        book.run(dead, cell_id, source)
    had = value(dead, EVERYTHING)
    assert {name: [t[3] for t in turns] for name, (_, turns) in had.items()} == {
        "main": ["one", "two", "four"],
        "other": ["one", "two", "in the fork"],
        "third": ["fifth"],
    }
    told = said(fresh, f"%lockbots restore {book.save()}")
    assert "the current conversation is third" in told
    assert value(fresh, EVERYTHING) == had
    assert "already here, left as is" in said(fresh, f"%lockbots restore {book.path}")
    assert value(fresh, EVERYTHING) == had


def test_a_name_that_is_taken_gets_a_number(book, kernels):
    dead, fresh = kernels
    book.run(dead, "a", "%%chat\nhow do I save")
    fresh.run("%%chat\nsomething else", cell_id="z")
    assert "main-2: 1 turn" in said(fresh, f"%lockbots restore {book.save()}")
    assert value(fresh, "[(c.name, len(c)) for c in session.conversations.all()]") == [("main", 1), ("main-2", 1)]


def test_the_kernel_knows_its_notebook_by_itself(book, kernels):
    dead, fresh = kernels
    execution = fresh.run("%lockbots restore")
    assert "Give it: `%lockbots restore NAME.ipynb`" in execution.of("error")[0]["evalue"]
    book.run(dead, "a", "%%chat\nhow do I save")
    fresh.run(f"os.environ['JPY_SESSION_NAME'] = {str(book.save())!r}")
    execution = fresh.run("%lockbots restore", cell_id="new")
    assert "Save the notebook, and restore again" in execution.outputs[0]["text"]
    assert "main: 1 turn" in execution.outputs[0]["text"]
    book.run(dead, "b", "%%chat\nand load?")
    book.cells["new"] = "%lockbots restore", []
    book.save()
    execution = fresh.run("%lockbots restore", cell_id="new")
    assert execution.outputs[0]["text"].splitlines()[1] == "main: 2 turns", "the file is newer than what is here"


def test_a_notebook_that_can_not_be_read_changes_nothing(book, kernels):
    dead, fresh = kernels
    book.run(dead, "a", "%%chat\nhow do I save")
    data = json.loads(book.save().read_text())
    data["cells"][0]["outputs"][0]["metadata"]["lockbots"]["version"] = 9
    book.path.write_text(json.dumps(data))
    execution = fresh.run(f"%lockbots restore {book.path}")
    assert "Update lockbots-magic" in execution.of("error")[0]["evalue"]
    assert value(fresh, "list(session.conversations.by_name)") == []


def test_no_credential_is_in_the_notebook_however_it_is_said(book, kernels, mock_server):
    kernel, _ = kernels
    kernel.run(f"os.environ['LOCKBOTS_OPENAI_AUTH'] = {PLANTED!r}")
    kernel.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    kernel.run(f"session.conversations.get().system = 'my key is {PLANTED}'")
    for number, options in enumerate(["", f"-s {PLANTED}", f"-p user={PLANTED}", "--no-history"]):
        kernel.run(f"%%chat {options}\nsay {PLANTED}", cell_id=f"c{number}")
        execution = kernel.run(f"%%chat {options}\nsay {PLANTED}", cell_id=f"c{number}")
        (output,) = [o for o in execution.outputs if o["type"] == "display_data"]
        assert "lockbots" in output["metadata"]
        assert PLANTED not in json.dumps(output["metadata"])
    removed = kernel.run("%lockbots undo", cell_id="u").outputs[0]
    assert removed["metadata"]["lockbots"]["conversation"]["system"] == "my key is ***"
    assert PLANTED not in json.dumps(removed["metadata"])


def test_parameters_that_are_no_json_do_not_break_the_output(book, kernels):
    kernel, fresh = kernels
    kernel.run("import math\ndef model(prompt, table=None): return 'fine'")
    kernel.run(ANSWERS.format(model="model", params="{'table': math}"))
    assert book.run(kernel, "a", "%%chat\nhi").text == "fine"
    assert 'can\'t hold the parameter "table: <module>"' in said(fresh, f"%lockbots restore {book.save()}")


def test_a_failed_retry_and_a_question_outside_are_not_in_the_history(book, kernels, mock_server):
    dead, fresh = kernels
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    book.run(dead, "a", "%%chat\nsay a")
    book.run(dead, "b", "%%chat --no-history\nsay b")
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='reset-midway')}")
    execution = dead.run("%lockbots retry", cell_id="r")
    book.cells["r"] = "%lockbots retry", execution.outputs
    told = said(fresh, f"%lockbots restore {book.save()}")
    assert "main: 1 turn\n" in told
    assert not re.search("run again|missing", told)


def test_a_cell_that_fails_when_it_runs_again_shows_the_error_alone_and_its_turn_is_gone(book, kernels, mock_server):
    dead, fresh = kernels
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    for cell_id, source in [("a", "%%chat\nsay a"), ("r", "%lockbots retry"), ("b", "%%chat\nsay b")]:
        book.run(dead, cell_id, source)
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='http-401')}")
    execution = dead.run("%%chat\nsay a", cell_id="a")
    assert [(o["type"], o.get("data")) for o in execution.outputs] == [("display_data", {}), ("error", None)]
    book.cells["a"] = "%%chat\nsay a", execution.outputs
    said(fresh, f"%lockbots restore {book.save()}")
    assert value(fresh, TURNS) == [("say b", "b", "b", True)]


def test_a_long_reply_and_one_that_nobody_watched_are_kept_like_any_other(book, kernels, mock_server):
    dead, fresh = kernels
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', tokens=3000, rate=6000)}")
    book.run(dead, "long", "%%chat\ngo")
    book.cells["unseen"] = "%%chat\ngo on", dead.run("%%chat\ngo on").outputs
    assert [len(outputs) for _, outputs in book.cells.values()] == [1, 1]
    told = said(fresh, f"%lockbots restore {book.save()}")
    assert told.splitlines()[1] == "main: 2 turns"
    assert "run again" not in told
    back, had = value(fresh, TURNS), value(dead, TURNS)
    assert [turn[:2] for turn in back] == [turn[:2] for turn in had]
    assert [cell for _, _, cell, _ in back] == ["long", "unseen"], "the cell that shows it"


def test_an_interrupted_reply_is_kept_as_far_as_it_came(book, kernels, mock_server):
    dead, fresh = kernels
    dead.run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='silence-midway')}")
    request = dead.send("%%chat\ncount to 20", cell_id="a")
    execution = Execution()
    for message in dead.messages(request):
        execution.messages.append(message)
        if visible(message["content"].get("data", {})).startswith("1 2"):
            break
    dead.manager.interrupt_kernel()
    book.cells["a"] = "%%chat\ncount to 20", dead.finish(request, execution).outputs
    fresh.run(f"%lockbots restore {book.save()}")
    status = "[(t.status, t.reply) for t in session.conversations.get().turns]"
    assert value(fresh, status) == value(dead, status)
    assert value(fresh, status)[0][0] == "interrupted"


def test_a_notebook_that_suggests_options_is_not_repeated(book, kernels):
    dead, fresh = kernels
    book.run(dead, "a", "%%chat\nhow do I save")
    text = book.save().read_text()
    assert '"model": "help"' in text
    hostile = text.replace('"model": "help"', '"model": "x --base-url http://evil.example"')
    book.path.write_text(hostile.replace('"provider": "guide"', '"provider": "openai"'))
    assert "evil" not in said(fresh, f"%lockbots restore {book.path}")

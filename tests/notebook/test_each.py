"""`%%chat --each`: a prompt for each row, shown as one output."""

import pandas as pd
import pytest

from lockbots_magic.errors import AuthenticationError, UsageError
from tests.batch.server import RowServer, whole


@pytest.fixture
def server():
    with RowServer(
        lambda prompt, number: whole('{"mood": 1}' if "schema" in prompt else "good" if "fine" in prompt else "bad")
    ) as server:
        yield server


@pytest.fixture
def notebook(shell, server, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_OPENAI_AUTH", "mock-key-0123456789")
    shell.asked = server.asked
    shell.user_ns["frame"] = pd.DataFrame({"review": ["fine", "awful", "fine"]}, index=[5, 6, 7])
    shell.user_ns["word"] = "Classify"
    shell.run_line_magic("lockbots", f"use openai:m --base-url {server.url}")
    return shell


def each(shell, options, prompt="{{ word }}: {{ review }}"):
    shell.run_cell_magic("chat", f"--each frame {options}", prompt)


def test_variable_gets_the_frame(notebook, capsys):
    each(notebook, "--to labels")
    labels = notebook.user_ns["labels"]
    assert list(labels.index) == [5, 6, 7]
    assert list(labels.reply) == ["good", "bad", "good"]
    assert sorted(notebook.asked) == ["Classify: awful", "Classify: fine"]


def test_schema_journal_and_sample(notebook, tmp_path):
    notebook.user_ns["Label"] = dict
    keep = tmp_path / "labels.jsonl"
    each(notebook, f"--to labels --schema Label --keep {keep} --sample 2 --active 2")
    assert len(notebook.user_ns["labels"]) == 2
    before = len(notebook.asked)
    each(notebook, f"--to labels --schema Label --keep {keep}")
    assert len(notebook.asked) == before
    assert list(notebook.user_ns["labels"].error) == [""] * 3


def test_lazy_frame_is_read_without_a_warning(notebook):
    polars = pytest.importorskip("polars")
    notebook.user_ns["frame"] = polars.DataFrame({"review": ["fine"], "picture": ["data:image/png;base64,AA=="]}).lazy()
    each(notebook, "--to labels --image picture")
    assert notebook.user_ns["labels"].shape == (1, 4)


def test_image_is_that_of_the_row_before_that_of_a_variable(notebook, server):
    notebook.user_ns["picture"], notebook.user_ns["logo"] = "no image", "data:image/png;base64,iVBORw0KGgo="
    notebook.user_ns["frame"] = [{"review": "fine", "picture": "data:image/png;base64,AAAA"}]
    each(notebook, "--image picture --image logo")
    parts = server.bodies[-1]["messages"][-1]["content"]
    assert [part["image_url"]["url"][-4:] for part in parts if "image_url" in part] == ["AAAA", "Ggo="]


def test_dry_run_sends_nothing(notebook, capsys):
    each(notebook, "--dry-run --to labels")
    shown = capsys.readouterr().out
    assert "[1] Classify: fine" in shown
    assert "3 rows: 2 would be asked, 1 reused.\n" in shown
    assert "Nothing was sent." in shown
    assert not notebook.asked
    assert "labels" not in notebook.user_ns


def test_dry_run_needs_no_credential(notebook, monkeypatch, capsys):
    monkeypatch.delenv("LOCKBOTS_OPENAI_AUTH")
    for variable in ("OPENAI_API_KEY", "OPENAI_KEY"):
        monkeypatch.delenv(variable, raising=False)
    notebook.run_line_magic("lockbots", "use openai:m --base-url default")
    each(notebook, "--dry-run")
    assert "Nothing was sent." in capsys.readouterr().out
    with pytest.raises(AuthenticationError):
        each(notebook, "--to labels")
    assert "labels" not in notebook.user_ns


def test_options_that_do_not_fit_are_refused(notebook):
    for options, message in (
        ("--as code", "--as"),
        ("--cells 1", "--cells"),
        ("--budget 0", "budget"),
        ("--schema Nope", "--schema"),
        ("--to 'a b'", "--to takes a variable name"),
        ("--image nope.png", "File not found: nope.png"),
        ("--file nope.txt", "File not found: nope.txt"),
        ("[frame.review > 'a']", "Quote an expression with spaces"),
    ):
        with pytest.raises(UsageError, match=message):
            each(notebook, options)
    with pytest.raises(UsageError, match="--keep needs --each"):
        notebook.run_cell_magic("chat", "--keep a.jsonl", "hi")
    with pytest.raises(UsageError, match="--each"):
        notebook.run_cell_magic("chat", "--each nope", "{{ review }}")
    with pytest.raises(UsageError, match="review"):
        each(notebook, "", "{{ reviw }}")
    assert not notebook.asked

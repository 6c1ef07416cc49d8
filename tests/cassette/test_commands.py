"""User interface of cassettes: `record`, `replay`, `live`, environment variables, nbval, and the pytest fixture."""

import json
import os
import subprocess
import sys
import textwrap

import pytest
from IPython.utils.capture import capture_output

from lockbots_magic import Chat
from lockbots_magic.cassette.active import eject_cassette, insert_cassette, open_cassette
from lockbots_magic.errors import NotRecordedError, UsageError
from lockbots_magic.notebook.extension import session_of

pytest_plugins = ["pytester"]


@pytest.fixture
def lockbots(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(line, magic="lockbots"):
        with capture_output() as captured:
            shell.run_line_magic(magic, line)
        return captured.stdout + "".join(o.data["text/plain"] for o in captured.outputs)

    return run


def asked(lockbots, prompt):
    return lockbots(prompt, "chat")


def test_recorded_reply_is_replayed(lockbots, mock_server, tmp_path):
    lockbots(f"use openai:demo --base-url {mock_server.url('openai')}")
    assert lockbots("record talk.jsonl") == "Recording to talk.jsonl; every prompt is sent.\n"
    said = asked(lockbots, "count to 3")
    assert lockbots("live") == "Prompts go to the models again.\n"
    lockbots("clear")
    assert lockbots("replay talk.jsonl --speed 2") == "Replaying talk.jsonl; no model is contacted.\n"
    lockbots("use openai:demo --base-url http://127.0.0.1:9/v1")
    assert asked(lockbots, "count to 3") == said
    with pytest.raises(NotRecordedError) as caught:
        asked(lockbots, "count to 4")
    assert str(caught.value).splitlines()[-2:] == [
        "To record what is missing:  %lockbots record talk.jsonl --missing",
        "To ask a model again:  %lockbots live",
    ]
    assert "talk.jsonl (replay, 1 answer, 1 played)" in lockbots("status")
    assert lockbots("live") == "Prompts go to the models again.\n"
    assert lockbots("live") == "No cassette is in use; prompts go to the models.\n"


def test_record_has_modes_missing_and_new(lockbots, shell):
    lockbots("record talk.jsonl")
    asked(lockbots, "hello")
    assert (
        lockbots("record --missing talk.jsonl")
        == "Recording to talk.jsonl; only prompts without a recorded answer are sent.\n"
    )
    assert "the first answer replaces the old content" in lockbots("record talk.jsonl --new")
    with pytest.raises(UsageError, match="only one of them"):
        lockbots("record talk.jsonl --new --missing")
    assert session_of(shell).active_cassette().mode == "new"


def test_missing_cassette_is_an_error_and_the_active_one_stays(lockbots, shell):
    lockbots("record talk.jsonl")
    with pytest.raises(
        UsageError,
        match=r"There is no cassette file other\.jsonl\. To record it:  %lockbots record other\.jsonl --missing",
    ):
        lockbots("replay other.jsonl")
    assert session_of(shell).active_cassette().path.name == "talk.jsonl"


def test_default_model_of_a_replay_is_the_recorded_one(lockbots, tmp_path):
    (tmp_path / "talk.jsonl").write_text('{"format": "lockbots-cassette", "version": 1}\n')
    lockbots("replay talk.jsonl")
    assert lockbots("use local") == "Using local (the model of the recording).\n"
    assert lockbots("use ollama").startswith("Using ollama (the model of the recording)")
    lockbots("live")
    assert lockbots("use local") == "Using local (the first model file found).\n"


def test_environment_stays_in_force(lockbots, shell, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_CASSETTE", str(tmp_path / "named.jsonl"))
    asked(lockbots, "hello")
    assert lockbots("live") == "Back to the cassette named by LOCKBOTS_CASSETTE.\n"
    assert "named.jsonl (auto, 1 answer, 1 recorded)" in lockbots("status")
    monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", "replay")
    assert (
        lockbots("record named.jsonl") == "Recording to named.jsonl; every prompt is sent.\n"
    )  # as without the variable
    assert session_of(shell).active_cassette().mode == "replay"
    monkeypatch.setenv("LOCKBOTS_CASSETTE", str(tmp_path / "none.jsonl"))
    for ask in (lambda: lockbots("live"), lambda: asked(lockbots, "hello")):
        with pytest.raises(UsageError, match="There is no cassette file"):
            ask()
    assert "There is no cassette file" in lockbots("status")


def test_live_names_a_cassette_that_code_inserted(lockbots, tmp_path, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_CASSETTE", str(tmp_path / "named.jsonl"))
    inserted = open_cassette(tmp_path / "fixture.jsonl")
    insert_cassette(inserted)
    try:
        assert lockbots("live") == "Back to cassette fixture.jsonl, which code inserted with `insert_cassette`.\n"
    finally:
        eject_cassette(inserted)
    assert lockbots("live") == "Back to the cassette named by LOCKBOTS_CASSETTE.\n"


def test_only_prompts_of_the_session_are_recorded(lockbots, shell):
    lockbots("record talk.jsonl")
    assert Chat(lambda prompt: "a library's own").ask("hi").reply == "a library's own"
    assert "0 answers" in str(session_of(shell).cassette)
    asked(lockbots, "hello")
    assert "1 answer," in str(session_of(shell).cassette)


def test_chat_outside_the_session_is_not_replayed(lockbots):
    lockbots("record talk.jsonl")
    lockbots("replay talk.jsonl")
    assert Chat(lambda prompt: "live").ask("hi").reply == "live"


NOTEBOOK = """
%load_ext lockbots_magic
---
%lockbots use openai:demo --base-url {url}
---
%%chat --to reply
count to 5
---
reply
---
%lockbots fork other
---
%%chat -t 0.5
say Привет, «мир» $x$
---
from lockbots_magic import Chat
print(Chat("openai:demo", base_url={url!r}).ask("show code").reply)
"""


def run(*command, folder, **variables):
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, **variables, "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONPATH": ""},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.kernel
def test_any_notebook_passes_nbval_without_its_server(mock_server, tmp_path):
    pytest.importorskip("nbval")
    nbformat = pytest.importorskip("nbformat")
    cells = NOTEBOOK.format(url=mock_server.url("openai", rate=200)).strip().split("\n---\n")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(notebook, tmp_path / "talk.ipynb")
    named = {"LOCKBOTS_CASSETTE": str(tmp_path / "talk.jsonl")}
    execute = ("nbconvert", "--to", "notebook", "--execute", "--inplace", "talk.ipynb")
    assert run(*execute, folder=tmp_path, **named, LOCKBOTS_CASSETTE_MODE="new")[0] == 0
    heard = len(mock_server.requests)
    assert heard == 3
    nbval = ("pytest", "--nbval", "-p", "no:cacheprovider", "talk.ipynb")
    status, said = run(*nbval, folder=tmp_path, **named, LOCKBOTS_CASSETTE_MODE="replay")
    assert status == 0, said
    assert "7 passed" in said
    assert len(mock_server.requests) == heard
    lines = (tmp_path / "talk.jsonl").read_text(encoding="utf-8")
    (tmp_path / "talk.jsonl").write_text(lines.replace("count to 5", "count to 6"), encoding="utf-8")
    status, said = run(*nbval, folder=tmp_path, **named, LOCKBOTS_CASSETTE_MODE="replay")
    assert status == 1
    assert "NotRecordedError" in said


TESTS = """
from lockbots_magic import Chat

def model(prompt):
    model.asked += 1
    return f"answer to {prompt}"

model.asked = 0

def test_talk(lockbots_cassette):
    assert Chat(model).ask("hi").reply == "answer to hi"
    assert lockbots_cassette.played + lockbots_cassette.recorded == 1

def test_model_was_asked():
    assert model.asked == %d
"""


@pytest.mark.parametrize("variable", [False, True])
def test_fixture_records_once_and_replays_afterwards(pytester, monkeypatch, variable):
    def mode(name):
        if not variable:
            return [f"--lockbots-cassette-mode={name}"]
        monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", name)
        return []

    given = ("-p", "no:cacheprovider", "-p", "no:nbval")
    file = pytester.makepyfile(test_code=TESTS % 1)
    run = pytester.runpytest(*given)
    run.assert_outcomes(failed=1, errors=1)
    run.stdout.fnmatch_lines(["*There is no cassette file *test_talk.jsonl. To record it:*"])
    pytester.runpytest(*given, *mode("auto")).assert_outcomes(passed=2)
    kept = pytester.path / "cassettes" / "test_code" / "test_talk.jsonl"
    assert json.loads(kept.read_text().splitlines()[1])["reply"] == "answer to hi"
    file.write_text(TESTS % 0)
    pytester.runpytest(*given, *(mode("replay") if variable else ())).assert_outcomes(passed=2)
    file.write_text(textwrap.dedent(TESTS).replace('ask("hi")', 'ask("hi!")') % 0)
    run = pytester.runpytest(*given, *mode("replay"))
    run.assert_outcomes(failed=1, passed=1)
    run.stdout.fnmatch_lines(["*NotRecordedError*", "*- user: hi", "*+ user: hi!"])


def test_every_test_has_its_own_cassette(pytester):
    pytester.makepyfile(
        """
        import pytest
        from lockbots_magic import Chat

        class TestA:
            def test_x(self, lockbots_cassette):
                Chat("guide").ask("hello")

        class TestB:
            def test_x(self, lockbots_cassette):
                Chat("guide").ask("hello")

        @pytest.mark.parametrize("n", ["a/b", "a-b", "a b", "x" * 400])
        def test_p(lockbots_cassette, n):
            Chat("guide").ask("hello")
        """
    )
    given = ("-p", "no:cacheprovider", "-p", "no:nbval")
    pytester.runpytest(*given, "--lockbots-cassette-mode=new").assert_outcomes(passed=6)
    pytester.runpytest(*given).assert_outcomes(passed=6)
    assert len(list(pytester.path.glob("cassettes/*/*.jsonl"))) == 6


def test_marker_names_the_file(pytester):
    pytester.makepyfile(
        """
        import pytest
        from lockbots_magic import Chat

        @pytest.mark.lockbots_cassette("shared.jsonl")
        @pytest.mark.parametrize("n", [1, 2])
        def test_talk(lockbots_cassette, n):
            assert Chat("guide").ask("hello").reply

        @pytest.mark.lockbots_cassette(file="named.jsonl")
        def test_named(lockbots_cassette):
            assert Chat("guide").ask("hello").reply

        @pytest.fixture
        def asked():
            return Chat("guide").ask("hello").reply

        @pytest.mark.lockbots_cassette(file="marked.jsonl")
        def test_marker_alone(asked):
            assert asked
        """
    )
    given = ("-p", "no:cacheprovider", "-p", "no:nbval", "--strict-markers")
    pytester.runpytest(*given, "--lockbots-cassette-mode=auto").assert_outcomes(passed=4)
    pytester.runpytest(*given).assert_outcomes(passed=4)
    assert len((pytester.path / "marked.jsonl").read_text().splitlines()) == 2
    assert len((pytester.path / "shared.jsonl").read_text().splitlines()) == 2
    assert len((pytester.path / "named.jsonl").read_text().splitlines()) == 2
    assert not (pytester.path / "cassettes").exists()


@pytest.mark.parametrize("arguments", ['"a.jsonl", "b.jsonl"', 'path="a.jsonl"', '"a.jsonl", file="b.jsonl"', "7"])
def test_marker_with_other_arguments_is_refused(pytester, arguments):
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.lockbots_cassette({arguments})
        def test_talk(lockbots_cassette):
            pass
        """
    )
    run = pytester.runpytest("-p", "no:cacheprovider", "-p", "no:nbval", "--lockbots-cassette-mode=auto")
    run.assert_outcomes(errors=1)
    run.stdout.fnmatch_lines(["*The marker takes one file, as in @pytest.mark.lockbots_cassette(file=*"])
    assert list(pytester.path.rglob("*.jsonl")) == []

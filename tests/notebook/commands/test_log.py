"""`%lockbots log` and `%lockbots search`, and what `%%chat` logs."""

import os
import re
import sqlite3
import subprocess
import sys
import warnings

import pytest

from lockbots_magic import Chat, Log
from lockbots_magic.storage.log.writer import writer_of


@pytest.fixture(autouse=True)
def log(tmp_path, monkeypatch):
    """The log in a data folder of the test's own; it is off."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    yield Log()
    writer_of().close()


def text_of(cell):
    assert cell.error is None, cell.error
    return cell.stdout + "".join(output.data["text/plain"] for output in cell.outputs)


def test_the_log_is_off_until_it_is_switched_on(run, openai, log):
    run("%%chat\nbefore")
    assert "off" in text_of(run("%lockbots log"))
    assert not log.path.exists()
    assert str(log.path.name) in text_of(run("%lockbots log on"))
    run("%%chat\nduring")
    Chat(lambda prompt: "yes").ask("from Python")
    assert "on: 2 turns" in text_of(run("%lockbots log status"))
    run("%lockbots log off")
    run("%%chat\nafter")
    assert [hit.turn.prompt for word in ("before", "during", "python", "after") for hit in log.search(word)] == [
        "during",
        "from Python",
    ]
    assert text_of(run("%lockbots log path")).strip() == str(log.path)


def test_the_setting_is_followed_also_when_the_extension_is_loaded_again(run, openai, log, session):
    run("%config Lockbots.log = True")
    run("%%chat\none")
    run("%unload_ext lockbots_magic")
    Chat(lambda prompt: "yes").ask("two")
    run("%load_ext lockbots_magic")
    run("%%chat\nthree")
    run("%lockbots set log off")
    run("%%chat\nfour")
    assert log.count() == 2
    assert not log.search("two")


def test_a_cell_can_be_kept_out(run, openai, log):
    run("%lockbots log on")
    run("%%chat --no-log\nhush")
    run("%chat --no-log hush again")
    run("%lockbots retry")
    run("%%chat --no-history\nalone")
    assert [hit.turn.prompt for hit in log.search("alone")] == ["alone"]
    assert log.count() == 1


def test_search_shows_what_was_found_and_how_to_open_it(run, openai, log):
    run("%lockbots log on")
    run("%%chat\nПлывут облака над городом")
    shown = text_of(run("%lockbots search облако города"))
    assert "**облака**" in shown
    assert "openai:demo" in shown
    (line,) = re.findall(r"%lockbots log open \w+", shown)
    run("%lockbots new other")
    opened = run(line)
    assert "1 turn" in text_of(opened)
    assert "облака" in text_of(run("%lockbots history"))
    assert "облака" in text_of(run(line.replace("open", "show")))
    assert "No turn" in text_of(run("%lockbots search облако --since 2999-01-01"))
    assert "No turn" in text_of(run("%lockbots search облако -m other:model"))
    assert "No turn" in text_of(run("%lockbots search облако --code"))
    assert "unknown" in str(run("%lockbots search облако --here").error)
    assert "WORDS" in str(run("%lockbots search").error)


def test_forget_tells_what_is_gone(run, openai, log):
    run("%lockbots log on")
    for prompt in ("one word", "two words", "three words"):
        run(f"%%chat\n{prompt}")
    hit = log.search("two")[0]
    assert "Name what to forget" in str(run("%lockbots log forget").error)
    assert "one of them" in str(run(f"%lockbots log forget {hit.id} --all").error)
    assert "Forgot 1 turn. Their bytes are gone" in text_of(run(f"%lockbots log forget {hit.id}"))
    assert "Nothing to forget" in text_of(run(f"%lockbots log forget {hit.id}"))
    assert "Forgot 2 turns" in text_of(run("%lockbots log forget --all"))


def test_stats_are_a_table_and_a_plot(run, openai, log):
    pytest.importorskip("matplotlib")
    assert "empty" in text_of(run("%lockbots log stats"))
    run("%lockbots log on")
    run("%%chat\nhello")
    shown = run("%lockbots log stats --plot")
    assert "openai:demo" in text_of(shown)
    assert "image/png" in shown.outputs[0].data


@pytest.mark.parametrize("line", ["log on 1234567", "log open", "log show", "log burn", "log forget --before never"])
def test_a_wrong_line_changes_nothing(run, line, log):
    error = run(f"%lockbots {line}").error
    assert type(error).__name__ == "UsageError"


def test_a_problem_is_one_warning_and_the_cell_goes_on(run, openai, log, monkeypatch):
    monkeypatch.setattr("lockbots_magic.storage.log.database.BUSY_TIMEOUT", 0.05)
    log.path.parent.mkdir(parents=True)
    log.path.write_bytes(b"This is no database. " * 100)
    assert "damaged" in str(run("%lockbots log on").error)
    run("%config Lockbots.log = True")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        cells = [run("%%chat\nhello") for _ in range(3)]
    assert [cell.error for cell in cells] == [None] * 3
    assert ["damaged" in str(one.message) for one in warned] == [True]
    assert "could not be written" not in text_of(run("%lockbots log off"))


def test_another_program_can_read_and_delete(run, openai, log):
    run("%lockbots log on")
    run("%%chat\nhello there")
    assert log.count() == 1
    database = sqlite3.connect(log.path)
    with database:
        database.execute("DELETE FROM conversation")
    assert database.execute("SELECT COUNT(*) FROM turn").fetchone() == (0,)
    database.close()
    assert log.search("hello") == []


def test_nothing_of_the_log_is_loaded_before_a_turn_has_ended(tmp_path):
    script = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config
from lockbots_magic import Chat

def loaded():
    return [name for name in sys.modules if name.startswith("lockbots_magic.storage.log") or name == "snowballstemmer"]

config = Config({"Lockbots": {"log": True}, "HistoryManager": {"enabled": False}})
shell = InteractiveShell.instance(config=config)
shell.run_line_magic("load_ext", "lockbots_magic")
assert not loaded(), loaded()
reply = Chat(lambda prompt: iter(["one", "two"])).stream("hello")
assert next(reply) == "one"
assert not loaded(), loaded()
reply.wait()
assert loaded()
from lockbots_magic import Log
print(Log().count())
"""
    environment = {**os.environ, "XDG_DATA_HOME": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr

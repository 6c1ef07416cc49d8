"""What `%%chat` takes from the notebook, and what it shows before it sends."""

import base64
import contextlib
import io
import json
import re
import sys
import threading

import pytest
from traitlets import TraitError

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def last_body(mock_server):
    return mock_server.requests[-1].json


def sent(mock_server):
    return last_body(mock_server)["messages"][-1]["content"]


def test_an_expression_in_double_braces_is_evaluated(run, openai):
    assert run("x = 40").error is None
    assert run("%%chat\nWhat is {{ x + 2 }}, and {x}?").error is None
    assert sent(openai) == "What is 42, and {x}?"


def test_raw_sends_braces_as_they_are(run, openai):
    assert run("%%chat --raw\nWhat is {{ x }}?").error is None
    assert sent(openai) == "What is {{ x }}?"


def test_an_expression_that_fails_is_named_and_nothing_is_sent(run, openai, session):
    before = len(openai.requests)
    error = run("%%chat\nWhat is {{ undefined_name }}?").error
    assert "undefined_name" in str(error)
    assert len(openai.requests) == before
    assert not session.conversations.get().turns


def test_a_file_goes_before_the_prompt(run, openai, tmp_path):
    (tmp_path / "note.txt").write_text("Ключ под ковриком", encoding="utf-8")
    assert run(f'%%chat --file "{tmp_path / "note.txt"}"\nWhere is the key?').error is None
    content = sent(openai)
    assert content.index("Ключ под ковриком") < content.index("Where is the key?")
    assert "note.txt" in content
    assert str(tmp_path) not in content


def test_an_image_goes_along_as_a_part_and_stays_in_the_conversation(run, openai, tmp_path, session):
    (tmp_path / "dot.png").write_bytes(PIXEL)
    assert run(f'%%chat --image "{tmp_path / "dot.png"}"\nWhat is this?').error is None
    text, image = sent(openai)
    assert text == {"type": "text", "text": "What is this?"}
    assert image["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PIXEL).decode()
    assert run("%%chat\nAnd now?").error is None
    assert last_body(openai)["messages"][0]["content"][1] == image
    assert session.conversations.get().turns[0].images == (image["image_url"]["url"],)


def test_an_image_for_a_model_that_takes_none_is_an_error_before_any_io(run, openai, tmp_path):
    (tmp_path / "dot.png").write_bytes(PIXEL)
    before = len(openai.requests)
    error = run(
        f'%%chat -m lockchat:gpt-4 --base-url {openai.url("lockchat")} --image "{tmp_path / "dot.png"}"\nhi'
    ).error
    assert "does not support images" in str(error)
    assert len(openai.requests) == before


def test_a_dry_run_shows_what_would_be_sent_and_sends_nothing(run, openai, session):
    run("x = 'Привет'")
    before = len(openai.requests)
    shown = run('%%chat --dry-run -s "Be kind." -t 0.5\nSay {{ x }} and {y}').reply
    assert "Nothing was sent" in shown
    assert "openai:demo" in shown
    assert openai.url("openai") in shown
    assert "Be kind." in shown
    assert "    Say Привет and {y}" in shown
    assert '"temperature": 0.5' in shown
    assert "2 messages, " in shown
    assert len(openai.requests) == before
    assert not session.conversations.get().turns


def test_long_lines_of_a_dry_run_wrap(run):
    (output,) = run("%%chat --dry-run\nhi").outputs
    assert '<code style="white-space: pre-wrap">' in output.data["text/html"]  # on its parent, reply.css overrides it


def test_a_dry_run_needs_no_credential_and_shows_none(run, shell, monkeypatch):
    assert "credential: missing" in run("%%chat -m openai --dry-run\nhi").reply
    monkeypatch.setenv("OPENAI_API_KEY", "sk-a-credential-of-some-length")
    shell.user_ns["leaked"] = "sk-a-credential-of-some-length"
    shown = run("%%chat -m openai --dry-run\nis it {{ leaked }} ?").reply
    assert "credential: given" in shown
    assert "sk-a-credential" not in shown


def test_a_dry_run_tells_of_what_does_not_fit(run, shell):
    shell.user_ns["long"] = "word " * 3000
    shown = run("%%chat -m liaobots:gpt-3.5-turbo --dry-run\n{{ long }}").reply
    assert "The prompt has 15000 characters; gpt-3.5-turbo takes 12000" in shown


def test_a_dry_run_tells_of_the_cassette(run, openai, tmp_path):
    run(f'%lockbots record "{tmp_path / "talk.jsonl"}"')
    assert "cassette: talk.jsonl, mode record" in run("%%chat --dry-run\nhi").reply
    run("%lockbots live")


def test_what_was_cut_is_told_below_the_reply(run, openai, shell):
    shell.user_ns["numbers"] = list(range(100_000))
    html = run("%%chat\nHow many? {{ numbers }}").outputs[0].data["text/html"]
    assert "numbers: " in html
    assert "100,000" in html


def test_a_value_of_several_lines_stands_on_lines_of_its_own(run, openai):
    run("def double(n):\n    return 2 * n")
    run("%%chat\nExplain {{ double }} please")
    assert sent(openai) == "Explain \n```python\ndef double(n):\n    return 2 * n\n```\n please"


def test_a_wrong_price_is_refused_when_it_is_set(run, openai, session):
    with pytest.raises(TraitError, match=re.escape("{'openai:demo': [0.15, 0.60]}")):
        session.settings.prices = {"openai:gpt-4": [1, 2], "openai:demo": 5}
    assert session.settings.prices == {}


def test_a_remark_goes_along_with_the_last_error(run, openai):
    run("1 / 0")
    run("%lockbots explain -- по-русски, don't be long")
    assert sent(openai).endswith("\n\nпо-русски, don't be long")


def test_a_persona_is_taken_by_its_name_and_filled_in(run, openai, session):
    session.settings.personas = {"reviewer": "You review {{ language }} code."}
    assert run('%%chat --system "@reviewer language=Python"\nhi').error is None
    assert last_body(openai)["messages"][0] == {"role": "system", "content": "You review Python code."}


def test_persona_of_the_notebook_precedes_files_beside_it_and_those_of_the_user(
    run, openai, session, tmp_path, monkeypatch
):
    user, here, beside = folders = [tmp_path / name for name in ("user", "here", "beside")]
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(user))
    monkeypatch.setattr(session, "own_notebook", lambda: beside / "talk.ipynb")

    def system():
        assert run("%%chat --no-history --system @poet\nhi").error is None
        return last_body(openai)["messages"][0]["content"]

    for folder in folders:  # each precedes the one before
        path = (folder / "lockbots" if folder == user else folder) / "personas" / "poet.md"
        path.parent.mkdir(parents=True)
        path.write_text(f"Rhyme as {folder.name}.", encoding="utf-8")
        assert system() == f"Rhyme as {folder.name}."
    session.settings.personas = {"poet": "Rhyme as the notebook."}
    assert system() == "Rhyme as the notebook."


def test_personas_of_the_user_are_in_the_home_directory_by_default(session, tmp_path, monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert session.persona_folders()[-1] == tmp_path / ".config" / "lockbots" / "personas"


def test_json_is_read_into_the_variable(run, openai, shell):
    cell = run('%%chat --as json --to answer\nsay {"x": [1, 2]}')
    assert cell.error is None
    assert "opacity:0.5" not in str(cell.outputs)
    assert shell.user_ns["answer"] == {"x": [1, 2]}


def test_json_is_checked_against_a_type_of_the_notebook(run, openai, shell):
    run("from dataclasses import dataclass\n@dataclass\nclass City:\n    name: str\n    people: int")
    assert run('%%chat --as json --schema City --to city\nsay {"name": "Томск", "people": 5}').error is None
    assert (shell.user_ns["city"].name, shell.user_ns["city"].people) == ("Томск", 5)
    assert run('%%chat --as json --schema "list[int]" --to numbers\nsay [1, 2]').error is None
    assert shell.user_ns["numbers"] == [1, 2]


def test_json_outside_the_conversation_is_asked_for_again_too(run, openai, session):
    before = len(openai.requests)
    cell = run("%%chat --as json --no-history\ncount to 3")
    assert "Sent 3 times" in str(cell.error)
    assert len(openai.requests) == before + 3
    tries = [output.data["text/html"] for output in cell.outputs]
    assert all('style="opacity:0.5"' in html and "rejected: " in html for html in tries)
    assert len(tries) == 3
    assert len(last_body(openai)["messages"]) == 5, "each try is told of those before"
    assert not session.conversations.get().turns
    assert list(session.conversations.by_name) == ["main"]


def stop_when_asked(mock_server, session):
    """Stop all replies as soon as the server has been asked."""

    def stop():
        mock_server.wait_for_request()
        while not session.stop():
            pass

    thread = threading.Thread(target=stop)
    thread.start()
    return thread


@pytest.mark.parametrize("options", ["--as json", '--each "[1]" --schema int'])
def test_the_guide_is_not_asked_for_json(run, session, options):
    assert "built-in guide" in str(run(f"%%chat -m guide {options}\nHow many?").error)
    assert not session.conversations.get().turns
    assert run(f"%%chat -m guide {options} --dry-run\nHow many?").error is None


@pytest.mark.parametrize("form", ["json", "code"])
def test_a_reply_that_was_stopped_is_not_asked_for_again_nor_offered(
    run, mock_server, session, shell, monkeypatch, form
):
    offered = []
    monkeypatch.setattr(shell, "set_next_input", lambda code, replace=False: offered.append(code))
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='silence')}")
    thread = stop_when_asked(mock_server, session)
    error = run(f"%%chat --as {form}\nshow code").error
    thread.join()
    assert type(error).__name__ == "Interrupted"
    assert len(mock_server.requests) == 1
    assert not offered


def test_an_interrupt_before_the_first_word_leaves_the_variable_as_it_was(run, mock_server, session, shell):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='silence')}")
    shell.user_ns["answer"] = "good"
    thread = stop_when_asked(mock_server, session)
    run("%%chat --to answer\nhi")
    thread.join()
    assert shell.user_ns["answer"] == "good"


def test_a_function_that_was_interrupted_is_told(run, openai, session):
    run("def slow():\n    'Slow.'\n    raise KeyboardInterrupt")
    error = run("%%chat --tools slow\ncall slow {}").error
    assert type(error).__name__ == "Interrupted"
    (turn,) = session.conversations.get().turns
    assert [(call.name, call.result) for call in turn.calls] == [("slow", "interrupted")]


def test_retry_calls_the_functions_again(run, openai, session):
    run("ran = []\ndef note(x: int):\n    'Note.'\n    ran.append(x)\n    return len(ran)")
    assert run('%%chat --tools note\ncall note {"x": 1}', cell_id="c").error is None
    assert run("%lockbots retry").error is None
    (turn,) = session.conversations.get().turns
    assert [call.result for call in turn.calls] == ["2"]
    run("del note")  # the function that the cell named is still at hand
    assert run("%lockbots retry").error is None
    (turn,) = session.conversations.get().turns
    assert [call.result for call in turn.calls] == ["3"]


def test_after_an_image_a_model_that_sees_none_can_be_asked(run, openai, tmp_path, session):
    (tmp_path / "dot.png").write_bytes(PIXEL)
    assert run(f'%%chat --image "{tmp_path / "dot.png"}"\nWhat is this?').error is None
    url = openai.url("lockchat")
    assert run(f"%%chat -m lockchat:gpt-4 --base-url {url}\nAnd now?").error is None
    assert last_body(openai)["messages"][0]["content"].endswith("[an image that you can't see]")


def test_a_persona_of_the_session_is_filled_in_wherever_it_is_used(run, openai, session, shell):
    session.settings.personas = {"reviewer": "You review {{ language }} code."}
    shell.user_ns["language"] = "Rust"
    run("%lockbots set system @reviewer")
    for line in ("%%chat\nhi", "1 / 0\n", "%lockbots explain", "%lockbots compare openai:demo -- hi"):
        run(line)
        assert last_body(openai)["messages"][0]["content"] == "You review Rust code."


def test_two_at_signs_begin_a_text_that_is_no_persona(run, openai, session):
    assert run('%%chat --system "@@all: be kind"\nhi').error is None
    assert last_body(openai)["messages"][0]["content"] == "@all: be kind"


def test_cells_are_as_they_were_typed_in_the_prompt(run, openai, shell):
    shell.history_manager.store_inputs(1, "%time x = 1")
    run("%%chat\n{{ In[-1] }} and {{ In[1] }}")
    assert "%time x = 1" in sent(openai)
    assert "run_line_magic" not in sent(openai)


def test_json_that_does_not_fit_is_asked_for_again_a_few_times_and_its_text_is_kept(run, openai, shell, session):
    before = len(openai.requests)
    error = run("%%chat --as json --to answer\ncount to 3").error
    assert "Sent 3 times" in str(error)
    assert len(openai.requests) == before + 3
    assert len(session.conversations.get().turns) == 3
    assert isinstance(shell.user_ns["answer"], str)


def test_functions_run_when_the_model_asks_and_are_shown(run, openai, session, shell):
    run("def double(n: int) -> int:\n    'Twice the number.'\n    return 2 * n")
    cell = run("%%chat --tools double\n" + 'call double {"n": 21}')
    assert cell.error is None
    (turn,) = session.conversations.get().turns
    assert [(call.name, json.loads(call.arguments), call.result) for call in turn.calls] == [
        ("double", {"n": 21}, "42")
    ]
    assert "double(n=21) -&gt; 42" in cell.outputs[0].data["text/html"]
    assert "42" in turn.reply


def test_a_provider_without_function_calls_says_so(run, session):
    run("def f(): 'Nothing.'")
    assert "does not support tools" in str(run("%%chat --tools f\nhi").error)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--tools nothing_there", "nothing_there"),
        ("--as json --schema nothing_there", "nothing_there"),
        ("--schema x", "--as json"),
        ("--as code --background", "--background"),
        ("--as poem", "--as"),
        ("--file no-such-file.txt", "no-such-file.txt"),
        ("--image no-such-file.png", "no-such-file.png"),
        ("--cells 900", "900"),
        ("--system @nobody", "nobody"),
        ("--to 1x", "--to"),
    ],
)
def test_what_is_wrong_with_an_option_is_told_in_one_line(run, openai, options, told):
    before = len(openai.requests)
    error = run(f"%%chat {options}\nhi").error
    assert told in str(error)
    assert "\n" not in str(error)
    assert len(openai.requests) == before


FAILING_PROPERTY = """
class Weather:
    station = "north"

    @property
    def today(self):
        raise ConnectionError("the station is down")

weather = Weather()
"""


@pytest.mark.parametrize("option", ["--tools", "--image"])
def test_cause_of_a_property_that_fails_is_told(run, openai, option):
    run(FAILING_PROPERTY)
    error = str(run(f"%%chat {option} weather.today\nhi").error)
    assert f"{option}: reading 'weather.today' failed: ConnectionError: the station is down" in error
    assert "AttributeError" in str(run(f"%%chat {option} weather.tomorrow\nhi").error)
    assert not [request for request in openai.requests if request.method == "POST"]


def test_code_becomes_a_new_cell_and_goes_into_the_variable(run, openai, shell, monkeypatch):
    offered = []
    monkeypatch.setattr(shell, "set_next_input", lambda code, replace=False: offered.append(code))
    cell = run("%%chat --as code --to code\nshow code")
    assert cell.error is None
    assert offered == [shell.user_ns["code"]]
    assert offered[0].startswith("def greet(")
    assert "```" in cell.reply, "it stands in the output, too"


def test_a_reply_without_code_says_so_and_is_kept(run, openai, session):
    error = run("%%chat --as code\nsay no").error
    assert "no code block" in str(error)
    assert [t.reply for t in session.conversations.get().turns] == ["no"]


def test_the_last_error_is_explained_with_the_code_of_its_cell(run, openai):
    run("values = {'a': 1}\nvalues['{b}']")
    assert run("%lockbots explain").error is None
    prompt = sent(openai)
    assert "KeyError" in prompt
    assert "values['{b}']" in prompt


@pytest.mark.parametrize("command", ["explain", "fix", "explain -m guide"])
def test_an_error_is_no_question_for_the_guide(run, session, command):
    run("1 / 0")
    cell = run(f"%lockbots {command}")
    assert "needs a model" in str(cell.error)
    assert "`%lockbots use ollama:llama3.2`" in str(cell.error)
    assert session.conversations.get().turns == ()


def test_a_fix_becomes_a_new_cell(run, openai, shell, monkeypatch):
    offered = []
    monkeypatch.setattr(shell, "set_next_input", lambda code, replace=False: offered.append(code))
    run("1 / 0")
    run("%lockbots fix")
    assert "ZeroDivisionError" in sent(openai)
    assert offered == ["1 / 0"], "the mock server says the prompt, and so the cell in it"
    monkeypatch.setattr("lockbots_magic.notebook.delivery.extract_code", lambda _: "1 / 1")
    with contextlib.redirect_stdout(io.StringIO()) as text:
        shell.run_cell("%lockbots fix")
    assert "-1 / 0\n+1 / 1" in text.getvalue(), "a terminal shows what changes, too"


@pytest.fixture
def _no_error_of_before(monkeypatch):
    monkeypatch.delattr(sys, "last_value", raising=False)


@pytest.mark.usefixtures("_no_error_of_before")
def test_nothing_to_explain_is_told(run, openai):
    assert "No cell has failed" in str(run("%lockbots explain").error)


@pytest.mark.usefixtures("_no_error_of_before")
def test_errors_of_the_toolkit_itself_are_not_the_last_error(run, openai, session):
    run("%%chat --tools nothing_there\nhi")
    assert session.cells.last_error is None

"""`%lockbots`: every command, as a person types it."""

import io
import json
import sys

import pytest
from IPython.utils.capture import capture_output

import lockbots_magic
from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import Interrupted, UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.commands import COMMANDS
from lockbots_magic.notebook.commands.result import DisplayResult, TextResult
from lockbots_magic.notebook.session import Session
from lockbots_magic.security.secrets import Secret


@pytest.fixture
def chat(shell):
    def run(line):
        with capture_output():
            shell.run_line_magic("chat", line)

    return run


def prompts(session):
    return [t.prompt for t in session.conversations.get().turns]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(lockbots, name):
    assert f"%lockbots {name}" in lockbots(f"{name} -h")
    assert COMMANDS[name].run.__doc__.strip().splitlines()[0] in lockbots("help")


def test_without_a_command_it_tells_the_status(lockbots):
    assert lockbots("") == lockbots("status")
    assert "guide:help" in lockbots("")


def test_status_names_no_credential(lockbots, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-credential-1")
    lockbots("use openai:demo")
    said = lockbots("status")
    assert "environment" in said
    assert "planted" not in said + lockbots("providers")


def test_use_says_what_is_missing(lockbots, session):
    assert "login liaobots" in lockbots("use liaobots:gpt-4")
    assert session.settings.model == "liaobots:gpt-4"


def test_use_remembers_the_address_for_that_provider_only(lockbots, session, mock_server):
    lockbots(f"use openai:demo --base-url {mock_server.url('openai')}")
    assert session.chat().provider.base_url == mock_server.url("openai")
    assert session.chat("ollama:x").provider.base_url == "http://localhost:11434/v1"


def test_a_wrong_model_leaves_the_old_one(lockbots, session):
    for line in ("use nosuch:x", "use openai:x --base-url nonsense", "set model nosuch"):
        with pytest.raises(ValueError, match=r"nosuch|base URL"):
            lockbots(line)
    assert session.settings.model == "guide"


def test_models_come_from_the_table_or_the_server(lockbots, mock_server):
    assert "24000" in lockbots("models liaobots")
    lockbots(f"use openai:demo --base-url {mock_server.url('openai')}")
    assert "openai:" in lockbots("models")


def test_providers_lists_all_of_them(lockbots):
    said = lockbots("providers")
    assert all(name in said for name in ("guide", "lockchat", "liaobots", "openai", "ollama", "vllm"))
    addresses = {line.split()[0]: line for line in said.splitlines() if line.strip()}
    assert "built in" in addresses["guide"]
    assert "built in" not in addresses["azure"]


def test_history_shows_prompt_reply_and_state(lockbots, chat):
    assert "Conversation main" in lockbots("history")
    chat("hello\nthere")
    chat("second")
    said = lockbots("history")
    assert "hello there" in said
    assert "complete" in said
    assert "hello" not in lockbots("history -n 1")


@pytest.mark.parametrize("line", ["history -n -2", "history -n 0", "undo -2", "undo 0"])
def test_number_of_turns_below_one_is_refused(lockbots, chat, session, line):
    for prompt in ("one", "two", "three"):
        chat(prompt)
    with pytest.raises(UsageError, match=rf"must be a number >= 1, got '{line.split()[-1]}'"):
        lockbots(line)
    assert len(session.conversations.get()) == 3


def test_history_shows_as_many_turns_as_named(lockbots, chat):
    for prompt in ("prompt-1", "prompt-2", "prompt-3"):
        chat(prompt)
    said = lockbots("history -n 2")
    assert "prompt-1" not in said
    assert "prompt-2" in said
    assert "prompt-3" in said


def test_undo_retry_and_clear(lockbots, chat, session):
    chat("one")
    chat("two")
    assert "two" in lockbots("undo")
    first = session.conversations.get().turns[0]
    lockbots("retry")
    assert prompts(session) == ["one"]
    assert session.conversations.get().turns[0].id != first.id
    assert "1 turn" in lockbots("clear")
    assert prompts(session) == []
    with pytest.raises(ValueError, match="Nothing to undo"):
        lockbots("undo")
    with pytest.raises(ValueError, match="no turn"):
        lockbots("retry")


def test_several_conversations(lockbots, chat, session):
    chat("in main")
    assert "chat" in lockbots("new")
    chat("in chat")
    lockbots("new physics")
    assert session.conversations.current == "physics"
    with pytest.raises(ValueError, match="already"):
        lockbots("new physics")
    lockbots("switch main")
    assert prompts(session) == ["in main"]
    said = lockbots("list")
    assert all(name in said for name in ("main", "chat", "physics"))
    lockbots("delete physics")
    with pytest.raises(ValueError, match="physics"):
        lockbots("switch physics")
    lockbots("switch chat")
    lockbots("delete chat")
    assert session.conversations.current == "main"


def test_fork_copies_up_to_a_turn(lockbots, chat, session):
    chat("one")
    chat("two")
    lockbots("fork --at 1")
    assert (session.conversations.current, prompts(session)) == ("main-fork", ["one"])
    lockbots("switch main")
    lockbots("fork trial")
    assert prompts(session) == ["one", "two"]
    with pytest.raises(ValueError, match="--at"):
        lockbots("fork --at 9")


def test_save_and_load(lockbots, chat, session, tmp_path):
    chat("привет, мир")
    file = tmp_path / "a talk.json"
    assert str(file) in lockbots(f'save "{file}"')
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1
    lockbots("clear")
    lockbots(f'load "{file}"')
    assert prompts(session) == ["привет, мир"]
    assert session.conversations.current == "main-2", "what was there under that name is not lost"


def test_files_that_hold_something_else_are_not_overwritten(lockbots, chat, session, tmp_path):
    chat("hi")
    table, notebook = tmp_path / "data.csv", tmp_path / "work.ipynb"
    code = {"cell_type": "code", "source": ["x = 1"], "outputs": [], "metadata": {}, "execution_count": 1}
    for path, text in ((table, "a,b\n"), (notebook, json.dumps({"cells": [code], "nbformat": 4, "nbformat_minor": 5}))):
        path.write_text(text)
        for command in ("save", "export")[: 1 + (path is notebook)]:
            with pytest.raises(UsageError, match="holds something else"):
                lockbots(f"{command} {path}")
        assert path.read_text() == text
    for name, text in {"README.md": "# A\n\nB\n", "package.json": '{"name": "x"}', "page.html": "<p>x"}.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError, match="holds something else"):
            lockbots(f"export {tmp_path / name}")
        assert (tmp_path / name).read_text() == text
    for language in ("en", "ru", "en"):  # its own files are written anew
        lockbots(f"set language {language}")
        lockbots(f"save {tmp_path / 'talk.json'}")
        for ending in ("ipynb", "md", "html", "json"):
            lockbots(f"export {tmp_path / 'export'}.{ending}")
    lockbots("new empty")
    session.conversations.get().system = "Be brief."
    for ending in ("ipynb", "md", "html", "json") * 2:
        lockbots(f"export {tmp_path / 'empty'}.{ending}")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "other"}', "\x00", "[" * 100_000])
def test_loading_something_else_is_one_message(lockbots, session, tmp_path, content):
    file = tmp_path / "x.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"JSON|conversation"):
        lockbots(f"load {file}")
    with pytest.raises(ValueError, match=r"[Cc]an't (be )?read"):
        lockbots(f"load {tmp_path / 'missing.json'}")
    assert session.conversations.current == "main"


def test_saving_where_it_can_not_be_written_is_one_message(lockbots, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="can't be written"):
        lockbots(f"save {tmp_path / 'file' / 'below.json'}")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("set temperature 0", "temperature", 0.0),
        ("set temperature none", "temperature", None),
        ("set system You're brief", "system", "You're brief"),
        ("set system 5", "system", "5"),
        ("set live off", "live", "off"),
        ("set total_timeout 5", "total_timeout", 5.0),
        ("set silence_timeout none", "silence_timeout", None),
        ("set max_retries 0", "max_retries", 0),
    ],
)
def test_set(lockbots, session, line, name, value):
    lockbots(line)
    assert getattr(session.settings, name) == value


@pytest.mark.parametrize(
    "line", ["set live sometimes", "set temperature warm", "set colour red", "set timeout 0", "set colour"]
)
def test_set_refuses_what_does_not_fit(lockbots, line):
    with pytest.raises(ValueError, match=r"live|temperature|colour|timeout"):
        lockbots(line)
    assert "auto" in lockbots("set")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("max_retries -1", "max_retries must be >= 0, got -1."),
        ("max_retries many", "max_retries must be an int, got 'many'."),
        ("temperature hot", "temperature must be a float, got 'hot'."),
        ("temperature 3", "temperature must be 0-2, got 3."),
        ("temperature -0.1", "temperature must be 0-2, got -0.1."),
        ("temperature 1e999", "temperature must be 0-2, got inf."),
        ("timeout 0", "timeout must be a float >= 0.001, got 0."),
        ("live sometimes", "live must be one of auto, on, off, text, got 'sometimes'."),
        ("providers 5", "providers must be a dict, got 5."),
        ("providers {'openai': 5}", "providers must be a dict of dicts, such as"),
    ],
)
def test_set_tells_the_constraint_and_the_value(lockbots, line, told):
    with pytest.raises(UsageError) as caught:
        lockbots(f"set {line}")
    assert str(caught.value).startswith(told)
    assert str(caught.value).count("0-2") == ("temperature" in line), "the range stands there once"


def test_set_without_a_value_shows_the_setting_but_no_credential(lockbots, session):
    session.settings.providers = {
        "openai": {"auth": "planted-credential-6", "headers": {"X-Api-Key": "planted-credential-7", "X-Dept": "7"}}
    }
    for name, value, described in session.settings.rows():
        shown = lockbots(f"set {name}")
        assert shown.startswith(f"{name} = ")
        assert described in shown
        assert "planted" not in shown
        assert getattr(session.settings, name) == value
    assert lockbots("set live").splitlines()[0] == f"live = {session.settings.live}"


def test_login_is_typed_hidden_and_kept_in_the_kernel(lockbots, session, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _: " planted-credential-2 ")
    assert "planted" not in lockbots("login liaobots")
    assert session.credentials.get("liaobots").reveal() == "planted-credential-2"
    assert session.chat("liaobots").provider.auth.reveal() == "planted-credential-2"
    assert "planted" not in lockbots("status") + repr(session.credentials.get("liaobots"))
    assert "Deleted the credential" in lockbots("logout liaobots")
    assert session.credentials.get("liaobots") is None


def test_login_where_nobody_can_be_asked_names_the_variable(lockbots, monkeypatch):
    def nobody(_):
        raise EOFError

    monkeypatch.setattr("getpass.getpass", nobody)
    with pytest.raises(ValueError, match="OPENAI_API_KEY"):
        lockbots("login openai")


def test_a_credential_in_the_line_is_taken_with_a_warning(lockbots, session):
    with pytest.warns(UserWarning, match="holds a credential"):
        lockbots("login liaobots planted-credential-3")
    assert session.credentials.get("liaobots").reveal() == "planted-credential-3"


def test_a_credential_that_can_not_be_sent_is_refused_unseen(lockbots, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _: "planted\ncredential")
    with pytest.raises(Exception, match="line break") as caught:
        lockbots("login liaobots")
    assert "planted" not in str(caught.value)


def test_the_keyring_is_used_where_there_is_one(lockbots, shell, monkeypatch):
    store = {}

    class Keyring:
        """A keyring in a dict, in the place of the module."""

        @staticmethod
        def set_password(service, name, value):
            store[service, name] = value

        @staticmethod
        def get_password(service, name):
            return store.get((service, name))

        @staticmethod
        def delete_password(service, name):
            del store[service, name]

    monkeypatch.setitem(__import__("sys").modules, "keyring", Keyring)
    monkeypatch.setattr("getpass.getpass", lambda _: "planted-credential-4")
    assert "keyring" in lockbots("login liaobots")
    another = Session()
    assert another.credentials.get("liaobots").reveal() == "planted-credential-4"
    lockbots("logout liaobots")
    assert store == {}


def test_list_of_commands_shows_the_first_paragraph_of_each(lockbots):
    text = lockbots("help")
    assert COMMANDS["record"].summary in text
    assert "cassette=FILE" in COMMANDS["record"].options("record").format_help()
    assert "cassette=FILE" not in text


def test_help_on_a_topic_comes_from_the_guide(lockbots):
    assert "ollama" in lockbots("help ollama").lower()
    assert "--base-url" in lockbots("help use")
    assert "More: %lockbots help Chat panel" in lockbots("help panel")
    with pytest.raises(ValueError, match=r"Unknown help topic 'quantum gravity'\. To list the topics"):
        lockbots("help quantum gravity")
    with pytest.raises(ValueError, match="Did you mean 'usage'"):
        lockbots("help usge")


def test_help_on_a_topic_is_written_where_there_are_no_outputs(shell, capsys):
    shell.run_line_magic("lockbots", "help ollama")
    written = capsys.readouterr().out
    assert written.startswith("**")
    assert "%lockbots use ollama" in written


def test_help_on_a_topic_is_shown_as_a_reply_is(run):
    (page,) = run("%lockbots help ollama").outputs
    assert "<strong>" in page.data["text/html"]
    assert "<pre" in page.data["text/html"]
    assert page.data["text/markdown"].startswith("**")
    assert page.data["text/plain"].startswith("**")


@pytest.mark.parametrize(("word", "title"), [("topics", "Chat panel"), ("темы", "Панель чата")])
def test_help_lists_its_topics(lockbots, word, title):
    assert title in lockbots(f"help {word}").splitlines()


def test_none_takes_a_text_away(lockbots, session):
    lockbots("set system Be kind.")
    lockbots("set system None")
    assert session.settings.system == ""


def test_commands_need_no_notebook():
    session = Session()
    status, usage = commands.run(session, "status"), commands.run(session, "use --help")
    assert isinstance(status, DisplayResult)
    assert "guide" in repr(status.value)
    assert isinstance(usage, TextResult)
    assert "--base-url" in usage.text


def test_the_environment_chooses_the_model(monkeypatch):
    monkeypatch.setenv("LOCKBOTS_MODEL", "ollama:llama3:8b")
    monkeypatch.setenv("LOCKBOTS_OLLAMA_BASE_URL", "http://localhost:9/v1")
    chat = Session().chat()
    assert (chat.provider.name, chat.model, chat.provider.base_url) == ("ollama", "llama3:8b", "http://localhost:9/v1")


def test_use_without_an_address_stays_where_it_is_and_says_so(lockbots, session):
    assert "at http://localhost:9/v1" in lockbots("use openai:a --base-url http://localhost:9/v1")
    assert "not needed" in lockbots("status")
    said = lockbots("use openai:b")
    assert "at http://localhost:9/v1, as before" in said
    assert "%lockbots use openai --base-url default" in said
    assert session.chat().provider.base_url == "http://localhost:9/v1"
    said = lockbots("use openai:b --base-url default")
    assert "at https://api.openai.com/v1" in said
    assert "login openai" in said
    assert session.chat().provider.base_url == "https://api.openai.com/v1"


def test_status_is_there_when_the_model_is_wrong(lockbots, session):
    session.settings.model = "nosuch:x"
    assert "Unknown provider" in lockbots("status")


def test_a_credential_in_the_settings_shows_nowhere(lockbots, session):
    session.settings.providers = {"openai": {"auth": "planted-credential-6"}}
    assert "planted" not in lockbots("set") + lockbots("status") + str(session.settings.providers)
    assert session.chat("openai:x").provider.auth.reveal() == "planted-credential-6"
    with pytest.raises(Exception, match="dict of dicts"):
        session.settings.providers = {"guide": 5}


def test_a_question_after_help_is_the_topic(lockbots):
    assert "--base-url" in lockbots("use?")
    assert "usage" not in lockbots("help how do I connect a real model?")


def test_what_can_not_be_written_as_json_is_not_saved(lockbots, session, tmp_path):
    session.conversations.get().commit(Turn("q", "a", params={"x": object()}), session.conversations.get().slot())
    with pytest.raises(ValueError, match="JSON"):
        lockbots(f"save {tmp_path / 'x.json'}")
    session.conversations.get().clear()
    with pytest.raises(ValueError, match="can't be written"):
        lockbots(f"save {tmp_path}")
    assert not [*tmp_path.parent.glob(".*.tmp"), *tmp_path.glob("*.json")]


def test_an_interrupt_at_the_login_prompt_is_one_line(lockbots, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr("getpass.getpass", interrupted)
    with pytest.raises(Interrupted, match="nothing was changed"):
        lockbots("login openai")


def test_a_cassette_of_one_provider_goes_before_the_sessions(session, tmp_path):
    session.settings.providers = {"guide": {"cassette": str(tmp_path / "a.jsonl")}}
    session.chat("guide").ask("hi")
    assert (tmp_path / "a.jsonl").exists()
    with pytest.raises(Exception, match="can't set 'conversation'"):
        session.settings.providers = {"guide": {"conversation": "main"}}


PLANTED = "planted-credential-of-a-service-0123456789"


DISPLAYS = ["status", "set", "history", "list", "models", "providers", "usage", "usage --turns", "usage --all", "help"]


@pytest.mark.parametrize("line", DISPLAYS)
@pytest.mark.parametrize("place", [0, 40])
def test_nothing_that_a_command_displays_shows_a_credential(shell, session, mock_server, line, place):
    secret = Secret(PLANTED)
    text = "x" * place + f" {PLANTED[:9]}\0{PLANTED[9:]} {PLANTED}"
    session.use("openai:demo", mock_server.url("openai"))
    session.catalog.keep("openai", mock_server.url("openai"), [ModelInfo(PLANTED, PLANTED, 1, 1)])
    session.settings.system = text
    conversation = session.conversations.get()
    conversation.system = text
    for status in ("complete", "error"):
        turn = Turn(text, text, model=PLANTED, provider=PLANTED, system=text, status=status, error=text)
        conversation.commit(turn, conversation.slot())
    with capture_output() as captured:
        shell.run_line_magic("lockbots", line)
    told = captured.stdout + captured.stderr + "".join(json.dumps(o.data, default=repr) for o in captured.outputs)
    assert told
    assert "planted" not in told
    assert secret


def test_turn_that_a_cell_ends_with_shows_no_credential(shell):
    secret = Secret(PLANTED)
    forms, _ = shell.display_formatter.format(
        Turn(PLANTED, f"the key is {PLANTED[:9]}\x1b{PLANTED[9:]}", model=PLANTED)
    )
    assert {"text/plain", "text/html"} <= set(forms)
    assert "planted" not in json.dumps(forms)
    assert secret


def test_code_puts_the_code_of_the_last_reply_into_a_cell(lockbots, shell, session, monkeypatch):
    with pytest.raises(UsageError, match="No cell has shown a reply yet"):
        lockbots("code")
    with pytest.raises(UsageError, match="has shown a reply"):
        lockbots_magic.last_turn()
    inserted = []
    monkeypatch.setattr(shell, "set_next_input", lambda code, **_: inserted.append(code))
    turn = Turn("q", "```python\nx = 1\n```\n\n```bash\nls\n```\n\n```python\ny = 2\n```")
    session.last_turn = turn
    lockbots("code")
    lockbots("code 2")
    assert inserted == ["x = 1\n\ny = 2", "ls"]
    for wrong in ("code 4", "code 0"):
        with pytest.raises(UsageError, match="N must be 1-3"):
            lockbots(wrong)
    assert lockbots_magic.last_turn() is turn


def test_a_prompt_makes_its_turn_the_last(lockbots, chat, session):
    chat("hello")
    assert session.last_turn is session.conversations.get().turns[-1]
    chat("--no-history other")
    assert session.last_turn.prompt == "other"


def test_console_without_the_letters_gets_question_marks(shell, chat, monkeypatch):
    chat("Привет – “é”")
    written = io.BytesIO()
    console = io.TextIOWrapper(written, "cp1252")
    monkeypatch.setattr(sys, "stdout", console)
    shell.run_line_magic("lockbots", "history")  # a table
    shell.run_line_magic("lockbots", "new Ж")  # a line
    with pytest.raises(UsageError) as raised:
        shell.run_line_magic("lockbots", "switch Щ")
    assert "'?'" in raised.value._render_traceback_()[0]
    console.flush()
    shown = written.getvalue().decode("cp1252")
    monkeypatch.undo()
    assert "?????? – “é”" in shown
    assert "Started conversation ?." in shown
    assert console.errors == "strict"

"""`%%chat`, `%chat` and the extension, in an IPython without a kernel."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.utils.capture import capture_output

import lockbots_magic
from lockbots_magic.notebook import warm_up
from lockbots_magic.notebook.extension import session_of


def turns(session):
    return session.conversations.get().turns


def test_the_first_cell_answers_with_nothing_configured(run):
    cell = run("%%chat\nHow do I connect a real model?")
    assert cell.error is None
    assert "%lockbots" in cell.reply
    assert set(cell.outputs[0].data) == {"text/html", "text/markdown", "text/plain"}


@pytest.mark.parametrize(
    "prompt",
    [
        "don't panic",
        "it costs $5 and {x} or {}",
        "What's up?",
        "how are you?",
        "как дела?",
        'a "quoted" word??',
        "smile :(",
        "back\\slash \\n",
        "100% sure!",
        "f(x) = [1, 2",
        "日本語 😀 ?",
        "'''",
    ],
)
def test_any_prompt_arrives_untouched_on_a_line_and_in_a_cell(run, openai, prompt):
    assert run(f"%chat -- {prompt}").error is None
    assert openai.requests[-1].json["messages"][-1]["content"] == prompt
    assert run(f"%chat {prompt}").error is None
    assert openai.requests[-1].json["messages"][-1]["content"] == prompt
    assert run(f"%%chat\n{prompt}\n\n  and {{more}}").error is None
    assert openai.requests[-1].json["messages"][-1]["content"] == f"{prompt}\n\n  and {{more}}"


def test_a_question_mark_after_the_magic_alone_is_still_help(run, openai):
    for source in ("%chat?", "%%chat?", "%lockbots?"):
        assert run(source).error is None
    assert "--base-url" in run("%lockbots use?").stdout
    assert not openai.requests


@pytest.mark.parametrize("blank", [" ", "\t", "\u00a0", "\u202f", "\u3000"])
def test_any_blank_ends_the_name_of_a_magic(run, openai, session, blank):
    """Pages have no-break spaces where they show a command, and a copy has them, too."""
    assert run(f"%chat{blank}Is this\u00a0a line?").error is None
    assert run(f"for i in range(1):\n    %chat{blank}Is this one?\nx = 5").error is None
    assert run(f"%%chat{blank}-t{blank}0.5\nIs this a cell?").error is None
    assert [t.prompt for t in turns(session)] == ["Is this\u00a0a line?", "Is this one?", "Is this a cell?"]
    assert run(f"%lockbots{blank}set temperature").stdout.startswith("temperature = None")


def test_chat_stands_among_other_code(run, openai, session):
    cell = run("for i in range(2):\n    %chat is this line {i}?\nx = 5")
    assert cell.error is None
    assert [t.prompt for t in turns(session)] == ["is this line {i}?"] * 2


def test_a_magic_inside_a_string_is_text(run, shell):
    assert run('text = """\n%chat is this?\n"""').error is None
    assert shell.user_ns["text"] == "\n%chat is this?\n"


@pytest.mark.parametrize("blank", ["\t", "\u00a0"])
def test_no_blank_of_a_text_changes(run, openai, session, shell, tmp_path, blank):
    text = f"%chat{blank}is this?\n%lockbots{blank}set\n"
    assert run(f'%chat{blank}Don\'t?\ntext = """\n{text}"""\n%chat{blank}So?').error is None
    assert shell.user_ns["text"] == f"\n{text}"
    assert [t.prompt for t in turns(session)] == ["Don't?", "So?"]
    assert run(f"%%writefile {tmp_path / 'notes.txt'}\n{text}").error is None
    assert (tmp_path / "notes.txt").read_text("utf-8") == text


def test_a_cell_run_again_replaces_its_turn(run, openai, session):
    run("%%chat\none", "c1")
    run("%%chat\ntwo", "c2")
    run("%%chat\nuno", "c1")
    assert [(t.prompt, t.stale) for t in turns(session)] == [("uno", False), ("two", True)]
    assert [m["content"] for m in openai.requests[-1].json["messages"]] == ["uno"]


def test_without_a_cell_id_turns_append(run, openai, session):
    run("%%chat\none")
    run("%%chat\none")
    assert len(turns(session)) == 2


def test_a_loop_in_a_cell_keeps_all_its_turns_once(run, openai, session):
    for _ in range(2):
        run("for word in ('a', 'b'):\n    get_ipython().run_line_magic('chat', word)", "loop")
    assert [t.prompt for t in turns(session)] == ["a", "b"]


def test_the_reply_goes_into_a_variable(run, openai, shell):
    run("%%chat --to answer\nsay {42}")
    assert shell.user_ns["answer"] == "{42}"


def test_a_wrong_variable_name_is_refused_before_anything_is_sent(run, openai):
    assert "variable" in str(run("%%chat --to 5x\nhi").error)
    assert not openai.requests


def test_options_reach_the_provider(run, openai):
    run("%%chat -t 0.3 -s 'Be brief.' -p top_p=0.5 -p stop=['x']\nhi")
    sent = openai.requests[-1].json
    assert (sent["temperature"], sent["top_p"], sent["stop"]) == (0.3, 0.5, ["x"])
    assert sent["messages"][0] == {"role": "system", "content": "Be brief."}


def test_no_history_is_neither_told_nor_kept(run, openai, session):
    run("%%chat\none")
    run("%%chat --no-history\ntwo")
    assert len(openai.requests[-1].json["messages"]) == 1
    assert [t.prompt for t in turns(session)] == ["one"]


def test_another_conversation_is_made_on_the_way(run, openai, session):
    run("%%chat -c physics\none")
    assert session.conversations.current == "main"
    assert [t.prompt for t in session.conversations.get("physics").turns] == ["one"]


def test_one_model_for_one_cell(run, openai, mock_server):
    run(f"%%chat -m lockchat:gpt-4 --base-url {mock_server.url('lockchat')}\nhi")
    assert mock_server.requests[-1].json["model"] == "gpt-4"
    run("%%chat\nhi")
    assert mock_server.requests[-1].json["model"] == "demo"


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("%%chat -p colour=red\nhi", "colour"),
        ("%%chat --colour red\nhi", "-h"),
        ("%%chat -m nosuch:x\nhi", "nosuch"),
        ("%%chat openai:gpt-4\nhi", "-m openai:gpt-4"),
        ("%%chat\n\n \n", "prompt is empty"),
        ("%chat", "prompt is empty"),
        ("%chat -t 1", "prompt is empty"),
        ("%%chat --base-url nonsense\nhi", "base URL"),
        ("%lockbots nosuch", "nosuch"),
        ("%lockbots histroy", "history"),
        ("%lockbots use", "-h"),
    ],
)
def test_bad_input_is_one_short_message_and_changes_nothing(run, session, source, says):
    cell = run(source)
    assert says in str(cell.error)
    assert "Traceback" not in cell.stdout + cell.stderr
    assert len((cell.stdout + cell.stderr).splitlines()) <= 2
    assert not turns(session)
    assert session.settings.model == "guide"


def test_a_failed_reply_shows_what_came_and_one_message(run, mock_server, session):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='error-midway')}")
    cell = run("%%chat\ncount to 9")
    assert cell.reply.startswith("1 2")
    assert "broke off" in cell.outputs[0].data["text/html"]
    assert "broke off" not in cell.reply
    assert len(cell.stdout.splitlines()) == 1
    assert turns(session)[0].status == "error"


@pytest.mark.parametrize("mode", ["Plain", "Context", "Verbose", "Minimal"])
def test_no_traceback_style_shows_a_credential(run, mock_server, session, monkeypatch, mode):
    secret = "planted-credential-1234"
    monkeypatch.setenv("LOCKBOTS_LIAOBOTS_AUTH", secret)
    run(f"%lockbots use liaobots --base-url {mock_server.url('liaobots', fault='echo-credential')}")
    run(f"%xmode {mode}")
    cell = run("%%chat\nhi")
    assert type(cell.error).__name__ == "AuthenticationError"
    told = cell.stdout + cell.stderr + repr(cell.error) + repr(vars(cell.error)) + str(cell.outputs)
    assert secret not in told
    assert mock_server.requests, "it was sent"
    assert secret not in json.dumps([t.to_dict() for t in turns(session)])


def test_an_interrupt_is_kept_shown_and_stops_run_all(run, session, monkeypatch):
    def interrupted(prompt):
        yield "partial "
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "chat", lambda *_: chat_of(session, interrupted))
    cell = run("%%chat\nhi")
    assert isinstance(cell.error, KeyboardInterrupt)
    assert not cell.result.success
    assert cell.reply == "partial "
    assert "Interrupted" in cell.outputs[0].data["text/html"]
    assert (cell.stdout, cell.stderr) == ("", ""), "the notice below the reply says it"
    assert turns(session)[0].status == "interrupted"


def chat_of(session, function):
    from lockbots_magic import Chat

    return Chat(function, conversation=session.conversations.get())


def test_notices_are_apart_from_the_reply(run, mock_server):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='cut')}")
    cell = run("%%chat\ncount to 9")
    assert cell.error is None
    assert "closed early" in cell.outputs[0].data["text/html"]
    assert "closed early" not in cell.reply


def registered(shell):
    """Everything an extension could leave behind."""
    return (
        list(shell.configurables),
        {kind: sorted(magics) for kind, magics in shell.magics_manager.magics.items()},
        sorted(shell.magics_manager.registry),
        list(shell.input_transformer_manager.token_transformers),
        list(shell.input_transformers_cleanup),
        {name: list(hooks) for name, hooks in shell.events.callbacks.items()},
        shell.CustomTB,
        dict(shell.strdispatchers),
        list(shell.Completer.custom_matchers),
    )


def test_loading_prints_nothing_and_unloading_leaves_nothing(shell, run):
    loaded = registered(shell)
    shell.run_line_magic("unload_ext", "lockbots_magic")
    bare = registered(shell)
    assert bare != loaded
    cell = run("%load_ext lockbots_magic\n%reload_ext lockbots_magic")
    assert cell.error is None
    assert cell.stdout == cell.stderr == ""
    assert not cell.outputs
    assert run("%chat what?").error is None
    assert run("%unload_ext lockbots_magic").error is None
    assert registered(shell) == bare


def test_unloading_twice_is_no_error(shell):
    from lockbots_magic import unload_ipython_extension

    unload_ipython_extension(shell)
    unload_ipython_extension(shell)


def test_reloading_keeps_the_conversation_and_the_credentials(run, shell, session):
    run("%chat hi")
    run("%lockbots set temperature 0.5")
    run("%reload_ext lockbots_magic")
    assert len(session_of(shell).conversations.get()) == 1
    assert session_of(shell).settings.temperature == 0.5


def test_config_magic_sets_traits(run, session):
    assert run("%config Lockbots.temperature = 0.25").error is None
    assert session.settings.temperature == 0.25


def test_a_credential_written_in_a_cell_is_warned_of(run, session):
    with pytest.warns(UserWarning, match="holds a credential"):
        run("from lockbots_magic import Chat\nc = Chat('liaobots', auth='planted-credential-77')")


def test_help_on_the_options_needs_no_cell_body(run, openai):
    for source in ("%%chat -h", "%%chat -h\n\n", "%chat --help"):
        cell = run(source)
        assert cell.error is None
        assert "--no-history" in cell.stdout


def test_a_cell_that_runs_another_goes_on_owning_its_turns(run, openai, session):
    source = "%chat a\nget_ipython().run_cell('1')\n%chat b"
    for _ in range(2):
        run(source, "c1")
    assert [t.prompt for t in turns(session)] == ["a", "b"]


def test_a_cell_owns_its_turn_after_save_and_load_in_a_new_session(run, openai, session, tmp_path):
    run("%%chat\none", "c1")
    run(f"%lockbots save {tmp_path / 'x.json'}")
    session.conversations._named.clear()
    run(f"%lockbots load {tmp_path / 'x.json'}")
    run("%%chat\nuno", "c1")
    assert [t.prompt for t in turns(session)] == ["uno"]


def test_a_failure_without_text_is_its_message_alone(run, mock_server):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='http-400')}")
    cell = run("%%chat\nhi", "c1")
    assert not cell.outputs
    assert len(cell.stdout.splitlines()) == 1


def test_a_refused_prompt_makes_no_conversation(run, session):
    run("%%chat -c typo -p x=1\nhi")
    assert "typo" not in session.conversations


def test_loading_twice_is_loading_once(shell):
    from lockbots_magic import load_ipython_extension

    loaded = registered(shell)
    load_ipython_extension(shell)
    assert registered(shell)[2:6] == loaded[2:6]
    assert len(registered(shell)[0]) == len(loaded[0])


def test_a_terminal_waits_for_the_lines_below_the_first(shell):
    assert shell.check_complete("%%chat")[0] == "incomplete"
    assert shell.check_complete("%%chat -t 0\n")[0] == "incomplete"


def test_cell_that_ends_with_a_turn_shows_its_reply(shell):
    with capture_output():
        shell.run_cell("from lockbots_magic import Chat\nChat(lambda prompt: '**bold** <b>').ask('hi')")
    data, _ = shell.display_formatter.format(shell.user_ns["_"])
    assert "<strong>bold</strong> &lt;b&gt;" in data["text/html"]
    assert data["text/plain"].startswith("Turn('hi', '**bold** <b>'")
    shell.run_line_magic("unload_ext", "lockbots_magic")
    assert set(shell.display_formatter.format(shell.user_ns["_"])[0]) == {"text/plain"}
    shell.run_line_magic("load_ext", "lockbots_magic")


@pytest.mark.parametrize(
    "prompt",
    [
        ">>> 1 + 1\n2",
        "In [1]: x\n   ...: y",
        "    indented\n  less",
        "a\n   \nb",
        "%timeit x\n!ls\nwhat?",
        "\\ and \\n and {x} $y \"\"\" '''",
    ],
)
def test_prompt_arrives_as_it_was_typed_whatever_it_looks_like(shell, prompt):
    for before in ("", "\n"):
        with capture_output():
            shell.run_cell(f"{before}%%chat\n{prompt}").raise_error()
        assert session_of(shell).conversations.get().turns[-1].prompt == prompt


HEAVY = ["requests", "urllib3", "pydantic", "docstring_parser", "rich", "markdown_it", "nh3", "pygments", "anywidget"]
HEAVY += [
    "ipywidgets",
    "matplotlib",
    "filelock",
    "jsonschema",
    "keyring",
    "pandas",
    "numpy",
    "PIL",
    "mcp",
    "anyio",
    "httpx2",
]


def loaded_modules(code):
    """Return the names of the modules that a process has loaded after `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, lockbots_magic\n{code}\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_loading_the_extension_imports_no_heavy_library_and_no_module_of_a_first_cell():
    bare = loaded_modules("import IPython.core.interactiveshell")
    loaded = loaded_modules("import lockbots_magic.notebook.extension") - bare
    assert loaded & {*HEAVY} == set()
    for room in (
        "rendering",
        "help",
        "panel",
        "prompt.template",
        "testing",
        "notebook.commands",
        "notebook.presenter",
        "tools.mcp",
        "tools.loop",
        "tools.toolbox",
    ):
        assert importlib.util.find_spec(f"lockbots_magic.{room}"), "a renamed module would pass unseen"
        assert [name for name in sorted(loaded) if name.startswith(f"lockbots_magic.{room}")] == []


def test_load_ext_imports_what_sends_a_prompt_and_no_library():
    shell = "from IPython.testing.globalipapp import start_ipython; shell = start_ipython()\n"
    loaded = loaded_modules(f"{shell}shell.run_line_magic('load_ext', 'lockbots_magic')") - loaded_modules(shell)
    assert loaded & {*HEAVY, "xllamacpp", "sqlite3", "snowballstemmer"} == set()
    assert {f"lockbots_magic.{name}" for name in warm_up.AT_ONCE} <= loaded
    for room in ("rendering.markdown", "rendering.html", "rendering.terminal", "help", "panel", "notebook.commands"):
        assert importlib.util.find_spec(f"lockbots_magic.{room}"), "a renamed module would pass unseen"
        assert [name for name in sorted(loaded) if name.startswith(f"lockbots_magic.{room}")] == []


def test_loading_the_extension_compiles_no_method_of_a_dataclass():
    code = """
import lockbots_magic.notebook.extension
modules = [module for name, module in list(sys.modules.items()) if name.startswith("lockbots_magic")]
classes = {one for module in modules for one in vars(module).values() if isinstance(one, type)}
classes = [one for one in classes if "__dataclass_fields__" in vars(one) and one.__module__.startswith("lockbots_")]
assert len(classes) > 30
for one in classes:
    code = getattr(vars(one).get("__eq__"), "__code__", None)
    if code is None or code.co_filename == "<string>":
        print("compiled:" + one.__name__)
"""
    assert [name for name in loaded_modules(code) if name.startswith("compiled:")] == []


def test_a_first_chat_cell_loads_no_command():
    loaded = loaded_modules("import lockbots_magic.notebook.magics")
    assert not {"lockbots_magic.notebook.commands", "lockbots_magic.storage.log", "snowballstemmer"} & loaded
    # IPython 8 itself loads the lexers of Pygments.
    assert not {"markdown_it", "nh3", "lockbots_magic.rendering.lexers"} & loaded, (
        "what draws a reply waits until asked for"
    )


def test_a_first_plain_chat_cell_loads_nothing_that_values_files_proxies_and_errors_need(mock_server):
    cell = f"%%chat -m openai:demo --base-url {mock_server.url('openai')}\nhi"
    loaded = loaded_modules(
        "from IPython.testing.globalipapp import start_ipython; shell = start_ipython()\n"
        "shell.run_line_magic('load_ext', 'lockbots_magic')\n"
        f"assert shell.run_cell({cell!r}).success"
    )
    assert "urllib3" in loaded, "it was sent"
    rooms = ("prompt.template", "notebook.prompt_material", "storage.restore", "providers.http.translation")
    for name in ("requests", *(f"lockbots_magic.{room}" for room in rooms)):
        assert importlib.util.find_spec(name), "a renamed module would pass unseen"
        assert name not in loaded


def test_each_lazy_import_stands_in_one_place():
    package = Path(lockbots_magic.__file__).parent
    lines = {
        (path.relative_to(package).as_posix(), line.partition("  # noqa")[0].strip())
        for path in package.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "noqa: PLC0415" in line
    }
    assert lines == {
        ("__init__.py", "from .notebook import extension"),
        ("__init__.py", "from .panel import ChatPanel"),
        ("tools/mcp/session_holder.py", "from .session import ServerSession"),
        ("notebook/extension.py", "from . import magics"),
        ("security/html_policy.py", "import nh3"),
        ("notebook/log_recording.py", "from ..storage.log import writer"),
        ("notebook/completion/sources.py", "from ..commands import COMMANDS"),
        ("notebook/completion/matcher.py", "from . import cell, expressions, sources"),
        ("cassette/active.py", "from . import cassette, provider"),
        ("chat/chat.py", "from ..batch.run import BatchPlan"),
        ("cassette/journal.py", "import sqlite3"),
        ("help/words.py", "import snowballstemmer"),
        ("tools/asking.py", "import termios"),
        ("tools/asking.py", "import tty"),
        ("notebook/magics.py", "from .each import run_each"),
        ("notebook/magics.py", "from . import commands"),
        ("notebook/magics.py", "from ..storage.restore import find_own_notebook"),
        ("notebook/chat_command.py", "from . import prompt_material"),
        ("notebook/reply_end.py", "from . import delivery"),
        ("notebook/reply_end.py", "from ..schema import code_blocks"),
        ("notebook/live_output.py", "from .background_text import BackgroundText"),
        ("rendering/frame_loop.py", "from .incremental_reply import IncrementalReply"),
        ("chat/chat.py", "from .requested_tools import use_tools"),
        ("chat/chat.py", "from ..doctor import describe_cost, run_checks"),
        ("chat/attachments.py", "from ..prompt.document_files import attach_documents"),
        ("chat/attachments.py", "from ..prompt.images import image_part"),
        ("chat/requested_tools.py", "from ..prompt.values import value_part"),
        ("chat/chat.py", "from ..schema.structured_output import reply_schema"),
        ("providers/http/__init__.py", "from .exchange import Exchange"),
        ("providers/http/exchange.py", "from . import translation"),
        ("providers/http/environment.py", "from .with_requests import should_bypass_proxies"),
        ("providers/http/pools.py", "from . import with_requests"),
        ("providers/model_process_main.py", "import xllamacpp"),
        ("errors.py", "from requests import exceptions"),
        ("event_loops/host.py", "from .asyncio_host import AsyncioHost"),
        ("event_loops/host.py", "from .trio_host import TrioHost"),
        ("event_loops/coroutines.py", "from .own_loop import OwnLoop, shared_loop"),
        ("schema/__init__.py", "from . import type_hints"),
        ("rendering/terminal/output.py", "from .reply import StyledReply"),
        ("testing/pytest_plugin.py", "from ..cassette.active import eject_cassette, environment_mode, insert_cassette"),
        ("testing/pytest_plugin.py", "from ..cassette.cassette import Cassette"),
    }


@pytest.mark.parametrize("above", ["# ask about cats\n", "\n\n", "# one\n\n  # two\n", "# %%\n", "#%%chat\n"])
def test_comments_and_blank_lines_may_stand_above_a_cell_magic(run, mock_server, session, above):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    assert run(f"{above}%%chat --to answer\nTell of it's >>> cats").error is None
    assert mock_server.requests[-1].json["messages"][-1]["content"] == "Tell of it's >>> cats"
    run(f"{above}%%chat --to answer\nTell of\n\ncats\n".replace("\n", "\r\n"))  # typed on Windows
    assert mock_server.requests[-1].json["messages"][-1]["content"] == "Tell of\n\ncats"
    assert run(f"{above}%%lockbots set system brief").error is None
    assert session.settings.system == "brief"
    assert run(f"{above}  %%chat --no-history\n  - Tell\n      of\n\n  cats").error is None
    assert mock_server.requests[-1].json["messages"][-1]["content"] == "- Tell\n    of\n\ncats"


@pytest.mark.parametrize(
    "cell", ["x = 1\n%%chat\nTell of it's cats", "if True:\n  x = 1\n  %%chat\n  hi", "%lsmagic\n%%chat\nhi"]
)
def test_code_above_a_cell_magic_is_an_error_that_says_so(run, mock_server, shell, cell):
    asked = len(mock_server.requests)
    assert "must be the first line of its cell" in str(run(cell).error)
    assert len(mock_server.requests) == asked
    assert "x" not in shell.user_ns


def test_cell_magic_in_a_text_is_text(run, shell):
    assert run("text = '''\n%%chat\nhi'''").error is None
    assert shell.user_ns["text"] == "\n%%chat\nhi"


def test_local_variables_of_a_function_count(run, mock_server, shell, session):
    run(f"%lockbots use openai:demo --base-url {mock_server.url('openai')}")
    shell.user_ns["y"] = "outer"
    run("def ask(x, y):\n    %chat --no-history {{ x }} and {{ y }} and {{ z }}\nz = 'global'\nask('local', 'inner')")
    assert mock_server.requests[-1].json["messages"][-1]["content"] == "local and inner and global"
    assert session.namespace is shell.user_ns
    assert "y" in shell.user_ns
    run("def tell(cat):\n    %lockbots compare openai:demo -- on {{ cat }}\ntell('Tom')")
    assert mock_server.requests[-1].json["messages"][-1]["content"] == "on Tom"
    assert "NameError" in str(run("%chat {{ x }}").error)


def test_debugger_does_not_stop_in_our_frames(run, shell, monkeypatch):
    """`%pdb on` ignores an error of a magic, which is one line; from Python it opens in the user's own frame."""
    stops = []

    def debugger(force=False):
        tb = sys.last_traceback
        while tb.tb_next is not None:
            tb = tb.tb_next
        stops.append(tb.tb_frame.f_code.co_name)

    monkeypatch.setattr(shell.InteractiveTB, "debugger", debugger)
    run("%pdb on")
    for source in ("%lockbots nope", "%chat --nope", "%%chat --nope\nhi", "%chat --provider nope:m hi"):
        assert isinstance(run(source).error, lockbots_magic.LockbotsError), source
    assert not stops
    run("from lockbots_magic import Chat\ndef mine():\n    return Chat('nope:m').ask('x')\n")
    assert isinstance(run("mine()").error, lockbots_magic.UsageError)
    run("1 / 0")
    assert stops == ["mine", "<module>"]
    run("%pdb off\n%lockbots nope")
    run("%debug")
    assert stops[2:] == ["<module>"]

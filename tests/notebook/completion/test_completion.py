"""Tab completion of the magics' lines."""

import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import ModelInfo
from lockbots_magic.language import speaking
from lockbots_magic.notebook.commands import COMMANDS
from lockbots_magic.notebook.completion.cell import complete_cell
from lockbots_magic.notebook.completion.matcher import register
from lockbots_magic.notebook.completion.sources import Candidate, Sources
from lockbots_magic.notebook.session import Session
from lockbots_magic.prompt.magic_line import split_words

NAMESPACE = {
    "answer": 42,
    "analyse": len,
    "average": lambda values: sum(values) / len(values),
    "Animal": type("Animal", (), {}),
    "_private": 1,
    "In": [],
    5: "no name",
    "not one": 1,
}


def expressions(code):
    """A fake expression completer: returns the code it was given, and a text that is not plain."""
    return 0, [Candidate(f"<{code}>".replace("\n", "/"), "python"), Candidate("x\nimport os", "python")]


class CellCompleter:
    """Completes cells with a session of its own."""

    def __init__(self):
        self.session = Session()
        self.session.conversations.get("main")
        self.sources = Sources(self.session, namespace=NAMESPACE, hidden=["In"], expressions=expressions)

    def __call__(self, before):
        """Texts of the candidates; None if other completers may complete."""
        found = complete_cell(before, self.sources)
        if found is None:
            return None
        assert 0 <= found.start <= len(before)
        return [text for text, _ in found.candidates]

    def applied(self, before):
        """The completed cells."""
        found = complete_cell(before, self.sources)
        return [before[: found.start] + text for text, _ in found.candidates]


@pytest.fixture
def offered():
    return CellCompleter()


@pytest.fixture(autouse=True)
def _nobody_is_asked(request, monkeypatch):
    """Fail on a connection, except in tests with a kernel."""
    if "kernel" not in request.fixturenames:

        def refuse(*_):
            raise AssertionError("completion went to the network")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("notes.json", "my notes.txt", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "nested folder").mkdir()
    (tmp_path / "nested folder" / "deep.md").touch()
    (tmp_path / "plain").mkdir()
    return tmp_path


# Lines that are completed


@pytest.mark.parametrize("before", ["", "x = 5", "%cha", "%%cha", "%%chat", "%timeit x", "chat -m o", "a %chat -m o"])
def test_other_lines_are_left_to_other_completers(offered, before):
    assert offered(before) is None


@pytest.mark.parametrize("head", ["%chat ", "%%chat ", "\n%%chat ", "x = 1\n    %chat ", "%chat\t"])
def test_our_lines_are_completed_anywhere_in_a_cell(offered, head):
    assert "--model" in offered(f"{head}--mo")


# Options


def test_options_are_offered_by_their_long_names(offered):
    found = offered("%chat ")
    assert "--model" in found
    assert "-m" not in found
    assert "--help" not in found


def test_after_a_dash_every_spelling_is_offered(offered):
    assert {"-m", "--model", "-h"} <= set(offered("%%chat -"))


def test_an_option_is_offered_once_unless_it_repeats(offered):
    assert offered("%chat -m guide: --mod") == []
    assert offered("%chat -p a=1 --par") == ["--param"]


def test_options_of_a_command_come_from_its_own_parser(offered):
    assert offered("%lockbots replay x --s") == ["--speed"]
    assert offered("%lockbots use --mod") == []


def test_choices_are_offered(offered):
    assert offered("%chat --as ") == ["text", "code", "json"]
    assert offered("%chat --as=j") == ["json"]


def test_behind_two_dashes_there_are_no_options(offered):
    assert offered("%chat -- -") == []
    assert offered("%lockbots use -- --b") == []


# Values


def test_a_provider_comes_with_its_colon(offered):
    assert offered("%chat -m open") == ["openai:", "openrouter:"]
    assert offered("%lockbots use oll") == ["ollama:"]


@pytest.mark.parametrize("option", ["-m ", "--model ", "--model=", "-m", '-m "', "-m '"])
def test_models_are_offered_for_every_spelling_of_the_option(offered, option):
    (written,) = offered.applied(f"%chat {option}openai:gpt")
    assert split_words(written)[-1].removeprefix("--model=").removeprefix("-m") == "openai:gpt-6-luna"


def test_models_are_those_the_server_listed_then_the_table_then_the_one_in_use(offered):
    offered.session.settings.model = "openai:mine"
    offered.session.catalog.keep("openai", "https://api.openai.com/v1", [ModelInfo("gpt-9")])
    assert offered("%chat -m openai:") == ["openai:gpt-9", "openai:gpt-6-luna", "openai:mine"]
    assert "liaobots:gpt-4" in offered("%chat -m liaobots:gpt")


def test_models_are_those_of_the_address_on_the_line(offered):
    offered.session.catalog.keep("vllm", "http://127.0.0.1:9000/v1", [ModelInfo("qwen")])
    assert offered("%chat -m vllm:q") == []
    assert offered("%chat --base-url http://127.0.0.1:9000/v1/ -m vllm:q") == ["vllm:qwen"]
    assert offered("%lockbots use vllm:qwen --base-url h") == ["http://127.0.0.1:9000/v1"]
    assert offered("%chat --base-url nonsense -m vllm:q") == []


def test_unknown_provider_has_no_models(offered):
    assert offered("%chat -m nosuch:") == []


def test_several_models_are_offered_up_to_the_dashes(offered):
    assert offered("%lockbots compare guide:help oll") == ["ollama:"]
    assert offered("%lockbots compare guide:help ollama:x -- oll") == []


def test_providers_by_name(offered):
    assert offered("%lockbots login liao") == ["liaobots"]
    assert offered("%lockbots models lo") == ["lockchat", "local"]


def test_conversations_by_name(offered):
    offered.session.conversations.get("physics")
    for line in ("%chat -c ", "%lockbots switch ", "%lockbots delete ", "%lockbots panel "):
        assert offered(f"{line}ph") == ["physics"]
        assert "main" in offered(line)
    assert offered("%lockbots new ph") == []


def test_a_name_with_a_space_is_quoted_in_the_quote_it_began_with(offered):
    offered.session.conversations.get("my day's work")
    for typed in ("my", '"my', "'my", '"my day', "'my day"):
        (written,) = offered.applied(f"%chat -c {typed}")
        assert split_words(written)[-1] == "my day's work"


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("x\nimport os", ['"x import os"']),
        ("x\u202e", ["x"]),
        ("x\x1b[2J", ["x[2J"]),
        ("x\u2028y", ['"x y"']),
        ("--base-url=http://evil", []),
        ("x" * 999, []),
    ],
)
def test_hostile_names_are_offered_in_plain_words_or_not_at_all(offered, name, plain):
    offered.session.conversations.get(name)
    offered.session.catalog.keep("ollama", "http://localhost:11434/v1", [ModelInfo(name)])
    assert offered("%chat -c ") == ["main", *plain]
    assert all("\n" not in text and len(text) < 999 for text in offered("%chat -m ollama:"))


def test_only_variables_of_the_user_are_offered(offered):
    assert offered("%chat --to ") == ["answer", "analyse", "average", "Animal"]
    assert offered("%chat --to an") == ["answer", "analyse", "Animal"]


def test_functions_one_after_another(offered):
    assert offered("%chat --tools ") == ["analyse", "average"]
    assert offered("%chat --tools analyse,a") == ["analyse,average"]


def test_personas_begin_with_an_at_sign(offered, folder):
    offered.session.settings.personas = {"poet": "You rhyme."}
    (folder / "personas").mkdir()
    for name in ("critic", "two words"):
        (folder / "personas" / f"{name}.md").touch()
    assert offered("%chat --system @") == ["@critic", "@poet"]
    assert offered("%chat -s Be") == []


def test_parameters_of_the_model_on_the_line(offered):
    assert offered("%chat -p ra") == ["rate="]
    assert offered("%chat -m openai:x -p top") == ["top_p="]
    assert offered("%chat -m nosuch:x -p top") == []


def test_settings_and_their_values(offered):
    assert offered("%lockbots set liv") == ["live"]
    assert offered("%lockbots set reasoning ")[:3] == ["fold", "show", "hide"]
    assert offered("%lockbots set foot_line ")[:2] == ["on", "off"]
    assert offered("%lockbots set live o") == ["on", "off"]
    assert offered("%lockbots set model oll") == ["ollama:"]


def test_help_has_topics_and_commands(offered):
    assert "switch" in offered("%lockbots help swi")
    (several, *_) = [text for text in offered("%lockbots help ") if " " in text]
    assert several.startswith('"')


def test_commands(offered):
    assert offered("%lockbots ") == list(COMMANDS)
    assert offered("%lockbots  mod") == ["models"]
    assert offered("%lockbots nosuch ") == []


# Paths


@pytest.mark.parametrize("command", ["save", "load", "export", "import", "record", "replay", "restore"])
def test_files_of_commands(offered, folder, command):
    assert offered(f"%lockbots {command} no") == ["notes.json"]


def test_files_of_options(offered, folder):
    assert offered("%chat --file no") == ["notes.json"]
    assert offered("%chat --file=no") == ["notes.json"]
    assert offered("%chat --image n") == ['"nested folder/', "notes.json"]


def test_hidden_files_once_a_dot_is_typed(offered, folder):
    assert ".hidden" not in offered("%chat --file ")
    assert offered("%chat --file .") == [".hidden"]


def test_completion_continues_inside_a_folder(offered, folder, monkeypatch):
    assert offered("%chat --file pl") == ["plain/"]
    (written,) = offered.applied("%chat --file nes")
    (written,) = offered.applied(written)
    assert split_words(written)[-1] == "nested folder/deep.md"
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert offered("%chat --file ~/no") == ["~/notes.json"]
    assert offered(f"%chat --file {folder}/no") == [f"{folder}/notes.json"]


@pytest.mark.parametrize("typed", ["nosuch/", "~nobody-of-that-name/", "notes.json/", "\0/", "x" * 5000 + "/"])
def test_missing_folder_has_no_files(offered, folder, typed):
    assert offered(f"%chat --file {typed}") == []


def test_variables_and_files_for_an_image(offered, folder):
    assert offered("%chat --image an") == ["answer", "analyse", "Animal"]
    assert "notes.json" in offered("%chat --image ")


# Prompts


@pytest.mark.parametrize("before", ["%%chat\n", "%%chat -m guide:\nimport o", "%%chat\nx\n%chat --mo", "%chat an"])
def test_prose_has_no_completions(offered, before):
    assert offered(before) == []


def test_text_on_the_first_line_of_a_cell_is_not_completed(offered):
    assert offered("%%chat hello {{ an") == []


@pytest.mark.parametrize(
    "head", ["%chat ", "%chat -t 0 -- ", "%chat say ", "%%chat\n", "%%chat -t 0\nsay\n", "%%chat\n}} "]
)
def test_an_open_expression_is_completed_as_python(offered, head):
    found = complete_cell(f"{head}{{{{ df.co", offered.sources)
    assert found.candidates == (Candidate("<df.co>", "python"),)
    assert found.start == len(f"{head}{{{{ ")


def test_an_expression_is_the_last_one_open(offered):
    assert offered("%%chat\n{{ a }} and {{b") == ["<b>"]
    assert offered("%%chat\n{{ a }} and b") == []
    assert offered("%%chat\n{ b") == []
    assert offered("%%chat\n{{ [a for\n a") == ["<[a for/ a>"]


def test_raw_braces_are_text(offered):
    assert offered("%%chat --raw\n{{ an") == []
    assert offered("%chat --raw {{ an") == []
    assert offered("%chat --raw -- {{ an") == []
    assert offered("%lockbots compare guide --raw -- {{ an") == []
    assert offered("%%chat -s --raw\n{{ an") == ["<an>"]


def test_the_prompt_of_a_command_is_completed_like_any_other(offered):
    assert offered("%lockbots compare guide --to x -- say {{ an") == ["<an>"]
    assert offered("%lockbots compare guide {{ an") == ["anthropic:"]
    assert offered("%lockbots compare guide -- say an") == []
    assert offered("%lockbots stop -- {{ an") == []


# Any text

PIECES = [
    "%chat",
    "%%chat",
    "%lockbots",
    *COMMANDS,
    "-m",
    "--model=",
    "--",
    "-p",
    "-",
    '"',
    "'",
    "\\",
    "{{",
    "}}",
    "=",
    ":",
]
PIECES += [
    "openai",
    "guide:",
    " ",
    "\n",
    "\t",
    "~",
    "/",
    "../",
    "@",
    ",",
    "--tools",
    "--file",
    "--image ",
    "é",
    "\0",
    "\u2028",
]
LINES = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=12).map("".join)


@given(st.sampled_from(["", "%chat ", "%%chat ", "%lockbots ", "%%chat\n"]), LINES, st.data())
def test_no_line_makes_completion_fail_or_go_to_the_network(head, tail, data):
    cell = head + tail
    before = cell[: data.draw(st.integers(0, len(cell)))]
    offered = CellCompleter()
    found = offered(before)
    assert found is None or not any("\n" in one for one in found)


# In IPython


def parted(cell):
    """Text of a cell and index of the cursor, which a bar stands for."""
    before, bar, after = cell.partition("|")
    assert bar
    return before + after, len(before)


def found(shell, cell):
    """The completed cells."""
    from IPython.core.completer import provisionalcompleter, rectify_completions

    cell, at = parted(cell)
    with provisionalcompleter():
        raw = shell.Completer.completions(cell, at)
        return [cell[: one.start] + one.text + cell[at:] for one in rectify_completions(cell, raw)]


@pytest.fixture(params=["jedi", "no jedi"])
def completing(shell, session, request):
    """A shell in which completion is registered once, with and without jedi."""
    shell.Completer.custom_matchers.clear()
    if request.param == "no jedi":
        shell.Completer.use_jedi = False
    register(shell, session)
    return shell


def test_ipython_offers_ours_and_nothing_else(completing):
    assert found(completing, "%chat -m ollam|") == ["%chat -m ollama:"]
    assert found(completing, "%lockbots mode| openai") == ["%lockbots models openai"]
    assert found(completing, "%%chat --mo|\nhello") == ["%%chat --model\nhello"]
    with pytest.warns(PendingDeprecationWarning):  # front ends of old ask so
        assert completing.complete("", "%chat -m ollam", 14) == ("ollam", ["ollama:"])


def test_a_description_is_one_unbroken_line_in_the_users_language(completing):
    from IPython.core.completer import provisionalcompleter

    with provisionalcompleter(), speaking("ru"):
        for cell in ("%lockbots his", "%chat --temp", "%lockbots set tempe"):
            kinds = [one.type for one in completing.Completer.completions(cell, len(cell))]
            assert all(" " not in kind and "\u00a0" in kind and not kind.isascii() for kind in kinds), kinds
            assert kinds, cell
        (each,) = {one.type for one in completing.Completer.completions("%chat --activ", 13)}
        assert "-\u2060-\u2060each" in each


@pytest.mark.parametrize("prose", ["fra", "import o", "frame.", "%tim", "\\alph", "./", "open(", "fra|me\n{{ frame }}"])
def test_ipython_offers_nothing_in_prose(completing, prose):
    completing.user_ns["frame"] = "text"
    prose = prose if "|" in prose else f"{prose}|"
    assert found(completing, f"%%chat\n{prose}") == []
    assert found(completing, f"%%chat -t 0\nhello\n\n{prose}") == []


def test_ipython_completes_the_expression_in_braces(completing):
    completing.user_ns["frame"] = "text"
    assert "%%chat\nsee {{ frame" in found(completing, "%%chat\nsee {{ fra|")
    assert "%%chat\nsee {{ frame.upper }} and" in found(completing, "%%chat\nsee {{ frame.upp| }} and")
    assert "%chat see {{frame.upper" in found(completing, "%chat see {{frame.upp|")
    assert not [one for one in found(completing, "%chat {{ ti|") if "%time" in one]


def test_jedi_is_never_asked(completing, monkeypatch):
    from IPython.core import completer

    def refuse(*_, **__):
        raise AssertionError("jedi was asked")

    monkeypatch.setattr(completer.IPCompleter, "_jedi_matches", refuse)
    completing.user_ns.update(frame="text", many={"key": {"inner": []}})
    for code in ("", "fra", "frame.", "[x for x in frame.", "many[", "many['key'].", "len(frame).", "frame.nosuch."):
        found(completing, f"%%chat\n{{{{ {code}|")
    assert "%%chat\n{{ [x for x in frame.upper" in found(completing, "%%chat\n{{ [x for x in frame.upp|")
    assert found(completing, "%%chat\n{{ many['key']['in|") == ["%%chat\n{{ many['key']['inner"]


def test_expressions_that_could_run_user_code_have_no_completions(completing):
    asked = []
    cell = "class Eager:\n    @property\n    def value(self):\n        asked.append('value')\n        return ''\n"
    completing.user_ns["asked"] = asked
    completing.run_cell(f"{cell}    def __call__(self):\n        asked.append('call')\neager = Eager()")
    assert "%chat {{ eager.value" in found(completing, "%chat {{ eager.|")
    for code in ("eager.value.", "eager().", "eager.value['"):
        assert found(completing, f"%chat {{{{ {code}|") == []
    assert asked == []


def test_ipython_is_left_alone_elsewhere(completing):
    completing.user_ns["frame"] = "text"
    assert "frame" in found(completing, "fra|")
    assert "%%chat" in found(completing, "%%cha|")
    assert "%lockbots" in found(completing, "%lockb|")


def test_a_terminal_shows_the_same(completing):
    from IPython.terminal.ptutils import IPythonPTCompleter
    from prompt_toolkit.document import Document

    completing.min_elide = 30
    completer = IPythonPTCompleter(shell=completing)

    def shown(cell):
        return [(one.text, one.start_position) for one in completer.get_completions(Document(*parted(cell)), None)]

    assert shown("%chat -m ollam|") == [("ollama:", -5)]
    assert shown("%%chat\nthe imp|") == []
    assert ("min", -2) in shown("%%chat\nthe {{ mi|")


def test_unregistering_removes_the_matcher(shell, session):
    before = list(shell.Completer.custom_matchers)
    unregister = register(shell, session)
    assert len(shell.Completer.custom_matchers) == len(before) + 1
    unregister()
    unregister()
    assert shell.Completer.custom_matchers == before


def test_completion_modules_are_loaded_by_the_first_completion():
    room = "lockbots_magic.notebook.completion"
    code = f"import sys, {room}; print('{room}.cell' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


# In a kernel

REGISTER = """
from lockbots_magic.notebook import completion, extension
shell = get_ipython()
shell.Completer.custom_matchers.clear()
completion.register(shell, extension.session_of(shell))
frame = "text"
"""


@pytest.fixture(scope="module")
def kernel():
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel

    with Kernel() as running:
        running.run("%load_ext lockbots_magic")
        assert running.run(REGISTER).reply["status"] == "ok"
        yield running


def completed(kernel, cell):
    """The completed cells in a front end."""
    cell, at = parted(cell)
    kernel.client.complete(cell, at)
    reply = kernel.client.get_shell_msg(timeout=30)["content"]
    assert reply["status"] == "ok"
    return [cell[: reply["cursor_start"]] + match + cell[reply["cursor_end"] :] for match in reply["matches"]]


@pytest.mark.kernel
def test_a_kernel_completes_the_first_line(kernel):
    assert completed(kernel, "%%chat -m ollam|\nhello") == ["%%chat -m ollama:\nhello"]
    assert completed(kernel, "%%chat --temp|\nhello") == ["%%chat --temperature\nhello"]
    assert completed(kernel, "x = 1\n%lockbots swit|\ny = 2") == ["x = 1\n%lockbots switch\ny = 2"]


@pytest.mark.kernel
def test_a_kernel_completes_nothing_in_prose(kernel):
    assert completed(kernel, "%%chat\nthe fra|") == []
    assert completed(kernel, "%%chat\nframe.|\nmore") == []
    assert completed(kernel, "%chat the fra|") == []


@pytest.mark.kernel
def test_a_kernel_completes_expressions_in_braces(kernel):
    assert completed(kernel, "%%chat\nthe {{ frame.upp| }}\nmore") == ["%%chat\nthe {{ frame.upper }}\nmore"]
    assert "%%chat\nthe {{ frame }}" in completed(kernel, "%%chat\nthe {{ fra| }}")


@pytest.mark.kernel
def test_a_kernel_goes_on_completing_code(kernel):
    assert "frame.upper" in completed(kernel, "frame.upp|")

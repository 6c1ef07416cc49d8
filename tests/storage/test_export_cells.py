"""Exported cells: IPython parses them into the prompt and options of their turns."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from lockbots_magic import Conversation
from lockbots_magic.conversation.messages import ToolCall
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.chat_command import chat_cell, prompt_of, resolve_system
from lockbots_magic.notebook.extension import _keep_verbatim, _MagicLine
from lockbots_magic.notebook.notebook_context import NotebookContext
from lockbots_magic.notebook.options import chat_options
from lockbots_magic.notebook.session import Session
from lockbots_magic.prompt.magic_line import parse_assignments, split_words
from lockbots_magic.storage import files
from lockbots_magic.storage.export_cells import NotebookDefaults, cell_source, model_option, remarks_on

PROVIDERS = ("openai", "ollama", "guide")


class Recorder:
    """Stand-in for `get_ipython()` that records which magics a cell runs."""

    def __init__(self):
        self.ran = []

    def run_cell_magic(self, name, line, body):
        self.ran.append((name, line, body))

    def run_line_magic(self, name, line):
        self.ran.append((name, line, None))


def magics_of(source):
    """Return the magics that a cell runs, as IPython with the extension parses them."""
    manager = TransformerManager()
    manager.token_transformers.append(_MagicLine)
    manager.cleanup_transforms.insert(0, _keep_verbatim)
    recorder = Recorder()
    exec(compile(manager.transform_cell(source), "cell", "exec"), {"get_ipython": lambda: recorder})
    return recorder.ran


def asked_by(source, variables=None):
    """Return the chat cell that a cell describes, as `%%chat` builds it."""
    ((name, line, body),) = magics_of(source)
    options, text = chat_options().parse_leading(line)
    assert name == "chat"
    return chat_cell(Session(), options, prompt_of(text, body), NotebookContext(variables or {}))


def given_system(given):
    """Return the text of the system prompt `given`; None without one."""
    return None if given is None else resolve_system(Session(), given, NotebookContext({}))


PIECES = [
    ">>> ",
    "...",
    "In [1]: ",
    "%%chat",
    "%x",
    "!ls",
    "\\",
    '"""',
    "'",
    "?",
    "{x}",
    "$x",
    "-h",
    "{{ x }}",
    "{{",
    "@",
]
BREAKS = ["\n", "\r\n", "\x0c", "\u2028", "  "]
TEXTS = st.lists(st.sampled_from(PIECES + BREAKS) | st.text(max_size=5)).map("".join)
PROMPTS = TEXTS.filter(str.strip)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(TEXTS)
PARAMS = st.dictionaries(st.sampled_from(["temperature", "top_p", "stop"]), VALUES)
IMAGES = st.lists(
    st.sampled_from(["https://a.example/", "data:image/png;base64,"]).flatmap(lambda u: TEXTS.map(u.__add__))
)
MODELS = st.sampled_from(["gpt-4o", "llama3:8b", ""]) | TEXTS


@given(PROMPTS, TEXTS, TEXTS, MODELS, PARAMS, IMAGES)
@example("a doctest:\n>>> f(1)\n2", "", "", "gpt-4o", {}, [])
@example("0\r\n", "", "", "gpt-4o", {}, [])
@example("In [1]: x", "two\nlines", "", "gpt-4o", {}, [])
@example("a", "-h", "=x", "a b", {"temperature": True, "stop": "a\nb"}, [])
@example("{{ x }}", "@@persona", "@~/file", "", {}, ["https://a.example/two words.png", 'data:image/png;base64,"'])
def test_cell_sends_the_prompt_of_its_turn(prompt, system, usual, model, params, images):
    turn = Turn(prompt, "That.", provider="openai", model=model, system=system, params=params, images=(*images,))
    (ran,) = magics_of(cell_source(turn, NotebookDefaults("guide:help", usual), PROVIDERS))
    options, text = chat_options().parse_leading(ran[1])
    assert ran[0] == "chat"
    assert prompt_of(text, ran[2]) == prompt.strip("\n")
    assert options.raw == ("{{" in prompt)
    assert options.image == images
    assert (options.file, options.cells, options.tools) == ([], None, None)
    read = parse_assignments(options.param) | (
        {} if options.temperature is None else {"temperature": options.temperature}
    )
    assert read == params
    assert (usual if options.system is None else given_system(options.system)) == system
    name = f"openai:{model}" if model else "openai"
    assert options.model == (name if name == name.strip() and name.isprintable() else None)


def test_braces_of_a_prompt_are_sent_unchanged():
    source = cell_source(Turn("Is {{ 1 + 1 }} code, {x}?", "Yes."), NotebookDefaults(), PROVIDERS)
    assert source == "%%chat --raw\nIs {{ 1 + 1 }} code, {x}?"
    assert asked_by(source).prompt == "Is {{ 1 + 1 }} code, {x}?"
    assert "--raw" not in cell_source(Turn("{x} {", "Yes."), NotebookDefaults(), PROVIDERS)


def test_image_of_a_megabyte_is_included():
    url = f"data:image/png;base64,{base64.b64encode(bytes(1_000_000)).decode()}"
    asked = asked_by(
        cell_source(
            Turn("What is {{ this }}?", "Black.", images=(url, "https://a.example/b.png")), NotebookDefaults(), ()
        )
    )
    assert asked.prompt == "What is {{ this }}?"
    assert asked.options["images"] == (url, "https://a.example/b.png")


@pytest.mark.parametrize("image", ["df", "/etc/passwd", "~/a.png", "file:///a.png", "-h", "data:text/html,x"])
def test_image_never_names_a_file_or_variable_of_the_reader(image):
    turn = Turn("What?", "That.", images=(image, "https://a.example/b.png"))
    source = cell_source(turn, NotebookDefaults(), PROVIDERS)
    assert source == "%%chat --image https://a.example/b.png\nWhat?"
    assert [*remarks_on([turn])] == ["1 image left out of the cells: no http(s) or data:image address."]


@pytest.mark.parametrize("system", ["@reviewer", "@~/.ssh/config", "@@", "@", "@/etc/passwd x=1"])
def test_system_prompt_is_never_taken_for_a_persona(system):
    turn = Turn("What?", "That.", system=system)
    assert asked_by(cell_source(turn, NotebookDefaults(), PROVIDERS)).options["system"] == system
    ((_, line, _),) = magics_of(NotebookDefaults("", system).cells()[1])
    session = Session()
    commands.run(session, line)
    assert resolve_system(session, None, NotebookContext({})) == system


def test_export_reports_what_the_cells_lack(tmp_path):
    turns = [Turn("Rain?", "Yes.", calls=(ToolCall("1", "weather", "{}", "rain"),)), Turn("Sure?", "Yes.")]
    written = files.export_conversation(Conversation("talk", turns=turns), tmp_path / "a.ipynb")
    assert written.remarks == ("1 turn with tool calls: the cells call no tools when they run; add `--tools`.",)
    assert "weather() -> rain" in written.path.read_text(encoding="utf-8")
    assert "--tools" not in written.path.read_text(encoding="utf-8")
    assert files.export_conversation(Conversation("talk", turns=turns[1:]), tmp_path / "a.ipynb").remarks == ()


@given(TEXTS)
def test_first_cell_sets_the_model(model):
    turn = Turn("q", "a", provider="openai", model=model)
    (first,) = NotebookDefaults.from_turns([turn], PROVIDERS).cells()
    load, *use = magics_of(first)
    assert load == ("load_ext", "lockbots_magic", None)
    assert [split_words(line) for _, line, _ in use] == [
        ["use", name] for name in [model_option(turn, PROVIDERS)] if name
    ]


@given(TEXTS.filter(bool))
@example("none")
@example("-h")
@example("@none")
@example("Be\nbrief, {x} $y.")
def test_system_prompt_is_set_unchanged(system):
    session = Session()
    ((name, line, _),) = magics_of(NotebookDefaults("", system).cells()[1])
    commands.run(session, line)
    assert (name, resolve_system(session, None, NotebookContext({}))) == ("lockbots", system)

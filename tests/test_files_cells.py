"""Turns as cells: what IPython makes of them is what was asked."""

from hypothesis import example, given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from lockbots_magic import commands
from lockbots_magic.asking import chat_options, prompt_of
from lockbots_magic.files.cells import Setting, cell, model_of
from lockbots_magic.magics import _MagicLine, _verbatim
from lockbots_magic.messages import Turn
from lockbots_magic.options import assignments, words
from lockbots_magic.session import Lockbots

PROVIDERS = ("openai", "ollama", "guide")


class Recorder:
    """Stands for `get_ipython()`; notes which magics a cell runs."""

    def __init__(self):
        self.ran = []

    def run_cell_magic(self, name, line, body):
        self.ran.append((name, line, body))

    def run_line_magic(self, name, line):
        self.ran.append((name, line, None))


def magics_of(source):
    """The magics that a cell runs, as IPython with the extension finds them."""
    manager = TransformerManager()
    manager.token_transformers.append(_MagicLine)
    manager.cleanup_transforms.insert(0, _verbatim)
    recorder = Recorder()
    exec(compile(manager.transform_cell(source), "cell", "exec"), {"get_ipython": lambda: recorder})
    return recorder.ran


PIECES = [">>> ", "...", "In [1]: ", "%%chat", "%x", "!ls", "\\", '"""', "'", "?", "{x}", "$x", "-h"]
BREAKS = ["\n", "\r\n", "\x0c", "\u2028", "  "]
TEXTS = st.lists(st.sampled_from(PIECES + BREAKS) | st.text(max_size=5)).map("".join)
PROMPTS = TEXTS.filter(str.strip)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.none() | st.booleans() | NUMBERS | TEXTS | st.lists(TEXTS)
PARAMS = st.dictionaries(st.sampled_from(["temperature", "top_p", "stop"]), VALUES)
MODELS = st.sampled_from(["gpt-4o", "llama3:8b", ""]) | TEXTS


@given(PROMPTS, TEXTS, TEXTS, MODELS, PARAMS)
@example("a doctest:\n>>> f(1)\n2", "", "", "gpt-4o", {})
@example("In [1]: x", "two\nlines", "", "gpt-4o", {})
@example("a", "-h", "=x", "a b", {"temperature": True, "stop": "a\nb"})
def test_a_cell_asks_what_the_turn_asked(prompt, system, usual, model, params):
    turn = Turn(prompt, "That.", provider="openai", model=model, system=system, params=params)
    (ran,) = magics_of(cell(turn, Setting("guide:help", usual), PROVIDERS))
    options, text = chat_options().leading(ran[1])
    assert ran[0] == "chat"
    assert prompt_of(text, ran[2]) == prompt.strip("\n")
    read = assignments(options.param) | ({} if options.temperature is None else {"temperature": options.temperature})
    assert read == params
    assert (usual if options.system is None else options.system) == system
    name = f"openai:{model}" if model else "openai"
    assert options.model == (name if name == name.strip() and name.isprintable() else None)


@given(TEXTS)
def test_the_first_cell_sets_the_model(model):
    turn = Turn("q", "a", provider="openai", model=model)
    (first,) = Setting.of([turn], PROVIDERS).cells()
    load, *use = magics_of(first)
    assert load == ("load_ext", "lockbots_magic", None)
    assert [words(line) for _, line, _ in use] == [["use", name] for name in [model_of(turn, PROVIDERS)] if name]


@given(TEXTS.filter(bool))
@example("none")
@example("-h")
@example("Be\nbrief, {x} $y.")
def test_a_system_prompt_is_set_as_it_is(system):
    session = Lockbots()
    ((name, line, _),) = magics_of(Setting("", system).cells()[1])
    commands.run(session, line)
    assert (name, session.system) == ("lockbots", system)

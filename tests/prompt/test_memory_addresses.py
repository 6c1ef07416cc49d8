"""Memory addresses say nothing to a model, and would make each run's prompt another one."""

import pytest

from lockbots_magic.prompt.text import without_memory_addresses
from lockbots_magic.prompt.values import value_part
from tests.linear import is_linear


class Model:
    """An object with the repr of `object`."""

    def run(self):
        """Do nothing."""


MODEL = Model()


@pytest.mark.parametrize("value", [
    MODEL, [MODEL, 1], {"m": {"n": MODEL}}, (MODEL,), {MODEL}, MODEL.run, (x for x in ()), object(), [lambda: 0],
    memoryview(b""),
])  # fmt: skip
def test_value_is_sent_without_its_address(value):
    assert " at 0x" not in value_part(value).text


def test_string_of_the_user_is_sent_as_it_is():
    assert value_part("<x at 0x7f1040ec6450>").text == "<x at 0x7f1040ec6450>"


@pytest.mark.parametrize(("text", "clean"), [
    ("[<matplotlib.lines.Line2D at 0x7f1040e7c390>]", "[<matplotlib.lines.Line2D>]"),
    ("<bound method M.f of <M object at 0x7f1040e7c390>>", "<bound method M.f of <M object>>"),
    ("<weakref at 0x7f1040e7c390; to 'M' at 0x7f1040e7c391>", "<weakref; to 'M'>"),
    ("crash at 0x7f1040e7c390", "crash at 0x7f1040e7c390"),
    ("a mask at 0xff > 3", "a mask at 0xff > 3"),
    ("[Generator(PCG64) at 0x7F3119A53E60]", "[Generator(PCG64)]"),
    ("in f(x) at 0x7f3119a53e60", "in f(x) at 0x7f3119a53e60"),
])  # fmt: skip
def test_only_addresses_of_reprs_are_removed(text, clean):
    assert without_memory_addresses(text) == clean


def test_long_line_takes_linear_time():
    shape = " at 0x7f1040e7c390"
    assert without_memory_addresses(shape * 1000) == shape * 1000
    assert is_linear(without_memory_addresses, shape, 40_000)


def test_cell_of_a_plot_is_asked_about_in_the_same_words(run, mock_server):
    run("class Model: pass")
    prompts = []
    for number in (1, 2):
        run("models = [Model() for _ in range(1000)]; print(models[-1])\nmodels[0]")
        run(f"%%chat -m openai:demo --base-url {mock_server.url('openai')} --no-history\n{{{{ models[:2] }}}}")
        prompts.append(mock_server.requests[-1].json["messages"][-1]["content"])
        assert number == len(prompts)
    assert prompts[0] == prompts[1]
    assert "Model object" in prompts[0]

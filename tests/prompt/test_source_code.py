"""Functions, classes and modules in prompts."""

import functools
import json
import textwrap

import pytest

from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.prompt.source_code import MAX_LENGTH
from lockbots_magic.prompt.values import value_part


def twice(number):
    """Return twice the number."""
    return 2 * number


class Outer:
    class Inner:
        value = 1

    def method(self):
        return self


@functools.lru_cache
def cached():
    return 1


@pytest.fixture
def cell(shell):
    """Runs a cell and returns the notebook's variables."""

    def run(source):
        result = shell.run_cell(textwrap.dedent(source), store_history=True)
        result.raise_error()
        return shell.user_ns

    return run


def test_a_function_is_its_source():
    assert value_part(twice) == PromptPart(
        'def twice(number):\n    """Return twice the number."""\n    return 2 * number'
    )


def test_methods_and_nested_classes_are_dedented():
    assert value_part(Outer().method).text == "def method(self):\n    return self"
    assert value_part(Outer.Inner).text == "class Inner:\n    value = 1"


def test_decorated_function_includes_its_decorators():
    assert value_part(cached).text == "@functools.lru_cache\ndef cached():\n    return 1"


def test_a_function_of_a_cell_is_its_source(cell):
    assert value_part(cell("def f(x):\n    return x + 1\n")["f"]).text == "def f(x):\n    return x + 1"


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    def f(self):\n        return 1",
        "class A:\n    value = 1",
        "@dataclass\nclass A:\n    value: int = 1",
        "class A(Exception):\n    pass",
    ],
)
def test_a_class_of_a_cell_is_its_source(cell, source):
    variables = cell(f"%time\nfrom dataclasses import dataclass\nx = 1\n\n{source}\n\ny = 2")
    assert value_part(variables["A"]).text == source


def test_a_class_defined_again_is_its_last_source(cell):
    old = cell("class A:\n    def f(self): return 1")["A"]
    new = cell("class A:\n    def f(self): return 2")["A"]
    assert value_part(old).text.endswith("return 1")
    assert value_part(new).text.endswith("return 2")


def test_a_nested_class_and_one_made_in_a_function_are_found(cell):
    variables = cell(
        """
        class Inner: wrong = 1
        class A:
            class Inner:
                right = 1
        def make():
            class Local:
                local = 1
            return Local
        B = make()
        """
    )
    assert value_part(variables["A"].Inner).text == "class Inner:\n    right = 1"
    assert value_part(variables["B"]).text == "class Local:\n    local = 1"


def test_code_that_is_not_python_is_described():
    assert value_part(len).text.startswith("len(obj, /)\n\nReturn the number of items")
    assert value_part(dict).text.startswith("class dict(...)\n\ndict() -> new empty dictionary")
    assert value_part([].append).text.startswith("list.append(object, /)")


def test_a_function_whose_source_is_lost_is_described():
    names = {}
    exec("def lost(a, b=1):\n    'What it does.'", names)
    assert value_part(names["lost"]).text == "lost(a, b=1)\n\nWhat it does."


def test_a_class_whose_source_is_lost_is_described():
    assert (
        value_part(type("Lost", (), {"__doc__": "Of yore.", "__module__": "gone"})).text == "class Lost()\n\nOf yore."
    )


def test_a_module_is_its_name_and_docstring():
    assert value_part(json).text.startswith("module json\n\nJSON (JavaScript Object Notation)")


def test_long_source_is_truncated(cell):
    part = value_part(cell(f"def f():\n    {'x' * 3 * MAX_LENGTH!r}\n")["f"])
    assert len(part.text) < MAX_LENGTH + 100
    assert part.notes == ("only the first 20,000 of 60,015 characters were sent",)

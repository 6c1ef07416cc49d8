"""Functions, classes and modules as their source, or what they say of themselves."""

import functools
import json
import textwrap

import pytest

from lockbots_magic.prompt import Material, material_of
from lockbots_magic.prompt.source import CHARACTERS


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
    assert material_of(twice) == Material(
        'def twice(number):\n    """Return twice the number."""\n    return 2 * number'
    )


def test_a_method_and_a_nested_class_stand_at_the_margin():
    assert material_of(Outer().method).text == "def method(self):\n    return self"
    assert material_of(Outer.Inner).text == "class Inner:\n    value = 1"


def test_a_decorated_function_is_shown_with_what_decorates_it():
    assert material_of(cached).text == "@functools.lru_cache\ndef cached():\n    return 1"


def test_a_function_of_a_cell_is_its_source(cell):
    assert material_of(cell("def f(x):\n    return x + 1\n")["f"]).text == "def f(x):\n    return x + 1"


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
    assert material_of(variables["A"]).text == source


def test_a_class_defined_again_is_its_last_source(cell):
    old = cell("class A:\n    def f(self): return 1")["A"]
    new = cell("class A:\n    def f(self): return 2")["A"]
    assert material_of(old).text.endswith("return 1")
    assert material_of(new).text.endswith("return 2")


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
    assert material_of(variables["A"].Inner).text == "class Inner:\n    right = 1"
    assert material_of(variables["B"]).text == "class Local:\n    local = 1"


def test_what_was_not_written_in_python_is_described():
    assert material_of(len).text.startswith("len(obj, /)\n\nReturn the number of items")
    assert material_of(dict).text.startswith("class dict(...)\n\ndict() -> new empty dictionary")
    assert material_of([].append).text.startswith("list.append(object, /)")


def test_a_function_whose_source_is_lost_is_described():
    names = {}
    exec("def lost(a, b=1):\n    'What it does.'", names)
    assert material_of(names["lost"]).text == "lost(a, b=1)\n\nWhat it does."


def test_a_class_whose_source_is_lost_is_described():
    assert (
        material_of(type("Lost", (), {"__doc__": "Of yore.", "__module__": "gone"})).text == "class Lost()\n\nOf yore."
    )


def test_a_module_is_its_name_and_docstring():
    assert material_of(json).text.startswith("module json\n\nJSON (JavaScript Object Notation)")


def test_a_long_source_is_cut(cell):
    material = material_of(cell(f"def f():\n    {'x' * 3 * CHARACTERS!r}\n")["f"])
    assert len(material.text) < CHARACTERS + 100
    assert material.notes == ("first 20,000 characters of 60,015",)

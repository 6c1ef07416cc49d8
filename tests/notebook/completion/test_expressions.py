"""What completes Python in braces."""

import math
import os
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.notebook.completion.expressions import LONGEST_CODE, MOST_KEYS, Expressions

NAMESPACE = {
    "answer": "42",
    "analyse": len,
    "abs": math.fabs,
    "_private": 1,
    "In": [],
    5: "no name",
    "not one": 1,
    "math": math,
    "place": SimpleNamespace(inner=SimpleNamespace(answer=1), _own=2),
    "keyed": {"alpha": {"inner": 1}, "with 'quote'": 2, "back\\slash": 3, 5: 4},
}


def expressions(**more):
    names = {**NAMESPACE, **more}

    def evaluate(code):
        return eval(code, {}, names)

    return Expressions(names, hidden={"In"}, evaluate=evaluate, paths=lambda typed: [f"{typed}end", 'a"b', "c\\d"])


def completed(code, **more):
    """What the code becomes."""
    start, offers = expressions(**more)(code)
    assert 0 <= start <= len(code)
    return [code[:start] + text for text, _ in offers]


def test_with_nothing_typed_the_names_of_the_user_come_first():
    found = completed("")
    assert found[:6] == ["abs", "analyse", "answer", "keyed", "math", "place"]
    assert {"len", "True", "lambda"} <= set(found[6:])
    assert len(found) == len(set(found))
    assert not {"In", "_private", "not one", "import", "await", "__import__"} & set(found)


@pytest.mark.parametrize("before", ["", "f(x, ", "[x for x in ", "answer + ", "{'a': ", "'text' + ", "keyed[", "(\n"])
def test_a_name_is_completed_wherever_one_may_stand(before):
    assert completed(f"{before}ans") == [f"{before}answer"]
    assert completed(f"{before}_pri") == [f"{before}_private"]


@pytest.mark.parametrize(
    "code", ["12", "f(x)", "x]", "'whole'", "x[1:2].", "f(x).", "''.", "1.", "nosuch.", "nosuch['"]
)
def test_what_is_no_beginning_of_a_name_has_no_completions(code):
    assert completed(code) == []


def test_attributes_of_values():
    assert completed("place.") == ["place.inner"]
    assert completed("place._o") == ["place._own"]
    assert completed("place.inner.an") == ["place.inner.answer"]
    assert completed("[x for x in place.in") == ["[x for x in place.inner"]
    assert completed("keyed['alpha'].val") == ["keyed['alpha'].values"]
    assert completed("math.sqr") == ["math.sqrt"]


def test_an_attribute_that_is_no_name_is_not_offered():
    class Odd:
        def __dir__(self):
            return ["fine", "x\nimport os", "a b", 5]

    with pytest.raises(TypeError):
        sorted(Odd().__dir__())
    assert completed("odd.", odd=Odd()) == []

    class Hostile:
        def __dir__(self):
            return ["fine", "x\nimport os", "a b"]

    assert completed("hostile.", hostile=Hostile()) == ["hostile.fine"]


def test_a_value_is_asked_once_what_it_has():
    asked = []

    class Asked:
        def __getattr__(self, name):
            asked.append(name)
            raise AttributeError(name)

        def __dir__(self):
            asked.append("dir")
            return ["a"]

    assert completed("it.", it=Asked()) == ["it.a"]
    assert asked == ["dir"]


def test_a_value_that_fails_has_nothing():
    class Broken:
        def __dir__(self):
            raise RuntimeError("no")

        def _ipython_key_completions_(self):
            raise RuntimeError("no")

    assert completed("it.", it=Broken()) == []
    assert completed("it['al", it=Broken()) == []


def test_keys_of_values():
    assert completed("keyed['al") == ["keyed['alpha"]
    assert completed('keyed["with') == ["keyed[\"with 'quote'"]
    assert completed("keyed['alpha']['") == ["keyed['alpha']['inner"]
    assert completed("f(keyed[") == [f"f(keyed[{key!r}" for key in ("alpha", "with 'quote'", "back\\slash")]
    assert completed("kind['a", kind=type("K", (), {"_ipython_key_completions_": lambda _: ["ab", 1]})()) == [
        "kind['ab"
    ]


def test_columns_of_frames_are_keys():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"alpha": [1], "beta": ["x"], 5: [2]})
    assert completed("frame['", frame=frame) == ["frame['alpha", "frame['beta"]
    assert "frame.beta" in completed("frame.be", frame=frame)
    assert completed("one['be", one=frame.iloc[0]) == ["one['beta"]


def test_of_many_keys_the_first_are_looked_at():
    class Many(dict):
        looked = 0

    def keys():
        for n in range(MOST_KEYS + 5):
            Many.looked = n
            yield f"key {n}"

    many = type("Lazy", (), {"_ipython_key_completions_": lambda _: keys()})()
    assert len(completed("many['", many=many)) == MOST_KEYS
    assert Many.looked == MOST_KEYS - 1


def test_files_in_strings_that_are_no_keys():
    assert completed("open('some/") == ["open('some/end", "open('a\"b"]
    assert completed('open("some/') == ['open("some/end']
    assert completed("f('''x") == ["f('''xend", "f('''a\"b"]


def test_text_that_is_too_long_to_be_an_expression_has_no_completions():
    assert completed("x " * LONGEST_CODE + "ans") == []


PIECES = [
    "answer",
    "keyed",
    ".",
    "[",
    "]",
    "(",
    ")",
    '"',
    "'",
    "'''",
    "\\",
    "alpha",
    " ",
    "\n",
    "5",
    "_",
    "é",
    "\0",
    os.sep,
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join))
def test_no_code_makes_it_fail(code):
    start, offers = expressions()(code)
    assert 0 <= start <= len(code)
    assert all(isinstance(text, str) for text, _ in offers)

"""Completion of Python expressions in braces."""

import math
import os
from types import SimpleNamespace

import IPython
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.notebook.completion.expressions import MAX_CODE_LENGTH, MAX_KEYS, ExpressionCompleter

NAMES = {
    "answer": "42",
    "analyse": len,
    "abs": math.fabs,
    "_private": 1,
    "math": math,
    "place": SimpleNamespace(inner="text", _own=2),
    "keyed": {"alpha": {"inner": 1}, "with 'quote'": 2, "back\\slash": 3, 5: 4},
}


@pytest.fixture
def completed(shell, tmp_path, monkeypatch):
    """What a piece of code becomes, completed in a shell with these names."""
    monkeypatch.chdir(tmp_path)
    completer = ExpressionCompleter(shell)
    shell.user_ns.update(NAMES)

    def completed(code, **names):
        shell.user_ns.update(names)
        start, candidates = completer.complete_expression(code)
        assert 0 <= start <= len(code)
        return [code[:start] + text for text, _ in candidates]

    return completed


class Asked:
    """Notes every attribute that is read and every call."""

    def __init__(self):
        vars(self)["notes"] = []

    def __getattr__(self, name):
        vars(self)["notes"].append(name)
        raise AttributeError(name)

    def __dir__(self):
        return ["a"]

    @property
    def eager(self):
        vars(self)["notes"].append("eager")
        return {"key": 1}

    def __call__(self):
        vars(self)["notes"].append("call")
        return {"key": 1}


def test_names_of_the_user_come_first(completed):
    found = completed("")
    assert set(found[: len(NAMES) - 1]) == NAMES.keys() - {"_private"}
    assert {"len", "True", "lambda"} <= set(found)
    assert len(found) == len(set(found))
    assert not {"In", "Out", "_private", "import", "await", "__import__"} & set(found)


def test_name_is_completed_wherever_one_may_stand(completed):
    for before in ("", "f(x, ", "[x for x in ", "answer + ", "{'a': ", "'text' + ", "keyed[", "(\n"):
        assert completed(f"{before}ans") == [f"{before}answer"], before
        assert completed(f"{before}_pri") == [f"{before}_private"], before


def test_code_that_does_not_end_in_a_name_has_no_completions(completed):
    for code in ("12", "f(x)", "x]", "'whole'", "x[1:2].", "f(x).", "nosuch.", "nosuch['", "answer['4"):
        assert completed(code) == [], code


def test_attributes_of_values(completed):
    assert completed("place.") == ["place.inner"]
    if IPython.version_info >= (9,):  # version 8.39 has none itself where a private name is begun
        assert completed("place._o") == ["place._own"]
    assert completed("[x for x in place.in") == ["[x for x in place.inner"]
    assert completed("keyed['alpha'].val") == ["keyed['alpha'].values"]
    assert completed("math.sqr") == ["math.sqrt"]


def test_attribute_that_is_not_an_identifier_is_not_offered(completed):
    class Hostile:
        def __dir__(self):
            return ["fine", "x\nimport os", "a b"]

    assert completed("hostile.", hostile=Hostile()) == ["hostile.fine"]


def test_completion_runs_no_property_getattr_or_call_of_the_users(completed, shell):
    for use_jedi in (True, False):
        shell.Completer.use_jedi = use_jedi
        asked = Asked()
        assert "it.a" in completed("it.", it=asked)
        for code in (
            "it['",
            "it[",
            "it(",
            "it.eager.",
            "it.eager['",
            "it().",
            "it.nosuch.",
            "len(it.",
            "it.eager.k",
            "it",
        ):
            completed(code)
            assert asked.notes == [], code


def test_value_that_fails_has_no_keys(completed):
    class Broken:
        def __dir__(self):
            raise RuntimeError("no")

        def _ipython_key_completions_(self):
            raise RuntimeError("no")

    completed("it.", it=Broken())
    assert completed("it['al", it=Broken()) == []


def test_keys_of_values(completed):
    assert completed("keyed['al") == ["keyed['alpha"]
    assert completed("keyed['alpha']['") == ["keyed['alpha']['inner"]
    assert completed("keyed['w") == ["keyed['with \\'quote\\'"]
    assert {"f(keyed['alpha'", "f(keyed[5"} <= set(completed("f(keyed["))
    own = type("K", (), {"_ipython_key_completions_": lambda _: ["ab", 1]})()
    assert completed("kind['a", kind=own) == ["kind['ab"]


def test_columns_of_frames_are_keys(completed):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"alpha": [1], "beta": ["x"], 5: [2]})
    assert completed("frame['", frame=frame) == ["frame['alpha", "frame['beta"]
    assert "frame.beta" in completed("frame.be")
    assert completed("one['be", one=frame.iloc[0]) == ["one['beta"]


def test_only_the_first_of_many_keys_are_considered(completed):
    produced = []

    def keys():
        for number in range(MAX_KEYS + 5):
            produced.append(number)
            yield f"key {number}"

    completed("many['", many=type("Lazy", (), {"_ipython_key_completions_": lambda _: keys()})())
    assert len(produced) == MAX_KEYS


def test_files_in_strings_that_are_not_keys(completed, tmp_path):
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "end").touch()
    assert completed("open('some/") == ["open('some/end"]
    assert completed('open("some/e') == ['open("some/end']


def test_text_that_is_too_long_to_be_an_expression_has_no_completions(completed):
    assert completed("x " * MAX_CODE_LENGTH + "ans") == []


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


def test_no_code_makes_it_fail(completed, capsys):
    @settings(max_examples=60)
    @given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=20).map("".join))
    def check(code):
        assert all(isinstance(text, str) for text in completed(code))

    check()
    assert capsys.readouterr().err == ""


def test_of_thousands_of_names_none_is_lost_and_the_users_come_first(completed):
    names = completed("", **{f"name_{n}": n for n in range(2000)})
    assert {f"name_{n}" for n in range(2000)} | {"zip", "lambda"} <= {*names}
    assert names.index("zip") > max(names.index(f"name_{n}") for n in range(2000))

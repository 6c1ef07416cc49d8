"""What a value of the notebook is to a model."""

import decimal
import sys
import tracemalloc
from types import SimpleNamespace

import pytest

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.prompt import Material, material_of
from lockbots_magic.prompt.values import LONGEST_TEXT
from lockbots_magic.security.secrets import Secret


def test_a_text_is_never_cut():
    text = "a line\n" * 100_000
    assert material_of(text) == Material(text)


def test_a_turn_is_its_reply():
    assert material_of(Turn("Hello", "Good morning")) == Material("Good morning")


@pytest.mark.parametrize("value", [None, True, 5, 1.5, 2 + 1j, b"ab", decimal.Decimal("1.10"), ..., range(3)])
def test_plain_values_are_their_repr(value):
    assert material_of(value) == Material(repr(value))


def test_long_bytes_are_not_written_out_whole():
    tracemalloc.start()
    try:
        text = material_of(bytes(10_000_000)).text
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert text.startswith("b'\\x00")
    assert "more characters" in text


def test_a_long_repr_is_cut_and_says_so():
    material = material_of(SimpleNamespace(text="x" * 50_000))
    assert len(material.text) < LONGEST_TEXT + 50
    assert "more characters]" in material.text
    assert material.notes == ("first 20,000 characters of 50,018",)


def test_what_writes_markdown_is_asked_for_it_once():
    class Note:
        asked = 0

        def _repr_markdown_(self):
            type(self).asked += 1
            return "**bold**"

    assert material_of(Note()) == Material("**bold**")
    assert Note.asked == 1


@pytest.mark.parametrize("answer", [None, 5, (), b"x"])
def test_what_writes_no_markdown_after_all_is_its_repr(answer):
    class Note:
        def _repr_markdown_(self):
            return answer

        def __repr__(self):
            return "a note"

    assert material_of(Note()) == Material("a note")


def test_markdown_may_come_with_metadata():
    class Note:
        def _repr_markdown_(self):
            return "text", {"isolated": True}

    assert material_of(Note()) == Material("text")


def test_a_value_that_claims_every_attribute_is_its_repr():
    class Proxy:
        def __getattr__(self, name):
            return lambda *_: pytest.fail(f"{name} was called")

        def __repr__(self):
            return "a proxy"

    assert material_of(Proxy()) == Material("a proxy")


def test_a_repr_that_raises_is_an_error_that_names_the_kind():
    class Broken:
        def __repr__(self):
            raise KeyError("x")

    with pytest.raises(UsageError, match=r"a Broken that can't be shown: KeyError: 'x'"):
        material_of(Broken())


def test_a_repr_of_no_text_is_an_error():
    class Broken:
        def __repr__(self):
            return 5

    with pytest.raises(UsageError, match="TypeError"):
        material_of([Broken()])


def test_no_credential_in_use_goes_out():
    secret = Secret("sk-0123456789abcdef")
    shown = material_of({"key": secret.reveal(), "auth": secret})
    assert "0123456789" not in shown.text
    assert "Secret(***)" in shown.text
    assert shown.notes == ("a credential is left out",)


def test_a_credential_is_not_cut_in_two():
    secret = Secret("sk-0123456789abcdef")

    class Long:
        def __repr__(self):
            return "x" * (LONGEST_TEXT - 8) + secret.reveal() + "x" * 100

    assert "sk-0" not in material_of(Long()).text


def test_credentials_of_the_environment_are_left_out(monkeypatch):
    monkeypatch.setenv("SOMEBODYS_API_KEY", "abcdefghijkl")
    import os

    assert "abcdefghijkl" not in material_of(dict(os.environ)).text


def test_no_library_is_imported_to_recognise_a_value(monkeypatch):
    libraries = ("pandas", "polars", "numpy", "matplotlib", "PIL")
    for name in [name for name in sys.modules if name.partition(".")[0] in libraries]:
        monkeypatch.delitem(sys.modules, name)
    material_of(SimpleNamespace())
    assert not [name for name in sys.modules if name.partition(".")[0] in libraries]

"""Values of the notebook in prompts."""

import base64
import datetime
import decimal
import fractions
import io
import pathlib
import sqlite3
import sys
import tracemalloc
from types import SimpleNamespace

import pytest

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.images import image_part
from lockbots_magic.prompt.mime import bundle_part
from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.prompt.values import MAX_TEXT_LENGTH, value_part
from lockbots_magic.security.secrets import Secret


def test_a_text_is_never_cut():
    text = "a line\n" * 100_000
    assert value_part(text) == PromptPart(text)


def test_a_turn_is_its_reply():
    assert value_part(Turn("Hello", "Good morning")) == PromptPart("Good morning")


@pytest.mark.parametrize("value", [None, True, 5, 1.5, 2 + 1j, b"ab", ..., range(3)])
def test_plain_values_are_their_repr(value):
    assert value_part(value) == PromptPart(repr(value))


def test_scalars_are_written_as_by_hand():
    """NumPy 2 writes `np.float64(1.5)`, pandas `Timestamp('...')`: the type is noise to a model, in any container."""
    numpy, pandas = pytest.importorskip("numpy"), pytest.importorskip("pandas")
    numbers = [numpy.float64(1.5), numpy.float32(0.1), numpy.int8(3), numpy.bool_(True), numpy.str_("a'b")]
    day = numpy.datetime64("2024-01-31")
    for value, text in (
        (numbers, """[1.5, 0.1, 3, True, "a'b"]"""),
        ({numpy.int64(7): day, "t": pandas.Timestamp("2024-01-31 10:00")}, "{7: 2024-01-31, 't': 2024-01-31 10:00:00}"),
        ((decimal.Decimal("1.50"), fractions.Fraction(1, 3)), "(1.50, 1/3)"),
        ([datetime.datetime(2024, 1, 31, 12, 30), datetime.timedelta(days=2)], "[2024-01-31 12:30:00, 2 days 0:00:00]"),
        ([pandas.NaT, numpy.timedelta64(3, "D"), pandas.Period("2024-01")], "[NaT, 3 days, 2024-01]"),
        (SimpleNamespace(x=numpy.float64(1.5), a=numpy.array([1.5, 2])), "namespace(x=1.5, a=array([1.5, 2.]))"),
        (decimal.Decimal("1.10"), "1.10"),
        (pathlib.PureWindowsPath("C:/a b"), r"C:\a b"),
        ([pathlib.PurePosixPath("/a, b")], "['/a, b']"),
        (pandas.Timestamp("2024-01-31"), "2024-01-31 00:00:00"),
    ):
        assert value_part(value).text == text
    frame = pandas.DataFrame({"a": [{"k": numpy.float64(1.5)}], "b": [[day]]})
    assert "| {'k': 1.5} | [2024-01-31] |" in value_part(frame).text


def test_long_bytes_are_not_written_out_whole():
    tracemalloc.start()
    try:
        text = value_part(bytes(10_000_000)).text
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    assert text.startswith("b'\\x00")
    assert "more characters" in text


def test_long_repr_is_truncated_with_a_note():
    part = value_part(SimpleNamespace(text="x" * 50_000))
    assert len(part.text) < MAX_TEXT_LENGTH + 50
    assert "more characters]" in part.text
    assert part.notes == ("only the first 20,000 of 50,018 characters were sent",)


def test_markdown_method_is_called_once():
    class Note:
        asked = 0

        def _repr_markdown_(self):
            type(self).asked += 1
            return "**bold**"

    assert value_part(Note()) == PromptPart("**bold**")
    assert Note.asked == 1


@pytest.mark.parametrize("answer", [None, 5, (), b"x"])
def test_value_without_markdown_is_its_repr(answer):
    class Note:
        def _repr_markdown_(self):
            return answer

        def __repr__(self):
            return "a note"

    assert value_part(Note()) == PromptPart("a note")


def test_markdown_may_come_with_metadata():
    class Note:
        def _repr_markdown_(self):
            return "text", {"isolated": True}

    assert value_part(Note()) == PromptPart("text")


def test_a_value_that_claims_every_attribute_is_its_repr():
    class Proxy:
        def __getattr__(self, name):
            return lambda *_: pytest.fail(f"{name} was called")

        def __repr__(self):
            return "a proxy"

    assert value_part(Proxy()) == PromptPart("a proxy")


def test_failing_repr_is_an_error_that_names_the_type():
    class Broken:
        def __repr__(self):
            raise KeyError("x")

    class Leaving:
        def __repr__(self):
            raise SystemExit(1)

    with pytest.raises(UsageError, match=r"Can't convert a Broken to text: KeyError: 'x'"):
        value_part(Broken())
    with pytest.raises(UsageError, match=r"Can't convert a Leaving to text: SystemExit: 1"):
        value_part(Leaving())


def test_a_repr_of_no_text_is_an_error():
    class Broken:
        def __repr__(self):
            return 5

    with pytest.raises(UsageError, match="TypeError"):
        value_part([Broken()])


def test_credentials_in_use_are_removed():
    secret = Secret("sk-0123456789abcdef")
    shown = value_part({"key": secret.reveal(), "auth": secret})
    assert "0123456789" not in shown.text
    assert "Secret(***)" in shown.text
    assert shown.notes == ("a credential was removed",)


def test_truncated_repr_contains_no_part_of_a_credential():
    secret = Secret("sk-0123456789abcdef")

    class Long:
        def __repr__(self):
            return "x" * (MAX_TEXT_LENGTH - 8) + secret.reveal() + "x" * 100

    assert "sk-0" not in value_part(Long()).text


def test_credentials_of_the_environment_are_left_out(monkeypatch):
    monkeypatch.setenv("SOMEBODYS_API_KEY", "abcdefghijkl")
    import os

    assert "abcdefghijkl" not in value_part(dict(os.environ)).text


def test_no_library_is_imported_to_recognise_a_value(monkeypatch):
    libraries = ("pandas", "polars", "numpy", "matplotlib", "PIL")
    for name in [name for name in sys.modules if name.partition(".")[0] in libraries]:
        monkeypatch.delitem(sys.modules, name)
    value_part(SimpleNamespace())
    assert not [name for name in sys.modules if name.partition(".")[0] in libraries]


def test_a_buffer_is_what_it_holds():
    assert value_part(io.StringIO("a\n")).text == "a\n"
    png = b"\x89PNG\r\n\x1a\n"
    assert value_part(io.BytesIO(png)).images == value_part(png).images != ()
    assert image_part(io.BytesIO(png)).images == image_part(png).images
    closed = io.StringIO("a")
    closed.close()
    assert value_part(closed).notes


@pytest.mark.parametrize("value", [object(), memoryview(b"a"), map(str, [1]), (n for n in "a")])
def test_a_value_that_is_only_named_is_told(value):
    part = value_part(value)
    assert part.text.startswith("<")
    assert "its name" in part.notes[0]
    assert ("list(...)" in part.notes[0]) is hasattr(value, "__next__")


def test_a_coroutine_is_refused_with_what_to_write():
    async def fetch():
        return 1

    with pytest.raises(UsageError, match="write `await` before it"):
        value_part(fetch())  # warnings are errors here: it is closed


def test_what_a_value_displays_is_asked_for_as_ipython_asks():
    class Table:
        def _repr_mimebundle_(self, include, exclude, **_):
            assert include is exclude is None
            return {"text/html": "<p>one</p>"}

    class Plain:
        def _repr_mimebundle_(self):
            return {"text/html": "<p>two</p>"}

    class Rich(Table):
        def __repr__(self):
            return "<rich.table.Table object at 0x7f1040ec6450>"

    assert [value_part(one()).text for one in (Table, Plain, Rich)] == ["one", "two", "one"]


def test_value_with_a_text_of_its_own_is_sent_as_that():
    class Named:
        def __str__(self):
            return "Graph with 3 nodes"

    class Drawn(Named):
        def _repr_svg_(self):
            return "<svg><path/></svg>"

    class Failing(Named):
        def _repr_mimebundle_(self, **_):
            raise OSError("no program `dot`")

    class Shown(Named):
        def _repr_html_(self):
            return "<p>one</p>"

    assert [value_part(one()).text for one in (Named, Drawn, Failing)] == ["Graph with 3 nodes"] * 3
    assert value_part(Shown()).text == "one"


def test_drawing_is_sent_as_its_source_or_told():
    svg = "<svg><text>Sales</text></svg>"
    assert bundle_part({"image/svg+xml": svg, "text/plain": "<Figure size 1x1 with 1 Axes>"}) == PromptPart(svg)
    for bundle in ({"image/svg+xml": svg * 1000}, {"application/pdf": "JVBERi0="}):
        part = bundle_part({**bundle, "text/plain": "<Figure size 1x1 with 1 Axes>"})
        assert part.text == "<Figure size 1x1 with 1 Axes>"
        assert part.notes == (f"{next(iter(bundle))} was left out",)


def test_bytes_of_a_picture_are_a_picture():
    png = base64.b64decode(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    )
    for data in (png, bytearray(png)):
        part = value_part(data)
        assert (part.text, len(part.images)) == ("", 1)
    assert value_part(png[4:]).images == ()


def test_words_for_browsers_without_sound_are_left_out():
    class Sound:
        def _repr_html_(self):
            return "<audio controls>Your browser does not support the audio element.</audio>"

    part = value_part(Sound())
    assert "browser" not in part.text
    assert part.notes == ("HTML without text was left out",)


def test_rows_of_sqlite_are_sent_with_their_values():
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    row = connection.execute("SELECT 1 AS n, 'x' AS name").fetchone()
    joined = connection.execute("SELECT 1 AS id, 2 AS id").fetchall()
    connection.close()
    assert value_part(row).text == "{'n': 1, 'name': 'x'}"
    assert value_part([row]).text == "[{'n': 1, 'name': 'x'}]"
    assert value_part(joined).text == "[[('id', 1), ('id', 2)]]"

"""NumPy arrays in prompts."""

import sys
from types import SimpleNamespace

import pytest

from lockbots_magic.prompt.part import PromptPart
from lockbots_magic.prompt.values import value_part

np = pytest.importorskip("numpy")


def test_a_small_array_is_shown_whole():
    assert value_part(np.array([[1, 2], [3, 4]])) == PromptPart("array, shape 2 × 2, dtype int64\n[[1, 2],\n [3, 4]]")


def test_an_array_without_axes_is_its_value():
    assert value_part(np.array(5)).text == "array, shape (), dtype int64\n5"


@pytest.mark.parametrize("value", [np.float64(0.5), np.int64(5), np.bool_(True), np.str_("ab")])
def test_scalar_is_its_text(value):
    assert value_part(value) == PromptPart(str(value))


@pytest.mark.parametrize(
    ("shape", "ends"),
    [
        ((1_000_000,), 5),
        ((1000, 1000), 5),
        ((100, 100, 100), 5),
        ((10, 100, 10, 100), 2),
        ((10,) * 6, 1),
        ((1,) * 9 + (1_000_000,), 5),
        ((1000, 1, 1, 10, 100), 5),
        ((2, 2, 2, 2, 62_500), 5),
    ],
)
def test_a_large_array_shows_the_ends_of_each_axis(shape, ends):
    part = value_part(np.zeros(shape))
    assert len(part.text) < 21_000
    assert f"the first and last {ends} along each axis" in part.text
    assert part.notes[0] == "only the ends of each axis of 1,000,000 items were sent"


def test_array_of_very_many_axes_shows_its_first_items():
    part = value_part(np.arange(2**20).reshape((2,) * 20))
    assert "its first items, without the axes\n[" in part.text
    assert " 999]" in part.text
    assert part.notes == ("only the first 1,000 of 1,048,576 items were sent",)


def test_array_of_objects_is_bounded_like_a_list():
    values = np.empty(5000, dtype=object)
    values[:] = "x" * 1000
    part = value_part(values)
    assert len(part.text) < 25_000
    assert part.notes == ("only the first 1,000 of 5,000 items were sent",)


def test_array_of_few_objects_is_sent_with_its_axes():
    part = value_part(np.array([["a", None], [1, 2.5]], dtype=object))
    assert part.text == "array, shape 2 × 2, dtype object\n[['a', None], [1, 2.5]]"


def test_an_empty_array_and_a_structured_one():
    assert value_part(np.zeros((0, 3))).text == "array, shape 0 × 3, dtype float64\n[]"
    assert "(1, 2.5)" in value_part(np.array([(1, 2.5)], dtype=[("a", int), ("b", float)])).text


@pytest.mark.filterwarnings("error")
def test_masked_items_are_dashes_whatever_is_below_the_mask():
    for items, kind, shown in [
        ([1, 2], "int64", "[1, --]"),
        ([1.5, 2], "float32", "[1.5, --]"),
        ([0.1, 2], "float32", "[0.1, --]"),
        ([True, False], "bool", "[True, --]"),
        ([1 + 2j, 2], "complex128", "[1.+2.j, --]"),
        (["a", "b"], "<U1", "['a', --]"),
        (["2020-01-01", "2021-01-01"], "datetime64[D]", "['2020-01-01', --]"),
        ([60, 5], "timedelta64[s]", "[60, --]"),
        ([[1, 2], [3, 4]], "int64", "[[1, --],\n [3, --]]"),
    ]:
        value = np.ma.array(np.array(items, dtype=kind), mask=np.broadcast_to([False, True], np.shape(items)))
        assert value_part(value).text.partition("\n")[2] == shown
    record = np.ma.array([(1, 2.5)], dtype=[("a", int), ("b", float)], mask=[(False, True)])
    assert value_part(record).text.endswith("\n[(1, --)]")
    assert value_part(np.ma.masked).text.endswith("\n--")
    many = np.ma.array(np.arange(30_000).reshape(10_000, 3), mask=np.arange(30_000) % 2)
    lines = value_part(many).text.splitlines()[1:]
    assert [lines[0], lines[5], lines[-1], len(lines)] == ["[[0, --, 2],", " ...,", " [--, 29998, --]]", 11]


def test_numbers_keep_all_their_digits_whatever_is_set_for_printing():
    with np.printoptions(precision=2, suppress=True):
        assert value_part(np.array([1234567890.55, 1e-20, 1])).text.endswith("\n[1234567890.55, 1e-20, 1.]")
        assert value_part({"a": np.array([0.1], dtype="float32")}).text == "{'a': array([0.1], dtype=float32)}"
        assert np.get_printoptions()["precision"] == 2


def test_array_in_a_container_says_what_was_cut():
    part = value_part({"a": np.zeros(5000)})
    assert "array, shape 5,000, dtype float64; the first and last 5" in part.text
    assert part.notes == ("long or deeply nested parts were shortened",)


@pytest.mark.parametrize("works", [True, False])
def test_tensor_of_another_library_is_an_array_or_says_that_it_may_be_rounded(monkeypatch, works):
    class Tensor:
        def __repr__(self):
            return "tensor([1.2346e+09])"

        def detach(self):
            return self

        def cpu(self):
            return np.array([1234567890.55]) if works else 1 / 0

    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(Tensor=Tensor))
    part = value_part(Tensor())
    assert (part.text, part.notes) == (
        ("Tensor as array, shape 1, dtype float64\n[1234567890.55]", ())
        if works
        else ("tensor([1.2346e+09])", ("its numbers may be rounded, as in its repr",))
    )
    assert ("1234567890.55" in value_part([Tensor()]).text) == works

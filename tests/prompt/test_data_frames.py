"""Data frames and series in prompts: Markdown tables."""

import tracemalloc
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from lockbots_magic.prompt.data_frames import MAX_LENGTH
from lockbots_magic.prompt.values import value_part

MILLION = 1_000_000


def table(value):
    """The lines of the table that `value` becomes."""
    return value_part(value).text.partition("\n\n")[2].splitlines()


def test_a_data_frame_is_a_table_with_its_shape_and_types(pd):
    assert value_part(pd.DataFrame({"a": [1, 2], "b": [0.1 + 0.2, float("nan")], "c": [True, False]})).text == (
        "DataFrame, 2 rows × 3 columns\n"
        "dtypes: a: int64, b: float64, c: bool\n"
        "\n"
        "| a | b | c |\n"
        "| --- | --- | --- |\n"
        "| 1 | 0.30000000000000004 | True |\n"
        "| 2 | NaN | False |"
    )


def test_a_polars_frame_looks_the_same(pl):
    assert value_part(pl.DataFrame({"a": [1, 2], "b": [0.5, None]})).text == (
        "DataFrame, 2 rows × 2 columns\n"
        "dtypes: a: Int64, b: Float64\n"
        "\n"
        "| a | b |\n"
        "| --- | --- |\n"
        "| 1 | 0.5 |\n"
        "| 2 | None |"
    )


def test_index_that_only_counts_rows_is_left_out(pd):
    assert table(pd.DataFrame({"a": [1]}))[0] == "| a |"
    assert table(pd.DataFrame({"a": [1]}, index=["x"])) == ["|  | a |", "| --- | --- |", "| x | 1 |"]
    assert table(pd.DataFrame({"a": [1]}, index=pd.RangeIndex(5, 6)))[2] == "| 5 | 1 |"
    assert table(pd.DataFrame({"a": [1]}, index=pd.RangeIndex(1, name="n")))[0] == "| n | a |"


def test_each_level_of_an_index_has_a_column(pd):
    index = pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["k", None])
    assert table(pd.DataFrame({"a": [3, 4]}, index=index)) == [
        "| k |  | a |", "| --- | --- | --- |", "| 1 | x | 3 |", "| 2 | y | 4 |",
    ]  # fmt: skip


def test_levels_of_columns_are_one_label(pd):
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "min"), ("a", "max")]))
    assert table(frame)[0] == "| a / min | a / max |"


def test_columns_of_one_name_are_both_shown(pd):
    assert table(pd.DataFrame([[1, 2]], columns=["a", "a"]))[0::2] == ["| a | a |", "| 1 | 2 |"]


def test_a_pandas_series_is_a_table_of_one_column(pd):
    assert value_part(pd.Series([1, 2], name="n")).text == (
        "Series, 2 rows × 1 column\ndtypes: n: int64\n\n| n |\n| --- |\n| 1 |\n| 2 |"
    )
    assert table(pd.Series([1], index=["x"]))[0::2] == ["|  | value |", "| x | 1 |"]


def test_a_polars_series_is_a_table_of_one_column(pl):
    assert value_part(pl.Series("n", [1])).text == (
        "Series, 1 row × 1 column\ndtypes: n: Int64\n\n| n |\n| --- |\n| 1 |"
    )


@pytest.mark.parametrize("columns", [{}, {"a": []}])
def test_an_empty_frame_says_so(pd, pl, columns):
    for frame in (pd.DataFrame(columns), pl.DataFrame(columns)):
        assert value_part(frame).text.startswith(f"DataFrame, 0 rows × {len(columns)} column")


def test_an_index_without_columns_is_shown(pd):
    assert table(pd.DataFrame(index=["x", "y"]))[2:] == ["| x |", "| y |"]


@pytest.mark.parametrize("count", [0, 1, 19, 20, 21, 39, 40, 41, 42, 100])
def test_each_row_is_shown_once_or_not_at_all(pd, pl, count):
    for value in (pd.DataFrame({"a": range(count)}), pl.DataFrame({"a": range(count)}), pd.Series(range(count)),
                  pl.Series(range(count)), pd.DataFrame({"a": range(count)}).set_index("a")):  # fmt: skip
        rows = [line.strip("| ") for line in table(value)[2:]]
        whole = [*map(str, range(count))]
        assert rows == (whole if count <= 40 else [*whole[:20], "…", *whole[-20:]])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_long_frame_shows_its_ends_with_a_note(library):
    frame = pytest.importorskip(library).DataFrame({"a": range(MILLION)})
    part = value_part(frame)
    assert part.text.startswith("DataFrame, 1,000,000 rows × 1 column, of which the first 20 and last 20 rows\n")
    assert part.text.endswith("| 999999 |")
    assert part.notes == ("only 40 of 1,000,000 rows were sent (first 20 and last 20)",)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_wide_frame_shows_its_first_and_last_columns(library):
    frame = pytest.importorskip(library).DataFrame({f"c{n}": [n] for n in range(1000)})
    part = value_part(frame)
    assert "1,000 columns, of which the first and last 10 columns" in part.text
    assert (
        table(frame)[0]
        == f"| {' | '.join([*(f'c{n}' for n in range(10)), '…', *(f'c{n}' for n in range(990, 1000))])} |"
    )
    assert part.notes == ("only 20 of 1,000 columns were sent",)


def test_what_the_columns_of_a_pivot_are_is_told(pd):
    frame = pd.crosstab(pd.Series(["f", "m"], name="sex"), pd.Series(["Gentoo", "Chinstrap"], name="species"))
    assert value_part(frame).text.splitlines()[1:3] == ["columns: species", "dtypes: Chinstrap: int64, Gentoo: int64"]
    frame.columns = pd.MultiIndex.from_tuples([("a", 1), ("a", 2)], names=["k", None])
    assert value_part(frame).text.splitlines()[1] == "columns: k / "
    frame.columns = ["a", "b"]
    assert value_part(frame).text.splitlines()[1].startswith("dtypes: ")


def test_gap_between_columns_follows_the_index(pd):
    frame = pd.DataFrame([range(30)], index=["x"])
    assert table(frame)[2].startswith("| x | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | … | 20 |")


def test_cell_text_cannot_break_the_table(pd):
    frame = pd.DataFrame({"a|b\nc": ["x | y\nz\r\n\u2028w", "`"]})
    assert table(frame) == [r"| a\|b\nc |", "| --- |", r"| x \| y\nz\n\nw |", "| ` |"]


def test_long_cells_are_shortened_with_a_note(pd):
    part = value_part(pd.DataFrame({"a": ["x" * 1000, [*range(10_000)]]}))
    assert all(len(line) < 400 for line in part.text.splitlines())
    assert part.notes == ("long cells were shortened",)


def test_a_frame_of_long_cells_shows_fewer_rows(pd):
    frame = pd.DataFrame({f"c{n}": ["x" * 500] * 40 for n in range(20)})
    part = value_part(frame)
    assert len(part.text) < MAX_LENGTH + 3000
    assert "only 10 of 40 rows were sent (first 5 and last 5)" in part.notes


def test_values_in_cells_are_readable(pd):
    frame = pd.DataFrame({"a": [pd.Timestamp("2024-01-02"), None, {"k": (1, 2)}, b"x", pd.NA]}, dtype=object)
    assert table(frame)[2:] == ["| 2024-01-02 00:00:00 |", "| None |", "| {'k': (1, 2)} |", "| b'x' |", "| <NA> |"]


def test_numbers_keep_all_their_digits(pd):
    frame = pd.DataFrame({"a": [1 / 3, 1e-12, 1234567890.55, 1e300, float("inf")]})
    assert table(frame)[2:] == ["| 0.3333333333333333 |", "| 1e-12 |", "| 1234567890.55 |", "| 1e+300 |", "| inf |"]
    whole = pd.DataFrame({"a": [2**64 - 1, Decimal("1.10000000000000000000001"), 10**5000]}, dtype=object)
    assert table(whole)[2:4] == ["| 18446744073709551615 |", "| 1.10000000000000000000001 |"]
    assert value_part(whole).notes == ("long cells were shortened",)


@pytest.mark.parametrize("dtype", ["float32", "Float32", "category"])
def test_narrow_floats_are_as_short_as_they_were_written(pd, dtype):
    series = pd.Series([0.1, 0.7], dtype="float32").astype(dtype)
    assert table(series)[2:] == ["| 0.1 |", "| 0.7 |"]
    assert table(series.to_frame().set_index(series.rename("k")))[2:] == ["| 0.1 | 0.1 |", "| 0.7 | 0.7 |"]


def test_narrow_floats_of_polars_too(pl):
    frame = pl.DataFrame({"a": [0.1], "b": [[0.7]]}, schema={"a": pl.Float32, "b": pl.List(pl.Float32)})
    assert table(frame)[2:] == ["| 0.1 | [0.7] |"]


def test_times_keep_their_nanoseconds(pd, pl):
    times = pd.DataFrame({"at": pd.to_datetime(["2024-01-02T03:04:05.123456789"]), "took": pd.to_timedelta([1], "ns")})
    assert table(times)[2:] == ["| 2024-01-02 03:04:05.123456789 | 0 days 00:00:00.000000001 |"]
    assert table(pl.from_pandas(times))[2:] == ["| 2024-01-02 03:04:05.123456789 | 1 ns |"]
    whole = pl.DataFrame({"at": [datetime(2024, 1, 2)], "took": [timedelta(hours=1)]}).cast(
        {"at": pl.Datetime("ns"), "took": pl.Duration("ns")}
    )
    assert table(whole)[2:] == ["| 2024-01-02 00:00:00 | 1:00:00 |"]


def test_a_table_of_arrow_looks_the_same():
    pa = pytest.importorskip("pyarrow")
    given = pa.table({"a": pa.array([0.1, None], pa.float32()), "t": pa.array([1, 0], pa.timestamp("ns"))})
    assert value_part(given).text == (
        "Table, 2 rows × 2 columns\n"
        "dtypes: a: float, t: timestamp[ns]\n"
        "\n"
        "| a | t |\n"
        "| --- | --- |\n"
        "| 0.1 | 1970-01-01 00:00:00.000000001 |\n"
        "| None | 1970-01-01 00:00:00 |"
    )


def test_an_index_is_a_table(pd):
    assert table(pd.Index([0.1], dtype="float32")) == ["| value |", "| --- |", "| 0.1 |"]
    part = value_part(pd.MultiIndex.from_product([range(50), ["a", "b"]], names=["n", None]))
    assert part.text.startswith("MultiIndex, 100 rows × 2 columns, of which the first 20 and last 20 rows\n")
    assert "| n | level 1 |" in part.text
    assert value_part(pd.RangeIndex(5)).text == "RangeIndex(start=0, stop=5, step=1)"


def test_a_cell_that_fails_is_an_error(pd):
    class Broken:
        def __str__(self):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="Can't convert a DataFrame to text: ValueError: broken"):
        value_part(pd.DataFrame({"a": [Broken()]}))


@pytest.mark.parametrize("kind", ["frame", "series", "levels"])
def test_a_frame_is_not_copied(pd, kind):
    frame = pd.DataFrame({"a": range(MILLION), "b": 0.5})
    value = {"frame": lambda: frame, "series": lambda: frame["b"], "levels": lambda: frame.set_index(["a", "b"])}[
        kind
    ]()
    value_part(value)
    tracemalloc.start()
    try:
        value_part(value)
        assert tracemalloc.get_traced_memory()[1] < MILLION  # a column takes eight times as many bytes
    finally:
        tracemalloc.stop()


def test_a_subclass_is_a_frame_too(pd):
    class Ours(pd.DataFrame):  # type: ignore[name-defined]  # a fixture: it skips where pandas is missing
        pass

    assert value_part(Ours({"a": [1]})).text.startswith("DataFrame, 1 row × 1 column\n")


def test_half_floats_are_as_short_as_they_were_written(pd):
    assert table(pd.Series([0.1, 65504], dtype="float16"))[2:] == ["| 0.1 |", "| 65500 |"]

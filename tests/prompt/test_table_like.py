"""Values that stand for a table."""

import pytest

from lockbots_magic.prompt.values import value_part


def test_styler_is_its_table(pd):
    pytest.importorskip("jinja2")
    part = value_part(pd.DataFrame({"a": [1234567890.55]}).style.format("{:.1f}").highlight_max())
    assert "| 1234567890.55 |" in part.text
    assert part.notes == ("its values were sent, without styles and number formats",)


def test_groups_are_their_sizes(pd, pl):
    frame = pd.DataFrame({"k": ["b", "a", "b"], "n": [1, 2, 3]})
    for groups in (frame.groupby("k"), frame.groupby("k")["n"], frame.groupby("k", as_index=False)):
        part = value_part(groups)
        assert ", 2 groups with these sizes:" in part.text
        assert "| a | 1 |" in part.text
        assert "aggregate it" in part.notes[-1]
    texts = {value_part(pl.DataFrame({"k": [*range(100)]}).group_by("k")).text for _ in range(5)}
    assert len(texts) == 1


def test_lazy_frame_is_its_schema_and_plan(pl):
    part = value_part(pl.LazyFrame({"a": [1], "b": ["x"]}).filter(pl.col("a") > 0).select("b"))
    assert part.text.startswith("LazyFrame, not collected\ndtypes: b: String\nplan:\n")
    assert "FILTER" in part.text
    assert "collect()" in part.notes[0]
    assert "0x" not in part.text


class InMemory:
    """A table of another library."""

    def __init__(self, frame):
        self.frame = frame

    def __len__(self):
        return len(self.frame)

    def to_pandas(self):
        return self.frame


class InDatabase:
    """A query of another library: only its first rows may be computed."""

    def __init__(self, frame, limited=False):
        self.frame, self.limited = frame, limited

    def limit(self, count):
        return InDatabase(self.frame.head(count), limited=True)

    def to_pandas(self):
        assert self.limited
        return self.frame


def test_value_that_converts_itself_to_pandas_is_a_table(pd):
    frame = pd.DataFrame({"a": range(1000)})
    assert "DataFrame, 1,000 rows × 1 column" in value_part(InMemory(frame)).text
    part = value_part(InDatabase(frame))
    assert "DataFrame, 40 rows × 1 column" in part.text
    assert part.notes == ("only up to 40 first rows were read",)


def test_value_that_is_nothing_but_html_is_its_text():
    from IPython.display import HTML, JSON, Math

    assert value_part(HTML("<b>Total: 4711</b>")).text == "Total: 4711"
    assert "hbar^2" in value_part(Math("hbar^2")).text
    assert value_part(JSON({"answer": 815})).text == '{\n "answer": 815\n}'
    empty = value_part(HTML("<script>1</script>"))
    assert empty.notes == ("HTML without text was left out",)


def test_value_with_a_repr_of_its_own_is_its_repr():
    class Speaks:
        def __repr__(self):
            return "Speaks(1)"

        def _repr_html_(self):
            return "<b>html</b>"

    assert value_part(Speaks()).text == "Speaks(1)"


def test_other_groups_and_arrays_of_pandas_and_polars(pd, pl):
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.date_range("2024", periods=2))
    assert "2 groups with these sizes" in value_part(frame.resample("D")).text
    assert "LazyFrame, not collected" in value_part(pl.LazyFrame({"a": [1]}).group_by("a")).text
    assert value_part(pd.array([0.1] * 1000)).notes == ("only 40 of 1,000 rows were sent (first 20 and last 20)",)
    assert "at 0x" not in value_part(pd.DataFrame({"a": [object()]})).text


def test_html_in_a_container_is_its_text():
    from IPython.display import HTML

    assert value_part([HTML("<b>Total: 4711</b>")]).text == "[Total: 4711]"

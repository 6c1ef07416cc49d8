"""Charts that are a specification."""

import base64
import json
import sys
from types import ModuleType

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.charts import describe_plotly, find_vega
from lockbots_magic.prompt.images import image_part
from lockbots_magic.prompt.mime import bundle_part
from lockbots_magic.prompt.values import value_part


def specification(part):
    return json.loads(part.text.partition("\n")[2])


def test_plotly_figure_is_its_data_and_layout():
    px = pytest.importorskip("plotly.express")
    figure = px.scatter(x=[1, 2], y=[0.1, 1234567890.55], title="Sales")
    part = value_part(figure)
    shown = specification(part)
    assert part.text.startswith("Plotly figure, as its specification:\n")
    assert (shown["data"][0]["x"], shown["data"][0]["y"]) == ([1, 2], [0.1, 1234567890.55])
    assert shown["layout"]["title"]["text"] == "Sales"
    assert "template" not in shown["layout"]
    assert not part.notes
    assert (
        bundle_part(figure._repr_mimebundle_() or {"application/vnd.plotly.v1+json": json.loads(figure.to_json())})
        == part
    )


def test_large_plotly_figure_is_bounded_with_a_note():
    px = pytest.importorskip("plotly.express")
    part = value_part(px.line(y=[*range(100_000)]))
    assert len(part.text) < 21_000
    assert part.notes == ("only the ends of its data were sent",)
    assert specification(part)["data"][0]["y"][18:22] == [18, 19, "… 99,960 more …", 99_980]


@pytest.mark.parametrize(("array", "values"), [
    ({"dtype": "f4", "bdata": "zczMPQ=="}, [0.1]),
    ({"dtype": "i1", "bdata": "AQIDBA==", "shape": "2, 2"}, [[1, 2], [3, 4]]),
    ({"dtype": "i1", "bdata": "AQID", "shape": "2, 2"}, [1, 2, 3]),
    ({"dtype": "i4", "bdata": "AQID"}, []),
    ({"dtype": "f8", "bdata": "!"}, []),
    ({"dtype": "odd", "bdata": "AQID"}, {"dtype": "odd", "bdata": "AQID"}),
])  # fmt: skip
def test_arrays_of_plotly_are_lists(array, values):
    assert specification(describe_plotly({"data": [{"x": array, "uid": "random"}]})) == {
        "data": [{"x": values}],
        "layout": {},
    }


def test_plotly_figure_is_a_picture_where_kaleido_draws_it(monkeypatch):
    go = pytest.importorskip("plotly.graph_objects")
    png = b"\x89PNG\r\n\x1a\n"
    with pytest.raises(UsageError, match="Insert its specification"):
        image_part(go.Figure())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name == "kaleido")
    monkeypatch.setattr(go.Figure, "to_image", lambda self, **_: png)
    assert value_part(go.Figure()).images == (f"data:image/png;base64,{base64.b64encode(png).decode()}",)
    monkeypatch.setattr(go.Figure, "to_image", lambda self, **_: 1 / 0)
    assert "Plotly figure" in value_part(go.Figure()).text


@pytest.fixture
def chart():
    alt, pd = pytest.importorskip("altair"), pytest.importorskip("pandas")
    return alt.Chart(pd.DataFrame({"x": [1, 2], "y": [2, 1]})).mark_point().encode(x="x", y="y")


def test_altair_chart_is_its_specification(chart):
    shown = specification(value_part(chart))
    assert shown["encoding"]["x"] == {"field": "x", "type": "quantitative"}
    assert [*shown["datasets"].values()] == [[{"x": 1, "y": 2}, {"x": 2, "y": 1}]]
    assert "$schema" not in shown
    assert "Vega-Lite chart" in value_part([chart]).text


def test_altair_counts_names_anew_in_each_question(chart):
    import altair as alt

    texts = {value_part(chart.add_params(alt.selection_interval())).text for _ in range(3)}
    assert len(texts) == 1
    assert "param_1" in texts.pop()


def test_altair_chart_of_many_rows_is_bounded():
    alt, pd = pytest.importorskip("altair"), pytest.importorskip("pandas")
    part = value_part(alt.Chart(pd.DataFrame({"x": range(20_000)})).mark_bar().encode(x="x"))
    assert "19,960 more" in part.text
    assert part.notes == ("only the ends of its data were sent",)


def test_chart_is_found_in_what_altair_displays(chart):
    bundle = chart._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert bundle_part({**bundle, "text/plain": "alt.Chart(...)"}) == value_part(chart)
    assert bundle_part({"application/vnd.vegalite.v6+json": chart.to_dict()}) == value_part(chart)


@pytest.mark.parametrize("html", ["", "vega", "vega })({", "vega })({]", "vega })(" + '{"a":' * 100_000])
def test_html_without_a_chart_holds_none(html):
    assert find_vega(html) is None


def test_module_of_that_name_alone_is_no_chart(monkeypatch):
    monkeypatch.setitem(sys.modules, "altair", ModuleType("altair"))
    assert value_part(5).text == "5"

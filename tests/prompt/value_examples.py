"""Examples of values in prompts, with the text that is sent: checked by tests, and shown on a page of docs/."""

from __future__ import annotations

from typing import NamedTuple


class ValueExample(NamedTuple):
    """What one kind of value becomes."""

    what: str
    """What is shown, a sentence."""
    code: str
    """Python; its last line is the expression."""
    sent: str
    images: int = 0
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """Modules that must be there."""


GROUPS: dict[str, list[ValueExample]] = {
    "Text, numbers, containers": [
        ValueExample("Text goes as it is, of any length.", '"two\\nlines"', "two\nlines"),
        ValueExample(
            "So does what a buffer holds: text, or an image.",
            'import io\n\nbuffer = io.StringIO()\nprint("two", "words", file=buffer)\nbuffer',
            "two words\n",
        ),
        ValueExample(
            "Numbers keep all their digits.",
            "[1234567890.55, 0.1, 2**70]",
            "[1234567890.55, 0.1, 1180591620717411303424]",
        ),
        ValueExample(
            "Sets are written in order, so that the same prompt is the same text in every kernel.",
            '{"b": {3, 1, 2}, "a": (1,), "text": "x"}',
            "{'b': {1, 2, 3}, 'a': (1,), 'text': 'x'}",
        ),
        ValueExample(
            "A named tuple keeps its names.",
            'from collections import namedtuple\n\nPoint = namedtuple("Point", "x y")\nPoint(1, 2)',
            "Point(x=1, y=2)",
        ),
        ValueExample(
            "Of long containers the ends are sent, and a note says so.",
            "[*range(500)]",
            "[\n"
            "  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,\n"
            "  28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,\n"
            "  53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77,\n"
            "  78, 79, … 400 more, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 490, 491, 492, 493, 494, 495,\n"
            "  496, 497, 498, 499\n"
            "]",
            notes=("only 100 of 500 items were sent",),
        ),
    ],
    "Tables and arrays": [
        ValueExample(
            "Data frames of pandas, Polars and Arrow: size, types, first and last rows.",
            'import pandas as pd\n\npd.DataFrame({"n": [1, 2], "t": [1.5, 1234567890.55]})',
            "DataFrame, 2 rows × 2 columns\ndtypes: n: int64, t: float64\n\n"
            "| n | t |\n| --- | --- |\n| 1 | 1.5 |\n| 2 | 1234567890.55 |",
            needs=("pandas",),
        ),
        ValueExample(
            "Narrow floats keep their own digits.",
            'import pandas as pd\n\npd.Series([0.1, 0.2], dtype="float32", name="x")',
            "Series, 2 rows × 1 column\ndtypes: x: float32\n\n| x |\n| --- |\n| 0.1 |\n| 0.2 |",
            needs=("pandas",),
        ),
        ValueExample(
            "Groups, as their sizes.",
            'import pandas as pd\n\npd.DataFrame({"k": [1, 1, 2], "v": [1, 2, 3]}).groupby("k")',
            "DataFrameGroupBy, 2 groups with these sizes:\nSeries, 2 rows × 1 column\ndtypes: size: int64\n\n"
            "| k | size |\n| --- | --- |\n| 1 | 2 |\n| 2 | 1 |",
            notes=("only the sizes of its groups were sent; aggregate it, as in `groups.mean()`, to send values",),
            needs=("pandas",),
        ),
        ValueExample(
            "Lazy frames, as schema and plan: nothing is computed.",
            'import polars as pl\n\npl.LazyFrame({"a": [1]}).filter(pl.col("a") > 0)',
            'LazyFrame, not collected\ndtypes: a: Int64\nplan:\nFILTER col("a") > 0\nFROM\n'
            '  DF ["a"]; PROJECT */1 COLUMNS',
            notes=("a LazyFrame has no rows yet: its schema and plan were sent; `.collect()` it to send rows",),
            needs=("polars",),
        ),
        ValueExample(
            "Arrays of NumPy, and tensors: shape, type, items.",
            'import numpy as np\n\nnp.arange(6, dtype="int16").reshape(2, 3)',
            "array, shape 2 × 3, dtype int16\n[[0, 1, 2],\n [3, 4, 5]]",
            needs=("numpy",),
        ),
    ],
    "Pictures and charts": [
        ValueExample(
            "Figures, axes, grids of seaborn, and pictures of Pillow are images.",
            'from PIL import Image\n\nImage.new("F", (4, 4))',
            "",
            images=1,
            notes=("its grey values 0 to 1 were scaled to 8 bits",),
            needs=("PIL",),
        ),
        ValueExample(
            "Charts of Plotly and Altair: their specification, with the data.",
            'import plotly.graph_objects as go\n\ngo.Figure(go.Bar(x=["a", "b"], y=[1, 2]))',
            "Plotly figure, as its specification:\n"
            '{"data": [{"x": ["a", "b"], "y": [1, 2], "type": "bar"}], "layout": {}}',
            needs=("plotly",),
        ),
    ],
    "Python": [
        ValueExample(
            "Errors: calls, causes, notes, and the errors within a group.",
            'error = ValueError("no such row")\nerror.__cause__ = KeyError("b")\nerror',
            "KeyError: 'b'\n\nThat caused:\n\nValueError: no such row",
        ),
        ValueExample(
            "What shows itself as HTML, Markdown, LaTeX or JSON: that as text.",
            'from IPython.display import HTML\n\nHTML("<p>Hello <b>you</b></p>")',
            "Hello you",
        ),
    ],
}

"""Charts that are a specification with the data they show: of Plotly, and of Vega-Lite from Altair. Pure."""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import struct
import sys
from collections.abc import Mapping
from typing import Any

from ..language import _
from .numbers import widen_floats
from .part import PromptPart, get_method, is_instance_of
from .text import truncate

MAX_LENGTH = 20_000
"""Characters of a specification."""
MAX_ITEMS = (40, 10, 4)
"""Items of each list of data, half from each end: the largest number that keeps to `MAX_LENGTH`."""
MAX_TEXT_LENGTH = 500
"""Characters of a string in it."""

_COUNTED = re.compile(
    r"\b(param|view|concat|layer)_([0-9a-f]{1,32})\b"
)  # names that Altair counts up, or makes from hashes
_VEGA_EMBED = re.compile(r"\}\)\((?=\{)")  # the call that ends Altair's script: `})({...}, {...});`
_FORMATS = {
    "i1": "b",
    "u1": "B",
    "i2": "h",
    "u2": "H",
    "i4": "i",
    "u4": "I",
    "i8": "q",
    "u8": "Q",
    "f4": "f",
    "f8": "d",
}


def chart_part(value: Any) -> PromptPart | None:
    """Convert a figure of Plotly or a chart of Altair to its specification; return None for other values."""
    if is_instance_of(value, "plotly.basedatatypes.BaseFigure"):
        return describe_plotly(json.loads(value.to_json()))
    if type(value).__module__.partition(".")[0] == "altair" and get_method(value, "to_dict"):
        with sys.modules["altair"].data_transformers.enable("default", max_rows=None):
            return describe_vega(value.to_dict())
    return None


def draw_chart(value: Any) -> bytes | None:
    """Return a Plotly figure as PNG if kaleido is installed and works; None otherwise, and for other values."""
    if not is_instance_of(value, "plotly.basedatatypes.BaseFigure") or not importlib.util.find_spec("kaleido"):
        return None
    try:
        data = value.to_image(format="png")
    except Exception:  # noqa: BLE001  # kaleido finds no browser, or fails in any other way: the specification is left
        return None
    return data if isinstance(data, bytes) else None


def describe_plotly(figure: Mapping[str, Any]) -> PromptPart:
    """Convert the JSON of a Plotly figure, without its template: that is the same for all figures of a theme."""
    layout = {name: value for name, value in dict(figure.get("layout") or {}).items() if name != "template"}
    return _describe("Plotly figure", _decode({"data": figure.get("data"), "layout": layout}))


def describe_vega(chart: Mapping[str, Any]) -> PromptPart:
    """Convert a Vega or Vega-Lite specification, without the version it is written for."""
    return _describe("Vega-Lite chart", {name: value for name, value in chart.items() if name != "$schema"})


def find_vega(html: str) -> PromptPart | None:
    """Return the chart in the HTML that Altair displays, None if there is none."""
    if "vega" not in html or not (call := _VEGA_EMBED.search(html)):
        return None
    try:
        chart, _unused = json.JSONDecoder().raw_decode(html, call.end())
    except (ValueError, RecursionError):
        return None
    return describe_vega(chart)


def _describe(kind: str, specification: Any) -> PromptPart:
    for most in MAX_ITEMS:
        bounded = _Bounded(most)
        text = json.dumps(bounded.copy(specification), ensure_ascii=False, default=str)
        if len(text) <= MAX_LENGTH:
            break
    numbers: dict[str, str] = {}
    text = _COUNTED.sub(lambda name: numbers.setdefault(name[0], f"{name[1]}_{len(numbers) + 1}"), text)
    notes = (_("only the ends of its data were sent"),) if bounded.has_cut else ()
    if len(text) > MAX_LENGTH:
        notes = (
            _(
                "only the first {max_length:,} of {n:,} characters of its specification were sent",
                max_length=MAX_LENGTH,
                n=len(text),
            ),
        )
        text = truncate(text, MAX_LENGTH) + "…"
    return PromptPart(f"{kind}, as its specification:\n{text}", notes=notes)


class _Bounded:
    """Copies JSON with the ends of its long lists.

    Args:
        most: Items of a list.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.has_cut = False

    def copy(self, value: Any, depth: int = 0) -> Any:
        """Return a bounded copy of `value`."""
        if isinstance(value, Mapping):
            return {str(name): self.copy(one, depth + 1) for name, one in value.items()} if depth < 30 else "…"
        if isinstance(value, list | tuple):
            if len(value) <= self._most:
                return [self.copy(one, depth + 1) for one in value] if depth < 30 else "…"
            self.has_cut = True
            half = self._most // 2
            ends = [self.copy(one, depth + 1) for one in (*value[:half], *value[-half:])]
            return [*ends[:half], f"… {len(value) - 2 * half:,} more …", *ends[half:]]
        if isinstance(value, str) and len(value) > MAX_TEXT_LENGTH:
            self.has_cut = True
            return truncate(value, MAX_TEXT_LENGTH) + "…"
        return value


def _decode(value: Any, depth: int = 0) -> Any:
    """Replace Plotly's arrays in base64 by lists, and drop the random ids of traces."""
    if depth > 30:
        return value
    if isinstance(value, Mapping):
        if isinstance(value.get("bdata"), str) and value.get("dtype") in _FORMATS:
            return _decode_array(value)
        return {name: _decode(one, depth + 1) for name, one in value.items() if name != "uid"}
    return [_decode(one, depth + 1) for one in value] if isinstance(value, list) else value


def _decode_array(array: Mapping[str, Any]) -> Any:
    dtype = array["dtype"]
    try:
        data = base64.b64decode(array["bdata"])
        size = struct.calcsize(f"<{_FORMATS[dtype]}")
        flat: list[Any] = [
            item for (item,) in struct.iter_unpack(f"<{_FORMATS[dtype]}", data[: len(data) // size * size])
        ]
        shape = [int(length) for length in str(array.get("shape", "")).split(",") if length.strip()]
    except ValueError:
        return array
    flat = widen_floats(flat, "float32") if dtype == "f4" else flat
    if len(shape) == 2 and shape[1] > 0 and shape[0] * shape[1] == len(flat):
        return [flat[at : at + shape[1]] for at in range(0, len(flat), shape[1])]
    return flat

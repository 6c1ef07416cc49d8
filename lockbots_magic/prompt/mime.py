"""Parts of a prompt from what a value or a cell displays: a mapping of MIME type to data."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..language import _
from .charts import describe_plotly, describe_vega, find_vega
from .html_text import html_text
from .images import IMAGE_KINDS, image_part
from .part import PromptPart, get_method
from .text import clean_terminal_output, to_one_line, without_run_details

MAX_HTML_LENGTH = 2_000_000
"""Characters of HTML that are read."""
MAX_SVG_LENGTH = 20_000
"""Characters of a drawing that is sent as its source."""

_SAYS_NOTHING = re.compile(
    r"\s*(?:<(?!NA>)[\w.]+(?:\.<locals>\.\w+)*(?: object)?(?: at 0x[0-9A-Fa-f]+)?>|alt\.\w+\(\.\.\.\))\s*"
)
_METHODS = {
    "text/html": "_repr_html_",
    "text/latex": "_repr_latex_",
    "application/json": "_repr_json_",
    "image/svg+xml": "_repr_svg_",
}


def says_nothing(text: str) -> bool:
    """Whether a repr names only a class: `<IPython.core.display.HTML object>`, but not the missing value of pandas."""
    return _SAYS_NOTHING.fullmatch(text) is not None


def displayed_bundle(value: Any) -> Mapping[str, Any]:
    """Return what a notebook would display of `value`, by MIME type, besides its repr."""
    bundle: dict[str, Any] = {}
    if written := get_method(value, "_repr_mimebundle_"):
        bundle.update(_without_metadata(_call_bundle(written)) or {})
    for kind, name in _METHODS.items():
        if kind not in bundle and (written := get_method(value, name)):
            bundle[kind] = _without_metadata(written())
    return {kind: data for kind, data in bundle.items() if data is not None}


def _call_bundle(method: Callable[..., Any]) -> Any:
    """Call `_repr_mimebundle_` as IPython does; some classes take no arguments all the same."""
    try:
        return method(include=None, exclude=None)
    except TypeError:
        return method()


def bundle_part(bundle: Mapping[str, Any]) -> PromptPart:
    """Convert displayed data: a picture, Markdown, a chart's specification, JSON, or text, in this order.

    A note says what can't be sent.
    """
    return next(filter(None, (convert(bundle) for convert in _CONVERTERS)), None) or _name_kinds(bundle)


def _convert_image(bundle: Mapping[str, Any]) -> PromptPart | None:
    """Convert an image in bytes or base64; one that can't be sent becomes a text."""
    data = next(filter(None, (bundle.get(f"image/{kind}") for kind in IMAGE_KINDS)), None)
    if data is None:
        return None
    try:
        return image_part(data if isinstance(data, bytes) else base64.b64decode(_join(data)))
    except ValueError:  # a UsageError, or invalid base64
        return PromptPart("[an image that can't be sent]", notes=(_("an image that can't be sent was left out"),))


def _convert_markdown(bundle: Mapping[str, Any]) -> PromptPart | None:
    return PromptPart(_clean(bundle["text/markdown"])) if "text/markdown" in bundle else None


def _convert_chart(bundle: Mapping[str, Any]) -> PromptPart | None:
    for kind, data in bundle.items():
        if not isinstance(data, Mapping):
            continue
        if kind.startswith("application/vnd.plotly."):
            return describe_plotly(data)
        if kind.startswith(("application/vnd.vegalite.", "application/vnd.vega.")):
            return describe_vega(data)
    return find_vega(_join(bundle.get("text/html", ""))[:MAX_HTML_LENGTH])


def _convert_json(bundle: Mapping[str, Any]) -> PromptPart | None:
    data = bundle.get("application/json", bundle.get("application/geo+json"))
    return None if data is None else PromptPart(json.dumps(data, ensure_ascii=False, indent=1, default=str))


def _convert_svg(bundle: Mapping[str, Any]) -> PromptPart | None:
    """Convert a small drawing to its source, which models read."""
    source = _join(bundle.get("image/svg+xml", ""))
    return PromptPart(_clean(source)) if 0 < len(source) <= MAX_SVG_LENGTH else None


def _convert_plain(bundle: Mapping[str, Any]) -> PromptPart | None:
    """Convert the text; a drawing beside it, such as a plot as a PDF, is told to be left out."""
    text = _clean(bundle.get("text/plain", ""))
    if not text or says_nothing(text):
        return None
    drawings = [kind for kind in bundle if kind.startswith("image/") or kind == "application/pdf"]
    notes = (_("{names} was left out", names=", ".join(map(to_one_line, drawings))),) if drawings else ()
    return PromptPart(text, notes=notes)


def _convert_html(bundle: Mapping[str, Any]) -> PromptPart | None:
    text = html_text(clean_terminal_output(_join(bundle.get("text/html", ""))[:MAX_HTML_LENGTH]))
    return PromptPart(text) if text else None


def _convert_latex(bundle: Mapping[str, Any]) -> PromptPart | None:
    text = clean_terminal_output(_join(bundle.get("text/latex", "")))
    return PromptPart(text) if text else None


def _name_kinds(bundle: Mapping[str, Any]) -> PromptPart:
    kinds = [kind for kind in bundle if kind != "text/plain"]
    if not kinds:
        return PromptPart(_clean(bundle.get("text/plain", "")))
    names = ", ".join("HTML without text" if kind == "text/html" else to_one_line(kind) for kind in kinds)
    return PromptPart(
        f"[an output that can't be sent as text: {names}]",
        notes=(_("{names} was left out", names=names),),
    )


def _clean(text: Any) -> str:
    return without_run_details(clean_terminal_output(_join(text)))


def _join(text: Any) -> str:
    return "".join(text) if isinstance(text, list | tuple) else str(text)


def _without_metadata(data: Any) -> Any:
    return data[0] if isinstance(data, tuple) and data else data


# The first converter that returns a part wins.
_CONVERTERS: tuple[Callable[[Mapping[str, Any]], PromptPart | None], ...] = (
    _convert_image,
    _convert_markdown,
    _convert_chart,
    _convert_json,
    _convert_svg,
    _convert_plain,
    _convert_html,
    _convert_latex,
)

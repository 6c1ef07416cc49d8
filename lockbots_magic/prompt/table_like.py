"""Values that stand for a table: pandas' Styler and groups, lazy frames, and whatever converts itself to pandas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..language import _
from .data_frames import MAX_ROWS, frame_part
from .part import PromptPart, get_method, is_instance_of
from .text import truncate, without_run_details

MAX_PLAN_LENGTH = 4_000
"""Characters of the plan of a lazy frame."""
_TO_PANDAS = ("to_pandas", "toPandas")
_IN_MEMORY = frozenset({"narwhals", "modin", "cudf", "datasets", "geopandas", "pyarrow", "xorq", "daft"})


def table_part(value: Any) -> PromptPart | None:
    """Convert a value that stands for a table; return None for other values.

    Nothing is computed but the sizes of groups.
    """
    if is_instance_of(value, "pandas.io.formats.style.Styler"):
        return _with_note(frame_part(value.data), _("its values were sent, without styles and number formats"))
    if is_instance_of(value, "pandas.core.groupby.groupby.BaseGroupBy", "pandas.core.groupby.GroupBy"):
        return _describe_groups(value, _pandas_sizes(value))
    if is_instance_of(value, "polars.dataframe.group_by.GroupBy"):
        return _describe_groups(value, _polars_sizes(value))
    if is_instance_of(value, "polars.lazyframe.group_by.LazyGroupBy"):
        return _describe_lazy(value.len())
    if is_instance_of(value, "polars.LazyFrame"):
        return _describe_lazy(value)
    return _from_pandas(value)


def _describe_groups(value: Any, sizes: Any) -> PromptPart | None:
    part = frame_part(sizes) or PromptPart("")
    return _with_note(
        replace(part, text=f"{type(value).__name__}, {len(sizes):,} groups with these sizes:\n{part.text}"),
        _("only the sizes of its groups were sent; aggregate it, as in `groups.mean()`, to send values"),
    )


def _pandas_sizes(groups: Any) -> Any:
    sizes = groups.size()
    return sizes.rename("size") if is_instance_of(sizes, "pandas.Series") else sizes


def _polars_sizes(groups: Any) -> Any:
    sizes = groups.len()
    try:
        return sizes.sort(sizes.columns[:-1])  # Polars returns them in another order each time
    except Exception:  # noqa: BLE001  # keys without an order
        return sizes


def _describe_lazy(frame: Any) -> PromptPart:
    schema = ", ".join(f"{name}: {kind}" for name, kind in frame.collect_schema().items())
    plan = without_run_details(frame.explain(optimized=False))
    cut = truncate(plan, MAX_PLAN_LENGTH) + ("…" if len(plan) > MAX_PLAN_LENGTH else "")
    note = _("a LazyFrame has no rows yet: its schema and plan were sent; `.collect()` it to send rows")
    return PromptPart(f"LazyFrame, not collected\ndtypes: {schema or 'none'}\nplan:\n{cut}", notes=(note,))


def _from_pandas(value: Any) -> PromptPart | None:
    """Convert a value with `to_pandas`: whole if it is in memory, else its first rows."""
    convert = next(filter(None, (get_method(value, name) for name in _TO_PANDAS)), None)
    if convert is None or isinstance(value, type):
        return None
    library = type(value).__module__.partition(".")[0]
    if library in _IN_MEMORY or get_method(value, "__len__"):
        return frame_part(convert())
    shorten = get_method(value, "limit") or get_method(value, "head")
    if shorten is None:
        return None
    first = shorten(MAX_ROWS)
    convert = next(filter(None, (get_method(first, name) for name in _TO_PANDAS)), None)
    return (
        _with_note(frame_part(convert()), _("only up to {max_rows} first rows were read", max_rows=MAX_ROWS))
        if convert
        else None
    )


def _with_note(part: PromptPart | None, note: str) -> PromptPart | None:
    return part and replace(part, notes=(*part.notes, note))

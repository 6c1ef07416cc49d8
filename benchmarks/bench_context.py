"""Time to insert values of the notebook into a prompt, compared with pandas printing the ends of a frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from common import figure, median, spread, table, title

from lockbots_magic.prompt.template import expand_template, make_evaluator

ROWS = 1_000_000
ENDS = 20
REPETITIONS = 15
SLOWEST = 0.1
LONGEST = 20_000 + 5_000


def frame() -> pd.DataFrame:
    random = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "time": pd.date_range("2020-01-01", periods=ROWS, freq="s"),
            "place": random.choice(["Moscow", "Paris", "Tokyo"], ROWS),
            "count": random.integers(0, 1000, ROWS),
            "weight": random.normal(size=ROWS),
            "note": [f"row {n}" for n in range(ROWS)],
        }
    )


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def printed(value: pd.DataFrame) -> str:
    """Baseline: pandas prints the same rows."""
    return f"{value.head(ENDS).to_string()}\n{value.tail(ENDS).to_string()}"


def values() -> dict[str, Any]:
    long = frame()
    found = {
        "df": long,
        "df_by_time": long.set_index("time"),
        "df_of_two_levels": long.set_index(["place", "time"]),
        "wide": pd.DataFrame(np.zeros((1000, 10_000))),
        "series": long["weight"],
        "array": np.zeros((1000, 1000)),
        "numbers": [*range(ROWS)],
        "rows": [{"id": n, "tags": ["a", "b"], "text": "x" * 100} for n in range(10_000)],
        "by_name": {f"name {n}": n for n in range(ROWS)},
    }
    try:
        import polars as pl  # noqa: PLC0415  # it may be missing
    except ImportError:
        return found
    return {**found, "polars_df": pl.from_dict({name: long[name].to_numpy() for name in ("time", "count", "weight")})}


def main() -> None:
    notebook = values()
    evaluate = make_evaluator(notebook)
    baseline, ours = [], {name: [] for name in notebook}
    for n in range(REPETITIONS + 1):
        taken = timed(lambda: printed(notebook["df"]))
        if n:  # the first round warms up
            baseline.append(taken)
        for name, times in ours.items():
            taken = timed(lambda name=name: expand_template(f"{{{{ {name} }}}}", evaluate))
            if n:
                times.append(taken)
    lengths = {name: len(expand_template(f"{{{{ {name} }}}}", evaluate).text) for name in notebook}
    title(f"a value of {ROWS:,} rows or items in a prompt, {REPETITIONS} interleaved runs each, ms")
    rows = [("head and tail, to_string", *spread(baseline, 2, 1e3), "1.00 x", len(printed(notebook["df"])))]
    for name, times in ours.items():
        ratio = median([taken / base for taken, base in zip(times, baseline, strict=True)])
        rows.append((name, *spread(times, 2, 1e3), f"{ratio:.2f} x", lengths[name]))
    table(("value", "median", "lowest", "highest", "over to_string", "characters"), *rows)
    slowest = max(ours, key=lambda name: median(ours[name]))
    ratio = median([taken / base for taken, base in zip(ours["df"], baseline, strict=True)])
    figure("a frame of 1,000,000 rows in a prompt", f"{median(ours['df']) * 1e3:.1f} ms", f"<= {SLOWEST * 1e3:.0f} ms")
    figure("the same over to_string of its ends", f"{ratio:.2f} x", "none")
    figure(f"the slowest value, {slowest}", f"{median(ours[slowest]) * 1e3:.1f} ms", f"<= {SLOWEST * 1e3:.0f} ms")
    figure("the longest of these prompts", f"{max(lengths.values()):,} characters", f"<= {LONGEST:,}")


if __name__ == "__main__":
    main()

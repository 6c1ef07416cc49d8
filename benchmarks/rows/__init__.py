"""Rows of the table that `make bench` writes: one function each, registered by one line.

    @row("ask", "ask at 1,000 turns", unit="ms", aim="<= 2 x", limit="the messages' JSON", quick=True)
    def ask_at_1000() -> Measured:
        return Measured(cost_of_ask(1_000), baseline=cost_of_json(1_000), baseline_name="json.dumps")

A row belongs to a topic, a module of this package. The rows of a topic run in one fresh process, in the order of the
file, and may share what is dear; a row that says cold starts a process or a kernel of its own. The clock of a row is
processor time unless its unit or its name says otherwise.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Aim:
    """A bound: `<= 2 x` of the baseline, or `<= 0.3 s` of the value."""

    sign: str
    bound: float
    unit: str

    @classmethod
    def parse(cls, text: str) -> Aim | None:
        """Read `<= 1.5 x`; None for `none` and for prose."""
        found = re.match(r"(<=|>=|<|>|)\s*([+-]?[\d.,]+)\s*([^\s;,(]*)", text.strip())
        if not found:
            return None
        sign, number, unit = found.groups()
        return cls(sign or "==", float(number.replace(",", "").rstrip(".")), unit)

    def is_met(self, value: float) -> bool:
        compare: dict[str, Callable[[float, float], bool]] = {
            "<=": lambda a, b: a <= b,
            ">=": lambda a, b: a >= b,
            "<": lambda a, b: a < b,
            ">": lambda a, b: a > b,
            "==": lambda a, b: a == b,
        }
        return compare[self.sign](value, self.bound)


@dataclass(frozen=True)
class Measured:
    """What a row found, in the row's unit; peers and baseline were measured in the same run."""

    value: float
    baseline: float | None = None
    baseline_name: str = ""
    peers: dict[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A line of the table."""

    topic: str
    name: str
    unit: str
    value: float
    aim: str
    limit: str = ""
    baseline: float | None = None
    baseline_name: str = ""
    peers: dict[str, float] = field(default_factory=dict)
    note: str = ""
    clock: bool = False
    """True if other work on the machine changes the value."""

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one that can be read."""
        if not (aim := Aim.parse(self.aim)):
            return None
        of_baseline = aim.unit == "x" and self.unit != "x"
        value = self.ratio if of_baseline else self.value
        return None if value is None else aim.is_met(value)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Figure:
        return cls(**{name: value for name, value in data.items() if name not in ("ratio", "met")})


@dataclass(frozen=True)
class Row:
    topic: str
    name: str
    measure: Callable[[], Measured]
    unit: str
    aim: str
    limit: str
    quick: bool
    clock: bool

    def figure(self) -> Figure:
        found = self.measure()
        return Figure(self.topic, self.name, self.unit, aim=self.aim, limit=self.limit, clock=self.clock, **vars(found))


ROWS: list[Row] = []
IN_HASTE = False
"""Whether commits are compared: then medians are of fewer runs, and peers are left out."""


def row(
    topic: str, name: str, *, unit: str, aim: str, limit: str = "", quick: bool = False, clock: bool = False
) -> Callable[[Callable[[], Measured]], Callable[[], Measured]]:
    """Register a function as a row.

    Args:
        topic: The module's name; a plot is made of each.
        name: What is measured, with its size.
        unit: Of the value and of the baseline: `ms`, `MB`, `x`, ...
        aim: `<= 2 x` bounds the ratio to the baseline, any other unit bounds the value.
        limit: The lowest value that is possible, in words.
        quick: Cheap, and hardly changed by other work: `make bench-quick` compares it.
        clock: Wall time; to be read on a machine that does nothing else.
    """

    def register(measure: Callable[[], Measured]) -> Callable[[], Measured]:
        ROWS.append(Row(topic, name, measure, unit, aim, limit, quick, clock))
        return measure

    return register


def topics() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def load(topic: str) -> Iterator[Row]:
    """Import a topic's module, and yield its rows."""
    importlib.import_module(f"{__name__}.{topic}")
    return (one for one in ROWS if one.topic == topic)

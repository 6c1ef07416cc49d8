"""Settings of the mock server, as part of a URL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote

CREDENTIAL = "mock"
"""The one valid credential."""

MAX_VALUES: Mapping[str, float] = MappingProxyType(
    {
        "times": 1e6,
        "status": 999,
        "retry_date": 1e9,
        "delay": 60,
        "rate": 1e6,
        "piece": 1e6,
        "tokens": 200_000,
        "polls": 1e6,
    }
)
"""Largest values of the settings that are numbers; they bound the work that a URL asks for."""
MIN_RATE = 0.01
"""Smallest `rate` (pieces per second) but 0."""
MAX_TEXT = 200
"""Length (characters) of a setting that is text."""


@dataclass(frozen=True)
class MockSettings:
    """Behaviour of a URL: the parameters after ``;`` in the first segment of its path."""

    fault: str = field(default="", metadata={"help": "fault, see below"})
    times: int = field(default=0, metadata={"help": "only the first N requests to the URL fail; 0: all of them"})
    status: int = field(default=0, metadata={"help": "status named by an error object inside a 200"})
    retry_after: str = field(default="", metadata={"help": "header Retry-After of an error status, s"})
    retry_date: str = field(default="", metadata={"help": "the same as a date, so many s from now"})
    delay: float = field(default=0.05, metadata={"help": "s between heartbeats and between lines of slow headers"})
    rate: float = field(default=0.0, metadata={"help": "pieces per second; 0: as fast as possible"})
    piece: int = field(default=0, metadata={"help": "cut the body into pieces of N bytes"})
    body: str = field(default="chunked", metadata={"help": "chunked, length, close, gzip, deflate, br or zstd"})
    type: str = field(default="", metadata={"help": "Content-Type, in place of the service's own"})
    tokens: int = field(default=0, metadata={"help": "reply with Markdown of N words, whatever the prompt"})
    polls: int = field(default=1, metadata={"help": "looks at a job of the batch API before it has ended"})
    auth: str = field(default="", metadata={"help": f"'required': 401 for any credential but {CREDENTIAL!r}"})

    @classmethod
    def parse(cls, text: str) -> MockSettings:
        """Read ``name=value;name=value``.

        Raises:
            ValueError: As for `from_mapping`.
        """
        return cls.from_mapping(dict(pair.partition("=")[::2] for pair in text.split(";") if pair))

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> MockSettings:
        """Return the settings in `given`, whose values are text or have their own types.

        Raises:
            ValueError: A name is unknown, or a value has the wrong type, is too large or can't stand in a header.
        """
        types: dict[str, type] = {f.name: type(f.default) for f in fields(cls)}
        if unknown := set(given) - set(types):
            raise ValueError(
                f"Unknown setting {sorted(unknown)[0]!r} of the mock server. Known settings: {', '.join(types)}."
            )
        settings = cls(**{name: types[name](unquote(str(value))) for name, value in given.items()})
        settings._check()
        return settings

    def _check(self) -> None:
        for name, value in ((f.name, getattr(self, f.name)) for f in fields(self)):
            # A line break in a value would begin a header of the writer's own, or the body.
            if isinstance(value, str) and not (value.isascii() and value.isprintable() and len(value) <= MAX_TEXT):
                raise ValueError(f"{name} must be up to {MAX_TEXT} printable ASCII characters.")
            if name in MAX_VALUES and value != "" and not 0 <= _number(value) <= MAX_VALUES[name]:
                raise ValueError(f"{name} must be a number from 0 to {MAX_VALUES[name]:g}.")
        if 0 < self.rate < MIN_RATE:
            raise ValueError(f"rate must be 0 or at least {MIN_RATE:g}.")

    def __str__(self) -> str:
        """Return the settings as part of a URL, without those at their defaults."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f";{name}={quote(str(value), safe='')}" for name, value in given.items())


def _number(value: str | float) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan

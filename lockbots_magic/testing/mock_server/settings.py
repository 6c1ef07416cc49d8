"""What stands in an address of the mock server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote, unquote

CREDENTIAL = "mock"
"""The one credential that is accepted where one is asked for."""


@dataclass(frozen=True)
class Settings:
    """How an address behaves: the parameters after ``;`` in the first segment of its path."""

    fault: str = field(default="", metadata={"help": "how it fails, see the faults"})
    times: int = field(default=0, metadata={"help": "only the first N requests to the address fail; 0: all of them"})
    status: int = field(default=0, metadata={"help": "the status that an error object inside a 200 names"})
    retry_after: str = field(default="", metadata={"help": "the header Retry-After of a bad status, s"})
    retry_date: str = field(default="", metadata={"help": "the same as a date, so many s from now"})
    delay: float = field(default=0.05, metadata={"help": "s between heartbeats and between parts of slow headers"})
    rate: float = field(default=0.0, metadata={"help": "pieces per second; 0: as fast as possible"})
    piece: int = field(default=0, metadata={"help": "cut the body into pieces of N bytes"})
    body: str = field(default="chunked", metadata={"help": "chunked, length, close, gzip, deflate, br or zstd"})
    type: str = field(default="", metadata={"help": "the Content-Type, in place of the right one"})
    tokens: int = field(default=0, metadata={"help": "reply with Markdown of N words, whatever was asked"})
    auth: str = field(default="", metadata={"help": f"'required': 401 for any credential but {CREDENTIAL!r}"})

    @classmethod
    def parse(cls, text: str) -> Settings:
        """Read ``name=value;name=value``.

        Raises:
            ValueError: an unknown name, or a value of the wrong kind.
        """
        return cls.of(dict(pair.partition("=")[::2] for pair in text.split(";") if pair))

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Settings:
        """Take the settings from `given`, values as text or as they are.

        Raises:
            ValueError: as in `parse`.
        """
        kinds: dict[str, type] = {f.name: type(f.default) for f in fields(cls)}
        if unknown := set(given) - set(kinds):
            raise ValueError(f"the mock server knows no setting {sorted(unknown)[0]!r}; it knows: {', '.join(kinds)}")
        return cls(**{name: kinds[name](unquote(str(value))) for name, value in given.items()})

    def __str__(self) -> str:
        """The settings as they stand in an address; those at their defaults are left out."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f";{name}={quote(str(value), safe='')}" for name, value in given.items())

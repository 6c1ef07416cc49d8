"""Settings of the mock server, as part of a URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import quote, unquote

CREDENTIAL = "mock"
"""The one valid credential."""


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
    auth: str = field(default="", metadata={"help": f"'required': 401 for any credential but {CREDENTIAL!r}"})

    @classmethod
    def parse(cls, text: str) -> MockSettings:
        """Read ``name=value;name=value``.

        Raises:
            ValueError: A name is unknown, or a value has the wrong type.
        """
        return cls.from_mapping(dict(pair.partition("=")[::2] for pair in text.split(";") if pair))

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> MockSettings:
        """Return the settings in `given`, whose values are text or have their own types.

        Raises:
            ValueError: A name is unknown, or a value has the wrong type.
        """
        types: dict[str, type] = {f.name: type(f.default) for f in fields(cls)}
        if unknown := set(given) - set(types):
            raise ValueError(
                f"Unknown setting {sorted(unknown)[0]!r} of the mock server. Known settings: {', '.join(types)}."
            )
        return cls(**{name: types[name](unquote(str(value))) for name, value in given.items()})

    def __str__(self) -> str:
        """Return the settings as part of a URL, without those at their defaults."""
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return "".join(f";{name}={quote(str(value), safe='')}" for name, value in given.items())

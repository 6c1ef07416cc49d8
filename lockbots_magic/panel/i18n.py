"""What the panel says to people, by language: the page chooses, and has the kernel's own remarks among its texts."""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any

from ..errors import UsageError


@functools.cache
def texts() -> dict[str, dict[str, str]]:
    """Return the table: language -> key -> text."""
    table: dict[str, dict[str, str]] = json.loads(files(__package__).joinpath("i18n.json").read_text("utf-8"))
    return table


def remark(key: str, **values: str) -> dict[str, Any]:
    """Return a remark as messages carry it: its name in the table, and in English for whoever reads messages."""
    return {"text": texts()["en"][key].format(**values), "key": key, "values": values}


class RefusedError(UsageError):
    """What the panel itself does not do.

    Args:
        key: the reason, by its name in the table.
        values: what stands in the text.
    """

    def __init__(self, key: str, **values: str) -> None:
        self.remark = remark(key, **values)
        super().__init__(self.remark["text"])

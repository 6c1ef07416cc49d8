"""Texts of the panel in each language.

The page picks the language. Notifications of the kernel carry a key of the same table, so that the page can translate
them, and the English text for other readers of the messages.
"""

from __future__ import annotations

import functools
import json
from importlib.resources import files
from typing import Any

from ..errors import UsageError


@functools.cache
def texts() -> dict[str, dict[str, str]]:
    """Return all texts: language -> key -> text."""
    table: dict[str, dict[str, str]] = json.loads(files(__package__).joinpath("i18n.json").read_text("utf-8"))
    return table


def translatable(key: str, **values: str) -> dict[str, Any]:
    """Return a text for a `notification` message.

    Args:
        key: Key of the text in `i18n.json`.
        **values: Values of its placeholders.

    Returns:
        The English `text`, and `key` and `values` for the page to translate it.
    """
    return {"text": texts()["en"][key].format(**values), "key": key, "values": values}


class RefusedError(UsageError):
    """The panel refuses a request, for a reason that the page can translate.

    Args:
        key: Key of the reason in `i18n.json`.
        **values: Values of its placeholders.
    """

    def __init__(self, key: str, **values: str) -> None:
        self.reason = translatable(key, **values)
        super().__init__(self.reason["text"])

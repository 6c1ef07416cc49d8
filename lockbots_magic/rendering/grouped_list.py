"""Lists in groups, such as the commands: columns in a notebook, text in a terminal. Cheap to import."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..security.control_characters import printable
from ..security.exits import clean_printed
from .escaping import escaped

GAP = 2
"""Columns between a name and its description in text."""

_COLUMNS = "columns: 27em; column-gap: 2em"
_GROUP = "break-inside: avoid; margin-bottom: 0.8em"
_TITLE = "font-weight: bold"
_ROW = "padding-left: 1.5em; text-indent: -1.5em"
_CAPTION = "opacity: 0.75; margin-bottom: 0.6em"


class GroupedList:
    """Names with descriptions, in groups that stand side by side where there is room.

    Args:
        groups: Pairs (name, description) by title of the group; a description may be empty or name `code`.
        caption: Line above the list.
    """

    def __init__(self, groups: Mapping[str, Sequence[tuple[str, str]]], caption: str = "") -> None:
        self.groups = {printable(title): list(rows) for title, rows in groups.items() if rows}
        self.caption = printable(caption)

    def __repr__(self) -> str:
        width = max((len(name) for rows in self.groups.values() for name, text in rows if text), default=0) + GAP
        blocks = [
            "\n".join([f"{title}:", *(f"{name:<{width}}{text}" if text else name for name, text in rows)])
            for title, rows in self.groups.items()
        ]
        return clean_printed("\n\n".join([*([self.caption] if self.caption else []), *blocks]))

    def _repr_html_(self) -> str:
        caption = f'<div style="{_CAPTION}">{escaped(clean_printed(self.caption))}</div>' if self.caption else ""
        groups = "".join(_group(title, rows) for title, rows in self.groups.items())
        return f'{caption}<div style="{_COLUMNS}">{groups}</div>'


def _group(title: str, rows: Sequence[tuple[str, str]]) -> str:
    items = "".join(f'<div style="{_ROW}">{_item(name, text)}</div>' for name, text in rows)
    return f'<div style="{_GROUP}"><div style="{_TITLE}">{escaped(clean_printed(title))}</div>{items}</div>'


def _item(name: str, text: str) -> str:
    if not text:
        return escaped(name)
    described = re.sub("`([^`]+)`", r"<code>\1</code>", escaped(text))
    return f"<code>{escaped(name)}</code> {described}"

"""Pins: the tools of a server as they were when they were first used, and how they differ now.

A server may describe a tool harmlessly until it is approved, and then otherwise ("rug pull"). So the first list holds
until the user accepts another.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...conversation.messages import Tool
from ...language import _
from ..tool_source import fingerprint_of

MAX_SHOWN = 400
"""Length (characters) to which a description is cut in a list of changes."""


class PinnedTools:
    """The tools of one server that may be used, by the name that the server knows them by."""

    def __init__(self) -> None:
        self._pinned: dict[str, Tool] | None = None
        self._offered: dict[str, Tool] = {}

    @property
    def tools(self) -> Mapping[str, Tool]:
        """The pinned tools."""
        return self._pinned or {}

    def compare(self, offered: Mapping[str, Tool]) -> None:
        """Take note of what the server offers now; the first list is pinned."""
        self._offered = dict(offered)
        if self._pinned is None:
            self._pinned = dict(offered)

    def accept(self) -> None:
        """Pin what the server offers now."""
        if self._pinned is not None:
            self._pinned = dict(self._offered)

    def is_same(self, name: str) -> bool:
        """Whether the server offers a pinned tool as it was."""
        now = self._offered.get(name)
        return now is not None and fingerprint_of(now) == fingerprint_of(self.tools[name])

    def changes(self) -> list[tuple[str, str]]:
        """Return the names of tools that differ, each with how: in words, with both descriptions."""
        pinned = self.tools
        found = []
        for name, now in self._offered.items():
            before = pinned.get(name)
            if before is None:
                found.append((name, _("is new: {text}", text=_quote(now.description))))
            elif before.description != now.description:
                found.append(
                    (
                        name,
                        _(
                            "was {text}, is now {now}",
                            text=_quote(before.description),
                            now=_quote(now.description),
                        ),
                    )
                )
            elif not self.is_same(name):
                found.append((name, _("takes other arguments")))
        return [*found, *((name, _("is gone")) for name in pinned if name not in self._offered)]


def _quote(text: str) -> str:
    return repr(text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…")

"""What was found out about a server, as a value that shows itself."""

from __future__ import annotations

import platform
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from ..language import N_, _
from ..reply import Reply
from ..security.control_characters import printable
from ..security.exits import clean_printed
from ..version import __version__

_STATES = (N_("yes"), N_("no"), N_("not tried"))
CheckState = Literal["yes", "no", "not tried"]
"""Whether a server does something: each but the last is measured."""

MAX_WORDS = 300
"""Characters of a server's words that are shown."""
WIDTH = 110
"""Columns of the table as text."""
MIN_WIDTHS = (17, 10)
"""Least columns of a name and of a state; those of other languages are longer."""
PACKAGES = ("requests", "urllib3", "ipython", "pydantic", "xllamacpp")
"""Packages whose versions a report names."""
HEADINGS = (N_("check"), N_("result"), N_("details"), N_("what to do"))


@dataclass(frozen=True)
class CheckResult:
    """The result of one check."""

    name: str
    state: CheckState
    details: str = ""
    """What was measured, the server's words, or why it was not tried."""
    advice: str = ""
    """What to do about it."""


@dataclass(frozen=True)
class CheckReport:
    """What a server does. It shows itself as a table; `text` is for reports of bugs.

    Example:
        >>> report = CheckReport("openai", "m", "", (CheckResult("tools", "no", "It answered in text."),))
        >>> report["tools"].state
        'no'
    """

    provider: str
    model: str
    address: str
    """Base URL without what may hold a secret; empty for a provider without one."""
    findings: tuple[CheckResult, ...]
    dialect: str = ""
    """Dialect that was spoken, where there are several."""
    adapted: tuple[str, ...] = ()
    """What was left out of requests because the server refuses it."""
    stopped: bool = False
    """Whether the user stopped the check, so that the table is a part."""
    replies: tuple[Reply, ...] = field(default=(), repr=False, compare=False)
    """Replies that were asked for; their usage counts."""

    def __getitem__(self, name: str) -> CheckResult:
        """Return the finding called `name`; raise `KeyError` if there is none."""
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise KeyError(name)

    @property
    def title(self) -> str:
        """Line above the table."""
        model = f"{self.provider}:{self.model}" if self.model else self.provider
        place = _(" at {address}", address=self.address) if self.address else ""
        dialect = _(", dialect {dialect}", dialect=self.dialect) if self.dialect else ""
        return _("Check of {model}{place}{dialect}", model=model, place=place, dialect=dialect)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Lines below the table."""
        names = ", ".join(_(name) if " " in name else name for name in self.adapted)  # others are fields
        return (
            *([_("Left out of requests, as the server refuses it: {names}.", names=names)] if names else []),
            *([_("Stopped: this is a part of the table; the rest was not tried.")] if self.stopped else []),
        )

    @property
    def text(self) -> str:
        """The report as Markdown for a bug tracker: redacted, with versions, without folders of the user."""
        lines = [f"{name} {found}" for name in PACKAGES if (found := _find_version(name))]
        versions = [f"lockbots-magic {__version__}", f"Python {platform.python_version()}", sys.platform, *lines]
        told = "\n".join([self.title, ", ".join(versions), "", *self._lines(), *self.remarks])
        home = str(Path.home())
        told = told.replace(home, "~") if len(home) > 1 else told
        return clean_printed("\n".join(["```", told.replace("```", "'''"), "```"]))

    def __repr__(self) -> str:
        return clean_printed("\n".join([self.title, "", *self._lines(), *self.remarks]))

    def _repr_html_(self) -> str:
        style = 'style="text-align: left; vertical-align: top"'
        head = "".join(f"<th {style}>{_(heading)}</th>" for heading in HEADINGS)
        cells = [
            [_html(cell).replace(" ", "&nbsp;") for cell in row[:2]] + [*map(_html, row[2:])] for row in self._rows()
        ]
        rows = [head, *("".join(f"<td {style}>{cell}</td>" for cell in row) for row in cells)]
        table = "".join(f"<tr>{row}</tr>" for row in rows)
        below = "".join(f"<div>{_html(remark)}</div>" for remark in self.remarks)
        return f"<div>{_html(self.title)}</div><table>{table}</table>{below}"

    def _rows(self) -> list[tuple[str, ...]]:
        return [tuple(_line(cell) for cell in (_(f.name), _(f.state), f.details, f.advice)) for f in self.findings]

    def _lines(self) -> list[str]:
        """Return the table as text: name and result, beside them the details and what to do."""
        head = (_(HEADINGS[0]), _(HEADINGS[1]), _("details, and what to do"))
        rows = self._rows()
        widths = [max(least, *(len(row[at]) + 1 for row in (head, *rows))) for at, least in enumerate(MIN_WIDTHS)]
        found = [line for row in rows for line in _lay_out(row, widths)]
        return [*_lay_out(head, widths), "-" * 60, *found]


def _lay_out(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    margin = sum(widths)
    name, state, *texts = row
    columns = min(shutil.get_terminal_size().columns, WIDTH) if sys.stdout.isatty() else WIDTH
    lines = [line for text in texts for line in textwrap.wrap(text, max(columns - margin, 20))] or [""]
    first = f"{name:<{widths[0]}}{state:<{widths[1]}}"
    return [f"{first if number == 0 else ' ' * margin}{line}".rstrip() for number, line in enumerate(lines)]


def _line(text: str) -> str:
    """Return `text` on one line, redacted before it is cut."""
    line = " ".join(clean_printed(printable(text)).split())
    return line if len(line) <= MAX_WORDS else f"{line[: MAX_WORDS - 1]}…"


def _html(text: str) -> str:
    return escape(clean_printed(printable(text)))


def _find_version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""

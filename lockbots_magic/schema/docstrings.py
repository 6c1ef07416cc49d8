"""What a docstring says of a function and of its parameters: Google, NumPy and Sphinx style. Pure."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from typing import Any

_SECTION = re.compile(r"(?P<name>[A-Z][A-Za-z ]*):?")
_PARAMETERS = {"args", "arguments", "parameters", "params", "keyword args", "keyword arguments", "other parameters"}
_PARAMETERS |= {"attributes"}  # of a dataclass
_OTHERS = {"returns", "return", "yields", "raises", "examples", "example", "notes", "note", "see also", "references"}
_OTHERS |= {"warnings", "warns", "todo", "receives", "methods"}
_GOOGLE = re.compile(r"\*{0,2}(?P<names>\w+(?:, *\*{0,2}\w+)*) *(?:\([^)]*\))? *: *(?P<text>.*)")
_NUMPY = re.compile(r"\*{0,2}(?P<names>\w+(?:, *\*{0,2}\w+)*)(?: *:.*)?")
_SPHINX = re.compile(
    r":(?:param|parameter|arg|argument|key|keyword|ivar|var) (?:[^:]* )?\*{0,2}(?P<names>\w+): *(?P<text>.*)"
)
_FIELD = re.compile(r":[a-z]+(?: [^:]*)?:")


@dataclass(frozen=True)
class Docstring:
    """A docstring, read.

    Args:
        text: all that stands before the first section or field.
        parameters: what it says of each of them, on one line.
    """

    text: str = ""
    parameters: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, documented: Any) -> Docstring:
        """Read the docstring of a function or class; one without gives an empty one."""
        written = documented.__dict__.get("__doc__") if isinstance(documented, type) else documented.__doc__
        return cls.read(written) if isinstance(written, str) else cls()

    @classmethod
    def read(cls, written: str) -> Docstring:
        """Read a docstring as it stands in the source."""
        reader = _Reader()
        lines = inspect.cleandoc(written).split("\n")
        for line, below in zip(lines, [*lines[1:], ""], strict=True):
            reader.take(line, below)
        said = {name: " ".join(" ".join(words).split()) for name, words in reader.said.items()}
        return cls("\n".join(reader.text).strip(), {name: text for name, text in said.items() if text})


class _Reader:
    """Goes through the lines. `section` is where it is; sections of no interest are passed over."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.said: dict[str, list[str]] = {}
        self._section = "text"
        self._numpy = False
        self._indent: int | None = None
        self._names: list[str] = []

    def take(self, line: str, below: str) -> None:
        """Take a line; `below` is the next one."""
        indent = len(line) - len(line.lstrip())
        bare = line.strip()
        underlined = len(below.strip()) >= 3 and not below.strip().strip("-=")
        if not indent and self._begins_section(bare, underlined):
            return
        if not indent and _FIELD.match(bare):
            self._section, self._names = "field", []
            if match := _SPHINX.fullmatch(bare):
                self._begin(match)
        elif self._section == "text":
            self.text.append(line)
        elif self._section == "field" or not bare.strip("-="):
            self._go_on(bare if bare.strip("-=") else "")
        elif self._section == "parameters":
            self._parameter(bare, indent)

    def _begins_section(self, bare: str, underlined: bool) -> bool:
        match = _SECTION.fullmatch(bare)
        name = match["name"].lower() if match else ""
        if not (bare.endswith(":") or underlined) or name not in _PARAMETERS | _OTHERS:
            return False
        self._section = "parameters" if name in _PARAMETERS else "other"
        self._numpy, self._indent, self._names = underlined, None, []
        return True

    def _parameter(self, bare: str, indent: int) -> None:
        if not (indent or self._numpy):
            self._section = "other"
            return
        self._indent = indent if self._indent is None else self._indent
        match = (_NUMPY if self._numpy else _GOOGLE).fullmatch(bare) if indent <= self._indent else None
        if match:
            self._begin(match)
        else:
            self._go_on(bare)

    def _begin(self, match: re.Match[str]) -> None:
        self._names = re.findall(r"\w+", match["names"])
        for name in self._names:
            self.said[name] = [match.groupdict().get("text") or ""]

    def _go_on(self, bare: str) -> None:
        for name in self._names:
            self.said[name].append(bare)

"""Text made shorter and quoted, for a model to read. Pure."""

from __future__ import annotations

import re
from typing import Any

from ..security.control_characters import printable
from ..security.secrets import redacted

LONGEST_CREDENTIAL = 10_000
"""Characters behind a cut in which the end of a credential is looked for."""

# Control sequences (ECMA-48, 5.4), and those of operating systems, which end with BEL or ST.
_ESCAPE = re.compile("\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")
_OVERWRITTEN = re.compile(r"(?m)^[^\n]*\r(?!\n)(?=[^\n])")


def begun(text: str, characters: int) -> str:
    """Return the first `characters` of `text`; a credential is taken out before it can be cut in two."""
    if len(text) <= characters:
        return text
    return redacted(text[: characters + LONGEST_CREDENTIAL])[:characters]


def repr_of(value: Any, characters: int) -> str:
    """Return the repr of `value`; of bytes no more than `characters` are written out, and one that is cut."""
    return repr(value[: characters + 1] if isinstance(value, bytes | bytearray) else value)


def shortened(text: str, characters: int) -> str:
    """Return `text` with so much taken from its middle that about `characters` remain; a line says how many went."""
    if len(text) <= characters:
        return text
    text = redacted(text)
    half = characters // 2
    return f"{text[:half]}\n[… {max(0, len(text) - 2 * half):,} characters …]\n{text[len(text) - half :]}"


def one_line(text: str, characters: int = 80) -> str:
    """Return `text` on one line, at most so many `characters`, fit to be shown in a message."""
    line = redacted(" ".join(printable(text).split()))
    return line if len(line) <= characters else line[: characters - 1] + "…"


def as_shown(text: str) -> str:
    """Return what a terminal shows of `text`: escapes obeyed by nobody, lines overwritten by a carriage return gone."""
    return printable(_OVERWRITTEN.sub("", _ESCAPE.sub("", text)))


def fenced(text: str, language: str = "") -> str:
    """Return `text` as a Markdown block of code; its fence is longer than any row of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{fence}"

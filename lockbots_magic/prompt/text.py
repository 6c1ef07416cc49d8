"""Text for models and messages: shortened, on one line, fenced. Pure."""

from __future__ import annotations

import ast
import re
from typing import Any

from ..late_pattern import late_pattern
from ..security.control_characters import printable
from ..security.redaction import redacted
from .numbers import exact_printing, format_int, format_scalar

MAX_CREDENTIAL_LENGTH = 10_000
"""Characters behind a cut in which the end of a credential is searched."""

# Control sequences (ECMA-48, 5.4), and operating system commands, which end with BEL or ST.
_ESCAPE = late_pattern("\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)|(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]")
_MEMORY_ADDRESS = late_pattern(r" at 0x[0-9A-Fa-f]{4,16}(?=[^\n]{0,500}?>)|(?<=\w\)) at 0x[0-9A-F]{8,16}\b")
"""Inside <...>, as a repr writes it, or in capitals, as generators of random numbers in NumPy do."""
_SET = late_pattern(r"\{[^{}\n]{3,2000}\}")  # or a dict, or anything else between braces
_OVERWRITTEN = late_pattern(r"(?m)^[^\n]*\r(?!\n)(?=[^\n])")


def truncate(text: str, characters: int) -> str:
    """Return the first `characters` of `text`. Credentials are redacted before the cut can split one."""
    if len(text) <= characters:
        return text
    return redacted(text[: characters + MAX_CREDENTIAL_LENGTH])[:characters]


def truncate_middle(text: str, characters: int) -> str:
    """Return about `characters` of `text`, half from each end; a line between them says how many were left out."""
    if len(text) <= characters:
        return text
    text = redacted(text)
    half = characters // 2
    return f"{text[:half]}\n[… {max(0, len(text) - 2 * half):,} characters …]\n{text[len(text) - half :]}"


def bounded_repr(value: Any, characters: int) -> str:
    """Return the repr of `value` with all digits of its numbers, as it is in each run (see `without_run_details`).

    Of bytes, only about `characters` are written.
    """
    if isinstance(value, bytes | bytearray):
        return repr(value[: characters + 1])
    if type(value) is int:
        return format_int(value)
    if value is None or type(value) in (bool, float, complex):
        return repr(value)
    if (scalar := format_scalar(value)) is not None:
        return scalar
    with exact_printing():
        return without_run_details(repr(value))


def without_run_details(text: str) -> str:
    """Return a printed value as it is in each run: without memory addresses, and sets of strings in order.

    Example:
        >>> without_run_details("Model(tags={'b', 'a'}, of=<object object at 0x7f1040ec6450>)")
        "Model(tags={'a', 'b'}, of=<object object>)"
    """
    return _SET.sub(_sort_set, without_memory_addresses(text)) if "{" in text else without_memory_addresses(text)


def _sort_set(match: re.Match[str]) -> str:
    """Return a set of strings or dates in order, as hashes of these differ in each run; anything else as it is."""
    text = match[0]
    try:
        parsed = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text
    if not isinstance(parsed, ast.Set) or not any(map(_is_hashed_anew, ast.walk(parsed))):
        return text
    items = [ast.get_source_segment(text, item) or "" for item in parsed.elts]
    return "{" + ", ".join(sorted(items)) + "}"


def _is_hashed_anew(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    return is_text or isinstance(node, ast.Call)


def without_memory_addresses(text: str) -> str:
    """Remove the memory addresses that reprs hold, as in ``<Line2D at 0x7f10>``.

    They say nothing to a model, and differ in each run, so that no recording would answer the same cell again.

    Example:
        >>> without_memory_addresses("<__main__.Model object at 0x7f1040ec6450>")
        '<__main__.Model object>'
    """
    return _MEMORY_ADDRESS.sub("", text)


def to_one_line(text: str, characters: int = 80) -> str:
    """Return `text` on one line for a message: redacted, printable, at most `characters` long."""
    line = redacted(" ".join(printable(text).split()))
    return line if len(line) <= characters else line[: characters - 1] + "…"


def clean_terminal_output(text: str) -> str:
    """Remove escape sequences, and text that a carriage return overwrote."""
    return printable(_OVERWRITTEN.sub("", _ESCAPE.sub("", text)))


def fence_code(text: str, language: str = "") -> str:
    """Return `text` as a fenced Markdown block; the fence is longer than any row of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{fence}"

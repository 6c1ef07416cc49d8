r"""Predicts where JupyterLab, which takes formulas out of Markdown before it parses it, would tear code open. Pure.

It takes what stands between dollars, `\begin` and `\end`, `\\(` and `\\)`, up to an empty line, and recognises code
only on one line or unindented. If it took the end of a piece of code, the rest of the code would be read as Markdown,
and `<img onerror=...>` in it would act. Such a block has to be written in another way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...late_pattern import late_pattern

_DELIMITER = late_pattern(
    r"\$\$?|\\(?:begin|end)\{[a-z]*\*?\}|\\[{}$]|[{}]"
    r"|(?:\n[\t\n\x0b\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*)|@@\d+@@|\\\\[()\[\]]",
    re.IGNORECASE,
)
_OPENINGS = ("$", "\\begin", "\\\\")
"""What each delimiter that may begin a formula holds."""
MAX_STEPS = 100_000_000
"""Steps from which code in a line is not searched for."""
_CODE = late_pattern(r"(^|[^\\])(`+)([^\n]*?[^`\n])\2(?!`)", re.MULTILINE)
_APART = late_pattern(r"``|[\n|]")
_EMPTY_LINE = late_pattern(r"\n[^\n\r\u2028\u2029]*\n")


def tears_code(block: str) -> bool:
    """Tell whether JupyterLab would take one end of a piece of code in `block`, but not the other."""
    if "`" not in block or not any(opening in block for opening in _OPENINGS):
        return False
    if any(line.count("`") * len(line) > MAX_STEPS for line in block.split("\n")):
        return True  # too expensive to find out
    seen = ticks = 0
    for begin, end in _taken(block):
        ticks += block.count("`", seen, begin)
        taken = block[begin:end]
        within = taken.count("`")
        # From within `one` to within `another` on a line nothing is torn: together they are one piece of code.
        if within and (within % 2 or not ticks % 2 or _APART.search(taken)):
            return True
        seen, ticks = end, ticks + within
    return False


def _taken(block: str) -> Iterator[tuple[int, int]]:
    """Yield the spans it takes, by the algorithm of `removeMath` in @jupyterlab/rendermime."""
    marks = list(_DELIMITER.finditer(_CODE.sub(lambda code: code[0].replace("$", " "), block)))
    begin = last = -1
    wanted, depth, index = "", 0, 0
    while index < len(marks):
        mark = marks[index][0]
        if begin < 0:
            wanted, depth = _closing(mark), 0
            begin = index if wanted else -1
        elif mark == wanted and depth:
            last = index
        elif mark == wanted:
            yield marks[begin].start(), marks[index].end()
            begin = last = -1
        elif _EMPTY_LINE.match(mark):
            if last >= 0:
                yield marks[begin].start(), marks[last].end()
                index = last
            begin = last = -1
        else:
            depth = max(0, depth + {"{": 1, "}": -1}.get(mark, 0))
        index += 1
    if begin >= 0 and last >= 0:
        yield marks[begin].start(), marks[last].end()


def _closing(mark: str) -> str:
    """Return the mark that ends a formula begun by `mark`; "" if it begins none."""
    if mark.startswith("\\begin"):
        return "\\end" + mark[len("\\begin") :]
    return mark if mark in ("$", "$$") else {"\\\\(": "\\\\)", "\\\\[": "\\\\]"}.get(mark, "")

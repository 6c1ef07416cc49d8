r"""Where JupyterLab, which takes formulas out of Markdown before it parses it, would tear code open. Pure.

It takes what stands between dollars, `\begin` and `\end`, `\\(` and `\\)`, up to an empty line, and knows of code only
where that is in one line, or not indented. Were the end of a piece of code taken, the rest of the code would be read as
Markdown: `<img onerror=...>` in it would act. Code is to stay as it is, so such a block has to be written otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DELIMITER = re.compile(
    r"\$\$?|\\(?:begin|end)\{[a-z]*\*?\}|\\[{}$]|[{}]"
    r"|(?:\n[\t\n\x0b\f\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]*)|@@\d+@@|\\\\[()\[\]]",
    re.IGNORECASE,
)
_CODE = re.compile(r"(^|[^\\])(`+)([^\n]*?[^`\n])\2(?!`)", re.MULTILINE)
_EMPTY_LINE = re.compile(r"\n[^\n\r\u2028\u2029]*\n")


def tears_code(block: str) -> bool:
    """Whether JupyterLab would take one end of a piece of code in `block`, but not the other."""
    if "`" not in block or not _DELIMITER.search(block):
        return False
    several = "``" in block
    return any(taken.count("`") % 2 or (several and "`" in taken) for taken in _taken(block))


def _taken(block: str) -> Iterator[str]:
    """What it takes: the algorithm of `removeMath` in @jupyterlab/rendermime, step by step."""
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
            yield block[marks[begin].start() : marks[index].end()]
            begin = last = -1
        elif _EMPTY_LINE.match(mark):
            if last >= 0:
                yield block[marks[begin].start() : marks[last].end()]
                index = last
            begin = last = -1
        else:
            depth = max(0, depth + {"{": 1, "}": -1}.get(mark, 0))
        index += 1
    if begin >= 0 and last >= 0:
        yield block[marks[begin].start() : marks[last].end()]


def _closing(mark: str) -> str:
    """What ends a formula that `mark` begins; "" if it begins none."""
    if mark.startswith("\\begin"):
        return "\\end" + mark[len("\\begin") :]
    return mark if mark in ("$", "$$") else {"\\\\(": "\\\\)", "\\\\[": "\\\\]"}.get(mark, "")

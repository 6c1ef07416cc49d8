"""Formulas between dollars, in the form that every Markdown parser with formulas reads the same way. Pure."""

from __future__ import annotations

import re

from ...security.tex_policy import is_harmless, unlabelled

# Environments that are formulas of their own in LaTeX; any other has to stand in one.
_ALONE = re.compile(r"\\begin\{(?:equation|align|gather|alignat|multline|eqnarray|flalign)\*?\}")
_FOREIGN = re.compile(r"`|~~~|://|www\.", re.IGNORECASE)  # code, and what some parsers make a link of, up to a space
_BRACE = re.compile(r"\\.|([{}])", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:{])|!(?=\[)")
_BAR = re.compile(r"\\?\|")


def plain_formula(content: str, *, one_line: bool, in_cell: bool = False) -> str | None:
    """Return a formula with dollars around it; None if it is not safe as a formula.

    Parsers without formulas read it as text, so it holds no tag and no link for them either.

    Args:
        content: The formula with its delimiters.
        one_line: Whether it has to stand on one line.
        in_cell: True if the formula is in a table cell, which a bar would end.
    """
    around, tex = _parts(unlabelled(content))
    if one_line and "%" in tex and "\n" in tex:
        return None  # the next line would join the comment
    tex = on_one_line(tex) if one_line else tex
    if not _is_sound(around, tex) or not is_harmless(content):
        return None
    if in_cell and "|" in tex:
        if "\\begin" in tex or "\\text" in tex:
            return None
        tex = _BAR.sub(lambda bar: "\\Vert " if bar[0] == "\\|" else "\\vert ", tex).rstrip()
    tex = _LINK.sub(r"\g<0> ", _TAG.sub("< ", tex))  # TeX ignores the space
    return around + tex + around


def on_one_line(text: str) -> str:
    """Join the lines of `text` by spaces."""
    return " ".join(filter(None, (line.strip() for line in text.split("\n"))))


def _parts(content: str) -> tuple[str, str]:
    """Return the delimiter to write, and the formula without delimiters."""
    if content.startswith(("$$", "\\[")):
        return "$$", content[2:-2]
    if content.startswith("\\("):
        return "$", content[2:-2].strip()
    if content.startswith("$"):
        return "$", content[1:-1]
    return ("", content) if _ALONE.match(content) else ("$$", content)


def _is_sound(around: str, tex: str) -> bool:
    """Tell whether all parsers find the end of the formula where it is, and no code in it."""
    if not tex.strip() or _FOREIGN.search(tex) or tex.endswith("\\") or not _is_balanced(tex):
        return False
    return "$" not in tex if around == "$" else "$$" not in f"{tex}$" and not tex.startswith("$")


def _is_balanced(tex: str) -> bool:
    """Tell whether braces are paired: JupyterLab does not look for the end within a pair."""
    if "{" not in tex and "}" not in tex:
        return True
    depth = 0
    for brace in _BRACE.finditer(tex):
        depth += {"{": 1, "}": -1, None: 0}[brace[1]]
        if depth < 0:
            return False
    return depth == 0

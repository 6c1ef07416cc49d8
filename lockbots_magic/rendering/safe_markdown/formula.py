"""A formula between dollars, as every Markdown parser that knows formulas reads them. Pure."""

from __future__ import annotations

import re

from ...security.tex_policy import harmless, unlabelled

# In LaTeX these are formulas by themselves; any other environment has to stand in one.
_ALONE = re.compile(r"\\begin\{(?:equation|align|gather|alignat|multline|eqnarray|flalign)\*?\}")
_FOREIGN = re.compile(r"`|~~~|://|www\.", re.IGNORECASE)  # code, and what some make a link of, up to a space
_BRACE = re.compile(r"\\.|([{}])", re.DOTALL)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_LINK = re.compile(r"\](?=[(\[:{])|!(?=\[)")
_BAR = re.compile(r"\\?\|")


def plain_formula(content: str, *, one_line: bool, in_cell: bool = False) -> str | None:
    """Return `content`, a formula as it came, with dollars around it; None if it is not to be trusted as one.

    Parsers that know no formulas read one as text, so there is no tag and no link in it for them either.

    Args:
        content: the formula with its delimiters.
        one_line: whether it may not have lines.
        in_cell: whether a bar would end the cell it stands in.
    """
    around, tex = _parts(unlabelled(content))
    if one_line and "%" in tex and "\n" in tex:
        return None  # the rest of the line would become a part of the comment
    tex = on_one_line(tex) if one_line else tex
    if not _is_sound(around, tex) or not harmless(content):
        return None
    if in_cell and "|" in tex:
        if "\\begin" in tex or "\\text" in tex:
            return None
        tex = _BAR.sub(lambda bar: "\\Vert " if bar[0] == "\\|" else "\\vert ", tex).rstrip()
    tex = _LINK.sub(r"\g<0> ", _TAG.sub("< ", tex))  # a space means nothing in TeX
    return around + tex + around


def on_one_line(text: str) -> str:
    """Return `text` with its lines side by side."""
    return " ".join(filter(None, (line.strip() for line in text.split("\n"))))


def _parts(content: str) -> tuple[str, str]:
    """What stands around a formula, and the formula."""
    if content.startswith(("$$", "\\[")):
        return "$$", content[2:-2]
    if content.startswith("\\("):
        return "$", content[2:-2].strip()
    if content.startswith("$"):
        return "$", content[1:-1]
    return ("", content) if _ALONE.match(content) else ("$$", content)


def _is_sound(around: str, tex: str) -> bool:
    """Whether all parsers find the end of a formula where it is, and no code begins in it."""
    if not tex.strip() or _FOREIGN.search(tex) or tex.endswith("\\") or not _is_balanced(tex):
        return False
    return "$" not in tex if around == "$" else "$$" not in f"{tex}$" and not tex.startswith("$")


def _is_balanced(tex: str) -> bool:
    """Whether braces are in pairs: within one, JupyterLab does not look for the end."""
    depth = 0
    for brace in _BRACE.finditer(tex):
        depth += {"{": 1, "}": -1, None: 0}[brace[1]]
        if depth < 0:
            return False
    return depth == 0

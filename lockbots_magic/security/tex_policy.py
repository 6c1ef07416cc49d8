r"""TeX policy: separates formulas from TeX that does more than set mathematics.

The front end sets formulas after the reply was sanitised. MathJax 3.2.2, which JupyterLab 4.6 loads with its "safe"
extension on, then lets `\unicode[x;position:fixed]{1}` and `\mmlToken` write any CSS, `\mmlToken{mglyph}[src=…]` and
`\style{cursor:url(…)}` fetch from any server, `\href` make links, and `\def`, `\let`, `\definecolor` or `\require`
change all formulas of the page until it is reloaded. In an export to LaTeX, `\input` reads files.

So a formula may use the names in `tex_allowed.txt` and no others, which stays right when MathJax or KaTeX learn new
ones. A formula with any other name is shown as code.
"""

from __future__ import annotations

import functools
import re
from importlib.resources import files

from ..late_pattern import late_pattern

MAX_FORMULA = 4000
"""Length (characters). MathJax blocks the page for about 0.1 ms for each."""
MAX_DEPTH = 12
"""Groups within groups. A tab of Chromium crashes at 80 boxes or 100 fractions; each arrow doubles the time."""
MAX_SWITCHES = 60
"""Changes of style, size or colour. Each nests all that follows; 380 crash the tab."""

_TOKEN = re.compile(r"\\([A-Za-z]+|.|\Z)|\^\^|[{}%\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", re.DOTALL)
_GROUP = re.compile(
    r"(\{|\\left(?![A-Za-z]))|(\}|\\right(?![A-Za-z])|\\end\s*\{[^{}]*\})|\\begin\s*\{([^{}]*)\}|\\.", re.DOTALL
)
_ENVIRONMENT = late_pattern(r"\s*(\{[A-Za-z]+\*?\})")
_SWITCH = late_pattern(
    r"\\(?:[a-z]+style|color|[tT]iny|scriptsize|small|normalsize|[lL]arge|LARGE|[hH]uge)(?![A-Za-z])"
)
_LABEL = re.compile(r"\\label\s*\{[^{}]*\}|(\\.)", re.DOTALL)

_PART = r"[.,]\d+"
_LENGTH = rf"\s*-?(?:(?:\d\d?(?:{_PART})?|{_PART})\s*(?:mu|pt|px|mm)|(?:\d(?:{_PART})?|{_PART})\s*(?:em|ex|cm))\s*"
_COLOUR = r"\s*(?:\[[A-Za-z]+\]\s*)?\{[\w#.,!\s-]*\}"
_ARGUMENT = {
    # A rule of 9999em makes a cell too tall to scroll past.
    **dict.fromkeys(("hspace", "mspace"), rf"\s*\{{{_LENGTH}\}}"),
    "rule": rf"\s*(?:\[{_LENGTH}\]\s*)?\{{{_LENGTH}\}}\s*\{{{_LENGTH}\}}",
    "\\": rf"(?!\*?\[)|\*?\[{_LENGTH}\]",
    **dict.fromkeys(("hskip", "kern", "mskip", "mkern"), _LENGTH),
    # `\fcolorbox{red;cursor:url(…)}` is CSS.
    **dict.fromkeys(("color", "textcolor", "colorbox", "cellcolor", "rowcolor", "columncolor"), _COLOUR),
    "fcolorbox": _COLOUR * 2,
    # MathJax creates this number of columns at once.
    **dict.fromkeys(("{alignat}", "{alignat*}", "{alignedat}"), r"\s*(?:\[[tcb]\]\s*)?\{\s*\d\s*\}"),
    "pmb": r"\s*(?:\{[^{}]*\}|\\?[A-Za-z])",  # sets its argument three times
    "enclose": r"\s*\{[a-z,\s]*\}\s*\{",  # without attributes
    "require": r"\s*\{\s*(?:cancel|enclose|mhchem)\s*\}",  # in JupyterLab these are there anyway
    "label": r"\s*\{[\w:. -]*\}",
}
_ARGUMENTS = {name: late_pattern(pattern) for name, pattern in _ARGUMENT.items()}
"""Required arguments of some commands and, in braces, of some environments."""

_SIGNS = frozenset(" \t\n,;:!>|/.-+*'\"`^~=@{}()[]<$%&#_")
"""Names of one character that is not a letter."""


@functools.cache
def allowed_names() -> frozenset[str]:
    """Return the names of commands, and in braces of environments, that a formula may use."""
    lines = files(__package__).joinpath("tex_allowed.txt").read_text("utf-8").splitlines()
    names = " ".join(line for line in lines if not line.startswith("#")).split()
    return frozenset(names) | _SIGNS | _ARGUMENTS.keys()


def is_harmless(formula: str) -> bool:
    """Tell whether `formula` sets mathematics, does nothing else, and is cheap to set.

    Such a formula styles, links, loads and defines nothing, and hides nothing in a comment. Any other formula must be
    shown as text that no front end reads as TeX.

    Args:
        formula: TeX, with or without its delimiters.
    """
    return len(formula) <= MAX_FORMULA and _is_mathematics(formula)


@functools.lru_cache(maxsize=128)
def _is_mathematics(formula: str) -> bool:
    """Tell whether a short formula is harmless. It is asked for each form of a reply, and for each frame."""
    return (
        len(_SWITCH.findall(formula)) <= MAX_SWITCHES
        and all(_is_allowed(token, formula) for token in _TOKEN.finditer(formula))
        and _is_nested(formula)
    )


def unlabelled(formula: str) -> str:
    r"""Replace each `\label` in `formula` by a space, so that no two names become one.

    MathJax keeps labels for the whole page: a second formula with the same label is an error, and so is the same
    formula when a growing reply is drawn again.
    """
    return _LABEL.sub(lambda match: match[1] or " ", formula) if "\\label" in formula else formula


def _is_allowed(token: re.Match[str], formula: str) -> bool:
    """Tell whether a command or an environment may be used with what follows it."""
    name, end = token[1], token.end()
    if name is None:
        return token[0] in "{}"
    if name in ("begin", "end") and (environment := _ENVIRONMENT.match(formula, end)):
        name, end = environment[1], environment.end()
    argument = _ARGUMENTS.get(name) if token[1] != "end" else None
    return name in allowed_names() and (argument is None or argument.match(formula, end) is not None)


def _is_nested(formula: str) -> bool:
    """Tell whether all groups are closed in order; MathJax searches for a missing end in the text that follows."""
    ends: list[str] = []
    for opened, closed, environment in _GROUP.findall(formula):
        if closed and (not ends or "".join(closed.split()) != ends.pop()):
            return False
        if opened or environment:
            ends.append(f"\\end{{{environment}}}" if environment else "}" if opened == "{" else "\\right")
        if len(ends) > MAX_DEPTH:
            return False
    return not ends

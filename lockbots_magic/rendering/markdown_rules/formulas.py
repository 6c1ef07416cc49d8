r"""Formulas: TeX between dollars, `\(...\)`, `\[...\]`, environments, blocks of `math`; amounts of money are none."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from .growing import at_end

MAX_FORMULA = 5_000
"""Length (characters) of a formula within a line."""

_ENDS = {"$$": "$$", "\\(": "\\)", "\\[": "\\]"}
_DOLLAR = re.compile(r"[^$\\]*(?:\\.[^$\\]*)*\$", re.DOTALL)
_TEX_OPEN = re.compile(r"\$\$(?!\$)|\\[(\[]")
_DISPLAY = re.compile(r"\$\$|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
# An amount, and what is behind it: prose, or the letters of a currency before the next amount, as in "$100 (R$ 550)".
_AMOUNT = re.compile(r"\$\d[\d.,]*\s?(?:[kKmM]|[bB]n?|%)?(?![\w\\^_{])")
_COMMAND = re.compile(r"\\[A-Za-z]+(?:\s*\{[^{}]*\})*")
_WORD = re.compile(r"[^\W\d_]{2,}|\*\*|__")
_CURRENCY = re.compile(r"(?:^|[\s(])[A-Z]{1,3}\$\Z")
_WORD_BEHIND = re.compile(r"_?[A-Za-z0-9]")
_BLANK_LINE = re.compile(r"\n\s*\n")
_ORDINAL = re.compile(r"(?:st|[nr]d|th)(?![A-Za-z0-9_$])")
_COUNTED = re.compile(r"[A-Za-z0-9\\(][A-Za-z0-9_{}^\\()]{0,20}(?: ?[+-] ?[A-Za-z0-9_{}^\\()]{1,20})?")
_SCRIPT = re.compile(r"(?:[_^](?:\{[^{}$]{1,20}\}|\\[A-Za-z]+|[A-Za-z0-9+*-])){1,2}")


def install(parser: MarkdownIt) -> None:
    """Add the rules."""
    parser.block.ruler.before("fence", "formula", _formula_block, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.inline.ruler.before("escape", "tex", _tex)
    parser.core.ruler.after("block", "math", _math_blocks)


def find_formula(text: str, at: int) -> int:
    """Return where the formula within a line that begins at `at` ends; -1 if none begins there."""
    closing = _ENDS.get(text[at : at + 2])
    end = _end_in_dollars(text, at) if closing is None else text.find(closing, at + 3, at + MAX_FORMULA + 4) + 2
    return -1 if end < 3 or _is_money(text[at:end], text[end : end + 2]) else end


def _end_in_dollars(text: str, at: int) -> int:
    """Return where the formula between single dollars that begins at `at` ends; -1 if none begins there.

    No letter or digit stands outside the dollars: US$/t, 5$/10$ and $HOME/$USER are text. Only those of ASCII count,
    for other scripts have no space beside a formula. Ordinals, as in $n$th, and scripts, as in CO$_2$, are formulas.
    """
    first, follows_word = text[at + 1 : at + 2], _is_word(text[at - 1 : at])
    if text[at : at + 1] != "$" or not first.strip() or (follows_word and first not in "_^"):
        return -1
    closing = _DOLLAR.match(text, at + 1, at + MAX_FORMULA + 2)
    end = closing.end() - 1 if closing else -1
    formula = text[at + 1 : end]
    if end < 0 or formula[-1:].isspace() or "\n" in formula:
        return -1
    if follows_word or _WORD_BEHIND.match(text, end + 1):
        is_ordinal = not follows_word and _ORDINAL.match(text, end + 1) and _COUNTED.fullmatch(formula)
        return end + 1 if is_ordinal or _SCRIPT.fullmatch(formula) else -1
    return end + 1


def _is_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _is_money(formula: str, after: str) -> bool:
    amount = _AMOUNT.match(formula)
    if amount is None or formula.startswith("$$"):
        return False
    rest = formula[amount.end() :]
    prose = _WORD.search(_COMMAND.sub(" ", rest)) is not None
    return prose or (_CURRENCY.search(rest) is not None and after.strip()[:1].isdecimal())


def _formula_block(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: a formula on lines of its own, in which a line may begin with what elsewhere begins a list."""
    begin = state.bMarks[first] + state.tShift[first]
    opening = _DISPLAY.match(state.src, begin)
    if opening is None or state.is_code_block(first):
        return False
    closing = {"$$": "$$", "\\[": "\\]"}.get(opening[0], f"\\end{{{opening[1]}}}")
    indentation = min(state.blkIndent, state.sCount[first])  # less than that of a list which the formula ends
    # Line up to which each end was sought in vain, so that it is sought once.
    endless, sought = state.env.setdefault("endless", {}), (closing, indentation)
    line = max(first, endless.get(sought, 0) - 1)
    after = opening.end() if line == first else state.bMarks[line] + state.tShift[line]
    while (at := state.src.find(closing, after, state.eMarks[line])) < 0:
        line += 1
        if line >= last or state.isEmpty(line) or state.sCount[line] < indentation:
            endless[sought] = line
            growing = state.env.get("growing") and line == state.lineMax
            return bool(growing) and (silent or _push_formula(state, first, line, "open"))
        after = state.bMarks[line] + state.tShift[line]
    if state.src[at + len(closing) : state.eMarks[line]].strip():
        return False  # text follows: a paragraph that begins with a formula
    return silent or _push_formula(state, first, line + 1)


def _math_blocks(state: StateCore) -> None:
    """Rule: a block of code in the language `math` is a formula, as on GitHub and GitLab."""
    for token in state.tokens:
        if token.type != "fence" or token.info.strip() != "math" or token.map is None:
            continue
        formula = token.content.strip()
        if len(formula) > 4 and formula.startswith("$$") and formula.endswith("$$"):
            formula = formula[2:-2].strip()
        is_closed = token.map[1] - token.map[0] == len(token.content.splitlines()) + 2
        if is_closed and formula and "$$" not in formula and not _BLANK_LINE.search(formula):
            token.type, token.tag, token.info = "formula", "", ""
            token.content = f"$$\n{formula}\n$$"


def without_backticks(formula: str) -> str:
    """Return a formula as GitHub and GitLab write it within a line, $`x`$, as others do."""
    return f"${formula[2:-2]}$" if formula.startswith("$`") and formula.endswith("`$") and len(formula) > 4 else formula


def _push_formula(state: StateBlock, first: int, end: int, info: str = "") -> bool:
    token = state.push("formula", "", 0)
    token.map = [first, end]
    token.content = state.getLines(first, end, state.blkIndent, False).strip()
    token.info = info
    token.block = True
    state.line = end
    return True


def _tex(state: StateInline, silent: bool) -> bool:
    """Rule: a formula within a line is passed on as it is; the front end typesets it."""
    if state.src[state.pos] not in "$\\":
        return False
    end = find_formula(state.src, state.pos)
    is_open = False
    if end < 0 and at_end(state):
        is_open = _TEX_OPEN.match(state.src, state.pos) is not None
    if end < 0 and not is_open:
        return False
    state.env["repaired"] = state.env.get("repaired") or is_open
    end = state.posMax if end < 0 else end
    if not silent:
        token = state.push("formula", "", 0)
        token.content = without_backticks(state.src[state.pos : end])
        token.info = "open" if is_open else ""
    state.pos = end
    return True

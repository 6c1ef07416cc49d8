"""Rules of Markdown by the character that they begin with: at any other, they are not tried. Pure.

The loops of markdown-it call every rule at every mark and at every line, a dozen calls of which most look at one
character. That is half of the time that a text takes. A rule that is not listed here is tried everywhere.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markdown_it.ruler import Ruler
from markdown_it.rules_block import StateBlock, lheading
from markdown_it.rules_inline import StateInline

InlineRule = Callable[[StateInline, bool], bool]
BlockRule = Callable[[StateBlock, int, int, bool], bool]

_INLINE = {
    "newline": "\n",
    "escape": "\\",
    "tex": "$\\",
    **dict.fromkeys(("backticks", "open_code"), "`"),
    "strikethrough": "~",
    "emphasis": "*_",
    **dict.fromkeys(("link", "footnote_ref", "footnote_to_come"), "["),
    "half_link": "![",
    "image": "!",
    **dict.fromkeys(("tag", "autolink", "html_inline"), "<"),
    "entity": "&",
    "address": ":",
}
_BLOCK = {
    **dict.fromkeys(("fence", "nested_fence"), "`~"),
    "formula": "$\\",
    **dict.fromkeys(("details", "html_block"), "<"),
    "blockquote": ">",
    "hr": "*-_",
    "list": "*+-0123456789",
    **dict.fromkeys(("reference", "footnote_def"), "["),
    "heading": "#",
}
_OF_LETTERS = frozenset({"time", "table", "code", "lheading", "paragraph"})
"""Rules of blocks that are tried where a line begins with a letter."""
_MAY_END = frozenset("-=|:" + "".join(_BLOCK.values()))
"""Where a line begins that may end a paragraph: as its underline, as that of a table, or as a block of its own."""
_STOPS = "]"
"""Where a text ends although no rule begins: `parse_link_label` looks for it."""


def install(parser: MarkdownIt) -> None:
    """Let the blocks of a finished parser be found by letter; rules that are added later are not tried."""
    parser.block.ruler.at("lheading", _underlined)
    parser.block.ruler = _BlockRuler(parser.block.ruler)


class InlineByLetter(ParserInline):
    """Parser of what stands within blocks."""

    def is_plain(self, text: str) -> bool:
        """Tell whether no rule begins in a text: then it is one token."""
        return self._by_letter[1].search(text) is None

    def tokenize(self, state: StateInline) -> None:
        """Push the tokens of the text from `state.pos` to `state.posMax`."""
        rules, stops = self._by_letter
        source, end, max_nesting = state.src, state.posMax, state.md.options["maxNesting"]
        while (begin := state.pos) < end:
            stop = stops.search(source, begin, end)
            at = stop.start() if stop else end
            if at > begin:
                add_text(state, source[begin:at])
                state.pos = at
            if stop and not (state.level < max_nesting and _matches(rules.get(stop[0], ()), state, silent=False)):
                add_text(state, stop[0])
                state.pos = at + 1
        if state.pending:
            state.pushPending()

    def skipToken(self, state: StateInline) -> None:  # noqa: N802  # name of the base class
        """Move `state.pos` behind one token."""
        begin = state.pos
        if begin in state.cache:
            state.pos = state.cache[begin]
            return
        rules, stops = self._by_letter
        stop = stops.search(state.src, begin, state.posMax)
        at = stop.start() if stop else state.posMax
        if state.level >= state.md.options["maxNesting"]:
            state.pos = state.posMax + 1
        elif at > begin:
            state.pos = at
        else:
            state.level += 1
            found = stop is not None and _matches(rules.get(stop[0], ()), state, silent=True)
            state.level -= 1
            state.pos = state.pos if found else begin + 1
        state.cache[begin] = state.pos

    @functools.cached_property
    def _by_letter(self) -> tuple[Mapping[str, Sequence[InlineRule]], re.Pattern[str]]:
        """Rules by the character at which they are tried, and the pattern of those characters."""
        names = self.ruler.get_active_rules()
        rules = [(name, rule) for name, rule in zip(names, self.ruler.getRules(""), strict=True) if name != "text"]
        found = _by_letter(rules, _INLINE)
        return found, re.compile(f"[{re.escape(''.join(found) + _STOPS)}]")


def add_text(state: StateInline, text: str) -> None:
    """Add text to what is not a token yet."""
    if hasattr(state, "append_pending"):
        state.append_pending(text)
    else:  # markdown-it-py 3
        state.pending += text


def _matches(rules: Iterable[InlineRule], state: StateInline, *, silent: bool) -> bool:
    for rule in rules:  # noqa: SIM110  # a generator takes as long as most rules
        if rule(state, silent):
            return True
    return False


class _BlockRuler(Ruler[BlockRule]):
    """Rules of blocks, of which each chain is one rule: that of the character with which a line begins.

    Args:
        ruler: The rules.
    """

    def __init__(self, ruler: Ruler[BlockRule]) -> None:
        super().__init__()
        self.__rules__ = ruler.__rules__
        self._chains: dict[str, list[BlockRule]] = {}

    def getRules(self, chainName: str = "") -> list[BlockRule]:  # noqa: N802, N803  # names of the base class
        if chainName not in self._chains:
            active = [
                (rule.name, rule.fn) for rule in self.__rules__ if rule.enabled and self._is_in(chainName, rule.alt)
            ]
            self._chains[chainName] = [_first_of(active, is_whole=not chainName)]
        return self._chains[chainName]

    @staticmethod
    def _is_in(chain: str, chains: Iterable[str]) -> bool:
        return not chain or chain in chains


def _first_of(rules: Sequence[tuple[str, BlockRule]], *, is_whole: bool) -> BlockRule:
    """Return a rule that tries `rules` until one matches; `is_whole` if they are those of all blocks."""
    by_letter = _by_letter(rules, _BLOCK)
    everywhere = [rule for name, rule in rules if name not in _BLOCK]
    all_of_them = [rule for _, rule in rules]
    if is_whole and {name for name, _ in rules if name not in _BLOCK} <= _OF_LETTERS:
        everywhere.insert(1, _letters_only)

    def first(state: StateBlock, line: int, last: int, silent: bool) -> bool:
        begin = state.bMarks[line] + state.tShift[line]
        is_empty = begin >= state.eMarks[line]
        tried = all_of_them if is_empty else by_letter.get(state.src[begin], everywhere)
        for rule in tried:  # noqa: SIM110  # a generator takes as long as most rules
            if rule(state, line, last, silent):
                return True
        return False

    return first


def _by_letter(
    rules: Sequence[tuple[str, Callable[..., bool]]], letters: Mapping[str, str]
) -> dict[str, list[Callable[..., bool]]]:
    """Return the rules to try at each of the characters with which some of them begin, in their order."""
    known = dict.fromkeys(letter for name, _ in rules for letter in letters.get(name, ""))
    return {letter: [rule for name, rule in rules if letter in letters.get(name, letter)] for letter in known}


def _underlined(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """Rule: an underlined heading. That of markdown-it tries the other rules at every line, as does the paragraph."""
    if state.is_code_block(first):
        return False
    for line in range(first + 1, last):
        begin = state.bMarks[line] + state.tShift[line]
        if begin >= state.eMarks[line]:
            break
        if state.src[begin] in _MAY_END:  # to look further would read the same lines again at each paragraph
            return lheading(state, first, last, silent)
    state.parentType = "paragraph"  # as that of markdown-it leaves it, which the rule of lists sees
    return False


def _letters_only(state: StateBlock, first: int, last: int, _silent: bool) -> bool:
    """Rule: a paragraph each of whose lines begins with a letter, as no other block does."""
    if last != state.lineMax or state.is_code_block(first) or not state.src[_begin_of(state, first)].isalpha():
        return False
    line = first + 1
    while line < last and (begin := _begin_of(state, line)) < state.eMarks[line]:
        if not state.src[begin].isalpha() or not state.blkIndent <= state.sCount[line] < state.blkIndent + 4:
            return False
        line += 1
    text = state.getLines(first, line, state.blkIndent, False).strip(" \t\n")
    if text != text.strip():
        return False
    state.line, state.parentType = line, "paragraph"  # as `_underlined` leaves it
    state.push("paragraph_open", "p", 1).map = [first, line]
    inline = state.push("inline", "", 0)
    inline.map, inline.content, inline.children = [first, line], text, []
    state.push("paragraph_close", "p", -1)
    return True


def _begin_of(state: StateBlock, line: int) -> int:
    return state.bMarks[line] + state.tShift[line]

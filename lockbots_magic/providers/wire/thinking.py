"""Reasoning that a model writes into its text, between tags: separated from the text while it streams. Pure.

Wire facts, observed: ``<think>`` (DeepSeek R1, Qwen 3, many local models), ``<thinking>``, ``<thought>`` (Gemini),
``<reasoning>``, ``<reason>``, ``<seed:think>`` (Seed-OSS), ``<mm:think>`` (MiniMax), ``<longcat_think>`` (LongCat),
``[THINK]`` (Magistral), ``◁think▷`` (Kimi), ``<|channel>thought`` (Gemma 4), ``<unused94>thought`` (MedGemma),
``<|START_THINKING|>`` (Command), ``<|begin_of_thought|>`` (OpenThinker), ``<|inner_prefix|>`` (Apertus). Servers whose
chat template ends with the opening tag send only the closing one. A reply cut by its limit, or one whose model forgot,
has only the opening one.
"""

from __future__ import annotations

import re

from ...conversation.messages import Delta
from ...late_pattern import late_pattern
from .end_tokens import TOKENS, EndTokens, head_length
from .line_context import LineContext

MAX_HELD = 512
"""Characters held back to decide about one tag."""
MAX_BLANK = 10_000
"""Characters of white space that are held until it is known whether they belong to the text; more are dropped."""
MAX_RUN = 64
"""Length of a run of backticks or tildes that is read as one."""
BLOCK_SEPARATOR = "\n\n"
"""Text between two blocks of reasoning."""

_NAMES = ("think", "thinking", "thought", "reasoning", "reason", "seed:think", "mm:think", "longcat_think")
_OTHERS = {
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|channel>thought": "<channel|>",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "<unused94>thought": "<unused95>",
}
_ONLY_FIRST = "<reason>"
"""Tag that is a word of many XML documents: reasoning only at the beginning of the answer."""
_PAIRS = {f"<{name}>": f"</{name}>" for name in _NAMES} | _OTHERS
_OPENING, _CLOSING = tuple(_PAIRS), tuple(_PAIRS.values())
_MIXED = frozenset({"</think>", "</thinking>", "</thought>"})
"""Closing tags that models take for one another."""
_ALL_TAGS = (*_OPENING, *_CLOSING, *TOKENS)
_TAG = late_pattern("|".join(map(re.escape, _ALL_TAGS)), re.IGNORECASE)
_TAG_STARTS = frozenset(tag[:end] for tag in _ALL_TAGS for end in range(1, len(tag)))
_MARK = re.compile(r"\n|`+|~+|[<\[◁]")


class ThinkingSplitter:
    """Separates the reasoning between tags from the text of one answer. Constant time for each character.

    A tag counts where a model writes one: an opening tag at the beginning of the text or of a line, or right behind a
    full stop; a closing one that ends reasoning, or, if no opening tag came, one at the end of a line or of a sentence.
    Inside code (fences, inline code, quotes) and in the middle of a sentence it is text.

    Example:
        >>> splitter = ThinkingSplitter()
        >>> steps = [*splitter.feed("<thi"), *splitter.feed("nk>Two.</think>Four."), *splitter.close()]
        >>> [(step.text, step.reasoning) for step in steps]
        [('', 'Two.'), ('Four.', '')]
    """

    def __init__(self) -> None:
        self.has_reasoning = False
        """True once there is reasoning: what follows in another block is separated from it."""
        self._line = LineContext()
        self._thinking = False
        self._opened = ""  # opening tag of the block
        self._held = ""
        self._blank: list[str] = []  # white space that is emitted with what follows, if at all
        self._begun = False  # whether the text, or the block of reasoning, holds more than white space
        self._after_block = False
        self._has_opened = False  # whether an opening tag came
        self._end_tokens = EndTokens()
        self._text_begun = False
        self._steps: list[Delta] = []

    def passes(self, text: str) -> bool:
        """Whether `text`, which is taken then, is text as it stands: most pieces of an answer are."""
        if self._begun and not (self._thinking or self._held or _MARK.search(text)):
            self._line.add(text)
            return True
        return False

    def feed(self, text: str) -> list[Delta]:
        """Return the steps that `text` completes, each with text or with reasoning.

        A step that retracts says that the text before it was reasoning, because only the closing tag came.
        """
        if self.passes(text):
            return [Delta(text)]
        self._scan(self._held + text, ended=False)
        return self._take_steps()

    def close(self) -> list[Delta]:
        """End the answer: return what was held back."""
        self._scan(self._held, ended=True)
        if not self._thinking and not self._begun and not self._after_block and self._blank:
            self._steps.append(Delta("".join(self._blank)))
        self._blank.clear()
        return self._take_steps()

    def restart_text(self) -> None:
        """Take note that the text so far was retracted."""
        self._begun, self._text_begun, self._after_block = False, False, True
        self._blank.clear()

    def _take_steps(self) -> list[Delta]:
        steps, self._steps = self._steps, []
        return steps

    def _scan(self, buffer: str, *, ended: bool) -> None:
        at = 0
        while mark := _MARK.search(buffer, at):
            if mark.start() > at:
                self._add(buffer[at : mark.start()])
            at = mark.start()
            end = self._read_mark(mark, buffer, ended)
            if end is None:
                self._held = buffer[at:]
                return
            at = end
        self._held = ""
        if at < len(buffer):
            self._add(buffer[at:])

    def _read_mark(self, mark: re.Match[str], buffer: str, ended: bool) -> int | None:
        """Read one mark; return the index behind it, or None if more text is needed."""
        at, found = mark.start(), mark[0]
        if found == "\n":
            self._put(found)
            self._line.end()
            return mark.end()
        if found[0] in "`~":
            if mark.end() == len(buffer) and len(found) < MAX_RUN and not ended:
                return None
            self._put(found)
            self._line.add_run(found)
            return mark.end()
        tag = _TAG.match(buffer, at)
        if tag is None:
            if not ended and buffer[at:].lower() in _TAG_STARTS:
                return None
            self._add(found)
            return mark.end()
        return self._read_tag(tag, buffer, ended)

    def _read_tag(self, tag: re.Match[str], buffer: str, ended: bool) -> int | None:
        if tag[0].lower() in TOKENS:
            return self._read_token(tag, buffer, ended)
        closes = tag[0].lower() in _CLOSING
        is_other = self._thinking and closes and not self._ends_block(tag[0].lower())
        rest = buffer[tag.end() : tag.end() + MAX_HELD]
        final = ended or len(rest) == MAX_HELD
        if self._thinking:
            verdict = self._line.judge_end(rest, final) if closes and not is_other else "text"
            if not closes and self._line.is_blank:
                self._line.fence_has_opening = True
        elif closes:
            verdict = self._line.judge_lone_end(rest, final)
        else:
            first = not self._begun and not self._text_begun
            may_open = first or tag[0].lower() != _ONLY_FIRST
            may_open = may_open and self._line.may_open(first=first, again=self._has_opened)
            verdict = "tag" if may_open else "text"
        if verdict == "tag" and closes and self._has_opened and not self._thinking and not rest.strip():
            if ended:  # a stray tag behind the answer: nothing else would be one
                return tag.end()
            verdict = verdict if final else "undecided"
        if verdict == "undecided":
            return None
        if verdict == "text":
            self._line.note_opening(not closes)
            self._add(tag[0])
        elif closes:
            self._end_block()
        else:
            self._begin_block(tag[0].lower())
        return tag.end()

    def _read_token(self, token: re.Match[str], buffer: str, ended: bool) -> int | None:
        """Read a token of the prompt format: at the very end of an answer, it ends it and is no part of it."""
        rest = buffer[token.end() :]
        if not (self._begun or self._text_begun or self._thinking or self._after_block):
            head = head_length(token[0], rest, ended=ended)
            if head is None:
                return None
            if head:
                self._after_block = True
                return token.end() + head
        may_end = (self._begun or self._text_begun or self.has_reasoning) and self._line.may_end_answer
        verdict = self._end_tokens.judge(token[0], rest, may_end=may_end, ended=ended)
        if verdict == "undecided":
            return None
        if verdict == "tag":
            return len(buffer)
        self._add(token[0])
        return token.end()

    def _ends_block(self, closing: str) -> bool:
        """Whether a closing tag belongs to the opening one of the block."""
        own = _PAIRS[self._opened]
        return closing == own or {closing, own} <= _MIXED

    def _begin_block(self, opening: str) -> None:
        self._opened = opening
        self._text_begun = self._text_begun or self._begun
        self._thinking, self._begun, self._has_opened = True, False, True
        self._blank.clear()
        self._line = LineContext()

    def _end_block(self) -> None:
        if not self._thinking and self._begun:
            self._steps.append(Delta(retracts=True))
            self._text_begun, self.has_reasoning = False, True
        self._thinking, self._begun, self._after_block = False, self._text_begun, True
        self._blank.clear()
        self._line = LineContext()

    def _add(self, text: str) -> None:
        """Add text without marks."""
        self._put(text)
        self._line.add(text)

    def _put(self, text: str) -> None:
        """Emit text as what it is, without the white space around reasoning, and between it and the text."""
        kept = text if self._begun else text.lstrip()
        if not self._begun and not (self._thinking or self._after_block):
            self._hold(text[: len(text) - len(kept)])
        if not kept:
            return
        lead = ""
        if not self._begun:
            self._begun = True
            if self._thinking:
                lead = BLOCK_SEPARATOR if self.has_reasoning else ""
                self.has_reasoning = True
        if not self._thinking:
            self._emit("".join((*self._blank, kept)), "")
            self._blank.clear()
            return
        body = kept.rstrip()
        if body:
            self._emit("", "".join((lead, *self._blank, body)))
            self._blank.clear()
        if len(body) < len(kept):
            self._hold(kept[len(body) :])

    def _hold(self, blank: str) -> None:
        held = "".join((*self._blank, blank[:MAX_BLANK])) if len(self._blank) > MAX_HELD else None
        if held is not None:
            self._blank[:] = [held[:MAX_BLANK]]
        else:
            self._blank.append(blank[:MAX_BLANK])

    def _emit(self, text: str, reasoning: str) -> None:
        last = self._steps[-1] if self._steps else None
        if last is not None and not last.retracts and bool(last.text) == bool(text):
            self._steps[-1] = Delta(last.text + text, last.reasoning + reasoning)
        else:
            self._steps.append(Delta(text, reasoning))

"""Channels of the harmony format in the text of a reply, which a server has not taken apart. Pure.

Wire facts: OpenAI, "Harmony response format": ``<|channel|>analysis<|message|>...<|end|>`` is reasoning, so is
``commentary`` (preambles, and calls ``to=functions.NAME``); ``final`` is the answer. Observed: servers of gpt-oss that
pass the markers on, or drop all of them: ``analysisWe need ...assistantfinalFour.``
"""

from __future__ import annotations

import re

from ...conversation.messages import Delta
from ...late_pattern import late_pattern

MAX_HEADER = 200
"""Characters of a header, from one message to the next."""
SEPARATOR = "\n\n"
"""Text between two messages of one kind."""

_BEGINNINGS = ("<|channel|>", "<|start|>", "analysis<|message|>")
_FIRST_LETTERS = ("", "<", "a")
_BARE_BEGINNING = re.compile(r"analysis[A-Z\"']")
_BARE_ANSWER = "assistantfinal"
_MESSAGE = "<|message|>"
_ENDS = ("<|end|>", "<|return|>", "<|call|>", "<|start|>", "<|channel|>")
_END = late_pattern("|".join(map(re.escape, _ENDS)))
_CHANNEL = late_pattern(r"(?:<\|channel\|>\s*|^)(analysis|commentary|final)\b")
_RECIPIENT = late_pattern(r"\bto=(\S+?)(?=\s|<|$)")


class HarmonySplitter:
    """Separates the channels of one answer, if its first characters show that it has any.

    Example:
        >>> splitter = HarmonySplitter()
        >>> steps = splitter.feed("<|channel|>analysis<|message|>Two.<|end|><|start|>assistant<|channel|>fi")
        >>> steps += splitter.feed("nal<|message|>Four.<|return|>")
        >>> [(step.text, step.reasoning) for step in steps]
        [('', 'Two.'), ('Four.', '')]
    """

    def __init__(self) -> None:
        self.is_harmony: bool | None = None
        """Whether the answer is in this format; None until that is known."""
        self._is_bare = self._is_plain = False
        self._held = ""
        self._channel = ""  # of the message that is being read; empty in a header
        self._last = ""  # kind of the step before
        self._begins_message = False
        self._steps: list[Delta] = []

    def feed(self, text: str) -> list[Delta]:
        """Return the steps that `text` completes; all of it is text once `is_harmony` is False."""
        text = self._held + text
        self._held = ""
        if self.is_harmony is None:
            self._recognise(text)
            if self.is_harmony is None:
                self._held = text
                return []
            text = text.lstrip() if self.is_harmony else text
        if not self.is_harmony:
            return [Delta(text)] if text else []
        self._read(text, ended=False)
        return self._take_steps()

    def close(self) -> list[Delta]:
        """End the answer: return what was held back."""
        held, self._held = self._held, ""
        if not self.is_harmony:
            self.is_harmony = False
            return [Delta(held)] if held else []
        self._read(held, ended=True)
        return self._take_steps()

    def _recognise(self, text: str) -> None:
        begin = text.lstrip()
        if begin.startswith(_BEGINNINGS):
            self.is_harmony = True
        elif _BARE_BEGINNING.match(begin):
            self.is_harmony = self._is_bare = True
        elif len(text) > MAX_HEADER or not _may_begin_channels(begin):
            self.is_harmony = False

    def _take_steps(self) -> list[Delta]:
        steps, self._steps = self._steps, []
        return steps

    def _read(self, text: str, *, ended: bool) -> None:
        if self._is_bare:
            self._read_bare(text, ended=ended)
            return
        if self._is_plain:
            self._steps += [Delta(text)] if text else []
            return
        while text:
            text = self._read_body(text, ended=ended) if self._channel else self._read_header(text, ended=ended)

    def _read_bare(self, text: str, *, ended: bool) -> None:
        """Read text whose markers the server has dropped: what is before the last of them was reasoning."""
        before, found, after = text.partition(_BARE_ANSWER)
        if found:
            self._steps.append(Delta(before))
            self._steps.append(Delta(after, retracts=True))
            self._is_bare, self._is_plain = False, True  # where markers are dropped, none follows
            return
        keep = 0 if ended else _length_of_start(text, (_BARE_ANSWER,))
        self._held = text[len(text) - keep :]
        if keep < len(text):
            self._steps.append(Delta(text[: len(text) - keep]))

    def _read_header(self, text: str, *, ended: bool) -> str:
        """Read what stands between two messages; return what follows it."""
        header, found, rest = text.partition(_MESSAGE)
        may_be_header = _begins_header(text.lstrip()) and len(header) <= MAX_HEADER
        if found and may_be_header:
            channel, recipient = _CHANNEL.search(header.lstrip()), _RECIPIENT.search(header)
            self._begin(channel[1] if channel else "final", recipient[1] if recipient else "")
            return rest
        if may_be_header and not ended:
            self._held = text
            return ""
        if may_be_header and header.startswith("<|"):  # cut inside of a header
            return ""
        self._begin("final" if text.strip() else "", "")
        return text if text.strip() else ""

    def _read_body(self, text: str, *, ended: bool) -> str:
        """Read the body of a message up to its end; return what follows it."""
        if end := _END.search(text):
            self._say(text[: end.start()])
            self._channel = ""
            is_header = end[0] in ("<|start|>", "<|channel|>")
            return text[end.start() if is_header else end.end() :]
        keep = 0 if ended else _length_of_start(text, _ENDS)
        self._say(text[: len(text) - keep])
        self._held = text[len(text) - keep :]
        return ""

    def _begin(self, channel: str, recipient: str) -> None:
        self._channel, self._begins_message = channel, True
        if recipient and channel != "final":
            self._say(f"{recipient}: ")

    def _say(self, text: str) -> None:
        if not text:
            return
        kind = "text" if self._channel == "final" else "reasoning"
        if self._begins_message and self._last == kind:
            text = SEPARATOR + text
        self._begins_message, self._last = False, kind
        self._steps.append(Delta(text) if kind == "text" else Delta(reasoning=text))


def _may_begin_channels(text: str) -> bool:
    """Whether the beginning of an answer may go on as channels. A part of a word is not held back for that."""
    if text[:1] not in _FIRST_LETTERS:  # nearly all answers
        return False
    is_word = "a" <= text[:1] <= "z"
    return any(one.startswith(text) for one in _BEGINNINGS) and (not is_word or text.startswith("analysis"))


def _begins_header(text: str) -> bool:
    """Whether `text` begins as a header does, as far as it goes."""
    begins = ("<|", "assistant", "analysis<|", "commentary<|", "final<|")
    return any(text.startswith(one) or one.startswith(text) for one in begins)


def _length_of_start(text: str, markers: tuple[str, ...]) -> int:
    """Return the length of the longest end of `text` with which a marker may begin."""
    longest = max(map(len, markers)) - 1
    ends = (text[-n:] for n in range(min(longest, len(text)), 0, -1))
    return next((len(end) for end in ends if any(one.startswith(end) for one in markers)), 0)

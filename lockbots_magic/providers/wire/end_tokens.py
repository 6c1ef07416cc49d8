"""Tokens of prompt formats by which a model ends its answer, and which a server has not taken away. Pure.

Observed where a server has a wrong list of stop tokens, or none: ``<|im_end|>`` (ChatML), ``<|eot_id|>`` (Llama 3),
``</s>`` (Llama 2, Mistral), ``<end_of_turn>`` (Gemma), ``<|endoftext|>`` (GPT-2, Qwen, Phi), ``<|end|>`` (Phi 3),
``<|EOT|>`` and ``<｜end▁of▁sentence｜>`` (DeepSeek), ``<|END_OF_TURN_TOKEN|>`` (Command R), ``<|end_of_turn|>``
(OpenChat), ``[e~[`` (MiniMax), perhaps several, with the head of another turn behind them.
"""

from __future__ import annotations

import re

from ...late_pattern import late_pattern
from .line_context import Verdict

MAX_TAIL = 512
"""Characters behind a token that are held until it is known whether the answer ends with them."""

_ENDS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end|>",
    "<|return|>",
    "<|end_of_turn|>",
    "<|end_of_turn_token|>",
    "<|end_of_sentence|>",
    "<|end_of_response|>",
    "<|end_of_role|>",
    "<|eos|>",
    "<|eot|>",
    "<|eom|>",
    "<end_of_turn>",
    "<end_of_utterance>",
    "<turn|>",
    "<eos>",
    "<eos_token>",
    "</s>",
    "<｜end▁of▁sentence｜>",
    "<|im_sep|>",
    "[e~[",
)
_STARTS = (
    "<|im_start|>",
    "<|start_header_id|>",
    "<|begin_of_text|>",
    "<|startoftext|>",
    "<start_of_turn>",
    "<s>",
    "<bos>",
    "<｜begin▁of▁sentence｜>",
)
"""Tokens that begin something: one as the first shows that the answer speaks of tokens, or is HTML."""
TOKENS = frozenset({*_ENDS, *_STARTS})
"""All of them, lower case."""
_TOKEN_STARTS = frozenset(token[:end] for token in TOKENS for end in range(1, len(token)))
_ROLES = ("assistant", "user", "system", "model", "tool")
_END_OF_HEADER = "<|end_header_id|>"
_TAIL = late_pattern(
    rf"(?:\s*(?:{'|'.join(map(re.escape, _ENDS))}))*"
    rf"(?:\s*(?:{'|'.join(map(re.escape, _STARTS))})(?:\s*(?:{'|'.join(_ROLES)}))?"
    rf"(?:\s*{re.escape(_END_OF_HEADER)})?)?\s*",
    re.IGNORECASE,
)
"""More tokens, and the head of another turn."""


_HEADS = ("assistant\n", "assistant\r\n", f"assistant{_END_OF_HEADER}", "model\n")
"""What stands behind a first token at the very beginning of an answer, if it is the head of the turn."""


def head_length(token: str, rest: str, *, ended: bool) -> int | None:
    """Return how much of `rest` belongs to the head of the turn that begins with `token`, before any text.

    Returns:
        None if more text is needed; 0 if it is no head.

    Example:
        >>> head_length("<|im_start|>", "assistant\\nHi", ended=False), head_length("<s>", "assistant", ended=True)
        (10, 0)
    """
    if token.lower() not in _STARTS:
        return 0
    start = rest.lower()
    if not ended and any(head.startswith(start) for head in _HEADS if head != start):
        return None
    return max((len(head) for head in _HEADS if start.startswith(head)), default=0)


class EndTokens:
    """Judges the tokens of one answer. One that speaks of such a token before its end keeps all of them."""

    def __init__(self) -> None:
        self._are_text = False

    def judge(self, token: str, rest: str, *, may_end: bool, ended: bool) -> Verdict:
        """Return whether `token` ends the answer (``"tag"``) or is text.

        Args:
            token: The token, as written.
            rest: What follows it so far.
            may_end: Whether what precedes it may be all of the answer.
            ended: Whether nothing comes after `rest`.

        Example:
            >>> tokens = EndTokens()
            >>> tokens.judge("<|im_end|>", " <|endoftext|>", may_end=True, ended=True)
            'tag'
        """
        if not may_end or self._are_text or token.lower() in _STARTS:
            self._are_text = True
            return "text"
        tail = _TAIL.match(rest)
        behind = rest[tail.end() :] if tail else rest
        if not behind and ended:
            return "tag"
        may_go_on = not ended and len(rest) < MAX_TAIL
        if may_go_on and (not behind or behind.lower() in _TOKEN_STARTS or _begins_header(behind)):
            return "undecided"
        self._are_text = True
        return "text"


def _begins_header(text: str) -> bool:
    return any(one.startswith(text.lower()) for one in (*_ROLES, _END_OF_HEADER))

"""A conversation as Markdown that is read anywhere, and in which nothing acts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from markdown_it.token import Token

from ..conversation.conversation import Conversation
from ..conversation.turn import Turn
from ..rendering.markdown import lowered, parse
from ..rendering.safe_markdown import neutralised, written
from ..rendering.safe_markdown.inline import literal
from .export_common import remarks, remarks_on_prompt, speaker, system_of, title_of


def text(conversation: Conversation) -> str:
    """Return `conversation` as Markdown: its name, and of every turn who said what."""
    blocks = [f"# {literal(title_of(conversation), heading=True)}"]
    if system := system_of(conversation):
        blocks += ["## System prompt", _part(system, 0)]
    for number, turn in enumerate(conversation.turns, 1):
        blocks += _turn(turn, number)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _turn(turn: Turn, number: int) -> list[str]:
    who = literal(speaker(turn), heading=True)
    asked = ["## You", _part(turn.prompt, 2 * number - 1), *_remarks(remarks_on_prompt(turn))]
    return [*asked, f"## {who}", _part(turn.reply, 2 * number), *_remarks(remarks(turn))]


def _remarks(said: Iterable[str]) -> list[str]:
    return [f"*{literal(remark)}*" for remark in said]


def _part(markdown: str, number: int) -> str:
    """One prompt or reply. Its headings stand below the page's own, and its notes have names of their own."""
    try:
        tokens = lowered(parse(markdown, {}), 2)
        _tell_apart(tokens, number)
        return written(tokens)
    except Exception:  # noqa: BLE001  # whatever is odd about it: it is never lost
        return neutralised(markdown)


def _tell_apart(tokens: Iterable[Token], number: int) -> None:
    for token in tokens:
        if "label" in token.meta:
            token.meta["label"] = f"{number}-{token.meta['label']}"
        _tell_apart(token.children or [], number)

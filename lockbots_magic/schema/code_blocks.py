"""Fenced code blocks of a reply. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ..security.control_characters import printable
from . import fences

PYTHON = {"python", "python3", "python2", "py", "py3", "ipython", "ipython3", "pycon", "python-repl", "sage", "jupyter"}
SHELL = {"bash", "sh", "zsh", "fish", "shell", "shell-session", "shellsession", "console", "terminal", "cmd", "bat"}
SHELL |= {"powershell", "ps1", "pwsh", "dos"}
OUTPUT = {"output", "out", "text", "txt", "plaintext", "plain", "result", "stdout", "log", "none", "traceback"}

HEADS = (2_000, 10_000)
"""Lengths (characters) of the beginnings that `has_code` searches before the whole."""

_LINE_END = re.compile("\r\n?")
_LANGUAGE = re.compile(r"[\w+#-]+")
_CELL_PROMPT = re.compile(r"\s*(?:In \[\d{1,6}\]|\.{3,}):(?: |$)")
"""Prompt of IPython: of a cell, and of its further lines."""
_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")


class CodeBlock(NamedTuple):
    """A fenced block of Markdown."""

    language: str
    """Lower case; empty if the fence names none."""
    text: str


def find_code_blocks(reply: str) -> list[CodeBlock]:
    """Return the non-empty fenced blocks of a reply, in order; an unclosed one extends to the end."""
    return [part for part in split_code_blocks(reply) if isinstance(part, CodeBlock)]


def split_code_blocks(reply: str) -> list[str | CodeBlock]:
    """Return a reply as its non-empty fenced blocks and the text between them, in order."""
    text = _LINE_END.sub("\n", reply)
    tokens: list[Token] = []
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    fences.install(markdown)
    markdown.block.parse(text, markdown, {}, tokens)  # inline markup can't hold a fence
    lines = text.split("\n")
    parts: list[str | CodeBlock] = []
    at = 0
    for token in tokens:
        if token.type == "fence" and token.content.strip():
            start, end = token.map or (at, at)
            parts += ["\n".join((*lines[at:start], "")), CodeBlock(_parse_language(token.info), token.content)]
            at = end
    return [*parts, "\n".join(lines[at:])]


def extract_code(reply: str) -> str | None:
    """Return the code of a reply's fenced blocks, or None if there is none.

    Joins all blocks of one language with blank lines. Python is preferred over other languages, any language over the
    shell, whose blocks usually install something. Blocks labelled as output or plain text are ignored. Prompts of an
    interactive session are removed.

    Args:
        reply: Markdown; may be cut off inside a block.
    """
    blocks = [block for block in find_code_blocks(reply) if block.language not in OUTPUT]
    languages = [block.language for block in blocks]
    if not languages:
        return None
    preferred = next((language for language in languages if language not in SHELL), languages[0])
    accepted = PYTHON if PYTHON.intersection(languages) else {preferred}
    code = [_remove_prompts(block.text) for block in blocks if block.language in accepted]
    return "\n\n".join(filter(None, code)) or None


def has_code(reply: str) -> bool:
    """Return whether a reply has code for `extract_code`: most that have any show some near the beginning."""
    if "```" not in reply and "~~~" not in reply:
        return False
    heads = (reply[: reply.rfind("\n", 0, length) + 1] for length in HEADS if length < len(reply))
    return any(extract_code(part) is not None for part in (*heads, reply))


def _parse_language(info: str) -> str:
    """Return ``python`` for ``python``, ``{.python}`` and ``python title="x"``."""
    match = _LANGUAGE.search(info)
    return match[0].lower() if match else ""


def _remove_prompts(text: str) -> str:
    """Return runnable code; of an interactive session, only the input."""
    text = printable(text)
    begin = text.lstrip()
    prompt = _PROMPT if begin.startswith(">>>") else _CELL_PROMPT if _CELL_PROMPT.match(begin) else None
    if prompt:
        text = "\n".join(prompt.sub("", line, count=1) for line in text.splitlines() if prompt.match(line))
    return text.strip("\n").rstrip()

"""The code of a reply. Pure."""

from __future__ import annotations

import re

from ..security.control_characters import printable
from .fences import blocks_of

PYTHON = {"python", "python3", "python2", "py", "py3", "ipython", "ipython3", "pycon", "python-repl", "sage", "jupyter"}
SHELL = {"bash", "sh", "zsh", "fish", "shell", "shell-session", "shellsession", "console", "terminal", "cmd", "bat"}
SHELL |= {"powershell", "ps1", "pwsh", "dos"}
OUTPUT = {"output", "out", "text", "txt", "plaintext", "plain", "result", "stdout", "log", "none", "traceback"}

_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?: |$)")


def code_of(reply: str) -> str | None:
    """Return the code of a reply's fenced blocks, None if it has none.

    All blocks of one language are joined, by a blank line. Python goes before everything else: where there is a block
    of it, the others show how to install and what is printed. Without one, it is the language of the first block,
    of none rather than of the shell. Blocks that are called output or plain text are no code.

    Args:
        reply: Markdown, perhaps cut off in the middle of a block.
    """
    blocks = [block for block in blocks_of(reply) if block.language not in OUTPUT]
    languages = [block.language for block in blocks]
    if not languages:
        return None
    known = next((one for one in languages if one not in SHELL), languages[0])
    wanted = PYTHON if PYTHON.intersection(languages) else {known}
    code = [_without_prompts(block.text) for block in blocks if block.language in wanted]
    return "\n\n".join(filter(None, code)) or None


def _without_prompts(text: str) -> str:
    """A block as it can be run; of a session at the prompt, what was typed."""
    text = printable(text)
    if text.lstrip().startswith(">>>"):
        typed = (line for line in text.splitlines() if _PROMPT.match(line))
        text = "\n".join(_PROMPT.sub("", line, count=1) for line in typed)
    return text.strip("\n").rstrip()

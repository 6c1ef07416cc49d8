"""Turns as `%%chat` cells that send the same prompt with the same options. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..conversation.foreign import is_sendable_image
from ..conversation.turn import Turn
from ..language import _, ngettext
from ..prompt.magic_line import format_assignment, is_one_line, parse_literal, quote_word
from .export_common import most_common

# Prompts of IPython and Python, which IPython removes at the beginning of a line.
_PROMPT = re.compile(r"\s*(>>>|\.\.\.|(\[(nav|ins)\]\s*)?In\s*\[)")


@dataclass(frozen=True)
class NotebookDefaults:
    """Settings that the cells of one notebook share."""

    model: str = ""
    """As for `%lockbots use`; ``""`` leaves the session's model."""
    system: str = ""
    """System prompt."""

    @classmethod
    def from_turns(cls, turns: Sequence[Turn], providers: Iterable[str]) -> NotebookDefaults:
        """Return the most common settings of `turns`.

        Args:
            turns: The turns of the notebook.
            providers: Names of the known providers.
        """
        return cls(most_common(model_option(t, providers) for t in turns), most_common(t.system for t in turns))

    def cells(self) -> list[str]:
        """Return the sources of the first cells, which apply the settings."""
        use = [f"%lockbots use {quote_word(self.model)}"] if self.model else []
        system = [f"%lockbots set system {_literal(_escape_persona(self.system))}"] if self.system else []
        return ["\n".join(["%load_ext lockbots_magic", *use]), *system]


def remarks_on(turns: Iterable[Turn]) -> Iterator[str]:
    """Yield what the cells of `turns` lack, one line each."""
    turns = list(turns)
    if called := sum(bool(turn.calls) for turn in turns):
        yield ngettext(
            "{n} turn with tool calls: the cells call no tools when they run; add `--tools`.",
            "{n} turns with tool calls: the cells call no tools when they run; add `--tools`.",
            called,
        )
    if lost := sum(not is_sendable_image(url) for turn in turns for url in turn.images):
        yield ngettext(
            "{n} image left out of the cells: no http(s) or data:image address.",
            "{n} images left out of the cells: no http(s) or data:image address.",
            lost,
        )
    if lost := sum(len(turn.documents) for turn in turns):
        yield ngettext(
            "{n} document left out of the cells: name the files by `--file`.",
            "{n} documents left out of the cells: name the files by `--file`.",
            lost,
        )


def model_option(turn: Turn, providers: Iterable[str]) -> str:
    """Return the model of `turn` as for `-m`; ``""`` if its provider is unknown."""
    name = f"{turn.provider}:{turn.model}" if turn.model else turn.provider
    known = turn.provider in providers
    return name if known and name == name.strip() and name.isprintable() else ""


def cell_source(turn: Turn, defaults: NotebookDefaults, providers: Iterable[str]) -> str:
    """Return the source of a cell that sends the prompt of `turn` again.

    The source is Python if the turn doesn't fit into a magic: if an option has several lines, or IPython would change
    the prompt.

    Raises:
        UsageError: If a parameter of the turn can't be written as an option; the message names it.
    """
    if not turn.prompt.strip():
        return _("# This turn has no prompt, so there is nothing to send.")
    line = " ".join(_options(turn, defaults, providers))
    if is_one_line(line) and _survives_ipython(turn.prompt):
        return f"%%chat {line}".rstrip() + f"\n{turn.prompt}"
    return f'get_ipython().run_cell_magic("chat", {line!r}, {turn.prompt!r})'


def _survives_ipython(prompt: str) -> bool:
    """Return whether a prompt in a cell arrives unchanged, but for line feeds around it.

    IPython empties lines of nothing but white space, and turns line ends of Windows into newlines.
    """
    return (
        "\r" not in prompt
        and all(line.strip() or not line for line in prompt.split("\n"))
        and not any(map(_PROMPT.match, prompt.splitlines()))
    )


def _options(turn: Turn, defaults: NotebookDefaults, providers: Iterable[str]) -> Iterator[str]:
    model = model_option(turn, providers)
    if model not in ("", defaults.model):
        yield f"-m {quote_word(model)}"
    if "{{" in turn.prompt:
        yield "--raw"
    for url in filter(is_sendable_image, turn.images):  # anything else would name a file or a variable of the reader
        yield f"--image {quote_word(url)}"
    params = dict(turn.params)
    if _is_number(params.get("temperature")):
        yield f"-t {float(params.pop('temperature'))!r}"
    if turn.system != defaults.system:
        yield f"-s {quote_word(_escape_persona(turn.system))}"
    for name, value in params.items():
        yield f"-p {quote_word(format_assignment(name, value))}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _escape_persona(system: str) -> str:
    """Double a leading at sign, which would name a persona."""
    return f"@{system}" if system.startswith("@") else system


def _literal(text: str) -> str:
    """Return `text` as one word of a command that reads Python literals."""
    bare = text.isprintable() and not text.startswith("-") and parse_literal(text) == text
    return quote_word(text if bare else repr(text))

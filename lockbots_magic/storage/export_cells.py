"""Turns as cells that ask them again: `%%chat`, its options and the prompt. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..conversation.turn import Turn
from ..prompt.magic_line import format_assignment, is_one_line, parse_literal, quote_word
from .export_common import counted, is_image, most_common

# What IPython takes for a prompt of its own, or of Python's, and takes away wherever it begins a line of a cell.
_PROMPT = re.compile(r"\s*(>>>|\.\.\.|(\[(nav|ins)\]\s*)?In\s*\[)")


@dataclass(frozen=True)
class Setting:
    """What the cells of one notebook have in common."""

    model: str = ""
    """As `%lockbots use` takes it; ``""`` leaves the session's own."""
    system: str = ""
    """The system prompt."""

    @classmethod
    def of(cls, turns: Sequence[Turn], providers: Iterable[str]) -> Setting:
        """Return what most of `turns` have in common.

        Args:
            turns: those of the notebook.
            providers: the names of those that `%lockbots use` knows.
        """
        return cls(most_common(model_of(t, providers) for t in turns), most_common(t.system for t in turns))

    def cells(self) -> list[str]:
        """Return the sources of the cells that come first."""
        use = [f"%lockbots use {quote_word(self.model)}"] if self.model else []
        system = [f"%lockbots set system {_literal(_as_it_is(self.system))}"] if self.system else []
        return ["\n".join(["%load_ext lockbots_magic", *use]), *system]


def remarks_on(turns: Iterable[Turn]) -> Iterator[str]:
    """Yield what the reader should know of the cells of `turns`, a line each."""
    turns = list(turns)
    if called := sum(bool(turn.calls) for turn in turns):
        yield f"{counted(called, 'turn')} with functions called: run again, the cell calls none; give it --tools"
    if lost := sum(not is_image(url) for turn in turns for url in turn.images):
        yield f"{counted(lost, 'image')} left out of the cells: no http or data:image address"


def model_of(turn: Turn, providers: Iterable[str]) -> str:
    """Return the model of `turn` as `-m` takes it; ``""`` if that would find none."""
    name = f"{turn.provider}:{turn.model}" if turn.model else turn.provider
    known = turn.provider in providers
    return name if known and name == name.strip() and name.isprintable() else ""


def cell(turn: Turn, setting: Setting, providers: Iterable[str]) -> str:
    """Return the source of a cell that asks `turn` again.

    It is Python where the turn does not fit into a magic: where an option has several lines, or IPython would take a
    part of the prompt for something else.

    Raises:
        UsageError: a parameter of the turn has no form that can be typed; it names the parameter.
    """
    if not turn.prompt.strip():
        return "# This turn has no prompt, so there is nothing to ask."
    line = " ".join(_options(turn, setting, providers))
    if is_one_line(line) and _arrives(turn.prompt):
        return f"%%chat {line}".rstrip() + f"\n{turn.prompt}"
    return f'get_ipython().run_cell_magic("chat", {line!r}, {turn.prompt!r})'


def _arrives(prompt: str) -> bool:
    """Whether `prompt` arrives as it is when it stands in a cell; line feeds around it do not count.

    IPython empties lines of nothing but white space.
    """
    return all(line.strip() or not line for line in prompt.split("\n")) and not any(
        map(_PROMPT.match, prompt.splitlines())
    )


def _options(turn: Turn, setting: Setting, providers: Iterable[str]) -> Iterator[str]:
    model = model_of(turn, providers)
    if model not in ("", setting.model):
        yield f"-m {quote_word(model)}"
    if "{{" in turn.prompt:
        yield "--raw"
    for url in filter(is_image, turn.images):  # any other word would be a file or a variable of whoever runs the cell
        yield f"--image {quote_word(url)}"
    params = dict(turn.params)
    if _is_number(params.get("temperature")):
        yield f"-t {float(params.pop('temperature'))!r}"
    if turn.system != setting.system:
        yield f"-s {quote_word(_as_it_is(turn.system))}"
    for name, value in params.items():
        yield f"-p {quote_word(format_assignment(name, value))}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _as_it_is(system: str) -> str:
    """Write a system prompt where one that begins with an at sign would be a persona, perhaps in a file."""
    return f"@{system}" if system.startswith("@") else system


def _literal(text: str) -> str:
    """Write `text` as one word of a command that reads literals."""
    bare = text.isprintable() and not text.startswith("-") and parse_literal(text) == text
    return quote_word(text if bare else repr(text))

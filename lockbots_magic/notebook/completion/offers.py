"""What completes a line of `%chat`, `%%chat` or `%lockbots`, and `{{ }}` in a prompt. Pure over `Knowledge`."""

from __future__ import annotations

import re
from argparse import Action, ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, Protocol

from ...prompt.option_syntax import is_one_line, quoted
from ...security.control_characters import printable
from .slots import Slot, Text, slot

MOST = 500
"""Offers at once; IPython shows no more."""
LONGEST = 300
"""Characters of an offer."""

_LINE = re.compile(r"\s*%(chat|lockbots)[ \t]")


class Offer(NamedTuple):
    """One completion."""

    text: str
    kind: str = ""
    """A word for what it is; front ends show it beside the text."""


@dataclass(frozen=True)
class Offers:
    """All completions for one place. None at all is an answer too: nobody else has any either."""

    start: int
    """Where in the cell what they replace begins; it ends at the cursor."""
    offers: tuple[Offer, ...] = ()


class Knowledge(Protocol):
    """What is known without asking anybody outside this kernel."""

    def parser(self, command: str | None = None) -> ArgumentParser | None:
        """The options of a command of `%lockbots`, of `%%chat` without one; None if there is no such command."""

    def takes_prompt(self, command: str) -> bool:
        """Whether a command of `%lockbots` takes a prompt, behind a `--`."""

    def names(self, kind: str) -> Iterable[str]:
        """Names of a kind: command, provider, conversation, variable, function, persona, setting or topic."""

    def models(self, provider: str, address: str | None) -> Iterable[str]:
        """The models of a provider, at another base URL than its own perhaps."""

    def addresses(self, provider: str) -> Iterable[str]:
        """Base URLs where a provider is known to find models."""

    def parameters(self, model: str | None) -> Iterable[str]:
        """What `-p` sets for a model, `provider:model`, the one in use by default."""

    def values(self, setting: str) -> Iterable[str]:
        """The values that a setting can have, where they can be listed."""

    def paths(self, typed: str) -> Iterable[str]:
        """Files and folders whose path begins as typed; a folder ends with a slash."""

    def expressions(self, code: str) -> tuple[int, Iterable[Offer]]:
        """What completes Python code at its end, and where in it that begins."""


def completions(before: str, knowledge: Knowledge) -> Offers | None:
    """Return what completes a cell.

    Args:
        before: the cell's text up to the cursor.
        knowledge: of names, models and the notebook.

    Returns:
        The offers; None where the text is none of ours, so that others may have some.
    """
    begin = len(before) - len(before.lstrip())
    if re.match(r"%%chat\s", before[begin:]):
        at = begin + len("%%chat")
        options, newline, body = before[at:].partition("\n")
        if newline:
            return _in_cell(before, len(before) - len(body), options, knowledge)
        return _on_first_line(before, at, knowledge)
    line = before.rpartition("\n")[2]
    match = _LINE.match(line)
    if match is None:
        return None
    at = len(before) - len(line) + match.end()
    return (_on_chat_line if match[1] == "chat" else _on_lockbots_line)(before, at, knowledge)


def _on_first_line(before: str, at: int, knowledge: Knowledge) -> Offers:
    """Of `%%chat`: options only."""
    place = _placed(before[at:], knowledge)
    return _filled(place, at, None, knowledge) if isinstance(place, Slot) else Offers(len(before))


def _in_cell(before: str, begin: int, options: str, knowledge: Knowledge) -> Offers:
    """Below the first line of `%%chat`: the prompt."""
    place = _placed(f"{options} ", knowledge)
    return _in_prompt(before, begin, place.given if place else {}, knowledge)


def _on_chat_line(before: str, at: int, knowledge: Knowledge) -> Offers:
    """Of `%chat`: options, then the prompt."""
    return _at(_placed(before[at:], knowledge), before, at, None, knowledge)


def _on_lockbots_line(before: str, at: int, knowledge: Knowledge) -> Offers:
    """Of `%lockbots`: a command, then its options."""
    line = before[at:]
    command, space, _ = line.lstrip().partition(" ")
    at += len(line) - len(line.lstrip())
    if not space:
        return _offers(Slot(0, command), at, (Offer(name, "command") for name in knowledge.names("command")))
    at += len(command)
    return _at(_placed(before[at:], knowledge, command), before, at, command, knowledge)


def _placed(line: str, knowledge: Knowledge, command: str | None = None) -> Slot | Text | None:
    """Where in a line its end is; None where there is no such command."""
    parser = knowledge.parser(command)
    if parser is None:
        return None
    return slot(parser, line, leading=command is None, dashed=command is not None and knowledge.takes_prompt(command))


def _at(place: Slot | Text | None, before: str, at: int, command: str | None, knowledge: Knowledge) -> Offers:
    """The offers for a place of a line that begins at `at` in the cell."""
    if place is None:
        return Offers(len(before))
    if isinstance(place, Text):
        return _in_prompt(before, at + place.start, place.given, knowledge)
    return _filled(place, at, command, knowledge)


def _in_prompt(before: str, begin: int, given: Mapping[str, list[str]], knowledge: Knowledge) -> Offers:
    """Python between braces, unless an option makes them text like any other; prose is not code."""
    code = _expression(before[begin:])
    if code is None or "raw" in given:
        return Offers(len(before))
    start, offers = knowledge.expressions(code)
    return Offers(len(before) - len(code) + start, tuple(islice((one for one in offers if _is_plain(one.text)), MOST)))


def _expression(prompt: str) -> str | None:
    """The expression between `{{` and the end of `prompt`; None where none is open."""
    _, opened, code = prompt.rpartition("{{")
    return code.lstrip() if opened and "}}" not in code else None


def _filled(place: Slot, at: int, command: str | None, knowledge: Knowledge) -> Offers:
    """The offers for the slot of a line that begins at `at` in the cell."""
    source = _source_of(place.action, command) if place.action else None
    values = source(place, knowledge) if source else ()
    return _offers(place, at, values, _flags(place))


def _flags(place: Slot) -> Iterator[Offer]:
    """Options: all their spellings behind a dash, the longest before it. Help is there for whoever looks for it."""
    if place.quote:
        return
    for action in place.flags:
        spelt = action.option_strings if place.typed == "-" else action.option_strings[-1:]
        if place.typed or action.dest != "help":
            yield from (Offer(text, "option") for text in spelt)


def _offers(place: Slot, at: int, values: Iterable[Offer], flags: Iterable[Offer] = ()) -> Offers:
    """Those that go on as typed, as they are written on a line."""
    typed = place.typed.lower()
    fitting = (
        Offer(_written(text, kind, place.quote), kind)
        for text, kind in values
        if text.lower().startswith(typed) and _fits(text)
    )
    options = (flag for flag in flags if flag.text.startswith(typed))
    both = dict.fromkeys((*islice(fitting, MOST), *options))
    return Offers(at + place.start, tuple(both))


def _fits(text: str) -> bool:
    """Whether a name, which may be anybody's, can stand in a line and mean nothing but itself."""
    return _is_plain(text) and not text.startswith("-")


def _is_plain(text: str) -> bool:
    """Whether a text, which may be anybody's, is what it looks like."""
    return bool(text) and is_one_line(text) and printable(text) == text and len(text) <= LONGEST


def _written(text: str, kind: str, quote: str) -> str:
    """`text` as one word of a line, in the quote it was begun with. A folder's is left open: more will come."""
    inner = re.sub(rf"[\\{quote}]", r"\\\g<0>", text)
    written = f"{quote}{inner}{quote}" if quote else quoted(text)
    return written[:-1] if kind == "path" and text.endswith("/") and written != text else written


# Where values come from

Source = Callable[[Slot, Knowledge], Iterable[Offer]]


def _named(kind: str) -> Source:
    return lambda _, knowledge: (Offer(name, kind) for name in knowledge.names(kind))


def _models(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    provider, colon, _ = place.typed.partition(":")
    if not colon:
        return (Offer(f"{name}:", "provider") for name in knowledge.names("provider"))
    address = next(iter(place.given.get("base_url", ())), None)
    return (Offer(f"{provider}:{model}", "model") for model in knowledge.models(provider, address))


def _paths(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    return (Offer(path, "path") for path in knowledge.paths(place.typed))


def _images(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    yield from (Offer(name, "variable") for name in knowledge.names("variable"))
    yield from _paths(place, knowledge)


def _functions(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    """The last of those that commas part; none a second time."""
    before, comma, _ = place.typed.rpartition(",")
    named = before.split(",")
    return (Offer(before + comma + name, "function") for name in knowledge.names("function") if name not in named)


def _personas(_: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    """Behind a space in the name, its parameters would begin."""
    return (Offer(f"@{name}", "persona") for name in knowledge.names("persona") if name.split() == [name])


def _addresses(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    model = next(iter(place.given.get("model", ())), "")
    return (Offer(address, "address") for address in knowledge.addresses(model.partition(":")[0]))


def _parameters(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    model = next(iter(place.given.get("model", ())), None)
    return (Offer(f"{name}=", "parameter") for name in knowledge.parameters(model))


def _settings_value(place: Slot, knowledge: Knowledge) -> Iterable[Offer]:
    (name,) = place.given["name"][:1]
    return _models(place, knowledge) if name == "model" else (Offer(value, "value") for value in knowledge.values(name))


def _choices(place: Slot, _: Knowledge) -> Iterable[Offer]:
    choices = place.action.choices if place.action else None
    return (Offer(str(choice), "choice") for choice in choices or ())


def _nothing(_: Slot, __: Knowledge) -> Iterable[Offer]:
    return ()


_OF_COMMAND: Mapping[tuple[str | None, str], Source] = MappingProxyType(
    {
        ("new", "name"): _nothing,  # a name of one's own
        ("fork", "name"): _nothing,
        ("set", "name"): _named("setting"),
        ("set", "value"): _settings_value,
        ("help", "topic"): _named("topic"),
    }
)
_BY_DEST: Mapping[str, Source] = MappingProxyType(
    {
        "model": _models,
        "models": _models,
        "provider": _named("provider"),
        "name": _named("conversation"),
        "conversation": _named("conversation"),
        "file": _paths,
        "notebook": _paths,
        "image": _images,
        "system": _personas,
        "schema": _named("variable"),
        "tools": _functions,
    }
)
_BY_METAVAR: Mapping[str, Source] = MappingProxyType(
    {
        "PROVIDER:MODEL": _models,
        "MODEL": _models,
        "PROVIDER": _named("provider"),
        "NAME": _named("conversation"),
        "VAR": _named("variable"),
        "FILE": _paths,
        "PATH": _paths,
        "IMAGE": _images,
        "FUNCTIONS": _functions,
        "URL": _addresses,
        "NAME=VALUE": _parameters,
    }
)


def _source_of(action: Action, command: str | None) -> Source | None:
    """Where the values of an option or argument come from: by its choices, its name, what help calls its value."""
    if action.choices is not None:
        return _choices
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    return _OF_COMMAND.get((command, action.dest)) or _BY_DEST.get(action.dest) or _BY_METAVAR.get(metavar)

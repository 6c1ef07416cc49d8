"""Personas, `--system @NAME`: system prompts from the configuration or from files, with parameters."""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..language import _
from .files import read_text
from .local_files import find_file
from .magic_line import parse_assignments, split_words
from .template import Expression, expand_template, split_template
from .text import to_one_line

SUFFIXES = (".md", ".txt")

_NAME = re.compile(r"\w[\w. -]*")


def resolve_persona(
    reference: str, config: Mapping[str, str], folders: Sequence[Path], evaluate: Callable[[str], Any]
) -> str:
    """Return the system prompt of a persona.

    Args:
        reference: `@name key=value key2="two words"`. A name that contains a slash or starts with `~` is the path of a
            file.
        config: Personas by name; they override files.
        folders: Folders to search for NAME.md and NAME.txt, in this order.
        evaluate: Returns the value of an expression of the notebook; parameters override its variables.

    Raises:
        UsageError: The persona is unknown, or a parameter is missing, unknown or invalid; the message lists the
            personas, or says how to pass the parameter.
    """
    name, *pairs = split_words(reference) or [""]
    name = name.removeprefix("@")
    parameters = _parse_parameters(pairs)
    text = _find_text(name, config, folders)
    try:
        used = _mentioned_names(text)
        if unknown := [key for key in parameters if key not in used]:
            raise UsageError(_("Unknown parameter: it contains no {{{{ {unknown} }}}}.", unknown=unknown[0]))
        part = expand_template(text, _bind_parameters(parameters, evaluate))
    except UsageError as error:
        raise UsageError(
            _("Persona @{name}: {fault}", name=to_one_line(name), fault=_advise(error, name, text) or error)
        ) from error
    if part.images:
        raise UsageError(_("Persona @{name}: a system prompt cannot contain images.", name=to_one_line(name)))
    return part.text.strip()


def list_personas(config: Mapping[str, str], folders: Sequence[Path]) -> list[str]:
    """Return the names of all personas, sorted."""
    found = {path.stem for folder in folders for path in _persona_files(folder)}
    return sorted({*config, *found})


def _persona_files(folder: Path) -> Iterator[Path]:
    with suppress(OSError):  # missing, or no permission
        yield from (path for path in folder.iterdir() if path.suffix in SUFFIXES and _NAME.fullmatch(path.stem))


def _find_text(name: str, config: Mapping[str, str], folders: Sequence[Path]) -> str:
    if "/" in name or "\\" in name or name.startswith("~"):
        return read_text(find_file(name, _("`--system` takes @NAME or @FOLDER/FILE.md.")))
    if name in config:
        return str(config[name])
    if _NAME.fullmatch(name):
        for path in (folder / f"{name}{suffix}" for folder in folders for suffix in SUFFIXES):
            if path.exists():
                return read_text(path)
    existing = list_personas(config, folders)
    near = difflib.get_close_matches(name, existing, n=1)
    if near:
        hint = _("Did you mean @{near}?", near=near[0])
    elif existing:
        hint = _("Available: {names}.", names=", ".join(f"@{one}" for one in existing))
    else:
        hint = _("Save one as personas/NAME.md beside the notebook.")
    raise UsageError(_("Unknown persona @{name}. {hint}", name=to_one_line(name), hint=to_one_line(hint, 300)))


def _parse_parameters(pairs: Sequence[str]) -> dict[str, Any]:
    for pair in pairs:
        key = pair.partition("=")[0].strip().replace("-", "_")
        if "=" not in pair or not key.isidentifier() or keyword.iskeyword(key):
            raise UsageError(
                _("Invalid persona parameter: expected name=value, got {pair!r}.", pair=to_one_line(pair, 40))
            )
    return parse_assignments(pairs)


def _mentioned_names(text: str) -> set[str]:
    """Return the names in the expressions of `text`."""
    trees = (ast.parse(piece.source, mode="eval") for piece in split_template(text) if isinstance(piece, Expression))
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _bind_parameters(parameters: Mapping[str, Any], evaluate: Callable[[str], Any]) -> Callable[[str], Any]:
    """Evaluate with parameters: like those of a function, they hide variables of the same name."""
    if not parameters:
        return evaluate
    return lambda expression: evaluate(f"lambda {', '.join(parameters)}: (\n{expression}\n)")(**parameters)


def _advise(error: UsageError, name: str, text: str) -> str:
    """Say how to pass the parameter whose absence caused `error`; empty for other errors."""
    missing = getattr(error.__cause__, "name", None) if isinstance(error.__cause__, NameError) else None
    if missing is None or missing not in _mentioned_names(text):
        return ""
    return _(
        'Missing parameter {missing}. Pass it: `--system "@{name} {missing}=..."`',
        missing=missing,
        name=to_one_line(name),
    )

"""`--system @name`: system prompts kept in the configuration or in files, with parameters of their own."""

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
from .files import text_of
from .magic_line import parse_assignments, split_words
from .paths import file_of
from .template import Expression, expanded, pieces
from .text import one_line

SUFFIXES = (".md", ".txt")

_NAME = re.compile(r"\w[\w. -]*")


def persona(reference: str, config: Mapping[str, str], folders: Sequence[Path], evaluate: Callable[[str], Any]) -> str:
    """Return the system prompt that `reference` names.

    Args:
        reference: `@name key=value key2="two words"`. A name with a slash, or one that begins with `~`, is the path of
            a file.
        config: name -> text; they go before files.
        folders: where NAME.md and NAME.txt are looked for, in this order.
        evaluate: returns the value of an expression of the notebook; the keys go before its variables.

    Raises:
        UsageError: there is no such persona, or a parameter of it is missing, unknown or wrong; the message says what
            there is, or how to give it.
    """
    name, *pairs = split_words(reference) or [""]
    name = name.removeprefix("@")
    given = _given(pairs, reference)
    text = _text(name, config, folders)
    try:
        used = _names(text)
        if unknown := [key for key in given if key not in used]:
            raise UsageError(f"nothing in it is called {{{{ {unknown[0]} }}}}")
        material = expanded(text, _within(given, evaluate))
    except UsageError as error:
        raise UsageError(f"the persona @{one_line(name)}: {_advice(error, name, text) or error}") from error
    if material.images:
        raise UsageError(f"the persona @{one_line(name)}: a system prompt takes no pictures")
    return material.text.strip()


def names(config: Mapping[str, str], folders: Sequence[Path]) -> list[str]:
    """Return the names of all personas, sorted."""
    found = {path.stem for folder in folders for path in _files(folder)}
    return sorted({*config, *found})


def _files(folder: Path) -> Iterator[Path]:
    with suppress(OSError):  # it is not there, or not for us
        yield from (path for path in folder.iterdir() if path.suffix in SUFFIXES and _NAME.fullmatch(path.stem))


def _text(name: str, config: Mapping[str, str], folders: Sequence[Path]) -> str:
    if "/" in name or "\\" in name or name.startswith("~"):
        return text_of(file_of(name, "--system takes @NAME or @FOLDER/FILE.md"))
    if name in config:
        return str(config[name])
    if _NAME.fullmatch(name):
        for path in (folder / f"{name}{suffix}" for folder in folders for suffix in SUFFIXES):
            if path.is_file():
                return text_of(path)
    there = names(config, folders)
    near = difflib.get_close_matches(name, there, n=1)
    if near:
        hint = f"did you mean @{near[0]}?"
    elif there:
        hint = f"there are {', '.join(f'@{one}' for one in there)}"
    else:
        hint = "put one into personas/NAME.md beside the notebook"
    raise UsageError(f"there is no persona @{one_line(name)}; {one_line(hint, 300)}")


def _given(pairs: Sequence[str], reference: str) -> dict[str, Any]:
    for pair in pairs:
        key = pair.partition("=")[0].strip().replace("-", "_")
        if "=" not in pair or not key.isidentifier() or keyword.iskeyword(key):
            raise UsageError(f"behind @NAME come parameters as name=value, not {one_line(pair, 40)!r}")
    return parse_assignments(pairs)


def _names(text: str) -> set[str]:
    """The names that the expressions in `text` mention."""
    trees = (ast.parse(piece.source, mode="eval") for piece in pieces(text) if isinstance(piece, Expression))
    return {node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _within(given: Mapping[str, Any], evaluate: Callable[[str], Any]) -> Callable[[str], Any]:
    """Evaluate with the parameters `given`: as those of a function, they hide variables of the same name."""
    if not given:
        return evaluate
    return lambda expression: evaluate(f"lambda {', '.join(given)}: (\n{expression}\n)")(**given)


def _advice(error: UsageError, name: str, text: str) -> str:
    """How to give the parameter for want of which `error` came; empty if it came for another reason."""
    missing = getattr(error.__cause__, "name", None) if isinstance(error.__cause__, NameError) else None
    if missing is None or missing not in _names(text):
        return ""
    return f'it needs {missing}: --system "@{one_line(name)} {missing}=..."'

"""Looks for credentials in files that are about to be published: notebooks, cassettes, and other text."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..language import N_, _
from .control_characters import printable
from .redaction import secrets_shown
from .secret_shapes import describe_finding, find_secrets
from .secrets_in_use import secrets_in_use

MAX_FILE = 200_000_000
"""Largest file (bytes) that is checked."""
MAX_DEPTH = 100
"""Levels of lists and objects in JSON; what is nested deeper is checked as it is written."""

SEVERAL_LINES = N_("several lines")
"""Place of what is longer than a line."""

_DATA = re.compile(r"data:[\w/+.;=-]{1,100},[A-Za-z0-9+/=]+")
"""Embedded data, in whose letters anything may occur by accident."""
_BINARY = ("image/", "application/pdf", "application/octet-stream", "audio/", "video/")


class CheckError(Exception):
    """A file can't be checked; the message names it."""


def check_file(name: str) -> list[tuple[str, str]]:
    """Return what looks like a credential in a file: where, and what.

    A notebook is checked by its cells and a file of JSON Lines by its lines, the texts in them as they were before they
    became JSON. Credentials in use, those of the environment among them, are found in any form.

    Args:
        name: Path of the file.

    Returns:
        Places, such as ``"cell 3"`` or ``"line 7"``, each with the kind of what was found there; each pair once.

    Raises:
        CheckError: The file can't be read, is not a regular file, or is too large.
    """
    text = _read(name)
    found: dict[tuple[str, str], None] = {}
    for where, piece in _pieces(name, text):
        cleaned = _DATA.sub("", piece)
        for one in find_secrets(cleaned):
            if where != SEVERAL_LINES or "\n" in cleaned[one.start : one.end]:  # else it is found in its line
                found[where, describe_finding(one)] = None
        if where != SEVERAL_LINES and secrets_shown(piece, secrets_in_use()):
            found[where, _("a credential in use")] = None
    return [(_(where) if where == SEVERAL_LINES else where, kind) for where, kind in found]


def _read(name: str) -> str:
    shown = printable(name)
    try:
        if not stat.S_ISREG(os.stat(name).st_mode):  # noqa: PTH116  # the name as it was given
            raise CheckError(_("{shown}: not a regular file", shown=shown))
        with Path(name).open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise CheckError(_("{shown}: {error}", shown=shown, error=getattr(error, "strerror", None) or error)) from None
    if len(content) > MAX_FILE:
        raise CheckError(_("{shown}: larger than {megabytes} MB", shown=shown, megabytes=MAX_FILE // 1000000))
    return content.decode("utf-8", "replace")


def _pieces(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a file, each with its place."""
    value = _parse(text)
    cells = value.get("cells") if isinstance(value, Mapping) else None
    if isinstance(cells, list):
        for number, cell in enumerate(cells, 1):
            yield _("cell {number}", number=number), "\n".join(_texts(cell))
        yield _("metadata"), "\n".join(_texts({key: one for key, one in value.items() if key != "cells"}))
    elif value is not None:
        yield "JSON", "\n".join(_texts(value))
    else:
        yield from _lines(text, is_json=name.endswith((".jsonl", ".ndjson")))


def _lines(text: str, *, is_json: bool) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        value = _parse(line) if is_json else None
        yield _("line {number}", number=number), line if value is None else "\n".join(_texts(value))
    if not is_json:
        yield SEVERAL_LINES, text  # a private key has many


def _parse(text: str) -> Any:
    """Return a JSON list or object; None for any other text."""
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _texts(value: Any, name: str = "", depth: int = 0) -> Iterator[str]:
    """Yield the texts in a JSON value; one under a name is written like an assignment, which shows what it is."""
    if depth > MAX_DEPTH:
        yield json.dumps(value)[:MAX_FILE]
    elif isinstance(value, str):
        yield value
        if name:
            yield f'{name}="{value}"'
    elif isinstance(value, Mapping):
        for key, one in value.items():
            if not key.startswith(_BINARY):
                yield from _texts(one, key, depth + 1)
    elif isinstance(value, list):
        if value and all(isinstance(one, str) for one in value):
            yield "".join(value)  # notebooks cut a text into its lines
        else:
            for one in value:
                yield from _texts(one, "", depth + 1)

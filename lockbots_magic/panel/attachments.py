"""Files, pictures and variables that a prompt of the panel takes with it."""

from __future__ import annotations

import base64
import binascii
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..prompt.files import Chooser, as_text, file_part
from ..prompt.images import check_total_size, image_part
from ..prompt.part import PromptPart
from ..prompt.template import expand_template, make_evaluator
from ..security.control_characters import printable
from ..security.pictures import picture_kind
from .i18n import RefusedError

MAX_FILES = 8
MAX_BYTES = 7_000_000
"""Bytes of the files of one prompt; Jupyter's server takes messages of 10 MB, and base64 is a third longer."""
MAX_NAME = 100
"""Length (characters) to which the name of a file is cut."""
MAX_VARIABLES = 8

_MENTION = re.compile(r"(?<![\w@.])@([^\W\d]\w*)(?![\w@])")
_HIDDEN = frozenset({"In", "Out", "exit", "quit", "get_ipython", "open"})


def attach(prompt: str, files: Sequence[Any], namespace: Mapping[str, Any], choose: Chooser = as_text) -> PromptPart:
    """Return a prompt with its files before it, and the values of the variables that it mentions behind it.

    Args:
        prompt: The prompt as typed; ``@name`` mentions a variable.
        files: Of each file its `name` and its `data`, base64.
        namespace: Variables that may be mentioned.
        choose: Says whether a document goes as the file, see `DocumentChooser.choose`.

    Raises:
        UsageError: A file is neither text, a document nor a picture, there is too much of it, or a value can't be sent.
    """
    parts = [_read(name, data, choose) for name, data in _decode(files)]
    urls = [url for part in parts for url in part.images]
    names = mentions(prompt, namespace)
    values = "".join(f"\n\n`{name}`:\n\n{{{{ {name} }}}}" for name in names)
    added = expand_template(values, make_evaluator(namespace), images_before=len(urls)) if names else PromptPart("")
    texts = [*(part.text for part in parts if part.text), prompt + added.text]
    notes = tuple(note for part in (*parts, added) for note in part.notes)
    documents = tuple(one for part in parts for one in part.documents)
    return PromptPart("\n\n".join(texts), check_total_size([*urls, *added.images]), notes, documents)


def mentions(prompt: str, namespace: Mapping[str, Any]) -> list[str]:
    """Return the variables that a prompt mentions, each once: ``@name`` of one that exists. Others stay text.

    Example:
        >>> mentions("Plot @df, ask @nobody and me@df.org", {"df": 1})
        ['df']
    """
    found = dict.fromkeys(_MENTION.findall(prompt))
    return [name for name in found if name in namespace and not name.startswith("_") and name not in _HIDDEN][
        :MAX_VARIABLES
    ]


def _decode(files: Sequence[Any]) -> list[tuple[str, bytes]]:
    if len(files) > MAX_FILES:
        raise RefusedError("attach_too_many", n=str(MAX_FILES))
    try:
        decoded = [(_file_name(str(one["name"])), base64.b64decode(one["data"], validate=True)) for one in files]
    except (TypeError, KeyError, binascii.Error, ValueError):
        raise RefusedError("attach_invalid") from None
    if sum(len(data) for _, data in decoded) > MAX_BYTES:
        raise RefusedError("attach_too_large", n=f"{MAX_BYTES / 1e6:.0f}")
    return decoded


def _file_name(text: str) -> str:
    """Return the name of a file without its folder, in characters that can stand in a path; `.env` keeps its dot."""
    name = re.split(r"[/\\]", printable(text))[-1]
    stem, dot, ending = "".join(c if c.isalnum() or c in " ._-()" else "_" for c in name).rpartition(".")
    return f"{stem[-MAX_NAME:]}{dot}{ending[:20]}".rstrip(" .").lstrip() or "file"


def _read(name: str, data: bytes, choose: Chooser) -> PromptPart:
    if picture_kind(data):
        return image_part(data).label_notes(name)
    with tempfile.TemporaryDirectory(prefix="lockbots-") as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        return file_part(path, choose)

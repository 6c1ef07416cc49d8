"""What a call of a server's tool, or a resource of it, gives the model."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ...security.foreign_text import quote_line
from ..tool_source import ToolOutput

MAX_LINE = 200
"""Length (characters) of what stands for a block that can't be sent."""

_IMAGE_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")


def read_result(content: Iterable[Any], structured: Any, *, is_error: bool) -> ToolOutput:
    """Return the result of a call.

    Args:
        content: Blocks of text, images, sound and resources, as `mcp_types` has them.
        structured: JSON value of the result, if it has one; blocks of text usually repeat it.
        is_error: Whether the tool says that it failed.
    """
    texts: list[str] = []
    images: list[str] = []
    for block in content:
        for kind, value in _read_block(block):
            (images if kind == "image" else texts).append(value)
    if structured is not None and not texts and not images:
        texts.append(json.dumps(structured, ensure_ascii=False))
    return ToolOutput("\n".join(texts), tuple(images), is_error)


def read_resource(contents: Iterable[Any]) -> ToolOutput:
    """Return the contents of a resource."""
    texts: list[str] = []
    images: list[str] = []
    for one in contents:
        for kind, value in _read_contents(one):
            (images if kind == "image" else texts).append(value)
    return ToolOutput("\n".join(texts), tuple(images))


def _read_block(block: Any) -> Iterator[tuple[str, str]]:
    kind = getattr(block, "type", "")
    if kind == "text":
        yield "text", block.text
    elif kind == "image":
        yield _read_data(block.data, block.mime_type)
    elif kind == "resource":
        yield from _read_contents(block.resource)
    elif kind == "resource_link":
        yield "text", _describe_link(block)
    else:
        yield "text", f"[{kind or 'something'} ({quote_line(str(getattr(block, 'mime_type', '')), 40)}) is left out]"


def _read_contents(contents: Any) -> Iterator[tuple[str, str]]:
    text = getattr(contents, "text", None)
    if isinstance(text, str):
        yield "text", text
    else:
        yield _read_data(contents.blob, contents.mime_type or "")


def _read_data(data: str, mime_type: str) -> tuple[str, str]:
    kind = mime_type.partition(";")[0].strip().lower()
    if kind in _IMAGE_TYPES and _BASE64.fullmatch(data):
        return "image", f"data:{kind};base64,{''.join(data.split())}"
    size = f"{len(data) * 3 // 4:,} bytes"
    return "text", f"[{quote_line(mime_type, 40) or 'data'}, {size}, left out: it can't be sent to a model]"


def _describe_link(block: Any) -> str:
    parts = (
        quote_line(str(part), MAX_LINE) for part in (block.title or block.name, block.uri, block.description or "")
    )
    return "[resource: " + " ".join(part for part in parts if part) + "]"

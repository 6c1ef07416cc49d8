"""Content blocks of a messages response, put together from their pieces, and what of them goes back. Pure.

Wire facts: the Anthropic API reference, "Messages" and "Streaming messages": a block begins whole but for what its
deltas add, and its `index` is its place in the content. "Thinking": blocks of type ``thinking`` and
``redacted_thinking`` return unchanged and in their order, signature included. Blocks of tools that the service runs
itself (``server_tool_use`` and their results) return likewise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...conversation.opaque_data import OpaqueData, is_shallow
from ...errors import ProtocolError
from ...language import _
from .json_text import parse_json
from .sse import MAX_EVENT

MAX_BLOCKS = 4096
"""Content blocks of one response."""
BLOCK, AFTER_TEXT, AFTER_CALLS = "content_block", "after_text", "after_calls"
"""Keys of opaque data: the block, and its place as the characters of text and the number of calls before it."""
OWN_TYPES = frozenset({"text", "tool_use"})
"""Types of blocks that a message of ours holds in its own fields; all others go back as they came."""
SENT_TYPES = OWN_TYPES | {"image", "document", "tool_result", "search_result", "container_upload"}
"""Types of blocks that only a request holds; in data that go back, somebody else has put them there."""

_FIELD_OF_DELTA = {
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}
"""Type of a delta -> its field, which is that of the block, too; but pieces of JSON become the `input`."""


class ReturnedBlocks:
    """Collects the blocks of one response that go back with the next request."""

    def __init__(self) -> None:
        self._open: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._size = 0
        self._count = 0

    def start(self, index: int, block: Mapping[str, Any]) -> None:
        """Begin the block at `index`.

        Raises:
            ProtocolError: There are too many blocks, or one is nested too deeply.
        """
        self._count += 1
        if self._count > MAX_BLOCKS or not is_shallow(block):
            raise ProtocolError(_("The response holds too many content blocks, or one is nested too deeply."))
        if str(block.get("type")) not in OWN_TYPES:
            self._open[index] = dict(block)

    def feed(self, index: int, delta: Mapping[str, Any]) -> bool:
        """Add a delta to the block at `index`; return whether that is one to return.

        Raises:
            ProtocolError: The blocks are too long.
        """
        if index not in self._open:
            return False
        kind = delta.get("type")
        name = _FIELD_OF_DELTA.get(kind, "") if isinstance(kind, str) else ""
        piece = delta.get(name)
        if isinstance(piece, str):
            self._size += len(piece)
            if self._size > MAX_EVENT:
                raise ProtocolError(_("The response holds content blocks that are too long."))
            self._pieces.setdefault((index, name), []).append(piece)
        return True

    def stop(self, index: int, *, text: int, calls: int) -> OpaqueData | None:
        """End the block at `index`, and return it as what goes back; None if there is none to return.

        Args:
            index: Place of the block in the content.
            text: Characters of text before it.
            calls: Tool calls before it.
        """
        block = self._open.pop(index, None)
        if block is None:
            return None
        for (at, name), pieces in list(self._pieces.items()):
            if at == index:
                del self._pieces[at, name]
                _lengthen(block, name, "".join(pieces))
        if block.get("type") == "thinking" and not block.get("signature"):
            return None  # cut short, or of a server that signs nothing: it would be refused
        return OpaqueData({BLOCK: block, AFTER_TEXT: text, AFTER_CALLS: calls})


def _lengthen(block: dict[str, Any], name: str, added: str) -> None:
    if name != "partial_json":
        begun = block.get(name)
        block[name] = (begun if isinstance(begun, str) else "") + added
    elif isinstance(value := parse_json(added), dict):
        block["input"] = value


def dump_input(value: Any) -> str:
    """Return the whole `input` of a ``tool_use`` block as JSON; empty if it is empty, as before its deltas.

    Raises:
        ProtocolError: It is nested too deeply.
    """
    if not isinstance(value, dict) or not value:
        return value if isinstance(value, str) else ""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        raise ProtocolError(_("The arguments of a tool call are nested too deeply.")) from None

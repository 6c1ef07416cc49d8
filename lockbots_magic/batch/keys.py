"""Identity of the requests of a batch: by it the journal finds an answer, whatever the order of the rows. No I/O."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from ..cassette.journal import KEY_LENGTH
from ..prompt.part import PromptPart


class RowKeys:
    """Makes the keys of prompts.

    Args:
        identity: What decides the answers besides the prompt; JSON.
    """

    def __init__(self, identity: Any) -> None:
        self._base = _digest(json.dumps(identity, sort_keys=True, default=repr, ensure_ascii=False).encode())

    def of(self, part: PromptPart) -> str:
        """Return the key of a prompt with its attachments, in hexadecimal digits."""
        text = part.text.encode("utf-8", "surrogatepass")
        images = b"".join(_digest(url.encode()) for url in part.images)
        documents = b"".join(_digest(f"{document.name}\n{document.digest}".encode()) for document in part.documents)
        return _digest(b"%s%d %s%s%s" % (self._base, len(text), text, images, documents)).hex()


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=KEY_LENGTH // 2).digest()

"""Remove addresses, paths and credentials from error texts, so that a recording fits any machine. No I/O."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ..errors import ProviderError
from ..security.redaction import redacted

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
_PATH = re.compile(
    r"""(?<=['"])(?:~?/|[A-Za-z]:[\\/]|\\\\)[^'"\n]+(?=['"])  # quoted, perhaps with spaces
    | (?<![\w/.~])~?(?:/[\w.@+~-]+)+/?
    | (?<!\w)[A-Za-z]:[\\/][^\s'"<>|]+
    | (?<!\w)\\\\[\w.-]+\\[^\s'"<>|]+""",
    re.VERBOSE,
)


def anonymize(text: str, base_url: str) -> str:
    """Return a message of the toolkit without addresses, paths and credentials.

    Args:
        text: The message.
        base_url: Address of the service; its host is replaced wherever it occurs.
    """
    parts = urlsplit(base_url)
    text = _ADDRESS.sub("<address>", redacted(text))
    for host in filter(None, (parts.netloc, parts.hostname)):
        text = re.sub(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", "the server", text)
    return _PATH.sub("<path>", text)


def describe_error(error: Exception, base_url: str) -> dict[str, Any]:
    """Return the JSON-ready description of an error, anonymized: type, message, and the numbers that are set."""
    known = isinstance(error, ProviderError)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    details = {name: getattr(error, name, None) for name in ("status", "retry_after", "limit", "prompt_tokens")}
    return {
        "type": type(error).__name__ if known else "ProviderError",
        "message": anonymize(message, base_url),
        **{name: value for name, value in details.items() if value is not None},
    }

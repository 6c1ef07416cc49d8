"""Link policy: only http(s) and mailto links are allowed, and images only if they are embedded and small."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, urlsplit

MAX_IMAGE = 300_000
"""Length (characters) of a `data:` URL up to which an embedded image is shown."""

_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]", re.IGNORECASE)
_HOST = re.compile(r"[\w.:-]+\Z")
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/%]+={0,2})\Z")
_SIGNATURES = {"png": (b"\x89PNG\r\n\x1a\n",), "jpeg": (b"\xff\xd8\xff",), "gif": (b"GIF8",), "webp": (b"RIFF",)}
_SPECIAL = re.compile(r"[^A-Za-z0-9/:?#=&%.,~+_@-]|(?<=@)@")
_SCHEME = re.compile(r"\b(?!https?:)(?=[A-Za-z][A-Za-z0-9+.-]*://|data:)[A-Za-z0-9+.-]+", re.IGNORECASE)


def is_web_link(address: str) -> bool:
    """Tell whether `address` is an http(s) URL with a host, or a mailto link."""
    return _LINK.match(address) is not None and (address[:4].lower() != "http" or host_of(address) is not None)


def host_of(address: str) -> str | None:
    """Return the host of an http(s) URL; None if it has none.

    Front ends take a malformed URL for a path on their own server, so a URL with an invalid port has no host.
    """
    try:
        parts = urlsplit(address)
        named = parts.port is None or parts.port >= 0  # reading `port` validates it
        host = parts.hostname if named and parts.scheme in ("http", "https") else None
    except ValueError:
        return None
    return host if host and _HOST.match(host) else None


def spelled_out(address: str) -> str:
    """Percent-encode every character of `address` that has a meaning in Markdown or in an HTML attribute."""
    return _SPECIAL.sub(lambda c: quote(c[0], safe="", errors="replace") if c[0] != "@" else "%40", address)


def is_small_picture(source: str) -> bool:
    """Tell whether `source` is a `data:` URL of a small raster image whose content matches its type."""
    match = _IMAGE.match(source) if len(source) <= MAX_IMAGE else None
    if match is None:
        return False
    try:
        begin = base64.b64decode(match[2][:32], validate=True)
    except binascii.Error:
        return False
    return begin.startswith(_SIGNATURES[match[1]])


def unlinked(text: str) -> str:
    """Separate every scheme but http(s) from its colon by a word joiner (zero width).

    JupyterLab turns a URL of any scheme in plain text into a link, `javascript:` too.
    """
    return _SCHEME.sub("\\g<0>\u2060", text)

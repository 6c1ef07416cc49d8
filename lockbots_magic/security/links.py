"""Where a reply may lead: into the web, or to a small picture that comes along in it. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, urlsplit

LARGEST_IMAGE = 300_000
"""Characters of a `data:` address up to which an image is shown."""

_LINK = re.compile(r"(?:https?://|mailto:)[^\s\\]", re.IGNORECASE)
_HOST = re.compile(r"[\w.:-]+\Z")
_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/%]+={0,2})\Z")
_IMAGE_BEGINS = {"png": (b"\x89PNG\r\n\x1a\n",), "jpeg": (b"\xff\xd8\xff",), "gif": (b"GIF8",), "webp": (b"RIFF",)}
_SPECIAL = re.compile(r"[^A-Za-z0-9/:?#=&%.,~+_@-]|(?<=@)@")


def in_web(address: str) -> bool:
    """Whether `address` leads to the web or to a mailbox; elsewhere a reply has no business."""
    return _LINK.match(address) is not None and (address[:4].lower() != "http" or host_of(address) is not None)


def host_of(address: str) -> str | None:
    """The host at which `address` asks; None if it names none: front ends take what is malformed for a path."""
    try:
        parts = urlsplit(address)
        named = parts.port is None or parts.port >= 0  # asking for it checks it
        host = parts.hostname if named and parts.scheme in ("http", "https") else None
    except ValueError:
        return None
    return host if host and _HOST.match(host) else None


def spelled_out(address: str) -> str:
    """Return `address` without a character that means something to a Markdown parser, nor in an HTML attribute."""
    return _SPECIAL.sub(lambda c: quote(c[0], safe="", errors="replace") if c[0] != "@" else "%40", address)


def is_small_picture(source: str) -> bool:
    """Whether `source` holds a picture of a kind that is nothing but a picture."""
    match = _IMAGE.match(source) if len(source) <= LARGEST_IMAGE else None
    if match is None:
        return False
    try:
        begin = base64.b64decode(match[2][:32], validate=True)
    except binascii.Error:
        return False
    return begin.startswith(_IMAGE_BEGINS[match[1]])

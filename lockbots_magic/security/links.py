"""Link policy: only http(s) and mailto links are allowed, and images only if they are embedded and small."""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import quote, urlsplit

from ..late_pattern import late_pattern

MAX_IMAGE = 300_000
"""Length (characters) of a `data:` URL up to which an embedded image is shown."""

_LINK = late_pattern(r"(?:https?://|mailto:)[^\s\\]", re.IGNORECASE)
_HOST = late_pattern(r"[\w.:-]+\Z")
_IMAGE = late_pattern(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/%]+={0,2})\Z")
_SIGNATURES = {"png": (b"\x89PNG\r\n\x1a\n",), "jpeg": (b"\xff\xd8\xff",), "gif": (b"GIF8",), "webp": (b"RIFF",)}
_SPECIAL = late_pattern(r"[^A-Za-z0-9/:?#=&%.,~+_@-]|(?<=@)@")
_SCHEME = late_pattern(r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]+(?=://)|data(?=:)", re.IGNORECASE)
"""A whole run of the characters of a scheme, so that each is looked at once."""
_WEB = ("http", "https")
_WORD_JOINER = "\u2060"


_MAX_SCHEME = 16
_SCHEME_END = late_pattern(r"[A-Za-z0-9+.-]+\Z")
_COLON = late_pattern(r":(?=//)|(data)(?=:)", re.IGNORECASE)
_BEGUN = late_pattern(r"(?::/?|d(?:a(?:ta?)?)?)\Z", re.IGNORECASE)


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
    return _SCHEME.sub(_part, text)


def _part(scheme: re.Match[str]) -> str:
    name = scheme[0].lstrip("0123456789+.-").lower()  # a front end takes the scheme from its first letter on
    return scheme[0] if name in _WEB else scheme[0] + _WORD_JOINER


class Unlinker:
    """Does what `unlinked` does, for text that arrives in pieces.

    Held back is only what may become the colon of an address. There the word joiner stands behind the colon: the
    scheme before it has been written already.
    """

    def __init__(self) -> None:
        self._before = ""  # end of the text so far: enough to know a web scheme
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that can be shown by now."""
        text = self._held + text
        begun = _BEGUN.search(text)
        self._held = begun[0] if begun else ""
        return self._clean(text[: len(text) - len(self._held)])

    def close(self) -> str:
        """Return the text that was held back."""
        held, self._held = self._held, ""
        return self._clean(held)

    def _clean(self, text: str) -> str:
        whole = self._before + text
        cut = len(self._before)
        pieces, at = [], cut
        for colon in _COLON.finditer(whole, cut):
            run = _SCHEME_END.search(whole, max(0, colon.start() - _MAX_SCHEME), colon.start())
            name = run[0].lstrip("0123456789+.-").lower() if run and len(run[0]) < _MAX_SCHEME else run and run[0]
            is_data = colon[1] is not None
            if is_data or (name and name not in _WEB):
                place = colon.start() + (len(colon[0]) if is_data else 1)
                pieces += [whole[at:place], _WORD_JOINER]
                at = place
        pieces.append(whole[at:])
        self._before = whole[-_MAX_SCHEME:]
        return "".join(pieces)

"""Refusal of what web pages send: any page may ask a server on loopback, and some would read or run the answer. Pure.

Cookies do not know ports, so a page that this server were made to send could use those of a Jupyter server beside it.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from .request_log import MockRequest
from .settings import MockSettings

_HOSTS = ("127.0.0.1", "localhost", "::1")
_INERT = ("application/json", "text/plain", "text/event-stream", "application/x-ndjson", "application/octet-stream")
"""Media types in which a browser runs nothing."""
_MARKUP = (b"<", b"\\u003c")


def find_offence(request: MockRequest, headers: Iterable[tuple[str, str]], origin: str) -> str:
    """Return why `request` is refused, one sentence; empty if it is not.

    Args:
        request: The request.
        headers: All its headers, repeated ones too.
        origin: URL of the server, without a path.
    """
    port = urlsplit(origin).port
    for name, value in headers:
        lower = name.lower()
        if lower == "host" and not _is_loopback(value, None):
            return "The header Host must name this machine."  # another name may have been pointed here since
        if lower == "origin" and not (value.startswith("http://") and _is_loopback(value[7:], port)):
            return "Web pages of other origins are refused."
        if lower == "sec-fetch-site" and value not in ("none", "same-origin"):
            return "Web pages of other sites are refused."
    if any(mark in request.content.lower() for mark in _MARKUP) and not _is_inert(request.path):
        return "A prompt with markup is not sent back as a media type in which it could be a page."
    return ""


def _is_loopback(host: str, port: int | None) -> bool:
    """Tell whether `host` is this machine; and the port is `port`, if one is given."""
    try:
        parts = urlsplit(f"//{host}")
        is_whole = parts.netloc == host
        return is_whole and parts.hostname in _HOSTS and parts.username is None and port in (None, parts.port)
    except ValueError:
        return False


def _is_inert(path: str) -> bool:
    """Tell whether the URL asks for a media type in which a browser runs nothing."""
    try:
        media_type = MockSettings.parse(path.lstrip("/").partition("/")[0].partition(";")[2]).type
    except ValueError:  # answered by an error
        return True
    return not media_type or media_type.partition(";")[0].strip().lower() in _INERT

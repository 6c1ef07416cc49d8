"""Pages of the web, for prompts: fetched once, bounded, and with no redirect into a private network.

A page may be anyone's, and so may be where it redirects to. What the user typed may be private, such as a server on
this machine; a redirect leads to public addresses, or stays at the same host and port. The address is checked where
the connection is made, as a name may lead elsewhere the second time.
"""

from __future__ import annotations

import ipaddress
import time
from dataclasses import dataclass, field
from typing import ClassVar
from urllib.parse import SplitResult, urljoin, urlsplit

from ...conversation.cancellation import Cancellation
from ...errors import ProtocolError, UsageError
from ...language import _
from ...version import __version__
from . import open_exchange
from .request import HTTPRequest, TimeLimits, display_host, display_url

MAX_PAGE = 5_000_000
"""Bytes of a page that are read."""
CONNECT_TIMEOUT = 10.0
"""Time (s) to connect."""
SILENCE_TIMEOUT = 20.0
"""Time (s) without data."""
TOTAL_TIMEOUT = 60.0
"""Time (s) for the whole page."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class WebPage:
    """A page as a server sent it."""

    url: str
    """Where it was found, after redirects."""
    content_type: str
    """Media type, lower case; ``""`` if the server named none."""
    charset: str
    body: bytes
    is_whole: bool
    """False if it is longer than `MAX_PAGE`."""


@dataclass
class _Trail:
    """Where a request has been."""

    url: str
    """The last URL."""
    peers: list[str] = field(default_factory=list)
    """Addresses that it was sent to."""


@dataclass(frozen=True)
class PageRequest(HTTPRequest):
    """A GET for a page, which follows redirects to other hosts, but not into a private network."""

    trail: _Trail = field(default_factory=lambda: _Trail(""))
    checks_peer: ClassVar[bool] = True

    def follow_redirect(self, url: str, status: int, location: str) -> str:
        """Return the URL that a redirect leads to.

        Raises:
            ProtocolError: It leads to an address that is not public, to http from https, or to no page.
        """
        try:
            target = urlsplit(urljoin(url, location))._replace(fragment="")
            new, old = _place_of(target), _place_of(urlsplit(url))
        except ValueError:
            raise ProtocolError(_("{host} redirects to an invalid URL.", host=display_host(url))) from None
        shown = display_url(target.geturl())
        if target.scheme not in _PORTS or not target.hostname or "@" in target.netloc:
            raise ProtocolError(
                _(
                    "{host} redirects to {shown}, which is not a page.",
                    host=display_host(url),
                    shown=shown,
                )
            )
        if (old[0], new[0]) == ("https", "http"):
            raise ProtocolError(
                _(
                    "{host} redirects to {shown}, which is not encrypted; it was not fetched.",
                    host=display_host(url),
                    shown=shown,
                )
            )
        if new != _place_of(urlsplit(self.url)) and _is_private_name(target.hostname):
            raise _private_redirect(url, shown)
        self.trail.url = target.geturl()
        return self.trail.url

    def check_peer(self, url: str, address: str) -> None:
        """Raise `ProtocolError` if a redirect has led to an address that is not public."""
        was_public = bool(self.trail.peers) and not _is_private(self.trail.peers[0])
        is_same_place = _place_of(urlsplit(url)) == _place_of(urlsplit(self.url))
        if _is_private(address) and (was_public or not is_same_place):
            raise _private_redirect(self.url, display_url(url))
        self.trail.peers.append(address)


def fetch_page(url: str, cancellation: Cancellation) -> WebPage:
    """Return the page at a URL.

    Args:
        url: http or https.
        cancellation: Closes the connection from another thread.

    Raises:
        UsageError: The URL is invalid, or the server answers with an error.
        ProviderError: The server can't be reached, is silent or cuts the page off, or redirects to a private address.
    """
    _check_url(url)
    limits = TimeLimits(
        CONNECT_TIMEOUT,
        SILENCE_TIMEOUT,
        time.monotonic() + TOTAL_TIMEOUT,
        _(
            "{host} took longer than {total_timeout:.0f} s.",
            host=display_host(url),
            total_timeout=TOTAL_TIMEOUT,
        ),
    )
    headers = {"user-agent": f"lockbots-magic/{__version__}", "accept": "text/html, text/*;q=0.9, */*;q=0.5"}
    request = PageRequest("GET", urlsplit(url)._replace(fragment="").geturl(), headers=headers, trail=_Trail(url))
    with open_exchange(request, limits, cancellation) as exchange:
        if not 200 <= exchange.status < 300:
            raise UsageError(
                _("{url} answers with status {status}.", url=display_url(request.trail.url), status=exchange.status)
            )
        pieces, size = [], 0
        for piece in exchange:
            pieces.append(piece)
            size += len(piece)
            if size > MAX_PAGE:
                break
        body = b"".join(pieces)
        return WebPage(request.trail.url, exchange.content_type, exchange.charset, body[:MAX_PAGE], size <= MAX_PAGE)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in _PORTS and bool(parts.hostname) and parts.port != 0 and url.isprintable()
    except ValueError:
        is_valid = False
    if not is_valid or " " in url:
        raise UsageError(_("{url!r:.80} is not the URL of a page, such as https://example.org/page.", url=url))
    if "@" in parts.netloc:
        raise UsageError(
            _("A URL with a user name or password is not fetched. Download the page, and give its file name.")
        )


def _place_of(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _is_private_name(host: str) -> bool:
    """Whether a host name is known to be private without looking it up."""
    name = host.rstrip(".").lower()
    return _is_private(name) if _is_address(name) else name == "localhost" or name.endswith((".localhost", ".local"))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_private(address: str) -> bool:
    """Whether an IP address is none of the public internet's."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    return not (mapped or parsed).is_global or parsed.is_multicast


def _private_redirect(url: str, shown: str) -> ProtocolError:
    return ProtocolError(
        _(
            "{host} redirects to {shown}, which is a private address; nothing of it was "
            "read. If you trust it, give that URL itself.",
            host=display_host(url),
            shown=shown,
        )
    )

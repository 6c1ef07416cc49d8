"""Connections that all exchanges share, and the way of a request onto one of them.

A request goes straight to the pool of urllib3. What is not plain is asked of requests, by `with_requests`: URLs that
need quoting, proxies and certificates. Errors are those of both packages.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import urllib3

from ...importing import without_collector
from ...version import __version__
from .connection import MAX_POOLED, is_plain_header, track_connections
from .request import SentRequest

MAX_SERVERS = 16
"""Servers, asked last, whose idle connections are kept."""
USUAL_HEADERS = {
    "User-Agent": f"lockbots-magic/{__version__}",
    "Accept": "*/*",
    "Connection": "keep-alive",
}
"""Headers of a request that has none of its own by these names."""

_PLAIN_URL = re.compile(
    r"(?P<origin>https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}))?)"
    r"(?P<path>(?:/[\w~-][\w.~-]*)*/?)(?P<query>(?:\?[\w.~=&-]+)?)",
    re.ASCII,
)
"""A URL that is sent as it is: nothing to quote, no dots to resolve."""
_NO_RETRIES = urllib3.Retry(0, read=False)


def send(request: SentRequest, *, may_use_proxy: bool) -> urllib3.BaseHTTPResponse:
    """Send a request and return its response, whose body has not been read. Redirects are not followed.

    Args:
        request: The request; its URL as given, its headers besides the usual ones.
        may_use_proxy: Whether a proxy of the environment is used.

    Raises:
        requests.RequestException, urllib3.exceptions.HTTPError: The request failed, or can't be sent.
    """
    prepared = prepare_url(request.url)
    headers = _prepare_headers(tuple(request.headers.items()))
    if may_use_proxy:
        sent = request._replace(url=prepared.url, headers=headers)
        by_proxy: urllib3.BaseHTTPResponse | None = _requests().send_by_proxy(sent)
        if by_proxy is not None:
            return by_proxy
    connect, silence = request.timeout
    return _direct_pool(prepared.origin, request.verify).urlopen(
        request.method,
        prepared.path,
        request.body,
        headers,
        _NO_RETRIES,
        redirect=False,
        assert_same_host=False,
        timeout=urllib3.Timeout(connect=connect, read=silence),
        preload_content=False,
        decode_content=False,
    )


def _requests() -> ModuleType:
    with without_collector():
        from . import with_requests  # noqa: PLC0415  # 30 ms, and a plain request to this machine needs none of it

    return with_requests


@functools.cache
def _pools() -> urllib3.PoolManager:
    """Return the connections that all exchanges share."""
    manager = urllib3.PoolManager(maxsize=MAX_POOLED)
    track_connections(manager)
    return manager


@functools.lru_cache(maxsize=MAX_SERVERS)
def _direct_pool(origin: str, verify: str | bool) -> urllib3.HTTPConnectionPool:
    """Return the connections to a server; a pool that nobody holds any more closes its idle ones."""
    if origin.startswith("http:"):
        return _pools().connection_from_url(origin)
    trusted = _requests().DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    kind = "ca_cert_dir" if Path(trusted).is_dir() else "ca_certs"
    options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", kind: trusted}
    return _pools().connection_from_url(origin, options)


class PreparedURL(NamedTuple):
    """A URL as it is sent."""

    url: str
    origin: str
    path: str
    """Path and query."""


@functools.lru_cache(maxsize=256)
def prepare_url(url: str) -> PreparedURL:
    """Return a URL as it is sent: quoted, its host as IDNA.

    Raises:
        requests.RequestException: It is invalid.
    """
    if plain := _PLAIN_URL.fullmatch(url):
        path = (plain["path"] or "/") + plain["query"]
        return PreparedURL(plain["origin"] + path, plain["origin"], path)
    whole = _requests().prepare_url(url)
    parts = urlsplit(whole)
    path = (parts.path or "/") + (parts.query and f"?{parts.query}")
    return PreparedURL(whole, "/".join(whole.split("/", 3)[:3]), path)


@functools.lru_cache(maxsize=64)
def _prepare_headers(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return headers with the usual ones, checked. They hold no credential: those join as the bytes leave."""
    merged = {name.lower(): (name, value) for name, value in (*USUAL_HEADERS.items(), *headers)}
    sent = dict(merged.values())
    if not all(is_plain_header(name, value) for name, value in sent.items()):
        _requests().check_headers(sent)
    return sent

"""Connections that all exchanges share, and the way of a request onto one of them.

Requests is asked for what it knows best: URLs as they are sent, proxies and certificates. Without a proxy the request
itself goes straight to the pool of urllib3, which takes a third less time; errors are those of both packages.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH, default_headers, get_environ_proxies, select_proxy

from .connection import track_connections

MAX_POOLED = 64
"""Idle connections to one server that are kept: as many as a batch has requests under way, and more."""
MAX_SERVERS = 16
"""Servers, asked last, whose idle connections are kept."""


def send(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | None,
    *,
    timeout: tuple[float, float],
    verify: str | bool,
    may_use_proxy: bool,
) -> urllib3.BaseHTTPResponse:
    """Send a request and return its response, whose body has not been read. Redirects are not followed.

    Args:
        method: Method.
        url: URL, as given.
        headers: Headers besides the usual ones.
        body: Body.
        timeout: Time (s) to connect, and time without data.
        verify: Path of the trusted CAs; True for those that come with requests.
        may_use_proxy: Whether a proxy of the environment is used.

    Raises:
        requests.RequestException, urllib3.exceptions.HTTPError: The request failed, or can't be sent.
    """
    prepared = _prepare_url(url)
    sent = _prepare_headers(tuple(headers.items()))
    if may_use_proxy:
        proxies = get_environ_proxies(prepared.url, no_proxy=None)
        if select_proxy(prepared.url, proxies):
            request = _prepared_request(method, prepared.url, sent, body)
            options: dict[str, Any] = {"timeout": timeout, "verify": verify, "proxies": proxies}
            return _adapter().send(request, stream=True, **options).raw
    return _direct_pool(prepared.origin, verify).urlopen(
        method,
        prepared.path,
        body,
        sent,
        _adapter().max_retries,
        redirect=False,
        assert_same_host=False,
        timeout=urllib3.Timeout(connect=timeout[0], read=timeout[1]),
        preload_content=False,
        decode_content=False,
    )


class _TrackedAdapter(HTTPAdapter):
    """Makes every pool, also behind a proxy, use tracked connections."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools; see `HTTPAdapter`."""
        super().init_poolmanager(*args, **kwargs)
        track_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        """Return the pools behind `proxy`; see `HTTPAdapter`."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        track_connections(manager)
        return manager


@functools.cache
def _adapter() -> _TrackedAdapter:
    """Return the connections that all exchanges share.

    A session of requests around them would keep cookies, follow redirects and read passwords from ``~/.netrc``, none of
    which is wanted.
    """
    return _TrackedAdapter(pool_maxsize=MAX_POOLED)


@functools.lru_cache(maxsize=MAX_SERVERS)
def _direct_pool(origin: str, verify: str | bool) -> urllib3.HTTPConnectionPool:
    """Return the connections to a server; a pool that nobody holds any more closes its idle ones."""
    trusted = DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    kind = "ca_cert_dir" if Path(trusted).is_dir() else "ca_certs"
    options: dict[str, Any] = {"cert_reqs": "CERT_REQUIRED", kind: trusted}
    pool: urllib3.HTTPConnectionPool = _adapter().poolmanager.connection_from_url(origin, options)
    return pool


class _PreparedURL(NamedTuple):
    """A URL as it is sent: quoted, its host as IDNA."""

    url: str
    origin: str
    path: str
    """Path and query."""


@functools.lru_cache(maxsize=256)
def _prepare_url(url: str) -> _PreparedURL:
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    whole = str(prepared.url)
    return _PreparedURL(whole, "/".join(whole.split("/", 3)[:3]), prepared.path_url)


@functools.lru_cache(maxsize=64)
def _prepare_headers(headers: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return headers with those that requests adds, checked. They hold no credential: those join as the bytes leave."""
    merged = CaseInsensitiveDict(default_headers())
    merged.update(headers)
    prepared = requests.PreparedRequest()
    prepared.prepare_headers(merged)
    return dict(prepared.headers)


def _prepared_request(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """Return a request as the adapter takes it."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = method, url, body
    prepared.prepare_headers(headers)
    prepared.prepare_content_length(body)
    return prepared

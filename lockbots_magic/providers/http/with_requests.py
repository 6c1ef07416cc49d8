"""What requests knows best: URLs that need quoting, proxies, and the certificates that come with it.

To import requests takes as long as to import urllib3, and a plain request to a server on this machine needs none of it:
`pools` and `environment` reach this module at the first request that does.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH, get_environ_proxies, select_proxy, should_bypass_proxies

from .connection import MAX_POOLED, track_connections
from .request import SentRequest

__all__ = ["DEFAULT_CA_BUNDLE_PATH", "check_headers", "prepare_url", "send_by_proxy", "should_bypass_proxies"]


def prepare_url(url: str) -> str:
    """Return a URL as it is sent: quoted, its host as IDNA.

    Raises:
        requests.RequestException: It is invalid.
    """
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return str(prepared.url)


def check_headers(headers: Mapping[str, str]) -> None:
    """Raise `requests.exceptions.InvalidHeader` if one of the headers can't be sent."""
    requests.PreparedRequest().prepare_headers(headers)


def send_by_proxy(request: SentRequest) -> urllib3.BaseHTTPResponse | None:
    """Send a request through the proxy of the environment, and return its response; None if there is no proxy for it.

    A variable that is set to white space names none, as an empty one.
    """
    named = {scheme: proxy.strip() for scheme, proxy in get_environ_proxies(request.url, no_proxy=None).items()}
    proxies = {scheme: proxy for scheme, proxy in named.items() if proxy}
    if not select_proxy(request.url, proxies):
        return None
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = request.method, request.url, request.body
    prepared.prepare_headers(request.headers)
    prepared.prepare_content_length(request.body)
    options: dict[str, Any] = {"timeout": request.timeout, "verify": request.verify, "proxies": proxies}
    response: urllib3.BaseHTTPResponse = _adapter().send(prepared, stream=True, **options).raw
    return response


class _TrackedAdapter(HTTPAdapter):
    """Makes every pool behind a proxy use tracked connections."""

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> urllib3.ProxyManager:
        """Return the pools behind `proxy`; see `HTTPAdapter`."""
        manager: urllib3.ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        track_connections(manager)
        return manager


@functools.cache
def _adapter() -> _TrackedAdapter:
    """Return the connections through proxies that all exchanges share.

    A session of requests around them would keep cookies, follow redirects and read passwords from ``~/.netrc``, none of
    which is wanted.
    """
    return _TrackedAdapter(pool_maxsize=MAX_POOLED)

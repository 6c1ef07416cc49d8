"""Process-wide pool of connections: a requests session without cookies, `.netrc` or redirects."""

from __future__ import annotations

import functools
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from .connection import track_connections


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


class _PooledSession(requests.Session):
    """Keeps connections and nothing else: no cookie passes from one caller to another."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _TrackedAdapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Report no redirect: requests would read the whole body first. `Exchange` follows redirects itself."""
        return None


@functools.cache
def pooled_session() -> requests.Session:
    """Return the session that all exchanges share."""
    return _PooledSession()


def no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave `request` as it is: a no-op authenticator, without which requests adds a password from ``~/.netrc``."""
    return request

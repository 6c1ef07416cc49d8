"""What is to be sent, how long it may take, and what of it may be shown. Pure."""

from __future__ import annotations

import ipaddress
import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit

from ...errors import CredentialWarning, ProtocolError
from ...security.secrets import Secret

_PORTS = {"http": 80, "https": 443}
_warned_hosts: set[str] = set()


@dataclass(frozen=True)
class Call:
    """One HTTP request. What is secret stands apart from what may be shown."""

    method: str
    url: str
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    secret_query: Mapping[str, Secret] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All credentials that the request carries."""
        return (*self.secret_headers.values(), *self.secret_query.values())

    def redact(self, text: str) -> str:
        """Return `text` without this call's credentials."""
        for secret in self.secrets:
            text = secret.redact(text)
        return text

    def redirected(self, url: str, status: int, location: str) -> str:
        """Return where the call goes on after `url` answered with a redirection.

        Args:
            url: the address that was asked.
            status: 301, 302, 303, 307 or 308.
            location: the header `Location`.

        Raises:
            ProtocolError: to another host, port or scheme, or by a status that would make a POST a GET.
        """
        try:
            target = urlsplit(urljoin(url, location))
            same = _origin(target) == _origin(urlsplit(url))
        except ValueError:
            raise ProtocolError(f"{shown_host(url)} redirects to what is no address") from None
        query = [p for p in target.query.split("&") if unquote_plus(p.partition("=")[0]) not in self.secret_query]
        followed = target._replace(query="&".join(query), fragment="").geturl()
        kept = status in (307, 308) or self.method == "GET"
        if same and kept and self.redact(followed) == followed:
            return followed
        raise ProtocolError(
            f"{shown_host(url)} redirects to {self.redact(shown_url(target.geturl()))}; nothing was sent there. "
            "If you trust that address, give it as the base URL"
        )


@dataclass(frozen=True)
class Limits:
    """How long things may take, all in s; `deadline` is a `time.monotonic()`."""

    connect: float
    silence: float
    deadline: float = math.inf

    @property
    def remaining(self) -> float:
        """The time (s) until the deadline; negative once it has passed."""
        return self.deadline - time.monotonic()


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, reached without a network."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def warn_if_readable(call: Call) -> None:
    """Warn, once a host, of a credential that travels unencrypted."""
    parts = urlsplit(call.url)
    host = parts.hostname or ""
    if call.secrets and parts.scheme == "http" and not is_loopback(host) and host not in _warned_hosts:
        _warned_hosts.add(host)
        message = f"the credential for {host} travels unencrypted: the base URL begins with http, not https"
        warnings.warn(message, CredentialWarning, stacklevel=2)


def hosts_warned_of() -> int:
    """Return of how many hosts `warn_if_readable` has warned."""
    return len(_warned_hosts)


def shown_host(url: str) -> str:
    """The host and port of `url`, without user information."""
    return urlsplit(url).netloc.rpartition("@")[2]


def shown_url(url: str) -> str:
    """`url` without what may be secret in it: user information, query and fragment."""
    return urlsplit(url)._replace(netloc=shown_host(url), query="", fragment="").geturl()


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """What must stay the same for a credential to be sent again."""
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), "@" in parts.netloc

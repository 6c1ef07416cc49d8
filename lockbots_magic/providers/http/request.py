"""HTTP requests, time limits, and the parts of a URL that may be displayed. Pure."""

from __future__ import annotations

import functools
import ipaddress
import math
import time
import warnings
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any, ClassVar, NamedTuple
from urllib.parse import SplitResult, unquote_plus, urljoin, urlsplit

from ...errors import CredentialWarning, ProtocolError
from ...language import _
from ...late_dataclass import late_dataclass
from ...security.redaction import redact
from ...security.secrets import Secret
from ...security.url_secrets import secrets_of_path

DEFAULT_SILENCE = 600.0
"""Time (s) without data that is allowed to a server on another machine."""

_PORTS = {"http": 80, "https": 443}
_warned_hosts: set[str] = set()


class SentRequest(NamedTuple):
    """One request as it goes out, without its credentials, which join as the bytes leave."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout: tuple[float, float]
    """Time (s) to connect, and time without data."""
    verify: str | bool
    """Path of the trusted CAs; True for those that come with requests."""


@late_dataclass(frozen=True)
class HTTPRequest:
    """One HTTP request, with its credentials apart from what may be displayed."""

    method: str
    url: str
    json: Any = None
    content: bytes | None = None
    """Body that is not JSON; its media type stands in `headers`."""
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, Secret] = field(default_factory=dict)
    secret_query: Mapping[str, Secret] = field(default_factory=dict)
    base_url: str = ""
    """Base URL of the service, for advice about redirects; empty if unknown."""
    checks_peer: ClassVar[bool] = False
    """True if `check_peer` is to be called before anything is sent; behind a proxy, whose address it is, never."""

    def __repr__(self) -> str:
        return f"HTTPRequest({self.method} {redact(display_url(self.url), secrets_of_path(self.base_url))})"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """All credentials of the request."""
        return (*self.secret_headers.values(), *self.secret_query.values())

    def with_headers(self, plain: Mapping[str, str], secret: Mapping[str, Secret]) -> HTTPRequest:
        """Return the request with more headers; they replace its own of the same name, in any case.

        Args:
            plain: Headers that may be shown.
            secret: Headers that hold a credential.
        """
        given = {name.lower() for name in (*plain, *secret)}
        kept = {name: value for name, value in self.headers.items() if name.lower() not in given}
        kept_secret = {name: value for name, value in self.secret_headers.items() if name.lower() not in given}
        return replace(self, headers={**kept, **plain}, secret_headers={**kept_secret, **secret}) if given else self

    def redact(self, text: str) -> str:
        """Return `text` without the credentials of this request."""
        for secret in self.secrets:
            text = secret.redact(text)
        return text

    def follow_redirect(self, url: str, status: int, location: str) -> str:
        """Return the URL that a redirect leads to, if it is safe to follow.

        Args:
            url: URL that was requested.
            status: 301, 302, 303, 307 or 308.
            location: Value of the header `Location`.

        Raises:
            ProtocolError: The redirect leads to another host, port or scheme, or would turn a POST into a GET.
        """
        try:
            target = urlsplit(urljoin(url, location))
            same_origin = _get_origin(target) == _get_origin(urlsplit(url))
        except ValueError:
            raise ProtocolError(_("{host} redirects to an invalid URL.", host=display_host(url))) from None
        query = [p for p in target.query.split("&") if unquote_plus(p.partition("=")[0]) not in self.secret_query]
        followed = target._replace(query="&".join(query), fragment="").geturl()
        keeps_method = status in (307, 308) or self.method == "GET"
        if same_origin and keeps_method and self.redact(followed) == followed:
            return followed
        raise ProtocolError(self._describe_redirect(display_host(url), target, status))

    def check_peer(self, url: str, address: str) -> None:
        """Hook: raise if the request for `url` must not be sent to an IP address; see `checks_peer`."""

    def _describe_redirect(self, host: str, target: SplitResult, status: int) -> str:
        """Return the text on a redirect that is not followed, with advice that leads to the API if it can."""
        path = urlsplit(self.url).path.removeprefix(urlsplit(self.base_url).path.rstrip("/")) if self.base_url else ""
        leads_to_api = target.path.rstrip("/").endswith(path)
        base = target._replace(path=target.path.rstrip("/").removesuffix(path)) if path and leads_to_api else target
        shown = self.redact(display_url(base.geturl()))
        if shown == display_url(self.base_url):
            advice = _(
                "A status of {status} would turn the request into a GET; the server must answer 307 or 308.",
                status=status,
            )
        elif leads_to_api:
            advice = _("If you trust that URL, set it as the base URL.")
        else:
            advice = _("It is not the address of this API, but perhaps a login page. Check the base URL.")
        return _("{host} redirects to {shown}; nothing was sent there. {advice}", host=host, shown=shown, advice=advice)


@late_dataclass(frozen=True)
class TimeLimits:
    """How long an exchange may take."""

    connect: float
    """Time (s) to connect."""
    silence: float | None = None
    """Time (s) without data; None: no limit for this machine, `DEFAULT_SILENCE` for others."""
    deadline: float = math.inf
    """End of the exchange, as a `time.monotonic()` (s)."""
    late: str = ""
    """Message once the deadline has passed; empty for that of a reply."""

    @property
    def remaining(self) -> float:
        """Time (s) until the deadline; negative once it has passed."""
        return self.deadline - time.monotonic()

    def silence_of(self, url: str) -> float:
        """Return the time (s) without data that is allowed to the server at `url`."""
        if self.silence is not None:
            return self.silence
        return math.inf if is_loopback(urlsplit(url).hostname or "") else DEFAULT_SILENCE


@functools.lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Whether `host` is this machine."""
    host = host.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def warn_if_unencrypted(request: HTTPRequest) -> None:
    """Warn, once per host, of a credential that is sent unencrypted."""
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    if request.secrets and parts.scheme == "http" and not is_loopback(host) and host not in _warned_hosts:
        _warned_hosts.add(host)
        message = _(
            "The credential for {host} is sent unencrypted: its base URL begins with http, not https.", host=host
        )
        warnings.warn(message, CredentialWarning, stacklevel=2)


def count_warned_hosts() -> int:
    """Return the number of hosts that `warn_if_unencrypted` has warned of."""
    return len(_warned_hosts)


def display_host(url: str) -> str:
    """Return the host and port of `url`, without user information."""
    return urlsplit(url).netloc.rpartition("@")[2]


def display_url(url: str) -> str:
    """Return `url` without the parts that may hold a secret: user information, query and fragment."""
    return urlsplit(url)._replace(netloc=display_host(url), query="", fragment="").geturl()


def _get_origin(parts: SplitResult) -> tuple[str, str | None, int | None, bool]:
    """Return the parts that must stay the same for a credential to be sent again."""
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), "@" in parts.netloc

"""Proxies and CA bundles that the environment names, found and checked before anything is sent."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from urllib.parse import urlsplit

from ...errors import ConnectionFailed, UsageError
from ...language import N_, _
from ...late_dataclass import late_dataclass
from ...late_pattern import late_pattern
from .request import is_loopback

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name the trusted CAs, in order of precedence: those of requests, then those of OpenSSL."""
_PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_HOST = late_pattern(r"[\w.-]+\Z|[0-9a-fA-F:.]+(?:%[\w.-]+)?\Z")
SOCKS_PACKAGE = N_("Install it with `pip install PySocks`, then restart the kernel.")


@late_dataclass(frozen=True)
class Proxy:
    """A proxy that an environment variable names."""

    variable: str
    value: str

    @property
    def shown(self) -> str:
        """Variable and address, without user name and password: ``HTTPS_PROXY (http://proxy:3128)``."""
        scheme, separator, rest = self.value.rpartition("://")
        return f"{self.variable} ({scheme}{separator}{rest.rpartition('@')[2]})"

    @property
    def has_credential(self) -> bool:
        """Whether the address holds a user name or a password."""
        return "@" in self.value

    def check(self) -> None:
        """Raise `UsageError` if the address can't be used; the message names the variable."""
        try:
            parts = urlsplit(self.value if "://" in self.value else f"http://{self.value}")
            _unused = parts.port  # raises if it is no number
            valid = _HOST.match(parts.hostname or "") is not None and not any(c.isspace() for c in self.value)
        except ValueError:
            valid = False
        if not valid or parts.scheme not in _PROXY_SCHEMES:
            raise UsageError(
                _(
                    "Invalid proxy in the environment: {shown}. It must look like http://host:port; "
                    "correct the variable, or unset it.",
                    shown=self.shown,
                )
            )
        if parts.scheme.startswith("socks") and importlib.util.find_spec("socks") is None:
            raise UsageError(
                _(
                    "The SOCKS proxy of {shown} needs the package PySocks. {socks_package}",
                    shown=self.shown,
                    socks_package=_(SOCKS_PACKAGE),
                )
            )


def find_proxy(url: str) -> Proxy | None:
    """Return the proxy that requests uses for `url`; None if the server is asked directly."""
    parts = urlsplit(url)
    if is_loopback(parts.hostname or ""):
        return None
    from .with_requests import should_bypass_proxies  # noqa: PLC0415  # see there

    if should_bypass_proxies(url, None):
        return None
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        variable = name if name in os.environ else name.upper()  # an empty one in lower case turns the other off
        if value := os.environ.get(variable, "").strip():
            return Proxy(variable, value)
    return None


def find_ca_bundle() -> tuple[str, str]:
    """Return the variable that names the trusted CAs, and its value; both empty if none does."""
    return next(((name, os.environ[name]) for name in CA_VARIABLES if os.environ.get(name)), ("", ""))


def check_ca_bundle() -> str | None:
    """Return the path of the trusted CAs; None for those that come with requests.

    Raises:
        ConnectionFailed: The path can't be read; the message names the variable.
    """
    variable, path = find_ca_bundle()
    if not variable:
        return None
    try:
        if not Path(path).is_dir():
            Path(path).open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = _(
            "{variable} names a file of certificates that can't be read: {path} ({reason})",
            variable=variable,
            path=path,
            reason=reason,
        )
    else:
        return path
    failure = ConnectionFailed(_("{text}. Correct the variable, or unset it.", text=message))
    failure.retryable = False
    raise failure

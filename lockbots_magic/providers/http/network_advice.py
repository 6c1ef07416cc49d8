"""Advice for failures of the network: what to change, where the cause is known. Pure.

Codes of certificates: OpenSSL, "X509_STORE_CTX_get_error". Reasons of TLS: OpenSSL, ``sslerr.h``.
"""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from ...language import N_, _
from .request import is_loopback

IS_RUNNING = N_("Is the server running?")
IF_PLAIN = N_("If the server does not use TLS, the base URL must begin with http://.")
IF_TLS = N_("If the server uses TLS, the base URL must begin with https://.")

_NOT_YET_VALID, _EXPIRED = 9, 10
_OTHER_HOST = (62, 63, 64)
"""Hostname, e-mail and IP address mismatch."""
_NO_TLS = re.compile(
    r"WRONG.VERSION.NUMBER|UNKNOWN.PROTOCOL|RECORD.LAYER.FAILURE|PACKET.LENGTH.TOO.LONG|HTTP.REQUEST", re.I
)
_NO_CERTIFICATE = re.compile(r"NO.CERTIFICATE.OR.CRL.FOUND|\bPEM\b|NO.START.LINE|BAD.BASE64", re.I)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


def with_scheme(scheme: str, host: str) -> str:
    """Advise another scheme of the base URL."""
    if scheme == "https":
        return _("The server uses TLS: begin the base URL with https://, as in https://{host}.", host=host)
    return _("The server does not use TLS: begin the base URL with http://, as in http://{host}.", host=host)


def for_certificate(code: int, host: str, variable: str, path: str) -> str:
    """Advise what to do about a certificate that was not accepted.

    Args:
        code: Error code of OpenSSL.
        host: Host and port of the server.
        variable: Environment variable that names the trusted CAs, if one does.
        path: Its value.
    """
    if code == _EXPIRED:
        return _("Renew the certificate on the server, or correct this machine's clock.")
    if code == _NOT_YET_VALID:
        return _("Correct this machine's clock.")
    if code in _OTHER_HOST:
        return _("Use the host name in the certificate in the base URL.")
    if variable:
        return _(
            "The trusted CAs come from {variable} ({path}); set REQUESTS_CA_BUNDLE to a file with the CA of {host}.",
            variable=variable,
            path=path,
            host=host,
        )
    return _("To trust the CA of {host}, set REQUESTS_CA_BUNDLE to a file with its certificate.", host=host)


def for_tls(reason: str, host: str) -> str:
    """Advise what to do about a TLS handshake that failed; empty if the cause is not known."""
    if _NO_TLS.search(reason):
        return with_scheme("http", host)
    if _NO_CERTIFICATE.search(reason):
        return _("Set REQUESTS_CA_BUNDLE (or SSL_CERT_FILE) to a file of certificates in PEM form.")
    return ""


def for_connecting(errors: Iterable[BaseException], url: str) -> str:
    """Advise what to do about a connection that could not be made.

    Args:
        errors: The exceptions.
        url: URL of the request.
    """
    errors = list(errors)
    local = is_loopback(urlsplit(url).hostname or "")
    if any(isinstance(error, ConnectionRefusedError) for error in errors):
        return (
            _(IS_RUNNING) if local else _("Check the host and port of the base URL, and whether a firewall is between.")
        )
    if any(isinstance(error, socket.gaierror) for error in errors):
        return _("Check the host name in the base URL, and the network (DNS, VPN).")
    if any(isinstance(error, OSError) and error.errno in _UNREACHABLE for error in errors):
        return _("Check the network (VPN, firewall), and the host in the base URL.")
    return ""


def for_slow_connect(url: str) -> str:
    """Advise what to do about a server that does not accept a connection in time."""
    if is_loopback(urlsplit(url).hostname or ""):
        return _("The server is overloaded, or stopped; to wait longer, raise `timeout`.")
    return _("Check the network (VPN, proxy, firewall) and the base URL; to wait longer, raise `timeout`.")


def for_silence(seconds: float) -> str:
    """Advise what to do about a server that sends nothing for `seconds` (s)."""
    longer = round(seconds * 2, 3)
    return _(
        "To wait longer: `%lockbots set silence_timeout {longer:g}`, or in Python "
        "`timeout=(10, {longer:g})`; None waits without limit.",
        longer=longer,
    )


def is_tls_record(line: str) -> bool:
    """Whether a status line is a record of TLS: an alert, or part of a handshake."""
    return line.strip("\"'").startswith(("\x15\x03", "\x16\x03", "\\x15\\x03", "\\x16\\x03"))

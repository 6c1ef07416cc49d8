"""Sentences on failures of servers. Loaded at the first use: it needs `mcp`."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import httpx2
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT

from ...language import N_, _
from ...security.foreign_text import quote_line

if TYPE_CHECKING:
    from .child import ChildServer
    from .endpoint import EndpointClient

MAX_QUOTED = 300
"""Length (characters) to which a server's words are cut in a message."""
LOST = "Session terminated"
"""Message of the package `mcp` for a status of 404: the server has forgotten the session."""
_STAND_INS = (LOST, "Not Found", "Server returned an error response")
"""Its messages for a status without a message of the protocol."""
_STATUS_ADVICE = {
    401: N_("It wants a credential: pass auth='$NAME'. Servers that log in by OAuth can't be used."),
    403: N_("It refuses the credential."),
    404: N_("Check the URL: it often ends in /mcp."),
    405: N_("Check the URL: it often ends in /mcp."),
}


class FailedSession(Protocol):
    """The part of a session that tells why it failed."""

    name: str
    child: ChildServer | None
    endpoint: EndpointClient | None

    @property
    def is_alive(self) -> bool:
        """Whether calls can be made."""

    @property
    def failure(self) -> BaseException | None:
        """What ended the session, if anything did."""


def innermost(error: BaseException) -> BaseException:
    """Return the error inside groups, which task groups make."""
    while inner := getattr(error, "exceptions", None):
        error = inner[0]
    return error


def describe_failure(session: FailedSession, error: BaseException) -> str:
    """Return what to tell of a failure: what happened, in the server's words, and what may help.

    Args:
        session: The session that failed.
        error: What was raised.
    """
    error = innermost(error)
    failure = innermost(session.failure) if session.failure is not None else error
    is_gone = not session.is_alive or (isinstance(error, MCPError) and error.code == CONNECTION_CLOSED)
    about = _("The MCP server {name}", name=session.name)
    if session.child is not None and is_gone and (end := _describe_end(session)):
        return f"{about} {end}"
    if session.endpoint is not None and (told := _describe_http(session, failure if is_gone else error)):
        return f"{about} {told}"
    if isinstance(error, TimeoutError | asyncio.TimeoutError) or _is_timeout(error):
        return _("{about} took too long to answer. {noise}", about=about, noise=_noise(session)).rstrip()
    if isinstance(error, MCPError):
        return _(
            "{about} answered with an error ({code}): {text}",
            about=about,
            code=error.code,
            text=quote_line(error.message, MAX_QUOTED),
        )
    if isinstance(error, ValueError) and callable(getattr(error, "errors", None)):
        return _(
            "{about} sent what does not follow the protocol. {fault}",
            about=about,
            fault=_describe_invalid(error),
        )
    return _(
        "{about} failed. {kind}: {error}",
        about=about,
        kind=type(error).__name__,
        error=quote_line(str(error), MAX_QUOTED),
    )


def _is_timeout(error: BaseException) -> bool:
    return isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT


def _describe_end(session: FailedSession) -> str:
    child = session.child
    assert child is not None
    if child.broken_limit:
        return _("was stopped. {why}", why=child.broken_limit)
    if not child.has_ended.is_set() and child.status is None:
        return ""
    status = child.status
    how = _("closed the connection") if status is None else _("ended ({status})", status=_describe_status(status))
    said = quote_line(_last_words(child.log), MAX_QUOTED)
    log = _("Its log ends: {said}", said=said) if said else _noise(session)
    return f"{how}. {log}".rstrip()


def _describe_status(status: int) -> str:
    number = -status if status < 0 else status - 128
    if number > 0:
        with suppress(ValueError):
            return signal.Signals(number).name
    return _("exit status {status}", status=status)


def _last_words(log: list[str]) -> str:
    """Return the last line of a log; of a traceback that is the error."""
    return next((line for line in reversed(log) if line.strip()), "")


def _noise(session: FailedSession) -> str:
    noise = session.child.noise if session.child is not None else b""
    if not noise:
        return ""
    said = quote_line(noise.decode("utf-8", "replace"), MAX_QUOTED)
    return _("It wrote to its standard output what is no message of the protocol: {said}", said=said)


def _describe_http(session: FailedSession, error: BaseException) -> str:
    endpoint = session.endpoint
    assert endpoint is not None
    if endpoint.broken_limit:
        return _("was not read. {why}", why=endpoint.broken_limit)
    if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
        return _("can't be reached. {why}", why=quote_line(str(error), MAX_QUOTED)).rstrip()
    if isinstance(error, httpx2.TimeoutException):
        return _("took too long to answer.")
    if isinstance(error, httpx2.HTTPError):
        return _("closed the connection. {why}", why=quote_line(str(error), MAX_QUOTED)).rstrip()
    if endpoint.last_status >= 400 and isinstance(error, MCPError) and error.message in _STAND_INS:
        advice = _(_STATUS_ADVICE.get(endpoint.last_status, ""))
        return _("answered with HTTP status {status}. {advice}", status=endpoint.last_status, advice=advice).rstrip()
    return ""


def _describe_invalid(error: Any) -> str:
    """Describe the first place that a `pydantic.ValidationError` is about."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return quote_line(f"{place}: {first['msg']}", MAX_QUOTED)

"""Addresses of services: how a request's URL is made from a base URL, and the parts of it that may be shown. Pure.

Wire facts: Azure OpenAI, "API version lifecycle" and "REST API reference"; Ollama, "FAQ" (OLLAMA_HOST).
"""

from __future__ import annotations

import functools
from urllib.parse import parse_qsl, quote, urlsplit

from ..security.redaction import redact
from ..security.url_secrets import secrets_of_path
from .http.request import display_url, is_loopback

OLLAMA_PORT = 11434
_AZURE_HOSTS = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", ".openai.azure.us")


def join_path(base_url: str, path: str) -> str:
    """Return the URL of `path` below `base_url`, whose query stays at the end.

    Example:
        >>> join_path("https://a.example/v1?api-version=1", "/models")
        'https://a.example/v1/models?api-version=1'
    """
    base, mark, query = base_url.partition("?")
    return f"{base.rstrip('/')}{path}{mark}{query}"


def display_address(base_url: str) -> str:
    """Return `base_url` without what may hold a secret: user information, a key in the path, most of the query.

    Of the query ``api-version`` stays.
    """
    version, shown = api_version(base_url), saved_address(base_url)
    return f"{shown}?api-version={quote(version)}" if version else shown


@functools.lru_cache(maxsize=256)
def saved_address(base_url: str) -> str:
    """Return `base_url` as a saved turn holds it: without user information and query, and with keys masked."""
    return redact(display_url(base_url), secrets_of_path(base_url))


def origin(url: str) -> str:
    """Return scheme, host and port of `url`: a credential for one origin is sent to no other."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return f"{parts.scheme}://{(parts.hostname or '').rstrip('.')}:{port}"


def is_local(base_url: str) -> bool:
    """Tell whether `base_url` is on this machine."""
    return is_loopback(urlsplit(base_url).hostname or "")


@functools.lru_cache(maxsize=256)
def api_version(base_url: str) -> str:
    """Return the ``api-version`` in the query of `base_url`; ``""`` if there is none."""
    found: dict[str, str] = dict(parse_qsl(urlsplit(base_url).query))
    return found.get("api-version", "")


@functools.lru_cache(maxsize=256)
def is_azure(base_url: str) -> bool:
    """Tell whether the service at `base_url` is Azure's, which takes its key in the header ``api-key``."""
    host = (urlsplit(base_url).hostname or "").rstrip(".")
    return bool(api_version(base_url)) or host.endswith(_AZURE_HOSTS)


def with_path(url: str, path: str) -> str:
    """Return `url` with `path` at its end, unless it is there already.

    Example:
        >>> with_path("https://api.anthropic.com", "/v1")
        'https://api.anthropic.com/v1'
    """
    base = url.partition("?")[0].rstrip("/")
    return url if base.endswith(path) else join_path(url, path)


def ollama_address(host: str) -> str:
    """Return the base URL for a value of ``OLLAMA_HOST``: ``host``, ``host:port``, ``:port`` or a URL.

    Example:
        >>> ollama_address("0.0.0.0")
        'http://127.0.0.1:11434/v1'
    """
    scheme, mark, rest = host.strip().strip("'\"").partition("://")
    if not mark:
        scheme, rest = "", scheme
    place, _, path = rest.partition("/")
    parts = urlsplit(f"//{place}")
    try:
        port = parts.port
    except ValueError:
        port = None
    name = parts.hostname or "127.0.0.1"
    if name in ("0.0.0.0", "::"):  # noqa: S104  # where a server listens is not where a client asks
        name = "127.0.0.1"
    name = f"[{name}]" if ":" in name else name
    usual = {"http": 80, "https": 443}.get(scheme, OLLAMA_PORT)
    base = f"{scheme or 'http'}://{name}:{port or usual}"
    return with_path(f"{base}/{path}".rstrip("/"), "/v1")

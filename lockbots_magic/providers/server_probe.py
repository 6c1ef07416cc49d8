"""A look at a server that refused a request: what it lists, and where it answers; for advice that was tried."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from ..conversation.messages import ModelInfo
from ..errors import LockbotsError
from ..language import _
from .address import display_address
from .advice import advise_on_model
from .wire.model_list import ModelList

PROBE_TIMEOUT = 3.0
"""Time (s) for all looks at one server."""
ENDPOINTS = ("/chat/completions", "/completions", "/responses", "/messages", "/models", "/api/chat", "/api/generate")
"""Paths of requests, which people paste as a base URL."""
MAX_PARENTS = 4
"""Paths above a base URL that are tried."""
API_PATHS = ("/api/v1", "/openai/v1", "/compatible-mode/v1", "/v1", "/api", "/openai")
"""Paths under which servers offer their API."""


class ServerProbe:
    """Asks the server of one provider for its models, only after an error.

    Each address is of the origin that the failed request went to, so the credential goes nowhere else.

    Args:
        name: Name of the provider.
        base_url: Its base URL.
        read_models: Reads the list of models at a base URL, until a `time.monotonic()` (s).
    """

    def __init__(self, name: str, base_url: str, read_models: Callable[[str, float], ModelList]) -> None:
        self._name = name
        self._base_url = base_url
        self._read_models = read_models
        self._deadline = time.monotonic() + PROBE_TIMEOUT

    def models(self, base_url: str = "") -> tuple[ModelInfo, ...] | None:
        """Return the models that the server lists at a base URL, by default the provider's; None if it lists none.

        Raises:
            Cancelled: The request was cancelled.
        """
        try:
            return self._read_models(base_url or self._base_url, self._deadline).models
        except LockbotsError:
            return None

    def context_size(self, model: str) -> int | None:
        """Return the context size (tokens) that the server lists for `model`."""
        return next((one.token_limit for one in self.models() or () if one.id == model), None)

    def advise_on_address(self, model: str) -> str:
        """Return what to do about an address at which there is no chat endpoint."""
        listed = self.models()
        if listed is not None:
            ids = [one.id for one in listed]
            if model in ids:
                return _(
                    "The base URL {shown} lists this model, but no chat endpoint answers there as it should.",
                    shown=self._shown,
                )
            return advise_on_model(model, ids, self._name)
        for candidate in candidate_base_urls(self._base_url):
            if self.models(candidate) is not None:
                return _(
                    "The API answers at {address}: set that as the base URL.",
                    address=display_address(candidate),
                )
        return _("Check the base URL {shown}: no API answers there.", shown=self._shown)

    def advise_on_model(self, model: str) -> str:
        """Return what to do about an unknown model."""
        listed = self.models()
        if listed is None:
            return _("Check the name of the model, and the base URL {shown}.", shown=self._shown)
        return advise_on_model(model, [one.id for one in listed], self._name)

    @property
    def _shown(self) -> str:
        return display_address(self._base_url)


def candidate_base_urls(base_url: str) -> tuple[str, ...]:
    """Return base URLs of the same origin that may be meant by `base_url`, the likeliest first.

    Example:
        >>> candidate_base_urls("http://localhost:8000")[0]
        'http://localhost:8000/v1'
    """
    return tuple(dict.fromkeys(_candidates(base_url)))


def _candidates(base_url: str) -> Iterator[str]:
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    stripped = next((path.removesuffix(end) for end in ENDPOINTS if path.endswith(end)), path)
    root = next((stripped.removesuffix(end) for end in API_PATHS if stripped.endswith(end)), stripped)
    parents = [path.rsplit("/", up)[0] for up in range(1, min(path.count("/"), MAX_PARENTS) + 1)]
    for one in (stripped, root + "/v1", *(root + end for end in API_PATHS), root, *parents, "/v1"):
        if one != path:
            yield parts._replace(path=one).geturl()


def strip_endpoint(base_url: str) -> str:
    """Return `base_url` without the path of the chat endpoint, which people paste along with it.

    Example:
        >>> strip_endpoint("https://host.example/v1/chat/completions?x=1")
        'https://host.example/v1?x=1'
    """
    parts = urlsplit(base_url)
    path = parts.path.rstrip("/")
    kept = path.removesuffix("/chat/completions")
    return base_url if kept == path else parts._replace(path=kept).geturl()

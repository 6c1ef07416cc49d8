"""The services of the mock server, by name; one name may serve several wire formats, each under a path of its own."""

from __future__ import annotations

from collections.abc import Mapping

from .responses_api import ResponsesService
from .services import LiaobotsEventsService, LiaobotsService, LockchatService, MockService, OpenAIService

SERVICES: Mapping[str, MockService] = {
    s.name: s for s in (LockchatService(), LiaobotsService(), LiaobotsEventsService(), OpenAIService())
}
_VARIANTS: Mapping[str, tuple[MockService, ...]] = {"openai": (ResponsesService(),)}
"""Further formats of a service."""


def choose_service(name: str, path: str) -> MockService:
    """Return the service called `name`, in the format that the path of a request asks for."""
    return next((one for one in _VARIANTS.get(name, ()) if path.endswith(one.base + one.path)), SERVICES[name])

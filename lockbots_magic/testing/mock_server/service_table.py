"""The services of the mock server, by name; one name may serve several wire formats, each under a path of its own."""

from __future__ import annotations

from collections.abc import Mapping

from .messages_api import MessagesService
from .request_log import MockRequest
from .responses_api import ResponsesService
from .services import LiaobotsEventsService, LiaobotsService, LockchatService, MockService, OpenAIService

SERVICES: Mapping[str, MockService] = {
    s.name: s for s in (LockchatService(), LiaobotsService(), LiaobotsEventsService(), OpenAIService())
}
_VARIANTS: Mapping[str, tuple[MockService, ...]] = {"openai": (ResponsesService(), MessagesService())}
"""Further formats of a service."""


def choose_service(name: str, request: MockRequest) -> MockService:
    """Return the service called `name`, in the format of a request."""
    return next((one for one in _VARIANTS.get(name, ()) if one.speaks(request)), SERVICES[name])

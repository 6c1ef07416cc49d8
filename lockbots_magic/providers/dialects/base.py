"""Base class of dialects: what a request looks like, and how its response is read. No I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ...conversation.documents import DocumentRules
from ...conversation.messages import ChatRequest
from ...errors import UsageError
from ...language import _
from ...late_dataclass import late_dataclass
from ...security.secrets import Secret
from ..adaptation_table import Adaptation
from ..address import saved_address
from ..body_changes import Body
from ..http.request import is_loopback
from ..response import Decoder
from ..wire.prompt_cache import CacheMode
from ..wire.reasoning_effort import EffortStyle
from ..wire.response_format import is_object_schema

MAX_OPENAI_FILES = 50_000_000 * 4 // 3
"""Size (characters of base64) of the files of one request in OpenAI's dialects: 50 MB ("File inputs")."""


@late_dataclass(frozen=True)
class Service:
    """The service that gets a request, as far as a dialect wants to know it."""

    name: str
    """Name of the provider."""
    base_url: str
    model: str
    """Model id."""
    reports_usage: bool = False
    """Whether it is known to accept ``stream_options``."""
    effort_style: EffortStyle = "openai"
    takes_schema: bool = True
    """Whether it may enforce a JSON schema."""
    cache: CacheMode = "auto"
    """How long it is to keep the head of a conversation, where the dialect says that."""

    @property
    def target(self) -> tuple[str, str, str]:
        """Provider, address and model, as opaque data hold them; such data go back to no other."""
        return self.name, saved_address(self.base_url), self.model

    def enforces_schema(self, request: ChatRequest) -> bool:
        """Whether to ask the service to enforce the schema of `request`.

        Only local servers take another root than an object. Beside tools a schema is left to the prompt: some servers
        refuse both together, and one that constrains the reply by a grammar never calls a function.
        """
        if request.schema is None or request.tools or not self.takes_schema:
            return False
        return is_object_schema(request.schema) or is_loopback(urlsplit(self.base_url).hostname or "")


class Dialect(ABC):
    """A request format that several services share. It has no state: one value serves all requests.

    A subclass is a file of this package, and a row of `dialects._PLACES`. What it encodes and decodes stands in
    `wire`.

    Example:
        ::

            dialect = find_dialect("chat-completions")
            body = dialect.encode_request(request, Service("openai", "https://api.openai.com/v1", "m"))
            decoder = dialect.make_decoder(request, body)
    """

    name: ClassVar[str]
    """Name, as in ``--dialect NAME``."""
    title: ClassVar[str]
    """Name of the API in sentences, such as "the Responses API"."""
    path: ClassVar[str]
    """Path of the endpoint below the base URL."""
    count_path: ClassVar[str] = ""
    """Path of the endpoint that counts the tokens of a request; empty if there is none."""
    headers: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Headers of every request."""
    parameters: ClassVar[Mapping[str, str]]
    """Parameters of requests: name -> one line of help."""
    lacks: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Parameters of other dialects that this one does not have: name -> what to do instead; empty for nothing."""
    fields: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Parameters that stand in the body under another name, or in an object: parameter -> field of the body."""
    documents: ClassVar[DocumentRules]
    """What requests may hold of documents."""
    adaptations: ClassVar[tuple[Adaptation, ...]]
    """What to leave out where a server refuses it."""

    def auth_headers(self, credential: Secret) -> dict[str, Secret]:
        """Return the header that carries the credential (RFC 6750, 2.1)."""
        return {"authorization": credential.bearer()}

    @abstractmethod
    def encode_request(self, request: ChatRequest, service: Service) -> Body:
        """Return the JSON body for a request.

        Args:
            request: What is asked; its parameters have passed `check_params`.
            service: Who is asked.

        Raises:
            UsageError: A parameter has a value that the dialect can't express.
        """

    def encode_count(self, body: Body) -> Body:
        """Return the body that asks `count_path` how many tokens the request with `body` has."""
        return body

    @abstractmethod
    def make_decoder(self, request: ChatRequest, body: Body) -> Decoder:
        """Return the decoder of the response to `request`, which was sent as `body`."""

    def check_params(self, params: Mapping[str, Any], provider: str) -> None:
        """Raise `UsageError` for a parameter of another dialect, with what this one has."""
        for name in params:
            if name in self.lacks:
                title = _(self.title)
                title = f"{title[0].upper()}{title[1:]}"
                instead = f" {_(self.lacks[name])}" if self.lacks[name] else ""
                raise UsageError(
                    _(
                        "{title} has no parameter {name!r}.{instead} Leave it out, or use another "
                        "dialect (`%lockbots use {provider} --dialect NAME`). It has: {names}.",
                        title=title,
                        name=name,
                        instead=instead,
                        provider=provider,
                        names=", ".join(sorted(self.parameters)),
                    )
                )

    def given_fields(self, params: Mapping[str, Any]) -> frozenset[str]:
        """Return the fields of a body that the parameters of a request set."""
        extra = params.get("extra_body")
        names = {*params, *(extra if isinstance(extra, Mapping) else ())} - {"extra_body"}
        return frozenset(names | {self.fields[name] for name in names if name in self.fields})

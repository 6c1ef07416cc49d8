"""Endpoints that speak one of the shared dialects, with a list of models beside it; `presets` has the well-known ones.

Wire facts: the OpenAI API reference, "Create chat completion" and "List models".
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from ..conversation.cancellation import Cancellation
from ..conversation.documents import DOCUMENT_MODES, NO_DOCUMENTS, PDF, DocumentMode, DocumentRules
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..conversation.opaque_data import OpaqueData
from ..errors import (
    ContextLengthError,
    ModelNotFoundError,
    ProviderError,
    UsageError,
)
from ..language import N_, _
from ..security.secrets import Secret
from .adaptation import stream_adapted
from .adaptation_table import Adaptation
from .address import display_address, is_azure, is_local, join_path, saved_address
from .advice import (
    advise_on_dialect,
    advise_on_missing_path,
    advise_on_request,
    append_advice,
    is_unknown_model,
    is_wrong_address,
)
from .dialects import CHAT_COMPLETIONS, DIALECTS, MESSAGES, find_dialect
from .dialects.base import Service
from .document_parts import make_documents_rows
from .http import HTTPRequest
from .http.request import is_loopback
from .http_provider import HTTPProvider
from .parameters import CHAT_PARAMETERS, LOCAL_PARAMETERS, MAX_TEMPERATURE, check_limits, check_temperature, check_types
from .response import Decoder, read_response
from .server_probe import ServerProbe, strip_endpoint
from .validation import parse_choice
from .wire.charset import as_utf8
from .wire.model_list import ModelList, read_model_list
from .wire.prompt_cache import CACHE_MODES, CacheMode
from .wire.reasoning_effort import EffortStyle
from .wire.usage import read_token_count

DEFAULTS_DATE = "2026-11-30"
"""Date at which the default models of `PRESETS` were looked up, each in its service's documentation: what it recommends
in place of what it retires, of the least expensive kind."""
MODEL_LIST_TIMEOUT = 10.0
"""Time (s) for the list of models."""
COUNT_TIMEOUT = 30.0
"""Time (s) for the number of tokens of a request."""
_LATE_COUNT = N_("The number of tokens took longer than {timeout:g} s.")
MAX_PAGES = 50
"""Further pages of a list of models that are read."""
SMALL_CONTEXT = 200_000
"""Context window (tokens) of models that take only `MAX_PAGES_OF_SMALL` pages (Anthropic, "PDF support")."""
MAX_PAGES_OF_SMALL = 100


class OpenAICompatible(HTTPProvider):
    """An endpoint at any base URL (version path included), in the dialect that is chosen or that is its own.

    Unknown models are passed on: the server decides.

    Args:
        dialect: Name of one of `dialects.DIALECTS`; by default the one that the service speaks at that base URL.
        cache: How long the service is to keep the stable head of a conversation, where the dialect says that:
            `"auto"` (some minutes), `"1h"` or `"off"`.
        send_documents: How documents are sent. `"auto"`: a PDF as the file, where the dialect has that and the server
            takes it, else as its text; `"native"`: all of them as files, or an error; `"text"`: all as their text.
        **settings: As for `Provider`.

    Raises:
        UsageError: The dialect is unknown, or the service has another one; or as for `Provider`.
    """

    name = "openai"
    url = "https://api.openai.com/v1"
    takes_images = True
    takes_tools = True
    takes_documents: ClassVar[bool] = False
    """Whether the service, at its own address, is known to take documents in chat completions, too."""
    reports_usage: ClassVar[bool] = False
    """Whether the server is known to accept ``stream_options`` (token counts at the end of a stream)."""
    effort_style: ClassVar[EffortStyle] = "openai"
    """How the service is told the parameter `reasoning_effort`."""
    takes_schema: ClassVar[bool] = True
    """Whether the service may enforce a JSON schema; one that refuses it is asked again without."""
    lists_models: ClassVar[bool] = True
    """Whether the server has a list of models, which tells more about an error."""
    dialects: ClassVar[tuple[str, ...]] = DIALECTS
    """Names of the dialects to choose from."""
    native_dialect: ClassVar[str] = CHAT_COMPLETIONS
    """Dialect that the service speaks at its own address."""
    other_dialect: ClassVar[str] = CHAT_COMPLETIONS
    """Dialect that is spoken at any other base URL."""
    parameters: ClassVar[Mapping[str, str]] = CHAT_PARAMETERS

    is_local: ClassVar[bool] = False
    """Whether the service is one that people run themselves, wherever it is."""

    def __init__(
        self,
        *,
        dialect: str | None = None,
        cache: CacheMode = "auto",
        send_documents: DocumentMode = "auto",
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.send_documents = parse_choice("send_documents", send_documents, DOCUMENT_MODES)
        self.cache = parse_choice("cache", cache, CACHE_MODES)
        self.dialect = find_dialect(dialect or self._default_dialect(), self.dialects)
        if self.dialect.name != CHAT_COMPLETIONS:
            self.parameters = dict(self.dialect.parameters)  # type: ignore[misc]  # of this provider, not of its class

    def _default_dialect(self) -> str:
        return self.native_dialect if self._is_own_address() else self.other_dialect

    def _is_own_address(self) -> bool:
        """Whether requests go to the service itself, one of its regions included."""
        host, own = (urlsplit(url).hostname or "" for url in (self.base_url, self.url))
        return self.base_url == self.url or (bool(own) and f".{host}".endswith(f".{own}") and not is_loopback(own))

    @property
    def spoken_dialect(self) -> str:
        """Name of the dialect of requests; `""` for chat completions where they are the default."""
        is_usual = self.dialect.name == self._default_dialect() == CHAT_COMPLETIONS
        return "" if is_usual else self.dialect.name

    def takes(self, param: str) -> bool:
        """Whether a request may set this parameter; servers on this machine take more of them."""
        if super().takes(param):
            return True
        passes_on = param in LOCAL_PARAMETERS and "extra_body" in self.parameters
        return passes_on and (self.is_local or is_local(self.base_url))

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise `UsageError` if a parameter is unknown, or its value can't be meant: a text for a dict, no token."""
        for param in params:
            if param in LOCAL_PARAMETERS and "extra_body" in self.parameters and not self.takes(param):
                raise UsageError(
                    _(
                        "Unknown parameter {param!r} for {name}: servers on your own machine take it. If "
                        "this one does, pass it in extra_body={{{param!r}: ...}}; in a cell: -p "
                        "'extra_body={{\"{param}\": ...}}'.",
                        param=param,
                        name=self.name,
                    )
                )
        self.dialect.check_params(params, self.name)
        super().check_params(params)
        check_types(params)
        check_limits(params)
        has_own_range = self.is_local or self.dialect.name == MESSAGES  # the latter's is checked with its reasoning
        is_service = self._is_own_address() and not has_own_range
        check_temperature(params.get("temperature"), highest=MAX_TEMPERATURE if is_service else math.inf)

    def ready(self) -> None:
        """Require the credential at the default base URL only; a server elsewhere may need none."""
        if self.base_url == self.url:
            super().ready()

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request and yield the reply; what the server refuses of the toolkit's own is left out."""
        http_request = self.build_request(request, model)

        def send(body: dict[str, Any]) -> Iterator[Delta]:
            sent = http_request if body is http_request.json else replace(http_request, json=body)
            return self._send(sent, request, model, deadline)

        given = self.dialect.given_fields(request.params)
        key = http_request.url, model.id
        rows = self.adaptations_of(request)
        return stream_adapted(send, http_request.json, given, self.learned, key, rows=rows)

    def adaptations_of(self, request: ChatRequest) -> tuple[Adaptation, ...]:
        """Return what may be taken back of a request that the server refuses."""
        as_text = () if self.send_documents == "native" else make_documents_rows(request.rich_messages)
        return (*self.dialect.adaptations, *as_text)

    def _send(
        self, http_request: HTTPRequest, request: ChatRequest, model: ModelInfo, deadline: float
    ) -> Iterator[Delta]:
        with self.open(http_request, deadline, request.cancellation) as exchange:
            for delta in read_response(exchange, self.make_decoder(request, http_request.json)):
                yield self._with_origin(delta, model) if delta.opaque or delta.calls else delta

    def make_decoder(self, request: ChatRequest, body: dict[str, Any]) -> Decoder:
        """Return the decoder of the response to `request`, which was sent as `body`."""
        return self.dialect.make_decoder(request, body)

    def _with_origin(self, delta: Delta, model: ModelInfo) -> Delta:
        """Return the delta with the origin of its opaque data, and of those of its calls."""
        origin = self.name, saved_address(self.base_url), model.id
        if delta.opaque is not None:
            delta = delta._replace(opaque=OpaqueData(delta.opaque.data, *origin))
        return delta._replace(
            calls=tuple(
                call._replace(opaque=OpaqueData(call.opaque.data, *origin)) if call.opaque else call
                for call in delta.calls
            )
        )

    def document_rules(self, model: str) -> DocumentRules:
        """Return what requests may hold of documents; of servers that people run themselves, none is known to be read.

        Some of those that speak a dialect ignore a document without a word.
        """
        rules = self.dialect.documents
        info = self.model_info(model)
        if rules.max_pages and info.token_limit and info.token_limit <= SMALL_CONTEXT:
            rules = replace(rules, max_pages=MAX_PAGES_OF_SMALL)
        if self.send_documents == "native":
            return replace(rules, insists=True)
        is_known = (
            self.takes_documents and self._is_own_address()
            if self.dialect.name == CHAT_COMPLETIONS
            else not self.is_local
        )
        is_taken = self.send_documents == "auto" and is_known and info.takes_images is not False
        return replace(rules, media_types=rules.media_types & {PDF}) if is_taken else NO_DOCUMENTS

    def chat_endpoint(self, model: ModelInfo) -> str:
        """Return the URL that chat requests go to."""
        return self.endpoint(self.dialect.path)

    def build_request(self, request: ChatRequest, model: ModelInfo) -> HTTPRequest:
        """Return the HTTP request for `request`."""
        return HTTPRequest(
            "POST",
            self.chat_endpoint(model),
            json=self.build_body(request, model),
            headers=self.dialect.headers,
            secret_headers=self.build_auth_header(),
            base_url=self.base_url,
        )

    def build_body(self, request: ChatRequest, model: ModelInfo) -> dict[str, Any]:
        """Return the JSON body for `request`."""
        service = Service(
            self.name,
            self.base_url,
            model.id,
            self.reports_usage,
            self.effort_style,
            self.takes_schema,
            self.cache,
        )
        return self.dialect.encode_request(request, service)

    def build_auth_header(self) -> dict[str, Secret]:
        """Return the header that carries the credential, if there is one; Azure has its own."""
        if not self.auth:
            return {}
        return {"api-key": self.auth} if is_azure(self.base_url) else self.dialect.auth_headers(self.auth)

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return the model to send to; without a declared default, the first one that the server lists."""
        info = self.model_info(model)
        if info.id:
            return info
        listed = self._fetch_models(cancellation, retry=True).models
        for one in listed:
            if not one.kind:
                return one
        if listed:
            message = _(
                "{name} lists no chat model, only {other}. Load one there, or name it: `{name}:MODEL`.",
                name=self.name,
                other=listed[0].name or listed[0].id,
            )
        else:
            message = _("{name} serves no model yet. Load one there, or name it: `{name}:MODEL`.", name=self.name)
        raise ModelNotFoundError(message, provider=self.name)

    def count_tokens(self, request: ChatRequest) -> int | None:
        """Ask the service how many tokens a request has, where the dialect has an endpoint for that."""
        if not self.dialect.count_path:
            return None
        self.check_parts(request)
        self.ready()
        model = self.resolved(request.model, request.cancellation)
        asked = self.build_request(request, model)
        asked = replace(asked, url=self.endpoint(self.dialect.count_path), json=self.dialect.encode_count(asked.json))
        with (
            self.errors_named(),
            self.open(
                asked,
                time.monotonic() + COUNT_TIMEOUT,
                request.cancellation,
                late=_(_LATE_COUNT, timeout=COUNT_TIMEOUT),
            ) as exchange,
        ):
            return read_token_count(exchange.read_body())

    def list_models(self) -> list[ModelInfo]:
        """Ask the server for its models: `GET {base}/models`.

        Raises:
            ProviderError: The server failed to reply, or not with a list of models.
            AuthenticationError: The credential is missing.
        """
        return list(self.model_list().models)

    def model_list(self) -> ModelList:
        """Ask the server for its models, see `list_models`."""
        self.ready()
        return self._fetch_models(Cancellation())

    def _fetch_models(self, cancellation: Cancellation, *, retry: bool = False) -> ModelList:
        def read() -> ModelList:
            return self._read_models(self.base_url, time.monotonic() + MODEL_LIST_TIMEOUT, cancellation)

        try:
            return self.retried(read, cancellation) if retry else read()
        except ProviderError as error:
            append_advice(error, self.advise(error, ChatRequest("", (), cancellation=cancellation), has_text=False))
            raise

    def _read_models(self, base_url: str, deadline: float, cancellation: Cancellation) -> ModelList:
        url = join_path(base_url, "/models")
        listed = self._read_page(url, base_url, deadline, cancellation)
        last = ""
        for _unused in range(MAX_PAGES):
            if not listed.next_page or listed.next_page == last:  # some ignore the field, and send the same page
                break
            last = listed.next_page
            after = f"{url}{'&' if '?' in url else '?'}after_id={quote(listed.next_page, safe='')}"
            listed = listed.extended(self._read_page(after, base_url, deadline, cancellation))
        return listed

    def _read_page(self, url: str, base_url: str, deadline: float, cancellation: Cancellation) -> ModelList:
        request = HTTPRequest(
            "GET",
            url,
            headers=self.dialect.headers,
            secret_headers=self.build_auth_header(),
            base_url=base_url,
        )
        late = _("The list of models took longer than {model_list_timeout:g} s.", model_list_timeout=MODEL_LIST_TIMEOUT)
        with self.errors_named(), self.open(request, deadline, cancellation, late=late) as exchange:
            return read_model_list(as_utf8(exchange, exchange.charset))

    def advise(self, error: ProviderError, request: ChatRequest, *, has_text: bool) -> str:
        """Return what to do about `error`; the server's list of models may tell."""
        if advice := advise_on_dialect(error, self.name, request.model, self.dialect.name, self.dialects):
            return advice
        known = super().advise(error, request, has_text=has_text)
        if has_text or not self.lists_models:
            return known
        probe = ServerProbe(
            self.name, self.base_url, lambda url, end: self._read_models(url, end, request.cancellation)
        )
        if isinstance(error, ContextLengthError):
            error.limit = error.limit or probe.context_size(request.model)
        elif is_unknown_model(error) and request.model and not advise_on_request(error, request, ""):
            advice = probe.advise_on_model(request.model)
            if request.model != self.default_model:
                return advice
            known = _(
                "It was the default for {name} on {defaults_date}, when this release was made",
                name=self.name,
                defaults_date=DEFAULTS_DATE,
            )
            return _(
                "{known}. {advice} To choose another one: `%lockbots use {name}:MODEL`.",
                known=known,
                advice=advice,
                name=self.name,
            )
        elif is_wrong_address(error) and not known:
            return self._advise_on_address(probe, request.model)
        return known

    def _advise_on_address(self, probe: ServerProbe, model: str) -> str:
        is_missing = self.dialect.name != CHAT_COMPLETIONS and not self._is_own_address() and probe.models() is not None
        if is_missing:
            return advise_on_missing_path(display_address(self.base_url), self.dialect.path, self.name, model)
        return probe.advise_on_address(model)

    def _find_base_url(self, given: str | None) -> tuple[str, str]:
        base_url, variable = super()._find_base_url(given)
        return strip_endpoint(base_url), variable

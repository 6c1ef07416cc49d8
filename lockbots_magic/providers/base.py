"""Base class of all providers: declarations, settings, checks, and the one streaming method."""

from __future__ import annotations

import copy
import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from ..conversation.cancellation import Cancellation
from ..conversation.documents import NO_DOCUMENTS, DocumentRules
from ..conversation.messages import ChatRequest, Delta, Message, ModelInfo, Tool
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import AuthenticationError, ModelNotFoundError, UsageError
from ..language import _
from ..security.redaction import redacted
from ..security.secrets import Secret
from ..security.url_secrets import secrets_of_path
from .address import display_address, join_path
from .declarations import class_property, read_models
from .headers import RequestHeaders
from .learned import LearnedFacts
from .parameters import unknown_parameter
from .streaming import read_text
from .validation import (
    parse_base_url,
    parse_count,
    parse_limit,
    parse_seconds,
    parse_switch,
    parse_timeout,
    wrap_credential,
)
from .wire.model_list import ModelList

if TYPE_CHECKING:
    from typing_extensions import Self


_told_addresses: set[tuple[str, str]] = set()
"""Providers and their addresses of which a notice has told, in this process."""


class Provider(ABC):
    """A service that replies to chat requests.

    A subclass sets the class attributes below and implements `stream`; the rest is inherited. Keep the
    state of a reply in local variables of `stream`: several replies may stream at once.

    A copy (`copy.copy`, `copy.deepcopy`) keeps the credential. A pickle never holds it: the loaded provider takes
    its credential from the environment.

    Args:
        base_url: Base URL of the service; by default the environment variables of `base_url_variables`, else `url`.
        auth: Credential; by default the environment variables of `credential_variables`.
        headers: Further headers of every request; a value ``$NAME`` is read from the environment.
        timeout: Time (s) to connect, and time without data; None for no limit. The silence of a server on this
            machine, which may load a model or read a long prompt, is not limited by default; elsewhere it is
            `DEFAULT_SILENCE`.
        total_timeout: Time (s) for the whole reply, retries included; None for no limit.
        max_retries: Retries after the first attempt, as long as no text has arrived.
        backoff: Pause (s) before the first retry, doubled each time.
        stream: False asks for the reply as one whole, where the service can do both.

    Raises:
        UsageError: An argument is invalid.

    Example:
        ::

            class Parrot(Provider):
                name = "parrot"

                def stream(self, request):
                    yield Delta(request.messages[-1].content, finish_reason="stop")
    """

    name: ClassVar[str]
    """Name in ``provider:model``."""
    headers = RequestHeaders({})
    """Headers of the user's own, sent with every request."""
    streams = True
    """Whether requests ask for the reply piece by piece."""
    base_url_variable = ""
    """Environment variable that names the base URL, if one does."""
    url: ClassVar[str] = ""
    """Default base URL."""
    models: ClassVar[Mapping[str, ModelInfo]] = MappingProxyType({})
    default_model: ClassVar[str] = ""
    supports_stream: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = False
    takes_images: ClassVar[bool] = False
    """Whether a message may hold images; `ModelInfo.takes_images` takes precedence."""
    takes_tools: ClassVar[bool] = False
    """Whether a request may offer tools to the model."""
    aliases: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Alternative names of models: alias -> id."""
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Parameters that ``-p name=value`` may set: name -> one line of help."""
    credential_env: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may hold the credential, after ``LOCKBOTS_<NAME>_AUTH``."""
    base_url_env: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may hold the base URL, after ``LOCKBOTS_<NAME>_BASE_URL``."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        auth: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | RequestHeaders | None = None,
        timeout: tuple[float | None, float | None] = (10, None),
        total_timeout: float | None = None,
        max_retries: int = 2,
        backoff: float = 0.5,
        stream: bool = True,
    ) -> None:
        auth = wrap_credential(auth)  # first: tracebacks that show this frame show no credential
        headers = RequestHeaders.of(headers)
        self.base_url, self.base_url_variable = self._find_base_url(base_url)
        self.headers = headers
        self.streams = parse_switch("stream", stream)
        self.auth = auth or self.credential_from_environment()
        self.timeout = parse_timeout(timeout)
        self.total_timeout = parse_limit("total_timeout", total_timeout)
        self.max_retries = parse_count("max_retries", max_retries)
        self.backoff = parse_seconds("backoff", backoff, allow_zero=True)

    @property
    def learned(self) -> LearnedFacts:
        """What servers have refused; a session shares it among its providers. Set it to share it."""
        facts: LearnedFacts = vars(self).setdefault("_learned", LearnedFacts())
        return facts

    @learned.setter
    def learned(self, facts: LearnedFacts) -> None:
        vars(self)["_learned"] = facts

    def __repr__(self) -> str:
        return redacted(f"{type(self).__name__}(base_url={display_address(self.base_url)!r})")

    def __copy__(self) -> Self:
        return self._duplicate(self.__getstate__())

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self._duplicate(copy.deepcopy(self.__getstate__(), memo))

    def __getstate__(self) -> dict[str, Any]:
        return {name: None if isinstance(value, Secret) else value for name, value in vars(self).items()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.auth = self.credential_from_environment()

    def _duplicate(self, state: dict[str, Any]) -> Self:
        new = object.__new__(type(self))
        new.__setstate__(state)
        vars(new).update({name: value for name, value in vars(self).items() if isinstance(value, Secret)})
        new.auth = self.auth
        return new

    @abstractmethod
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it arrives. Closing the generator closes the connection.

        Raises:
            ProviderError: The provider failed; the class says how.
            UsageError: The request is invalid; nothing was sent.
        """

    @class_property
    def supports_gpt_4(cls) -> bool:  # noqa: N805  # a class property
        """Whether the table of models has GPT-4."""
        return "gpt-4" in cls.models

    @class_property
    def supports_gpt_35_turbo(cls) -> bool:  # noqa: N805  # a class property
        """Whether the table of models has GPT-3.5."""
        return "gpt-3.5-turbo" in cls.models

    @class_property
    def params(cls) -> str:  # noqa: N805  # a class property
        """Parameters of `create_completion`, as one readable line."""
        signature = inspect.signature(cls.create_completion)
        described = [f"{p.name}: {p.annotation}" for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        described += [f"{name}: {text}" for name, text in cls.parameters.items()]
        return f"{cls.name} supports: ({', '.join(described)})"

    @classmethod
    def credential_from_environment(cls) -> Secret | None:
        """Return the credential that the environment holds for this provider, if any."""
        for variable in cls.credential_variables():
            if value := os.environ.get(variable, "").strip():
                return wrap_credential(value)
        return None

    @classmethod
    def credential_variables(cls) -> tuple[str, ...]:
        """Return the environment variables that may hold the credential, in order of precedence."""
        return (f"LOCKBOTS_{cls.name.upper().replace('-', '_')}_AUTH", *cls.credential_env)

    @classmethod
    def base_url_variables(cls) -> tuple[str, ...]:
        """Return the environment variables that may hold the base URL, in order of precedence."""
        return (f"LOCKBOTS_{cls.name.upper().replace('-', '_')}_BASE_URL", *cls.base_url_env)

    @classmethod
    def complete_base_url(cls, url: str, variable: str) -> str:
        """Hook: override where an environment variable holds less than the base URL. Return the base URL.

        Args:
            url: Value of the variable.
            variable: Its name.
        """
        return url

    @classmethod
    def default_base_url(cls) -> tuple[str, str]:
        """Return the base URL without one of the caller's own, and the environment variable that names it, or ``""``.

        Raises:
            UsageError: The variable holds no base URL.
        """
        for variable in cls.base_url_variables():
            if value := os.environ.get(variable, "").strip():
                try:
                    return parse_base_url(cls.complete_base_url(value, variable)), variable
                except UsageError as error:
                    raise UsageError(
                        _("The environment variable {variable}: {error}", variable=variable, error=error)
                    ) from None
        return cls.url, ""

    def _find_base_url(self, given: str | None) -> tuple[str, str]:
        return (parse_base_url(given), "") if given else self.default_base_url()

    def endpoint(self, path: str) -> str:
        """Return the URL of `path` below the base URL, whose query stays at the end."""
        return join_path(self.base_url, path)

    def address_notice(self) -> str:
        """Return what is to be said once of the address: that the environment names it; ``""`` otherwise."""
        if not self.base_url_variable or (self.name, self.base_url) in _told_addresses:
            return ""
        _told_addresses.add((self.name, self.base_url))
        return _(
            "Requests for {name} go to {address} ({variable}).",
            name=self.name,
            address=display_address(self.base_url),
            variable=self.base_url_variable,
        )

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Credentials that requests carry."""
        return (*([self.auth] if self.auth else []), *self.headers.secret.values())

    @property
    def echoes(self) -> tuple[Secret, ...]:
        """Credentials that an answer may repeat: those of requests, and those in the path of the base URL."""
        return (*self.secrets, *secrets_of_path(self.base_url))

    def model_info(self, model: str) -> ModelInfo:
        """Return the limits and abilities of `model`, as far as they are known. No I/O.

        Args:
            model: Id or alias; `""` for the default model.

        Raises:
            ModelNotFoundError: The provider serves only the models of its table, and this is not one.
        """
        model = self.aliases.get(model, model) or self.default_model
        return self.models.get(model) or ModelInfo(model)

    def lookup_model(self, model: str, table: Mapping[str, ModelInfo]) -> ModelInfo:
        """Return the entry of `table` for `model`, an id or alias; for a provider that serves only those.

        Raises:
            ModelNotFoundError: There is none; the message lists the known models.
        """
        model = self.aliases.get(model, model) or self.default_model
        if model not in table:
            message = _(
                "Unknown model {model!r} for {name}. Known models: {names}.",
                model=model,
                name=self.name,
                names=", ".join(table),
            )
            raise ModelNotFoundError(message, provider=self.name, model=model)
        return table[model]

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[Message, ...]:
        """Hook: override to supply recorded tool results. Return the results of `calls`, the reply to `request`."""
        return ()

    def recorded_tools(self, key: str) -> tuple[Tool, ...] | None:
        """Hook: override to supply the recorded list of tools that goes by `key`; None if the server is to be asked."""
        return None

    def record_tools(self, key: str, tools: tuple[Tool, ...]) -> None:  # noqa: B027  # a hook, for cassettes
        """Hook: override to record the list of tools that a server gave; it goes by `key`."""

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return the model to send to. For the default model this may ask the server.

        Args:
            model: Id or alias; `""` for the default model.
            cancellation: Ends waiting for the server.

        Raises:
            ProviderError: The server failed to reply.
            Cancelled: `cancellation` was used.
        """
        return self.model_info(model)

    @classmethod
    def known_models(cls) -> Iterable[str]:
        """Return the ids of models that are known without asking a server, for completion."""
        return filter(None, (*cls.models, cls.default_model))

    def list_models(self) -> list[ModelInfo]:
        """Return the models on offer: those of the table, unless a subclass asks its server.

        Raises:
            ProviderError: The server failed to reply.
        """
        return list(self.models.values())

    def model_list(self) -> ModelList:
        """Return the models on offer, and how many rows of the server's list were skipped; see `list_models`."""
        return ModelList(read_models(self.list_models(), self.name))

    def count_tokens(self, request: ChatRequest) -> int | None:
        """Ask the service how many tokens a request has; None if it does not count them. No reply is made.

        Raises:
            ProviderError: The service failed to answer, or the credential is missing.
            UsageError: The request is invalid; nothing was sent.
        """
        return None

    def takes(self, param: str) -> bool:
        """Whether a request may set this parameter."""
        return param in self.parameters

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raise `UsageError` if a parameter is unknown; the message lists the known ones."""
        for param in params:
            if not self.takes(param):
                raise unknown_parameter(param, self.parameters, self.name)

    @property
    def spoken_dialect(self) -> str:
        """Name of the dialect of requests, which turns keep; `""` for the usual one, or where there is no choice."""
        return ""

    def check_parts(self, request: ChatRequest) -> None:
        """Raise `UsageError` if the request has images, documents or tools that the provider does not support."""
        if any(m.images for m in request.rich_messages) and not self.sees(request.model):
            raise UsageError(
                _("{name}:{model} does not support images. Use a model that does.", name=self.name, model=request.model)
            )
        documents = [document for message in request.rich_messages for document in message.documents]
        if documents and not all(map(self.document_rules(request.model).takes, documents)):
            raise UsageError(
                _(
                    "{name}:{model} does not take documents as files. Send their text.",
                    name=self.name,
                    model=request.model,
                )
            )
        if request.tools and not self.takes_tools:
            raise UsageError(_("{name} does not support tools. Omit --tools, or use another provider.", name=self.name))

    def sees(self, model: str) -> bool:
        """Whether `model` accepts images, as far as that is known."""
        known = self.model_info(model).takes_images
        return self.takes_images if known is None else known

    def document_rules(self, model: str) -> DocumentRules:
        """Hook: override where requests may hold documents as files. Return what they may hold for `model`."""
        return NO_DOCUMENTS

    def ready(self) -> None:
        """Check, before any I/O, that requests can be sent.

        Raises:
            AuthenticationError: The credential is missing.
        """
        if self.needs_auth and not self.secrets:
            raise AuthenticationError(
                _(
                    "{name} needs a credential. Set the environment variable {value}, or run `%lockbots login {name}`.",
                    name=self.name,
                    value=self.credential_variables()[-1],
                ),
                provider=self.name,
            )

    @classmethod
    def create_completion(
        cls,
        model: str,
        messages: Iterable[Message | Mapping[str, str]],
        stream: bool = True,
        *,
        base_url: str | None = None,
        auth: str | Secret | None = None,
        headers: Mapping[str, str | Secret] | None = None,
        timeout: tuple[float | None, float | None] | None = None,
        total_timeout: float | None = None,
        max_retries: int | None = None,
        **params: Any,
    ) -> Iterator[str]:
        """Yield the text of a reply: piece by piece, or all at once with `stream=False`.

        Args:
            model: Id or alias; `""` for the default model.
            messages: Dicts or values of `Message`, oldest first.
            stream: Whether to yield pieces as they arrive.
            base_url: Base URL of the service.
            auth: Credential.
            headers: Further headers of the request.
            timeout: Time (s) to connect, and time without data; None for no limit.
            total_timeout: Time (s) for the whole reply, retries included.
            max_retries: Retries after the first attempt.
            params: Other settings of the provider, and parameters of the request such as ``temperature``.

        Raises:
            ProviderError: The provider failed, or the reply was cut short other than by a limit of length; `.partial`
                holds the text so far.
            UsageError: An argument is invalid.

        Example:
            ::

                for text in Lockchat.create_completion("gpt-4", [{"role": "user", "content": "Hello"}]):
                    print(text, end="")
        """
        auth = wrap_credential(auth)
        headers_given = RequestHeaders.of(headers)
        headers = None  # tracebacks that show this frame show no credential
        given: dict[str, Any] = {
            "base_url": base_url,
            "auth": auth,
            "headers": headers_given,
            "timeout": timeout,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
        }
        settings = {k: v for k, v in given.items() if v is not None}
        settings |= {k: params.pop(k) for k in cls.settings() if k in params}
        provider = cls(**settings)
        provider.check_params(params)
        request = ChatRequest(model, tuple(Message.of(m) for m in messages), params, stream)
        reply = TurnAccumulator()
        pieces = read_text(provider, request, reply)
        if stream:
            yield from pieces
        else:
            for _unused in pieces:
                pass
            yield reply.text

    @classmethod
    def settings(cls) -> set[str]:
        """Return the names of the constructor's arguments."""
        parameters = {**inspect.signature(Provider).parameters, **inspect.signature(cls).parameters}
        return {name for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}

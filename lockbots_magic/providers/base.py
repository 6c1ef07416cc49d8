"""What a provider is: what it declares, and its one streaming method."""

from __future__ import annotations

import difflib
import inspect
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import urlsplit

from ..conversation.cancellation import Cancellation
from ..conversation.messages import ChatRequest, Delta, Message, ModelInfo
from ..errors import AuthenticationError, ConnectionFailed, ModelNotFoundError, ProviderError, UsageError
from ..security.secrets import Redactor, Secret
from .http.request import is_loopback
from .http.retry import Deltas, with_retries
from .validation import checked_count, checked_credential, checked_seconds, checked_timeout, checked_url

T = TypeVar("T")


class derived(Generic[T]):  # noqa: N801  # used as a decorator, like property
    """A read-only property of the class itself and of its instances."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __get__(self, _instance: object, owner: type) -> T:
        return self._compute(owner)


def models_table(*models: ModelInfo) -> Mapping[str, ModelInfo]:
    """The read-only mapping id -> model that a provider declares."""
    return MappingProxyType({m.id: m for m in models})


class Provider(ABC):
    """One service that answers chat requests.

    A subclass declares what stands below and writes `stream`; everything else comes with it. The
    state of one reply belongs into local variables of `stream`: several replies may stream at once.

    Args:
        base_url: where the service is, in place of `url`.
        auth: the credential; otherwise the environment is asked, see `credential_env`.
        timeout: (connect, silence), each in s.
        total_timeout: s for the whole reply, retries included.
        max_retries: tries after the first, while no text has come.
        backoff: s before the first retry, doubled each time.

    Raises:
        UsageError: an argument that can't be meant.
    """

    name: ClassVar[str]
    url: ClassVar[str] = ""
    models: ClassVar[Mapping[str, ModelInfo]] = MappingProxyType({})
    default_model: ClassVar[str] = ""
    supports_stream: ClassVar[bool] = True
    needs_auth: ClassVar[bool] = False
    takes_images: ClassVar[bool] = False
    """Whether a message may hold images; a model may know better."""
    takes_tools: ClassVar[bool] = False
    """Whether a request may name functions that the model can ask to have called."""
    aliases: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Other names of models: alias -> id."""
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """What `-p name=value` may set: name -> one line of help."""
    credential_env: ClassVar[tuple[str, ...]] = ()
    """Environment variables that may hold the credential, after `LOCKBOTS_<NAME>_AUTH`."""

    def __init__(
        self,
        *,
        base_url: str | None = None,
        auth: str | Secret | None = None,
        timeout: tuple[float, float] = (10, 60),
        total_timeout: float = 600,
        max_retries: int = 2,
        backoff: float = 0.5,
    ) -> None:
        auth = checked_credential(auth)  # first of all: what shows this frame from here on shows no credential
        self.base_url = checked_url(base_url) if base_url else self.url
        self.auth = auth or self.credential_from_environment()
        self.timeout = checked_timeout(timeout)
        self.total_timeout = checked_seconds("total_timeout", total_timeout)
        self.max_retries = checked_count("max_retries", max_retries)
        self.backoff = checked_seconds("backoff", backoff, zero=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r})"

    @abstractmethod
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes. Closing the generator closes the connection.

        Raises:
            ProviderError: the kind tells what happened, `.partial` what had come.
            UsageError: the request can't be sent as it stands.
        """

    @derived
    def supports_gpt_4(cls) -> bool:  # noqa: N805  # see derived
        """Whether the table of models names GPT-4."""
        return "gpt-4" in cls.models

    @derived
    def supports_gpt_35_turbo(cls) -> bool:  # noqa: N805  # see derived
        """Whether the table of models names GPT-3.5."""
        return "gpt-3.5-turbo" in cls.models

    @derived
    def params(cls) -> str:  # noqa: N805  # see derived
        """What `create_completion` takes, as a line for a person."""
        signature = inspect.signature(cls.create_completion)
        described = [f"{p.name}: {p.annotation}" for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        described += [f"{name}: {text}" for name, text in cls.parameters.items()]
        return f"{cls.name} supports: ({', '.join(described)})"

    @classmethod
    def credential_from_environment(cls) -> Secret | None:
        """The credential that the environment holds for this provider, if any."""
        for variable in cls.credential_variables():
            if value := os.environ.get(variable, "").strip():
                return checked_credential(value)
        return None

    @classmethod
    def credential_variables(cls) -> tuple[str, ...]:
        """The environment variables that are asked for the credential, in order."""
        return (f"LOCKBOTS_{cls.name.upper().replace('-', '_')}_AUTH", *cls.credential_env)

    def model_info(self, model: str) -> ModelInfo:
        """Return what is known of `model` (an id or an alias; `""` is the default model).

        Raises:
            ModelNotFoundError: the provider serves only the models of its table, and this is none of them.
        """
        model = self.aliases.get(model, model) or self.default_model
        return self.models.get(model) or ModelInfo(model)

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[str, ...]:
        """Return what the functions returned that `calls`, the reply to `request`, asks for; a cassette may know."""
        return ()

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return what is known of `model` when it is about to be asked; a server may be asked for its default.

        Raises:
            ProviderError: the server was asked and did not answer.
            Cancelled: `cancellation` was used meanwhile.
        """
        return self.model_info(model)

    def list_models(self) -> list[ModelInfo]:
        """The models on offer. The base class answers from the table; others ask their server.

        Raises:
            ProviderError: the server was asked and did not answer.
        """
        return list(self.models.values())

    def takes(self, param: str) -> bool:
        """Whether a request may set this parameter."""
        return param in self.parameters

    def check_params(self, params: Iterable[str]) -> None:
        """Raise `UsageError` for a parameter that the provider does not take, naming those it does."""
        for param in params:
            if not self.takes(param):
                near = difflib.get_close_matches(param, self.parameters, 1)
                known = ", ".join(sorted(self.parameters)) or "none"
                hint = f" Did you mean {near[0]}?" if near else ""
                raise UsageError(f"{self.name} takes no parameter {param!r}; it takes: {known}.{hint}")

    def check_parts(self, request: ChatRequest) -> None:
        """Raise `UsageError` if the messages hold what can't be sent: images, or functions to be called."""
        if any(m.images for m in request.messages) and not self.sees(request.model):
            raise UsageError(f"{self.name}:{request.model} takes no images; ask a model that does")
        if request.tools and not self.takes_tools:
            raise UsageError(f"{self.name} can't call functions; ask without --tools, or another provider")

    def sees(self, model: str) -> bool:
        """Whether `model` takes images, as far as that is known."""
        known = self.model_info(model).takes_images
        return self.takes_images if known is None else known

    def ready(self) -> None:
        """Check, before any I/O, that a request can be sent at all.

        Raises:
            AuthenticationError: the credential is missing.
        """
        if self.needs_auth and not self.auth:
            raise AuthenticationError(
                f"{self.name} needs a credential: set {self.credential_variables()[-1]} in the environment, "
                f"or run  %lockbots login {self.name}",
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
        timeout: tuple[float, float] | None = None,
        total_timeout: float | None = None,
        max_retries: int | None = None,
        **params: Any,
    ) -> Iterator[str]:
        """Yield the reply's text: piece by piece, or whole at once with `stream=False`.

        Args:
            model: id or alias; `""` for the default.
            messages: dicts or `Message`s, oldest first.
            stream: whether to yield pieces as they arrive.
            base_url, auth, timeout, total_timeout, max_retries: as in the constructor.
            params: what the provider takes, such as ``temperature``.

        Raises:
            ProviderError: also when the stream ends without its end mark, with the text so far in `.partial`.
            UsageError: an argument the provider does not take.
        """
        auth = checked_credential(auth)
        given: dict[str, Any] = {
            "base_url": base_url,
            "auth": auth,
            "timeout": timeout,
            "total_timeout": total_timeout,
            "max_retries": max_retries,
        }
        settings = {k: v for k, v in given.items() if v is not None}
        settings |= {k: params.pop(k) for k in cls.settings() if k in params}
        provider = cls(**settings)
        provider.check_params(params)
        request = ChatRequest(model, tuple(Message.of(m) for m in messages), params, stream)
        pieces = _text_only(provider, request)
        if stream:
            yield from pieces
        else:
            yield "".join(pieces)

    @classmethod
    def settings(cls) -> set[str]:
        """The names of the arguments that this provider can be made with."""
        parameters = {**inspect.signature(Provider).parameters, **inspect.signature(cls).parameters}
        return {name for name, p in parameters.items() if p.kind is not p.VAR_KEYWORD}


def _text_only(provider: Provider, request: ChatRequest) -> Iterator[str]:
    pieces: list[str] = []
    finish_reason = None
    with closed(provider.stream(request)) as deltas:
        for delta in deltas:
            finish_reason = delta.finish_reason or finish_reason
            if delta.text:
                pieces.append(delta.text)
                yield delta.text
    if finish_reason == "truncated":
        cut = "the stream ended without its end mark; the reply is not whole"
        raise ConnectionFailed(cut, provider=provider.name, model=request.model, partial="".join(pieces))


@contextmanager
def closed(deltas: Iterator[Delta]) -> Iterator[Iterator[Delta]]:
    """Close a generator on leaving the block, not whenever it happens to be collected."""
    try:
        yield deltas
    finally:
        if isinstance(deltas, Generator):
            deltas.close()


class HTTPProvider(Provider):
    """A provider behind HTTP: a subclass writes `attempt`, one try at the request."""

    @abstractmethod
    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request once and yield the reply; `deadline` is a `time.monotonic()` (s)."""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes, after retries where they are due; see `Provider.stream`."""
        self.check_parts(request)
        self.ready()
        model = self.resolved(request.model, request.cancellation)
        deadline = time.monotonic() + self.total_timeout
        pieces: list[str] = []
        deltas = with_retries(
            lambda: self._attempt(request, model, deadline),
            max_retries=self.max_retries,
            backoff=self.backoff,
            deadline=deadline,
            cancellation=request.cancellation,
        )
        try:
            with closed(deltas):
                for delta in deltas:
                    pieces.append(delta.text)
                    yield delta
        except ProviderError as error:
            error.provider, error.model, error.partial = self.name, model.id, "".join(pieces)
            error.args = (f"{error}{self._advice(error)}",)
            raise

    def redacted(self, error: ProviderError) -> ProviderError:
        """Return `error` without the credential, which a server's words may repeat."""
        if self.auth:
            error.args = (self.auth.redact(str(error)),)
        return error

    def _advice(self, error: ProviderError) -> str:
        """What to do about `error`, where that is plain."""
        if isinstance(error, AuthenticationError):
            return f"; to give another credential: %lockbots login {self.name}"
        if isinstance(error, ModelNotFoundError):
            return f"; to see which there are: %lockbots models {self.name}"
        if (
            isinstance(error, ConnectionFailed)
            and not error.partial
            and is_loopback(urlsplit(self.base_url).hostname or "")
        ):
            return "; is the server running?"
        return ""

    def _attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Deltas:
        try:
            deltas = self.attempt(request, model, deadline)
            yield from deltas if self.auth is None else _without(self.auth, deltas)
        except ProviderError as error:
            self.redacted(error)
            raise


def _without(secret: Secret, deltas: Iterator[Delta]) -> Deltas:
    """Yield `deltas`, their text without the credential: a server that repeats it must not put it into a notebook."""
    redactor = Redactor(secret)
    with closed(deltas):
        try:
            for delta in deltas:
                text = redactor.feed(delta.text)
                if delta.finish_reason:
                    text += redactor.close()
                yield delta._replace(text=text)
        except ProviderError:
            if held := redactor.close():
                yield Delta(held)
            raise
    if held := redactor.close():  # a provider may end without saying that it does
        yield Delta(held)


def known_model(provider: Provider, model: str, table: Mapping[str, ModelInfo]) -> ModelInfo:
    """Return the entry of `table` for `model`.

    Raises:
        ModelNotFoundError: there is none; the message lists those there are.
    """
    model = provider.aliases.get(model, model) or provider.default_model
    if model not in table:
        message = f"{provider.name} has no model {model!r}; it has: {', '.join(table)}"
        raise ModelNotFoundError(message, provider=provider.name, model=model)
    return table[model]

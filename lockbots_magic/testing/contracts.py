"""Contracts of plug-ins, as tests: a provider or a loader that passes them works everywhere in the package.

Three lines prove a provider, and three a loader. Put them into a test file of the plug-in, and run pytest::

    class TestParrot(ProviderContract):
        provider = Parrot


    class TestWiki(LoaderContract):
        loader = load
        argument = "Home"

The built-in providers pass the same tests.
"""

from __future__ import annotations

import copy
import inspect
import itertools
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import pytest

from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import UsageError
from ..providers.base import Provider
from ..providers.streaming import read_stream

CREDENTIAL = "fake-credential-0123456789"


@dataclass(frozen=True)
class ProviderCase:
    """A provider that a contract looks at."""

    cls: type[Provider]
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of its constructor."""
    model: str = ""
    """Model to ask; ``""`` for the default one."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of each request."""

    def make(self, **more: Any) -> Provider:
        """Return a provider."""
        return self.cls(**{**self.settings, **more})

    def pieces(self, prompt: str, stream: bool = True, **more: Any) -> Iterator[str]:
        """Return the pieces of the reply to a prompt, as the package's own entry yields them."""
        messages = [{"role": "user", "content": prompt}]
        given = {**self.settings, **self.params, **more}
        return self.cls.create_completion(self.model, messages, stream, **given)

    def deltas(self, prompt: str) -> Iterator[Delta]:
        """Return the deltas of the reply to a prompt."""
        request = ChatRequest(self.model, ({"role": "user", "content": prompt},), self.params)  # type: ignore[arg-type]  # dicts become messages
        return read_stream(self.make(), request)


class ProviderContract:
    """What is true of every provider. Subclass it in a test file, and name the provider.

    Asking costs what the provider costs: let `settings` lead a provider of a service to a server of the tests, such as
    `lockbots_magic.testing.mock_server`. The provider must give equal replies to equal prompts, and others to others.
    """

    provider: ClassVar[type[Provider]]
    settings: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    """Arguments of its constructor."""
    model: ClassVar[str] = ""
    """Model to ask; ``""`` for the default one."""
    prompts: ClassVar[tuple[str, str]] = ("How do I start?", "What comes next?")

    @pytest.fixture
    def case(self) -> ProviderCase:
        """Return the provider that the tests look at."""
        return ProviderCase(self.provider, self.settings, self.model)

    def test_declares_what_a_provider_declares(self, case: ProviderCase) -> None:
        cls = case.cls
        assert isinstance(cls, type)
        assert issubclass(cls, Provider)
        assert cls.name == cls.name.lower(), "the name is written in small letters"
        assert ":" not in cls.name, "a model is written provider:model"
        assert isinstance(cls.url, str)
        assert isinstance(cls.needs_auth, bool)
        assert all(isinstance(model, ModelInfo) and model.id == key for key, model in cls.models.items())
        assert not cls.models or cls.default_model in cls.models
        assert inspect.getdoc(cls), "the docstring is shown by `%lockbots providers`"

    def test_class_holds_no_state_that_a_caller_could_change(self, case: ProviderCase) -> None:
        for declared in (case.cls.models, case.cls.aliases, case.cls.parameters):
            with pytest.raises(TypeError):
                declared["x"] = "y"  # type: ignore[index]  # that it can't is what is tested

    def test_stream_is_a_generator_of_deltas_that_ends_with_a_finish_reason(self, case: ProviderCase) -> None:
        assert not inspect.isasyncgenfunction(case.cls.stream), "`stream` is not async"
        deltas = list(case.deltas(self.prompts[0]))
        assert all(isinstance(delta, Delta) for delta in deltas)
        assert "".join(delta.text for delta in deltas)
        assert [delta.finish_reason for delta in deltas if delta.finish_reason] == ["stop"]

    def test_completion_yields_text_in_pieces(self, case: ProviderCase) -> None:
        pieces = list(case.pieces(self.prompts[0]))
        assert pieces
        assert all(isinstance(piece, str) and piece for piece in pieces)

    def test_completion_without_stream_yields_the_same_text_once(self, case: ProviderCase) -> None:
        assert list(case.pieces(self.prompts[0], stream=False)) == ["".join(case.pieces(self.prompts[0]))]

    def test_two_replies_at_once_do_not_mix(self, case: ProviderCase) -> None:
        alone = ["".join(case.pieces(prompt)) for prompt in self.prompts]
        assert alone[0] != alone[1], "give `prompts` that get different replies"
        both = [case.pieces(prompt) for prompt in self.prompts]
        mixed = list(itertools.zip_longest(*both, fillvalue=""))
        assert ["".join(pieces) for pieces in zip(*mixed, strict=True)] == alone

    def test_two_replies_of_one_provider_at_once_do_not_mix(self, case: ProviderCase) -> None:
        provider = case.make()
        alone = ["".join(case.pieces(prompt)) for prompt in self.prompts]
        both = [read_stream(provider, _request(case, prompt)) for prompt in self.prompts]
        mixed = list(itertools.zip_longest(*both, fillvalue=Delta()))
        assert ["".join(delta.text for delta in deltas) for deltas in zip(*mixed, strict=True)] == alone

    def test_closing_a_reply_early_or_late_does_nothing_else(self, case: ProviderCase) -> None:
        for count in (0, 1, 10_000):
            reply = case.pieces(self.prompts[0])
            assert sum(1 for _ in itertools.islice(reply, count)) <= count
            reply.close()  # type: ignore[attr-defined]  # a generator
        assert "".join(case.pieces(self.prompts[0]))

    def test_unknown_parameter_is_a_usage_error(self, case: ProviderCase) -> None:
        with pytest.raises(UsageError, match="temprature"):
            next(case.pieces(self.prompts[0], temprature=1))

    def test_settings_of_every_provider_are_taken_and_checked(self, case: ProviderCase) -> None:
        case.make(timeout=(1, 60), total_timeout=60, max_retries=0, backoff=0.01)
        for timeout in (5, (1, 2, 3), "ab", ("a", "b")):
            with pytest.raises(UsageError, match="timeout"):
                case.make(timeout=timeout)
        for url in ("localhost:8000", "ftp://host", "https://user:word@host", "https://host?key=1"):
            with pytest.raises(UsageError, match="base URL"):
                case.make(base_url=url)

    def test_shows_no_credential_and_pickles_none(self, case: ProviderCase) -> None:
        provider = case.make(auth=CREDENTIAL)
        assert CREDENTIAL not in f"{provider!r} {provider!s} {vars(provider)}"
        assert type(copy.deepcopy(provider)) is type(provider)
        try:
            pickled = pickle.dumps(provider)
        except (AttributeError, TypeError, pickle.PicklingError):  # a lambda or a handle among the settings
            return
        assert CREDENTIAL.encode() not in pickled


class LoaderContract:
    """What is true of every loader, see `lockbots_magic.prompt.loaders`. Subclass it in a test file."""

    loader: ClassVar[Any]
    """The function: it takes a text and returns text and a title."""
    argument: ClassVar[str]
    """Something that it can load."""

    @property
    def function(self) -> Callable[[str], Any]:
        """The function, and not a method of the test."""
        found = inspect.getattr_static(self, "loader")
        function: Callable[[str], Any] = found.__func__ if isinstance(found, staticmethod) else found
        return function

    def test_returns_text_and_a_title(self) -> None:
        loaded = self.function(self.argument)
        assert isinstance(loaded, tuple)
        assert len(loaded) == 2
        text, title = loaded
        assert isinstance(text, str)
        assert text
        assert isinstance(title, str)
        assert title
        assert "\n" not in title, "the title is one line"

    def test_the_first_line_of_the_docstring_describes_it(self) -> None:
        first = (inspect.getdoc(self.function) or "").partition("\n")[0]
        assert first, "`%lockbots loaders` shows it"
        assert len(first) <= 120

    def test_takes_one_text(self) -> None:
        inspect.signature(self.function).bind(self.argument)


def _request(case: ProviderCase, prompt: str) -> ChatRequest:
    return ChatRequest(case.model, ({"role": "user", "content": prompt},), case.params)  # type: ignore[arg-type]  # dicts become messages

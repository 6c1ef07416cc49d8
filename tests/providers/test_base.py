"""Base classes of providers: declarations, settings, credentials, and `create_completion`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lockbots_magic.conversation.messages import ChatRequest, Delta, ModelInfo
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    ModelNotFoundError,
    ProviderError,
    ServerError,
    UsageError,
)
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.declarations import model_table
from lockbots_magic.providers.http_provider import HTTPProvider

SECRET = "correct-horse-battery"
MESSAGES = [{"role": "user", "content": "hi"}]


class Parrot(Provider):
    """Yields the given deltas, and keeps the request."""

    name = "parrot"
    url = "https://parrot.test"
    models = model_table(ModelInfo("gpt-4", max_length=10), ModelInfo("small"))
    default_model = "small"
    aliases = {"tiny": "small"}  # noqa: RUF012  # declared, never changed
    parameters = {"volume": "0 to 11"}  # noqa: RUF012  # declared, never changed
    asked: ChatRequest

    def __init__(
        self, *, says: list[Any] | None = None, closed: threading.Event | None = None, **settings: Any
    ) -> None:
        super().__init__(**settings)
        self.says = says or [Delta("a"), Delta(reasoning="hm"), Delta("b"), Delta(finish_reason="stop")]
        self.closed = closed or threading.Event()

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        type(self).asked = request
        try:
            for said in self.says:
                if isinstance(said, Exception):
                    raise said
                yield said
        finally:
            self.closed.set()


class Wired(HTTPProvider):
    """Fails with the given error, after some text."""

    name = "wired"
    default_model = "m"

    def __init__(self, failure: Exception, **settings: Any) -> None:
        super().__init__(max_retries=0, **settings)
        self.failure = failure

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        yield Delta("half")
        raise self.failure


# create_completion


def test_create_completion_yields_text_alone():
    assert list(Parrot.create_completion("small", MESSAGES)) == ["a", "b"]


def test_without_stream_the_whole_text_comes_at_once():
    assert list(Parrot.create_completion("small", MESSAGES, stream=False)) == ["ab"]
    assert Parrot.asked.stream is False


def test_parameters_reach_the_request_and_settings_the_provider():
    list(Parrot.create_completion("small", MESSAGES, volume=11, says=[Delta("x")], timeout=(1, 2), total_timeout=3))
    assert dict(Parrot.asked.params) == {"volume": 11}
    assert [m.to_dict() for m in Parrot.asked.messages] == MESSAGES


def test_unknown_parameter_is_a_usage_error_with_a_suggestion():
    with pytest.raises(
        UsageError, match=r"Unknown parameter 'volum' for parrot\. Did you mean 'volume'\? Known parameters: volume\."
    ):
        list(Parrot.create_completion("small", MESSAGES, volum=11))


@pytest.mark.parametrize("stream", [True, False])
def test_truncated_stream_is_a_failed_connection_that_keeps_the_text(stream):
    says = [Delta("a"), Delta("b", finish_reason="truncated")]
    with pytest.raises(ConnectionFailed, match="closed early") as caught:
        list(Parrot.create_completion("small", MESSAGES, stream, says=says))
    assert (caught.value.partial, caught.value.provider, caught.value.model) == ("ab", "parrot", "small")


@pytest.mark.parametrize("reason", ["content_filter", "network_error", "refusal", "whatever"])
def test_a_failed_reply_is_an_error_that_keeps_the_text(reason):
    with pytest.raises(ProviderError) as caught:
        list(Parrot.create_completion("small", MESSAGES, says=[Delta("a"), Delta("b", finish_reason=reason)]))
    assert caught.value.partial == "ab"


def test_text_cut_at_a_limit_of_length_is_returned():
    says = [Delta("a"), Delta("b", finish_reason="length")]
    assert list(Parrot.create_completion("small", MESSAGES, says=says)) == ["a", "b"]
    with pytest.raises(ProviderError, match="limit"):
        list(Parrot.create_completion("small", MESSAGES, says=[Delta(finish_reason="length")]))


def test_closing_create_completion_closes_the_stream():
    closed = threading.Event()
    text: Any = Parrot.create_completion("small", MESSAGES, closed=closed)
    assert next(text) == "a"
    text.close()
    assert closed.is_set()


def test_create_completion_keeps_no_credential_in_its_frame():
    text: Any = Parrot.create_completion("small", MESSAGES, auth=SECRET)
    next(text)
    assert SECRET not in repr(text.gi_frame.f_locals)


# Declarations


def test_derived_properties_are_on_the_class_and_its_instances():
    for provider in (Parrot, Parrot()):
        assert (provider.supports_gpt_4, provider.supports_gpt_35_turbo) == (True, False)
        assert provider.params.startswith("parrot supports: (model: ")
        assert "volume: 0 to 11" in provider.params


def test_table_of_models_cannot_be_changed():
    with pytest.raises(TypeError):
        Parrot.models["x"] = ModelInfo("x")


@pytest.mark.parametrize(("model", "known"), [("gpt-4", "gpt-4"), ("tiny", "small"), ("", "small"), ("new", "new")])
def test_model_is_found_by_id_or_alias_or_passed_on(model, known):
    assert Parrot().model_info(model).id == known


def test_unknown_model_error_lists_the_known_ones():
    with pytest.raises(ModelNotFoundError, match=r"Unknown model 'new' for parrot\. Known models: gpt-4, small\."):
        Parrot().lookup_model("new", Parrot.models)
    assert Parrot().lookup_model("tiny", Parrot.models).id == "small"


# Settings


@pytest.mark.parametrize(("name", "value"), [
    ("timeout", 5), ("timeout", (0, 1)), ("total_timeout", 0), ("max_retries", -1), ("max_retries", 1.5),
    ("backoff", -1), ("base_url", "parrot"),
])  # fmt: skip
def test_invalid_setting_is_a_usage_error(name, value):
    with pytest.raises(UsageError):
        Parrot(**{name: value})


def test_base_url_is_the_callers_or_the_default():
    assert Parrot().base_url == "https://parrot.test"
    assert Parrot(base_url="http://localhost:1/v1/").base_url == "http://localhost:1/v1"


# Credentials


def test_credential_comes_from_the_caller_or_the_environment(monkeypatch):
    assert Parrot().auth is None
    monkeypatch.setenv("LOCKBOTS_PARROT_AUTH", "from-environment")
    assert Parrot().auth.reveal() == "from-environment"
    assert Parrot(auth=SECRET).auth.reveal() == SECRET


def test_provider_does_not_show_its_credential():
    provider = Parrot(auth=SECRET)
    assert SECRET not in repr(provider) + repr(vars(provider))


def test_missing_credential_is_an_error_before_any_io():
    class Guarded(Parrot):
        needs_auth = True

    with pytest.raises(AuthenticationError, match="environment variable LOCKBOTS_PARROT_AUTH"):
        Guarded().ready()
    Guarded(auth=SECRET).ready()


# HTTPProvider


def test_error_names_provider_model_and_partial_text_and_no_credential():
    provider = Wired(ServerError(f"bad code {SECRET}", status=500), auth=SECRET)
    with pytest.raises(ServerError, match=r"^bad code \*\*\*$") as caught:
        list(TurnAccumulator().follow(provider.stream(ChatRequest("", ()))))
    assert (caught.value.provider, caught.value.model, caught.value.partial) == ("wired", "m", "half")


def test_credential_cut_across_deltas_is_redacted():
    class Echo(HTTPProvider):
        name = "echo"
        default_model = "m"

        def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
            yield from (Delta(piece) for piece in ("key: ", SECRET[:9], SECRET[9:], "!"))

    for request in (ChatRequest("", ()), ChatRequest("m", ())):
        assert "".join(delta.text for delta in Echo(auth=SECRET).stream(request)) == "key: ***!"


def test_usage_error_is_unchanged():
    with pytest.raises(UsageError, match="no"):
        list(Wired(UsageError("no")).stream(ChatRequest("", ())))

"""Contract of all providers: those of the registry, and a function."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from lockbots_magic.errors import AuthenticationError, LockbotsError, ProviderError, UsageError
from lockbots_magic.providers import names, provider_class
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.function import FunctionProvider
from lockbots_magic.providers.http_provider import HTTPProvider
from lockbots_magic.testing.contracts import ProviderCase, ProviderContract

CREDENTIAL = "fake-credential-0123456789"
QUESTIONS = ("How do I start?", "Как сохранить разговор?")


def echo(prompt, model):
    yield from prompt.split()


@dataclass
class Case:
    """A provider, and its settings for the mock server."""

    cls: type[Provider]
    service: str = ""
    model: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)

    def pieces(self, server, prompt=QUESTIONS[0], stream=True, *, auth="mock", **given):
        messages = [{"role": "user", "content": prompt}]
        settings = {**self.settings, **self.params}
        if self.service:
            fault = {k: given.pop(k) for k in list(given) if k in ("fault", "rate")}
            settings |= {"base_url": server.url(self.service, **fault), "auth": auth, "backoff": 0.01}
        return self.cls.create_completion(self.model, messages, stream, **{**settings, **given})


def case_of(name):
    if name == "function":
        return Case(FunctionProvider, settings={"function": echo})
    cls = provider_class(name)
    if not issubclass(cls, HTTPProvider):
        return Case(cls, params={"rate": 10_000})
    service = name if name in ("lockchat", "liaobots") else "openai"
    return Case(cls, service, model="gpt-4")


@pytest.fixture(params=[*names(), "function"])
def case(request):
    return case_of(request.param)


@pytest.fixture(params=[*(n for n in names() if n != "guide")])
def remote(request):
    return case_of(request.param)


class TestBuiltInProviders(ProviderContract):
    """The contract that plug-ins test themselves by."""

    prompts = QUESTIONS

    @pytest.fixture(params=[*names(), "function"])
    def case(self, request, mock_server):
        one = case_of(request.param)
        served = {"base_url": mock_server.url(one.service), "auth": "mock", "backoff": 0.01} if one.service else {}
        return ProviderCase(one.cls, {**one.settings, **served}, one.model, one.params)


def test_derived_names_follow_from_the_declarations(case):
    cls = case.cls
    assert cls.supports_gpt_4 == ("gpt-4" in cls.models)
    assert cls.supports_gpt_35_turbo == ("gpt-3.5-turbo" in cls.models)
    assert cls.params.startswith(f"{cls.name} supports: (model: str")
    assert all(name in cls.params for name in cls.parameters)
    assert "supports_gpt_4" not in vars(cls)


def test_completion_yields_text_in_pieces(mock_server, case):
    rate = 20 if case.service == "liaobots" else 500  # words/s; of a bare body, a reader that is late gets all at once
    got = list(case.pieces(mock_server, **({"rate": rate} if case.service else {})))
    assert len(got) > 1
    assert all(isinstance(piece, str) and piece for piece in got)


def test_nothing_is_sent_before_the_first_piece_is_requested(mock_server, case):
    case.pieces(mock_server)
    assert mock_server.requests == []


def test_missing_credential_is_an_authentication_error_before_any_io(mock_server, monkeypatch, remote):
    if not remote.cls.needs_auth:
        assert "".join(remote.pieces(mock_server, auth=None))
        return
    monkeypatch.setattr(remote.cls, "url", mock_server.url(remote.service))
    before = mock_server.connections
    with pytest.raises(AuthenticationError, match=remote.cls.credential_variables()[-1]) as caught:
        next(remote.pieces(mock_server, auth=None))
    assert caught.value.provider == remote.cls.name
    assert (mock_server.requests, mock_server.connections) == ([], before)


def test_unknown_parameter_is_a_usage_error_before_any_io(mock_server, case):
    with pytest.raises(UsageError, match="Unknown parameter 'temprature'"):
        next(case.pieces(mock_server, temprature=1))
    assert mock_server.requests == []


def test_closing_the_reply_closes_the_connection(mock_server, remote):
    reply = remote.pieces(mock_server, fault="silence-midway")
    assert next(reply)
    reply.close()
    mock_server.wait_for_disconnect()
    assert "".join(remote.pieces(mock_server))


def test_error_names_provider_and_model_and_keeps_the_text(mock_server, remote):
    reply = remote.pieces(mock_server, fault="reset-midway")
    got = []
    with pytest.raises(ProviderError) as caught:
        got.extend(reply)
    error = caught.value
    assert (error.provider, error.model, error.partial) == (remote.cls.name, "gpt-4", "".join(got))
    assert error.partial


def test_no_error_holds_the_credential(mock_server, remote, caplog):
    caplog.set_level(0)
    for fault in ("echo-credential", "http-500", "no-answer", "redirect-host", "reset-midway"):
        reply = remote.pieces(mock_server, auth=CREDENTIAL, fault=fault, max_retries=0)
        with pytest.raises(LockbotsError) as caught:
            list(reply)
        errors = [caught.value]
        while cause := errors[-1].__cause__ or errors[-1].__context__:
            errors.append(cause)
        shown = [f"{e!s} {e!r} {vars(e)} {e.args}" for e in errors]
        frames = [entry.frame.f_locals for entry in caught.traceback if "lockbots_magic" in str(entry.path)]
        assert frames, fault
        shown += [f"{name} {value!r}" for local in frames for name, value in local.items()]
        assert CREDENTIAL not in " ".join(shown) + caplog.text, fault

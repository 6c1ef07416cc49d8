"""Lockchat against the mock server: the request, the response, and faults of historical clients."""

import pytest
import requests

from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderTimeout,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers import lockchat
from lockbots_magic.providers.lockchat import Lockchat

DENIALS = ["no-model-line", "no-model-data", "no-model-error", "no-model-404"]
HEARD = 'You said: "Hello". I have heard 1 message.'
CREDENTIAL = "fake-credential+0123/456789="


def pieces(url, prompt="Hello", stream=True, model="gpt-4", **given):
    messages = [{"role": "user", "content": prompt}]
    return Lockchat.create_completion(model, messages, stream, base_url=url, backoff=0.01, **given)


def ask(url, *args, **given):
    return "".join(pieces(url, *args, **given))


def test_request_is_the_one_that_the_service_expects(mock_server):
    assert ask(mock_server.url("lockchat")) == HEARD
    (request,) = mock_server.requests
    assert (request.method, request.path, request.query) == ("POST", "/lockchat/v1/chat/completions", {})
    assert request.headers["user-agent"] == "ChatX/39 CFNetwork/1408.0.4 Darwin/22.5.0"
    assert request.headers["content-type"] == "application/json"
    assert "authorization" not in request.headers
    assert request.json == {
        "temperature": 0.7,
        "messages": [{"role": "user", "content": "Hello"}],
        "model": "gpt-4",
        "stream": True,
    }


def test_credential_is_a_query_parameter(mock_server):
    ask(mock_server.url("lockchat"), auth=CREDENTIAL)
    (request,) = mock_server.requests
    assert request.query == {"auth": CREDENTIAL}
    assert CREDENTIAL not in str(request.headers) + request.content.decode()


def test_credential_is_optional_but_may_be_refused(mock_server):
    assert ask(mock_server.url("lockchat", auth="required"), auth="mock") == HEARD
    with pytest.raises(AuthenticationError):
        ask(mock_server.url("lockchat", auth="required"))


def test_alias_is_sent_as_the_model_it_stands_for(mock_server):
    ask(mock_server.url("lockchat"), model="gpt-35-turbo")
    ask(mock_server.url("lockchat"), model="")
    assert [r.json["model"] for r in mock_server.requests] == ["gpt-3.5-turbo"] * 2


def test_historical_names_are_derived_from_the_class():
    assert lockchat.url == "http://supertest.lockchat.app"
    assert lockchat.model == ["gpt-4", "gpt-3.5-turbo"]
    assert (lockchat.supports_stream, lockchat.needs_auth) == (True, False)
    assert lockchat.models is Lockchat.models
    assert lockchat.params == Lockchat.params
    assert "temperature" in lockchat.params
    assert lockchat._create_completion == Lockchat.create_completion


# What the historical clients got wrong.


@pytest.mark.parametrize("fault", DENIALS)
def test_retry_after_a_denied_model_is_read_so_the_reply_is_not_empty(mock_server, fault):
    assert ask(mock_server.url("lockchat", fault=fault, times=2)) == HEARD
    assert len(mock_server.requests) == 3


@pytest.mark.parametrize("fault", DENIALS)
@pytest.mark.parametrize("model", ["gpt-4", "another/model-7b"])
def test_model_that_stays_missing_is_an_error_after_bounded_retries(mock_server, fault, model):
    with pytest.raises(ModelNotFoundError, match=f"The model: `{model}` does not exist") as caught:
        ask(mock_server.url("lockchat", fault=fault), model=model)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.provider, caught.value.model, caught.value.partial) == ("lockchat", model, "")
    assert len(mock_server.requests) == 3


def test_missing_model_after_some_text_is_not_retried(mock_server):
    with pytest.raises(ModelNotFoundError) as caught:
        ask(mock_server.url("lockchat", fault="no-model-midway"))
    assert HEARD.startswith(caught.value.partial)
    assert caught.value.partial
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize("stream", [True, False])
def test_reply_that_quotes_the_missing_model_line_is_text(mock_server, stream):
    quoted = "The model: `gpt-4` does not exist"
    assert ask(mock_server.url("lockchat"), f"say {quoted}", stream) == quoted
    assert len(mock_server.requests) == 1


def test_stream_parameter_is_used(mock_server):
    assert list(pieces(mock_server.url("lockchat"), stream=False)) == [HEARD]
    assert len(list(pieces(mock_server.url("lockchat", rate=500)))) > 1
    assert [r.json["stream"] for r in mock_server.requests] == [False, True]


@pytest.mark.parametrize("temperature", [0, 1.3])
def test_temperature_parameter_is_used(mock_server, temperature):
    ask(mock_server.url("lockchat"), temperature=temperature)
    assert mock_server.requests[0].json["temperature"] == temperature


@pytest.mark.parametrize(
    "text", ["data: x data: [DONE] data:", "content", '{"content": "x"}', "[DONE]", "a\n\ndata: b"]
)
def test_text_that_looks_like_the_wire_format_is_text(mock_server, text):
    assert ask(mock_server.url("lockchat"), f"say {text}") == text


@pytest.mark.parametrize("fault", ["no-space", "empty-choices", "crlf", "cr", "comments", "multi-line"])
def test_events_are_not_detected_by_substrings(mock_server, fault):
    assert ask(mock_server.url("lockchat", fault=fault)) == HEARD


def test_stream_cut_before_done_is_an_error(mock_server):
    with pytest.raises(ConnectionFailed) as caught:
        ask(mock_server.url("lockchat", fault="cut"))
    assert caught.value.partial == 'You said: "Hello". I '


@pytest.mark.parametrize("body", ["chunked", "length", "close", "gzip", "deflate", "br", "zstd"])
def test_text_is_yielded_before_the_body_ends_in_every_framing(mock_server, body):
    reply = pieces(mock_server.url("lockchat", body=body, fault="silence-midway"))
    assert next(reply) == "You "
    reply.close()
    mock_server.wait_for_disconnect()


@pytest.mark.parametrize("fault", ["silence", "silence-body", "silence-midway"])
def test_silence_times_out(mock_server, fault):
    with pytest.raises(ProviderTimeout) as caught:
        ask(
            mock_server.url("lockchat", fault=fault),
            timeout=(30, 1 if fault == "silence-midway" else 0.1),
            max_retries=0,
        )
    assert bool(caught.value.partial) == (fault == "silence-midway")


@pytest.mark.parametrize("fault", ["heartbeat", "heartbeat-first"])
def test_endless_heartbeat_times_out(mock_server, fault):
    with pytest.raises(ProviderTimeout):
        ask(mock_server.url("lockchat", fault=fault, delay=0.01), total_timeout=0.5)
    mock_server.wait_for_disconnect()


def test_response_is_closed_when_the_reader_stops(mock_server):
    reply = pieces(mock_server.url("lockchat", tokens=1000, rate=200))
    next(reply)
    reply.close()
    mock_server.wait_for_disconnect()
    assert ask(mock_server.url("lockchat")) == HEARD


def test_error_is_raised_and_not_printed(mock_server, capfd):
    with pytest.raises(requests.exceptions.HTTPError, match="told to answer 400"):
        ask(mock_server.url("lockchat", fault="http-400"))
    assert capfd.readouterr() == ("", "")


# Other failures.


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, HTTPStatusError, 1),
        (401, AuthenticationError, 1),
        (402, RateLimitError, 1),
        (403, AuthenticationError, 1),
        (404, HTTPStatusError, 1),
        (429, RateLimitError, 3),
        (500, ServerError, 3),
        (503, ServerError, 3),
    ],
)
def test_bad_status_is_an_error_of_its_kind(mock_server, status, kind, tries):
    with pytest.raises(kind) as caught:
        ask(mock_server.url("lockchat", fault=f"http-{status}"))
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert len(mock_server.requests) == tries


@pytest.mark.parametrize("fault", ["page", "page-plain"])
@pytest.mark.parametrize("media_type", ["", "text/event-stream"])
def test_web_page_is_an_error(mock_server, fault, media_type):
    with pytest.raises(ProtocolError, match="web page"):
        ask(mock_server.url("lockchat", fault=fault, type=media_type))
    assert len(mock_server.requests) == 1


def test_stream_with_a_wrong_content_type_is_decoded(mock_server):
    assert ask(mock_server.url("lockchat", type="text/html")) == HEARD
    assert ask(mock_server.url("lockchat", type="text/html", fault="no-model-line", times=1)) == HEARD


def test_credential_echoed_by_the_server_is_redacted(mock_server):
    with pytest.raises(AuthenticationError) as caught:
        ask(mock_server.url("lockchat", fault="echo-credential"), auth=CREDENTIAL)
    assert CREDENTIAL not in str(caught.value)
    assert "***" in str(caught.value)

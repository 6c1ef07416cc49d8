"""Chat completions against the mock server: requests, presets, and unusual or malformed responses."""

import itertools
import json
import pickle

import pytest

from lockbots_magic.chat import Chat
from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import ChatRequest, Usage
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderTimeout,
    RateLimitError,
    ServerError,
    UsageError,
)
from lockbots_magic.providers import provider_class
from lockbots_magic.providers.openai_compatible import OpenAICompatible
from lockbots_magic.providers.presets import PRESETS, presets
from lockbots_magic.providers.wire import model_list
from lockbots_magic.rendering.notices import notices_of
from tests.rawserver import RawServer, drips, sends

HEARD = 'You said: "Привет 🙂". I have heard 1 message.'.replace("Привет", "Hello")
PROMPT = "Hello 🙂"
CREDENTIAL = "fake-credential-0123456789"


def pieces(url, prompt=PROMPT, stream=True, model="demo", **given):
    messages = [{"role": "user", "content": prompt}]
    return presets.openai.create_completion(model, messages, stream, base_url=url, backoff=0.01, **given)


def ask(url, *args, **given):
    return "".join(pieces(url, *args, **given))


def deltas(url, prompt=PROMPT, cls=presets.openai, **params):
    request = ChatRequest("demo", ({"role": "user", "content": prompt},), params)
    return list(cls(base_url=url, backoff=0.01).stream(request))


# The request.


def test_request_follows_the_api_reference(mock_server):
    assert ask(mock_server.url("openai"), auth=CREDENTIAL) == HEARD
    (request,) = mock_server.requests
    assert (request.method, request.path, request.query) == ("POST", "/openai/v1/chat/completions", {})
    assert request.headers["authorization"] == f"Bearer {CREDENTIAL}"
    assert request.headers["content-type"] == "application/json"
    assert request.json == {
        "model": "demo",
        "messages": [{"role": "user", "content": PROMPT}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_without_a_credential_no_header_is_sent(mock_server):
    ask(mock_server.url("openai"))
    assert "authorization" not in mock_server.requests[0].headers


def test_parameters_go_into_the_body(mock_server):
    ask(mock_server.url("openai"), temperature=0, max_tokens=7, stop=["x"], extra_body={"top_k": 3})
    body = mock_server.requests[0].json
    assert (body["temperature"], body["max_tokens"], body["stop"], body["top_k"]) == (0, 7, ["x"], 3)


def test_extra_body_must_be_a_dict(mock_server):
    with pytest.raises(UsageError, match="extra_body"):
        ask(mock_server.url("openai"), extra_body=3)
    assert mock_server.requests == []


def test_parameter_that_is_not_json_is_a_usage_error(mock_server):
    with pytest.raises(UsageError, match="JSON"):
        ask(mock_server.url("openai"), temperature=float("nan"))
    assert mock_server.requests == []


def test_temperature_that_no_service_takes_is_refused_before_anything_is_sent(mock_server):
    for value in (-0.1, -float("inf")):
        with pytest.raises(UsageError, match="temperature must be >= 0, got -"):
            ask(mock_server.url("openai"), temperature=value)
    assert mock_server.requests == []
    ask(mock_server.url("openai"), temperature=3)  # vLLM takes it
    assert mock_server.requests[-1].json["temperature"] == 3
    for model in ("openai:gpt-4o", "lockchat"):
        with pytest.raises(UsageError, match=r"temperature must be 0-2, got 2\.1"):
            Chat(model, auth="k").prepare("hi", temperature=2.1)
    Chat("openai:gpt-4o", auth="k").prepare("hi", temperature=2)
    Chat("ollama:x").prepare("hi", temperature=2.1)
    with pytest.raises(UsageError, match="temperature must be >= 0"):
        Chat("ollama:x").prepare("hi", temperature=-1)


def test_without_stream_the_reply_is_one_object(mock_server):
    assert list(pieces(mock_server.url("openai"), stream=False)) == [HEARD]
    body = mock_server.requests[0].json
    assert body["stream"] is False
    assert "stream_options" not in body


def test_system_prompt_is_a_message(mock_server):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say x"}]
    list(presets.openai.create_completion("demo", messages, base_url=mock_server.url("openai")))
    assert mock_server.requests[0].json["messages"] == messages


# The presets.


@pytest.mark.parametrize("row", PRESETS, ids=lambda row: row.name)
def test_preset_is_a_provider_with_its_own_url_and_credential(mock_server, monkeypatch, row):
    cls = provider_class(row.name)
    assert (cls.name, cls.url, cls.default_model) == (row.name, row.url, row.default_model)
    assert cls.needs_auth == bool(row.credential_variable)
    if row.credential_variable:
        monkeypatch.setenv(row.credential_variable, CREDENTIAL)
    messages = [{"role": "user", "content": "say x"}]
    assert list(cls.create_completion("any/model:8b", messages, base_url=mock_server.url("openai"))) == ["x"]
    (request,) = mock_server.requests
    assert request.json["model"] == "any/model:8b"
    sent = request.headers.get("x-api-key") if row.dialect == "messages" else request.headers.get("authorization")
    bearer = "" if row.dialect == "messages" else "Bearer "
    assert sent == (f"{bearer}{CREDENTIAL}" if row.credential_variable else None)
    assert ("stream_options" in request.json) == (row.reports_usage and row.dialect != "messages")


def test_lockbots_variable_takes_precedence_over_the_one_of_the_service(mock_server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "fake-of-the-service")
    monkeypatch.setenv("LOCKBOTS_OPENAI_AUTH", "fake-of-the-package")
    ask(mock_server.url("openai"))
    assert mock_server.requests[0].headers["authorization"] == "Bearer fake-of-the-package"


def test_models_are_listed_by_the_server(mock_server):
    provider = presets.ollama(base_url=mock_server.url("openai"), auth="mock")
    assert [m.id for m in provider.list_models()] == ["demo", "gpt-4", "gpt-3.5-turbo"]
    (request,) = mock_server.requests
    assert (request.method, request.path) == ("GET", "/openai/v1/models")
    assert request.headers["authorization"] == "Bearer mock"


def test_first_listed_model_is_used_without_a_default(mock_server):
    messages = [{"role": "user", "content": "say x"}]
    assert list(presets.ollama.create_completion("", messages, base_url=mock_server.url("openai"))) == ["x"]
    assert mock_server.requests[-1].json["model"] == "demo"


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("http-401", AuthenticationError),
        ("http-500", ServerError),
        ("page", ProtocolError),
        ("json-error", ProtocolError),
        ("empty", ProtocolError),
        ("no-answer", ConnectionFailed),
    ],
)
def test_failed_list_of_models_is_an_error(mock_server, fault, kind):
    with pytest.raises(kind) as caught:
        presets.vllm(base_url=mock_server.url("openai", fault=fault)).list_models()
    assert caught.value.provider == "vllm"


def test_endless_list_of_models_times_out(mock_server, monkeypatch):
    monkeypatch.setattr("lockbots_magic.providers.openai_compatible.MODEL_LIST_TIMEOUT", 0.1)
    with pytest.raises(ProviderTimeout):
        presets.vllm(base_url=mock_server.url("openai", fault="heartbeat-first", delay=0.01)).list_models()


# Unusual but legal responses: the reply is complete.

LEGAL = [
    *("surrogates", "empty-choices", "odd-chunks", "content-parts", "reasoning", "second-choice", "text-after-done"),
    *("whole-json", "no-space", "cr", "crlf", "bom", "multi-line", "comments", "no-final-blank", "slow-headers"),
    *("set-cookie", "redirect-path"),
]


@pytest.mark.parametrize("service", ["openai", "lockchat"])
def test_unusual_but_legal_response_is_decoded(mock_server, service):
    for fault, piece in itertools.product(LEGAL, (0, 1)):
        url = mock_server.url(service, fault=fault, piece=piece, delay=0.001)
        messages = [{"role": "user", "content": PROMPT}]
        text = "".join(provider_class(service).create_completion("gpt-4", messages, base_url=url))
        assert text == HEARD, (fault, piece)


def test_reasoning_is_kept_apart_from_text(mock_server):
    got = deltas(mock_server.url("openai", fault="reasoning"))
    assert "".join(d.reasoning for d in got) == "Let me think. "
    assert "".join(d.text for d in got) == HEARD


def test_usage_is_reported(mock_server):
    used = Usage(prompt_tokens=2, completion_tokens=9)
    assert [d.usage for d in deltas(mock_server.url("openai")) if d.usage] == [used]
    assert [d.usage for d in deltas(mock_server.url("openai", fault="whole-json")) if d.usage] == [used]


def test_finish_reason_comes_last(mock_server):
    assert deltas(mock_server.url("openai"))[-1].finish_reason == "stop"


def test_set_cookie_is_not_sent_back(mock_server):
    url = mock_server.url("openai", fault="set-cookie")
    ask(url), ask(url)
    assert all("cookie" not in r.headers for r in mock_server.requests)


def test_connection_is_reused_after_a_response(mock_server):
    for _ in range(3):
        ask(mock_server.url("openai"))
    assert mock_server.connections <= 1


# Answers that are none.


@pytest.mark.parametrize("service", ["openai", "lockchat"])
@pytest.mark.parametrize("fault", ["bad-json", "deep-json", "odd-json", "odd-choices", "odd-content", "bad-utf8"])
def test_malformed_chunk_is_a_protocol_error_that_keeps_the_text(mock_server, service, fault):
    cls = provider_class(service)
    messages = [{"role": "user", "content": PROMPT}]
    with pytest.raises(ProtocolError) as caught:
        list(cls.create_completion("gpt-4", messages, base_url=mock_server.url(service, fault=fault)))
    assert caught.value.partial == 'You said: "Hello 🙂". '
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize("fault", ["bad-encoding", "not-http", "page", "page-plain"])
def test_response_in_another_format_is_a_protocol_error(mock_server, fault):
    with pytest.raises(ProtocolError):
        ask(mock_server.url("openai", fault=fault))


def test_stream_without_done_is_truncated_and_keeps_its_text(mock_server):
    url = mock_server.url("openai", fault="cut")
    got = deltas(url)
    assert got[-1].finish_reason == "truncated"
    with pytest.raises(ConnectionFailed) as caught:
        ask(url)
    assert caught.value.partial == "".join(d.text for d in got) == 'You said: "Hello 🙂". '


@pytest.mark.parametrize("fault", ["reset-midway", "close-midway", "short-body"])
def test_connection_lost_midway_keeps_the_text_and_is_not_retried(mock_server, fault):
    with pytest.raises(ConnectionFailed) as caught:
        ask(mock_server.url("openai", fault=fault))
    assert caught.value.partial == 'You said: "Hello 🙂". '
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize(
    ("status", "kind", "tries"),
    [
        (400, HTTPStatusError, 1),
        (401, AuthenticationError, 1),
        (402, RateLimitError, 1),
        (403, AuthenticationError, 1),
        (404, HTTPStatusError, 1),
        (408, HTTPStatusError, 3),
        (429, RateLimitError, 3),
        (500, ServerError, 3),
        (502, ServerError, 3),
        (503, ServerError, 3),
    ],
)
def test_bad_status_is_an_error_of_its_kind(mock_server, status, kind, tries):
    with pytest.raises(kind, match=f"told to answer {status}") as caught:
        ask(mock_server.url("openai", fault=f"http-{status}"))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.provider, caught.value.model) == (status, "openai", "demo")
    assert len([r for r in mock_server.requests if r.method == "POST"]) == tries


def test_temporary_failure_is_retried_with_a_notice(mock_server):
    got = deltas(mock_server.url("openai", fault="http-429", times=1, retry_after=0.01))
    assert "Retrying in" in got[0].notice
    assert "".join(d.text for d in got) == HEARD


@pytest.mark.parametrize("pause", [{"retry_after": 7}, {"retry_date": 7}])
def test_requested_pause_is_reported(mock_server, pause):
    with pytest.raises(RateLimitError) as caught:
        ask(mock_server.url("openai", fault="http-429", **pause), max_retries=0)
    assert 5 < caught.value.retry_after <= 7


def test_unknown_model_is_model_not_found(mock_server):
    with pytest.raises(ModelNotFoundError, match="`other` does not exist") as caught:
        ask(mock_server.url("openai", fault="unknown-model"), model="other")
    assert caught.value.model == "other"
    assert [request.method for request in mock_server.requests] == ["POST", "GET"]  # the list has near names


@pytest.mark.parametrize("fault", ["json-error", "error-event", "error-type", "error-midway"])
@pytest.mark.parametrize(("status", "kind"), [(0, ServerError), (401, AuthenticationError), (429, RateLimitError)])
def test_error_object_in_a_200_is_an_error(mock_server, fault, status, kind):
    with pytest.raises(kind, match="told to fail") as caught:
        ask(mock_server.url("openai", fault=fault, status=status))
    assert bool(caught.value.partial) == (fault == "error-midway")


def test_web_page_with_a_bad_status_is_not_quoted(mock_server):
    with pytest.raises(ServerError, match="web page") as caught:
        ask(mock_server.url("openai", fault="page-503"))
    assert "<" not in str(caught.value)


@pytest.mark.parametrize("fault", ["redirect-host", "redirect-302", "redirect-loop"])
def test_redirect_elsewhere_is_refused_and_nothing_is_sent_there(mock_server, fault):
    with pytest.raises(ProtocolError, match="redirects"):
        ask(mock_server.url("openai", fault=fault), auth=CREDENTIAL)
    hosts = {r.headers["host"] for r in mock_server.requests}
    assert hosts == {mock_server.origin.removeprefix("http://")}
    assert {r.method for r in mock_server.requests} == {"POST"}


def test_credential_echoed_by_the_server_is_redacted(mock_server):
    with pytest.raises(AuthenticationError) as caught:
        ask(mock_server.url("openai", fault="echo-credential"), auth=CREDENTIAL)
    assert CREDENTIAL not in str(caught.value)
    assert "***" in str(caught.value)


@pytest.mark.parametrize("length", [150, 165, 180, 200])
def test_credential_at_the_cut_of_a_shortened_message_is_redacted(mock_server, length):
    long = "fake-" + "0123456789" * (length // 10)
    with pytest.raises(AuthenticationError) as caught:
        ask(mock_server.url("openai", fault="echo-credential"), auth=long)
    assert "fake-0123" not in str(caught.value)


def test_subclass_of_provider_is_enough(mock_server):
    assert "".join(d.text for d in deltas(mock_server.url("openai"), cls=OpenAICompatible)) == HEARD
    assert "stream_options" not in mock_server.requests[0].json


def test_credential_echoed_in_a_reply_is_redacted(mock_server):
    url = mock_server.url("openai", piece=3)
    said = "".join(pieces(url, prompt=f"say it is {CREDENTIAL}, is it not?", auth=CREDENTIAL))
    assert said == "it is ***, is it not?"


@pytest.mark.parametrize("row", PRESETS, ids=lambda row: row.name)
def test_class_of_a_preset_can_be_pickled(row):
    kind = provider_class(row.name)
    assert pickle.loads(pickle.dumps(kind)) is kind


# Lists of models


def lists(rows):
    return sends(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + json.dumps({"object": "list", "data": rows}).encode()
    )


def test_default_is_the_first_model_for_chat():
    rows = [{"id": "nomic-embed-text"}, {"id": "m", "type": "embeddings"}, {"id": "chat"}]
    with RawServer(lists(rows)) as server:
        provider = presets.vllm(base_url=f"{server.url}/v1")
        assert provider.resolved("", Cancellation()).id == "chat"
        assert [model.id for model in provider.list_models()] == ["nomic-embed-text", "m", "chat"]


def test_without_a_model_for_chat_the_error_says_so():
    with RawServer(lists([{"id": "nomic-embed-text"}])) as server:
        provider = presets.vllm(base_url=f"{server.url}/v1")
        with pytest.raises(ModelNotFoundError, match="lists no chat model, only nomic-embed-text"):
            provider.resolved("", Cancellation())


def test_skipped_rows_of_a_list_are_counted():
    with RawServer(lists([{"id": "a"}, {"object": "model"}])) as server:
        assert presets.vllm(base_url=f"{server.url}/v1").model_list().skipped == 1


def test_list_of_any_length_is_bounded(monkeypatch):
    monkeypatch.setattr(model_list, "MAX_LIST", 100_000)
    endless = drips(b"HTTP/1.1 200 OK\r\n\r\n", b'{"data": [' + b" " * 50_000)
    with RawServer(endless) as server, pytest.raises(ProtocolError, match="longer"):
        presets.vllm(base_url=f"{server.url}/v1").list_models()


# What a reply holds besides text


def replies(*chunks):
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return sends(head + body + b"data: [DONE]\n\n")


def says(text, **more):
    return {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}], **more}


def test_model_that_answered_is_kept_if_it_is_another():
    answers = {"m-2024-08-06": "", "org/m": "", "/models/other.gguf": "other.gguf", "x\x1b[2J\ny": "x [2J y", "": ""}
    for model, kept in answers.items():
        with RawServer(replies(says("x", model=model))) as server:
            turn = Chat("vllm:m", base_url=f"{server.url}/v1").ask("x")
        assert turn.answered_by == kept
        assert Turn.from_dict(turn.to_dict()) == turn
        assert notices_of(turn) == ([f"answered by {kept}"] if kept else [])


def test_path_of_the_default_model_is_sent_whole_and_kept_by_its_last_part():
    whole = "/home/me/foo.gguf"

    def script(peer):
        if "/models" in peer.request().target:
            peer.answer(json.dumps({"data": [{"id": whole}]}).encode(), Connection="close")
        else:
            peer.answer(json.dumps({"model": whole, "choices": [{"message": {"content": "x"}}]}).encode())

    with RawServer(script) as server:
        turn = Chat("llamacpp", base_url=f"{server.url}/v1").ask("x")
        assert json.loads(server.requests[-1].body)["model"] == whole
    assert (turn.model, turn.answered_by) == ("foo.gguf", "")


def test_images_and_sources_of_a_reply_are_recorded_and_replayed(tmp_path):
    png = "data:image/png;base64,iVBORw0KGgo="
    image = {"choices": [{"delta": {"images": [{"image_url": {"url": png}}]}}], "citations": ["https://example.org"]}
    chat = {"cassette": tmp_path / "talk.jsonl", "auth": CREDENTIAL}
    with RawServer(replies(says("a", model="other"), image, says("b"))) as server:
        first = Chat("vllm:m", base_url=f"{server.url}/v1", mode="record", **chat).ask("draw")
    again = Chat("vllm:m", base_url=f"{server.url}/v1", mode="replay", **chat).ask("draw")
    assert again.reply == first.reply == "a\n\n[image: PNG, 1 kB]\n\nb"
    assert (again.rounds, again.answered_by) == (first.rounds, "other")
    assert first.made_images == (ImagePart(png),)
    assert first.citations == (CitationPart("https://example.org"),)


def test_credential_in_a_source_is_masked():
    cited = {"url": f"https://example.org/?key={CREDENTIAL}", "title": CREDENTIAL}
    with RawServer(replies(says("x", search_results=[cited]))) as server:
        turn = Chat("vllm:m", base_url=f"{server.url}/v1", auth=CREDENTIAL).ask("x")
    assert turn.citations
    assert CREDENTIAL not in repr(turn.to_dict())

"""Liaobots against the mock server: the request, both formats of the response, and faults of historical clients."""

import itertools
import json
import re
import uuid

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.messages import ChatRequest, ModelInfo
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    HTTPStatusError,
    ModelNotFoundError,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    RateLimitError,
    ServerError,
)
from lockbots_magic.providers import liaobots
from lockbots_magic.providers.liaobots import Liaobots, decode_response, detect_format
from tests.rawserver import RawServer, sends

FORMS = ("liaobots", "liaobots-events")
HEARD = "Вы сказали: «Привет, 🙂». Сообщений до этого: 0."


def pieces(url, prompt="Привет, 🙂", stream=True, model="gpt-4", auth="mock", **given):
    messages = [{"role": "user", "content": prompt}]
    return Liaobots.create_completion(model, messages, stream, base_url=url, auth=auth, backoff=0.01, **given)


def ask(url, *args, **given):
    return "".join(pieces(url, *args, **given))


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def test_request_is_the_one_that_the_service_expects(mock_server):
    assert ask(mock_server.url("liaobots")) == HEARD
    (request,) = mock_server.requests
    assert (request.method, request.path, request.query) == ("POST", "/liaobots/api/chat", {})
    origin = mock_server.origin
    sent = {name: request.headers[name] for name in ("authority", "content-type", "origin", "referer", "x-auth-code")}
    assert sent == {
        "authority": origin.removeprefix("http://"),
        "content-type": "application/json",
        "origin": origin,
        "referer": f"{origin}/liaobots/en",
        "x-auth-code": "mock",
    }
    assert "Mozilla" in request.headers["user-agent"]
    body = dict(request.json)
    assert uuid.UUID(body.pop("conversationId")).version == 4
    assert body.pop("prompt")
    assert body == {
        "model": {"id": "gpt-4", "name": "GPT-4", "maxLength": 24000, "tokenLimit": 8000},
        "messages": [{"role": "user", "content": "Привет, 🙂"}],
        "key": "",
    }


def test_default_model_is_sent_with_its_limits(mock_server):
    ask(mock_server.url("liaobots"), model="")
    described = {"id": "gpt-3.5-turbo", "name": "GPT-3.5", "maxLength": 12000, "tokenLimit": 4000}
    assert mock_server.requests[0].json["model"] == described


def test_system_prompt_is_the_instruction(mock_server):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "say x"}]
    url = mock_server.url("liaobots")
    assert "".join(Liaobots.create_completion("gpt-4", messages, base_url=url, auth="mock")) == "x"
    body = mock_server.requests[0].json
    assert body["prompt"] == "Be brief."
    assert body["messages"] == messages[1:]


def test_conversation_keeps_one_id(mock_server):
    provider = Liaobots(base_url=mock_server.url("liaobots"), auth="mock")
    messages = ({"role": "user", "content": "say x"},)
    for conversation in ("11111111-1111-4111-8111-111111111111",) * 2:
        list(provider.stream(ChatRequest("gpt-4", messages, conversation_id=conversation)))
    list(provider.stream(ChatRequest("gpt-4", messages)))
    first, second, other = [r.json["conversationId"] for r in mock_server.requests]
    assert first == second != other


def test_both_formats_give_the_same_reply(mock_server, form):
    assert ask(mock_server.url(form)) == HEARD
    assert list(pieces(mock_server.url(form), stream=False)) == [HEARD]
    assert len(list(pieces(mock_server.url(form, rate=20)))) > 1  # slow: a late reader gets a bare body at once


@pytest.mark.parametrize("body", ["chunked", "length", "close", "gzip", "deflate", "br", "zstd"])
def test_text_is_yielded_before_the_body_ends_in_every_framing(mock_server, form, body):
    reply = pieces(mock_server.url(form, body=body, fault="silence-midway"))
    assert next(reply)
    reply.close()
    mock_server.wait_for_disconnect()


def test_caller_registers_more_models(mock_server):
    more = [ModelInfo("gpt-5", "GPT-5", 1000, 300)]
    ask(mock_server.url("liaobots"), model="gpt-5", models=more)
    assert mock_server.requests[0].json["model"] == {
        "id": "gpt-5",
        "name": "GPT-5",
        "maxLength": 1000,
        "tokenLimit": 300,
    }
    assert [m.id for m in Liaobots(models=more).list_models()] == ["gpt-4", "gpt-3.5-turbo", "gpt-5"]
    assert "gpt-5" not in Liaobots.models


def test_historical_names_are_derived_from_the_class():
    assert liaobots.url == "https://liaobots.com"
    assert liaobots.model == ["gpt-4", "gpt-3.5-turbo"]
    assert (liaobots.supports_stream, liaobots.needs_auth) == (True, True)
    assert liaobots.models is Liaobots.models
    assert liaobots.params == Liaobots.params
    assert liaobots._create_completion == Liaobots.create_completion


# Faults of the historical clients.


@pytest.mark.parametrize("text", ["Съешь ещё этих мягких булок", "🙂👍🏽👨‍👩‍👧", "日本語 text"])
def test_character_split_across_chunks_is_decoded(mock_server, form, text):
    for piece in (0, 1, 3):
        assert ask(mock_server.url(form, piece=piece), f"say {text}") == text, piece


def test_surrogate_pair_split_over_two_events_is_joined(mock_server):
    assert ask(mock_server.url("liaobots-events", fault="surrogates")) == HEARD


@pytest.mark.parametrize("auth", [None, "", "  "])
def test_missing_code_is_an_error_before_any_io(mock_server, auth):
    with pytest.raises(AuthenticationError, match="LOCKBOTS_LIAOBOTS_AUTH"):
        ask(mock_server.url("liaobots"), auth=auth)
    assert mock_server.requests == []


def test_code_comes_from_the_environment(mock_server, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_LIAOBOTS_AUTH", " mock\n")
    assert ask(mock_server.url("liaobots"), auth=None) == HEARD


def test_rejected_code_is_an_authentication_error(mock_server, form):
    reply = pieces(mock_server.url(form), auth="fake-credential-0123456789")
    with pytest.raises(AuthenticationError, match="credential") as caught:
        next(reply)
    assert (caught.value.status, caught.value.partial) == (401, "")
    assert len(mock_server.requests) == 1


def test_unknown_model_is_an_error_before_any_io(mock_server):
    with pytest.raises(ModelNotFoundError, match=r"Unknown model 'gpt-9'.*gpt-4") as caught:
        ask(mock_server.url("liaobots"), model="gpt-9")
    assert not isinstance(caught.value, KeyError)
    assert mock_server.requests == []


def test_code_is_not_printed(mock_server, capfd):
    code = "fake-credential-0123456789"
    with pytest.raises(AuthenticationError):
        ask(mock_server.url("liaobots"), auth=code)
    assert capfd.readouterr() == ("", "")


def test_code_does_not_leak_to_another_caller(mock_server):
    ask(mock_server.url("liaobots"))
    with pytest.raises(AuthenticationError):
        ask(mock_server.url("liaobots"), auth=None)
    first, other = pieces(mock_server.url("liaobots")), pieces(mock_server.url("liaobots"), auth="fake-other-code")
    with pytest.raises(AuthenticationError):
        next(other)
    assert "".join(first) == HEARD
    assert [r.headers["x-auth-code"] for r in mock_server.requests] == ["mock", "fake-other-code", "mock"]


@pytest.mark.parametrize("fault", ["reset-midway", "close-midway", "short-body"])
def test_dropped_connection_does_not_repeat_the_request_or_double_the_text(mock_server, form, fault):
    got = []
    with pytest.raises(ConnectionFailed) as caught:
        got.extend(pieces(mock_server.url(form, fault=fault, times=1)))
    assert caught.value.partial == "".join(got)
    assert HEARD.startswith(caught.value.partial)
    assert caught.value.partial
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize("fault", ["no-answer", "reset", "http-500"])
def test_connection_dropped_before_any_text_is_retried(mock_server, form, fault):
    assert ask(mock_server.url(form, fault=fault, times=2)) == HEARD
    assert len(mock_server.requests) == 3


# Failures seen in the wild.


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, HTTPStatusError),
        (401, AuthenticationError),
        (402, RateLimitError),
        (403, AuthenticationError),
        (429, RateLimitError),
        (500, ServerError),
    ],
)
def test_bad_status_is_an_error_of_its_kind(mock_server, form, status, kind):
    with pytest.raises(kind, match="told to answer") as caught:
        ask(mock_server.url(form, fault=f"http-{status}", retry_after=0))
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert len(mock_server.requests) == (3 if status in (429, 500) else 1)


@pytest.mark.parametrize(
    ("status", "kind"), [(0, RateLimitError), (401, AuthenticationError), (429, RateLimitError), (500, ServerError)]
)
@pytest.mark.parametrize("where", ["liaobots json-error", "liaobots-events json-error", "liaobots-events error-event"])
def test_error_object_in_a_200_is_an_error(mock_server, where, status, kind):
    form, fault = where.split()
    for media_type in ("", "text/plain", "text/event-stream"):
        url = mock_server.url(form, fault=fault, status=status, type=media_type, retry_after=0)
        with pytest.raises(kind, match="told to fail") as caught:
            ask(url, max_retries=0)
        assert caught.value.status == (status or 402), media_type
        assert caught.value.partial == "", media_type


def test_error_event_after_some_text_keeps_the_text(mock_server):
    with pytest.raises(RateLimitError) as caught:
        ask(mock_server.url("liaobots-events", fault="error-midway"))
    assert HEARD.startswith(caught.value.partial)
    assert caught.value.partial
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize("fault", ["page", "page-plain"])
def test_web_page_is_an_error_and_not_retried(mock_server, form, fault):
    for piece, media_type in itertools.product((0, 1), ("", "text/event-stream", "application/octet-stream")):
        mock_server.forget()
        with pytest.raises(ProtocolError, match="web page"):
            ask(mock_server.url(form, fault=fault, piece=piece, type=media_type))
        assert len(mock_server.requests) == 1, (piece, media_type)


def test_empty_response_is_an_error(mock_server, form):
    with pytest.raises(ProtocolError, match="empty"):
        ask(mock_server.url(form, fault="empty"))


def test_bytes_that_are_not_utf8_are_a_protocol_error_that_keeps_the_text(mock_server, form):
    with pytest.raises(ProtocolError, match="UTF-8") as caught:
        ask(mock_server.url(form, fault="bad-utf8"))
    assert HEARD.startswith(caught.value.partial)
    assert caught.value.partial


@pytest.mark.parametrize("fault", ["bad-json", "deep-json", "odd-json", "odd-content"])
def test_malformed_event_is_a_protocol_error_that_keeps_the_text(mock_server, fault):
    with pytest.raises(ProtocolError) as caught:
        ask(mock_server.url("liaobots-events", fault=fault))
    assert HEARD.startswith(caught.value.partial)
    assert caught.value.partial


@pytest.mark.parametrize(
    "fault", ["no-space", "cr", "crlf", "bom", "multi-line", "comments", "no-final-blank", "slow-headers"]
)
def test_whole_grammar_of_events_is_decoded(mock_server, fault):
    for piece in (0, 1):
        assert ask(mock_server.url("liaobots-events", fault=fault, piece=piece, delay=0.001)) == HEARD, piece


def test_text_that_ends_inside_a_character_is_truncated(mock_server):
    with pytest.raises(ConnectionFailed, match="incomplete") as caught:
        ask(mock_server.url("liaobots", fault="cut-character"))
    assert caught.value.partial == HEARD


@pytest.mark.parametrize("fault", ["silence", "silence-midway", "heartbeat"])
def test_silence_and_endless_heartbeats_time_out(mock_server, form, fault):
    url = mock_server.url(form, fault=fault, delay=0.01)
    with pytest.raises(ProviderTimeout):
        ask(url, timeout=(30, 0.2), total_timeout=0.5, max_retries=0)
    mock_server.wait_for_disconnect()


# The form of an answer, read off its type and first bytes; no socket.


@pytest.mark.parametrize(
    "reply",
    [
        "data: is a word that a reply may begin with",
        "data",
        "data:\nlists",
        "data: {not json}\nbut text",
        '{"a": 1}',
        '{"a": 1}' * 2000,
        "{ braces } begin a reply",
        "<b>bold</b> text",
        "<",
        " \n leading space",
        "d",
        '"error"',
    ],
)
def test_early_format_is_text_whatever_it_begins_with(reply):
    data = reply.encode()
    for size in (1, 5, 100_000):
        body = [data[i : i + size] for i in range(0, len(data), size)]
        assert "".join(d.text for d in decode_response(body, "application/octet-stream")) == reply, size


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/octet-stream", "text/event-stream"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_events_are_detected_by_their_first_bytes(media_type, size):
    data = 'data:{"role":"assistant","content":"да"}\n\ndata: {"content":"!"}\n\n'.encode()
    body = [data[i : i + size] for i in range(0, len(data), size)]
    assert "".join(d.text for d in decode_response(body, media_type)) == "да!"


def test_event_cut_by_the_end_of_the_body_is_truncated():
    *_, last = decode_response([b'data: {"content":"a"}\n\ndata: {"cont'], "text/event-stream")
    assert last.finish_reason == "truncated"


def test_format_detection_waits_for_enough_bytes():
    assert (
        detect_format(b"", "", ended=False)
        == detect_format(b" da", "", ended=False)
        == detect_format(b'{"a', "", ended=False)
        == ""
    )
    assert detect_format(b"<!DOC", "text/plain", ended=False) == ""
    assert detect_format(b"Hello", "text/plain", ended=False) == "text"


def test_own_instruction_is_neutral():
    assert not re.search("gpt|openai|model", liaobots.DEFAULT_INSTRUCTION, re.IGNORECASE)


EVENT_TYPE = "text/event-stream"


def decoded(body: bytes, content_type: str) -> tuple[str, str]:
    """Return the text that a body yields, and its end: the finish reason, or the message of the error."""
    text, end = "", ""
    try:
        for delta in decode_response([body[:7], body[7:20], body[20:]], content_type):
            text += delta.text
            end = delta.finish_reason or end
    except ProviderError as error:
        end = str(error)
    return text, end


@pytest.mark.parametrize("words", [
    b'error: {"message": "no room"}', b'{"error": "no room"}', b'{\n "detail": "no room"\n}', b"error: no room",
    b'event: error\ndata: no room\n', b'data: {"error": {"message": "no room"}}\n', b'data: {"detail": "no room"}\n',
])  # fmt: skip
def test_an_error_among_events_is_told_in_any_form(words):
    hello = b'data: {"content": "Hello"}\n\n'
    for rest in (b"\n", b"\ndata: [DONE]\n\n"):
        assert decoded(hello + words + rest, EVENT_TYPE) == ("Hello", "no room")


def test_events_that_repeat_the_text_do_not_double_it():
    snapshots = [
        b'data: {"content": "%s"}\n\n' % text for text in (b"Hel", b"Hello", b"Hello you", b"Hello you and me")
    ]
    assert decoded(b"".join(snapshots) + b"data: [DONE]\n\n", EVENT_TYPE) == ("Hello you and me", "stop")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
@pytest.mark.parametrize("content", [{}, {"content": ""}, {"content": None}])
def test_reasoning_beside_the_text_is_read(name, content):
    thoughts = [{"role": "assistant", name: text, **content} for text in ("Let me ", "think.")]
    answers: list[list[dict[str, object]]] = [[], [{"role": "assistant", "content": "Four.", name: None}]]
    for answer, end in zip(answers, [b"data: [DONE]\n\n", b""], strict=True):
        body = b"".join(b"data: %s\n\n" % json.dumps(event).encode() for event in [*thoughts, *answer]) + end
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
        with RawServer(sends(head, body)) as server:
            turn = Chat("liaobots:gpt-4", base_url=server.url, auth="code").ask("2 + 2?")
        assert turn.reasoning == "Let me think."
        assert (turn.reply, turn.status) == (("Four.", "complete") if answer else ("", "truncated"))


@pytest.mark.parametrize("end", [b"data: [DONE]\n\n", b""])
def test_a_finish_reason_is_told(end):
    body = b'data: {"content": "Hel"}\n\ndata: {"content": "lo", "finish_reason": "length"}\n\n'
    assert decoded(body + end, EVENT_TYPE) == ("Hello", "length")


@pytest.mark.parametrize(
    "words", [b'{"error": true, "res_status": 402, "message": "no room"}', b'{"error": "no room"}']
)
def test_an_error_object_at_the_end_of_a_text_is_told(words):
    text, end = decoded(b"Once upon\n" + words + b"\n", "text/plain")
    assert text.startswith("Once upon")
    assert "no room" in end
    assert decoded(b"It says " + words + b", mostly.", "text/plain")[1] == "stop"


def test_events_without_content_are_quoted():
    for body in (b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\n', b"data: ping\n\n"):
        for end in (b"", b"data: [DONE]\n\n"):
            with pytest.raises(ProtocolError, match=r"holds no content: .*(Hi|ping)") as caught:
                list(decode_response([body + end], "text/event-stream"))
            assert caught.value.retryable is bool(end)
    beats = b'data: ping\n\ndata: {"role": "assistant", "content": "Hi"}\n\n'
    assert [delta.text for delta in decode_response([beats], "text/event-stream")] == ["Hi", ""]


def test_redirect_to_a_login_page_is_no_address_of_the_service():
    found = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with RawServer(sends(found)) as server, pytest.raises(ProtocolError, match=r"/login; .* login page"):
        ask(server.url)

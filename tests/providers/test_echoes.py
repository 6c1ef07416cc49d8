"""A server that repeats the credential, in any field and form: it reaches no turn, cassette, remark, file or error."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import ProviderError
from lockbots_magic.rendering.notices import notices_of
from lockbots_magic.storage.files import save_conversation
from tests.providers.refusing_server import DONE, chunk
from tests.rawserver import RawServer
from tests.security.test_credential_forms import ENCODERS, holds

KEY = "sk-0a1b2c3d/4e5f+6g7h=="


def call(name="f", identity="c", arguments='{"x": "1"}', **more):
    function = {"name": name, "arguments": arguments}
    return chunk(tool_calls=[{"index": 0, "id": identity, "type": "function", "function": function, **more}])


def f(x: str) -> str:
    """Return nothing much."""
    return "r"


END = chunk("stop") + DONE
TOOL_END = chunk("tool_calls") + DONE
PLACES = {
    "text": lambda key: chunk(content=key) + END,
    "reasoning": lambda key: chunk(reasoning_content=f"a {key}") + chunk(content="hi") + END,
    "finish reason": lambda key: chunk(content="hi") + chunk(key) + DONE,
    "model": lambda key: (
        b"data: " + json.dumps({"model": key, "choices": [{"delta": {"content": "hi"}}]}).encode() + b"\n\n" + END
    ),
    "call id": lambda key: call(identity=key) + TOOL_END,
    "call name": lambda key: call(name=key) + TOOL_END,
    "call arguments": lambda key: call(arguments=json.dumps({"x": key, key: 1})) + TOOL_END,
    "signature": lambda key: call(extra_content={"google": {"thought_signature": key}}) + TOOL_END,
    "citation": lambda key: (
        chunk(content="hi", annotations=[{"type": "url_citation", "url_citation": {"url": f"http://a/{key}"}}]) + END
    ),
    "error inside": lambda key: b"data: " + json.dumps({"error": {"message": key, "code": key}}).encode() + b"\n\n",
}


@pytest.mark.parametrize("place", PLACES)
def test_credential_that_a_server_repeats_goes_nowhere(place, tmp_path):
    for form, encode in ENCODERS.items():
        first = PLACES[place](encode(KEY))

        def script(peer, first=first):
            while request := peer.request():
                is_second = b'"role": "tool"' in request.body
                peer.answer(chunk(content="hi") + END if is_second else first, Content_Type="text/event-stream")

        path = tmp_path / f"{form}.jsonl"
        with RawServer(script) as server:
            chat = Chat("openai:m", base_url=f"{server.url}/v1", auth=KEY, cassette=path, mode="record", max_retries=0)
            error = None
            try:
                chat.ask("q", tools=[f])
            except ProviderError as raised:
                error = raised
            (turn,) = chat.conversation.turns
        saved = save_conversation(chat.conversation, tmp_path / "a.json").read_text()
        told = [f"{error} {error.details} {error.code} {error.param}"] if error else notices_of(turn)
        for text in (path.read_text(), json.dumps(turn.to_dict()), saved, *told):
            assert not holds(text, KEY), (form, text)


def test_a_challenge_says_why_where_the_body_does_not_and_never_the_credential():
    for form, encode in ENCODERS.items():
        line = "".join(encode(KEY).splitlines())
        head = f'WWW-Authenticate: Bearer realm="x", error="invalid_token", error_description="Expired: {line}"'

        def script(peer, head=head):
            peer.request()
            peer.send(f"HTTP/1.1 401 No\r\n{head}\r\nContent-Length: 0\r\n\r\n".encode())

        with RawServer(script) as server, pytest.raises(ProviderError, match="Expired: ") as caught:
            Chat("openai:m", base_url=server.url, auth=KEY, max_retries=0).ask("q")
        assert not holds(f"{caught.value} {caught.value.details}", KEY), form


def test_credential_in_headers_and_refusals_goes_nowhere(tmp_path):
    for status in ("401 Unauthorized", "400 Bad Request", "307 Temporary Redirect", "429 Slow down", "500 Oops"):
        for form, encode in ENCODERS.items():
            key = encode(KEY)
            body = json.dumps({"error": {"message": f"bad key {key}", "code": key, "param": key, "type": key}})
            line = "".join(key.splitlines())  # a header holds no line break
            head = f"Retry-After: {line}\r\nLocation: http://other.example/{line}\r\nX-Request-Id: {line}\r\n"

            def script(peer, head=head, body=body, status=status):
                while peer.request():
                    peer.send(f"HTTP/1.1 {status}\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

            path = tmp_path / "a.jsonl"
            with RawServer(script) as server:
                chat = Chat("openai:m", base_url=f"{server.url}/v1", auth=KEY, cassette=path, mode="new", max_retries=0)
                with pytest.raises(ProviderError) as caught:
                    chat.ask("q")
            error = caught.value
            seen = (str(error), error.details, error.code, error.param, path.read_text())
            assert not any(holds(text, KEY) for text in seen), (status, form, seen)

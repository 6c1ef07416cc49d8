"""Parameters: JSON on the line, their types, and those of local servers."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.magic_line import parse_literal


@pytest.mark.parametrize(("text", "value"), [
    ('{"type":"json_object","strict":true}', {"type": "json_object", "strict": True}),
    ("{'a': [1, None]}", {"a": [1, None]}), ('[1, null, "x"]', [1, None, "x"]), ("true", True), ("null", None),
    ("1e3", 1000.0),
    ("fmt", "fmt"), ("{a: 1}", "{a: 1}"), ('{"a": NaN}', '{"a": NaN}'), ('{"a": true', '{"a": true'),
    ("[" * 100_000, "[" * 100_000),
])  # fmt: skip
def test_value_is_a_python_or_json_literal_else_text(text, value):
    assert parse_literal(text) == value


def local(server, **given):
    Chat("openai:demo", base_url=server.url("openai")).ask("say x", **given)
    return server.requests[-1].json


def test_json_goes_into_the_request(run, mock_server):
    url = mock_server.url("openai")
    run(
        f"""%%chat -m openai:demo --base-url {url} -p 'response_format={{"type":"json_object","strict":true}}'\nsay x"""
    )
    assert mock_server.requests[-1].json["response_format"] == {"type": "json_object", "strict": True}
    cell = run(f"%%chat -m openai:demo --base-url {url} -p response_format=fmt\nsay x")
    assert isinstance(cell.error, UsageError)
    assert "response_format must be a dict, got the text 'fmt'" in str(cell.error)
    assert len(mock_server.requests) == 1


@pytest.mark.parametrize("given", [
    {"response_format": "json"}, {"response_format": ["json"]}, {"logit_bias": "x"}, {"extra_body": "top_k=1"},
    {"temperature": "hot"}, {"max_tokens": [1]}, {"top_k": "many"}, {"seed": True}, {"chat_template_kwargs": "x"},
])  # fmt: skip
def test_wrong_type_is_refused_before_any_io(mock_server, given):
    with pytest.raises(UsageError, match=f"{next(iter(given))} must be a "):
        local(mock_server, **given)
    assert mock_server.requests == []


def test_null_may_be_sent(mock_server):
    assert local(mock_server, response_format=None, max_tokens=None)["response_format"] is None


def test_local_server_takes_more_parameters(mock_server):
    body = local(mock_server, top_k=40, min_p=0.05, repeat_penalty=1.1)
    assert (body["top_k"], body["min_p"], body["repeat_penalty"]) == (40, 0.05, 1.1)


@pytest.mark.parametrize("name", ["local", "ollama", "lmstudio", "llamacpp", "vllm"])
def test_local_provider_takes_them_at_any_address(name):
    assert Chat(f"{name}:m", base_url="http://gpu.test/v1").prepare("x", top_k=40).request.params == {"top_k": 40}


def test_elsewhere_the_message_names_extra_body():
    with pytest.raises(UsageError, match=r"extra_body=\{'top_k'"):
        Chat("openai:m", auth="fake-key-0123456789").prepare("x", top_k=40)


def test_provider_that_would_drop_them_does_not_take_them(mock_server):
    with pytest.raises(UsageError, match="Unknown parameter 'top_k' for lockchat"):
        Chat("lockchat", base_url=mock_server.url("lockchat")).prepare("x", top_k=40)


def test_limits_below_one_token_are_refused_before_anything_is_sent():
    for dialect in ("chat-completions", "responses", "messages"):
        for url in ("http://127.0.0.1:9/v1", "https://example.com/v1"):
            chat = Chat("openai:m", base_url=url, dialect=dialect)
            for limit in (-1, 0):
                with pytest.raises(UsageError, match=f"max_tokens must be >= 1, got {limit}"):
                    chat.prepare("hi", max_tokens=limit)
            assert chat.prepare("hi", max_tokens=None).request.params == {"max_tokens": None}

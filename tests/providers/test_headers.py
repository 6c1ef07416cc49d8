"""Headers of the user's own: credentials by their names, the environment, and what is refused."""

import copy
import pickle
import traceback
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.errors import AuthenticationError, LockbotsError, UsageError
from lockbots_magic.providers.headers import RequestHeaders, is_credential_name, parse_header_line
from lockbots_magic.security.secrets import Secret

KEY = "fake-gateway-key-0123456789"


def sent(server, **settings):
    Chat("openai:demo", base_url=server.url("openai"), **settings).ask("say x")
    return server.requests[-1].headers


@pytest.mark.parametrize("name", [
    "Authorization", "api-key", "X-Api-Key", "x-goog-api-key", "Cookie", "X-Auth", "x-auth-code",
    "CF-Access-Client-Secret",
    "X-Amz-Security-Token", "Proxy-Authorization", "Ocp-Apim-Subscription-Key", "apikey", "X-Password", "session_id",
])  # fmt: skip
def test_headers_that_hold_a_credential(name):
    assert is_credential_name(name)


@pytest.mark.parametrize("name", ["X-Dept", "HTTP-Referer", "OpenAI-Organization", "cf-access-client-id", "X-Author"])
def test_headers_that_hold_none(name):
    assert not is_credential_name(name)


def test_value_that_looks_like_a_key_is_a_credential_whatever_its_header_is_called():
    headers = RequestHeaders({"X-Team": "sk-live-4f9a8b7c6d5e4f3a2b1c", "X-Dept": "7"})
    assert repr(headers) == "RequestHeaders(X-Dept: 7, X-Team: ***)"
    assert headers.secret["X-Team"].reveal().startswith("sk-live-")


def test_headers_go_with_every_request(mock_server):
    assert sent(mock_server, headers={"X-Dept": "7"}, auth=KEY)["x-dept"] == "7"
    assert mock_server.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_header_of_the_user_replaces_that_of_the_provider_in_any_case(mock_server):
    headers = sent(
        mock_server, headers={"AUTHORIZATION": f"Token {KEY}", "user-agent": "mine"}, auth="fake-other-key-0123"
    )
    assert headers["authorization"] == f"Token {KEY}"
    assert headers["user-agent"] == "mine"


def test_credential_in_a_header_is_enough(monkeypatch, mock_server):
    monkeypatch.setattr("lockbots_magic.providers.presets.presets.openai.url", mock_server.url("openai"))
    with pytest.raises(AuthenticationError):
        Chat("openai:demo").ask("say x")
    assert Chat("openai:demo", headers={"X-Api-Key": KEY}).ask("say x").reply == "x"


@pytest.mark.parametrize("written", ["$GATEWAY_KEY", "${GATEWAY_KEY}", "Bearer $GATEWAY_KEY"])
def test_value_is_read_from_the_environment(monkeypatch, mock_server, written):
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    assert sent(mock_server, headers={"X-Api-Key": written})["x-api-key"] == written.replace(
        "${GATEWAY_KEY}", KEY
    ).replace("$GATEWAY_KEY", KEY)


def test_missing_variable_is_named():
    with pytest.raises(UsageError, match="GATEWAY_KEY, which is not set"):
        RequestHeaders.of({"X-Dept": "$GATEWAY_KEY"})


@pytest.mark.parametrize("headers", [
    {"X-Dept": "7\r\nX-Evil: 1"}, {"X-Dept\r\nX-Evil": "1"}, {"X-Api-Key": f"{KEY}\r\nX-Evil: 1"}, {"X-Dept": "7\x00"},
    {"": "7"},
    {"X Dept": "7"}, {"X-Dept:": "7"}, {"X-Dept": "ü"}, {"Host": "a.test"}, {"Content-Length": "1"},
    {"x-a": "1", "X-A": "2"}, {"X-Dept": 7}, ["X-Dept"], "X-Dept: 7", {"X-Api-Key": ""}, {"X-Dept": "x" * 9000},
])  # fmt: skip
def test_invalid_headers_are_refused_before_any_io(mock_server, headers):
    with pytest.raises(UsageError) as caught:
        sent(mock_server, headers=headers)
    assert mock_server.requests == []
    assert KEY not in str(caught.value)
    frames = traceback.walk_tb(caught.value.__traceback__)
    ours = [frame.f_locals for frame, _ in frames if frame.f_code.co_filename.endswith("providers/headers.py")]
    assert KEY not in repr(ours)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=3))
def test_any_header_is_safe_or_refused(headers):
    with suppress(UsageError):
        made = RequestHeaders.of(headers)
        values = [*made.plain.values(), *(secret.reveal() for secret in made.secret.values())]
        assert not any(c in text for c in "\r\n\0" for text in (*made.plain, *made.secret, *values))


def test_credential_in_a_header_is_hidden_everywhere(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai"), headers={"X-Api-Key": KEY})
    turn = chat.ask(f"say {KEY}")
    assert KEY not in turn.reply
    for shown in (
        repr(chat),
        repr(chat.provider),
        repr(chat.provider.headers),
        repr(vars(chat.provider)),
        repr(turn.to_dict()["params"]),
    ):
        assert KEY not in shown


def test_credential_in_a_header_is_redacted_in_errors(mock_server):
    url = mock_server.url("openai", fault="http-401")
    with pytest.raises(LockbotsError) as caught:
        Chat("openai:demo", base_url=url, headers={"X-Api-Key": KEY}).ask("x")
    assert KEY not in str(caught.value)


def test_cassette_holds_no_header(mock_server, tmp_path):
    path = tmp_path / "talk.jsonl"
    given = {"headers": {"X-Api-Key": KEY, "X-Dept": "dept-seven"}, "cassette": path}
    Chat("openai:demo", base_url=mock_server.url("openai"), **given).ask("say x")
    assert not {"dept-seven", KEY, "X-Dept"} & set(path.read_text().split('"'))
    assert Chat("openai:demo", cassette=path, mode="replay").ask("say x").reply == "x"


def test_copies_keep_headers_and_pickles_keep_the_names_of_variables(monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    chat = Chat("openai:demo", headers={"X-Dept": "7", "X-Api-Key": "$GATEWAY_KEY", "X-Other-Key": KEY})
    for copied in (copy.copy(chat), copy.deepcopy(chat)):
        assert copied.provider.headers.secret["X-Other-Key"].reveal() == KEY
    pickled = pickle.dumps(chat.provider)
    assert KEY.encode() not in pickled
    monkeypatch.setenv("GATEWAY_KEY", "fake-next-key-0123456789")
    loaded = pickle.loads(pickled).headers
    assert (dict(loaded.plain), list(loaded.secret)) == ({"X-Dept": "7"}, ["X-Api-Key"])
    assert loaded.secret["X-Api-Key"].reveal() == "fake-next-key-0123456789"
    monkeypatch.delenv("GATEWAY_KEY")
    assert not pickle.loads(pickled).headers.secret


def test_scheme_is_not_part_of_the_credential():
    headers = RequestHeaders.of({"Authorization": f"Bearer {KEY}"})
    assert headers.secret["Authorization"].reveal() == f"Bearer {KEY}"
    assert headers.secret["Authorization"].redact(f"Token {KEY}") == "Token ***"


def test_line_of_a_header():
    assert parse_header_line("X-Dept: 7") == ("X-Dept", "7")
    assert parse_header_line("X-Key: $NAME") == ("X-Key", "$NAME")
    for line in ("X-Dept", ": 7", f"X-Api-Key: {KEY}"):
        with pytest.raises(UsageError) as caught:
            parse_header_line(line)
        assert KEY not in str(caught.value)


def test_secret_is_taken_as_it_is():
    assert RequestHeaders.of({"X-Id": Secret(KEY)}).secret["X-Id"].reveal() == KEY

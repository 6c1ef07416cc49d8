"""Where data go: the address is the user's last word for a provider, and a credential goes to no other."""

import json

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.security.secrets import Secret

KEY = "fake-typed-key-0123456789"
ELSEWHERE = "https://elsewhere.test/v1"


def auth(session, *args):
    secret = session.chat(*args).provider.auth
    return secret and secret.reveal()


# Headers.


def test_use_sends_headers_to_that_address_alone(run, lockbots, session, mock_server, monkeypatch):
    monkeypatch.setenv("GATEWAY_KEY", KEY)
    url = mock_server.url("openai")
    said = lockbots(f'use openai:demo --base-url {url} --header "X-Dept: 7" --header "X-Api-Key: $GATEWAY_KEY"')
    run("%%chat\nsay x")
    headers = mock_server.requests[-1].headers
    assert (headers["x-dept"], headers["x-api-key"]) == ("7", KEY)
    status = lockbots("status")
    assert "X-Dept, X-Api-Key" in status
    assert KEY not in said + status + lockbots("set") + lockbots("providers")
    assert not session.chat("openai:demo", ELSEWHERE).provider.headers
    lockbots(f"use openai:demo --base-url {ELSEWHERE}")
    assert not session.chat().provider.headers


def test_credential_written_in_a_header_is_refused(lockbots, session, mock_server):
    with pytest.raises(UsageError, match=r"X-Api-Key: \$NAME") as caught:
        lockbots(f'use openai:demo --base-url {mock_server.url("openai")} --header "X-Api-Key: {KEY}"')
    assert KEY not in str(caught.value)
    assert session.settings.model == "guide"


def test_headers_of_the_configuration(run, session, mock_server):
    url = mock_server.url("openai")
    session.settings.providers = {"openai": {"base_url": url, "headers": {"X-Api-Key": KEY, "X-Dept": "7"}}}
    run("%%chat -m openai:demo\nsay x")
    assert mock_server.requests[-1].headers["x-api-key"] == KEY
    assert KEY not in repr(session.settings.providers)
    assert not session.chat("openai:demo", ELSEWHERE).provider.headers
    session.use("openai:demo", headers={"X-Dept": "8"})
    assert dict(session.chat().provider.headers.plain) == {"X-Dept": "8"}
    assert list(session.chat().provider.headers.secret) == ["X-Api-Key"]


def test_invalid_header_of_the_configuration_is_a_clear_error(session):
    with pytest.raises(Exception, match="Invalid header name"):
        session.settings.providers = {"openai": {"headers": {"X Dept": "7"}}}


# Addresses.


def test_address_of_the_environment_is_told(lockbots, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    told = "http://127.0.0.1:9/v1 (from OPENAI_BASE_URL)"
    assert f"Using openai:m at {told}" in lockbots("use openai:m")
    assert told in lockbots("status")
    assert told in lockbots("providers")


def test_invalid_address_of_the_environment_can_be_replaced(lockbots, session, monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", "nonsense")
    with pytest.raises(UsageError, match="OPENAI_BASE_URL"):
        lockbots("use openai:m")
    assert "OPENAI_BASE_URL" in lockbots("providers")
    lockbots(f"use openai:m --base-url {ELSEWHERE}")
    assert session.chat().provider.base_url == ELSEWHERE


def test_failed_use_changes_nothing(lockbots, session):
    lockbots(f"use openai:a --base-url {ELSEWHERE}")
    for line in ("use openai:b --base-url nonsense", "use nosuch:b", 'use openai:b --header "X Y: 1"'):
        with pytest.raises(UsageError):
            lockbots(line)
    assert (session.settings.model, session.chat().provider.base_url) == ("openai:a", ELSEWHERE)


def test_query_is_not_shown(lockbots):
    said = lockbots("use openai:m --base-url https://gate.test/v1?tenant=hidden")
    assert "hidden" not in said + lockbots("status") + lockbots("providers")


def test_turn_keeps_its_address_without_a_query(run, session, mock_server):
    url = mock_server.url("openai")
    run(f"%%chat -m openai:demo --base-url {url}?tenant=hidden\nsay x")
    cell = run("%%chat -m guide\nWhat is a cell?")
    turns = session.conversations.get().turns
    assert [turn.address for turn in turns] == [url, ""]
    assert "hidden" not in json.dumps(turns[0].to_dict())
    assert cell.error is None


# Credentials.


def test_typed_credential_goes_to_no_other_address(session):
    session.credentials.keep("openai", Secret(KEY))
    assert auth(session, "openai:m") == KEY
    assert auth(session, "openai:m", ELSEWHERE) is None
    session.use("openai:m", ELSEWHERE)
    assert auth(session) is None
    session.credentials.keep("openai", Secret("fake-other-key-0123456789"), ELSEWHERE)
    assert auth(session) == "fake-other-key-0123456789"
    assert auth(session, "openai:m", "https://elsewhere.test/v2") == "fake-other-key-0123456789"
    session.use("openai:m", "default")
    assert auth(session) == KEY
    assert session.credentials.forget("openai")
    assert auth(session, "openai:m", ELSEWHERE) is None


def test_login_is_for_the_address_in_use(lockbots, session, monkeypatch):
    monkeypatch.setattr("getpass.getpass", lambda _: KEY)
    lockbots(f"use openai:m --base-url {ELSEWHERE}")
    assert f"openai at {ELSEWHERE} saved" in lockbots("login openai")
    assert auth(session) == KEY
    assert auth(session, "openai:m", "https://third.test/v1") is None


def test_credential_of_the_configuration_goes_to_its_address_alone(session):
    session.settings.providers = {"openai": {"base_url": ELSEWHERE, "auth": KEY}}
    assert auth(session, "openai:m") == KEY
    assert auth(session, "openai:m", "https://third.test/v1") is None


# The guide.


def test_turns_of_the_guide_are_sent_to_no_model_and_the_reverse(run, session, mock_server):
    run("%%chat -m guide\nHow do I connect a real model?")
    model = f"-m openai:demo --base-url {mock_server.url('openai')}"
    run(f"%%chat {model}\nsay one")
    run("%%chat -m guide\nWhat is a cell?")
    run(f"%%chat {model}\nsay two")
    assert [m["content"] for m in mock_server.requests[-1].json["messages"]] == ["say one", "one", "say two"]
    asked = session.chat("guide").prepare("And then?").request.messages
    assert [m.content for m in asked if m.role == "user"] == [
        "How do I connect a real model?",
        "What is a cell?",
        "And then?",
    ]


def test_use_keeps_a_dialect_with_its_address(lockbots, session):
    def spoken(**given):
        return session.chat(**given).provider.dialect.name

    assert "dialect responses" in lockbots("use openai:m --base-url http://127.0.0.1:1/v1 --dialect responses")
    assert spoken() == "responses"
    assert "responses" in lockbots("status")
    assert spoken(dialect="chat-completions") == "chat-completions"
    assert spoken(dialect="default") == "chat-completions"
    assert spoken(base_url="http://127.0.0.1:2/v1") == "chat-completions"
    lockbots("use openai:other")
    assert spoken() == "responses"
    lockbots("use openai:m --dialect default")
    assert spoken() == "chat-completions"
    lockbots("use openai:m --dialect responses")
    lockbots("use openai:m --base-url http://127.0.0.1:3/v1")
    assert spoken() == "chat-completions"


def test_configured_dialect_belongs_to_the_configured_address(session):
    session.settings.providers = {"vllm": {"base_url": "http://127.0.0.1:1/v1", "dialect": "responses"}}
    assert session.chat("vllm:m").provider.dialect.name == "responses"
    assert session.chat("vllm:m", "http://127.0.0.1:2/v1").provider.dialect.name == "chat-completions"
    assert session.chat("vllm:m", dialect="default").provider.dialect.name == "chat-completions"


def test_a_cell_has_a_dialect_of_its_own(run, mock_server):
    run(f"%%chat -m openai:demo --base-url {mock_server.url('openai')} --dialect responses\nsay hi there")
    assert mock_server.requests[-1].path.endswith("/v1/responses")

"""Cassettes and what goes wrong: failures, replies that end early, answers that can't be recorded."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    Interrupted,
    NotRecordedError,
    RateLimitError,
    UsageError,
)
from lockbots_magic.security.secrets import Secret
from tests.cassette.test_cassette import PLANTED, counter, never, never_named, recorded, replies


@pytest.mark.parametrize("mode", ["new", "record", "auto"])
def test_failure_never_replaces_a_complete_answer(path, mode):
    fails = []

    def model(prompt):
        if fails:
            raise ConnectionFailed("no network")
        return "fine"

    Chat(model, cassette=path).ask("one")
    fails.append(True)
    chat = Chat(model, cassette=path, mode=mode)
    for prompt in ("two", "two"):
        with pytest.raises(ConnectionFailed):
            chat.ask(prompt)
    assert [line["ended"] for line in recorded(path)] == ["complete", "error", "error"]


def test_failure_and_its_retry_are_both_recorded(path):
    fails = [True]

    def model(prompt):
        if fails and fails.pop():
            raise ConnectionFailed("once")
        return "fine"

    chat = Chat(model, cassette=path)
    with pytest.raises(ConnectionFailed):
        chat.ask("q")
    chat.ask("q")
    played = Chat(never, cassette=path, mode="replay")
    with pytest.raises(ConnectionFailed):
        played.ask("q")
    assert played.ask("q").reply == "fine"


def test_failure_is_raised_in_the_form_that_is_recorded(path):
    told = []
    for mode in ("record", "replay"):
        chat = Chat("openai:m", base_url="http://127.0.0.1:9/v1", max_retries=0, cassette=path, mode=mode)
        with pytest.raises(ConnectionFailed) as raised:
            chat.ask("hi")
        told.append((str(raised.value), chat.conversation.turns[-1].error))
    assert told[0] == told[1]
    assert "127.0.0.1" not in told[0][0]


@pytest.mark.parametrize("kind", [RateLimitError, ConnectionFailed])
def test_recorded_error_is_raised_unchanged(path, kind):
    def model(prompt):
        yield "so far"
        raise kind("it broke")

    for _ in range(2):
        chat = Chat(model, cassette=path, mode="record" if not path.exists() else "replay")
        with pytest.raises(kind, match="it broke") as raised:
            chat.ask("hi")
        assert raised.value.partial == "so far"
        assert (chat.conversation.turns[0].status, chat.conversation.turns[0].reply) == ("error", "so far")


def test_mode_auto_sends_a_recorded_failure_again(path):
    """A recorded failure may be transient, so the request still counts as missing."""
    fails = [True]

    def model(prompt):
        yield "so far"
        if fails:
            raise ConnectionFailed("no network")

    with pytest.raises(ConnectionFailed):
        Chat(model, cassette=path).ask("hi")
    fails.clear()
    assert Chat(model, cassette=path).ask("hi").reply == "so far"  # another day
    assert [line["ended"] for line in recorded(path)] == ["complete"]


def test_interrupted_reply_is_replayed_as_interrupted(path):
    def model(prompt):
        yield "so far"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Chat(model, cassette=path).ask("hi")
    chat = Chat(never, cassette=path, mode="replay")
    with pytest.raises(Interrupted):
        chat.ask("hi")
    (turn,) = chat.conversation.turns
    assert (turn.status, turn.reply) == ("interrupted", "so far")


def test_cancelled_reply_is_replayed_as_cancelled(path):
    reply = Chat(counter(), cassette=path).stream("hi")
    next(reply)
    reply.cancel()
    turn = Chat(never, cassette=path, mode="replay").ask("hi")
    assert (turn.status, turn.reply) == ("interrupted", "answer ")


def test_reply_abandoned_halfway_is_recorded_up_to_there(path):
    with Chat(counter(), cassette=path).stream("hi") as reply:
        next(reply)
    assert [(line["reply"], line["ended"]) for line in recorded(path)] == [("answer ", "cancelled")]


def test_missing_credential_is_reported_before_anything_is_recorded(path):
    for mode in ("auto", "record", "new"):
        with pytest.raises(AuthenticationError):
            Chat("openai:m", cassette=path, mode=mode).ask("hi")
    assert recorded(path) == []


def test_reply_is_kept_if_it_cannot_be_recorded(path):
    cassette = Cassette(path)
    chat = Chat(counter(), cassette=cassette)
    path.unlink()
    path.mkdir()
    with pytest.warns(UserWarning, match=r"This reply was not recorded in talk.jsonl: .*Is a directory"):
        turn = chat.ask("hi")
    assert turn.reply == "answer 1"


def test_warning_that_a_reply_was_not_recorded_shows_no_credential(path, monkeypatch):
    cassette, secret = Cassette(path), Secret(PLANTED)

    def fail(*_):
        raise UsageError(f"\x1b[2J{PLANTED[:9]}\0{PLANTED[9:]}")

    monkeypatch.setattr(cassette.file, "add", fail)
    with pytest.warns(UserWarning, match=r"This reply was not recorded in talk.jsonl: \[2J\*\*\*\Z"):
        Chat(counter(), cassette=cassette).ask("hi")
    assert secret


def test_torn_cassette_says_so_when_it_is_opened_and_when_an_answer_is_missing(path):
    replies(Chat(counter(), cassette=path), "one", "two")
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], lines[1][:40], lines[1].replace(b"one", b"six"), b""]))
    model = never_named("model")
    with pytest.warns(UserWarning, match=r"talk\.jsonl: line 2 is torn"):
        chat = Chat(model, cassette=path, mode="replay")
    assert chat.ask("six").reply == "answer 1"
    with pytest.raises(NotRecordedError, match=r"line 2 is torn.*\n.*no answer to this request"):
        chat.ask("one")

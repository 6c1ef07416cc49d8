"""Record and replay: same text and same ending, without network or credential."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette import provider as cassette_provider
from lockbots_magic.cassette.active import eject_cassette, insert_cassette
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import CellOrigin, Delta, Usage
from lockbots_magic.errors import (
    NotRecordedError,
    ProviderError,
    UsageError,
)
from lockbots_magic.providers import names
from tests.providers.test_contract import QUESTIONS, case_of

PLANTED = "planted-credential-0123456789"


def counter():
    """Return a model that gives a different answer each time."""
    asked = []

    def model(prompt, temperature=None):
        asked.append(prompt)
        yield from ("answer ", f"{len(asked)}")

    counting: Any = model
    counting.asked = asked
    return counting


def never(prompt, temperature=None):
    raise AssertionError("no model may be called")


never.__name__ = "model"


def recorded(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def replies(chat, *prompts):
    return [chat.ask(prompt).reply for prompt in prompts]


@pytest.mark.parametrize("name", names())
def test_every_provider_is_replayed_without_network_and_credential(name, path, mock_server, monkeypatch):
    case = case_of(name)
    settings = {"base_url": mock_server.url(case.service), "auth": "mock"} if case.service else {}
    params = {"rate": 0} if name == "guide" else {}
    model = f"{name}:{case.model}"
    live = Chat(model, **settings, params=params, cassette=path, mode="record")
    said = [live.ask(question) for question in QUESTIONS]
    asked = len(mock_server.requests)
    played = Chat(model, params=params, cassette=path, mode="replay")
    again = [played.ask(question) for question in QUESTIONS]
    assert [t.reply for t in again] == [t.reply for t in said]
    assert [(t.model, t.status, t.usage) for t in again] == [(t.model, t.status, t.usage) for t in said]
    assert len(mock_server.requests) == asked


def test_replayed_deltas_are_those_received(path):
    def model(prompt):
        yield Delta(reasoning="let me see")
        yield Delta("Hel")
        yield Delta("lo", notice="slow today")
        yield Delta(finish_reason="length", usage=Usage(3, 2))

    live = list(Chat(model, cassette=path).stream("hi").deltas)
    reply = Chat(never_named("model"), cassette=path, mode="replay").stream("hi")
    played = list(reply.deltas)
    assert "".join(d.text for d in played) == "".join(d.text for d in live) == "Hello"
    assert [d.reasoning for d in played if d.reasoning] == ["let me see"]
    assert [d.notice for d in played if d.notice] == ["slow today"]
    assert (reply.turn.status, reply.turn.usage) == ("truncated", Usage(3, 2))


def never_named(name):
    def model(prompt):
        raise AssertionError("no model may be called")

    model.__name__ = name
    return model


def test_same_prompt_gets_its_answers_in_order(path):
    model = counter()
    for _ in range(3):
        Chat(model, cassette=path).ask("hi")
    assert [line["reply"] for line in recorded(path)] == ["answer 1"]  # auto: the first was not missing any more
    live = Chat(model, cassette=path, mode="record")
    live.ask("hi")
    live.clear()
    live.ask("hi")
    played = Cassette(path, "replay")
    assert [Chat(never, cassette=played).ask("hi").reply for _ in range(2)] == ["answer 2", "answer 3"]
    with pytest.raises(NotRecordedError, match="has 2 answers to this request, played already"):
        Chat(never, cassette=played).ask("hi")


def test_conversation_is_replayed_turn_by_turn(path):
    model = counter()
    live = replies(Chat(model, cassette=path), "one", "two", "one")
    assert replies(Chat(never, cassette=path, mode="replay"), "one", "two", "one") == live


def test_repeated_cell_gets_the_same_answer(path):
    chat = Chat(counter(), cassette=path, mode="record")
    for cell in "ab":
        chat.stream("hi", origin=CellOrigin(cell, f"{cell}1"), history=False).close()
        assert list(chat.stream("hi", origin=CellOrigin(cell, f"{cell}1"), history=False))
    played = Chat(never, cassette=path, mode="replay")

    def ask(cell, run):
        return "".join(played.stream("hi", origin=CellOrigin(cell, run), history=False))

    assert [ask("a", "1"), ask("b", "2"), ask("a", "3"), ask("b", "4"), ask("a", "5")] == [
        *("answer 1", "answer 2", "answer 1", "answer 2", "answer 1")
    ]
    with pytest.raises(NotRecordedError):
        ask("a", "5")  # the same run asks once more


def test_repeated_cell_replaces_its_recording(path):
    chat = Chat(counter(), cassette=path, mode="record")
    for run, prompt in (("1", "hi"), ("2", "hi"), ("3", "hello")):
        list(chat.stream(prompt, origin=CellOrigin("a", run)))
    assert [line["reply"] for line in recorded(path)] == ["answer 3"]


@pytest.mark.parametrize(
    ("mode", "kept", "asked"),
    [
        ("auto", ["answer 1", "answer 2", "answer 3"], 1),
        ("record", ["answer 2", "answer 3", "answer 4"], 2),
        ("new", ["answer 3", "answer 4"], 2),
    ],
)
def test_modes_differ_in_what_they_send_and_keep(path, mode, kept, asked):
    model = counter()
    Chat(model, cassette=path).ask("one")
    Chat(model, cassette=path).ask("two")
    before = len(model.asked)
    chat = Chat(model, cassette=path, mode=mode)
    for prompt in ("one", "three"):
        chat.clear()
        chat.ask(prompt)
    assert len(model.asked) - before == asked
    assert [line["reply"] for line in recorded(path)] == kept


@pytest.mark.parametrize("mode", ["new", "record"])
def test_equal_answers_are_recorded_once_for_each_request(path, mode):
    def same(prompt):
        return f"to {prompt}"

    for _ in range(3):
        chat = Chat(same, cassette=path, mode=mode)
        for prompt in ("a", "b", "a", "a"):
            chat.ask(prompt)
            chat.clear()
        assert [line["reply"] for line in recorded(path)] == ["to a", "to b", "to a", "to a"]


def test_credential_of_the_environment_is_not_recorded(path, monkeypatch):
    monkeypatch.setenv("SOMEBODYS_API_KEY", PLANTED)
    Chat(lambda prompt: f"you said {prompt}", cassette=path).ask(f"my key is {PLANTED}")
    assert PLANTED not in path.read_text()


def test_mode_new_keeps_the_file_until_the_first_answer(path):
    Chat(counter(), cassette=path).ask("one")
    before = path.read_bytes()
    Chat(counter(), cassette=path, mode="new")
    assert path.read_bytes() == before


@pytest.mark.parametrize(("recorded", "asked"), [(0.0, 0), (0, 0.0), (1, 1.0)])
def test_equal_numbers_are_one_request(recorded, asked, path):
    Chat(counter(), cassette=path).ask("How many?", temperature=recorded)
    assert Chat(never, cassette=path, mode="replay").ask("How many?", temperature=asked).reply == "answer 1"


def test_unrecorded_request_is_an_error_that_shows_the_difference(path):
    Chat(counter(), cassette=path).ask("How many dogs?", temperature=0.2)
    with pytest.raises(NotRecordedError) as raised:
        Chat(never, cassette=path, mode="replay").ask("How many cats?", temperature=0.5)
    told = str(raised.value)
    assert '- parameters: {"temperature": 0.2}' in told
    assert "+ user: How many cats?" in told
    assert f"Chat(..., cassette={str(path)!r}, mode='auto')" in told


def test_unrecorded_request_keeps_the_earlier_turn(path):
    Chat(counter(), cassette=path).ask("one")
    chat = Chat(never, cassette=path, mode="replay")
    chat.ask("one")
    with pytest.raises(NotRecordedError):
        chat.ask("two")
    assert [t.prompt for t in chat.conversation.turns] == ["one"]


def test_default_model_of_a_server_is_recorded(path, mock_server):
    live = Chat("ollama", base_url=mock_server.url("openai"), cassette=path).ask("hi")
    played = Chat("ollama", cassette=path, mode="replay").ask("hi")
    assert played.model == live.model != ""
    assert Chat("ollama", cassette=path).ask("hi").model == live.model
    with pytest.raises(NotRecordedError, match="Name it: vllm:MODEL"):
        Chat("vllm", cassette=path, mode="replay").ask("hi")


def test_recorded_speed_is_kept_if_the_output_is_live(path, monkeypatch):
    clock = SimpleNamespace(now=0.0)
    clock.monotonic = clock.time = lambda: clock.now
    monkeypatch.setattr(cassette_provider, "time", clock)

    def model(prompt):
        for word in "xyz":
            clock.now += 0.5
            yield word

    Chat(model, cassette=path).ask("hi")

    def wait(_, seconds):
        clock.now += seconds
        return False

    monkeypatch.setattr(Cancellation, "wait", wait)

    def played(speed=None, **options):
        """Return the time (s) from the request to each word."""
        chat = Chat(never, cassette=path, mode="replay", speed=speed)
        began, arrivals = clock.now, []
        for _ in chat.stream("hi", **options):
            arrivals.append(clock.now - began)
            clock.now += 0.25 if "origin" in options else 0  # displaying the word; the next comes no later for it
        return arrivals

    live = CellOrigin(watched=True)
    assert played() == [0, 0, 0]
    assert played(origin=live) == [0.5, 1, 1.5]
    assert played(speed=2) == [0.25, 0.5, 0.75]
    assert played(speed=0, origin=live) == [0, 0.25, 0.5]


def test_replayed_reply_can_be_stopped(path):
    path.write_text(
        '{"format": "lockbots-cassette", "version": 1}\n'
        '{"request": {"provider": "function", "model": "model", "messages": [{"role": "user", "content": "hi"}],'
        ' "params": {}}, "reply": "xy", "ended": "complete", "rhythm": [[0, 1], [600000, 1]]}\n'
    )
    reply = Chat(never, cassette=path, mode="replay", speed=1).stream("hi")
    assert next(reply) == "x"
    threading.Timer(0.1, reply.cancel).start()
    assert list(reply) == []
    assert (reply.turn.status, reply.turn.reply) == ("interrupted", "x")


def test_cassette_holds_no_credential_address_or_path(path, mock_server, tmp_path):
    def model(prompt, temperature=None, place=""):
        yield f"you said {prompt[:12]}"
        yield prompt[12:]
        raise FileNotFoundError(2, "no such file", str(tmp_path / "key.txt"))

    url = mock_server.url("openai")
    chat = Chat("openai:demo", base_url=url, auth=PLANTED, system=f"key {PLANTED}", cassette=path)
    chat.ask(f"say {PLANTED}", user=PLANTED)
    with pytest.raises(ProviderError):
        Chat("openai:demo", base_url="http://127.0.0.1:9/v1", auth=PLANTED, max_retries=1, cassette=path).ask("hi")
    with pytest.raises(ProviderError):
        Chat(model, cassette=path).ask(f"say {PLANTED}")
    kept = path.read_text(encoding="utf-8")
    assert len(recorded(path)) == 3
    for secret in (PLANTED, PLANTED[:-1], "127.0.0.1", "http:", str(tmp_path), "authorization", "Bearer"):
        assert secret not in kept


@pytest.mark.parametrize(
    "settings", [{"mode": "reply"}, {"speed": -1.0}, {"speed": float("nan")}, {"mode": "replay"}], ids=str
)
def test_invalid_cassette_arguments_are_refused(path, settings):
    with pytest.raises(UsageError):
        Chat(never, cassette=path, **settings)
    assert not path.exists()


def test_mode_without_a_cassette_is_refused():
    with pytest.raises(UsageError, match="need the file of a cassette"):
        Chat(never, mode="replay")


def test_active_cassette_serves_every_chat_of_the_process(path):
    chat = Chat(counter())
    insert_cassette(Cassette(path))
    chat.ask("hi")
    eject_cassette()
    insert_cassette(Cassette(path, "replay"))
    assert Chat(never).ask("hi").reply == chat.fork().conversation.turns[0].reply == "answer 1"
    eject_cassette()
    assert chat.ask("hi").reply == "answer 2"


def test_chat_with_its_own_cassette_ignores_the_active_one(path, tmp_path):
    insert_cassette(Cassette(tmp_path / "other.jsonl"))
    Chat(counter(), cassette=path).ask("hi")
    assert len(recorded(path)) == 1
    assert recorded(tmp_path / "other.jsonl") == []


def test_environment_names_the_cassette(path, monkeypatch):
    monkeypatch.setenv("LOCKBOTS_CASSETTE", str(path))
    assert Chat(counter()).ask("hi").reply == "answer 1"
    monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", "replay")
    assert Chat(never).ask("hi").reply == "answer 1"
    with pytest.raises(NotRecordedError):  # every chat of the kernel goes on where the last one was
        Chat(never).ask("hi")


def test_mode_of_the_environment_overrides_that_of_the_code(path, monkeypatch):
    Chat(counter(), cassette=path).ask("hi")
    monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", "REPLAY")
    assert Chat(never, cassette=path, mode="new").ask("hi").reply == "answer 1"
    monkeypatch.setenv("LOCKBOTS_CASSETTE_MODE", "play")
    with pytest.raises(UsageError, match="LOCKBOTS_CASSETTE_MODE must be one of replay"):
        Chat(never, cassette=path)

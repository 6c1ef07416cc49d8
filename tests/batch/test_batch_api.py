"""`through="batch"`: the batch APIs of OpenAI and Anthropic, with the same journal and result."""

import itertools
import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.batch import remote
from lockbots_magic.batch.remote import RemoteEngine
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.errors import ConnectionFailed, ProtocolError, UsageError
from lockbots_magic.providers import batch_api
from lockbots_magic.providers.batch_api import BatchService, batch_service
from tests.optional import need
from tests.prompt.test_documents import write_pdf

CHATS = {
    "chat completions": {"model": "openai:demo", "dialect": "chat-completions"},
    "responses": {"model": "openai:demo", "dialect": "responses"},
    "messages": {"model": "anthropic:demo"},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(remote, "FIRST_POLL", 0.01)


def chat_of(kind, mock_server, **settings):
    given = dict(CHATS[kind])
    return Chat(
        given.pop("model"), base_url=mock_server.url("openai", auth="required", **settings), auth="mock", **given
    )


@pytest.mark.parametrize("kind", CHATS)
def test_answers_are_those_of_single_requests(mock_server, tmp_path, kind):
    keep = tmp_path / "kept.jsonl"
    chat = chat_of(kind, mock_server)
    rows = [{"x": x} for x in ("hi", "there", "hi")]
    prices = {chat.provider.name: [1_000_000, 1_000_000]}
    batch = chat.map("{{ x }}", rows, through="batch", keep=keep, prices=prices)
    single = chat.map("{{ x }}", rows, prices=prices)
    assert [row.value for row in batch.answers] == [row.value for row in single.answers]
    assert not any(row.error for row in batch.answers)
    assert (batch.usage.asked, batch.usage.reused) == (2, 1)
    assert batch.usage.cost == pytest.approx(single.usage.cost / 2), "half the price"
    sent = len(mock_server.requests)
    again = chat.map("{{ x }}", rows, keep=keep)
    assert (again.usage.asked, len(mock_server.requests)) == (0, sent)
    replayed = Chat(CHATS[kind]["model"], cassette=keep, mode="replay").ask("hi")
    assert replayed.reply == batch.answers[0].value


def test_job_of_an_earlier_run_is_collected(mock_server, tmp_path, monkeypatch):
    keep = tmp_path / "kept.jsonl"
    chat = chat_of("messages", mock_server, polls=3)

    def interrupted(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(remote, "sleep", interrupted)
    first = chat.map("{{ value }}", ["a", "b"], through="batch", keep=keep)
    assert len(first.failed) == 2
    monkeypatch.undo()
    monkeypatch.setattr(remote, "FIRST_POLL", 0.01)
    second = chat.map("{{ value }}", ["a", "b", "c"], through="batch", keep=keep)
    assert second.failed == []
    created = [r for r in mock_server.requests if r.method == "POST"]
    assert [len(r.json["requests"]) for r in created] == [2, 1], "a row was sent twice"
    assert len(CassetteFile(keep).recordings) == 3
    third = chat.map("{{ value }}", ["a", "b", "c"], through="batch", keep=keep)
    assert third.usage.asked == 0
    assert len([r for r in mock_server.requests if r.method == "POST"]) == 2


def test_refused_request_of_a_job_is_the_error_of_its_row(mock_server, monkeypatch):
    chat = chat_of("messages", mock_server)
    encode = batch_service(chat.provider, "demo").encode
    monkeypatch.setattr(
        "lockbots_magic.providers.batch_api.BatchService.encode",
        lambda self, request, adaptations=(): {
            **encode(request),
            **({"max_tokens": None} if request.messages[-1].content == "b" else {}),
        },
    )
    batch = chat.map("{{ value }}", list("abc"), through="batch")
    assert [bool(row.error) for row in batch.answers] == [False, True, False]
    assert "max_tokens" in batch.failed[0].error


@pytest.mark.parametrize("kind", CHATS)
def test_what_can_not_be_sent_is_the_error_of_its_row_and_half_a_character_is_replaced(mock_server, kind):
    chat = chat_of(kind, mock_server)
    for value in ({1}, float("nan")):
        batch = chat.map("{{ value }}", ["a", "b"], through="batch", extra_body={"x": value})
        assert [row.error for row in batch.answers] == [
            "UsageError: A parameter can't be written as JSON. Use numbers, text, lists or dicts."
        ] * 2
    assert not mock_server.requests
    batch = chat.map("{{ value }}", ["a\ud800", "b"], through="batch")
    assert not batch.failed
    assert "a\ufffd" in batch.answers[0].value


def test_results_that_break_off_lose_no_answer(mock_server, tmp_path, monkeypatch):
    chat = chat_of("messages", mock_server)
    read = BatchService._lines

    def cut(self, url):
        yield next(read(self, url))
        raise ConnectionFailed("The connection was lost.")

    monkeypatch.setattr(BatchService, "_lines", cut)
    keep = tmp_path / "kept.jsonl"
    batch = chat.map("{{ value }}", ["a", "b"], through="batch", keep=keep)
    assert [bool(row.value) for row in batch.answers] == [True, False]
    assert "can't be read now: The connection was lost. Run the batch again" in batch.stopped
    monkeypatch.undo()
    again = chat.map("{{ value }}", ["a", "b"], through="batch", keep=keep)
    assert not again.failed
    assert len([one for one in mock_server.requests if b"custom_id" in one.content]) == 1, "a job was sent twice"


def test_results_of_no_row_are_ignored(mock_server, monkeypatch):
    chat = chat_of("messages", mock_server)
    read = BatchService._lines
    result = {"type": "succeeded", "message": {}}
    odd = [json.dumps({"custom_id": key, "result": result}).encode() for key in ([1], {"a": 1}, None, 7, "x")]
    monkeypatch.setattr(BatchService, "_lines", lambda self, url: (*odd, *read(self, url)))
    assert not chat.map("{{ value }}", ["a", "b"], through="batch").failed


@pytest.mark.parametrize("size", [1, 3, 100])
def test_results_are_read_line_by_line_and_bounded(mock_server, monkeypatch, size):
    service = batch_service(chat_of("messages", mock_server).provider, "demo")
    sent = b"one\n\ntwo \nthree"
    monkeypatch.setattr(service, "_pieces", lambda *_: (sent[at : at + size] for at in range(0, len(sent), size)))
    assert list(service._lines("")) == [b"one", b"two ", b"three"]
    monkeypatch.setattr(batch_api, "MAX_LINE", 10)
    assert len(list(service._lines(""))) == 3
    monkeypatch.setattr(service, "_pieces", lambda *_: itertools.repeat(b"x" * size))
    for read in (lambda: list(service._lines("")), lambda: service._send("GET", "")):
        with pytest.raises(ProtocolError, match="more than 0 MB at once"):
            read()


def test_wrong_credential_ends_the_batch(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai", auth="required"), auth="wrong-0123456789")
    batch = chat.map("{{ value }}", list("abc"), through="batch")
    assert len(batch.failed) == 3
    assert "credential" in batch.stopped


def test_what_does_not_fit_is_refused(mock_server):
    chat = chat_of("messages", mock_server)
    with pytest.raises(UsageError, match="through"):
        chat.map("{{ value }}", ["a"], through="mail")
    with pytest.raises(UsageError, match="tools"):
        chat.map("{{ value }}", ["a"], through="batch", tools=[len])
    with pytest.raises(UsageError, match="no batch API"):
        Chat(lambda prompt: prompt).map("{{ value }}", ["a"], through="batch")


@pytest.mark.parametrize("kind", CHATS)
def test_documents_that_are_refused_are_sent_again_as_text(mock_server, tmp_path, kind):
    need("pypdf")
    rows = [{"x": x, "file": str(write_pdf(tmp_path / f"{x}.pdf", f"Sales of {x} rose."))} for x in "ab"]
    keep = tmp_path / "kept.jsonl"
    chat = chat_of(kind, mock_server, fault="no-documents")
    chat.provider.takes_documents, chat.provider._is_own_address = True, lambda: True
    batch = chat.map("What of {{ x }}?", rows, files="file", through="batch", keep=keep)
    assert not batch.failed
    assert batch.usage.asked == 2
    assert "a.pdf" in batch.notes[0]
    sent = [one for one in mock_server.requests if one.method == "POST"]
    jobs = [one for one in sent if b"custom_id" in one.content]
    assert [b"JVBERi" in one.content for one in jobs] == [True, False], "the second job holds their text"
    assert b"Sales of b rose." in jobs[1].content
    assert chat.map("What of {{ x }}?", rows, files="file", keep=keep).usage.reused == 2
    again = chat.map("And {{ x }}?", rows, files="file", through="batch")
    assert not again.failed
    assert len([one for one in mock_server.requests if b"custom_id" in one.content]) == 3, "it was not remembered"


def test_a_batch_that_is_stopped_sends_nothing_again(mock_server, tmp_path, monkeypatch):
    need("pypdf")
    collect = RemoteEngine._collect

    def collect_and_stop(engine, service, job):
        yield from collect(engine, service, job)
        engine.stop("enough")

    monkeypatch.setattr(RemoteEngine, "_collect", collect_and_stop)
    chat = chat_of("messages", mock_server, fault="no-documents")
    chat.provider.takes_documents, chat.provider._is_own_address = True, lambda: True
    rows = [{"file": str(write_pdf(tmp_path / f"{x}.pdf", f"Sales of {x} rose."))} for x in "ab"]
    batch = chat.map("What of it?", rows, files="file", through="batch")
    assert batch.stopped == "enough"
    assert len(batch.failed) == 2
    assert len([one for one in mock_server.requests if b"custom_id" in one.content]) == 1


def test_refusal_of_a_job_names_no_credential(mock_server):
    chat = Chat("anthropic:demo", base_url=mock_server.url("openai"), auth="secret-0123456789abcdef")
    service = batch_service(chat.provider, "demo")
    told = {"type": "error", "error": {"type": "invalid_request_error", "message": "secret-0123456789abcdef is wrong"}}
    error = service._named(service.read_result({"custom_id": "1", "result": {"type": "errored", "error": told}}).error)
    assert "secret" not in str(error)
    assert error.retryable is False
    assert "(HTTP 400)" in str(error)

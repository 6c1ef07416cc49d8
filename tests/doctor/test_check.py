"""`check`: a tick is measured, a refusal is quoted, and what was not tried says why."""

import json
import re
from typing import ClassVar

import pytest

from lockbots_magic import Chat
from lockbots_magic.doctor.checks import NAMES, REQUESTS
from lockbots_magic.doctor.pictures import red_square
from lockbots_magic.doctor.report import CheckReport, CheckResult
from lockbots_magic.errors import Interrupted, UsageError
from lockbots_magic.language import available_languages, speaking
from lockbots_magic.reply import Reply
from tests.rawserver import RawServer

USAGE = {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20}
COLOR = '{"name": "yellow", "letters": 6}'


def chunk(text="", finish=None, **fields):
    return {"choices": [{"index": 0, "delta": {"content": text, **fields}, "finish_reason": finish}]}


class Able:
    """A server that does everything; a subclass lacks something."""

    streams = counts = calls = sees = fits = True
    usage: ClassVar = USAGE
    refuses: ClassVar = {}
    """Field of a body -> message of the refusal."""

    def __init__(self):
        self.bodies = []

    def answer(self, peer):
        request = peer.request()
        if request is None:
            return
        if request.target.endswith("/models"):
            peer.answer(json.dumps({"data": [{"id": "m"}, {"id": "n"}]}).encode(), Content_Type="application/json")
            return
        body = json.loads(request.body)
        self.bodies.append(body)
        for field, message in self.refuses.items():
            if body.get(field):
                refusal = json.dumps({"error": {"message": message}}).encode()
                peer.answer(refusal, "400 Bad Request", Content_Type="application/json")
                return
        message = self.reply(body)
        if not body["stream"]:
            choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
            whole = {"choices": [choice], **({"usage": self.usage} if self.counts else {})}
            peer.answer(json.dumps(whole).encode(), Content_Type="application/json")
            return
        text = message.pop("content")
        pieces = re.findall(r"\S+\s*", text) if self.streams else [text]
        chunks = [*map(chunk, pieces), chunk("", "stop", **message)]
        if self.counts:
            chunks.append({"choices": [], "usage": self.usage})
        data = b"".join(b"data: " + json.dumps(one).encode() + b"\n\n" for one in chunks) + b"data: [DONE]\n\n"
        peer.answer(data, Content_Type="text/event-stream")

    def reply(self, body):
        prompt = body["messages"][-1]
        if prompt["role"] == "tool":
            return {"content": f"It is {prompt['content']}."}
        if body.get("tools"):
            call = {"id": "1", "type": "function", "index": 0}
            call["function"] = {"name": "look_up_code", "arguments": '{"name": "blue"}'}
            return {"content": "", "tool_calls": [call]} if self.calls else {"content": "B, I guess"}
        if isinstance(prompt["content"], list):
            return {"content": "Red." if self.sees else "I see nothing."}
        if "lemon" in prompt["content"]:
            return {"content": COLOR if self.fits else "It is yellow."}
        return {"content": "1 2 3 4 5 6 7 8"}


ALL = {**dict.fromkeys(NAMES, "yes"), "reasoning": "no"}
"""States of a server that does all, with a model that does not reason."""


@pytest.fixture
def check():
    """`check(server, **options)` returns the report of a check, and leaves what was asked in `server.bodies`."""

    def run(server, model="m", **options):
        with RawServer(server.answer) as raw:
            return Chat(f"openai:{model}", base_url=f"{raw.url}/v1", **options).check()

    return run


def states(report):
    return {finding.name: finding.state for finding in report.findings}


def test_server_that_does_all_has_a_tick_for_all(check):
    report = check(Able())
    assert states(report) == ALL
    assert "8 pieces" in report["streaming"].details
    assert "12 + 8 tokens" in report["token counts"].details
    assert "look_up_code('blue')" in report["tools"].details
    assert [finding.name for finding in report.findings if finding.advice] == ["reasoning"]


@pytest.mark.parametrize(
    ("fields", "counts", "state", "words"),
    [
        ({"reasoning_content": "Let me count."}, {}, "yes", "apart from the text, with"),
        ({}, {"completion_tokens_details": {"reasoning_tokens": 1200}}, "yes", "tokens, but not sent"),
        ({}, {}, "no", "None came with these replies"),
    ],
)
def test_reasoning_is_measured_by_the_replies_to_the_other_questions(check, fields, counts, state, words):
    class Thinking(Able):
        def reply(self, body):
            return {**fields, **super().reply(body)}

        usage: ClassVar = {**USAGE, **counts}

    server = Thinking()
    report = check(server)
    assert report["reasoning"].state == state
    assert words in report["reasoning"].details
    assert len(server.bodies) == REQUESTS  # none of its own


@pytest.mark.parametrize(
    ("lack", "name", "words"),
    [
        ("streams", "streaming", "as one whole"),
        ("counts", "token counts", "none with a streamed, whole reply"),
        ("calls", "tools", "B, I guess"),
        ("sees", "images", "I see nothing"),
        ("fits", "JSON schema", "It is yellow"),
    ],
)
def test_what_a_server_lacks_is_told_in_its_words_with_advice(check, lack, name, words):
    server = type("Lacking", (Able,), {lack: False})()
    report = check(server)
    assert [finding.name for finding in report.findings if finding.state != "yes"] == [name, "reasoning"]
    assert report[name].state == "no"
    assert words in report[name].details
    assert report[name].advice


def test_refusal_of_a_feature_is_quoted_and_the_rest_is_tried(check):
    server = type("Refusing", (Able,), {"refuses": {"tools": "This server has no tools, sorry."}})()
    report = check(server)
    assert report["tools"].state == "no"
    assert "has no tools, sorry" in report["tools"].details
    assert states(report)["images"] == "yes"


def test_what_was_adapted_is_told(check):
    refuses = {"response_format": "Unknown field: response_format"}
    report = check(type("Adapted", (Able,), {"refuses": refuses})())
    assert report["JSON schema"].state == "no"
    assert "the prompt alone stated it" in report["JSON schema"].details
    assert any("response_format" in name for name in report.adapted)
    assert "response_format" in repr(report)


def test_limit_that_a_model_refuses_is_left_out(check):
    server = type("Thinking", (Able,), {"refuses": {"max_tokens": "Unsupported parameter: 'max_tokens'"}})()
    report = check(server)
    assert states(report) == ALL
    assert "max_tokens" in report.adapted
    assert sum("max_tokens" in body for body in server.bodies) == 1


def test_without_a_connection_nothing_else_is_tried():
    report = Chat("openai:m", base_url="http://127.0.0.1:1/v1", backoff=0.01).check()
    assert [report["models"].state, report["streaming"].state] == ["no", "no"]
    assert {finding.state for finding in report.findings[2:]} == {"not tried"}
    assert all(finding.details for finding in report.findings)


def test_faults_of_a_server_give_no_tick(mock_server):
    faults = ("no-answer", "not-http", "close-midway", "cut", "bad-json", "page", "json-error", "error-midway", "empty")
    for fault in faults:
        url = mock_server.url("openai", fault=fault)
        report = Chat("openai:demo", base_url=url, auth="mock", timeout=(5, 2)).check()
        assert states(report).get("streaming") != "yes", fault
        assert all(finding.details for finding in report.findings if finding.state != "yes"), fault


def test_limits_of_time_and_rate_measure_nothing(mock_server):
    for fault in ("silence", "http-429"):
        url = mock_server.url("openai", fault=fault)
        report = Chat("openai:demo", base_url=url, auth="mock", timeout=(5, 0.2), max_retries=0, backoff=0.01).check()
        assert set(states(report).values()) == {"not tried"}, fault
        assert all(finding.details for finding in report.findings), fault


def test_nothing_joins_the_conversation_and_the_chat_learns_nothing(check):
    with RawServer(Able().answer) as raw:
        chat = Chat("openai:m", base_url=f"{raw.url}/v1", system="Answer in French.")
        chat.check()
    assert chat.conversation.turns == ()
    assert chat.provider.learned.all_adaptations() == ()
    assert chat.provider.max_retries == 2


def test_cost_is_told_before_anything_is_sent(monkeypatch):
    chat = Chat("openai:gpt-4o", auth="fake-credential-0123456789")
    with pytest.raises(UsageError, match=r"about 6 short requests, which cost up to about \$0\.0\d+.*--yes"):
        chat.check()
    with pytest.raises(UsageError, match="price is unknown"):
        Chat("openai:unheard-of", auth="fake-credential-0123456789").check()
    with pytest.raises(UsageError, match=r"\$12"):
        chat.check(prices={"openai:gpt-4o": [10, 10_000]})


def test_cassette_gets_and_gives_nothing(check, tmp_path):
    tape = tmp_path / "talk.jsonl"
    report = check(Able(), cassette=tape)
    assert states(report) == ALL
    assert not tape.exists() or "Count from" not in tape.read_text()
    tape.touch()
    with pytest.raises(UsageError, match=r"talk\.jsonl is being replayed.*%lockbots live"):
        Chat("guide", cassette=tape, mode="replay").check()


def test_stopped_check_leaves_a_part_of_the_table_that_says_so(check, monkeypatch):
    server = Able()
    usual = Reply.cancel
    with RawServer(server.answer) as raw:
        seen = []

        def watch(reply):
            seen.append(reply)
            if len(seen) == 3:
                usual(reply)

        report = Chat("openai:m", base_url=f"{raw.url}/v1").check(watch=watch)
    assert report.stopped
    assert states(report)["whole reply"] == "yes"
    assert {states(report)[name] for name in NAMES[4:]} == {"not tried"}
    assert "Stopped" in repr(report)


def test_report_has_versions_and_no_secrets(mock_server, monkeypatch, tmp_path):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    secret = "sk-proj-abcdefghijklmnop0123456789"

    class Leaky(Able):
        def reply(self, body):
            return {"content": f"``` {secret} {tmp_path}/x 5 6 7 8"}

    with RawServer(Leaky().answer) as raw:
        text = Chat("openai:m", base_url=f"{raw.url}/v1", auth=secret).check().text
    assert re.search(r"lockbots-magic \d", text)
    assert re.search(r"Python \d", text)
    assert secret not in text
    assert str(tmp_path) not in text
    assert text.count("```") == 2


@pytest.mark.parametrize("language", available_languages())
def test_columns_of_the_table_as_text_hold_their_words(language):
    findings = tuple(CheckResult(name, state, "details") for name in NAMES for state in ("yes", "no", "not tried"))
    with speaking(language):
        head, *lines = repr(CheckReport("openai", "m", "", findings)).splitlines()[2:]
    start = re.match(r"\S+ +\S+ +", head).end()
    assert all(line[start - 1] == " " and line[start:] == "details" for line in lines[1:])


def test_hostile_words_stay_text(check):
    class Hostile(Able):
        calls = False

        def reply(self, body):
            return {"content": "<script>alert(1)</script>\x1b[31m red"}

    report = check(Hostile())
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()
    assert "\x1b" not in repr(report) + report.text + report._repr_html_()


def test_picture_is_a_png_of_one_color():
    pytest.importorskip("PIL")
    import base64
    import io

    from PIL import Image

    data = base64.b64decode(red_square().partition(",")[2])
    assert Image.open(io.BytesIO(data)).getcolors() == [(64 * 64, (224, 16, 16))]


def test_command_shows_the_table_and_counts_its_usage(run, session):
    with RawServer(Able().answer) as raw:
        cell = run(f"%lockbots check openai:m --base-url {raw.url}/v1")
        text = run(f"%lockbots check openai:m --base-url {raw.url}/v1 --report")
    assert cell.error is None
    assert "<table>" in cell.outputs[0].data["text/html"]
    assert "yes" in cell.outputs[0].data["text/plain"]
    assert text.stdout.startswith("```\nCheck of openai:m")
    assert len(session.outside) == 10
    assert session.conversations.get().turns == ()


def test_watched_command_says_how_far_it_is_and_shows_the_table_in_that_place(run, monkeypatch):
    monkeypatch.setattr("lockbots_magic.notebook.presenter.watched", lambda *_: True)
    with RawServer(Able().answer) as raw:
        cell = run(f"%lockbots check openai:m --base-url {raw.url}/v1")
    *lines, table = [output.data for output in cell.outputs]
    assert [line["text/plain"] for line in (lines[0], lines[-1])] == [
        "Checking models (1 of 6)…",
        "Checking reasoning (6 of 6)…",
    ]
    assert "<table>" in table["text/html"]


def test_command_that_may_cost_asks_for_consent(run, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "fake-credential-0123456789")
    cell = run("%lockbots check openai:gpt-4o")
    assert isinstance(cell.error, UsageError)
    assert "%lockbots check --yes" in str(cell.error)


def test_interrupted_command_shows_its_part_and_stops_run_all(run, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("lockbots_magic.doctor.checks._Checkup._check_tools", interrupt)
    with RawServer(Able().answer) as raw:
        cell = run(f"%lockbots check openai:m --base-url {raw.url}/v1")
    assert isinstance(cell.error, Interrupted)
    assert "Stopped" in cell.outputs[0].data["text/plain"]

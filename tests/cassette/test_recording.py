"""Recordings as lines of JSON, and errors without machine-specific details."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.cassette.anonymize import anonymize, describe_error
from lockbots_magic.cassette.recording import Recording
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.cassette.rhythm import rhythm_of
from lockbots_magic.conversation.attachments import CitationPart, ImagePart
from lockbots_magic.conversation.messages import ChatRequest, Delta, Message, Usage
from lockbots_magic.errors import ConnectionFailed, ProviderError, RateLimitError
from lockbots_magic.security.secrets import Secret

text = st.text(st.characters(exclude_categories=()), max_size=20)  # half surrogate pairs too
messages = st.lists(st.builds(Message, st.sampled_from(["system", "user", "assistant"]), text), max_size=4).map(tuple)
questions = st.builds(RecordedRequest, text, text, messages, st.sampled_from(["{}", '{"temperature": 0.2}']))
attached = st.lists(st.builds(ImagePart, text, text) | st.builds(CitationPart, text, text, text), max_size=2).map(tuple)
steps = st.tuples(text, text, text, attached).map(lambda it: Delta(it[0], it[1], notice=it[2], parts=it[3]))
deltas = st.lists(st.tuples(st.integers(0, 5000), steps), max_size=8).map(
    lambda rows: [(at / 1000, delta) for at, delta in sorted(rows, key=lambda row: row[0])]
)


def recording_of(question, came, elapsed, ended="complete", finish_reason="stop", usage=None, default=False):
    reply, reasoning = "".join(d.text for _, d in came), "".join(d.reasoning for _, d in came)
    rhythm = rhythm_of(came, elapsed)
    return Recording(question, reply, reasoning, rhythm, ended, finish_reason, {}, usage, default, "an-id")


recordings = st.builds(
    recording_of,
    questions,
    deltas,
    st.integers(5000, 9000).map(lambda n: n / 1000),
    st.sampled_from(["complete", "interrupted", "error"]),
    st.sampled_from(["", "stop", "length"]),
    st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9)),
    st.booleans(),
)


def parts(timed):
    """Return (time, kind, text) of every piece that is not empty."""
    for at, delta in timed:
        named = (("reasoning", delta.reasoning), ("text", delta.text), ("notice", delta.notice))
        yield from ((at, kind, text) for kind, text in named if text)
        yield from ((at, "part", part) for part in delta.parts)


@given(questions, deltas)
def test_pieces_are_replayed_at_their_recorded_times(question, came):
    assert list(parts(recording_of(question, came, 9.0).deltas())) == list(parts(came))


@given(recordings)
def test_recording_is_read_as_written(recording):
    line = recording.to_line()
    assert "\n" not in line
    assert Recording.from_line(json.loads(line.encode("utf-8", "backslashreplace"))) == recording


@given(recordings)
def test_line_that_follows_another_does_not_repeat_it(first):
    then = Recording(RecordedRequest("p", "m", (*first.messages, Message("user", "more"))), "yes", rhythm=[[9, 3]])
    line = json.loads(then.to_line(first).encode("utf-8", "backslashreplace"))
    assert line["after"] == "an-id"
    assert line["request"]["messages"] == [{"role": "user", "content": "more"}]
    again = Recording.from_line(line, first)
    assert again == then
    assert again.request.key == then.request.key


@given(st.recursive(st.none() | st.booleans() | st.integers() | text, lambda v: st.lists(v) | st.dictionaries(text, v)))
def test_line_that_is_not_a_recording_is_one_error(value):
    with pytest.raises((ValueError, TypeError, KeyError, AttributeError, IndexError)):
        Recording.from_line(value)


def test_line_is_readable_text():
    recording = Recording(
        RecordedRequest("openai", "gpt-4o-mini", (Message("user", "Сколько?"),), '{"temperature": 0.2}'),
        "Ровно 3.",
        rhythm=rhythm_of([(0.8124, Delta("Ров")), (0.8124, Delta("но")), (0.9, Delta(" 3."))], 1.0),
        finish_reason="stop", usage=Usage(3, 4), id="a1",
    )  # fmt: skip
    assert json.loads(recording.to_line()) == {
        "id": "a1",
        "request": {
            "provider": "openai",
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": "Сколько?"}],
            "params": {"temperature": 0.2},
        },
        "reply": "Ровно 3.",
        "ended": "complete",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
        "rhythm": [[812, 3, 2], [900, 3], [1000]],
    }


def test_reply_edited_by_hand_is_replayed_completely():
    line = {
        "request": {"provider": "p", "model": "m", "messages": []},
        "reply": "A longer reply.", "ended": "complete", "rhythm": [[5, 3], [9]],
    }  # fmt: skip
    recording = Recording.from_line(line)
    assert recording.reply == "A longer reply."
    assert [d.text for _, d in recording.deltas()] == ["A l", "onger reply.", ""]


@pytest.mark.parametrize(
    "rhythm",
    [
        None,
        5,
        [5],
        [[]],
        [["text"]],
        [[0, "x", 1]],
        [[0, None]],
        [[0, [1]]],
        [{}],
        [[1e300, 5]],
        [[float("inf"), 1]],
        [[0, 2.5]],
        [[0, "reasoning", "x"]],
        [[-1, 2]],
        [[0, 2, "reasoning"]],
        [[True, 1]],
    ],
)
def test_invalid_rhythm_is_refused_when_the_line_is_read(rhythm):
    line = {"request": {"provider": "p", "model": "m", "messages": []}, "reply": "a", "ended": "complete"}
    with pytest.raises((ValueError, TypeError, IndexError, KeyError)):
        Recording.from_line({**line, "rhythm": rhythm})


def test_order_of_parameters_does_not_matter():
    one, other = (
        RecordedRequest.from_request("p", "m", ChatRequest("m", (), params))
        for params in ({"a": 1, "b": 2}, {"b": 2, "a": 1})
    )
    assert one.key == other.key


def test_parameter_that_is_not_json_is_recorded_by_its_type():
    question = RecordedRequest.from_request("p", "m", ChatRequest("m", (), {"frame": object()}))
    assert json.loads(question.params) == {"frame": "<object>"}


def test_deltas_of_a_failure_have_no_finish_reason():
    recording = Recording(RecordedRequest("p", "m", ()), "so far", rhythm=[[100, 6], [200]], ended="error")
    assert [d for _, d in recording.deltas()] == [Delta("so far")]


def test_failure_is_raised_unchanged():
    error = RateLimitError("slow down", status=429, retry_after=3.0)
    recording = Recording(
        RecordedRequest("openai", "m", ()), "so", rhythm=[[0, 2]], ended="error", error=describe_error(error, "")
    )  # fmt: skip
    again = recording.failure()
    assert type(again) is RateLimitError
    assert (str(again), again.status, again.retry_after, again.partial) == ("slow down", 429, 3.0, "so")
    assert (again.provider, again.model) == ("openai", "m")


@pytest.mark.parametrize("kind", ["ConnectionFailed", "RateLimitError"])
def test_failure_with_malformed_details_is_still_raised(kind):
    details = {"type": kind, "message": "x", "status": "a", "retry_after": []}
    recording = Recording(RecordedRequest("p", "m", ()), ended="error", error=details)
    assert type(recording.failure()).__name__ == kind


@pytest.mark.parametrize("usage", [{"prompt_tokens": "a"}, {"prompt_tokens": 1.5}, {"other": 1}, [1]])
def test_invalid_usage_is_refused_when_the_line_is_read(usage):
    request = {"provider": "p", "model": "m", "messages": []}
    with pytest.raises((ValueError, TypeError)):
        Recording.from_line({"request": request, "reply": "", "ended": "complete", "rhythm": [], "usage": usage})


@pytest.mark.parametrize("name", ["KeyboardInterrupt", "UsageError", "printable", "no such", 7])
def test_failure_of_an_unknown_kind_is_a_provider_error(name):
    recording = Recording(RecordedRequest("p", "m", ()), ended="error", error={"type": name, "message": "x"})
    assert type(recording.failure()) is ProviderError


def test_foreign_exception_is_described_by_name():
    assert describe_error(KeyError("x"), "") == {"type": "ProviderError", "message": "KeyError: 'x'"}


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("the connection to 127.0.0.1:8123 failed: refused", "the connection to the server failed: refused"),
        ("127.0.0.1 was silent for too long", "the server was silent for too long"),
        ("see https://host.example/v1/x?key=1.", "see <address>"),
        ("no file /home/me/key.txt here", "no file <path> here"),
        (r"no file C:\Users\me\key.txt here", "no file <path> here"),
        ("~/notes/a.md", "<path>"),
        ("no file 'C:/Users/me/My Documents/key.txt' here", "no file '<path>' here"),
        (r"no file \\server\share\x here", "no file <path> here"),
        ("file:/home/me/x and path:/home/me/x", "file:<path> and path:<path>"),
        ("/secret.csv is gone", "<path> is gone"),
        ("and/or 1/2 of 10.127.0.0.1", "and/or 1/2 of 10.127.0.0.1"),
        ("my-secret-credential is wrong", "*** is wrong"),
    ],
)
def test_recorded_error_holds_no_machine_specific_details(said, kept):
    secret = Secret("my-secret-credential")
    assert anonymize(said, "http://127.0.0.1:8123/v1") == kept
    assert describe_error(ConnectionFailed(said), "http://127.0.0.1:8123/v1")["message"] == kept
    del secret

"""Files with anything anywhere: each is read, or refused in one line, and what was read can be shown and saved."""

import contextlib
import io
import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.preview import describe_request
from lockbots_magic.storage.files import (
    EXPORT_FORMATS,
    export_conversation,
    import_conversations,
    load_conversation,
    remarks_on_file,
    save_conversation,
)
from tests.effort import examples
from tests.storage.test_foreign_files import SAVED, TURN, notebook

ODD = [
    *("\ud800", "a\udfffb", "\0", "\x1b[2J", "\u202e", "", "x" * 5000, "https://[", "9" * 50),
    *(None, True, -1, 10**400, 1.5, math.nan, 1e308, 2**63, [], {}, [[]], {"a": 1}, [None], {"\ud800": "\udc00"}),
]
MESSAGES = [
    {"role": "system", "content": "s"},
    {
        "role": "user",
        "content": [{"type": "text", "text": "q"}, {"type": "image_url", "image_url": {"url": "https://a"}}],
    },
    {"role": "assistant", "content": None, "tool_calls": [{"id": "x", "function": {"name": "f", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "x", "content": "1"},
    {"role": "assistant", "content": "r"},
]
RECORDING = {
    "id": "i",
    "request": {"provider": "openai", "model": "m", "messages": [{"role": "user", "content": "q"}], "params": {}},
    "reply": "r",
    "ended": "complete",
    "usage": {"prompt_tokens": 1},
    "calls": [{"id": "x", "function": {"name": "f", "arguments": "{}"}}],
    "error": {"type": "ServerError", "message": "m", "status": 500},
    "rhythm": [[0, 1, 0]],
}
HEADER = '{"format": "lockbots-cassette", "version": 1}\n'


def places(value, above=()):
    yield above
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*above, key))


def put(value, place, odd):
    if not place:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = put(value[place[0]], place[1:], odd)
    return copy


def check_conversation(conversation, folder):
    """Do with a conversation what users do."""
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO(), "utf-8")):
        for remark in remarks_on_file(conversation):
            remark.encode()
        save_conversation(conversation, folder / "saved.json")
        for ending in EXPORT_FORMATS:
            with contextlib.suppress(UsageError):  # a format may not hold a parameter
                export_conversation(conversation, folder / f"a{ending}")
        chat = Chat("openai:m", base_url="http://127.0.0.1:9/v1", conversation=conversation)
        with contextlib.suppress(UsageError):
            describe_request(chat.provider, chat.prepare("q").request).encode()


def refusal(read):
    """Return what `read` gives, or None if it refuses it in one line."""
    try:
        return read()
    except UsageError as error:
        message = str(error)
    assert "\n" not in message
    assert len(message) < 600
    return None


KINDS = {
    "load": ("a.json", SAVED, lambda path: [load_conversation(path)]),
    "messages": ("a.json", MESSAGES, lambda path: import_conversations(path).conversations),
    "notebook": ("a.ipynb", notebook(Turn.from_dict(TURN)), lambda path: import_conversations(path).conversations),
}


@pytest.mark.parametrize("kind", KINDS)
def test_file_with_an_odd_value_is_read_or_refused(kind, tmp_path):
    name, whole, read = KINDS[kind]
    everywhere = list(places(whole))

    @given(st.sampled_from(everywhere), st.sampled_from(ODD))
    @settings(max_examples=examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
    def check(place, odd):
        path = tmp_path / name
        path.write_text(json.dumps(put(whole, place, odd)))
        for conversation in refusal(lambda: read(path)) or ():
            check_conversation(conversation, tmp_path)

    check()


@given(st.sampled_from(list(places(RECORDING))), st.sampled_from(ODD))
@settings(max_examples=examples(800), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cassette_with_an_odd_value_is_read_or_refused(tmp_path, place, odd):
    path = tmp_path / "a.jsonl"
    path.write_text(HEADER + json.dumps(put(RECORDING, place, odd)) + "\n")
    cassette = refusal(lambda: Cassette(path, "replay"))
    if cassette is not None:
        for recording in cassette.file.recordings:
            for _, delta in recording.deltas():
                assert delta is not None
            str(recording.failure())

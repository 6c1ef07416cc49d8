"""What servers of tools gave, in a cassette: in replay no server is asked for it."""

import json

import pytest

from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.cassette.file import CassetteFile
from lockbots_magic.cassette.provider import CassetteProvider
from lockbots_magic.conversation.messages import Tool
from lockbots_magic.errors import NotRecordedError, UsageError
from lockbots_magic.providers.function import FunctionProvider
from lockbots_magic.security.secrets import Secret

from .test_file import lines_of, prompts, recording

SEARCH = Tool("search", "Searches.", {"type": "object", "properties": {"q": {"type": "string"}}})
FETCH = Tool("fetch", "Fetches 👋 \ud800.", {"type": "object"})


def test_list_is_kept_beside_recordings_and_read_again(path):
    tape = CassetteFile(path)
    tape.add(recording("one"))
    tape.add_served(("npx docs", ""), (SEARCH, FETCH))
    tape.add(recording("two"))
    again = CassetteFile(path)
    assert again.served == {("npx docs", ""): (SEARCH, FETCH)}
    assert prompts(again) == ["one", "two"]


def test_list_is_written_once_and_a_new_one_replaces_it(path):
    tape = CassetteFile(path)
    tape.add(recording("one"))
    tape.add_served(("docs", ""), (SEARCH,))
    written = path.read_bytes()
    tape.add_served(("docs", ""), (SEARCH,))
    assert path.read_bytes() == written
    tape.add_served(("docs", ""), (FETCH,))
    assert [line["tools_of"] for line in lines_of(path) if "tools_of" in line] == ["docs"]
    assert CassetteFile(path).served == {("docs", ""): (FETCH,)}
    assert prompts(CassetteFile(path)) == ["one"]


def test_list_survives_when_a_recording_is_replaced(path):
    tape = CassetteFile(path)
    kept = tape.add(recording("one"))
    tape.add_served(("docs", ""), (SEARCH,))
    tape.add(recording("two"), {kept.id})
    assert CassetteFile(path).served == {("docs", ""): (SEARCH,)}


def test_list_holds_no_credential(path):
    secret = Secret("sk-list-0123456789")
    CassetteFile(path).add_served(("docs", ""), (Tool("f", "key sk-list-0123456789", {"const": "sk-list-0123456789"}),))
    assert "sk-list-0123456789" not in path.read_text(encoding="utf-8")
    assert secret.is_searched


@pytest.mark.parametrize(
    "damage",
    [
        {"tools_of": 1, "tools": []},
        {"tools_of": "docs"},
        {"tools_of": "docs", "tools": [{"name": "f"}]},
        {"tools_of": "docs", "tools": [{"name": "f", "description": "", "parameters": []}]},
        {"tools_of": "docs", "tools": [{"name": 1, "description": "", "parameters": {}}]},
        {"tools_of": "docs", "tools": 5},
        {"resource_of": "docs", "text": "a"},
        {"resource_of": "docs", "uri": "a://b", "text": 5},
        {"resource_of": 5, "uri": "a://b", "text": "a"},
    ],
)
def test_line_that_is_no_list_is_named(path, damage):
    path.write_text('{"format": "lockbots-cassette", "version": 1}\n' + json.dumps(damage) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2"):
        CassetteFile(path)


def provider_with(path, mode):
    return CassetteProvider(FunctionProvider(lambda prompt: prompt), Cassette(path, mode))


def test_replay_gives_the_recorded_list_and_writes_nothing(path):
    provider_with(path, "record").record_tools("docs", (SEARCH,))
    written = path.read_bytes()
    replaying = provider_with(path, "replay")
    assert replaying.recorded_tools("docs") == (SEARCH,)
    replaying.record_tools("docs", (FETCH,))
    assert path.read_bytes() == written


def test_replay_without_the_list_says_how_to_record_it(path):
    CassetteFile(path).create()
    with pytest.raises(NotRecordedError, match="lacks the tools of docs"):
        provider_with(path, "replay").recorded_tools("docs")


def test_list_is_asked_for_where_every_request_is_sent(path):
    provider_with(path, "record").record_tools("docs", (SEARCH,))
    assert provider_with(path, "record").recorded_tools("docs") is None
    assert provider_with(path, "auto").recorded_tools("docs") == (SEARCH,)
    assert provider_with(path, "auto").recorded_tools("other") is None


def test_new_cassette_drops_the_lists_it_held(path):
    provider_with(path, "record").record_tools("old", (SEARCH,))
    new = provider_with(path, "new")
    new.record_tools("docs", (SEARCH,))
    new.record_tools("more", (FETCH,))
    assert set(CassetteFile(path).served) == {("docs", ""), ("more", "")}


def test_list_that_can_not_be_written_is_warned_of(path):
    provider = provider_with(path, "record")
    path.unlink()
    path.mkdir()
    with pytest.warns(UserWarning, match=r"The tools of docs were not recorded in talk\.jsonl"):
        provider.record_tools("docs", (SEARCH,))
    path.rmdir()


def test_provider_without_a_cassette_knows_no_lists():
    provider = FunctionProvider(lambda prompt: prompt)
    provider.record_tools("docs", (SEARCH,))
    assert provider.recorded_tools("docs") is None


def test_resources_are_kept_beside_lists(path):
    recording = Cassette(path, "record")
    recording.keep_tools("docs", (SEARCH,))
    recording.keep_resource("docs", "a://b", "Ünï \ud800")
    recording.keep_resource("docs", "a://b", "two")
    assert recording.resource("docs", "a://b") is None
    replaying = Cassette(path, "replay")
    assert (replaying.resource("docs", "a://b"), replaying.tools("docs")) == ("two", (SEARCH,))
    with pytest.raises(NotRecordedError, match="lacks the resource a://c of docs"):
        replaying.resource("docs", "a://c")

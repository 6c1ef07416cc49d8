"""Tools of a source behind a cassette: what is recorded starts no server."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.cassette.cassette import Cassette
from lockbots_magic.cassette.provider import CassetteProvider
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import Tool
from lockbots_magic.providers.function import FunctionProvider
from lockbots_magic.tools.recorded_tools import list_tools
from lockbots_magic.tools.tool_source import CallableTool, ToolOutput, ToolSource, fingerprint_of, is_tool_source


class FakeTool:
    default_approval = "ask"
    source = "docs"
    is_parallel = False

    def __init__(self, tool):
        self.tool = tool
        self.fingerprint = fingerprint_of(tool)

    def call(self, arguments, cancellation):
        return ToolOutput(f"called with {arguments}")


class FakeSource:
    name = "docs"
    recorded_key = "docs-server"

    def __init__(self, description="Searches."):
        self.started = 0
        self.description = description

    def list_tools(self, cancellation):
        self.started += 1
        return [FakeTool(Tool("search", self.description, {"type": "object"}))]


@pytest.fixture
def provider(tmp_path):
    def make(mode):
        return CassetteProvider(FunctionProvider(lambda prompt: prompt), Cassette(tmp_path / "talk.jsonl", mode))

    return make


def test_recorded_list_starts_nothing_until_a_call(provider):
    list_tools(FakeSource(), provider("record"), Cancellation())
    for mode in ("replay", "auto"):
        source = FakeSource()
        (tool,) = list_tools(source, provider(mode), Cancellation())
        assert (tool.tool.name, tool.source, tool.default_approval, source.started) == ("search", "docs", "ask", 0)
        assert tool.call("{}", Cancellation()) == ToolOutput("called with {}")


def test_recorded_tool_that_has_changed_is_not_called(provider):
    list_tools(FakeSource(), provider("record"), Cancellation())
    (tool,) = list_tools(FakeSource("Deletes."), provider("auto"), Cancellation())
    output = tool.call("{}", Cancellation())
    assert output.is_error
    assert "search is no longer what the cassette describes" in output.text


def test_list_is_asked_for_and_recorded_while_recording(provider):
    source = FakeSource()
    recording = provider("record")
    for _ in range(2):
        (tool,) = list_tools(source, recording, Cancellation())
    assert source.started == 2
    assert recording.cassette.file.served == {("docs-server", ""): (tool.tool,)}


def test_fakes_follow_the_seam():
    source: ToolSource = FakeSource()
    tool: CallableTool = FakeTool(Tool("f", "", {}))
    assert is_tool_source(source)
    assert tool.source == source.name


def test_tools_may_be_one_source_or_a_generator():
    chat = Chat("openai:m", base_url="http://127.0.0.1:9/v1", auth="k")
    for given in (FakeSource(), (one for one in [FakeSource()])):
        prepared = chat.prepare("hi", tools=given)
        for each in (prepared, prepared.prepare_again()):
            assert [tool.name for tool in each.request.tools] == ["search"]

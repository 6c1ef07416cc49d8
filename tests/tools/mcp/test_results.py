"""Results of calls: text and images for the model, whatever a server sends."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.errors import UsageError
from lockbots_magic.schema.json_values import SchemaMismatch
from lockbots_magic.tools.mcp.results import read_result
from lockbots_magic.tools.tool_source import ToolOutput
from tests.effort import examples
from tests.optional import need

from .conftest import call

pytestmark = pytest.mark.once


DATA = base64.b64encode(b"picture").decode()


@pytest.fixture(scope="module")
def blocks():
    need("mcp")
    from mcp_types import CallToolResult

    def read(result):
        parsed = CallToolResult.model_validate(result)
        return read_result(parsed.content, parsed.structured_content, is_error=parsed.is_error)

    return read


def test_blocks_become_text_and_images(blocks):
    content = [
        {"type": "text", "text": "one"},
        {"type": "image", "data": DATA, "mimeType": "image/PNG"},
        {"type": "resource", "resource": {"uri": "a://b", "text": "two"}},
        {"type": "resource", "resource": {"uri": "a://b", "blob": DATA, "mimeType": "image/jpeg; q=1"}},
        {"type": "resource_link", "uri": "a://c", "name": "c", "description": "the\nthird"},
    ]
    assert blocks({"content": content}) == ToolOutput(
        "one\ntwo\n[resource: c a://c the third]",
        (f"data:image/png;base64,{DATA}", f"data:image/jpeg;base64,{DATA}"),
    )


def test_what_can_not_be_sent_is_named(blocks):
    content = [
        {"type": "audio", "data": DATA, "mimeType": "audio/wav"},
        {"type": "image", "data": DATA, "mimeType": "image/svg+xml"},
        {"type": "image", "data": 'x" onload="', "mimeType": "image/png"},
        {"type": "resource", "resource": {"uri": "a://b", "blob": DATA}},
    ]
    output = blocks({"content": content})
    assert output.images == ()
    assert output.text.split("\n") == [
        "[audio (audio/wav) is left out]",
        "[image/svg+xml, 9 bytes, left out: it can't be sent to a model]",
        "[image/png, 8 bytes, left out: it can't be sent to a model]",
        "[data, 9 bytes, left out: it can't be sent to a model]",
    ]


def test_structured_result_is_used_where_there_is_no_other(blocks):
    assert blocks({"content": [], "structuredContent": {"a": "é"}}).text == '{"a": "é"}'
    assert blocks({"content": [{"type": "text", "text": "b"}], "structuredContent": {"a": 1}}).text == "b"
    assert blocks({"content": []}) == ToolOutput("")


def test_failure_of_a_tool_is_one_for_the_model(scripted):
    assert call(scripted("fail"), "fail") == ToolOutput("no such penguin", is_error=True)


def test_failure_of_a_server_is_told_to_the_model(scripted):
    (tool,) = scripted("die").tools
    output = tool.call("", Cancellation())
    assert output.is_error
    assert output.text.startswith("error: The MCP server docs ended (exit status 3).")
    with pytest.raises(SchemaMismatch, match="must be an object"):
        tool.call("[1]", Cancellation())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "image", "audio", "resource", "resource_link", "other"])},
    optional={"text": JSON, "data": JSON, "mimeType": JSON, "resource": JSON, "uri": JSON, "name": st.text(max_size=9)},
)


def test_any_result_becomes_an_output_or_a_clear_error(scripted):
    docs = scripted("answer")

    @settings(max_examples=examples(40))
    @given(JSON | st.fixed_dictionaries({"content": st.lists(BLOCK, max_size=4)}, optional={"structuredContent": JSON}))
    def check(result):
        try:
            output = call(docs, "answer", result=json.loads(json.dumps(result)))
        except UsageError as error:
            assert str(error).startswith("The MCP server docs ")  # noqa: PT017  # one of both
        else:
            assert isinstance(output.text, str)
        assert docs.is_running

    check()


@pytest.mark.parametrize("result", [5, [], "text", True])
def test_answer_that_is_no_object_is_told_at_once(scripted, result):
    with pytest.raises(UsageError, match=r"answered with an error \(-32700\): The answer does not follow the protocol"):
        call(scripted("answer"), "answer", result=result)


@pytest.mark.parametrize("name", ["missing", "tool"])
def test_tool_that_the_server_does_not_have_is_told(scripted, name):
    docs = scripted("echo")
    with pytest.raises(UsageError, match=f"The MCP server docs has no tool {name}"):
        docs.call_tool(name, {}, Cancellation())


def test_resources_are_read_as_text(scripted):
    contents = [{"uri": "a://b", "text": "one"}, {"uri": "a://b", "text": "two"}]
    docs = scripted("echo", resources={"a://b": contents, "a://c": [{"uri": "a://c", "blob": DATA}]})
    assert docs["a://b"] == "one\ntwo"
    assert docs["a://c"] == "[data, 9 bytes, left out: it can't be sent to a model]"

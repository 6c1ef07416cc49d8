"""What a messages request holds: messages, tools, schemas, reasoning, and the marks of the prompt cache."""

import json

import pytest

from lockbots_magic.conversation.messages import Message, Tool, ToolCall
from lockbots_magic.conversation.opaque_data import OpaqueData
from lockbots_magic.errors import UsageError
from lockbots_magic.providers.wire.anthropic_request import (
    encode_conversation,
    encode_output_format,
    encode_reply_tool,
    encode_tool,
)
from lockbots_magic.providers.wire.anthropic_thinking import (
    BUDGETS,
    claude_version,
    effort_of,
    encode_thinking,
    has_structured_outputs,
    thinks_adaptively,
)
from lockbots_magic.providers.wire.chat_messages import NO_RESULT
from lockbots_magic.providers.wire.prompt_cache import MARK, MIN_TOKENS, has_automatic_marks, mark_head, without_marks

TARGET = ("anthropic", "https://api.anthropic.com/v1", "claude-sonnet-5-5")
SIGNED = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk"}
LONG = "word " * MIN_TOKENS


def encode(*messages):
    return encode_conversation(messages, TARGET)


def returned(block, text=0, calls=0, origin=TARGET):
    return OpaqueData({"content_block": block, "after_text": text, "after_calls": calls}, *origin)


def test_text_is_text_and_the_system_prompt_stands_elsewhere():
    assert encode(Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello")) == [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
    ]


def test_images_have_their_source():
    urls = ("data:image/PNG;base64,aGk=", "https://example.org/a.png")
    (message,) = encode(Message("user", "What is this?", urls))
    assert message["content"] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.org/a.png"}},
        {"type": "text", "text": "What is this?"},
    ]


def test_calls_and_results_are_blocks_and_results_come_in_one_message():
    calls = (ToolCall("call.1", "add", '{"a": 1}'), ToolCall("b", "now", "not json"))
    results = [Message("tool", "1", call_id="call.1"), Message("tool", " ", call_id="b")]
    reply, answer = encode(Message("assistant", "So:", calls=calls), *results, Message("user", "And?"))
    identity = reply["content"][1]["id"]
    assert identity.isalnum()
    assert reply["content"] == [
        {"type": "text", "text": "So:"},
        {"type": "tool_use", "id": identity, "name": "add", "input": {"a": 1}},
        {"type": "tool_use", "id": "b", "name": "now", "input": {}},
    ]
    assert answer["content"] == [
        {"type": "tool_result", "tool_use_id": identity, "content": "1"},
        {"type": "tool_result", "tool_use_id": "b", "content": NO_RESULT},
        {"type": "text", "text": "And?"},
    ]


def test_empty_messages_are_left_out_and_neighbours_of_one_role_joined():
    got = encode(Message("user", "One."), Message("assistant", " "), Message("user", "Two."))
    assert got == [{"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]}]


def test_thinking_goes_back_unchanged_at_its_place():
    calls = (ToolCall("a", "add", "{}"), ToolCall("b", "add", "{}"))
    opaque = (returned(SIGNED), returned({**SIGNED, "thinking": "So."}, 4, 1))
    (reply,) = encode(Message("assistant", "One.Two.", calls=calls, opaque=opaque))
    kinds = [block.get("thinking") or block.get("text") or block.get("id") for block in reply["content"]]
    assert kinds == ["Hm.", "One.", "a", "So.", "Two.", "b"]
    assert reply["content"][0] == SIGNED


def test_thinking_goes_back_only_to_where_it_is_from():
    for at in range(3):
        origin = tuple("other" if n == at else one for n, one in enumerate(TARGET))
        assert encode(Message("assistant", "Yes.", opaque=(returned(SIGNED, origin=origin),))) == [
            {"role": "assistant", "content": "Yes."}
        ]


def test_opaque_data_of_any_form_does_no_harm():
    for data in (None, "x", [], {}, {"content_block": "x"}, {"content_block": SIGNED, "after_text": "x"}):
        (reply,) = encode(Message("assistant", "Yes.", opaque=(OpaqueData(data, *TARGET),)))
        assert "Yes." in json.dumps(reply)


def test_tools_and_schemas_have_their_form():
    schema = {"title": "Pet", "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    assert encode_tool(Tool("add", "Add.", schema)) == {"name": "add", "description": "Add.", "input_schema": schema}
    closed = {**schema, "additionalProperties": False}
    assert encode_output_format(schema) == {"format": {"type": "json_schema", "schema": closed}}
    forced = encode_reply_tool(schema)
    assert forced["tool_choice"] == {"type": "tool", "name": forced["tools"][0]["name"]}


VERSIONS = {
    "claude-sonnet-5-5": (5, 5),
    "claude-fable-5": (5, 0),
    "claude-opus-4-20250514": (4, 0),
    "claude-haiku-4-5-20251001": (4, 5),
    "claude-3-7-sonnet-20250219": (3, 7),
    "claude-3-opus-latest": (3, 0),
    "anthropic/claude-opus-4.6": (4, 6),
    "claude-mythos-preview": None,
    "kimi-k3": None,
    "deepseek-flash": None,
}


def test_versions_are_read_from_ids():
    assert {name: claude_version(name) for name in VERSIONS} == VERSIONS
    assert [name for name in VERSIONS if thinks_adaptively(name)] == [
        "claude-sonnet-5-5",
        "claude-fable-5",
        "anthropic/claude-opus-4.6",
    ]
    assert has_structured_outputs("claude-haiku-4-5-20251001")
    assert not has_structured_outputs("claude-opus-4-20250514")


def test_effort_is_told_in_the_way_of_the_model():
    assert encode_thinking(None, "m", None) == {}
    assert encode_thinking("none", "m", None) == {"thinking": {"type": "disabled"}}
    assert encode_thinking("High", "claude-sonnet-5-5", 100) == {
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "high"},
    }
    fields = encode_thinking("medium", "claude-haiku-4-5", None)
    assert fields["max_tokens"] > fields["thinking"]["budget_tokens"] == BUDGETS["medium"]
    assert encode_thinking("max", "m", 3000) == {"thinking": {"type": "enabled", "budget_tokens": 1500}}
    assert encode_thinking("max", "m", 1500)["thinking"]["budget_tokens"] == 1024


def test_an_effort_that_the_dialect_lacks_is_refused_with_what_it_has():
    for effort in ("minimal", "", 3, ["low"]):
        with pytest.raises(UsageError, match="must be one of none, low, medium, high, xhigh, max in the messages API"):
            encode_thinking(effort, "claude-sonnet-5-5", None)
    with pytest.raises(UsageError, match="max_tokens must be above 1,024 with reasoning_effort, got 200"):
        encode_thinking("low", "claude-haiku-4-5", 200)


def test_a_budget_is_read_as_the_effort_that_it_stands_for():
    assert [effort_of(tokens) for tokens in BUDGETS.values()] == list(BUDGETS)
    assert (effort_of(1024), effort_of(10**6), effort_of(None)) == ("low", "max", "max")


def marks(body):
    """Return the places of the marks of a body."""
    places = [key for key in ("tools", "system") if MARK in json.dumps(body.get(key))]
    return places + [at for at, message in enumerate(body["messages"]) if MARK in json.dumps(message)]


TOOLS = [{"name": "add", "input_schema": {}}]
TURNS = [{"role": "user", "content": LONG}, {"role": "assistant", "content": "Yes."}]
PROMPT = {"role": "user", "content": "And?"}
RESULTS = [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "add", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "3"}]},
]


def test_the_stable_head_is_marked():
    body = {"tools": TOOLS, "system": LONG, "messages": [*TURNS, PROMPT]}
    marked = mark_head(body, "auto")
    assert marks(marked) == ["system", 1]
    assert marked["system"] == [{"type": "text", "text": LONG, MARK: {"type": "ephemeral"}}]
    assert marked["messages"][1]["content"] == [{"type": "text", "text": "Yes.", MARK: {"type": "ephemeral"}}]
    assert marks(mark_head({"tools": [{"name": LONG}], "messages": [PROMPT]}, "auto")) == ["tools"]
    assert marks(mark_head({**body, "messages": [*TURNS, PROMPT, *RESULTS]}, "auto")) == ["system", 1, 4]


def test_a_head_that_no_model_caches_is_not_marked():
    short = {
        "tools": TOOLS,
        "system": "Be brief.",
        "messages": [PROMPT, {"role": "assistant", "content": "Yes."}, PROMPT],
    }
    assert mark_head(short, "auto") == short
    assert marks(mark_head({"messages": [{"role": "user", "content": LONG}]}, "auto")) == []


def test_the_cache_is_switched_off_or_kept_for_an_hour():
    body = {"system": LONG, "messages": [*TURNS, PROMPT]}
    assert mark_head(body, "off") is body
    assert mark_head(body, "1h")["system"][0][MARK] == {"type": "ephemeral", "ttl": "1h"}


def test_thinking_takes_no_mark():
    reply = {"role": "assistant", "content": [{"type": "text", "text": "Yes."}, SIGNED]}
    marked = mark_head({"messages": [TURNS[0], reply, PROMPT]}, "auto")["messages"][1]["content"]
    assert [MARK in block for block in marked] == [True, False]
    only = {"role": "assistant", "content": [SIGNED]}
    assert marks(mark_head({"messages": [TURNS[0], only, PROMPT]}, "auto")) == []


def test_marks_are_taken_back():
    body = {"tools": TOOLS, "system": LONG, "messages": [*TURNS, PROMPT, *RESULTS]}
    marked = mark_head(body, "auto")
    assert has_automatic_marks(marked)
    assert without_marks(marked) == body
    assert not has_automatic_marks(body)
    assert not has_automatic_marks(mark_head(body, "1h"))

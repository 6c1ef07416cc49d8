"""Calls in the markup of a model are recognised wherever they are calls, and nowhere else."""

import pytest

from lockbots_magic import Chat
from lockbots_magic.tools.text_calls import holds_text_call
from tests.chatserver import chat_server, in_turn, say

NAMES = ("add", "get_time")
CALL = '{"name": "add", "arguments": {"a": 1}}'


@pytest.mark.parametrize("text", [
    f"<tool_call>\n{CALL}\n</tool_call>",
    f"I add them.\n\n  <tool_call>{CALL}</tool_call>",
    f"<tool_calls>[{CALL}]</tool_calls>",
    "<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
    "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>",
    "<function=add>{\"a\": 1}</function>",
    f"[TOOL_CALLS] [{CALL}]",
    "[TOOL_CALLS]add[ARGS]{\"a\": 1}",
    "<|python_tag|>add.call(a=1)",
    f"<|python_tag|>{CALL}",
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add\n```json\n{}\n```",
    "<｜DSML｜function_calls>\n<｜DSML｜invoke name=\"add\">",
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.add:0<|tool_call_argument_begin|>{}",
    "<|tool_call_start|>[add(a=1)]<|tool_call_end|>",
    f"<|tool_call|>[{CALL}]",
    f"<TOOLCALL>[{CALL}]</TOOLCALL>",
    "<function_calls>\n<invoke name=\"add\">",
    "<minimax:tool_call>\n<invoke name=\"add\">",
    f"functools[{CALL}]",
    "<start_function_call>call:add{a:1}",
    CALL,
    f"[{CALL}, {CALL}]",
    f"```json\n{CALL}\n```",
    '{"type": "function", "function": {"name": "add", "parameters": {"a": 1}}}',
    '{"tool": "get_time", "args": {}}',
    "[add(a=1), get_time()]",
    "```tool_code\nprint(default_api.add(a=1))\n```",
    "```tool_code\nget_time()\n```",
])  # fmt: skip
def test_a_call_is_recognised(text):
    assert holds_text_call(text, NAMES)


@pytest.mark.parametrize("text", [
    "",
    "Qwen writes calls as `<tool_call>{...}</tool_call>`.",
    "Calls stand between <tool_call> and </tool_call>.",
    f"Qwen writes:\n```\n<tool_call>{CALL}</tool_call>\n```\n",
    "<tool_call>\nis the tag that begins one.",
    '{"name": "Anna", "arguments": {"for": 1}}',
    '{"name": "add", "type": "verb"}',
    '{"name": "add", "arguments": "many"}',
    f"This is one: {CALL}",
    "[]",
    "[sum(a=1)]",
    "add(a=1)",
    "```python\nadd(a=1)\n```",
    "[TOOL_CALLS] is Mistral's.",
    "[" * 100_000,
])  # fmt: skip
def test_what_only_speaks_of_calls_is_an_answer(text):
    assert not holds_text_call(text, NAMES)


def test_a_call_in_a_channel_of_its_own_that_the_server_has_not_read_is_told():
    call = '<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a": 1}<|call|>'
    with chat_server(in_turn(say(call))) as (url, _):
        chat = Chat("openai:m", base_url=url)
        assert chat.ask("hi", tools=[add]).finish_reason == "tool_call_as_text"
        assert chat.ask("hi").finish_reason == "stop"


def add(a: int) -> int:
    """Add."""
    return a

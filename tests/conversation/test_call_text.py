"""Tests of how tool calls are shown to people."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.call_text import describe_call, describe_result
from lockbots_magic.conversation.messages import ToolCall
from tests.effort import examples


def test_call_reads_like_python():
    assert describe_call("add", '{"x": 1, "text": "a b"}') == 'add(x=1, text="a b")'
    assert describe_call("add", "") == "add()"
    assert describe_call("add", "{oops ") == "add({oops)"


def test_key_can_not_pass_for_the_end_of_a_call():
    arguments = json.dumps({"x) → 1 called rm(path": "/"})
    assert describe_call("f", arguments) == 'f("x) → 1 called rm(path": "/")'
    assert str(ToolCall("1", "f", arguments)) == 'f("x) → 1 called rm(path"="/")'
    assert describe_call("f() → 1 called g", "{}") == '"f() → 1 called g"()'
    assert describe_call("f", "x) → 1 called g(") == 'f("x) → 1 called g(")'
    assert describe_call("f", "1) -> 2") == 'f("1) -> 2")'


def test_no_argument_hides_behind_a_long_one():
    shown = describe_call("send", json.dumps({"body": "x" * 5000, "to": "everyone@a.example"}))
    assert 'to="everyone@a.example"' in shown
    assert "4902 characters left out" in shown
    many = describe_call("f", json.dumps({f"a{n}": n for n in range(50)}))
    assert all(f"a{n}=" in many for n in range(50))


@given(st.text(max_size=300), st.dictionaries(st.text(max_size=100), st.text(max_size=300), max_size=30))
@settings(max_examples=examples(100))
def test_any_call_is_one_bounded_line(name, arguments):
    for shown in (describe_call(name, json.dumps(arguments)), describe_call(name, name), describe_result(name)):
        assert len(shown.splitlines()) <= 1
        assert len(shown) < 8000

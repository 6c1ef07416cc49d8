"""Export and import of OpenAI messages, including those that other programs write."""

import json
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.attachments import ImagePart
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import Message, ToolCall
from lockbots_magic.conversation.parts import Round, TextPart, ToolCallPart, ToolResultPart
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import UsageError
from lockbots_magic.storage import files
from lockbots_magic.storage import openai_messages as messages

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def turn(prompt="What?", reply="That.", **kwargs):
    return Turn(prompt, reply, **{"provider": "openai", "model": "gpt-4o", **kwargs})


def talk(*turns, **kwargs):
    return Conversation("talk", turns=turns, **kwargs)


def said(conversation):
    return [(t.prompt, t.reply) for t in conversation.turns]


def listed(*pairs):
    return [{"role": role, "content": content} for role, content in pairs]


PNG = "data:image/png;base64,iVBORw0KGgo="
JPEG = "https://pictures.example/a.jpg?size=1,2"


def imported(data):
    return messages.from_messages(data, "talk")[0]


def test_messages_are_those_sent_to_a_model():
    conversation = talk(
        turn("one", "1"),
        turn("failed", "half", status="error"),
        turn("unanswered", ""),
        turn("two", "2", status="interrupted", stale=True),
        system="Be brief.",
    )
    assert json.loads(messages.to_messages(conversation)) == listed(
        ("system", "Be brief."), ("user", "one"), ("assistant", "1"), ("user", "two"), ("assistant", "2")
    )


def test_most_common_system_prompt_is_used_if_the_conversation_has_none():
    turns = [turn(system="Once."), turn(system="Be brief."), turn(system="Be brief.")]
    assert json.loads(messages.to_messages(talk(*turns)))[0] == {"role": "system", "content": "Be brief."}


def test_export_counts_the_turns_left_out(tmp_path):
    conversation = talk(turn(), turn(reply="", status="error"), turn(reply=""))
    assert files.export_conversation(conversation, tmp_path / "a.json") == files.ExportResult(
        tmp_path / "a.json", 1, failed=1, empty=1
    )
    assert files.export_conversation(conversation, tmp_path / "a.md") == files.ExportResult(tmp_path / "a.md", 3)


TEXTS = st.text(min_size=1)
IMAGES = st.lists(
    st.sampled_from([PNG, JPEG, "DATA:IMAGE/webp;base64,AA=="]) | st.text().map("https://a.example/{}".format),
    max_size=3,
)


@given(st.lists(st.tuples(st.text(), TEXTS, IMAGES.map(tuple))), st.text())
def test_exported_messages_are_imported_unchanged(told, system):
    turns = [Turn(prompt, reply, images=images) for prompt, reply, images in told]
    data = json.loads(messages.to_messages(Conversation("talk", system=system, turns=turns)))
    if not data:
        return
    back, remarks = messages.from_messages(data, "talk")
    assert [(t.prompt, t.reply, t.images) for t in back.turns] == told
    assert remarks == ()
    assert back.system == system
    assert {t.system for t in back.turns} <= {system}


def test_messages_are_read_from_a_request_object():
    data = {"model": "gpt-4o", "temperature": 1, "messages": listed(("user", "q"), ("assistant", "a"))}
    assert said(imported(data)) == [("q", "a")]


def test_system_prompts_of_both_names_become_one():
    back = imported(listed(("system", "a"), ("developer", "b"), ("user", "q"), ("assistant", "a")))
    assert (back.system, said(back)) == ("a\n\nb", [("q", "a")])


def test_messages_of_one_role_in_a_row_become_one():
    given = listed(("user", "a"), ("user", "b"), ("assistant", "c"), ("assistant", "d"), ("user", "e"))
    assert said(imported(given)) == [("a\n\nb", "c\n\nd"), ("e", "")]


def test_prompt_without_a_reply_is_a_turn_that_can_be_retried():
    (only,) = imported(listed(("user", "q"))).turns
    assert (only.reply, only.status, only.in_context) == ("", "complete", False)


def test_parts_of_text_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert said(imported([{"role": "user", "content": parts}])) == [("a\n\nb", "")]


def test_images_are_imported_with_their_turn(tmp_path):
    path = files.export_conversation(
        talk(turn(images=(PNG, JPEG)), turn("And now?", "Later.")), tmp_path / "a.json"
    ).path
    found = files.import_conversations(path)
    assert [t.images for t in found.conversations[0].turns] == [(PNG, JPEG), ()]
    assert found.remarks == ('"a": images at these hosts go along with later prompts: "pictures.example"',)


def image(url, kind="image_url"):
    return {"type": kind, "image_url": url}


def test_images_of_several_messages_belong_to_one_prompt():
    parts = [image({"url": PNG, "detail": "low"}), {"type": "text", "text": "What?"}, image(JPEG, "input_image")]
    (only,) = imported(listed(("user", parts), ("user", [image({"url": JPEG})]), ("assistant", "That."))).turns
    assert (only.prompt, only.images) == ("What?", (PNG, JPEG, JPEG))


def test_image_outside_a_prompt_is_left_out_with_a_remark():
    parts = [{"type": "text", "text": "Here."}, image({"url": PNG})]
    back, remarks = messages.from_messages(listed(("user", "Draw!"), ("assistant", parts)), "talk")
    assert said(back) == [("Draw!", "Here.")]
    assert remarks == ("1 image left out: only prompts can have images.",)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "/etc/passwd", "df", "data:text/html,x", "javascript:hurt()", ""]
)
def test_image_that_is_neither_http_nor_data_is_one_error(url):
    with pytest.raises(UsageError, match="message 1 holds an image without an http"):
        imported(listed(("user", [image({"url": url})])))


WEATHER = ToolCall("call_1", "weather", '{"city": "Oslo"}')
CALLING = Message("assistant", "I'll look.", calls=(WEATHER,)).to_dict()
RAIN = Message("tool", "rain", call_id="call_1").to_dict()


def test_tool_calls_are_kept_with_the_reply():
    given = [*listed(("user", "Rain?")), CALLING, RAIN, *listed(("assistant", "Yes."), ("user", "Sure?"))]
    back, remarks = messages.from_messages(given, "talk")
    assert said(back) == [("Rain?", "I'll look.\n\nYes."), ("Sure?", "")]
    assert [t.calls for t in back.turns] == [(WEATHER._replace(result="rain"),), ()]
    assert remarks == ()
    assert Conversation.from_dict(back.to_dict()).turns == back.turns


def test_calls_with_the_same_id_in_two_rounds_have_a_result_each():
    given = [*listed(("user", "Rain?")), CALLING, RAIN, CALLING, {**RAIN, "content": "sun"}]
    assert [call.result for call in imported(given).turns[0].calls] == ["rain", "sun"]


def test_old_function_calls_have_their_name_as_id():
    call = {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}}
    result = {"role": "function", "name": "f", "content": "1"}
    (only,) = imported([*listed(("user", "q")), call, result, *listed(("assistant", "a"))]).turns
    assert (only.reply, only.calls) == ("a", (ToolCall("f", "f", "{}", "1"),))


def test_a_call_without_a_result_is_left_out_with_a_remark():
    back, remarks = messages.from_messages([*listed(("user", "Rain?")), {**CALLING, "content": None}], "talk")
    assert said(back) == [("Rain?", "")]
    assert back.turns[0].calls == ()
    assert remarks == ("1 call of tools left out: they have no result.",)


def test_tool_calls_are_exported_and_imported_by_rounds():
    rounds = (
        Round((TextPart("I'll look."), ToolCallPart("a", "f", "{}"), ToolResultPart("a", "1"))),
        Round((ToolCallPart("b", "f", "{}"), ToolCallPart("c", "g", "{}"), *map(ToolResultPart, "bc", "23"))),
        Round((TextPart("Done."),)),
    )
    data = json.loads(messages.to_messages(talk(turn(rounds=rounds, reply=""))))
    assert [(m["role"], m["content"]) for m in data] == [
        ("user", "What?"),
        ("assistant", "I'll look."),
        ("tool", "1"),
        ("assistant", None),
        ("tool", "2"),
        ("tool", "3"),
        ("assistant", "Done."),
    ]
    assert [[c["id"] for c in m.get("tool_calls", ())] for m in data if m["role"] == "assistant"] == [
        ["a"],
        ["b", "c"],
        [],
    ]
    (back,) = imported(data).turns
    assert back.rounds == rounds
    assert messages.to_messages(talk(back)) == messages.to_messages(talk(turn(rounds=rounds, reply="")))


def test_turn_that_ended_after_a_call_is_exported_and_imported():
    ended = turn(reply="", calls=(WEATHER._replace(result="rain"),), status="interrupted")
    data = json.loads(messages.to_messages(talk(ended, turn("And now?"))))
    assert [m["role"] for m in data] == ["user", "assistant", "tool", "assistant", "user", "assistant"]
    assert imported(data).turns[0].rounds == ended.rounds


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({}, "neither"),
        ("text", "neither"),
        (None, "neither"),
        ({"messages": {}}, "neither"),
        ([], "is empty"),
        (["text"], "message 1 is not an object"),
        (listed(("assistant", "a")), "message 1 is a reply without a prompt"),
        (listed(("system", "s"), ("assistant", "a")), "message 2 is a reply without a prompt"),
        (listed(("user", "q"), ("system", "s")), "message 2 is a system prompt after other messages"),
        (listed(("user", "q"), ("tool", "s")), "message 2 is the result of an unknown tool call"),
        (listed(("function", "s")), "message 1 is the result of an unknown tool call"),
        ([*listed(("user", "q")), CALLING, RAIN, RAIN], "message 4 is the result of an unknown tool call"),
        ([*listed(("user", "q")), {**CALLING, "tool_calls": [{}]}], "message 2 holds a tool call without"),
        ([*listed(("user", "q")), {**CALLING, "tool_calls": 5}], "message 2 holds a tool call without"),
        ([*listed(("user", "q")), {**CALLING, "function_call": "f"}], "message 2 holds a tool call without"),
        (
            listed(("robot", "s")),
            "message 1 has the unknown role 'robot'. Known roles: system, developer, user, assistant",
        ),
        ([{"content": "s"}], "message 1 is not an object with a role and a content"),
        ([{"title": "an export of another program", "mapping": {}}], "message 1 is not an object with a role and a"),
        ([{"role": ["user"], "content": "s"}], "message 1 has the unknown role"),
        (listed(("user", None)), "message 1 has no text"),
        (listed(("user", [{"type": "image_url", "image_url": {}}])), "message 1 holds an image without"),
        (listed(("user", [{"type": "input_audio"}])), "a part of type 'input_audio'; only text, images and files"),
        (listed(("user", ["text"])), "message 1 holds a part without a type"),
        (listed(("user", [{"type": "text", "text": 5}])), "message 1 holds a part of type 'text'"),
    ],
)
def test_invalid_messages_are_one_error_that_names_the_position(data, why):
    with pytest.raises(UsageError, match=why):
        imported(data)


ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
KINDS = st.sampled_from(["text", "image_url", "image"])
PARTS = st.fixed_dictionaries({"type": KINDS, "text": JSON}, optional={"image_url": JSON | st.just({"url": PNG})})
CALLS = st.lists(st.just(CALLING["tool_calls"][0]) | JSON, max_size=2)
ALMOST = st.lists(
    st.fixed_dictionaries(
        {"role": ROLES | JSON, "content": st.text() | st.lists(PARTS) | JSON},
        optional={"tool_calls": CALLS | JSON, "function_call": JSON, "tool_call_id": st.just("call_1") | JSON},
    )
    | JSON,
    max_size=6,
)


@contextmanager
def one_message():
    """Accept success or one `UsageError`; collect its message in the list."""
    errors = []
    try:
        yield errors
    except UsageError as error:
        errors.append(str(error))


@given(JSON | ALMOST | st.fixed_dictionaries({"messages": ALMOST}))
def test_any_json_is_a_conversation_or_one_error(data):
    with one_message() as errors:
        back = imported(data)
        assert Conversation.from_dict(back.to_dict()).turns == back.turns
    assert all(len(error) < 300 for error in errors)


SAVED = st.fixed_dictionaries(
    {"format": st.just("lockbots-conversation"), "version": st.just(1) | JSON, "turns": st.lists(JSON) | JSON},
    optional={"name": JSON, "system": JSON, "id": JSON},
)


@given(st.binary() | (JSON | ALMOST | SAVED).map(lambda data: json.dumps(data).encode()))
def test_any_file_is_read_or_one_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(content)
    with one_message() as errors:
        assert files.import_conversations(path).conversations
    assert all(str(path) in error for error in errors)


def test_export_tells_of_images_that_messages_cannot_hold():
    turn = Turn("draw", rounds=(Round((ImagePart("data:image/png;base64,iVBORw0KGgo="),)),))
    conversation = Conversation("c", turns=[turn])
    assert json.loads(messages.to_messages(conversation))[-1] == {"role": "assistant", "content": "[image: PNG, 1 kB]"}
    assert [*messages.remarks_on(conversation)] == ["1 image of replies left out: messages hold only their labels."]

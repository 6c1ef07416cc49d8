"""What the toolkit adds by itself and a server refuses is left out; what the user asked for never is."""

import copy
import json
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic import Chat, tool
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ChatRequest, Message, Tool, ToolCall
from lockbots_magic.errors import HTTPStatusError
from lockbots_magic.language import speaking
from lockbots_magic.notebook.session import Session
from lockbots_magic.providers import adaptation
from lockbots_magic.providers.adaptation import adapt, find_given, find_refused
from lockbots_magic.providers.adaptation_table import ADAPTATIONS, ANNOTATIONS
from lockbots_magic.providers.presets import presets
from lockbots_magic.providers.wire.errors import refusal_error
from tests.effort import examples
from tests.providers.refusing_server import chunk, refusing

SCHEMA = {
    "type": "object",
    "title": "T",
    "properties": {"title": {"type": "string", "title": "Title", "minLength": 1}, "strict": {"type": "boolean"}},
    "additionalProperties": False,
}
BODY = {
    "model": "m",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "1"}]},
        {"role": "tool", "content": "", "tool_call_id": "1"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}],
    "response_format": {"type": "json_schema", "json_schema": {"name": "T", "schema": SCHEMA, "strict": True}},
    "parallel_tool_calls": False,
}


def refused(message, *, param=None, body=BODY, given=(), status=400):
    """The names of the adaptations to a refusal."""
    answer = {"error": {"message": message, "param": param}} if isinstance(message, str) else message
    return [row.name for row in find_refused(refusal_error(status, json.dumps(answer).encode()), body, given)]


REFUSALS: dict[str, list] = {
    "stream_options": [
        "Extra inputs are not permitted, field: 'stream_options'",
        "Unknown parameter: 'stream_options.include_usage'.",
        "Unrecognized request argument supplied: stream_options",
        "include_usage is not supported",
        "The stream options are not supported by this model",
        {
            "detail": [
                {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}
            ]
        },
        {"errors": [{"message": 'property "streamOptions" unknown'}]},
    ],
    "stream": [
        "Your organization must be verified to stream this model. Please go to https://example.com",
        "Streaming is not supported for this model.",
        "This deployment does not support streaming",
        "Unsupported value: 'stream' does not support true with this model.",
        "Cannot use tools with stream",
        {"detail": [{"loc": ["body", "stream"], "msg": "value must be false, streaming is disabled"}]},
    ],
    "response_format": [
        "'response_format' is not supported",
        "This response_format type is unavailable now",
        "response_format.type must be 'text'",
        {"message": "unknown field: response_format", "code": 400},
        "This model does not support structured outputs",
        "json_schema is not supported for this model",
        "Failed to parse grammar",
        "The specified schema produces a constraint that has too many states for serving.",
    ],
    "parallel_tool_calls": ["Unknown parameter: 'parallel_tool_calls'.", "parallel_tool_calls: unsupported"],
    "strict": [
        "Unknown parameter: 'tools[0].function.strict'.",
        "json_schema: property 'strict' is unsupported",
        "Invalid schema for response_format 'T': 'additionalProperties' is required to be supplied and to be false.",
    ],
    "additionalProperties": [
        "Invalid JSON payload received. Unknown name \"additionalProperties\" at 'tools[0]': Cannot find field.",
        "additional_properties is not supported",
    ],
    "minLength": ["Unsupported keyword minLength in the schema", "'minLength' is not permitted."],
    "title": ['Unknown name "title" at tools[0].function_declarations[0]'],
    "system in prompt": [
        "Unsupported value: 'messages[0].role' does not support 'system' with this model.",
        "System role not supported",
        "Developer instruction is not enabled for models/gemma",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "Only user and assistant roles are supported!",
        {
            "detail": [
                {
                    "loc": ["body", "messages", 0, "role"],
                    "msg": "Input should be 'user' or 'assistant'; 'system' is unknown",
                }
            ]
        },
    ],
    "system as developer": ["'system' is not supported with this model; use 'developer' instead."],
    "reasoning in all messages": [
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
        "Missing `reasoning_content` field in the assistant message",
    ],
    "null content beside calls": [
        "ValidationException: messages: text content blocks must be non-empty",
        "all messages must have non-empty content except for the optional final assistant message",
        {"detail": [{"loc": ["body", "messages", 2, "content"], "msg": "String should have at least 1 character"}]},
    ],
}


def test_each_refusal_is_met_by_the_row_that_it_names():
    wrong = {
        (name, str(message)): found
        for name, messages in REFUSALS.items()
        for message in messages
        if (found := refused(message)) != [name]
    }
    assert wrong == {}


def test_server_that_only_streams_is_asked_for_a_stream():
    for words in (
        "This model only support stream mode, please enable the stream parameter to access the model.",
        "parameter.enable_thinking must be set to false for non-streaming calls",
        "Stream must be set to true",
        "Non-streaming is not supported for this model",
    ):
        assert refused(words) == [], words
        assert refused(words, body={**BODY, "stream": False}) == ["only streamed"], words
        assert refused(words, body={**BODY, "stream": False}, given=["stream"]) == [], words
        with refusing(lambda body, words=words: None if body["stream"] else words) as server:
            reply = Chat("openai:m", base_url=server.url, stream=False).stream("hi")
            (notice,) = [d.notice for d in reply.deltas if d.notice]
            assert (reply.text, notice.startswith("The server only streams this model")) == ("ok", True)


def test_param_alone_names_the_field():
    assert refused("Unsupported value", param="stream") == ["stream"]
    assert refused("Not allowed", param="stream_options") == ["stream_options"]


def test_what_the_user_set_is_never_adapted():
    fields = [*BODY]
    wrong = {str(m): r for messages in REFUSALS.values() for m in messages if (r := refused(m, given=fields))}
    assert wrong == {}


def test_errors_about_something_else_are_not_refusals():
    messages = [
        "Incorrect API key provided",
        "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
        "The server had an error while processing your request",
        "upstream connect error",
        "Invalid value for 'temperature'",
        "The model `m` does not exist",
        "The system is not available, an unexpected condition",
    ]
    assert {m: r for m in messages if (r := refused(m))} == {}
    assert refused("stream_options is unknown", status=429) == []
    assert refused("stream_options is unknown", status=401) == []
    assert refused("stream_options is unknown", status=503) == []


def test_request_that_a_server_echoes_names_nothing():
    echo = {
        "detail": [
            {"loc": ["body", "temperature"], "msg": "out of range", "input": {"stream_options": "stream_options"}}
        ]
    }
    assert refused(echo) == []


def test_any_keyword_that_a_tool_brings_is_left_out_where_it_is_refused():
    schema = {
        "type": "object",
        "$comment": "c",
        "definitions": {"readOnly": {"type": "string", "readOnly": True}},
        "properties": {"const": {"const": 1}, "a": {"x-ui": 1, "propertyNames": {}, "anyOf": [{"type": "string"}]}},
        "": 1,
    }
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    body = {"model": "m", "messages": [], "tools": tools}

    def unknown(key):
        return f"Invalid JSON payload received. Unknown name \"{key}\" at 'tools[0].parameters': Cannot find field."

    for key in ("$comment", "const", "x-ui", "readOnly"):
        (name,) = refused(unknown(key), body=body)
        changed = adapt(body, [], [name])["tools"][0]["function"]["parameters"]
        assert json.dumps(changed).count(f'"{key}"') == (key in ("const", "readOnly")), "the name of a property stays"
        assert refused(unknown(key), body=body, given=["tools"]) == []
    both = refused(f"{unknown('$comment')}\n{unknown('propertyNames')}", body=body)
    assert both == ["schema.$comment", "schema.propertyNames"]
    assert refused("In context=('properties', 'a'), 'propertyNames' is not permitted.", body=body)
    for words in ("'anyOf' is not permitted", "The const is not a valid model", 'Unknown name "f"', "$comment: fine"):
        assert refused(words, body=body) == [], words


def test_schema_keyword_is_removed_but_no_property_of_that_name():
    body = adapt(BODY, (), ["strict", "title", "additionalProperties"])
    kept = {
        "type": "object",
        "properties": {"title": {"type": "string", "minLength": 1}, "strict": {"type": "boolean"}},
    }
    assert body["tools"] == [{"type": "function", "function": {"name": "f", "parameters": kept}}]
    assert body["response_format"]["json_schema"] == {"name": "T", "schema": kept}


def test_system_prompt_goes_to_the_head_of_the_first_prompt():
    assert adapt(BODY, (), ["system in prompt"])["messages"][0] == {"role": "user", "content": "Be brief.\n\nHi"}
    parts = [{"type": "text", "text": "Hi"}]
    body = {"messages": [{"role": "system", "content": "A"}, {"role": "user", "content": parts}]}
    folded = [{"type": "text", "text": "A"}, *parts]
    assert adapt(body, (), ["system in prompt"])["messages"] == [{"role": "user", "content": folded}]


def test_content_beside_calls_is_null_or_empty_as_the_server_wants():
    assert adapt(BODY, (), ["null content beside calls"])["messages"][2]["content"] is None
    nulls = adapt(BODY, (), ["null content beside calls"])
    assert refused("'content' must be a string, not null", body=nulls) == ["empty content beside calls"]
    assert adapt(nulls, (), ["empty content beside calls"]) == BODY


def test_adapting_changes_no_value_that_others_hold():
    before = copy.deepcopy(BODY)
    adapt(BODY, (), [*(row.name for row in ADAPTATIONS), "response_format", "parallel_tool_calls"])
    assert before == BODY


@settings(max_examples=examples(300))
@given(
    st.sampled_from(["stream_options", "response_format", "parallel_tool_calls"]),
    st.sampled_from(
        ["{} is not supported", "Unknown parameter: '{}'", "`{}`: extra fields not permitted", "remove {}."]
    ),
    st.sampled_from(["error.message", "error", "detail", "message", "errors", "loc", "param", "gemini", "raw"]),
    st.text(st.characters(codec="ascii", exclude_characters="'\"`"), max_size=30).filter(lambda t: "stream" not in t),
)
def test_any_form_of_a_refusal_is_understood(field, sentence, form, noise):
    words = f"{noise}\n{sentence.format(field)}"
    answer = {
        "error.message": {"error": {"message": words}},
        "error": {"error": words},
        "detail": {"detail": words},
        "message": {"message": words, "code": 400},
        "errors": {"errors": [{"msg": words}]},
        "loc": {"detail": [{"loc": ["body", field], "msg": "not permitted", "input": noise}]},
        "param": {"error": {"message": "Unsupported", "param": field}},
        "gemini": [{"error": {"code": 400, "message": words, "status": "INVALID_ARGUMENT"}}],
        "raw": {"error": {"message": "Provider returned error", "metadata": {"raw": json.dumps({"message": words})}}},
    }[form]
    assert field in refused(answer)
    assert field not in refused(answer, given=[field])


# Over real sockets.


def ask(server, model="m", **options):
    return Chat(f"openai:{model}", base_url=server.url, backoff=0.01).ask("hi", **options)


def test_refused_field_is_left_out_once_and_remembered():
    with refusing(lambda body: "'stream_options' is unknown" if "stream_options" in body else None) as server:
        chat = Chat("openai:m", base_url=server.url)
        assert [chat.ask("hi").reply, chat.ask("again").reply] == ["ok", "ok"]
        assert ["stream_options" in body for body in server.bodies()] == [True, False, False]
        assert Chat("openai:other", base_url=server.url).ask("hi").reply == "ok"
        assert ["stream_options" in body for body in server.bodies()[3:]] == [True, False]


def test_memory_of_a_session_outlasts_its_chats():
    with refusing(lambda body: "'stream_options' is unknown" if "stream_options" in body else None) as server:
        session = Session()
        session.use("openai:m", server.url)
        for _ in range(2):
            assert session.chat().ask("hi").reply == "ok"
        assert ["stream_options" in body for body in server.bodies()] == [True, False, False]
        assert Session().chat("openai:m", server.url).ask("hi").reply == "ok"
        assert "stream_options" in server.bodies()[3]


def test_several_refusals_are_met_one_after_the_other():
    def refusal(body):
        for field in ("stream_options", "stream"):
            if body.get(field):
                return f"Unknown parameter: '{field}'"
        return None

    with refusing(refusal) as server:
        notices = [d.notice for d in Chat("openai:m", base_url=server.url).stream("hi").deltas if d.notice]
        assert len(server.bodies()) == 3
        assert notices == ["The server does not stream this model: the reply arrives at once."]


def test_refusal_that_nothing_helps_against_is_raised_and_not_remembered():
    with refusing(lambda body: "Unknown parameter: 'stream_options'") as server:
        chat = Chat("openai:m", base_url=server.url)
        for _ in range(2):
            with pytest.raises(HTTPStatusError, match="stream_options"):
                chat.ask("hi")
        assert ["stream_options" in body for body in server.bodies()] == [True, False, True, False]


def test_alternatives_of_a_schema_are_sent_under_the_name_that_the_server_takes():
    cat, dog = {"type": "string"}, {"type": "integer", "oneOf": [{"minimum": 1}, {"maximum": -1}]}
    schema = {"type": "object", "properties": {"oneOf": {"oneOf": [cat, dog]}}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    body = {"model": "m", "messages": [], "tools": tools}
    (name,) = refused("In context=('properties', 'a'), 'oneOf' is not permitted.", body=body)
    changed = adapt(body, [], [name])["tools"][0]["function"]["parameters"]
    other = {"type": "integer", "anyOf": [{"minimum": 1}, {"maximum": -1}]}
    assert changed == {"type": "object", "properties": {"oneOf": {"anyOf": [cat, other]}}}
    assert refused("'oneOf' is not permitted", body={**body, "tools": [{"parameters": changed}]}) == []


LONG_IDS = (
    "Tool call id was functions.f:0 but must be a-z, A-Z, 0-9, with a length of 9.",
    "Invalid 'messages[1].tool_calls[0].id': string too long. Expected a string with maximum length 40, but got 100.",
    "Invalid 'input[1].call_id': string too long. Expected a string with maximum length 64, but got 100 instead.",
    "Value at 'toolUseId' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_-]+",
)


def test_ids_of_calls_that_another_service_made_are_shortened_where_they_are_refused():
    call = {"id": "functions.f:0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "functions.f:0"}]
    for words in LONG_IDS[:2] + LONG_IDS[3:]:
        (name,) = refused(words, body={"model": "m", "messages": messages})
        changed = adapt({"messages": messages}, [], [name])["messages"]
        assert changed[0]["tool_calls"][0]["id"] == changed[1]["tool_call_id"] == "da941ce55"
    items = [{"type": "function_call", "call_id": "c" * 100}, {"type": "function_call_output", "call_id": "c" * 100}]
    (name,) = refused(LONG_IDS[2], body={"model": "m", "input": items})
    first, second = adapt({"input": items}, [], [name])["input"]
    assert len(first["call_id"]) == 9
    assert first["call_id"] == second["call_id"]
    short = [{"role": "tool", "tool_call_id": "call00001"}]
    assert refused(LONG_IDS[0], body={"model": "m", "messages": short}) == []


def test_alternatives_beside_others_all_count():
    one, other, third = {"type": "string"}, {"maxLength": 3}, {"minLength": 1}
    schema = {"oneOf": [one], "anyOf": [other], "allOf": [third], "properties": {"anyOf": one, "oneOf": one}}
    tools = [{"type": "function", "function": {"name": "f", "parameters": schema}}]
    changed = adapt({"messages": [], "tools": tools}, [], ["schema.oneOf"])["tools"][0]["function"]["parameters"]
    assert changed == {"anyOf": [other], "allOf": [third, {"anyOf": [one]}], "properties": schema["properties"]}


@pytest.mark.parametrize(
    ("key", "words"), [("oneOf", "sent as `anyOf`"), ("allOf", "not told of it"), ("$comment", "")]
)
def test_keyword_that_shapes_an_answer_is_told_when_it_is_left_out(key, words):
    def refusal(body):
        return f"Unknown keyword: '{key}'" if f'"{key}"' in json.dumps(body["tools"]) else None

    with refusing(refusal) as server:
        chat = Chat("openai:m", base_url=server.url)
        offered = tool(lambda: None, name="take")
        offered.tool = Tool("take", "Take a number.", {"type": "object", key: [{"required": ["a"]}]})
        notices = [d.notice for _ in range(2) for d in chat.stream("hi", tools=offered).deltas if d.notice]
        assert len(server.bodies()) == 3
        assert [f"`{key}`" in notice and words in notice for notice in notices] == ([True] if words else [])


def test_longest_reply_is_sent_under_the_name_that_the_model_takes():
    words = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with refusing(lambda body: words if "max_tokens" in body else None) as server:
        reply = Chat("openai:m", base_url=server.url).stream("hi", max_tokens=7)
        notices = [d.notice for d in reply.deltas if d.notice]
        assert "`max_completion_tokens`" in notices[0]
        assert server.bodies()[1]["max_completion_tokens"] == 7
        assert "max_tokens" not in server.bodies()[1]
    with speaking("ru"), refusing(lambda body: words if "max_tokens" in body else None) as server:
        reply = Chat("openai:m", base_url=server.url).stream("hi", max_tokens=7)
        (notice,) = [d.notice for d in reply.deltas if d.notice]
        assert notice.startswith("Эта модель принимает `max_completion_tokens` вместо `max_tokens`;")


def test_longest_reply_is_sent_under_its_older_name_to_an_older_server():
    for error in (
        "Unrecognized request argument supplied: max_completion_tokens",
        {"detail": [{"loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted"}]},
    ):
        with refusing(lambda body, error=error: error if "max_completion_tokens" in body else None) as server:
            assert ask(server, max_completion_tokens=7).reply == "ok"
            assert server.bodies()[1]["max_tokens"] == 7
    for words in (
        "max_completion_tokens is too large: 9999. No extra tokens, unknown reason.",
        "Unexpected value: max_completion_tokens must be less than 4096",
        "max_completion_tokens: 9999 is not allowed, the maximum is 4096",
        "Unknown parameter: 'foo'. Supported parameters: model, messages, max_completion_tokens",
        "unknown field `foo`, expected one of `model`, `messages`, `max_completion_tokens`",
    ):
        with refusing(lambda body, words=words: words) as server:
            with pytest.raises(HTTPStatusError, match="max_completion_tokens"):
                ask(server, max_completion_tokens=9999)
            assert len(server.bodies()) == 1, words


def test_longest_reply_that_is_too_long_is_not_renamed():
    words = "'max_tokens' or 'max_completion_tokens' is too large: 9999. This model supports at most 4096."
    with refusing(lambda body: words) as server:
        with pytest.raises(HTTPStatusError, match="too large"):
            ask(server, max_tokens=9999)
        assert len(server.bodies()) == 1


def test_refusal_inside_a_success_is_met_too():
    error = b'data: {"error": {"message": "stream_options is not supported", "code": 400}}\n\n'
    with refusing(lambda body: error if "stream_options" in body else None) as server:
        assert ask(server).reply == "ok"


def test_refusal_after_text_is_final():
    error = b'data: {"error": {"message": "stream_options is not supported", "code": 400}}\n\n'
    with refusing(lambda body: chunk(content="begun") + error) as server:
        with pytest.raises(HTTPStatusError):
            ask(server)
        assert len(server.bodies()) == 1


def test_temporary_failure_after_an_adaptation_is_retried():
    failures = iter([("busy", 503)])

    def refusal(body):
        return "'stream_options' is unknown" if "stream_options" in body else next(failures, None)

    with refusing(refusal) as server:
        assert ask(server).reply == "ok"
        assert len(server.bodies()) == 4


def test_calls_go_back_without_empty_text_where_it_is_refused():
    def refusal(body):
        if any(m["content"] == "" for m in body["messages"]):
            return "messages: text content blocks must be non-empty"
        return None

    messages = (
        Message("user", "hi"),
        Message("assistant", "", calls=(ToolCall("1", "f", "{}", "x"),)),
        Message("tool", "x", call_id="1"),
    )
    with refusing(refusal) as server:
        deltas = presets.openai(base_url=server.url).stream(ChatRequest("m", messages))
        assert "".join(d.text for d in deltas) == "ok"
        assert server.bodies()[-1]["messages"][1]["content"] is None


def test_memory_is_copied_and_pickled_with_its_provider():
    provider = presets.openai(base_url="http://localhost:1/v1")
    provider.learned.add_adaptations("a", "m", ["strict"])
    for copied in (copy.deepcopy(provider), pickle.loads(pickle.dumps(provider))):
        copied.learned.add_adaptations("a", "m", ["stream"])
        assert copied.learned.adaptations("a", "m") == ("strict", "stream")
    assert provider.learned.adaptations("a", "m") == ("strict",)
    assert copy.copy(provider).learned is provider.learned


def test_replay_sends_nothing_and_adapts_nothing(tmp_path):
    file = tmp_path / "talk.jsonl"
    with refusing(lambda body: "'stream_options' is unknown" if "stream_options" in body else None) as server:
        Chat("openai:m", base_url=server.url, cassette=file).ask("hi")
        sent = len(server.bodies())
        chat = Chat("openai:m", base_url=server.url, cassette=file, mode="replay", conversation=Conversation())
        assert chat.ask("hi").reply == "ok"
        assert len(server.bodies()) == sent == 2


def test_parameters_of_the_user_are_found_in_a_refusal():
    error = HTTPStatusError("Unsupported value: 'temperature' does not support 0.2 with this model.", status=400)
    assert find_given(error, ["temperature", "top_p", "user", "stop"]) == ["temperature"]
    assert find_given(HTTPStatusError("the user must stop", status=400), ["user", "stop"]) == []


def test_rows_have_names_of_their_own():
    names = [row.name for row in ADAPTATIONS]
    assert len(set(names)) == len(names)
    assert set(ANNOTATIONS) <= set(names)
    assert adaptation.MAX_ADAPTATIONS > 1

"""Tool calls: with a scripted model, and over HTTP."""

import dataclasses
import functools
import json

import pandas as pd
import pytest

from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.ending import TOO_MANY_ROUNDS
from lockbots_magic.conversation.messages import ChatRequest, Delta, Message, ToolCall, Usage
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import Cancelled, ConnectionFailed, ProtocolError, UsageError
from lockbots_magic.prompt.values import value_part
from lockbots_magic.providers.base import Provider
from lockbots_magic.providers.openai_compatible import OpenAICompatible
from lockbots_magic.providers.streaming import closing_stream
from lockbots_magic.security.secrets import Secret
from lockbots_magic.tools.toolbox import MAX_DESCRIPTION, MAX_RESULT, Toolbox


@dataclasses.dataclass
class Point:
    x: int
    y: int


def add(x: int, y: int = 1) -> int:
    """Add two numbers.

    Args:
        x: one of them.
    """
    return x + y


def fail():
    """Fail."""
    raise KeyError("nothing there")


class Model(Provider):
    """Answers the requests with the given lists of deltas, one after the other."""

    name = "model"
    takes_tools = True

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)
        self.asked = []
        self.closed = 0

    def stream(self, request):
        self.asked.append(request)
        try:
            yield from self.answers.pop(0)
        finally:
            self.closed += 1


def wants(*calls, text="", reason="tool_calls", usage=None):
    """Return an answer with calls, each a name and its arguments."""
    asked = tuple(ToolCall(f"id{n}", name, arguments) for n, (name, arguments) in enumerate(calls))
    return [Delta(text), Delta(finish_reason=reason, usage=usage, calls=asked)]


def says(text, usage=None):
    return [Delta(text), Delta(finish_reason="stop", usage=usage)]


def request(prompt="hi", **more):
    return ChatRequest("m", ({"role": "user", "content": prompt},), **more)


def result_of(function, arguments="{}", name=None):
    """Return the text that the model receives for one call."""
    model = Model(wants((name or function.__name__, arguments)), says("done"))
    list(Toolbox([function], describe=lambda value: value_part(value).text).stream(model, request()))
    return model.asked[1].messages[-1].content


def test_a_call_runs_the_function_and_its_result_goes_to_the_model():
    model = Model(wants(("add", '{"x": 2}')), says("It is 3."))
    deltas = list(Toolbox([add]).stream(model, request()))
    assert deltas == [
        Delta(notice="calling add(x=2)"),
        Delta(calls=(ToolCall("id0", "add", '{"x": 2}', "3"),)),
        Delta("It is 3."),
        Delta(finish_reason="stop"),
    ]
    assert model.asked[1].messages == (
        Message("user", "hi"),
        Message("assistant", "", calls=(ToolCall("id0", "add", '{"x": 2}'),)),
        Message("tool", "3", call_id="id0"),
    )
    assert all(asked.tools == Toolbox([add]).tools for asked in model.asked)


def test_a_tool_is_described_by_signature_and_docstring():
    (tool,) = Toolbox([add]).tools
    assert (tool.name, tool.description) == ("add", "Add two numbers.")
    assert tool.parameters["properties"]["x"] == {"type": "integer", "description": "one of them."}


def test_a_reply_without_calls_is_unchanged():
    model = Model(
        [Delta(notice="slow"), Delta("a", "hm"), Delta("b"), Delta(finish_reason="length", usage=Usage(1, 2))]
    )
    assert list(Toolbox([add]).stream(model, request())) == [
        Delta(notice="slow"),
        Delta("a", "hm"),
        Delta("b"),
        Delta(finish_reason="length", usage=Usage(1, 2)),
    ]


def test_several_calls_run_in_order():
    model = Model(wants(("add", '{"x": 1}'), ("fail", ""), ("add", '{"x": 5, "y": 5}')), says("done"))
    deltas = list(Toolbox([add, fail]).stream(model, request()))
    assert [(c.name, c.result) for d in deltas for c in d.calls] == [
        ("add", "2"),
        ("fail", "error: KeyError: 'nothing there'"),
        ("add", "10"),
    ]
    assert [m.call_id for m in model.asked[1].messages[-3:]] == ["id0", "id1", "id2"]


def test_texts_of_rounds_are_separated_by_a_blank_line():
    answers = [
        wants(("add", '{"x": 1}'), text="First."),
        wants(("add", '{"x": 2}')),
        wants(("add", '{"x": 3}'), text="Then."),
        says("Done."),
    ]
    model = Model(*answers)
    reply = TurnAccumulator()
    assert "".join(reply.add(d).text for d in Toolbox([add]).stream(model, request())) == "First.\n\nThen.\n\nDone."
    assert reply.text == "First.\n\nThen.\n\nDone."
    assert [m.content for m in model.asked[-1].messages if m.role == "assistant"] == ["First.", "", "Then."]


def test_usage_of_all_rounds_is_summed_and_yielded_once():
    first = wants(("add", '{"x": 1}'), usage=Usage(10, None))
    deltas = list(Toolbox([add]).stream(Model(first, says("a", Usage(20, 3))), request()))
    assert [d.usage for d in deltas if d.usage] == [Usage(30, 3)]
    assert [d.finish_reason for d in deltas if d.finish_reason] == ["stop"]


def test_ids_that_a_model_uses_again_become_unique():
    model = Model(*[wants(("add", '{"x": 1}'))] * 2, says("done"))
    deltas = list(Toolbox([add]).stream(model, request()))
    identities = [call.id for delta in deltas for call in delta.calls]
    assert identities == [message.call_id for message in model.asked[-1].messages if message.role == "tool"]
    assert len(set(identities)) == 2
    assert [delta.begins_round for delta in deltas if delta.notice] == [False, True]


def test_rounds_are_limited():
    model = Model(*[wants(("add", '{"x": 1}'))] * 10)
    deltas = list(Toolbox([add], rounds=3).stream(model, request()))
    assert len(model.asked) == 4
    assert len([d for d in deltas if d.calls]) == 3
    assert deltas[-2:] == [Delta(notice="Stopped after 3 rounds of tool calls."), Delta(finish_reason=TOO_MANY_ROUNDS)]


@pytest.mark.parametrize("reason", ["stop", None])
def test_calls_run_whatever_the_finish_reason(reason):
    deltas = list(Toolbox([add]).stream(Model(wants(("add", '{"x": 1}'), reason=reason), says("a")), request()))
    assert any(d.calls for d in deltas)


@pytest.mark.parametrize("reason", ["length", "truncated", "content_filter"])
def test_calls_that_may_be_cut_off_do_not_run(reason):
    called = []
    model = Model(wants(("called", ""), reason=reason))

    def take():
        called.append(1)

    assert list(Toolbox([take]).stream(model, request())) == [Delta(finish_reason=reason)]
    assert not called


@pytest.mark.parametrize(("arguments", "told"), [
    ("{", "error: Invalid arguments: Invalid JSON: "),
    ("", "error: Invalid arguments: They are missing; for the defaults, call it with {}"),
    ("[1]", "error: Invalid arguments: The arguments must be an object, not a list"),
    ("{}", "error: Invalid arguments: x: Field required"),
    ('{"x": "two"}', 'error: Invalid arguments: x: Input should be a valid integer, got "two"'),
    ('{"x": 1, "z": 2}', 'error: Invalid arguments: z: Unknown field'),
    ('{"x": 1, "x": 2}', 'error: Invalid arguments: Duplicate key "x"'),
    ("[" * 100_000, "error: Invalid arguments: Nested too deeply"),
    ('{"x": ' + "9" * 5000 + "}", "error: Invalid arguments: Integer with more than"),
])  # fmt: skip
def test_invalid_arguments_are_reported_to_the_model(arguments, told):
    assert result_of(add, arguments).startswith(told)


def test_only_the_given_functions_can_be_called():
    assert result_of(add, name="eval") == "error: Unknown function eval. Available: add"
    assert result_of(add, name="__import__").startswith("error: Unknown function __import__")


def test_an_exception_of_a_function_is_reported_to_the_model():
    def leave():
        raise SystemExit(3)

    assert result_of(fail) == "error: KeyError: 'nothing there'"
    assert result_of(leave) == "error: SystemExit: 3"


@pytest.mark.parametrize(("value", "text"), [
    ("as it is\n", "as it is\n"), (3, "3"), (None, "null"), ([1, {"a": "я"}], '[1, {"a": "я"}]'), (True, "true"),
])  # fmt: skip
def test_a_result_is_sent_as_text_or_json(value, text):
    def give():
        return value

    assert result_of(give) == text


class Speechless:
    def __repr__(self):
        raise RuntimeError("no words")


def test_other_results_are_described_as_in_a_prompt():
    def give():
        return pd.DataFrame({"name": ["Rex"], "legs": [4]})

    assert "| Rex" in result_of(give)


def test_a_result_that_cannot_be_described_is_an_error():
    def give():
        return Speechless()

    assert result_of(give).startswith("error: UsageError: Can't convert a Speechless to text")


def test_a_long_result_is_cut_with_a_remark():
    def give():
        return "x" * 100_000

    told = result_of(give)
    assert told.endswith("\n… (80000 more characters omitted)")
    assert told.startswith("x" * MAX_RESULT)


def test_arguments_are_converted_to_their_type_hints():
    seen = []

    def move(to: Point, by: dict[str, float]):
        seen.append((to, by))

    assert result_of(move, '{"to": {"x": 1, "y": 2}, "by": {"a": 1}}') == "null"
    assert seen == [(Point(1, 2), {"a": 1.0})]


def test_methods_and_classes_may_be_called():
    class Shop:
        def price(self, name: str):
            return f"{name}: 3"

    assert result_of(Shop().price, '{"name": "pen"}') == "pen: 3"
    assert result_of(Point, '{"x": 1, "y": 2}') == "Point(x=1, y=2)"


def test_a_call_is_announced_on_one_short_line():
    arguments = json.dumps({"text": "a\n\x1b[2J\u202e" + "x" * 1000})
    model = Model(wants(("add", arguments), ("add", "{oops\n"), ("a\nb" * 100, "[]")), says("done"))
    notices = [d.notice for d in Toolbox([add]).stream(model, request()) if d.notice]
    assert notices[0].startswith('calling add(text="a\\n\\u001b[2J')
    assert notices[1] == "calling add({oops)"
    assert all(len(n) < 220 and n.isprintable() for n in notices)


def test_a_credential_is_neither_shown_nor_sent():
    secret = Secret("planted-credential-0123456789")

    def leak(word: str):
        return f"{word} {secret.reveal()}"

    def shout():
        raise ValueError(secret.reveal())

    model = Model(wants(("leak", json.dumps({"word": secret.reveal()})), ("shout", "")), says("done"))
    deltas = list(Toolbox([leak, shout]).stream(model, request()))
    assert secret.reveal() not in repr(deltas) + repr(model.asked)
    assert [c.result for d in deltas for c in d.calls] == ["*** ***", "error: ValueError: ***"]


def test_an_interrupt_propagates_and_closes_the_stream():
    def stop():
        raise KeyboardInterrupt

    model = Model(wants(("stop", "")))
    with pytest.raises(KeyboardInterrupt):
        list(Toolbox([stop]).stream(model, request()))
    assert model.closed == 1


def test_after_cancellation_no_further_function_runs():
    cancellation = Cancellation()
    called = []

    def cancel():
        called.append(1)
        cancellation.cancel()

    model = Model(wants(("cancel", ""), ("cancel", "")))
    with pytest.raises(Cancelled):
        list(Toolbox([cancel]).stream(model, request(cancellation=cancellation)))
    assert called == [1]


def test_closing_the_stream_closes_the_provider():
    model = Model([Delta("a"), Delta("b")])
    deltas = Toolbox([add]).stream(model, request())
    with closing_stream(deltas):
        next(deltas)
    assert model.closed == 1


def test_a_provider_error_propagates():
    def broken():
        yield Delta("a")
        raise ConnectionFailed("gone")

    with pytest.raises(ConnectionFailed):
        list(Toolbox([add]).stream(Model(broken()), request()))


def test_a_provider_without_tools_is_refused_before_the_request():
    class Plain(Model):
        takes_tools = False

    model = Plain(says("a"))
    with pytest.raises(UsageError, match="does not support tools"):
        list(Toolbox([add]).stream(model, request()))
    assert not model.asked


async def later():
    pass


async def later_still():
    yield 1


def one_by_one():
    yield 1


class AsyncCall:
    __name__ = "async_call"

    async def __call__(self):
        pass


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: x, r"^<lambda> can't be described to a model\. Define a function with `def`"),
    (functools.partial(add, 1), r"can't be described to a model"),
    (type("имя", (), {}), r"^имя can't be described to a model"),
    ("add", r"^'add' can't be described to a model"), (7, r"^7 can't"), (None, r"^None can't"),
    (later, r"^later is async or a generator\. Wrap it"), (later_still, r"is async or a generator"),
    (one_by_one, r"is async or a generator"), (AsyncCall(), r"is async or a generator"),
    (min, r"^min has no signature"),
])  # fmt: skip
def test_a_function_that_cannot_be_described_is_refused_with_the_reason(function, message):
    with pytest.raises(UsageError, match=message):
        Toolbox([function])


def test_two_functions_of_the_same_name_are_refused():
    with pytest.raises(UsageError, match="Two functions are named add"):
        Toolbox([add, add])


def test_a_long_docstring_is_cut():
    def wordy():
        pass

    wordy.__doc__ = "x" * 5000
    assert len(Toolbox([wordy]).tools[0].description) == MAX_DESCRIPTION


def http_model(mock_server, **fault):
    return OpenAICompatible(base_url=mock_server.url("openai", **fault), auth="mock", backoff=0.01)


@pytest.mark.parametrize("whole", [False, True])
def test_over_http_results_are_sent_in_the_next_request(whole, mock_server):
    asked = request('call add {"x": 2} and add {"x": 40, "y": 2}', stream=not whole)
    deltas = list(Toolbox([add]).stream(http_model(mock_server), asked))
    assert "".join(d.text for d in deltas) == "add returned 3. add returned 42."
    assert [c.result for d in deltas for c in d.calls] == ["3", "42"]
    first, second = (r.json for r in mock_server.requests)
    assert first["tools"] == second["tools"] == [tool.to_dict() for tool in Toolbox([add]).tools]
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "tool", "tool"]


@pytest.mark.parametrize(
    "oddity", ["whole-json", "crlf", "bom", "multi-line", "comments", "no-final-blank", "no-space"]
)
def test_over_http_calls_are_parsed_in_every_framing(oddity, mock_server):
    deltas = list(Toolbox([add]).stream(http_model(mock_server, fault=oddity), request('call add {"x": 41}')))
    assert "".join(d.text for d in deltas) == "add returned 42."


def test_over_http_a_call_that_is_cut_is_not_made_but_asked_for_again(mock_server):
    asked = request('call add {"x": 2000000000}')
    with pytest.raises(ProtocolError, match="before its first word"):
        list(Toolbox([add]).stream(http_model(mock_server, fault="cut"), asked))
    assert len(mock_server.requests) > 1


def test_over_http_a_reset_answer_is_retried_without_calling_twice(mock_server):
    calls = []

    def count():
        calls.append(1)
        return len(calls)

    model = http_model(mock_server, fault="reset-midway", times=1)
    deltas = list(Toolbox([count]).stream(model, request("call count {}")))
    assert "".join(d.text for d in deltas) == "count returned 1."
    assert len(mock_server.requests) == 3

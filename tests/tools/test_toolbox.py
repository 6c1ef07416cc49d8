"""Tool calls: with a scripted model, and over HTTP."""

import dataclasses
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
from lockbots_magic.tools.function_tool import MAX_DESCRIPTION
from lockbots_magic.tools.limits import Limits, Spent
from lockbots_magic.tools.loop import ToolLoop
from lockbots_magic.tools.results import MAX_RESULT
from lockbots_magic.tools.tool_source import ToolOutput
from lockbots_magic.tools.toolbox import Toolbox


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


def stream(tools, model, asked, limits=None):
    """Return the steps of a reply with tools."""
    box = Toolbox(tools, describe=lambda value: ToolOutput(value_part(value).text))
    return ToolLoop(box, spent=Spent(limits or Limits())).stream(model, asked)


def untimed(deltas):
    """Return the steps without the duration of calls."""
    return [d._replace(calls=tuple(call._replace(elapsed=None) for call in d.calls)) for d in deltas]


def results(deltas):
    """Return names and results of the calls."""
    return [(call.name, call.result) for d in deltas for call in d.calls if call.result is not None]


def result_of(function, arguments="{}", name=None):
    """Return the text that the model receives for one call."""
    model = Model(wants((name or function.__name__, arguments)), says("done"))
    list(stream([function], model, request()))
    return model.asked[1].messages[-1].content


def test_a_call_runs_the_function_and_its_result_goes_to_the_model():
    model = Model(wants(("add", '{"x": 2}')), says("It is 3."))
    deltas = list(stream([add], model, request()))
    call = ToolCall("id0", "add", '{"x": 2}')
    assert untimed(deltas) == [
        Delta(calls=(call,)),
        Delta(calls=(call._replace(result="3", approved_by="default"),)),
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
        [
            Delta(notice="slow"),
            Delta("", "hm"),
            Delta("a"),
            Delta("b"),
            Delta(finish_reason="length", usage=Usage(1, 2)),
        ]
    )
    assert list(stream([add], model, request())) == [
        Delta(notice="slow"),
        Delta("", "hm"),
        Delta("a"),
        Delta("b"),
        Delta(finish_reason="length", usage=Usage(1, 2)),
    ]


def test_several_calls_run_in_order():
    model = Model(wants(("add", '{"x": 1}'), ("fail", ""), ("add", '{"x": 5, "y": 5}')), says("done"))
    deltas = list(stream([add, fail], model, request()))
    assert results(deltas) == [
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
    assert "".join(reply.add(d).text for d in stream([add], model, request())) == "First.\n\nThen.\n\nDone."
    assert reply.text == "First.\n\nThen.\n\nDone."
    assert [m.content for m in model.asked[-1].messages if m.role == "assistant"] == ["First.", "", "Then."]


def test_usage_of_all_rounds_is_summed_and_yielded_once():
    first = wants(("add", '{"x": 1}'), usage=Usage(10, None))
    deltas = list(stream([add], Model(first, says("a", Usage(20, 3))), request()))
    assert [d.usage for d in deltas if d.usage] == [Usage(30, 3)]
    assert [d.finish_reason for d in deltas if d.finish_reason] == ["stop"]


def test_ids_that_a_model_uses_again_become_unique():
    model = Model(*[wants(("add", '{"x": 1}'))] * 2, says("done"))
    deltas = list(stream([add], model, request()))
    identities = [call.id for delta in deltas for call in delta.calls if call.result is not None]
    assert identities == [message.call_id for message in model.asked[-1].messages if message.role == "tool"]
    assert len(set(identities)) == 2
    announced = [delta for delta in deltas if any(call.result is None for call in delta.calls)]
    assert [delta.begins_round for delta in announced] == [False, True]


def test_rounds_are_limited():
    model = Model(*[wants(("add", '{"x": 1}'))] * 10)
    deltas = list(stream([add], model, request(), Limits(rounds=3)))
    assert len(model.asked) == 4
    assert len(results(deltas)) == 3
    assert deltas[-2:] == [
        Delta(notice="Stopped at the limit of 3 rounds of tool calls."),
        Delta(finish_reason=TOO_MANY_ROUNDS),
    ]


@pytest.mark.parametrize("reason", ["stop", None])
def test_calls_run_whatever_the_finish_reason(reason):
    deltas = list(stream([add], Model(wants(("add", '{"x": 1}'), reason=reason), says("a")), request()))
    assert any(d.calls for d in deltas)


@pytest.mark.parametrize("reason", ["length", "truncated", "content_filter"])
def test_calls_that_may_be_cut_off_do_not_run(reason):
    called = []
    model = Model(wants(("called", ""), reason=reason))

    def take():
        called.append(1)

    assert list(stream([take], model, request())) == [Delta(finish_reason=reason)]
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


def test_a_credential_is_neither_shown_nor_sent():
    secret = Secret("planted-credential-0123456789")

    def leak(word: str):
        return f"{word} {secret.reveal()}"

    def shout():
        raise ValueError(secret.reveal())

    model = Model(wants(("leak", json.dumps({"word": secret.reveal()})), ("shout", "")), says("done"))
    deltas = list(stream([leak, shout], model, request()))
    assert secret.reveal() not in repr(deltas) + repr(model.asked)
    assert [result for _, result in results(deltas)] == ["*** ***", "error: ValueError: ***"]


def test_an_interrupt_propagates_and_closes_the_stream():
    def stop():
        raise KeyboardInterrupt

    model = Model(wants(("stop", "")))
    with pytest.raises(KeyboardInterrupt):
        list(stream([stop], model, request()))
    assert model.closed == 1


def test_after_cancellation_no_further_function_runs():
    cancellation = Cancellation()
    called = []

    def cancel():
        called.append(1)
        cancellation.cancel()

    model = Model(wants(("cancel", ""), ("cancel", "")))
    with pytest.raises(Cancelled):
        list(stream([cancel], model, request(cancellation=cancellation)))
    assert called == [1]


def test_closing_the_stream_closes_the_provider():
    model = Model([Delta("a"), Delta("b")])
    deltas = stream([add], model, request())
    with closing_stream(deltas):
        next(deltas)
    assert model.closed == 1


def test_a_provider_error_propagates():
    def broken():
        yield Delta("a")
        raise ConnectionFailed("gone")

    with pytest.raises(ConnectionFailed):
        list(stream([add], Model(broken()), request()))


def test_a_provider_without_tools_is_refused_before_the_request():
    class Plain(Model):
        takes_tools = False

    model = Plain(says("a"))
    with pytest.raises(UsageError, match="does not support tools"):
        list(stream([add], model, request()))
    assert not model.asked


async def later_still():
    yield 1


def one_by_one():
    yield 1


@pytest.mark.parametrize(("function", "message"), [
    (lambda x: x, r"^<lambda> can't be described to a model\. Define a function with `def`"),
    (type("имя", (), {}), r"^имя can't be described to a model"),
    ("add", r"^'add' can't be described to a model"), (7, r"^7 can't"), (None, r"^None can't"),
    (later_still, r"^later_still is a generator\. Wrap it"), (one_by_one, r"^one_by_one is a generator"),
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
    deltas = list(stream([add], http_model(mock_server), asked))
    assert "".join(d.text for d in deltas) == "add returned 3. add returned 42."
    assert [result for _, result in results(deltas)] == ["3", "42"]
    first, second = (r.json for r in mock_server.requests)
    assert first["tools"] == second["tools"] == [tool.to_dict() for tool in Toolbox([add]).tools]
    assert [m["role"] for m in second["messages"]] == ["user", "assistant", "tool", "tool"]


@pytest.mark.parametrize(
    "oddity", ["whole-json", "crlf", "bom", "multi-line", "comments", "no-final-blank", "no-space"]
)
def test_over_http_calls_are_parsed_in_every_framing(oddity, mock_server):
    deltas = list(stream([add], http_model(mock_server, fault=oddity), request('call add {"x": 41}')))
    assert "".join(d.text for d in deltas) == "add returned 42."


def test_over_http_a_call_that_is_cut_is_not_made_but_asked_for_again(mock_server):
    asked = request('call add {"x": 2000000000}')
    with pytest.raises(ProtocolError, match="before its first word"):
        list(stream([add], http_model(mock_server, fault="cut"), asked))
    assert len(mock_server.requests) > 1


def test_over_http_a_reset_answer_is_retried_without_calling_twice(mock_server):
    calls = []

    def count():
        calls.append(1)
        return len(calls)

    model = http_model(mock_server, fault="reset-midway", times=1)
    deltas = list(stream([count], model, request("call count {}")))
    assert "".join(d.text for d in deltas) == "count returned 1."
    assert len(mock_server.requests) == 3


def test_toolbox_that_could_not_be_made_has_a_repr_for_debuggers():
    with pytest.raises(UsageError) as caught:
        Toolbox([5])
    frames = [frame.frame.f_locals.get("self") for frame in caught.traceback]
    assert "Toolbox()" in map(repr, frames)

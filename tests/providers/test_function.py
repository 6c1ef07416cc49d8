"""Python functions and generators as providers."""

import pytest

from lockbots_magic.conversation.messages import ChatRequest, Delta
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.errors import ProtocolError, ProviderError, UsageError
from lockbots_magic.providers.function import FunctionProvider
from lockbots_magic.providers.streaming import closing_stream


def ask(function, *messages, model="", **params):
    said = tuple({"role": role, "content": text} for role, text in messages or [("user", "Hi")])
    provider = FunctionProvider(function)
    provider.check_params(params)
    return list(TurnAccumulator().follow(provider.stream(ChatRequest(model, said, params))))


def text(*given, **params):
    return "".join(d.text for d in ask(*given, **params))


def test_function_that_returns_text():
    assert text(lambda prompt: prompt.upper()) == "HI"


def test_generator_is_streamed_piece_by_piece():
    def words(prompt):
        yield "one "
        yield "two"

    assert [d.text for d in ask(words)] == ["one ", "two", ""]


def test_first_argument_is_the_prompt_whatever_its_name():
    assert text(lambda question: question) == "Hi"
    assert text(lambda question, /: question) == "Hi"
    assert text(lambda *questions: questions[0]) == "Hi"


def test_function_receives_the_arguments_that_it_names():
    def told(messages, model, system, prompt):
        return f"{[m['role'] for m in messages]} {model} {system} {prompt}"

    assert text(told, ("system", "S"), ("user", "U"), model="m") == "['system', 'user'] m S U"


def test_parameters_are_checked_against_the_signature():
    def shout(prompt, times=1, *, mark="!"):
        return prompt + mark * times

    assert text(shout, times=3) == "Hi!!!"
    with pytest.raises(UsageError, match=r"Unknown parameter 'tims'.*Did you mean 'times'\?.*mark, times"):
        text(shout, tims=3)


def test_function_with_open_keywords_takes_any_parameter():
    assert text(lambda prompt, **more: f"{prompt} {more}", depth=2) == "Hi {'depth': 2}"


def test_callable_object_is_a_function():
    class Echo:
        def __call__(self, prompt):
            return prompt

    assert text(Echo()) == "Hi"
    assert repr(FunctionProvider(Echo())) == "FunctionProvider(Echo)"


def test_deltas_pass_through_and_keep_their_finish_reason():
    def thoughtful(prompt):
        yield Delta(reasoning="hm")
        yield Delta("yes", finish_reason="length")

    assert ask(thoughtful) == [Delta(reasoning="hm"), Delta("yes", finish_reason="length")]
    assert ask(lambda prompt: Delta("x"))[-1] == Delta(finish_reason="stop")


@pytest.mark.parametrize("value", [None, 7, b"bytes", {"role": "assistant", "content": "x"}, [1]])
def test_result_that_is_not_text_is_a_protocol_error_that_names_the_function(value):
    def odd(prompt):
        return value

    with pytest.raises(ProtocolError, match=r"odd must return or yield text, got \w+"):
        ask(odd)


def test_exception_of_the_function_is_a_provider_error_with_the_line_and_the_text_so_far():
    def broken(prompt):
        yield "so far"
        raise KeyError("colour")

    with pytest.raises(ProviderError, match=r"broken raised KeyError: 'colour' \(line \d+ of broken\)") as caught:
        ask(broken)
    assert caught.value.partial == "so far"
    assert isinstance(caught.value.__cause__, KeyError)


def test_interrupt_is_not_swallowed():
    def interrupted(prompt):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(interrupted)


def test_closing_the_reply_closes_the_generator():
    ended = []

    def endless(prompt):
        try:
            while True:
                yield "x"
        finally:
            ended.append(True)

    reply = FunctionProvider(endless).stream(ChatRequest("", ({"role": "user", "content": "Hi"},)))
    with closing_stream(reply):
        next(reply)
    assert ended == [True]


async def _async(prompt):
    return prompt


async def _async_generator(prompt):
    yield prompt


@pytest.mark.parametrize("function", [7, lambda: "x", _async, _async_generator])
def test_function_without_a_prompt_is_a_usage_error(function):
    with pytest.raises(UsageError):
        FunctionProvider(function)


def test_function_is_its_own_model():
    def parrot(prompt):
        return prompt

    assert FunctionProvider(parrot).model_info("").id == "parrot"
    assert FunctionProvider(parrot).model_info("grey").id == "grey"


def test_halves_of_a_character_are_joined_and_a_lone_one_is_replaced():
    request = ChatRequest(model="", messages=({"role": "user", "content": "q"},))
    texts = [delta.text for delta in FunctionProvider(lambda prompt: ["a\ud83d", "\ude00b", "\ud83d"]).stream(request)]
    assert "".join(texts) == "a😀b\ufffd"

"""One body, taken synchronously and awaited: the same turns, whoever the provider is."""

import asyncio
import contextvars

import pytest

from lockbots_magic import Chat, Delta
from lockbots_magic.errors import PromptTooLongError, ProviderError, UsageError
from lockbots_magic.providers import names
from tests.providers.test_contract import QUESTIONS, case_of
from tests.reply.drivers import DRIVERS, wait_for_threads

FAULTS = ("http-500", "reset-midway")


@pytest.fixture(params=DRIVERS, ids=lambda driver: driver.name)
def driver(request):
    yield request.param
    wait_for_threads()


def chat_of(name, server, **fault):
    case = case_of(name)
    settings = dict(case.settings)
    if name == "function":
        chat = Chat(settings["function"])
    elif case.service:
        url = server.url(case.service, **fault)
        chat = Chat(f"{name}:{case.model}", base_url=url, auth="mock", backoff=0.01, max_retries=0)
    else:
        chat = Chat(name)
    chat.params.update(case.params)
    return chat


def comparable(turn):
    """Return a turn without what differs from run to run."""
    times = {"id": "", "started": 0.0, "elapsed": 0.0, "first_text": None}
    return {**turn.to_dict(), **times}


def told(turn):
    return None if turn is None else comparable(turn)


@pytest.mark.parametrize("name", [*names(), "function"])
def test_the_same_turns_for_every_provider(mock_server, driver, name):
    chat, other = chat_of(name, mock_server), chat_of(name, mock_server)
    for question in QUESTIONS:
        assert comparable(driver.ask(chat, question)) == comparable(other.ask(question))
    assert len(chat.conversation) == len(QUESTIONS)
    assert [told(t) for t in chat.conversation.turns] == [told(t) for t in other.conversation.turns]


@pytest.mark.parametrize("name", [*(n for n in names() if n != "guide")])
def test_the_same_failures_for_every_provider(mock_server, driver, name):
    for fault in FAULTS:
        results = []
        for ask in (driver.ask, lambda chat, prompt: chat.ask(prompt)):
            chat = chat_of(name, mock_server, fault=fault)
            try:
                end = ask(chat, "say one two three").status
            except ProviderError as error:
                end = (type(error), error.partial, error.provider, error.model)
            results.append((end, [(t.reply, t.status) for t in chat.conversation.turns]))
        assert results[0] == results[1], fault


def three(prompt):
    yield from ("One. ", "Two. ", "Three.")


def test_texts_and_deltas_are_the_same(driver):
    chat = Chat(three)
    assert driver.texts(chat.stream("hi")) == ["One. ", "Two. ", "Three."]
    deltas = driver.deltas(chat.stream("hi"))
    assert [delta.text for delta in deltas if delta.text] == ["One. ", "Two. ", "Three."]
    assert deltas[-1].finish_reason == "stop"
    assert [turn.status for turn in chat.conversation.turns] == ["complete", "complete"]


def test_leaving_the_block_keeps_what_was_taken(driver):
    for count in (1, 2, 3):
        chat = Chat(three)
        taken = driver.within(chat.stream("hi"), count)
        (turn,) = chat.conversation.turns
        assert (turn.reply, turn.status) == ("".join(taken), "interrupted")


def test_leaving_the_loop_and_asking_again_works(driver):
    chat = Chat(three)
    driver.texts(chat.stream("one"), 1)
    assert driver.ask(chat, "two").status == "complete"
    assert [(turn.reply, turn.status) for turn in chat.conversation.turns] == [
        ("One. ", "interrupted"),
        ("One. Two. Three.", "complete"),
    ]


def test_a_reply_goes_on_where_it_was_left(driver):
    reply = Chat(three).stream("hi")
    if driver.name != "sync":
        assert next(reply) == "One. ", "begun synchronously"
    turn = driver.turn(reply)
    assert (turn.reply, turn.status) == ("One. Two. Three.", "complete")
    assert driver.turn(reply) is turn, "taken again, it is the same turn"


def test_a_retraction_is_not_yielded_twice(driver):
    def thinks(prompt):
        yield from ("Let me see.\n", "</think>\n", "Four.")

    chat = Chat(thinks)
    turn = driver.ask(chat, "2+2")
    assert (turn.reply, turn.reasoning) == ("Four.", "Let me see.")
    assert "".join(driver.texts(chat.stream("2+2"))).endswith("Four.")


def test_what_is_wrong_before_anything_is_sent_costs_no_turn(driver):
    chat = Chat(three)
    for prompt, options in (("", {}), ("hi", {"temprature": 1})):
        with pytest.raises(UsageError):
            driver.ask(chat, prompt, **options)
    assert len(chat.conversation) == 0


def test_a_prompt_too_long_is_refused_before_any_io(mock_server, driver):
    chat = Chat("liaobots:gpt-3.5-turbo", auth="mock", base_url=mock_server.url("liaobots"))
    with pytest.raises(PromptTooLongError):
        driver.ask(chat, "x" * 12001)
    assert mock_server.connections == 0


def test_tools_are_called_and_their_results_are_kept(mock_server, driver):
    def twice(n: int) -> int:
        """Double a number."""
        return 2 * n

    async def thrice(n: int) -> int:
        """Triple a number."""
        return 3 * n

    for tool, result in ((twice, "8"), (thrice, "12")):
        chat = Chat("openai:demo", base_url=mock_server.url("openai"))
        turn = driver.ask(chat, f'call {tool.__name__} {{"n": 4}}', tools=[tool])
        assert [(call.name, call.result) for call in turn.calls] == [(tool.__name__, result)], turn


def test_async_tools_run_beside_their_caller(mock_server):
    word = contextvars.ContextVar("word", default="")
    seen = []

    async def look() -> str:
        """Look."""
        seen.append((asyncio.get_running_loop(), word.get()))
        return "seen"

    async def main():
        word.set("mine")
        here = asyncio.get_running_loop()
        chat = Chat("openai:demo", base_url=mock_server.url("openai"))
        await chat.ask_async("call look {}", tools=[look])
        assert seen[-1] == (here, "mine")
        turn = chat.ask("call look {}", tools=[look])  # blocks this loop: another one runs it
        assert turn.calls[0].result == "seen"
        assert seen[-1][1] == "mine"
        assert seen[-1][0] is not here

    asyncio.run(main())
    asyncio.run(main())
    assert len(seen) == 4
    wait_for_threads()


def test_a_tool_may_await_a_reply_and_may_ask_for_one(mock_server):
    async def inner() -> str:
        """Answer."""
        return "inner"

    async def nested(synchronously: bool) -> str:
        """Ask in turn."""
        chat = Chat("openai:demo", base_url=mock_server.url("openai"))
        prompt = "call inner {}"
        turn = chat.ask(prompt, tools=[inner]) if synchronously else await chat.ask_async(prompt, tools=[inner])
        return str(turn.calls[0].result)

    for driver in DRIVERS[:2]:
        for flag in ("true", "false"):
            chat = Chat("openai:demo", base_url=mock_server.url("openai"))
            turn = driver.ask(chat, f'call nested {{"synchronously": {flag}}}', tools=[nested])
            assert turn.calls[0].result == "inner", (driver.name, flag)
    wait_for_threads()


def test_an_error_is_the_same_error(driver):
    def failing(prompt):
        yield "so far. "
        raise ZeroDivisionError("no")

    chat = Chat(failing)
    reply = chat.stream("hi")
    with pytest.raises(ProviderError, match="ZeroDivisionError") as caught:
        driver.turn(reply)
    assert caught.value.partial == "so far. "
    assert [turn.status for turn in chat.conversation.turns] == ["error"]


def test_the_steps_of_a_conversation_build_on_each_other(driver):
    asked = []

    def counting(messages):
        asked.append(len(messages))
        return Delta("Yes.", finish_reason="stop").text

    chat = Chat(counting)
    for prompt in "abc":
        driver.ask(chat, prompt)
    assert asked == [1, 3, 5]

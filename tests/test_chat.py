"""A turn runs and is kept, whatever happens on the way."""

import _thread
import base64
import copy
import pickle
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from lockbots_magic import Chat, Conversation, Delta, Provider
from lockbots_magic.conversation import turn_accumulator
from lockbots_magic.conversation.messages import CellOrigin, ModelInfo, ToolCall, Usage
from lockbots_magic.errors import (
    AuthenticationError,
    ConnectionFailed,
    Interrupted,
    NotRecordedError,
    PromptTooLongError,
    ProviderError,
    UsageError,
)


def echo(prompt):
    yield from ("You ", "said ", prompt)


def twice(n: int) -> int:
    """Double a number."""
    return 2 * n


def failing(prompt):
    yield "so far"
    raise ConnectionFailed("cut off")


def test_policy_and_limits_are_checked_though_there_are_no_tools():
    chat = Chat(echo)
    turn = chat.ask("Hi")
    for wrong, told in (({"approve": "bogus"}, "approve must be"), ({"limits": {"bogus": 1}}, "Unknown limit")):
        with pytest.raises(UsageError, match=told):
            chat.prepare("Hi", **wrong)
    with pytest.raises(UsageError, match="approve must be"):
        chat.redo(turn.id, approve="bogus")
    assert chat.conversation.turns == (turn,)


class Scripted(Provider):
    """Yields the deltas it is made with, and remembers the requests."""

    name = "scripted"
    default_model = "m"
    parameters = {"temperature": "any"}  # noqa: RUF012  # a test's own class

    def __init__(self, *deltas, **settings):
        super().__init__(**settings)
        self.deltas = deltas
        self.asked = []

    def stream(self, request):
        self.asked.append(request)
        yield from self.deltas


def test_ask_returns_the_turn():
    turn = Chat(echo).ask("hi")
    assert (turn.prompt, turn.reply, turn.status) == ("hi", "You said hi", "complete")
    assert (turn.provider, turn.model) == ("function", "echo")
    assert turn.elapsed >= turn.first_text >= 0
    assert turn.started > 1e9


def test_stream_yields_text_and_ends_with_the_turn():
    chat = Chat(echo)
    reply = chat.stream("hi")
    assert reply.turn is None
    assert list(reply) == ["You ", "said ", "hi"]
    assert reply.turn == chat.conversation.turns[-1]


def test_the_next_prompt_is_told_of_the_last_turn():
    provider = Scripted(Delta("yes"))
    chat = Chat(provider, system="Be brief.")
    chat.ask("one")
    chat.ask("two")
    assert [m.to_dict() for m in provider.asked[1].messages] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": "two"},
    ]
    assert provider.asked[0].conversation_id == provider.asked[1].conversation_id


def test_outside_the_history_nothing_is_told_or_kept():
    provider = Scripted(Delta("yes"))
    chat = Chat(provider)
    chat.ask("one")
    chat.ask("two", history=False)
    assert len(provider.asked[1].messages) == 1
    assert len(chat.conversation) == 1


def test_a_failed_turn_keeps_its_text_and_stays_out_of_the_context():
    chat = Chat(failing)
    with pytest.raises(ConnectionFailed) as caught:
        chat.ask("hi")
    assert caught.value.partial == "so far"
    (turn,) = chat.conversation.turns
    assert (turn.reply, turn.status, turn.error) == ("so far", "error", "ConnectionFailed: cut off")
    provider = Scripted(Delta("ok"))
    Chat(provider, conversation=chat.conversation).ask("again")
    assert [m.content for m in provider.asked[0].messages] == ["again"]


@pytest.mark.parametrize("reason", ["length", "truncated", "content_filter"])
def test_a_reply_cut_short_is_truncated_and_told(reason):
    turn = Chat(Scripted(Delta("part"), Delta(finish_reason=reason))).ask("hi")
    assert (turn.status, turn.reply) == ("truncated", "part")
    assert turn.error


def test_reasoning_and_usage_are_kept_apart_from_the_reply():
    turn = Chat(Scripted(Delta(reasoning="hmm"), Delta("42", usage=Usage(3, 1)))).ask("hi")
    assert (turn.reply, turn.reasoning, turn.usage) == ("42", "hmm", Usage(3, 1))


def test_an_interrupt_keeps_what_had_come_and_stops_the_cell():
    def interrupted(prompt):
        yield "partial"
        _thread.interrupt_main()
        threading.Event().wait(30)

    chat = Chat(interrupted)
    with pytest.raises(Interrupted, match="7 characters"):
        chat.ask("hi")
    (turn,) = chat.conversation.turns
    assert (turn.reply, turn.status) == ("partial", "interrupted")
    assert Chat(echo, conversation=chat.conversation).ask("go on").reply == "You said go on"


def test_an_interrupt_while_the_text_is_being_used_keeps_it_too():
    chat = Chat(echo)
    with pytest.raises(KeyboardInterrupt), chat.stream("hi") as reply:  # noqa: PT012  # it lands in the loop
        for _ in reply:
            raise KeyboardInterrupt
    assert chat.conversation.turns[0].status == "interrupted"


def test_cancel_from_another_thread_ends_the_reply_quietly(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai", fault="silence-midway"))
    reply = chat.stream("count to 5")
    started = threading.Event()
    texts = []

    def read():
        for text in reply:
            texts.append(text)
            started.set()

    thread = threading.Thread(target=read)
    thread.start()
    assert started.wait(30)
    reply.cancel()
    thread.join(30)
    assert not thread.is_alive()
    mock_server.wait_for_disconnect()
    assert reply.turn.status == "interrupted"
    assert reply.turn.reply == "".join(texts)


def test_leaving_the_loop_and_asking_again_works():
    chat = Chat(echo)
    for _ in chat.stream("one"):
        break
    assert chat.ask("two").reply == "You said two"
    assert [t.status for t in chat.conversation.turns] == ["interrupted", "complete"]


def test_one_conversation_runs_one_turn_at_a_time():
    go_on, begun = threading.Event(), threading.Event()

    def slow(prompt):
        begun.set()
        go_on.wait(30)
        yield "done"

    chat = Chat(slow)
    thread = threading.Thread(target=chat.ask, args=("first",))
    thread.start()
    assert begun.wait(30)
    with pytest.raises(UsageError, match="in progress"):
        chat.ask("second")
    assert Chat(echo).ask("elsewhere").status == "complete"
    go_on.set()
    thread.join(30)
    assert [t.prompt for t in chat.conversation.turns] == ["first"]


def test_a_reply_left_by_a_thread_that_has_ended_is_not_under_way():
    chat = Chat(echo)
    thread = threading.Thread(target=lambda: next(chat.stream("one")))
    thread.start()
    thread.join(30)
    assert chat.ask("two").status == "complete"


def test_retry_and_edit_take_the_place_of_a_turn():
    chat = Chat(echo)
    first, _ = chat.ask("one"), chat.ask("two")
    chat.redo(first.id, "uno").close()
    assert [t.prompt for t in chat.conversation.turns] == ["one", "two"], "nothing was asked yet"
    assert chat.edit(first.id, "uno").reply == "You said uno"
    assert [(t.prompt, t.stale) for t in chat.conversation.turns] == [("uno", False), ("two", True)]
    assert chat.retry().prompt == "two"
    assert [(t.prompt, t.stale) for t in chat.conversation.turns] == [("uno", False), ("two", False)]


def test_retry_keeps_the_parameters_and_the_system_prompt():
    provider = Scripted(Delta("yes"))
    chat = Chat(provider)
    chat.ask("one", system="S", temperature=0.1)
    chat.retry()
    assert provider.asked[1].params == {"temperature": 0.1}
    assert provider.asked[1].system == "S"


def test_fork_leaves_the_original_as_it_is():
    chat = Chat(echo)
    chat.ask("one")
    other = chat.fork("other")
    other.ask("two")
    assert (len(chat.conversation), len(other.conversation)) == (1, 2)
    assert other.model == chat.model


def test_nothing_to_retry_is_a_usage_error():
    with pytest.raises(UsageError, match="no turn"):
        Chat(echo).retry()


def test_a_missing_credential_costs_no_turn(monkeypatch):
    monkeypatch.delenv("LOCKBOTS_LIAOBOTS_AUTH", raising=False)
    chat = Chat("liaobots:gpt-4")
    with pytest.raises(AuthenticationError):
        chat.ask("hi")
    assert len(chat.conversation) == 0


@pytest.mark.parametrize("prompt", ["", "  \n "])
def test_an_empty_prompt_is_a_usage_error(prompt):
    with pytest.raises(UsageError, match="empty"):
        Chat(echo).ask(prompt)


def test_a_prompt_too_long_is_refused_before_any_io(mock_server):
    chat = Chat("liaobots:gpt-3.5-turbo", auth="mock", base_url=mock_server.url("liaobots"))
    with pytest.raises(PromptTooLongError, match="12000"):
        chat.ask("x" * 12001)
    assert mock_server.connections == 0
    assert len(chat.conversation) == 0


def test_the_turn_says_how_many_older_ones_were_left_out():
    class Small(Scripted):
        def model_info(self, model):
            return ModelInfo("m", max_length=20)

    chat = Chat(Small(Delta("1234567890")))
    chat.ask("a")
    chat.ask("b")
    assert chat.ask("c").left_out == 1


def test_an_unknown_parameter_is_refused_and_names_the_known():
    with pytest.raises(UsageError, match="temperature"):
        Chat(Scripted()).ask("hi", temprature=1)


@pytest.mark.parametrize("model", ["nosuch", "nosuch:x", ":x", ""])
def test_an_unknown_provider_is_a_usage_error(model):
    with pytest.raises(UsageError):
        Chat(model)


def test_an_unknown_setting_is_a_usage_error():
    with pytest.raises(UsageError, match="colour"):
        Chat("guide", colour="red")


def test_a_function_that_fails_is_one_message_that_says_where():
    def broken(prompt):
        return 1 / 0

    with pytest.raises(
        ProviderError, match=r"broken raised ZeroDivisionError: division by zero \(line \d+ of broken\)"
    ):
        Chat(broken).ask("hi")


def test_a_conversation_can_go_on_with_another_model():
    conversation = Conversation()
    Chat(echo, conversation=conversation).ask("one")
    provider = Scripted(Delta("two"))
    Chat(provider, conversation=conversation).ask("more")
    assert len(provider.asked[0].messages) == 3


def test_a_retry_that_fails_leaves_the_turn_as_it_was():
    chat = Chat(echo)
    chat.ask("one")
    before = chat.conversation.turns
    with pytest.raises(ConnectionFailed):
        Chat(failing, conversation=chat.conversation).retry()
    assert chat.conversation.turns == before


def test_what_a_provider_refuses_unsent_costs_no_turn(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai"), conversation=Conversation())
    chat.ask("one", origin=CellOrigin("c", "1"))
    before = chat.conversation.turns
    with pytest.raises(UsageError, match="JSON"):
        chat.ask("two", origin=CellOrigin("c", "2"), stop=object())
    assert chat.conversation.turns == before


def test_a_prompt_refused_leaves_the_reply_under_way_alone():
    class Small(Scripted):
        def model_info(self, model):
            return ModelInfo("m", max_length=5)

    chat = Chat(Small(Delta("x"), Delta("y")))
    reply = chat.stream("hi")
    assert next(reply) == "x"
    with pytest.raises(PromptTooLongError):
        chat.ask("far too long")
    assert next(reply) == "y"


def test_a_reply_cancelled_before_it_began_ends_as_a_turn_that_is_not_kept():
    chat = Chat(echo)
    reply = chat.stream("hi")
    reply.cancel()
    assert list(reply) == []
    assert reply.turn.status == "interrupted"
    assert len(chat.conversation) == 0


def test_the_first_model_a_server_lists_is_asked_for_only_when_the_reply_begins(mock_server):
    chat = Chat("ollama", base_url=mock_server.url("openai"))
    reply = chat.stream("say yes")
    assert not mock_server.requests
    assert "".join(reply) == "yes"
    assert [r.method for r in mock_server.requests] == ["GET", "POST"]
    assert reply.turn.model == mock_server.requests[1].json["model"]


def test_a_provider_class_is_made_with_the_settings():
    from lockbots_magic.providers.lockchat import Lockchat

    chat = Chat(Lockchat, base_url="http://127.0.0.1:9", total_timeout=5)
    assert (chat.provider.name, chat.provider.total_timeout) == ("lockchat", 5)


WRONG = [
    lambda secret: Chat(123, auth=secret),
    lambda secret: Chat("liaobots", auth=secret, models=["x"]),
    lambda secret: Chat("liaobots", auth=secret, nosuch=1),
    lambda secret: Chat(echo, auth=secret, nosuch=1),
    lambda secret: Chat("nosuch", auth=secret),
    lambda secret: Chat("openai", auth=secret, base_url="x"),
]


@pytest.mark.parametrize("make", WRONG)
def test_no_frame_of_ours_holds_a_credential_when_something_else_is_wrong(make):
    secret = "planted-credential-5"
    with pytest.raises(UsageError) as caught:
        make(secret)
    trace = caught.value.__traceback__
    while trace:
        if "lockbots_magic" in trace.tb_frame.f_code.co_filename:
            shown = {**trace.tb_frame.f_locals, **vars(trace.tb_frame.f_locals.get("self", Conversation()))}
            assert secret not in repr([v for k, v in shown.items() if k != "self"])
        trace = trace.tb_next


def test_a_reader_that_takes_its_next_step_while_it_is_stopped_meets_no_other_error():
    at_first, release, ended = threading.Event(), threading.Event(), threading.Event()
    chat = Chat(lambda prompt: iter(["one ", "two"]))
    reply = chat.stream("count")
    raised = []

    def read():
        try:
            with reply:
                next(reply)
                at_first.set()
                release.wait(30)
                list(reply)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is told below
            raised.append(error)
        finally:
            ended.set()

    def slow_watcher():
        if threading.current_thread() is threading.main_thread():
            release.set()  # the turn is being kept, and the reader goes on
            ended.wait(30)

    reader = threading.Thread(target=read)
    reader.start()
    at_first.wait(30)
    chat.conversation.observers.add(slow_watcher)
    reply.cancel()
    release.set()
    reader.join(30)
    assert not raised
    assert [(t.reply, t.status) for t in chat.conversation.turns] == [("one ", "interrupted")]


def pickled(value):
    return pickle.loads(pickle.dumps(value))


DUPLICATES = [copy.copy, copy.deepcopy, pickled]


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_copied_chat_continues_with_its_model_and_parameters(duplicate):
    chat = Chat(echo, system="Be brief.")
    chat.ask("one")
    new = duplicate(chat)
    assert [turn.prompt for turn in new.conversation.turns] == ["one"]
    assert new.ask("two").reply == "You said two"
    assert (new.model, new.params, new.conversation.system) == (chat.model, chat.params, "Be brief.")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, pickled])
def test_deep_copy_of_a_chat_goes_its_own_way(duplicate):
    chat = Chat("openai:demo", base_url="http://127.0.0.1:9", params={"stop": ["x"]}, max_retries=5)
    new = duplicate(chat)
    new.params["stop"].append("y")
    new.provider.max_retries = 0
    assert (chat.params, chat.provider.max_retries) == ({"stop": ["x"]}, 5)
    assert (new.model, new.provider.base_url) == ("demo", "http://127.0.0.1:9")
    assert new.conversation is not chat.conversation


def test_shallow_copy_of_a_chat_shares_its_conversation():
    chat = Chat(echo)
    assert copy.copy(chat).conversation is chat.conversation


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_copied_chat_keeps_the_credential(duplicate):
    chat = Chat("liaobots", auth="planted-credential-6")
    assert duplicate(chat).provider.auth is chat.provider.auth
    assert duplicate(chat.provider).auth is chat.provider.auth


@pytest.mark.parametrize("variable", [None, "LOCKBOTS_LIAOBOTS_AUTH"])
def test_pickled_chat_holds_no_credential_and_takes_one_from_the_environment(variable, monkeypatch):
    data = pickle.dumps(Chat("liaobots", auth="planted-credential-6"))
    assert b"planted-credential-6" not in data
    if variable:
        monkeypatch.setenv(variable, "planted-credential-7")
    auth = pickle.loads(data).provider.auth
    assert (auth and auth.reveal()) == ("planted-credential-7" if variable else None)


def test_copy_of_a_chat_takes_no_credential_that_the_original_lacks(monkeypatch):
    chat = Chat("liaobots")
    monkeypatch.setenv("LOCKBOTS_LIAOBOTS_AUTH", "planted-credential-7")
    assert copy.deepcopy(chat).provider.auth is None


def test_chat_with_a_lambda_is_copied_but_not_pickled():
    chat = Chat(lambda prompt, times=1: prompt * times)
    assert copy.deepcopy(chat).ask("ab", times=2).reply == "abab"
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(chat)


def test_function_with_a_default_that_cannot_be_pickled_is_pickled():
    assert pickled(Chat(guarded)).ask("hi").reply == "hi"


def guarded(prompt, lock=threading.Lock()):  # noqa: B008  # the default is what is tested
    with lock:
        return prompt


def test_chat_is_pickled_while_its_reply_is_in_progress():
    chat = Chat(echo)
    with chat.stream("one") as reply:
        next(reply)
        new = pickled(chat)
    assert new.ask("two").reply == "You said two"
    assert [turn.prompt for turn in chat.conversation.turns] == ["one"]


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_copied_chat_keeps_its_cassette(duplicate, tmp_path):
    path = tmp_path / "talk.jsonl"
    Chat(echo, cassette=path).ask("hi")
    new = duplicate(Chat(echo, cassette=path, mode="replay", speed=0))
    assert (new.provider.cassette.mode, new.provider.cassette.speed) == ("replay", 0)
    assert new.ask("hi").reply == "You said hi"
    with pytest.raises(NotRecordedError):
        new.ask("something else")


def test_copies_of_a_chat_share_its_cassette(tmp_path):
    chat = Chat(echo, cassette=tmp_path / "talk.jsonl")
    copies: list[Any] = [copy.deepcopy(chat).provider, copy.copy(chat.provider), chat.provider]
    assert len({id(provider.cassette) for provider in copies}) == 1


def test_a_prepared_request_can_be_sent_again_as_another_turn():
    chat = Chat(lambda prompt: "yes")
    prepared = chat.prepare("hi")
    cancelled = prepared.stream()
    cancelled.cancel()
    first, second = prepared.send(), prepared.send()
    assert first.status == second.status == "complete"
    assert len({turn.id for turn in (first, second, cancelled.turn)}) == 3


def test_redo_keeps_the_cell_that_owns_the_turn():
    chat = Chat(lambda prompt: "yes")
    chat.ask("hi", origin=CellOrigin("a", "1"))
    turn = chat.redo(origin=CellOrigin("b", "2", watched=True)).wait()
    assert (turn.cell_id, turn.run) == ("a", "1")
    assert len(chat.conversation) == 1


def test_stream_is_refused_at_once_while_a_reply_is_in_progress():
    release = threading.Event()
    chat = Chat(lambda prompt: iter(["word ", "word"]))
    reading = chat.stream("one")
    reader = threading.Thread(target=lambda: [release.wait(10) for _ in reading])
    reader.start()
    assert reading.started.wait(10)
    with pytest.raises(UsageError, match="already has a reply in progress"):
        chat.stream("two")
    release.set()
    reader.join(10)
    assert [turn.prompt for turn in chat.conversation.turns] == ["one"]


@pytest.mark.parametrize(
    "first", [Delta("so far"), Delta(calls=(ToolCall("1", "f", "{}", "4"),))], ids=["text", "call"]
)
def test_usage_error_after_the_first_step_of_a_reply_keeps_the_turn(first):
    def refusing(prompt):
        yield first
        raise UsageError("not like this")

    chat = Chat(refusing)
    with pytest.raises(UsageError, match="not like this"):
        chat.ask("hi")
    (turn,) = chat.conversation.turns
    assert (turn.status, turn.error) == ("error", "not like this")


def test_error_names_the_provider_and_model_unless_it_does_itself():
    with pytest.raises(ConnectionFailed) as caught:
        Chat(failing).ask("hi")
    assert (caught.value.provider, caught.value.model) == ("function", "failing")

    def naming(prompt):
        raise ConnectionFailed("cut off", provider="proxy", model="m")

    with pytest.raises(ConnectionFailed) as caught:
        Chat(naming).ask("hi")
    assert (caught.value.provider, caught.value.model) == ("proxy", "m")


def test_parameters_of_a_prompt_go_before_those_of_the_chat():
    provider = Scripted(Delta("x", finish_reason="stop"))
    chat = Chat(provider, params={"temperature": 0.2})
    assert chat.ask("a", temperature=0.9).params == {"temperature": 0.9}
    assert chat.ask("b").params == {"temperature": 0.2}
    assert [dict(request.params) for request in provider.asked] == [{"temperature": 0.9}, {"temperature": 0.2}]


def test_turn_keeps_the_finish_reason_of_the_server():
    assert Chat(Scripted(Delta("x", finish_reason="length"))).ask("a").finish_reason == "length"


def test_observers_are_notified_when_a_reply_begins_and_once_it_has_ended():
    chat, active = Chat(echo), []
    observe = lambda: active.append(chat.conversation.active_reply is not None)  # noqa: E731  # held by its name
    chat.conversation.observers.add(observe)
    chat.ask("hi")
    assert (active[0], active[-1]) == (True, False)


def test_time_before_a_reply_is_sent_is_not_counted(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(turn_accumulator, "time", SimpleNamespace(monotonic=lambda: now[0]))
    reply = Chat(echo).stream("hi")
    now[0] = 500.0
    turn = reply.wait()
    assert (turn.elapsed, turn.first_text) == (0.0, 0.0)


def test_system_prompt_of_a_prompt_goes_before_that_of_the_conversation():
    provider = Scripted(Delta("x", finish_reason="stop"))
    chat = Chat(provider, system="Be brief.")
    for system in ("Be long.", "", None):
        chat.ask("a", system=system)
    assert [request.system for request in provider.asked] == ["Be long.", "", "Be brief."]


@pytest.mark.parametrize(
    "given", [{"images": ["https://example.test/x.png"]}, {"tools": [twice]}], ids=["image", "tool"]
)
def test_images_and_tools_that_the_provider_does_not_take_are_refused_in_a_dry_run(given):
    with pytest.raises(UsageError, match="does not support"):
        Chat(Scripted()).prepare("a", **given)


def test_fork_keeps_model_and_parameters():
    chat = Chat("openai:demo", base_url="http://127.0.0.1:9", params={"temperature": 0.2})
    fork = chat.fork("other")
    assert (fork.model, fork.params, fork.provider) == ("demo", {"temperature": 0.2}, chat.provider)
    fork.params["temperature"] = 1
    assert chat.params == {"temperature": 0.2}


class Sighted(Scripted):
    """Takes images."""

    takes_images = True


def test_retry_sends_the_images_of_the_turn_again():
    provider = Sighted(Delta("x", finish_reason="stop"))
    chat = Chat(provider)
    chat.ask("a", images=["https://example.test/x.png"])
    chat.retry()
    assert [request.messages[-1].images for request in provider.asked] == [("https://example.test/x.png",)] * 2


def test_images_are_files_addresses_and_bytes_alone_or_several(tmp_path):
    png = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
    url = "data:image/png;base64," + base64.b64encode(png).decode()
    file = tmp_path / "plot.png"
    file.write_bytes(png)
    provider = Sighted(Delta("x", finish_reason="stop"))
    for images in (file, str(file), png, [str(file)], url, (url,)):
        Chat(provider).ask("a", images=images)
        assert provider.asked[-1].messages[-1].images == (url,), images
    with pytest.raises(UsageError, match="File not found"):
        Chat(provider).ask("a", images=str(tmp_path / "none.png"))


def test_prompt_that_is_no_text_is_a_usage_error():
    for prompt in (5, None, ["a"], b"a"):
        with pytest.raises(UsageError, match="The prompt must be text, got "):
            Chat(echo).ask(prompt)
    with pytest.raises(UsageError, match="The system prompt must be text, got int"):
        Chat(echo).ask("a", system=5)
    with pytest.raises(UsageError, match="The system prompt must be text, got int"):
        Chat(echo, system=5)
    for documents in (5, [b"a"]):
        with pytest.raises(UsageError, match="A document must be a file"):
            Chat(echo).ask("a", documents=documents)


def test_retry_with_another_model_leaves_out_parameters_that_it_does_not_take():
    chat = Chat(Scripted(Delta("x", finish_reason="stop")))
    chat.ask("a", temperature=0.2)
    assert Chat(echo, conversation=chat.conversation).retry().params == {}


def test_fork_ends_with_the_turn_named():
    chat = Chat(echo)
    first = chat.ask("a")
    chat.ask("b")
    assert [turn.prompt for turn in chat.fork("other", first.id).conversation.turns] == ["a"]


def test_parameters_given_to_redo_take_the_place_of_the_turns_own():
    chat = Chat(Scripted(Delta("x", finish_reason="stop")))
    chat.ask("a", temperature=0.2)
    assert chat.redo(params={}).wait().params == {}


def test_every_request_of_a_conversation_carries_its_id():
    provider = Scripted(Delta("x", finish_reason="stop"))
    chat = Chat(provider)
    chat.ask("a")
    chat.ask("b")
    assert {request.conversation_id for request in provider.asked} == {chat.conversation.id}


def test_result_of_a_function_tells_the_model_what_was_cut():
    from lockbots_magic.chat.requested_tools import describe_result

    pd = pytest.importorskip("pandas")
    assert describe_result(pd.DataFrame({"a": range(1000)})).text.endswith(
        "\n[only 40 of 1,000 rows were sent (first 20 and last 20)]"
    )
    image = pytest.importorskip("PIL.Image")
    shown = describe_result(image.new("L", (1, 1)))
    assert [url.partition(",")[0] for url in shown.images] == ["data:image/png;base64"]

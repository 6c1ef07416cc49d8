"""Requests that are longer than the model takes are sent again without the oldest turns, over real sockets."""

import json

import pytest

from lockbots_magic import Chat
from lockbots_magic.conversation.context_window import leave_out_oldest, without_oldest
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import Message, ToolCall
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import ContextLengthError
from lockbots_magic.rendering.notices import notices_of
from tests.providers.refusing_server import chunk, refusing

LONG = "word " * 100


def count(body):
    """The tokens of a request, as the server counts them."""
    return sum(len((m["content"] or "").split()) for m in body["messages"])


def limited(limit, form="openai"):
    """A refusal of requests of more than `limit` tokens."""

    def refusal(body):
        tokens = count(body)
        if tokens <= limit:
            return None
        return {
            "openai": f"This model's maximum context length is {limit} tokens. "
            f"However, your messages resulted in {tokens} tokens.",
            "llama.cpp": {"error": {"type": "exceed_context_size_error", "n_ctx": limit, "n_prompt_tokens": tokens}},
            "anthropic": {"error": {"message": f"prompt is too long: {tokens} tokens > {limit} maximum"}},
            "no sizes": {"error": {"message": "Input is too long for requested model."}},
            "no count": {"detail": f"context length of {limit} tokens exceeded: context length exceeded"},
        }[form]

    return refusal


def conversation(turns=6):
    new = Conversation()
    for number in range(turns):
        new.commit(Turn(f"{number} {LONG}", f"reply {number}"), new.slot(None, None))
    return new


def chat_with(server, turns=6, **settings):
    return Chat("openai:m", base_url=server.url, conversation=conversation(turns), backoff=0.01, **settings)


@pytest.mark.parametrize("form", ["openai", "llama.cpp", "anthropic", "no sizes", "no count"])
def test_oldest_turns_are_left_out_and_their_number_told(form):
    with refusing(limited(350, form)) as server:
        reply = chat_with(server, system="Be brief.").stream("now")
        notices = [d.notice for d in reply.deltas if d.notice]
        first, *_, last = server.bodies()
        assert reply.turn.reply == "ok"
        assert count(last) <= 350 < count(first)
        assert last["messages"][0] == {"role": "system", "content": "Be brief."}
        assert last["messages"][-1]["content"] == "now"
        left_out = (len(first["messages"]) - len(last["messages"])) // 2
        assert reply.turn.left_out == reply.left_out == left_out > 0
        assert f"{left_out} oldest turns" in notices[-1]
        assert last["messages"][1]["content"] == f"{left_out} {LONG}"


def test_sizes_are_used_to_ask_only_once_more():
    with refusing(limited(350)) as server:
        assert chat_with(server).ask("now").left_out == 4  # an eighth is left free for the reply
        assert len(server.bodies()) == 2


def test_limit_is_remembered_for_the_next_turns():
    with refusing(limited(350)) as server:
        chat = chat_with(server)
        chat.ask("now")
        assert chat.ask("and then").left_out >= 3
        assert len(server.bodies()) == 3
        assert chat.prepare("later").left_out >= 3


def test_prompt_that_is_too_long_alone_is_an_error_with_advice_and_loses_nothing():
    with refusing(limited(350)) as server:
        chat = chat_with(server)
        before = chat.conversation.turns
        with pytest.raises(ContextLengthError, match="maximum context length is 350") as caught:
            chat.ask(LONG * 4)
        for advice in ("%lockbots new", "%lockbots undo", "--no-history"):
            assert advice in str(caught.value)
        assert chat.conversation.turns[:-1] == before
        assert chat.conversation.turns[-1].status == "error"
        assert chat.ask("short").reply == "ok"


def test_prompt_without_history_is_sent_once():
    with refusing(limited(350)) as server:
        with pytest.raises(ContextLengthError, match="prompt alone"):
            chat_with(server, turns=0).ask(LONG * 4)
        assert len(server.bodies()) == 1


def test_error_after_text_is_not_sent_again():
    error = b'data: {"error": {"message": "prompt is too long: 9 tokens > 8 maximum", "code": 400}}\n\n'
    with refusing(lambda body: chunk(content="begun") + error) as server:
        with pytest.raises(ContextLengthError) as caught:
            chat_with(server).ask("now")
        assert caught.value.partial == "begun"
        assert "--no-history" not in str(caught.value)
        assert len(server.bodies()) == 1


def test_calls_stay_with_their_results_when_a_result_makes_the_request_too_long():
    def read_file():
        """Read the file."""
        return LONG * 2

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    refuse = limited(350)

    def answer(body):
        if body["messages"][-1]["role"] == "user":
            return refuse(body) or chunk(tool_calls=[call]) + chunk("tool_calls") + b"data: [DONE]\n\n"
        return refuse(body)

    with refusing(answer) as server:
        turn = chat_with(server, turns=3).ask("read it", tools=[read_file])
        last = server.bodies()[-1]["messages"]
        assert turn.reply == "ok"
        assert [m["role"] for m in last[-3:]] == ["user", "assistant", "tool"]
        assert turn.left_out == 3 - (len(last) - 3) // 2 > 0
        assert [call.result for call in turn.calls] == [LONG * 2]


def test_replay_leaves_out_the_same_turns(tmp_path):
    file = tmp_path / "talk.jsonl"

    def read_file():
        """Read the file."""
        called.append(1)
        return LONG * 2

    call = {"index": 0, "id": "c1", "type": "function", "function": {"name": "read_file", "arguments": "{}"}}
    refuse = limited(350)

    def answer(body):
        if body["messages"][-1]["role"] == "user":
            return refuse(body) or chunk(tool_calls=[call]) + chunk("tool_calls") + b"data: [DONE]\n\n"
        return refuse(body)

    called = []
    with refusing(answer) as server:
        recorded = chat_with(server, turns=3, cassette=file).ask("read it", tools=[read_file])
        sent = len(server.bodies())
        played = chat_with(server, turns=3, cassette=file, mode="replay").ask("read it", tools=[read_file])
        assert len(server.bodies()) == sent
    assert (played.reply, played.left_out, len(called)) == ("ok", recorded.left_out, 1)


def usage(tokens):
    counts = {"prompt_tokens": tokens, "completion_tokens": 1}
    return b"data: " + json.dumps({"choices": [], "usage": counts}).encode() + b"\n\n"


def test_prompt_that_a_local_server_has_cut_is_told():
    for tokens, told in ((512, True), (4000, False)):
        answer = chunk(content="ok") + chunk("stop") + usage(tokens) + b"data: [DONE]\n\n"
        with refusing(lambda body, answer=answer: answer) as server:
            turn = chat_with(server, turns=0).ask("word " * 2000)
            assert ("may have cut" in " ".join(turn.remarks)) is told
            assert ("may have cut" in " ".join(notices_of(turn))) is told
            assert Turn.from_dict(json.loads(json.dumps(turn.to_dict()))).remarks == turn.remarks


def test_turns_are_left_out_whole():
    call = ToolCall("1", "f", "{}")
    old = [
        Message("user", "a"),
        Message("assistant", "", calls=(call,)),
        Message("tool", "r", call_id="1"),
        Message("assistant", "b"),
    ]
    messages = [
        Message("system", "s"),
        *old,
        *old,
        Message("user", "now"),
        Message("assistant", "", calls=(call,)),
        Message("tool", "r"),
    ]
    for limit in range(0, 100, 3):
        kept, left_out = leave_out_oldest(messages, limit)
        assert list(kept) == [messages[0], *messages[1 + 4 * left_out :]]
        assert left_out <= 2
    assert leave_out_oldest(messages, 0)[1] == 2
    assert leave_out_oldest(messages, 10_000) == (tuple(messages), 0)
    assert without_oldest([], 0) == ()

"""What of a long request is sent, and how earlier turns are adapted to a model."""

from lockbots_magic.conversation.call_messages import DIGEST, without_digests
from lockbots_magic.conversation.context_turns import adapt_turns
from lockbots_magic.conversation.context_window import (
    count_turns,
    fit_messages,
    leave_out_oldest,
    try_fit_messages,
    without_oldest,
)
from lockbots_magic.conversation.documents import PDF, DocumentRules, SentDocument
from lockbots_magic.conversation.messages import ChatRequest, Message, ModelInfo, ToolCall
from lockbots_magic.conversation.shown_text import MAX_SHOWN, shown_text
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.errors import PromptTooLongError

PICTURE = "data:image/png;base64,AAAA"
SYSTEM, LAST = Message("system", "Be brief."), Message("user", "And now?")
TURNS = [Turn(f"question {n} " + "x" * 400, "answer", provider="p", model="m") for n in range(3)]
MESSAGES = (SYSTEM, *(message for turn in TURNS for message in turn.messages), LAST)


def adapted(*turns, images=True, tools=True, rules=None, model="m"):
    more = {} if rules is None else {"rules": rules}
    return adapt_turns(turns, "p", model, takes_images=images, takes_tools=tools, **more)


def test_the_oldest_turns_go_first_and_system_and_prompt_stay():
    assert count_turns(MESSAGES) == 4
    assert without_oldest(MESSAGES, 2) == (SYSTEM, *TURNS[2].messages, LAST)
    kept, left_out = leave_out_oldest(MESSAGES, 200)
    assert (kept, left_out) == ((SYSTEM, *TURNS[2].messages, LAST), 2)
    assert leave_out_oldest(MESSAGES, 1) == ((SYSTEM, LAST), 3)
    assert leave_out_oldest(MESSAGES, 10_000) == (MESSAGES, 0)


def test_a_limit_learnt_of_the_server_leaves_turns_out_but_refuses_no_prompt():
    messages, left_out, error = try_fit_messages("Be brief.", TURNS, LAST, ModelInfo("m"), known_limit=1)
    assert (messages, left_out, error) == ((SYSTEM, LAST), 3, None)


def test_a_prompt_that_alone_is_too_long_is_shown_alone_with_the_reason():
    failed = Turn("x", "", status="error", error="no")
    model = ModelInfo("m", max_length=10)
    messages, left_out, error = try_fit_messages("Be brief.", [*TURNS, failed], LAST, model)
    assert (messages, left_out) == ((SYSTEM, LAST), 3)
    assert isinstance(error, PromptTooLongError)
    for limits in ({"max_length": 10}, {"token_limit": 3}):
        _, _, error = try_fit_messages("", TURNS, LAST, ModelInfo("small", **limits))
        assert (error is None) == (limits == {"max_length": 10})


def test_newest_turns_that_fit_are_sent():
    size = sum(message.characters for message in (SYSTEM, LAST, *TURNS[2].messages))
    assert fit_messages("Be brief.", TURNS, LAST, ModelInfo("m", max_length=size)) == (
        (SYSTEM, *TURNS[2].messages, LAST),
        2,
    )
    assert fit_messages("Be brief.", TURNS, LAST, ModelInfo("m", max_length=size - 1))[1] == 3


def test_a_model_without_images_reads_that_there_were_some():
    call = ToolCall("1", "plot", "{}", "done", images=(PICTURE, PICTURE))
    told = ToolCall("2", "plot", "{}", "done\n[an image that you can't see]", images=(PICTURE,))
    (turn,) = adapted(Turn("Look.", "A cat.", images=(PICTURE,), calls=[call, told]), images=False)
    assert (turn.prompt, turn.images) == ("Look.\n\n[an image that you can't see]", ())
    assert [(one.result, one.images) for one in turn.calls] == [
        ("done\n[2 images that you can't see]", ()),
        ("done\n[an image that you can't see]", ()),
    ]
    plain = Turn("Look.", "A cat.")
    assert adapted(plain, images=False) == [plain]


def test_a_provider_without_tools_reads_calls_as_text():
    call = ToolCall("1", "add", '{"a": 1}', "3")
    plain = Turn("Hi", "Hello")
    first, second = adapted(plain, Turn("Add.", "It is 3.", calls=[call]), tools=False)
    assert first is plain
    assert second.calls == ()
    assert "add(a=1)" in second.reply
    assert "3" in second.reply


def test_calls_keep_their_ids_where_the_same_model_made_them():
    call = ToolCall("toolu_1/odd id", "add", "{}", "3")
    mine = Turn("Add.", "3", provider="p", model="m", calls=[call])
    other = Turn("Add.", "3", provider="q", model="m", calls=[call])
    plain = Turn("Hi", "Hello", provider="q", model="m")
    same, changed, unchanged = adapted(mine, other, plain)
    assert same is mine
    assert changed.calls[0].id != call.id
    assert unchanged is plain
    assert adapted(mine, model="") == [mine]


def test_files_of_the_latest_turns_are_sent_and_those_of_earlier_ones_become_text():
    document = SentDocument("a.pdf", PDF, "Sales rose.", f"data:{PDF};base64,AAAA")
    rules = DocumentRules(frozenset({PDF}), max_data=len(document.url))
    older, plain, newer = (
        Turn("Read.", "Done.", provider="p", model="m", documents=documents)
        for documents in ((document,), (), (document,))
    )
    first, second, third = adapted(older, plain, newer, rules=rules)
    assert (first.prompt, first.documents) == ("Document a.pdf:\n\nSales rose.\n\nRead.", ())
    assert (second, third) == (plain, newer)


def test_digests_of_images_are_not_sent():
    tool = Message("tool", "done", images=(f"{DIGEST}00", PICTURE), call_id="1")
    other = Message("tool", "done", images=(PICTURE,), call_id="2")
    request = ChatRequest("m", (LAST, tool, other))
    assert [message.images for message in without_digests(request).messages] == [(), (PICTURE,), (PICTURE,)]
    plain = ChatRequest("m", (LAST,))
    assert without_digests(plain) is plain


def test_an_output_shows_the_beginning_of_a_reply_that_is_too_long():
    assert shown_text("x" * MAX_SHOWN) == "x" * MAX_SHOWN
    shown = shown_text("x" * MAX_SHOWN + "y" * 1234)
    assert "y" not in shown.removesuffix("to a file]").rpartition("[")[0]
    assert "1,234 more characters" in shown

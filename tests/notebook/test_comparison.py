"""One prompt to several models: over real sockets, from a cassette, and in a kernel."""

import _thread
import itertools
import re
import threading
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic import Chat
from lockbots_magic.cassette.active import eject_cassette, insert_cassette, open_cassette
from lockbots_magic.conversation.messages import Delta, Usage
from lockbots_magic.errors import AuthenticationError, ConnectionFailed, Interrupted, NotRecordedError, UsageError
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.comparison import THREAD_NAME, Comparison, compare
from lockbots_magic.notebook.extension import session_of

COUNT = " ".join(map(str, range(1, 6)))


def chats(**known):
    """Make chats by the name of a model: with a function, an address, or as the provider has it."""

    def chat_of(model):
        one = known.get(model)
        if callable(one):
            return Chat(one)
        return Chat(f"openai:{model}", base_url=one) if one else Chat(model)

    return chat_of


def asked(prompt, models, chat_of, **options):
    comparison = compare(prompt, models, chat_of, **options)
    comparison.run()
    return comparison


def test_every_model_answers_the_same_prompt(mock_server):
    url = mock_server.url("openai")
    comparison = asked("count to 5", ["a", "b"], chats(a=url, b=url))
    assert comparison.replies == {"a": COUNT, "b": COUNT}
    assert [turn.model for turn in comparison.turns.values()] == ["a", "b"]
    assert {r.json["messages"][-1]["content"] for r in mock_server.requests} == {"count to 5"}
    assert len(mock_server.requests) == 2


def test_they_are_asked_at_once():
    together = threading.Barrier(3)

    def model(prompt):
        together.wait(30)  # breaks if one waits for another
        yield prompt.upper()

    comparison = asked("hello", ["a", "b", "c"], chats(a=model, b=model, c=model))
    assert comparison.replies == dict.fromkeys("abc", "HELLO")


def test_one_model_given_several_times_is_asked_as_often_and_numbered():
    comparison = asked("x", ["a", "b", "a"], chats(a=lambda p: p, b=lambda p: p))
    assert list(comparison.replies) == ["a (1)", "b", "a (2)"]


def test_it_is_no_part_of_a_conversation(mock_server):
    chat = Chat("openai:demo", base_url=mock_server.url("openai"))
    chat.ask("before")
    asked("count to 5", ["a"], lambda _: chat)
    assert [turn.prompt for turn in chat.conversation.turns] == ["before"]
    assert len(mock_server.requests[-1].json["messages"]) == 1


def test_one_that_fails_disturbs_no_other(mock_server):
    url, broken = mock_server.url("openai"), mock_server.url("openai", fault="http-400")
    comparison = asked("count to 5", ["good", "bad", "gone"], chats(good=url, bad=broken, gone="http://127.0.0.1:9/v1"))
    assert comparison.replies == {"good": COUNT}
    good, bad, gone = comparison.columns()
    assert good.notices == []
    assert bad.notices[0].startswith("HTTPStatusError: ")
    assert gone.notices[0].startswith("ConnectionFailed: ")
    assert comparison.turns["bad"].status == "error"


def test_one_that_breaks_off_keeps_what_came(mock_server):
    chat = partial(Chat, "openai:x", base_url=mock_server.url("openai", fault="reset-midway"), max_retries=0)
    comparison = asked("count to 9", ["a", "b"], lambda name: chat() if name == "a" else Chat(lambda p: p))
    column = comparison.columns()[0]
    assert column.text.startswith("1 2")
    assert len(column.notices) == 1


def test_who_can_not_be_asked_says_why_and_the_others_are_asked(mock_server):
    comparison = asked("count to 5", ["here", "openai:gpt-4o", "nosuch:x"], chats(here=mock_server.url("openai")))
    here, missing, unknown = comparison.columns()
    assert here.text == COUNT
    assert "OPENAI_API_KEY" in missing.notices[0]
    assert "nosuch" in unknown.notices[0]
    assert list(comparison.turns) == ["here"]


def test_if_none_can_be_asked_it_is_an_error(mock_server):
    with pytest.raises(AuthenticationError, match="OPENAI_API_KEY"):
        compare("x", ["openai:gpt-4o", "nosuch:x"], chats())
    with pytest.raises(UsageError, match="The prompt is empty"):
        compare(" ", ["here"], chats(here=mock_server.url("openai")))
    assert not mock_server.requests


def test_if_none_answers_it_is_an_error():
    comparison = compare("x", ["a", "b"], chats(a="http://127.0.0.1:9/v1", b="http://127.0.0.1:9/v1"))
    with pytest.raises(ConnectionFailed):
        comparison.run()
    assert all(column.notices for column in comparison.columns())


def test_nothing_is_sent_before_it_runs(mock_server):
    compare("x", ["a"], chats(a=mock_server.url("openai")))
    assert not mock_server.requests


def test_an_interrupt_stops_all_and_keeps_what_came(mock_server):
    url = mock_server.url("openai", fault="silence-midway")
    comparison = compare("count to 9", ["a", "b", "c"], chats(a=url, b=url, c=lambda p: "done"))
    came = threading.Barrier(3, action=_thread.interrupt_main)  # two have said something, and the third has ended
    told = set()

    def tell(number, delta):
        if delta.text and number not in told and number < 2:
            told.add(number)
            came.wait(30)

    def end(number):
        if number == 2:
            came.wait(30)

    with pytest.raises(KeyboardInterrupt):
        comparison.run(tell, end)
    assert [turn.status for turn in comparison.turns.values()] == ["interrupted", "interrupted", "complete"]
    assert all(reply for reply in comparison.replies.values())
    assert "Interrupted" in comparison.columns()[0].notices[0]
    assert not [thread for thread in threading.enumerate() if thread.name == THREAD_NAME]


def test_a_stop_from_elsewhere_is_a_stop(mock_server):
    comparison = compare("x", ["a"], chats(a=mock_server.url("openai", fault="silence-midway")))
    with pytest.raises(Interrupted, match="the text so far is kept"):
        comparison.run(lambda *_: comparison.stop())
    assert comparison.turns["a"].status == "interrupted"


def test_stopped_before_it_has_begun_nothing_is_sent(mock_server):
    comparison = compare("x", ["a"], chats(a=mock_server.url("openai")))
    comparison.stop()
    with pytest.raises(Interrupted):
        comparison.run()
    assert not mock_server.requests


def test_the_column_tells_what_it_took():
    def model(prompt):
        yield Delta("hi", usage=Usage(1_000_000, 2000))

    comparison = asked("x", ["a"], chats(a=model), prices={"function": [1, 5]})
    timed, untimed = comparison.columns()[0].state, comparison.columns(timed=False)[0].state
    assert untimed == "2,000 tokens · 1.01 USD"
    assert re.fullmatch(r"first text after \d\.\d s · \d\.\d s · 2,000 tokens · 1\.01 USD", timed)


def test_what_is_estimated_is_marked():
    comparison = asked("x", ["a"], chats(a=lambda p: "y" * 400), prices={"function": [1, 1]})
    assert re.fullmatch(r"~100 tokens · ~0\.0001\d USD", comparison.columns(timed=False)[0].state)


def test_an_error_shows_no_credential(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "planted-credential-9")

    def model(prompt):
        raise OSError("planted-credential-9\033[2J")

    comparison = asked("x", ["a", "b"], chats(a=model, b=lambda p: p))
    forms = comparison._repr_mimebundle_()
    assert "planted" not in str(forms)
    assert not any("\033" in form for form in forms.values())
    assert "OSError: ***" in forms["text/plain"]


def test_it_shows_itself():
    comparison = asked("x", ["a", "b"], chats(a=lambda p: "**one**", b=lambda p: "two"))
    forms = comparison._repr_mimebundle_(include=None, exclude=None)
    assert "<strong>one</strong>" in forms["text/html"]
    assert "two" in forms["text/plain"]
    assert repr(comparison) == "Comparison('x', ['a', 'b'])"
    assert isinstance(comparison, Comparison)


@pytest.fixture
def cassette(tmp_path):
    """Put a cassette in, as `%lockbots record` does; another mode opens the same file anew."""

    def insert(mode):
        while eject_cassette():
            pass
        insert_cassette(open_cassette(tmp_path / "talk.jsonl", mode))

    yield insert
    while eject_cassette():
        pass


def test_a_comparison_is_recorded_and_played(mock_server, cassette):
    names = [f"m{n}" for n in range(8)]
    cassette("record")
    first = asked("count to 50", names, chats(**dict.fromkeys(names, mock_server.url("openai"))))
    assert len(first.replies) == 8
    mock_server.forget()
    for _ in range(3):
        cassette("replay")
        again = asked("count to 50", names, chats(**dict.fromkeys(names, "http://127.0.0.1:9/v1")))
        assert again.columns(timed=False) == first.columns(timed=False)
    assert not mock_server.requests


def test_answers_of_one_model_stay_in_their_columns(cassette):
    count = itertools.count(1)
    went = threading.Event()

    def model(prompt):
        number = next(count)
        went.set()
        yield f"answer {number}"

    def other(prompt):
        went.wait(30)  # others are asked meanwhile
        yield "other"

    models = ["a", "b", "a", "a"]
    cassette("record")
    first = asked("x", models, chats(a=model, b=other))
    assert list(first.replies.values()) == ["answer 1", "other", "answer 2", "answer 3"]
    for _ in range(3):
        cassette("replay")
        assert asked("x", models, chats(a=model, b=other)).replies == first.replies


def test_what_was_not_recorded_is_told_in_its_column(cassette):
    known, unknown = (lambda p: "known"), (lambda p: "unknown")
    known.__name__, unknown.__name__ = "known", "unknown"
    cassette("record")
    asked("x", ["a"], chats(a=known))
    cassette("replay")
    comparison = asked("x", ["a", "b"], chats(a=known, b=unknown))
    assert comparison.replies == {"a": "known"}
    assert comparison.columns()[1].notices[0].startswith("NotRecordedError: ")
    with pytest.raises(NotRecordedError):
        asked("y", ["a", "b"], chats(a=known, b=unknown))


def test_a_recorded_stop_is_a_stop_again(mock_server, cassette):
    cassette("record")
    comparison = compare("count to 9", ["a"], chats(a=mock_server.url("openai", fault="silence-midway")))
    with pytest.raises(Interrupted):
        comparison.run(lambda _, delta: delta.text and comparison.stop())
    cassette("replay")
    again = compare("count to 9", ["a"], chats(a=mock_server.url("openai")))
    with pytest.raises(Interrupted):
        again.run()
    assert again.replies == comparison.replies


def parsed(line):
    """What `%lockbots compare` makes of its line."""
    work: Any = commands.run(None, line)  # a private class
    return work._models, work._prompt, work._variable


@given(st.text().filter(lambda t: t.strip() and not re.search(r"[\n\r]", t)))
def test_the_prompt_is_taken_as_it_stands(text):
    assert parsed(f"compare a:b c -- {text}") == (["a:b", "c"], text.strip(), None)


@pytest.mark.parametrize(
    ("line", "models", "prompt"),
    [
        ("""compare a -- It's  "two" words, isn't it?""", ["a"], """It's  "two" words, isn't it?"""),
        ("compare a b --to x -- -h --to y -- {z} $w \\n", ["a", "b"], "-h --to y -- {z} $w \\n"),
        ('compare "a -- b" c -- d', ["a -- b", "c"], "d"),
        ("compare it's -- that's", ["it's"], "that's"),
        ("compare a--b -- c", ["a--b"], "c"),
    ],
)
def test_what_stands_behind_the_dashes_is_text(line, models, prompt):
    assert parsed(line)[:2] == (models, prompt)


@pytest.mark.parametrize("line", ["compare a b", "compare a b --", "compare a b --   ", 'compare a "--" b'])
def test_without_a_prompt_it_says_where_that_goes(line):
    with pytest.raises(UsageError, match="Prompt missing"):
        parsed(line)


def test_what_does_not_fit_is_told():
    with pytest.raises(UsageError, match="MODEL"):
        parsed("compare -- x")
    with pytest.raises(UsageError, match="variable"):
        parsed("compare a --to 1x -- x")
    with pytest.raises(UsageError, match="--nosuch"):
        parsed("compare a --nosuch -- x")


def test_in_a_shell_it_shows_the_end_and_fills_the_variable(shell, mock_server, capsys):
    session = session_of(shell)
    session.settings.providers = {"openai": {"base_url": mock_server.url("openai")}}
    shell.run_line_magic("lockbots", "compare openai:a openai:b nosuch:c --to said -- count to 5")
    assert shell.user_ns["said"] == {"openai:a": COUNT, "openai:b": COUNT}
    shown = capsys.readouterr().out
    assert shown.count(COUNT) == 2
    assert "Unknown provider 'nosuch'" in shown
    assert not re.search(r"\d s\b", shown), "nothing that differs from run to run"
    assert not session.conversations.get().turns


def test_the_system_prompt_counts_and_the_conversation_does_not(shell, mock_server):
    session = session_of(shell)
    session.settings.providers = {"openai": {"base_url": mock_server.url("openai")}}
    session.settings.system = "Be brief."
    shell.run_line_magic("chat", "-m openai:a before")
    shell.run_line_magic("lockbots", "compare openai:a -- count to 5")
    assert len(mock_server.requests) == 2
    roles = [message["role"] for message in mock_server.requests[-1].json["messages"]]
    assert roles == ["system", "user"]


@pytest.fixture(scope="module")
def kernel():
    pytest.importorskip("ipykernel")
    from tests.kernels import Kernel

    with Kernel() as kernel:
        loaded = (
            "%load_ext lockbots_magic\n"
            "from lockbots_magic.notebook.extension import session_of\n"
            "s = session_of(get_ipython())"
        )
        assert kernel.run(loaded).reply["status"] == "ok"
        yield kernel


def listen(kernel, mock_server, **settings):
    kernel.run(f"s.settings.providers = {{'openai': {{'base_url': {mock_server.url('openai', **settings)!r}}}}}")


@pytest.mark.kernel
def test_in_a_notebook_all_grow_in_one_output(kernel, mock_server):
    listen(kernel, mock_server, rate=30)
    execution = kernel.run("%lockbots compare openai:a openai:b --to said -- count to 20", cell_id="c1")
    assert execution.reply["status"] == "ok"
    assert len(execution.of("display_data")) == 1
    assert len(execution.of("update_display_data")) > 3
    (output,) = execution.outputs
    assert set(output["data"]) == {"text/html", "text/markdown", "text/plain"}
    assert output["data"]["text/plain"].count("18 19 20") == 2
    names = kernel.run("list(said)").of("execute_result")[0]["data"]["text/plain"]
    assert names == "['openai:a', 'openai:b']"


@pytest.mark.kernel
def test_where_nobody_watches_there_is_one_output_which_is_always_the_same(kernel, mock_server):
    listen(kernel, mock_server)
    line = "%lockbots compare openai:a openai:b openai:a nosuch -- count to 20"
    first, second = kernel.run(line), kernel.run(line)
    assert [len(run.of("display_data", "update_display_data")) for run in (first, second)] == [1, 1]
    assert first.outputs[0]["data"] == second.outputs[0]["data"]


@pytest.mark.kernel
def test_an_interrupt_leaves_what_came_and_stops_run_all(kernel, mock_server):
    listen(kernel, mock_server, fault="silence-midway")
    request = kernel.send("%lockbots compare openai:a openai:b --to said -- count to 20", cell_id="c1")
    messages = []
    for message in kernel.messages(request):
        messages.append(message)
        if message["msg_type"] == "update_display_data" and message["content"]["data"]["text/html"].count("1 2") == 2:
            break
    kernel.manager.interrupt_kernel()
    from tests.kernels import Execution

    execution = kernel.finish(request, Execution(messages))
    assert execution.reply["status"] == "error"
    assert execution.reply["ename"] == "Interrupted"
    (output,) = execution.outputs
    assert output["data"]["text/plain"].count("Interrupted; the text so far is kept.") == 2
    assert kernel.run("len(said)").of("execute_result")[0]["data"]["text/plain"] == "2"


@pytest.mark.kernel
def test_if_none_can_be_asked_there_is_one_line_and_no_output(kernel, mock_server):
    kernel.run("s.settings.providers = {}")
    execution = kernel.run("%lockbots compare openai:a openai:b -- x", cell_id="c1")
    assert execution.reply["ename"] == "AuthenticationError"
    assert [output["type"] for output in execution.outputs] == ["error"]

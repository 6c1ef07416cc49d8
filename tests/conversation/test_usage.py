"""What turns took: `%lockbots usage`, and what it counts."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.utils.capture import capture_output

from lockbots_magic import Chat
from lockbots_magic.cassette import active as deck
from lockbots_magic.conversation.context_window import fitted, tokens_of
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ModelInfo, Usage
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.usage import Count, dollars, usage_of, usages
from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.extension import session_of
from lockbots_magic.notebook.usage_tables import Plotted, by_model, by_turn

TURN = Turn("hello there", "hi", "gpt-4o", "openai", usage=Usage(1_000_000, 2000), elapsed=4.0, first_text=0.5)


@pytest.fixture
def session(shell):
    return session_of(shell)


@pytest.fixture
def run(shell):
    """Run a line of a magic and return the text that it shows."""

    def run(line, magic="lockbots"):
        with capture_output() as captured:
            shell.run_line_magic(magic, line)
        return captured.stdout + "".join(o.data["text/plain"] for o in captured.outputs)

    return run


def rows(table):
    return [dict(zip(table.headings, row, strict=True)) for row in table.rows]


def of(*turns, **prices):
    return usages([Conversation(turns=turns)], prices)


def test_what_the_provider_counted_is_taken_as_it_is():
    (row,) = rows(by_model(of(TURN)))
    assert row == {
        "model": "openai:gpt-4o",
        "turns": "1",
        "not complete": "",
        "prompt tokens": "1,000,000",
        "reply tokens": "2,000",
        "first text (s)": "0.50",
        "tokens/s": "500",
        "cost (USD)": "2.52",
    }


def test_what_it_did_not_count_is_estimated_and_marked_so():
    (row,) = rows(by_model(of(replace(TURN, prompt="x" * 4000, reply="y" * 400, usage=None))))
    assert (row["prompt tokens"], row["reply tokens"], row["tokens/s"]) == ("~1,004", "~100", "~25")
    assert row["cost (USD)"].startswith("~0.00")
    (row,) = rows(by_model(of(replace(TURN, usage=Usage(7, None)))))
    assert (row["prompt tokens"], row["reply tokens"]) == ("7", "~1")


def test_an_estimate_is_of_all_that_was_sent():
    turns = [Turn(f"question {n} " * 20, f"answer {n} " * 50, system="Be brief.") for n in range(4)]
    turns[1] = replace(turns[1], status="error")  # later turns are not told of it
    for number, one in enumerate(of(*turns)):
        sent, _ = fitted("Be brief.", turns[:number], turns[number].prompt, ModelInfo("x"))
        if turns[number].status != "error":
            assert one.prompt == Count(sum(map(tokens_of, sent)), estimated=True)


def test_what_was_left_out_is_not_counted():
    turns = [Turn("q" * 400, "a" * 400) for _ in range(3)]
    last = Turn("now", "yes", left_out=2)
    sent, _ = fitted("", turns[2:], "now", ModelInfo("x"))
    assert of(*turns, last)[-1].prompt.tokens == sum(map(tokens_of, sent))
    alone, _ = fitted("", [], "now", ModelInfo("x"))
    for many in (3, 4, 99):
        assert of(*turns, replace(last, left_out=many))[-1].prompt.tokens == sum(map(tokens_of, alone))


def test_reasoning_is_paid_for():
    assert usage_of(Turn("q", "a" * 40, reasoning="r" * 400)).reply == Count(110, estimated=True)


def test_turns_count_as_what_they_became():
    failed = replace(TURN, reply="", status="error", usage=None, id="2")
    cut = replace(TURN, reply="half", status="interrupted", usage=None, id="3")
    broken = replace(TURN, reply="half", status="error", usage=None, id="4")
    found = of(TURN, failed, cut, broken)
    assert [str(one.reply) for one in found] == ["2,000", "0", "~1", "~1"]
    assert str(found[1].prompt) == "0", "a failure before the first word is not known to have been worked on"
    assert found[1].cost == 0
    assert found[2].prompt.estimated
    (row,) = rows(by_model(found))
    assert (row["turns"], row["not complete"]) == ("4", "2 error, 1 interrupted")


def test_models_have_a_row_each_and_there_is_one_for_all():
    local = replace(TURN, provider="ollama", model="llama3:8b", first_text=1.5, usage=Usage(10, 20), id="2")
    unknown = replace(local, provider="liaobots", model="gpt-4", first_text=None, id="3")
    table = by_model(of(TURN, local, unknown))
    assert [(row["model"], row["cost (USD)"]) for row in rows(table)] == [
        ("openai:gpt-4o", "2.52"),
        ("ollama:llama3:8b", "0"),
        ("liaobots:gpt-4", ""),
        ("all", "2.52"),
    ]
    assert rows(table)[-1]["first text (s)"] == "1.00", "the median"
    assert rows(table)[-1]["prompt tokens"] == "1,000,020"
    assert "no price is known for liaobots:gpt-4; to set it" in table.caption
    assert "%config Lockbots.prices = {'liaobots:gpt-4': [0.15, 0.60]}" in table.caption
    assert "prices as of 20" in table.caption


def test_the_users_price_is_not_dated():
    own = {"openai:gpt-4o": [1, 1]}
    found = usages([Conversation(turns=[TURN])], own)
    table = by_model(found, "", own)
    assert rows(table)[0]["cost (USD)"] == "1.00"
    assert "as of" not in table.caption
    with pytest.raises(UsageError, match="USD per 1,000,000"):
        usages([Conversation(turns=[TURN])], {"openai:gpt-4o": "free"})


def test_what_costs_nothing_says_nothing_of_prices():
    table = by_model(of(Turn("q", "a", "help", "guide", usage=Usage(1, 1))), "conversation main")
    assert table.caption == "conversation main"
    assert rows(table)[0]["cost (USD)"] == "0"


def test_a_turn_that_a_fork_shares_counts_once():
    talk = Conversation("one", turns=[TURN])
    fork = talk.fork("two")
    assert len(usages([talk, fork])) == 1


def test_turns_of_several_conversations_stand_in_the_order_of_time():
    one = Conversation("one", turns=[replace(TURN, started=3.0, id="c"), replace(TURN, started=9.0, id="d")])
    two = Conversation("two", turns=[replace(TURN, started=5.0, id="e", status="truncated")])
    table = by_turn(usages([one, two]))
    assert [row["conversation"] for row in rows(table)] == ["one", "two", "one"]
    assert [row["not complete"] for row in rows(table)] == ["", "truncated", ""]
    assert "conversation" not in repr(by_turn(usages([one]))), "one conversation needs no column"


def test_a_row_a_turn_begins_with_the_prompt():
    (row,) = rows(by_turn(of(replace(TURN, prompt="a\n\n  very long " + "question " * 20))))
    assert row["prompt"].startswith("a very long question")
    assert len(row["prompt"]) == 50


@pytest.mark.parametrize("tokens", ["12", -1, 2.5, 10**13, True, None])
def test_a_count_that_is_none_is_estimated(tokens):
    one = usage_of(replace(TURN, usage=Usage(tokens, tokens)))
    assert one.prompt.estimated
    assert one.reply.estimated


def test_names_from_outside_steer_no_terminal():
    table = by_model(of(Turn("q", "a", "m\033[2J\n\u202e", "x")))
    assert "\033" not in repr(table)
    assert "\u202e" not in repr(table)
    assert "<script" not in by_model(of(Turn("q", "a", "<script>", "x")))._repr_html_()


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (0.0000123, "0.000012"), (0.00021, "0.00021"), (0.15, "0.15"), (0.999, "1.00"), (1234.5, "1,234.50")],
)
def test_an_amount_has_two_digits_that_say_something(amount, text):
    assert dollars(amount) == text


@given(st.floats(0, 1e9))
def test_an_amount_is_never_rounded_to_nothing(amount):
    assert (float(dollars(amount).replace(",", "")) > 0) == (amount > 0)


def test_an_empty_conversation_has_no_turn_yet(run):
    assert "conversation main: no turn yet" in run("usage")
    with pytest.raises(UsageError, match="no turn to plot"):
        run("usage --plot")


def test_usage_of_a_conversation(run, session, mock_server):
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    run("count to 5", "chat")
    said = run("usage")
    assert "openai:demo" in said
    assert "no price is known for openai:demo" in said
    session.prices = {"openai:demo": [1, 1]}
    run("new other")
    run("hello", "chat")
    counted = session.conversations["main"].turns[0].usage
    assert rows(by_model(usages([session.conversations["main"]])))[0]["prompt tokens"] == str(counted.prompt_tokens)
    assert "all conversations" in run("usage --all")
    assert "count to 5" in run("usage --all --turns")
    assert "count to 5" not in run("usage --turns")


@pytest.mark.parametrize("as_json", ["", "--as json --to x "])
def test_what_was_asked_outside_is_counted_among_all(run, session, mock_server, as_json):
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    run("say kept", "chat")
    run(f"--no-history {as_json}-- say [1]", "chat")
    run("compare openai:demo guide -- say two")
    assert "say [1]" not in run("usage --turns")
    seen = [(row["conversation"], row["prompt"].split(" Answer")[0], row["model"]) for row in rows(all_turns(session))]
    assert seen[:2] == [("main", "say kept", "openai:demo"), ("(outside)", "say [1]", "openai:demo")]
    assert {model for _, prompt, model in seen if prompt == "say two"} == {"openai:demo", "guide:help"}
    assert len(seen) == 4
    assert "all conversations, and what was asked outside them" in run("usage --all")


def test_of_what_was_asked_outside_nothing_is_held_but_the_figures(run, session):
    run("--no-history how do I undo? " + "x" * 5000, "chat")
    run("compare guide -- " + "y" * 5000)
    assert len(session.outside) == 2
    assert all(one.reply.tokens > 10 for one in session.outside)
    assert len(repr(session.outside)) < 3000


def test_what_was_stopped_before_it_was_sent_took_nothing(session):
    chat = Chat(lambda prompt: "hi")
    reply = chat.stream("hello", history=False)
    reply.close()
    session.count_outside(reply)
    assert session.outside == []


def test_a_question_in_json_is_estimated_with_the_tries_before_it(session):
    chat = Chat(lambda prompt: "a" * 4000, conversation=Conversation("outside"))
    for prompt in ("one", "two"):
        reply = chat.stream(prompt)
        list(reply)
        session.count_outside(reply)
    assert [one.prompt.tokens > 1000 for one in session.outside] == [False, True]


def all_turns(session):
    return by_turn(usages(session.conversations.values(), session.prices, session.outside))


def test_what_a_cassette_played_is_counted_as_recorded(run, mock_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    try:
        run("record talk.jsonl")
        run("count to 5", "chat")
        assert "talk.jsonl" not in run("usage")
        recorded = Chat("openai:demo", base_url=mock_server.url("openai"), cassette="talk.jsonl").ask("count to 5")
        run("clear")
        run("replay talk.jsonl")
        run("count to 5", "chat")
        said = run("usage")
    finally:
        deck.eject()
    assert "what talk.jsonl played is counted as it was recorded, and cost nothing anew" in said
    assert str(usage_of(recorded).reply) in said


def test_a_plot_is_a_picture_below_the_table():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    own = pyplot.figure()
    found = of(TURN, replace(TURN, id="2", usage=None))
    plotted = Plotted(by_model(found, "main"), found)
    assert plotted._repr_png_().startswith(b"\x89PNG")
    html = plotted._repr_html_()
    assert html.index("</table>") < html.index('<img alt="Bars')
    assert repr(plotted) == repr(by_model(found, "main"))
    assert pyplot.get_fignums() == [own.number], "the user's own figures are left alone"
    pyplot.close(own)


def test_without_matplotlib_it_says_what_to_install(run, monkeypatch):
    run("hello", "chat")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        run("usage --plot")


def test_a_table_needs_no_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run("hello", "chat")
    assert "guide:help" in run("usage")

"""Accounting of turns: `%lockbots usage`, its figures, and the same figures in the panel."""

import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.utils.capture import capture_output

from lockbots_magic import Chat
from lockbots_magic.conversation.context_window import fit_messages
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.messages import ModelInfo, Usage
from lockbots_magic.conversation.parts import simple_rounds
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.usage import TokenCount, format_dollars, measure_turn, measure_turns
from lockbots_magic.errors import UsageError
from lockbots_magic.language import speaking
from lockbots_magic.notebook.extension import session_of
from lockbots_magic.notebook.usage_tables import PlottedTable, bars_of_turns, table_by_model, table_by_turn
from lockbots_magic.panel.protocol import usage_message

TURN = Turn("hello there", "hi", "gpt-4o", "openai", usage=Usage(1_000_000, 2000), elapsed=4.0, first_text=0.5)


@pytest.fixture
def session(shell):
    return session_of(shell)


@pytest.fixture
def run(shell):
    """Run a line magic and return the text it shows."""

    def run(line, magic="lockbots"):
        with capture_output() as captured:
            shell.run_line_magic(magic, line)
        return captured.stdout + "".join(o.data["text/plain"] for o in captured.outputs)

    return run


def rows(table):
    return [dict(zip(table.headings, row, strict=True)) for row in table.rows]


def of(*turns, **prices):
    return measure_turns([Conversation(turns=turns)], prices)


def test_tokens_read_from_the_cache_and_written_to_it_are_shown():
    turns = [replace(TURN, id=f"t{n}", usage=Usage(100, 5, None, read, 20)) for n, read in enumerate((None, 30, 40))]
    (row,) = rows(table_by_model(of(*turns)))
    assert (row["from cache"], row["to cache"]) == ("70", "60")


def test_tokens_that_the_provider_reported_are_shown():
    (row,) = rows(table_by_model(of(TURN)))
    assert row == {
        "model": "openai:gpt-4o",
        "turns": "1",
        "not complete": "",
        "prompt tokens": "1,000,000",
        "from cache": "",
        "to cache": "",
        "reply tokens": "2,000",
        "first text (s)": "0.50",
        "tokens/s": "500",
        "cost (USD)": "2.52",
    }


def test_tokens_that_it_did_not_report_are_estimated_and_marked():
    (row,) = rows(table_by_model(of(replace(TURN, prompt="x" * 4000, rounds=simple_rounds("y" * 400), usage=None))))
    assert (row["prompt tokens"], row["reply tokens"], row["tokens/s"]) == ("~1,004", "~100", "~25")
    assert row["cost (USD)"].startswith("~0.00")
    (row,) = rows(table_by_model(of(replace(TURN, usage=Usage(7, None)))))
    assert (row["prompt tokens"], row["reply tokens"]) == ("7", "~1")


def test_estimate_covers_the_whole_request():
    turns = [Turn(f"question {n} " * 20, f"answer {n} " * 50, system="Be brief.") for n in range(4)]
    turns[1] = replace(turns[1], status="error")  # later requests do not include it
    for number, one in enumerate(of(*turns)):
        sent, _ = fit_messages("Be brief.", turns[:number], turns[number].prompt, ModelInfo("x"))
        if turns[number].status != "error":
            assert one.prompt == TokenCount(sum(one.estimated_tokens for one in sent), estimated=True)


def test_turns_that_were_left_out_are_not_counted():
    turns = [Turn("q" * 400, "a" * 400) for _ in range(3)]
    last = Turn("now", "yes", left_out=2)
    sent, _ = fit_messages("", turns[2:], "now", ModelInfo("x"))
    assert of(*turns, last)[-1].prompt.tokens == sum(one.estimated_tokens for one in sent)
    alone, _ = fit_messages("", [], "now", ModelInfo("x"))
    for many in (3, 4, 99):
        assert of(*turns, replace(last, left_out=many))[-1].prompt.tokens == sum(one.estimated_tokens for one in alone)


def test_reasoning_counts_as_reply_tokens():
    assert measure_turn(Turn("q", "a" * 40, reasoning="r" * 400)).reply == TokenCount(110, estimated=True)


def test_usage_of_turns_that_failed_or_were_interrupted():
    failed = replace(TURN, rounds=simple_rounds(""), status="error", usage=None, id="2")
    cut = replace(TURN, rounds=simple_rounds("half"), status="interrupted", usage=None, id="3")
    broken = replace(TURN, rounds=simple_rounds("half"), status="error", usage=None, id="4")
    found = of(TURN, failed, cut, broken)
    assert [str(one.reply) for one in found] == ["2,000", "0", "~1", "~1"]
    assert str(found[1].prompt) == "0", "a failure before the first text may not have reached the model"
    assert found[1].cost == 0
    assert found[2].prompt.estimated
    (row,) = rows(table_by_model(found))
    assert (row["turns"], row["not complete"]) == ("4", "2 error, 1 interrupted")


def test_each_model_has_a_row_and_all_models_together_one():
    local = replace(TURN, provider="ollama", model="llama3:8b", first_text=1.5, usage=Usage(10, 20), id="2")
    unknown = replace(local, provider="liaobots", model="gpt-4", first_text=None, id="3")
    table = table_by_model(of(TURN, local, unknown))
    assert [(row["model"], row["cost (USD)"]) for row in rows(table)] == [
        ("openai:gpt-4o", "2.52"),
        ("ollama:llama3:8b", "0"),
        ("liaobots:gpt-4", ""),
        ("all", "2.52"),
    ]
    assert rows(table)[-1]["first text (s)"] == "1.00", "the median"
    assert rows(table)[-1]["prompt tokens"] == "1,000,020"
    assert "unknown price: liaobots:gpt-4; to set it" in table.caption
    assert "%config Lockbots.prices = {'liaobots:gpt-4': [0.15, 0.60]}" in table.caption
    assert "prices as of 20" in table.caption


def test_the_users_price_has_no_date():
    own = {"openai:gpt-4o": [1, 1]}
    found = measure_turns([Conversation(turns=[TURN])], own)
    table = table_by_model(found, "", own)
    assert rows(table)[0]["cost (USD)"] == "1.00"
    assert "as of" not in table.caption
    with pytest.raises(UsageError, match="USD per 1,000,000"):
        measure_turns([Conversation(turns=[TURN])], {"openai:gpt-4o": "free"})


def test_caption_of_free_models_does_not_mention_prices():
    table = table_by_model(of(Turn("q", "a", "help", "guide", usage=Usage(1, 1))), "conversation main")
    assert table.caption == "conversation main"
    assert rows(table)[0]["cost (USD)"] == "0"


def test_turn_shared_with_a_fork_counts_once():
    talk = Conversation("one", turns=[TURN])
    fork = talk.fork("two")
    assert len(measure_turns([talk, fork])) == 1


def test_turns_of_several_conversations_are_sorted_by_time():
    one = Conversation("one", turns=[replace(TURN, started=3.0, id="c"), replace(TURN, started=9.0, id="d")])
    two = Conversation("two", turns=[replace(TURN, started=5.0, id="e", status="truncated")])
    table = table_by_turn(measure_turns([one, two]))
    assert [row["conversation"] for row in rows(table)] == ["one", "two", "one"]
    assert [row["not complete"] for row in rows(table)] == ["", "truncated", ""]
    assert "conversation" not in repr(table_by_turn(measure_turns([one]))), "one conversation needs no column"


def test_row_of_a_turn_shows_the_beginning_of_its_prompt():
    (row,) = rows(table_by_turn(of(replace(TURN, prompt="a\n\n  very long " + "question " * 20))))
    assert row["prompt"].startswith("a very long question")
    assert len(row["prompt"]) == 50


@pytest.mark.parametrize("tokens", ["12", -1, 2.5, 10**13, True, None])
def test_implausible_count_is_replaced_by_an_estimate(tokens):
    one = measure_turn(replace(TURN, usage=Usage(tokens, tokens)))
    assert one.prompt.estimated
    assert one.reply.estimated


def test_model_names_cannot_send_terminal_escapes_or_html():
    table = table_by_model(of(Turn("q", "a", "m\033[2J\n\u202e", "x")))
    assert "\033" not in repr(table)
    assert "\u202e" not in repr(table)
    assert "<script" not in table_by_model(of(Turn("q", "a", "<script>", "x")))._repr_html_()


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (0.0000123, "0.000012"), (0.00021, "0.00021"), (0.15, "0.15"), (0.999, "1.00"), (1234.5, "1,234.50")],
)
def test_amount_has_two_significant_digits(amount, text):
    assert format_dollars(amount) == text


@given(st.floats(0, 1e9))
def test_amount_is_never_rounded_to_zero(amount):
    assert (float(format_dollars(amount).replace(",", "")) > 0) == (amount > 0)


def test_empty_conversation_has_no_turns_to_show_or_plot(run):
    assert "Conversation main: no turns yet" in run("usage")
    with pytest.raises(UsageError, match="no turns yet"):
        run("usage --plot")


def test_usage_of_a_conversation(run, session, mock_server):
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    run("count to 5", "chat")
    said = run("usage")
    assert "openai:demo" in said
    assert "unknown price: openai:demo" in said
    session.settings.prices = {"openai:demo": [1, 1]}
    run("new other")
    run("hello", "chat")
    counted = session.conversations.find("main").turns[0].usage
    assert rows(table_by_model(measure_turns([session.conversations.find("main")])))[0]["prompt tokens"] == str(
        counted.prompt_tokens
    )
    assert "All conversations" in run("usage --all")
    assert "count to 5" in run("usage --all --turns")
    assert "count to 5" not in run("usage --turns")


def test_panel_and_table_show_the_same_tokens():
    system = "Answer in one short sentence. " * 10
    turns = [
        Turn("What is a median? " * 5, "The middle value. " * 20, system=system),
        Turn("And the mean?", "The sum over the count.", system=system, usage=Usage(None, 7)),
        Turn("Broken", "", status="error"),
        Turn("Half", "of it", status="interrupted", reasoning="thinking " * 30),
        replace(TURN, usage=Usage(12, 3)),
    ]
    for conversation in (Conversation(turns=turns[:count]) for count in range(1, len(turns) + 1)):
        (*_, row) = rows(table_by_model(measure_turns([conversation])))
        message = usage_message(conversation)
        shown = [TokenCount(message[key]) for key in ("prompt", "completion")]
        assert [row[key].lstrip("~") for key in ("prompt tokens", "reply tokens")] == [str(count) for count in shown]
        assert message["estimated"] == any("~" in row[key] for key in ("prompt tokens", "reply tokens"))


def test_reported_zero_stays_zero():
    turn = Turn("x" * 400, "y" * 400, usage=Usage(0, 0))
    one = measure_turn(turn)
    assert (one.prompt, one.reply) == (TokenCount(0), TokenCount(0))
    message = usage_message(Conversation(turns=[turn]))
    assert message == {"turns": 1, "prompt": 0, "completion": 0, "estimated": False}


@pytest.mark.parametrize("as_json", ["", "--as json --to x "])
def test_turns_outside_every_conversation_are_part_of_all(run, session, mock_server, as_json):
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    run("say kept", "chat")
    run(f"--no-history {as_json}-- say [1]", "chat")
    run("compare openai:demo guide -- say two")
    assert "say [1]" not in run("usage --turns")
    seen = [(row["conversation"], row["prompt"].split(" Answer")[0], row["model"]) for row in rows(all_turns(session))]
    assert seen[:2] == [("main", "say kept", "openai:demo"), ("(outside)", "say [1]", "openai:demo")]
    assert {model for _, prompt, model in seen if prompt == "say two"} == {"openai:demo", "guide:help"}
    assert len(seen) == 4
    assert "All conversations, and prompts outside them" in run("usage --all")


def test_only_the_figures_of_outside_turns_are_kept(run, session):
    run("--no-history how do I undo? " + "x" * 5000, "chat")
    run("compare guide -- " + "y" * 5000)
    assert len(session.outside) == 2
    assert all(one.reply.tokens > 10 for one in session.outside)
    assert len(repr(session.outside)) < 3000


def test_reply_stopped_before_it_was_sent_is_not_counted(session):
    chat = Chat(lambda prompt: "hi")
    reply = chat.stream("hello", history=False)
    reply.close()
    session.count_outside(reply)
    assert session.outside == []


def test_estimate_of_a_structured_reply_includes_earlier_attempts(session):
    chat = Chat(lambda prompt: "a" * 4000, conversation=Conversation("outside"))
    for prompt in ("one", "two"):
        reply = chat.stream(prompt)
        list(reply)
        session.count_outside(reply)
    assert [one.prompt.tokens > 1000 for one in session.outside] == [False, True]


def all_turns(session):
    return table_by_turn(measure_turns(session.conversations.all(), session.settings.prices, session.outside))


def test_replayed_turns_are_counted_as_recorded(run, mock_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(f"use openai:demo --base-url {mock_server.url('openai')}")
    run("record talk.jsonl")
    run("count to 5", "chat")
    assert "talk.jsonl" not in run("usage")
    recorded = Chat("openai:demo", base_url=mock_server.url("openai"), cassette="talk.jsonl").ask("count to 5")
    run("clear")
    run("replay talk.jsonl")
    run("count to 5", "chat")
    said = run("usage")
    assert "turns replayed from talk.jsonl are counted as recorded and cost nothing now" in said
    assert str(measure_turn(recorded).reply) in said


def test_plot_is_an_image_below_the_table():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    own = pyplot.figure()
    found = of(TURN, replace(TURN, id="2", usage=None))
    plotted = PlottedTable(table_by_model(found, "main"), bars_of_turns(found))
    assert plotted._repr_png_().startswith(b"\x89PNG")
    html = plotted._repr_html_()
    assert html.index("</table>") < html.index('<img alt="Bar chart')
    assert repr(plotted) == repr(table_by_model(found, "main"))
    assert pyplot.get_fignums() == [own.number], "the user's own figures are left alone"
    pyplot.close(own)


def test_plot_numbers_the_turns_there_are_in_the_users_language(monkeypatch):
    figure = pytest.importorskip("matplotlib.figure").Figure
    drawn = []
    monkeypatch.setattr(figure, "savefig", lambda self, _, **how: drawn.append(self))
    found = of(TURN, replace(TURN, id="2", usage=None))
    with speaking("ru"):
        PlottedTable(table_by_model(found, "main"), bars_of_turns(found))
        axes = drawn[0].axes
        ticks = [axes[0].yaxis.get_major_formatter()(12_000), axes[1].yaxis.get_major_formatter()(0.00025)]
    assert ticks == ["12\u202f000", "0,00025"]
    assert list(axes[-1].get_xticks()) == [1, 2]
    assert [axes[-1].get_xlabel(), axes[0].get_ylabel()] == ["реплика", "токены"]
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["запрос", "ответ"]


def test_error_without_matplotlib_says_what_to_install(run, monkeypatch):
    run("hello", "chat")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match="pip install matplotlib"):
        run("usage --plot")


def test_table_does_not_need_matplotlib(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run("hello", "chat")
    assert "guide:help" in run("usage")

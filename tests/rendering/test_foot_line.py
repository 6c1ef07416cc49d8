"""The foot line: model, time, tokens and cost of a reply."""

import pytest

from lockbots_magic.conversation.messages import Usage
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.usage import measure_sent_turn, measure_turn
from lockbots_magic.rendering.foot_line import CODE_HINT, GUIDE_LINE, MAX_MODEL, foot_line
from lockbots_magic.rendering.frame import FOOT_STYLE, foot_html, framed
from lockbots_magic.security.html_policy import sanitize


def used(**values):
    return measure_turn(Turn("Hi", "Hello!", provider="openai", **{"model": "gpt-5-mini", **values}))


def test_it_tells_model_time_tokens_and_cost():
    usage = Usage(prompt_tokens=1000, completion_tokens=2000)
    measured = measure_turn(
        Turn("Hi", "x", provider="openai", model="m", elapsed=3.21, usage=usage), prices={"openai:m": [1, 2]}
    )
    assert foot_line(measured, timed=True) == "openai:m · 3.2 s · 2,000 tokens · 0.0050 USD"
    assert foot_line(measured, timed=False) == "openai:m · 2,000 tokens · 0.0050 USD"


def test_what_is_unknown_is_left_out_and_an_estimate_is_marked():
    assert foot_line(used(model="m"), timed=False) == "openai:m · ~2 tokens"
    assert foot_line(used(model="m", usage=Usage(completion_tokens=1)), timed=False) == "openai:m · 1 token"
    assert foot_line(used(model="m", usage=Usage(completion_tokens=0)), timed=False) == "openai:m"


def test_the_guide_says_that_it_is_the_guide():
    measured = measure_turn(Turn("Hi", "Hello!", provider="guide", model="help", elapsed=1))
    assert foot_line(measured, timed=True) == GUIDE_LINE


def test_code_is_hinted_at():
    assert foot_line(used(), timed=False, has_code=True).endswith(f" · {CODE_HINT}")


@pytest.mark.parametrize("name", ["a\u202eb\nc\x1b[2J", "<b>$x$ &amp;</b>", "m" * 500])
def test_the_name_of_a_model_is_foreign_text(name):
    line = foot_line(used(model=name), timed=False)
    assert "\n" not in line
    assert "\u202e" not in line
    assert "\x1b" not in line
    assert len(line.partition(" · ")[0]) <= MAX_MODEL
    html = foot_html(line)
    assert sanitize(html) == html.replace(f'lockbots-foot" style="{FOOT_STYLE}', "")


def test_without_a_line_there_is_no_element():
    assert foot_html("") == ""
    assert "foot" not in framed("<p>x</p>", below=foot_html(""), final=True)


def test_earlier_turns_count_where_the_provider_reports_nothing():
    from lockbots_magic.conversation.messages import Message

    turn = Turn("Hi", "Hello!", provider="openai", model="m")
    sent = [Message("user", "a" * 4000), Message("assistant", "b" * 4000), Message("user", "Hi")]
    alone, whole = measure_turn(turn), measure_sent_turn(turn, sent)
    assert whole.prompt.tokens > alone.prompt.tokens + 1000

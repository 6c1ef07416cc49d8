"""Tool calls as people see them: in order, one line each, nothing hidden."""

import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import Delta, ToolCall
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.conversation.turn_accumulator import TurnAccumulator
from lockbots_magic.rendering.calls import call_line, calls_html, calls_markdown, reply_html, reply_markdown
from lockbots_magic.rendering.incremental_reply import IncrementalReply
from tests.effort import examples
from tests.hostile.judge import faults_in
from tests.hostile.policy import REPLY

MEAN = ToolCall("1", "mean_mass", '{"species": "Gentoo"}', "5076.0", elapsed=1.24)
LONG = ToolCall("2", "send", json.dumps({"body": "x" * 5000, "to": "all@a.example"}), "one\ntwo")
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def replied(*deltas):
    read = TurnAccumulator()
    for delta in deltas:
        read.add(delta)
    return Turn("Hi", rounds=read.rounds)


TWO_ROUNDS = (
    Delta("First."), Delta(calls=(MEAN._replace(result=None),)), Delta(calls=(MEAN,)),
    Delta(calls=(LONG,), begins_round=True), Delta("Then."),
)  # fmt: skip


def test_a_call_is_one_line_with_its_result():
    assert call_line(MEAN) == 'mean_mass(species="Gentoo") -> 5076.0'
    assert call_line(MEAN, timed=True) == 'mean_mass(species="Gentoo") -> 5076.0 (1.2 s)'
    assert call_line(MEAN._replace(elapsed=0.001), timed=True) == call_line(MEAN)
    assert call_line(MEAN._replace(result=None)) == 'mean_mass(species="Gentoo") …'
    assert call_line(MEAN._replace(result="", images=(PIXEL,))).endswith(" -> [image]")


def test_calls_stand_where_they_were_made():
    turn = replied(*TWO_ROUNDS)
    html = reply_html(turn)
    places = [html.index(text) for text in ("First.", "mean_mass", "send(", "Then.")]
    assert places == sorted(places)
    pieces = reply_markdown(turn)
    assert [piece[:12] for piece in pieces] == ["First.", "`mean_mass(s", '`send(body="', "Then."]
    assert reply_markdown(turn, "shown")[-1] == "shown"


def test_a_reply_without_calls_is_rendered_as_before():
    assert reply_html(Turn("Hi", "*a*")) == "<p><em>a</em></p>\n"
    assert reply_markdown(Turn("Hi", "*a*")) == ["*a*"]


def test_a_long_call_can_be_unfolded_to_all_of_it():
    html = calls_html([LONG])
    assert html.startswith('<div class="lockbots-call"><details><summary><code>send(body=')
    assert "x" * 5000 in html
    assert "to=&quot;all@a.example&quot;" in html or 'to="all@a.example"' in html
    assert "<details" not in calls_html([MEAN])


def test_an_image_of_a_result_is_shown_folded():
    html = calls_html([MEAN._replace(images=(PIXEL, "https://evil.example/x.png", "sha256:00"))])
    assert html.count("<img") == 1
    assert "evil" not in html


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=50), st.text(max_size=200), max_size=5), st.text())
@settings(max_examples=examples(60))
def test_any_call_is_text(name, arguments, result):
    call = ToolCall("1", name, json.dumps(arguments), result)
    assert not faults_in(f'<div class="lockbots">{calls_html([call])}</div>', REPLY)
    assert len(calls_markdown([call]).splitlines()) <= 1


@pytest.mark.parametrize("text", ["`", "``", "a`b", "` a `", "``` x"])
def test_marks_of_code_do_not_end_the_code(text):
    (span,) = calls_markdown([ToolCall("1", "f", json.dumps({"x": text}), "1")]).split("\n")
    fence = re.match(r"`+", span)[0]
    assert span.endswith(fence)
    assert fence not in span[len(fence) : -len(fence)].strip()


def test_a_growing_reply_shows_calls_while_they_run_and_ends_as_the_whole():
    reply = IncrementalReply()
    read = TurnAccumulator()
    shown, growing = [], ""
    for delta in TWO_ROUNDS:
        step = read.add(delta)
        reply.feed(step.text)
        reply.feed_calls(step.calls)
        finished, growing = reply.advance()
        shown.append(finished)
        if delta.calls and delta.calls[0].result is None:
            assert "Gentoo" in growing
            assert "…</code>" in growing
    whole = "".join(shown) + growing
    assert [whole.count(text) for text in ("First.", "5076.0", "Then.")] == [1, 1, 1]
    final = reply.whole()
    assert re.sub(r" \(1\.2 s\)", "", final) == reply_html(Turn("Hi", rounds=read.rounds))
    assert reply.text.startswith("First.\n\n`mean_mass(")


def test_what_is_retracted_leaves_earlier_rounds():
    reply = IncrementalReply()
    reply.feed("First.")
    reply.feed_calls([MEAN])
    reply.feed("\n\nthinking")
    reply.advance()
    reply.retract("First.\n\nThen.")
    finished, growing = reply.advance()
    assert [(finished + growing).count(text) for text in ("First.", "mean_mass", "thinking", "Then.")] == [1, 1, 0, 1]

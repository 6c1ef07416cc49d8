"""Diff between an unrecorded request and the nearest recorded one."""

import difflib
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.cassette import diff
from lockbots_magic.cassette.diff import MAX_COMPARED, MAX_LINES, MAX_WIDTH, difference
from lockbots_magic.cassette.request import RecordedRequest
from lockbots_magic.conversation.messages import Message


def question(*said, model="m", params="{}", provider="p"):
    roles = ["user", "assistant"] * len(said)
    return RecordedRequest(provider, model, tuple(map(Message, roles, said)), params)


def test_prompt_that_differs_is_shown():
    told = difference(question("How many cats?"), [question("Why?"), question("How many dogs?")])
    assert told.splitlines() == ["  parameters: {}", "- user: How many dogs?", "+ user: How many cats?"]


def test_model_and_parameters_are_compared():
    told = difference(question("Hi", model="b", params='{"t": 1}'), [question("Hi", model="a")])
    assert told.splitlines() == ["- model: p:a", "- parameters: {}", "+ model: p:b", '+ parameters: {"t": 1}']


def test_nearest_request_shares_most_messages():
    recorded = [question("Hi"), question("Hi", "Hello", "And?"), question("Hi", "Hello")]
    told = difference(question("Hi", "Hello", "And then?"), recorded)
    assert told.splitlines() == ["  assistant: Hello", "- user: And?", "+ user: And then?"]


def test_long_line_is_shown_where_it_differs():
    told = difference(question("a" * 5000 + "X" + "b" * 5000), [question("a" * 5000 + "Y" + "b" * 5000)])
    gone, come = told.splitlines()[1:]
    assert "aY" in gone
    assert "aX" in come
    assert len(come) < MAX_WIDTH + 10


def test_long_difference_is_cut():
    told = difference(question("\n".join(map(str, range(100)))), [question("\n".join("abcdefgh"))])
    assert len(told.splitlines()) == MAX_LINES + 1
    assert told.endswith("and more")


def test_comparison_of_long_texts_is_bounded(monkeypatch):
    compared = []

    class Matcher(difflib.SequenceMatcher):
        def __init__(self, isjunk, a, b, **options):
            compared.append((len(a), len(b)))
            super().__init__(isjunk, a, b, **options)

    monkeypatch.setattr(diff, "difflib", SimpleNamespace(SequenceMatcher=Matcher))
    recorded = "\n".join(f"{n % 7},{n % 3},abc" for n in range(6000))
    asked = "\n".join(f"{n % 2},{n % 3},abc" for n in range(6000))
    assert difference(question(asked), [question(recorded)])
    assert compared == [(2000, 2000), (MAX_COMPARED, MAX_COMPARED)], "characters of the last messages, then lines"


some = st.builds(
    RecordedRequest,
    st.sampled_from("pq"),
    st.sampled_from("mn"),
    st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=9)), max_size=4).map(tuple),
)


@given(some, st.lists(some, min_size=1, max_size=5))
def test_any_difference_between_requests_is_shown(asked, recorded):
    told = difference(asked, recorded)
    assert bool(told) == (asked not in recorded)

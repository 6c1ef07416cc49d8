"""What people type into a search never is syntax, and never raises."""

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.storage.log.query import MAX_WORDS, folded, parse_query
from lockbots_magic.storage.log.schema import migrate
from lockbots_magic.storage.log.snippet import LENGTH, make_snippet
from lockbots_magic.storage.log.stems import stem_of, stems_of
from tests.effort import examples

SYNTAX = [
    '"',
    "'",
    "*",
    "(",
    ")",
    "AND",
    "OR",
    "NOT",
    "NEAR(a b, 2)",
    "prompt:",
    "{prompt reply}:",
    "^",
    "+",
    "-",
    ":",
    "\0",
    ";",
    "--",
]
typed = st.lists(st.one_of(st.sampled_from(SYNTAX), st.text(max_size=12)), max_size=12).map(" ".join) | st.text(
    max_size=60
)


@pytest.fixture(scope="module")
def database():
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        migrate(database, "memory")
        yield database


def search(database, text, **options):
    query = parse_query(text, **options)
    if not query.expression:
        return []
    rows = database.execute(
        "SELECT rowid FROM turn_search WHERE turn_search MATCH ? ORDER BY rank", (query.expression,)
    )
    return [number for (number,) in rows]


def insert(database, number, prompt, reply=""):
    database.execute(
        "INSERT INTO turn (number, id, started, provider, model, status, prompt, reply, stems)"
        " VALUES (?, ?, 0, '', '', 'complete', ?, ?, ?)",
        (number, str(number), prompt, reply, stems_of(prompt, reply)),
    )


@given(text=typed, unfinished=st.booleans())
@settings(max_examples=examples(2000))
def test_nothing_that_is_typed_is_syntax_or_raises(database, text, unfinished):
    search(database, text, unfinished=unfinished)
    query = parse_query(text, unfinished=unfinished)
    assert len(query.required) <= 3 * MAX_WORDS + 1_000
    snippet = make_snippet(["Some text of a turn", text], query)
    assert len(snippet) <= 3 * LENGTH + 10_000


@given(text=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Z"]), min_size=1, max_size=80))
@settings(max_examples=examples(600))
def test_a_text_is_found_by_its_own_words(database, text):
    database.execute("DELETE FROM turn")
    insert(database, 1, text)
    insert(database, 2, "another text without them")
    if parse_query(text).expression:
        assert 1 in search(database, text)


@pytest.mark.parametrize("syntax", SYNTAX)
def test_syntax_is_searched_for_as_words(database, syntax):
    database.execute("DELETE FROM turn")
    insert(database, 1, f"alpha {syntax} beta")
    insert(database, 2, "alpha gamma")
    assert search(database, f"alpha {syntax} beta") == [1]
    assert search(database, f"gamma {syntax} beta") == []


def test_an_unfinished_word_stands_for_what_begins_so(database):
    database.execute("DELETE FROM turn")
    insert(database, 1, "погодные условия")
    insert(database, 2, "university")
    assert search(database, "пого", unfinished=True) == [1]
    assert search(database, "пого") == []
    assert search(database, "univ", unfinished=True) == [2]
    assert search(database, "univ ", unfinished=True) == []
    assert search(database, "u", unfinished=True) == []


def test_stems_and_folding():
    assert (stem_of("беседами"), stem_of("running"), stem_of("ёлки"), stem_of("x" * 50)) == (
        "бесед",
        "run",
        "елк",
        "x" * 50,
    )
    assert (folded("Café"), folded("ЁЛКА"), folded("й")) == ("cafe", "елка", "й")
    assert stems_of("the plot") == ""
    assert stems_of("plots, plots", "и графики") == "plot график"


def test_a_snippet_shows_most_of_the_words_and_marks_them():
    far = "filler " * 100
    text = f"alpha {far} beta gamma {far}"
    snippet = make_snippet(["alpha", text], parse_query("alpha beta gamma"))
    assert "**beta** **gamma**" in snippet
    assert snippet.startswith("…")
    assert snippet.endswith("…")
    assert make_snippet(["nothing"], parse_query("alpha")) == "nothing"
    assert make_snippet([], parse_query("alpha")) == ""

"""Words of a magic's line: splitting, quoting, and name=value pairs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.magic_line import (
    format_assignment,
    is_one_line,
    parse_assignments,
    parse_literal,
    quote_word,
    read_word,
    split_words,
)

LINES = st.text().filter(is_one_line)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def error_of(function, *arguments):
    """The message of the error that a call raises, else what it returned."""
    try:
        return f"no error: {function(*arguments)!r}"
    except UsageError as error:
        return str(error)


@given(st.text())
def test_words_of_any_line_are_text_in_its_order(line):
    start = 0
    for text in split_words(line):
        word = read_word(line, start)
        assert word.text == text
        assert start < word.end <= len(line)
        start = word.end
    assert read_word(line, start) is None


def test_quotes_keep_a_word_together():
    cases = {
        "a 'b c' d": ["a", "b c", "d"],
        'x="b c" y': ["x=b c", "y"],
        '"a \\"b\\" c"': ['a "b" c'],
        "''": [""],
        "don't panic": ["don't", "panic"],
        "'a'b": ["'a'b"],
        '"open end': ['"open', "end"],
        "“” «» „“ a": ["", "", "", "a"],
        "--system=“Be brief” -p x=«y z»": ["--system=Be brief", "-p", "x=y z"],
    }
    for line, words in cases.items():
        assert split_words(line) == words, line


@given(st.lists(LINES))
def test_quoted_text_is_read_as_one_word(values):
    values += ["“a”", "„a“", "«»", "x=“a b”", "“"]
    assert split_words(" ".join(map(quote_word, values))) == values


def test_assignments_are_python_or_json_literals():
    pairs = ["a=1", "b=0.5", "c=true", "d=None", "e=text", "f=[1, 2]", "g={'x': 1}", "max-tokens=5", "h=a=b"]
    assert parse_assignments(pairs) == {
        "a": 1, "b": 0.5, "c": True, "d": None, "e": "text", "f": [1, 2], "g": {"x": 1}, "max_tokens": 5, "h": "a=b",
    }  # fmt: skip


def test_assignment_without_a_name_is_refused():
    for pair in ("", "x", "=1"):
        assert error_of(parse_assignments, [pair]) == f"Invalid `-p`: expected name=value, got {pair!r}."


@given(st.text())
def test_any_text_is_a_literal_or_itself(text):
    value = parse_literal(text)
    assert value == text or not isinstance(value, str) or repr(value)


@given(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), VALUES)
def test_formatted_assignment_is_read_as_its_name_and_value(name, value):
    pair = format_assignment(name, value)
    (word,) = split_words(quote_word(pair))
    parsed = parse_assignments([word])
    assert parsed == {name: value}
    assert repr(parsed[name]) == repr(value)
    assert is_one_line(pair)


def test_assignment_that_cannot_be_written_is_an_error_with_its_name():
    for name, value in [("top-p", 1), ("a=b", 1), ("", 1), (" a", 1), ("a\nb", 1), ("a", object())]:
        assert f"Parameter {name!r} cannot be written" in error_of(format_assignment, name, value), name


def test_ordinary_values_are_written_without_quotes():
    assert format_assignment("stop", "a b") == "stop=a b"
    assert format_assignment("top_p", 0.5) == "top_p=0.5"
    assert quote_word("ollama:llama3:8b") == "ollama:llama3:8b"
    assert quote_word("You're brief") == '"You\'re brief"'
    with pytest.raises(UsageError):
        format_assignment("a", float("nan"))

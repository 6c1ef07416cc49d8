"""What of a magic's line is options, and what is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.errors import UsageError
from lockbots_magic.notebook.chat_command import chat_options
from lockbots_magic.prompt.option_syntax import (
    HelpRequested,
    assignment,
    assignments,
    is_one_line,
    literal,
    quoted,
    words,
)


def leading(line):
    return chat_options().leading(line)


@pytest.mark.parametrize(
    "text",
    [
        "don't panic",
        "say \"hi\" to 'them'",
        "it costs $5, or ${HOME}",
        "a {dict} and {{ braces }} and f'{x}'",
        r"C:\new\table \\server \n",
        "Привет, как дела?",
        "2 - 3 -t 5 --model x",
        "```python\nprint('x')\n```",
        "tab\there",
        "trailing backslash \\",
        '"""',
        "-",
    ],
)
def test_text_arrives_untouched(text):
    assert leading(text)[1] == text
    assert leading("-t 0.5 " + text)[1] == text
    assert leading("-- " + text)[1] == text


@given(st.text().map(str.strip).filter(bool))
def test_any_text_arrives_untouched_after_two_dashes(text):
    assert leading("-- " + text)[1] == text


def test_options_come_first_and_the_rest_is_text():
    options, text = leading(
        "-m ollama:llama3:8b --temperature=0.2 -p top_p=0.9 -p stop='a b' --no-history tell me -s x"
    )
    assert (options.model, options.temperature, options.no_history) == ("ollama:llama3:8b", 0.2, True)
    assert options.param == ["top_p=0.9", "stop=a b"]
    assert text == "tell me -s x"


def test_quotes_keep_a_value_together():
    assert leading('-s "You\'re terse" hi')[0].system == "You're terse"
    assert leading('--system="a \\"b\\" c" hi')[0].system == 'a "b" c'
    assert leading("-s '' hi")[0].system == ""


def test_a_value_may_begin_with_a_dash():
    options, text = leading('-s "- be brief" -t -1 hi')
    assert (options.system, options.temperature, text) == ("- be brief", -1.0, "hi")


def test_a_value_may_begin_with_an_equals_sign():
    options, text = leading('-s "=x" -m=y -p =z hi')
    assert (options.system, options.model, options.param, text) == ("=x", "y", ["=z"], "hi")


def test_two_dashes_end_the_options():
    options, text = leading("-t 1 -- -5 is negative")
    assert (options.temperature, text) == (1.0, "-5 is negative")


@pytest.mark.parametrize("line", ["--colour red", "-t warm", "-m", "-5 is negative"])
def test_a_wrong_option_is_a_usage_error_that_names_the_help(line):
    with pytest.raises(UsageError, match="-h"):
        leading(line)


@pytest.mark.parametrize("line", ["-h", "--help", "-t 1 -h"])
def test_help_is_there(line):
    with pytest.raises(HelpRequested, match="--no-history"):
        leading(line)


def test_help_inside_the_text_is_text():
    assert leading("what does -h mean")[1] == "what does -h mean"


def test_assignments_read_python_and_json_literals():
    pairs = ["a=1", "b=0.5", "c=true", "d=None", "e=text", "f=[1, 2]", "g={'x': 1}", "max-tokens=5", "h=a=b"]
    assert assignments(pairs) == {
        "a": 1, "b": 0.5, "c": True, "d": None, "e": "text", "f": [1, 2], "g": {"x": 1}, "max_tokens": 5, "h": "a=b",
    }  # fmt: skip


@pytest.mark.parametrize("pair", ["", "x", "=1"])
def test_an_assignment_without_a_name_is_a_usage_error(pair):
    with pytest.raises(UsageError, match="name=value"):
        assignments([pair])


@given(st.text())
def test_any_text_is_a_literal_or_itself(text):
    value = literal(text)
    assert value == text or not isinstance(value, str) or repr(value)


@given(st.text())
def test_any_line_splits_into_words(line):
    assert all(isinstance(word, str) for word in words(line))


LINES = st.text().filter(is_one_line)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(LINES))
def test_what_is_quoted_is_read_as_one_word(values):
    assert words(" ".join(map(quoted, values))) == values


@given(LINES, LINES, LINES)
def test_what_is_quoted_is_read_as_the_value_of_an_option(model, system, text):
    options, rest = leading(f"-m {quoted(model)} -s {quoted(system)} -- {text}")
    assert (options.model, options.system, rest) == (model, system, text.strip())


@given(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), VALUES)
def test_an_assignment_is_read_as_its_name_and_value(name, value):
    pair = assignment(name, value)
    (param,) = leading(f"-p {quoted(pair)}")[0].param
    read = assignments([param])
    assert read == {name: value}
    assert repr(read[name]) == repr(value)
    assert is_one_line(pair)


@pytest.mark.parametrize(
    ("name", "value"), [("top-p", 1), ("a=b", 1), ("", 1), (" a", 1), ("a\nb", 1), ("a", object())]
)
def test_an_assignment_that_can_not_be_written_is_a_usage_error_that_names_it(name, value):
    with pytest.raises(UsageError, match=f"parameter {name!r}".replace("\\", r"\\")):
        assignment(name, value)


def test_ordinary_values_are_written_as_people_write_them():
    assert assignment("stop", "a b") == "stop=a b"
    assert assignment("top_p", 0.5) == "top_p=0.5"
    assert quoted("ollama:llama3:8b") == "ollama:llama3:8b"
    assert quoted("You're brief") == '"You\'re brief"'

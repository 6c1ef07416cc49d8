"""What a pattern begins with; and lexers that look at it find the same tokens as those that try every pattern."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from lockbots_magic.rendering import lexers
from lockbots_magic.rendering.first_letters import ASCII, first_letters
from lockbots_magic.rendering.lexers import lexer_of
from tests.effort import examples, sample

LANGUAGES = sorted(lexers._LANGUAGES)


@pytest.mark.parametrize(
    ("pattern", "letters"),
    [
        ("ab", "a"),
        ("(?:a|bc)d", "ab"),
        ("a?b", "ab"),
        ("a*(b|c?)d", "abcd"),
        ("a{2,3}", "a"),
        (r"\ba", "a"),
        ("(?=x)(?!y)a", "a"),
        ("(?<!y)^a", "a"),
        ("[a-c_]", "abc_"),
        (r"[^\x01-\x7f]", "\0"),
        (r"\d", "0123456789"),
        ("(?i)a", "aA"),
        ("(?i:a)b", "aA"),
        ("(?i)[a-b]", "aAbB"),
        ("ж|a", "a"),
    ],
)
def test_first_letters_are_those_a_match_may_begin_with(pattern, letters):
    assert first_letters(re.compile(pattern)) == frozenset(letters)


@pytest.mark.parametrize("pattern", ["", "a?", "(?=a)", ".", "[^a]?", "(?i)ſ", "(?i)[à-ÿ]", r"(a)?\1b", "a|"])
def test_a_pattern_that_may_be_empty_or_begin_with_anything_has_none(pattern):
    assert first_letters(re.compile(pattern)) is None


def test_every_pattern_of_the_lexers_begins_as_told():
    for language in sample(LANGUAGES, 4):
        rules = getattr(get_lexer_by_name(language), "_tokens", {})
        patterns = {match.__self__ for state in rules.values() for match, _, _ in state if hasattr(match, "__self__")}
        for pattern in patterns:
            letters = first_letters(pattern)
            for letter in ASCII if letters is not None else ():
                found = any(pattern.match(letter + rest) for rest in ("", letter, " ", "a", "=", "1", '"', "'", "\n"))
                assert not found or letter in letters, (language, pattern, letter)


def tokens(language, code):
    return list(lexer_of(language).get_tokens_unprocessed(code))


CODE = st.text(st.sampled_from("ab_if0.1\"'`#/*=<>(){}[]:;,$@\\\n\t -+|&%!?xé")) | st.text(max_size=40)


@settings(max_examples=examples(300))
@given(st.sampled_from(LANGUAGES), st.lists(CODE, max_size=6).map("\n".join))
def test_tokens_are_those_of_pygments(language, code):
    plain = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lexers, "MIN_VISITS", 0)
        assert tokens(language, code) == list(plain.get_tokens_unprocessed(code))

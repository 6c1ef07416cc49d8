"""Removal of characters that a terminal or a text layout would obey."""

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.security.control_characters import (
    PARTING,
    has_parting,
    has_steering,
    printable,
    replace_surrogates,
    without_controls,
    without_parting,
    without_steering,
)


@pytest.mark.parametrize("steering", ["\033", "\x9b", "\a", "\x08", "\x7f", "\0", "\u202e", "\u2066", "\U000e0041"])
def test_control_and_reordering_characters_are_removed(steering):
    assert printable(f"a{steering}b") == "ab"


@pytest.mark.parametrize("text", ["a\tb\nпривет 😀", "👩\u200d💻 ⚠\ufe0f", "می\u200cخواهم \u200eabc\u200f"])
def test_characters_that_scripts_and_emoji_need_stay(text):
    assert printable(text) == without_controls(text) == text


def test_every_line_end_is_a_newline():
    assert printable("a\r\nb\rc\u2028d\u2029e") == without_controls("a\r\nb\rc\u2028d\u2029e") == "a\nb\nc\nd\ne"


def test_markup_keeps_reordering_characters():
    assert without_controls("<p>\u2067\033[1mשלום\u2069</p>") == "<p>\u2067[1mשלום\u2069</p>"


def test_lone_surrogate_is_replaced_and_a_pair_is_joined():
    assert replace_surrogates("a\ud800 \ud83d\ude00") == "a\ufffd 😀"


@given(st.text(st.characters(exclude_categories=())))
def test_any_cleaned_text_can_be_encoded(text):
    json.loads(json.dumps(replace_surrogates(text), ensure_ascii=False).encode())


def test_every_character_that_can_part_a_word_is_found():
    parting = [chr(code) for code in range(sys.maxunicode + 1) if re.match(PARTING, chr(code))]
    assert {"\u200b", "\u00ad", "\ufe0f", "\ufeff", "\u202e", "\x1b", "\U000e0100"} <= {*parting}
    for letter in parting:
        assert has_parting(f"ё{letter}b\n")
        assert without_parting(f"ё{letter}b\n") == "ёb\n"
    for text in ("plain\n", "ё\n", "日本語", "😀", "e\u0301", "\u00a0"):
        assert not has_parting(text)


def test_what_steers_is_removed_and_letters_and_joiners_stay():
    for text, left in (
        ("a\x1b[2Jb", "a[2Jb"),
        ("a\u202eb", "ab"),
        ("a\U000e0041b", "ab"),
        ("naïve\u200d", "naïve\u200d"),
    ):
        assert without_steering(text) == left
        assert has_steering(text) == (text != left)

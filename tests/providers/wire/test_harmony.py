"""Channels of the harmony format that a server passes on in the text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import Delta
from lockbots_magic.providers.wire.reasoning_text import split_reasoning
from tests.effort import examples
from tests.providers.wire.test_thinking import cuts, split

END = "<|end|><|start|>assistant"
ANSWERS = {
    f"<|channel|>analysis<|message|>Two.{END}<|channel|>final<|message|>Four.<|return|>": ("Four.", "Two."),
    f"<|start|>assistant<|channel|>analysis<|message|>Two.{END}<|channel|>final<|message|>Four.": ("Four.", "Two."),
    "analysis<|message|>Two.<|end|>assistant<|channel|>final<|message|>Four.": ("Four.", "Two."),
    "<|channel|>final<|message|>Four < 5 <|x|> [y].<|return|>": ("Four < 5 <|x|> [y].", ""),
    "<|channel|>final <|constrain|>json<|message|>[4]": ("[4]", ""),
    f"<|channel|>analysis<|message|>a{END}<|channel|>commentary<|message|>b{END}<|channel|>final<|message|>c": (
        "c",
        "a\n\nb",
    ),
    '<|channel|>commentary to=functions.add <|constrain|>json<|message|>{"a": 1}<|call|>': (
        "",
        'functions.add: {"a": 1}',
    ),
    "<|channel|>analysis<|message|>Two.<|end|>Four.": ("Four.", "Two."),
    "<|channel|>analysis<|message|>Two.<|end|><|start|>assis": ("", "Two."),
    "<|channel|>analysis<|message|>cut <|en": ("", "cut <|en"),
    "analysisWe need 2+2.assistantfinalFour.": ("Four.", "analysisWe need 2+2."),
    "analysisResult = 4": ("analysisResult = 4", ""),
    "analysis": ("analysis", ""),
    "analysis of <|channel|>": ("analysis of <|channel|>", ""),
    "The markers <|channel|>analysis<|message|> and <|end|>": (
        "The markers <|channel|>analysis<|message|> and <|end|>",
        "",
    ),
    "<|": ("<|", ""),
}


def test_channels_come_apart_wherever_the_text_is_cut():
    for answer, expected in ANSWERS.items():
        for pieces in cuts(answer):
            if not answer.startswith("analysis") or len(pieces[0]) >= len("analysis") or len(pieces[0]) == 0:
                assert split(*pieces) == expected, pieces


def test_part_of_a_word_is_not_held_back():
    steps = list(split_reasoning(iter([Delta("a"), Delta("nd so"), Delta(finish_reason="stop")])))
    assert [step.text for step in steps] == ["a", "nd so", ""]


MARKERS = ["<|channel|>", "analysis", "final", "commentary", "<|message|>", "<|end|>", "<|start|>", "assistant", "<|"]


@settings(max_examples=examples(300))
@given(st.lists(st.sampled_from((*MARKERS, "\n", " ", "assistantfinal", "Y")), max_size=12))
def test_no_text_is_lost_or_moved_by_where_it_is_cut(pieces: list[str]):
    whole = split("".join(pieces))
    assert split(*pieces) == whole
    if not "".join(pieces).lstrip().startswith("a"):
        assert split(*"".join(pieces)) == whole
    if not {"<|channel|>", "<|start|>", "<|message|>"} & {*pieces}:  # headers hold what they like
        assert sum(part.count("Y") for part in whole) == pieces.count("Y")


def test_long_white_space_before_the_text_is_not_held():
    assert split(*["\n"] * 500, "Four.") == ("\n" * 500 + "Four.", "")

"""Token counts under the names of all services."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.conversation.messages import Usage
from lockbots_magic.providers.wire.chat_completions import ChatCompletionsDecoder
from lockbots_magic.providers.wire.numbers import MAX_COUNT, parse_count
from lockbots_magic.providers.wire.usage import find_usage, merge_usage, parse_usage
from tests.effort import examples

PLAIN = {"prompt_tokens": 10, "completion_tokens": 5}
REPORTS = {
    "OpenAI": (
        {
            **PLAIN,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(10, 5, 3, 8),
    ),
    "DeepSeek": ({**PLAIN, "prompt_cache_hit_tokens": 8, "prompt_cache_miss_tokens": 2}, Usage(10, 5, None, 8)),
    "Moonshot": ({**PLAIN, "cached_tokens": 8}, Usage(10, 5, None, 8)),
    "Responses": (
        {
            "input_tokens": 10,
            "output_tokens": 5,
            "input_tokens_details": {"cached_tokens": 8},
            "output_tokens_details": {"reasoning_tokens": 3},
        },
        Usage(10, 5, 3, 8),
    ),
    "Anthropic": (
        {"input_tokens": 2, "output_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 1},
        Usage(10, 5, None, 7, 1),
    ),
    "Anthropic's two times": (
        {
            "input_tokens": 2,
            "output_tokens": 5,
            "cache_creation_input_tokens": 8,
            "cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 5},
        },
        Usage(10, 5, None, None, 8, 5),
    ),
    "LiteLLM": ({**PLAIN, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 1}, Usage(10, 5, None, 7, 1)),
    "xAI": (
        {**PLAIN, "total_tokens": 115, "completion_tokens_details": {"reasoning_tokens": 100}},
        Usage(10, 105, 100),
    ),
    "floats and text": ({"prompt_tokens": 10.0, "completion_tokens": "5"}, Usage(10, 5)),
    "nulls": (
        {**PLAIN, "prompt_tokens_details": None, "completion_tokens_details": {"reasoning_tokens": None}},
        Usage(10, 5),
    ),
    "half": ({"prompt_tokens": None, "completion_tokens": 5}, Usage(None, 5)),
}


@pytest.mark.parametrize(("reported", "usage"), REPORTS.values(), ids=REPORTS)
def test_counts_are_read_under_any_name(reported, usage):
    assert parse_usage(reported) == usage


@pytest.mark.parametrize(
    "value", [None, 3, [], {}, {"total_tokens": 3}, {"prompt_tokens": -1}, {"prompt_tokens": True}]
)
def test_anything_else_is_none(value):
    assert parse_usage(value) is None


def test_counts_are_found_wherever_they_stand():
    assert find_usage({"usage": PLAIN}, {}) == Usage(10, 5)
    assert find_usage({}, {"usage": PLAIN}) == Usage(10, 5)
    assert find_usage({"usage": None, "x_groq": {"usage": PLAIN}}, {}) == Usage(10, 5)
    assert find_usage({"timings": {"prompt_n": 3, "cache_n": 7, "predicted_n": 5}}, {}) == Usage(10, 5, None, 7)
    assert find_usage({"usageMetadata": {"promptTokenCount": 10, "candidatesTokenCount": 5}}, {}) == Usage(10, 5)
    assert find_usage({"timings": {"prompt_n": "x"}, "x_groq": None}, {}) is None


def test_counts_of_several_chunks_are_cumulative():
    growing = [{"prompt_tokens": 10, "completion_tokens": n} for n in (0, 3, 5)]
    last = {"prompt_tokens": 0, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": 8}}
    chunks = [{"choices": [{"delta": {"content": "x"}}], "usage": one} for one in growing]
    chunks.append({"choices": [], "usage": last})
    decoder = ChatCompletionsDecoder()
    body = b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)
    deltas = [*decoder.feed(body + b"data: [DONE]\n\n"), *decoder.close()]
    assert [delta.usage for delta in deltas if delta.usage][-1] == Usage(10, 5, None, 8)


@pytest.mark.parametrize(
    ("value", "count"),
    [(3, 3), (3.7, None), ("3", 3), (" 3.0 ", 3), ("1e3", 1000), (0, 0), (MAX_COUNT, MAX_COUNT), (MAX_COUNT + 1, None)]
    + [(value, None) for value in (None, True, -1, -0.5e9, "", "x", "-1", "nan", "inf", float("nan"), float("inf"))]
    + [(value, None) for value in ("9" * 400, "٣", [], {}, "1_0" * 9)],
)
def test_a_count_is_a_plausible_number(value, count):
    assert parse_count(value) == count


def test_thoughts_that_only_the_total_counts_are_part_of_the_answer():
    for more, completion, reasoning in (
        ({"total_tokens": 553}, 533, 382),  # Gemini
        ({"total_tokens": 553, "prompt_tokens_details": {"cached_tokens": 12}}, 533, 382),
        ({"total_tokens": 171}, 151, None),
        ({"total_tokens": 0}, 151, None),
        ({"total_tokens": 183, "cache_read_input_tokens": 12}, 151, None),  # a gateway that adds up all
    ):
        usage = parse_usage({"prompt_tokens": 20, "completion_tokens": 151, **more})
        assert (usage.completion_tokens, usage.reasoning_tokens) == (completion, reasoning), more


NAMES = [*PLAIN, "total_tokens", "cached_tokens", "prompt_tokens_details", "completion_tokens_details", "usage"]
NAMES += ["reasoning_tokens", "x_groq", "timings", "prompt_n", "predicted_n", "cache_n", "cache_read_input_tokens"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.integers().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)
ROWS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8)


@settings(max_examples=examples(500))
@given(ROWS, ROWS, ROWS)
def test_any_json_gives_plausible_counts(chunk, choice, other):
    usage = merge_usage(find_usage(chunk, choice), parse_usage(other))
    for count in vars(usage).values() if usage else ():
        assert count is None or (type(count) is int and 0 <= count <= 3 * MAX_COUNT)

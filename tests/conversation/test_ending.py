"""How a reply ended: only what is known to be a natural stop or a tool call is complete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.conversation.ending import (
    CUT_OFF,
    DEFAULT_LIMIT,
    TOO_MANY_ROUNDS,
    is_complete,
    normalise,
    outcome_of,
)
from lockbots_magic.conversation.messages import Usage
from lockbots_magic.security.secrets import Secret

COMPLETE = [
    "stop", "STOP", "Stop", "end_turn", "endTurn", "stop_sequence", "STOP_SEQUENCE",
    "tool_calls", "tool-calls", "toolUse", "TOOL_CALL", "function_call",
    "done", "end", "finished", "success", "normal", "eos_found", "eot", "stop_str", "stop_word", "stop_words",
    "end_of_text",
    "</s>", "<eos>", "<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<|end_of_text|>", "<|endoftext|>",
    "end_of_sequence", "FINISH_REASON_STOP", "eos", "eos_token", "COMPLETE", "completed",
]  # fmt: skip
FAILED = [
    "error", "network_error", "sensitive", "content_filter", "SAFETY", "RECITATION",
    "abort", "cancelled", "pause_turn", "refusal", "unknown", "other", "OTHER",
    "null", "none", "insufficient_system_resource", "function_call_filter", "stopped",
    "unstop", "stop!", "MALFORMED_FUNCTION_CALL", "FINISH_REASON_UNSPECIFIED",
]  # fmt: skip
LIMITS = [
    "length", "LENGTH", "max_tokens", "MAX_TOKENS", "maxTokens", "max_output_tokens",
    "model_length", "model_context_window_exceeded",
]  # fmt: skip


@pytest.mark.parametrize("reason", [*COMPLETE, "", None])
def test_a_natural_stop_and_tool_calls_are_complete(reason):
    assert is_complete(reason)
    assert outcome_of(reason, {"max_tokens": 5}) == ("complete", "", False)


@pytest.mark.parametrize("reason", FAILED)
def test_any_other_word_is_cut_short_and_quoted(reason):
    outcome = outcome_of(reason, {"max_tokens": 5})
    assert (outcome.status, outcome.at_limit) == ("truncated", False)
    assert reason in outcome.message or reason == "refusal"


@given(st.text(min_size=1))
def test_an_unknown_word_never_counts_as_success(reason):
    known = {normalise(one) for one in COMPLETE} | {"stop_token", "end_of_turn", "function_calls"}
    outcome = outcome_of(reason)
    assert (outcome.status == "complete") == (normalise(reason) in known)
    assert bool(outcome.message) == (outcome.status != "complete")
    assert len(outcome.message) < 200


@pytest.mark.parametrize("params", [
    {"max_tokens": 200}, {"max_completion_tokens": 200}, {"extra_body": {"num_predict": 200}},
])  # fmt: skip
@pytest.mark.parametrize("usage", [None, Usage(), Usage(10), Usage(10, 200), Usage(10, 199), Usage(10, 0)])
def test_the_users_own_limit_is_told_by_its_name(params, usage):
    (name, value), *_ = params.get("extra_body", params).items()
    assert outcome_of("length", params, usage).message == f"The reply stopped at your {name}={value}."


@pytest.mark.parametrize(("reason", "params", "usage"), [
    ("length", {}, None), ("length", {"max_tokens": None}, None), ("length", {"extra_body": 3}, None),
    ("length", {"max_tokens": 4000}, Usage(10, 100)), ("model_length", {"max_tokens": 200}, None),
    ("length", {"max_tokens": True}, None),
])  # fmt: skip
def test_another_limit_is_the_servers(reason, params, usage):
    outcome = outcome_of(reason, params, usage)
    assert outcome.message == f"The reply reached the server's limit of length ({reason}) and is cut short."
    assert outcome.at_limit


@pytest.mark.parametrize("reason", LIMITS)
def test_limits_are_known_in_every_spelling(reason):
    assert outcome_of(reason)[::2] == ("truncated", True)


def test_a_reply_of_reasoning_only_says_so():
    assert "only reasoned" in outcome_of("stop", has_answer=False).message
    own = outcome_of("length", {"max_tokens": 200}, has_answer=False).message
    assert "still reasoning" in own
    assert "max_tokens=200" in own
    assert "still reasoning" in outcome_of("length", has_answer=False).message


def test_words_of_the_toolkit_have_their_own_sentences():
    assert outcome_of(CUT_OFF).message == "The connection closed early; the reply may be incomplete."
    assert "rounds" in outcome_of(TOO_MANY_ROUNDS).message
    assert outcome_of(DEFAULT_LIMIT).message.startswith("The reply reached the default limit of length")
    assert outcome_of(DEFAULT_LIMIT, has_answer=False).message.startswith("The model was still reasoning and reached")


def test_a_word_of_the_server_is_cleaned_and_cut():
    secret = Secret("sk-ending-0123456789abcdef")
    message = outcome_of(f"x\x1b[2J\n{secret.reveal()}{'y' * 500}").message
    assert "\x1b" not in message
    assert "0123456789" not in message
    assert len(message) < 200


@pytest.mark.parametrize("reason", ["tool_calls", "toolUse", "function_call"])
def test_calls_that_nobody_made_are_told(reason):
    assert outcome_of(reason, has_calls=False).message == "The server announced tool calls but sent none."
    for ended in (reason, "stop", None):
        assert (
            outcome_of(ended, has_calls=True).message == "The model asked for a tool call, but no tools were offered."
        )
    assert outcome_of("stop", has_calls=False).status == "complete"

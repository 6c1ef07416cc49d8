"""How a reply ended, from its finish reason: the one place that decides whether a reply is complete. Pure.

Only a natural stop and tool calls are complete. Whatever is not known counts as cut short, in the server's own word.

Wire facts: the OpenAI API reference, "Chat completion object" (``finish_reason``); the Anthropic API reference,
"Messages" (``stop_reason``); the Gemini API reference, "FinishReason"; and observed responses of compatible servers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from ..language import N_, _
from ..security.foreign_text import quote_line
from .messages import Usage

CUT_OFF = "truncated"
"""Finish reason, set by the toolkit, of a stream that ended without its end mark."""
TOO_MANY_ROUNDS = "max_tool_rounds"
"""Finish reason, set by the toolkit, of a reply whose model asked for more rounds of tool calls than allowed."""
TOO_MANY_SECONDS = "max_tool_seconds"
"""Finish reason, set by the toolkit, of a reply that took longer than the limit of its tool calls allows."""
TOO_MANY_TOKENS = "max_tool_tokens"
"""Finish reason, set by the toolkit, of a reply whose tool calls used as many tokens as allowed."""
TOO_MUCH_USD = "max_tool_usd"
"""Finish reason, set by the toolkit, of a reply whose tool calls cost as much as allowed."""
TOO_LONG = "reply_too_long"
"""Finish reason, set by the toolkit, of a reply that is longer than is kept."""
DEFAULT_LIMIT = "default_max_tokens"
"""Finish reason, set by the toolkit, of a reply that reached the limit of length which the toolkit chose, not the
user."""
TEXT_CALL = "tool_call_as_text"
"""Finish reason, set by the toolkit, of a reply that holds a tool call as text, which nobody made."""
REFUSED = "refusal"
"""Finish reason of a reply that is a refusal."""
MAX_REASON = 80
"""Maximum number of characters of a finish reason that are quoted."""

_STOPS = {"stop", "stop_sequence", "stop_token", "end_turn", "end_of_turn", "eos", "eos_token", "complete", "completed"}
_STOPS |= {"done", "end", "finished", "success", "normal", "eos_found", "eot", "stop_str", "stop_word", "stop_words"}
_STOPS |= {"end_of_sequence", "end_of_text", "</s>", "<eos>", "<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>"}
_STOPS |= {"<|end_of_text|>", "<|endoftext|>"}
_CALLS = {"tool_call", "tool_calls", "tool_use", "function_call", "function_calls"}
_MODEL_LIMITS = {"model_length", "context_length", "context_length_exceeded", "context_window_exceeded"}
_MODEL_LIMITS |= {"model_context_window_exceeded"}
_LIMITS = {"length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_new_tokens", "max_length"}
_LIMITS |= {"length_limit", DEFAULT_LIMIT, *_MODEL_LIMITS}
_FILTERS = {"content_filter", "safety", "sensitive", "prohibited_content", "blocklist", "spii", "recitation"}
_OWN = {
    REFUSED: N_("The model refused to answer."),
    CUT_OFF: N_("The connection closed early; the reply may be incomplete."),
    TOO_MANY_ROUNDS: N_("The model asked for more rounds of tool calls than allowed."),
    TOO_MANY_SECONDS: N_("The reply took longer than its limit of seconds; what was done so far is kept."),
    TOO_MANY_TOKENS: N_("The reply reached its limit of tokens; what was done so far is kept."),
    TOO_MUCH_USD: N_("The reply reached its limit of USD; what was done so far is kept."),
    TEXT_CALL: N_(
        "The model wrote a tool call as text, so none was made: the server does not read this model's calls."
        " llama.cpp needs `--jinja` for that, vLLM and SGLang need `--tool-call-parser`."
    ),
    TOO_LONG: N_("The reply is longer than 16 million characters; the rest was not read."),
}

_USER_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens", "num_predict")
"""Parameters that limit the length of a reply, by the names that services use."""
_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\s._-]+")


class Outcome(NamedTuple):
    """How a reply ended."""

    status: Literal["complete", "truncated"]
    message: str = ""
    """Why the reply is not complete, one sentence; empty if it is."""
    at_limit: bool = False
    """True if a limit of length ended the reply, the user's or the server's."""


def outcome_of(
    reason: str | None,
    params: Mapping[str, Any] | None = None,
    usage: Usage | None = None,
    *,
    has_answer: bool = True,
    has_calls: bool | None = None,
) -> Outcome:
    """Return how a reply ended.

    Args:
        reason: Finish reason in the server's word; empty if the provider gives none, which is complete.
        params: Parameters of the request, which may hold the limit that ended the reply.
        usage: Token counts of the reply, if they were reported.
        has_answer: False if the model has only reasoned: no text and no tool call.
        has_calls: Whether the model has asked for calls that nobody made; None leaves that open. Where all calls were
            made, the finish reason is that of the answer to their results.

    Example:
        >>> outcome_of("STOP").status, outcome_of("network_error").status
        ('complete', 'truncated')
        >>> outcome_of("length", {"max_tokens": 200}).message
        'The reply stopped at your max_tokens=200.'
    """
    if is_complete(reason):
        if has_calls:
            return Outcome("truncated", _("The model asked for a tool call, but no tools were offered."))
        if has_calls is False and normalise(reason) in _CALLS:
            return Outcome("truncated", _("The server announced tool calls but sent none."))
        if has_answer:
            return Outcome("complete")
        return Outcome("truncated", _("The model has only reasoned; it gave no answer."))
    word = normalise(reason)
    if word in _LIMITS:
        own = "" if word in _MODEL_LIMITS | {DEFAULT_LIMIT} else _find_user_limit(params or {}, usage)
        return Outcome("truncated", _limit_message(own, str(reason), has_answer=has_answer), at_limit=True)
    return Outcome("truncated", _failure_message(word, str(reason)))


def is_complete(reason: str | None) -> bool:
    """Return whether a reply with this finish reason is whole; tool calls may be made only then.

    Args:
        reason: Finish reason in the server's word; empty if the provider gives none.
    """
    return not reason or normalise(reason) in _STOPS | _CALLS


def is_refusal(reason: str) -> bool:
    """Return whether the service has decided not to answer; asking again gives no other answer.

    Args:
        reason: Finish reason in the server's word.
    """
    word = normalise(reason)
    return word == REFUSED or word in _FILTERS or word.startswith("content_filter")


def normalise(reason: Any) -> str:
    """Return a finish reason in the spelling of the tables: ``"tool_use"`` for ``"toolUse"`` and ``"TOOL-USE"``."""
    word = _WORD_START.sub("_", str(reason)[:MAX_REASON])
    return _SEPARATORS.sub("_", word).strip("_").lower().removeprefix("finish_reason_")


def _find_user_limit(params: Mapping[str, Any], usage: Usage | None) -> str:
    """Return the limit that the user has set, ``"max_tokens=200"``; empty if it was not what ended the reply."""
    extra = params.get("extra_body")
    for given in (params, extra if isinstance(extra, Mapping) else {}):
        for name in _USER_LIMITS:
            limit = given.get(name)
            if type(limit) is int and limit > 0:
                used = usage.completion_tokens if usage else None
                return "" if used and used * 2 < limit else f"{name}={limit}"  # counts differ, but not by half
    return ""


def _limit_message(own: str, reason: str, *, has_answer: bool) -> str:
    if own and has_answer:
        return _("The reply stopped at your {limit}.", limit=own)
    if own:
        return _(
            "The model was still reasoning when it reached your {limit}; there is no answer. Allow more tokens.",
            limit=own,
        )
    if reason == DEFAULT_LIMIT and has_answer:
        return _(
            "The reply reached the default limit of length, which the toolkit sets. Set `max_tokens` to allow more."
        )
    if reason == DEFAULT_LIMIT:
        return _(
            "The model was still reasoning and reached the default limit of length, which the toolkit sets. "
            "Set `max_tokens` to allow more."
        )
    quoted = quote_line(reason, MAX_REASON)
    if has_answer:
        return _("The reply reached the server's limit of length ({word}) and is cut short.", word=quoted)
    return _(
        "The model was still reasoning when it reached the server's limit of length ({word}); there is no answer.",
        word=quoted,
    )


def _failure_message(word: str, reason: str) -> str:
    if word in _OWN:
        return _(_OWN[word])
    quoted = quote_line(reason, MAX_REASON)
    if is_refusal(reason):
        return _("The provider's content filter stopped the reply ({word}).", word=quoted)
    return _('The server ended the reply with "{word}"; it may be incomplete.', word=quoted)

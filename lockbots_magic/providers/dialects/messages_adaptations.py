"""What the toolkit adds to a messages request by itself, how servers refuse it, and the request without it. Pure.

Wire facts: the Anthropic API reference, "Errors", "Thinking" and "Structured outputs", and observed refusals of
compatible servers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

from ...language import N_
from ..adaptation_table import ADAPTATIONS, ANNOTATIONS, NEGATION, Adaptation
from ..body_changes import Body
from ..wire.anthropic_blocks import OWN_TYPES
from ..wire.anthropic_request import REPLY_TOOL, encode_reply_tool, flatten_blocks
from ..wire.anthropic_thinking import BUDGETS, DEFAULT_MAX_TOKENS, by_budget, by_effort, effort_of, is_thinking
from ..wire.prompt_cache import MARK, has_automatic_marks, without_marks

LIMITS = (DEFAULT_MAX_TOKENS, 8_192, 4_096, 2_048)
"""Longest replies (tokens) to ask for, one after the other, where the user has set none."""


def _thinking_of(body: Body) -> dict[str, Any]:
    thinking = body.get("thinking")
    return thinking if isinstance(thinking, dict) else {}


def _thinks_by(kind: str) -> Callable[[Body, Collection[str]], bool]:
    """Return the function that tells whether the toolkit asks for reasoning in this way."""
    return lambda body, given: "reasoning_effort" in given and _thinking_of(body).get("type") == kind


def _use_effort(body: Body, given: Collection[str]) -> Body:
    fields = by_effort(effort_of(_thinking_of(body).get("budget_tokens")))
    config = {**(body.get("output_config") or {}), **fields["output_config"]}
    return {**body, **fields, "output_config": config}


def _use_budget(body: Body, given: Collection[str]) -> Body:
    config = dict(body.get("output_config") or {})
    budget = BUDGETS.get(config.pop("effort", ""), BUDGETS["high"])
    if "max_tokens" in given:
        budget = max(1_024, min(budget, body["max_tokens"] // 2))
    else:
        body = {**body, "max_tokens": budget + DEFAULT_MAX_TOKENS}
    return {**_with_config(body, config), **by_budget(budget)}


def _without_display(body: Body, given: Collection[str]) -> Body:
    return {**body, "thinking": {key: value for key, value in body["thinking"].items() if key != "display"}}


def _with_config(body: Body, config: dict[str, Any]) -> Body:
    """Return the body with another `output_config`; without one if that is empty."""
    kept = {key: value for key, value in body.items() if key != "output_config"}
    return {**kept, "output_config": config} if config else kept


def _has_format(body: Body, given: Collection[str]) -> bool:
    return "output_config" not in given and "format" in (body.get("output_config") or {})


def _format_as_tool(body: Body, given: Collection[str]) -> Body:
    """Make the model call a tool with the reply; beside reasoning that is refused, and the prompt states the schema."""
    config = dict(body["output_config"])
    schema = config.pop("format")["schema"]
    body = _with_config(body, config)
    can_force = not is_thinking(body) and not {"tools", "tool_choice"} & body.keys()
    return {**body, **encode_reply_tool(schema)} if can_force else body


def _has_reply_tool(body: Body, given: Collection[str]) -> bool:
    return "tool_choice" not in given and (body.get("tool_choice") or {}).get("name") == REPLY_TOOL


def _without_reply_tool(body: Body, given: Collection[str]) -> Body:
    return {key: value for key, value in body.items() if key not in ("tools", "tool_choice")}


def _has_returned_blocks(body: Body, given: Collection[str]) -> bool:
    return "messages" not in given and _without_returned_blocks(body, given) != body


def _without_returned_blocks(body: Body, given: Collection[str]) -> Body:
    messages = [
        {**message, "content": [one for one in message["content"] if str(one.get("type")) in OWN_TYPES]}
        if message["role"] == "assistant" and isinstance(message["content"], list)
        else message
        for message in body["messages"]
    ]
    return {**body, "messages": [message for message in messages if message["content"]]}


def _has_calls_without_tools(body: Body, given: Collection[str]) -> bool:
    has_tools = bool({"messages", "tools"} & {*given}) or "tools" in body
    return not has_tools and flatten_blocks(body["messages"]) != body["messages"]


def _make_limit_row(before: int, tokens: int) -> Adaptation:
    """Return the row for a model whose longest reply is below `before`."""
    return Adaptation(
        f"max_tokens {tokens}",
        ("max_tokens",),
        lambda body, given: "max_tokens" not in given and body.get("max_tokens") == before,
        lambda body, given: {**body, "max_tokens": tokens},
        re.compile(r"(?<!\w)max_tokens(?!\w)|maximum allowed number of output tokens", re.IGNORECASE),
    )


def _refusal(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


MESSAGES_ADAPTATIONS: tuple[Adaptation, ...] = (
    *(row for row in ADAPTATIONS if row.name in {"stream", "additionalProperties", *ANNOTATIONS}),
    Adaptation(
        N_("no cache marks"),
        ("system",),
        lambda body, given: MARK not in given and has_automatic_marks(body),
        lambda body, given: without_marks(body),
        _refusal(r"cache_control|\bephemeral\b|prompt[ _-]?cach"),
    ),
    Adaptation(
        N_("thinking by effort"),
        ("thinking", "max_tokens"),
        _thinks_by("enabled"),
        _use_effort,
        _refusal(rf"\badaptive\b|(?:enabled|budget_tokens)\b.{{0,60}}{NEGATION}"),
    ),
    Adaptation(
        N_("thinking by budget"),
        ("thinking", "output_config"),
        _thinks_by("adaptive"),
        _use_budget,
        _refusal(
            rf"(?:\badaptive\b|\beffort\b|output_config\b).{{0,80}}{NEGATION}|{NEGATION}.{{0,80}}\b(?:adaptive|effort)\b"
        ),
    ),
    Adaptation(
        N_("thinking without display"),
        ("thinking",),
        lambda body, given: "reasoning_effort" in given and "display" in _thinking_of(body),
        _without_display,
        _refusal(r"\bdisplay\b"),
    ),
    Adaptation(
        N_("thinking between tools"),
        ("thinking",),
        _thinks_by("disabled"),
        lambda body, given: {**body, "thinking": {"type": "between_tools"}},
        _refusal(rf"between_tools|\bdisabled\b.{{0,80}}(?:{NEGATION}|\bcannot\b)|{NEGATION}.{{0,80}}\bdisabled\b"),
        N_("This model can't switch reasoning off: it reasons between calls of tools only."),
    ),
    Adaptation(
        N_("schema as tool"),
        ("output_config",),
        _has_format,
        _format_as_tool,
        _refusal(r"output_config|output[ _]format|structured[ _-]?output|json_schema|\bschema\b"),
    ),
    Adaptation(
        N_("schema in prompt"),
        ("tools", "tool_choice"),
        _has_reply_tool,
        _without_reply_tool,
        _refusal(r"tool_choice|\btools?\b|input_schema|\bforc(?:e|ed|es|ing)\b"),
    ),
    Adaptation(
        N_("no thinking in messages"),
        ("messages",),
        _has_returned_blocks,
        _without_returned_blocks,
        _refusal(
            rf"\bsignature\b.{{0,80}}(?:{NEGATION}|\bblock)|{NEGATION}.{{0,40}}\bsignature\b|\bthinking\b.{{0,60}}\bblocks?\b"
            rf".{{0,80}}(?:{NEGATION}|cannot)|unknown variant.{{0,10}}(?:redacted_)?thinking"
            rf"|\bmessages?\b.{{0,40}}\bcontent\b.{{0,60}}\b(?:redacted_thinking|thinking|server_tool_use)\b.{{0,60}}{NEGATION}"
        ),
    ),
    Adaptation(
        N_("calls as text"),
        ("messages",),
        _has_calls_without_tools,
        lambda body, given: {**body, "messages": flatten_blocks(body["messages"])},
        _refusal(r"\btools?\b|\btool_(?:use|result)"),
    ),
    *(_make_limit_row(before, tokens) for before, tokens in pairwise(LIMITS)),
)
"""What the toolkit adds, with how servers refuse it; any other field of the body that a refusal names is left out."""

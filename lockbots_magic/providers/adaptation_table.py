"""What the toolkit adds to a request by itself, how servers refuse it, and the request without it. Pure.

To teach the toolkit another refusal, add a row to `ADAPTATIONS`.

Wire facts: the OpenAI API reference, "Create chat completion", and observed refusals of compatible servers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Any

from ..language import N_
from ..late_dataclass import late_dataclass
from ..late_pattern import late_pattern
from .body_changes import (
    REASONING_FIELDS,
    Body,
    as_developer,
    change_schemas,
    fold_system,
    has_calls_with,
    has_calls_without_tools,
    has_long_ids,
    has_reasoning,
    has_system,
    lacks_reasoning,
    set_content,
    streams,
    streams_not,
    with_reasoning,
    with_short_ids,
    with_stream,
    without_keys,
    without_reasoning,
    without_stream,
)
from .wire.chat_messages import flatten_encoded

NEGATION = r"(?:\bnot\b|n't\b|\b(?:unsupported|unknown|unrecogni[sz]ed|invalid|unexpected|extra|disabled)\b)"
"""Words by which a server refuses."""


_OTHER_NAMES = {
    "response_format": late_pattern(
        r"response[_\s-]?format|json[_\s-]?(?:schema|mode|object)|structured[_\s-]?output|\bgrammar\b|\bguided(?:_json|_decoding)?\b|\bschema\b",
        re.IGNORECASE,
    ),
    "stream_options": late_pattern(
        r"(?<![A-Za-z0-9_])(?:stream[_\s-]?options|include[_\s-]?usage)(?![A-Za-z0-9_])", re.I
    ),
}
"""Fields that refusals also name by other words: the prompt holds the schema of a reply, too."""


@late_dataclass(frozen=True)
class Adaptation:
    """One thing that the toolkit adds, and the change that takes it back."""

    name: str
    """Under which it is remembered."""
    fields: tuple[str, ...]
    """Fields of the body that it changes, unless the user set them."""
    applies: Callable[[Body, Collection[str]], bool]
    """Whether the body holds it; called with the body and the fields that the user set."""
    change: Callable[[Body, Collection[str]], Body]
    """Returns the body without it; called with the same."""
    refusal: re.Pattern[str]
    """How servers name it."""
    notice: str = ""
    """What the user is told; empty if nothing that concerns them changes."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Values of the placeholders of `notice`, which is translated when it is shown."""


def make_drop(field: str) -> Adaptation:
    """Return the adaptation that leaves out a field of the body."""
    return Adaptation(
        field,
        (field,),
        lambda body, given: field in body and field not in given,
        lambda body, given: {key: value for key, value in body.items() if key != field},
        _OTHER_NAMES.get(field) or names_field(field),
    )


def names_field(field: str) -> re.Pattern[str]:
    """Return the pattern of words that name a field; one that is an English word must be quoted or stand alone."""
    spelled = re.escape(field).replace("_", r"[_\s-]?")
    if "_" in field:
        return late_pattern(rf"(?<![A-Za-z0-9_]){spelled}(?![A-Za-z0-9_])", re.IGNORECASE)
    return late_pattern(rf"['\"`‘“]{spelled}['\"`’”]|^(?:[\w.]*\.)?{spelled}$", re.IGNORECASE | re.MULTILINE)


def make_schema_row(
    keys: Sequence[str],
    refusal: str,
    name: str = "",
    *,
    change: Callable[[Any], Any] | None = None,
    notice: str = "",
) -> Adaptation:
    """Return the adaptation that leaves keywords out of the schemas of tools and of the reply.

    Args:
        keys: The keywords.
        refusal: How servers name one of them.
        name: Name of the adaptation; by default the first keyword.
        change: Changes the schemas in another way.
        notice: Text for the user, with the first keyword as ``{key}``.
    """
    change = change or without_keys(frozenset(keys))
    return Adaptation(
        name or keys[0],
        ("tools", "response_format", "text", "output_config"),
        lambda body, given: change_schemas(body, given, change) != body,
        lambda body, given: change_schemas(body, given, change),
        late_pattern(refusal, re.IGNORECASE),
        notice,
        {"key": keys[0]},
    )


ANNOTATIONS = (
    "$schema",
    "title",
    "default",
    "examples",
    "format",
    "pattern",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
)
"""Keywords of JSON schemas that servers refuse; arguments and replies are validated against the whole schema anyway."""


def _make_annotation_row(key: str) -> Adaptation:
    plain = rf"|(?<!\w){key}(?!\w)" if key != key.lower() else ""
    return make_schema_row(
        (key,), rf"['\"`‘“]{re.escape(key)}['\"`’”]{plain}|\bpropert\w+\W[^.\n]*(?<!\w){re.escape(key)}(?!\w)"
    )


_SYSTEM = r"(?:\bsystem['\"`]?\s*(?:roles?|messages?|prompts?|instructions?)\b|['\"`]system['\"`])"


_REASONING = rf"\b(?:{'|'.join(REASONING_FIELDS)})\b"


# The longest reply: the user's own parameter, which keeps its meaning under its other name.


_RANGE = r"\b(?:too (?:large|small|long)|greater|less than|at least|at most|exceed|maximum|minimum|must be)"
"""Words about the value of a field that a server takes."""
_UNKNOWN = r"\b(?:unknown|unrecogni[sz]ed|unexpected|extra|not (?:permitted|allowed|recogni[sz]ed))\b"
_NO_LIST = r"(?:(?!\b(?:expected|supported|allowed|valid|known|one of)\b)[^.\n]){0,60}"
"""Words that do not begin a list of what there is instead."""
_UNKNOWN_NAME = (
    rf"|\A(?!.*{_RANGE})(?:(?:[\w.]*\.)?max_completion_tokens\n.*{_UNKNOWN}"
    rf"|.*{_UNKNOWN}{_NO_LIST}(?<!\w)max_completion_tokens(?!\w)"
    rf"|.*(?<!\w)max_completion_tokens(?!\w)[^.\n]{{0,60}}{_UNKNOWN})"
)
"""How servers that are older than a name refuse it; they can't say what they take."""


def _make_rename_row(old: str, new: str, also: str = "") -> Adaptation:
    def rename(body: Body, given: Collection[str]) -> Body:
        return {new if key == old else key: value for key, value in body.items()}

    refused = rf"(?<!\w){old}(?!\w)"
    return Adaptation(
        f"{old}->{new}",
        (old,),
        lambda body, given: old in body and new not in body,
        rename,
        late_pattern(
            rf"\A(?!.*\b(?:too (?:large|small|long)|greater|less than|at least|at most|exceed|must be))"
            rf"(?=.*{NEGATION}).*{refused}.*\b(?:use|try|mean|instead|replaced by)\b.*(?<!\w){new}(?!\w){also}",
            re.IGNORECASE | re.DOTALL,
        ),
        N_("This model takes `{new}` in place of `{old}`; your value was sent under that name."),
        {"new": new, "old": old},
    )


SHARED_ADAPTATIONS: tuple[Adaptation, ...] = (
    Adaptation(
        "stream",
        ("stream", "stream_options"),
        streams,
        without_stream,
        late_pattern(
            rf"\A(?:stream\n|(?!.*(?:stream[_ -]?options|\bnon[- ]?stream)).*(?:\bverified\b[^\n]*\bstream"
            r"|\bcan(?:not|'t)\b[^.\n]{0,60}\bstream(?:ing|ed|s)?\b"
            rf"|\bstream(?:ing|ed|s)?\b[^.\n]{{0,60}}{NEGATION}|{NEGATION}[^.\n]{{0,60}}\bstream(?:ing|ed|s)?\b))",
            re.IGNORECASE | re.DOTALL,
        ),
        N_("The server does not stream this model: the reply arrives at once."),
    ),
    Adaptation(
        N_("only streamed"),
        ("stream",),
        streams_not,
        with_stream,
        late_pattern(
            r"\bonly\b[^.\n]{0,40}\bstream|\bstream\b['\"`]?(?: parameter)?[^.\n]{0,20}\b(?:to|be|=) ?['\"`]?true\b"
            rf"|\bnon[- ]?stream(?:ing|ed)?\b[^.\n]{{0,60}}{NEGATION}|{NEGATION}[^.\n]{{0,60}}\bnon[- ]?stream"
            r"|\bfor non[- ]?streaming\b|\bstream(?:ing)?\b[^.\n]{0,20}\b(?:required|mandatory)\b",
            re.IGNORECASE,
        ),
        N_("The server only streams this model: the reply was requested as a stream."),
    ),
    Adaptation(
        N_("short ids of calls"),
        ("messages", "input"),
        has_long_ids,
        with_short_ids,
        late_pattern(
            r"(?s)^(?=.*\b(?:too long|length|pattern|must be a-z|regular expression)\b)"
            r".*\b(?:tool[_ ]?calls?\b[^\n]{0,20}\bid|tool_?(?:call_?|use_?)id|call_id)\b",
            re.IGNORECASE,
        ),
    ),
    make_schema_row(("strict",), r"(?<!\w)strict(?!\w)|required to be supplied"),
    make_schema_row(("additionalProperties",), r"(?s)^(?!.*required to be supplied).*additional[_ ]?properties"),
    *map(_make_annotation_row, ANNOTATIONS),
)
"""What every dialect may hold: a stream, and schemas."""

ADAPTATIONS: tuple[Adaptation, ...] = (
    *SHARED_ADAPTATIONS,
    Adaptation(
        N_("system as developer"),
        ("messages",),
        has_system,
        as_developer,
        late_pattern(r"\buse\b[^.\n]{0,20}\bdeveloper\b|\bdeveloper\b[^.\n]{0,40}\binstead\b", re.IGNORECASE),
    ),
    Adaptation(
        N_("system in prompt"),
        ("messages",),
        has_system,
        fold_system,
        late_pattern(
            rf"(?s)^(?!.*\bdeveloper\b[^.\n]{{0,40}}\binstead\b)(?!.*\buse\b[^.\n]{{0,20}}\bdeveloper\b).*"
            rf"(?:{_SYSTEM}[^.\n]{{0,60}}{NEGATION}|{NEGATION}[^.\n]{{0,60}}{_SYSTEM}"
            r"|\brole\b[^\n]{0,120}\bsystem\b|developer instruction is not enabled|roles must alternate"
            r"|only\b[^.\n]{0,30}\buser\b[^.\n]{0,20}\bassistant\b[^.\n]{0,10}\broles?\b)",
            re.IGNORECASE,
        ),
        N_("This model takes no system prompt of its own: it is sent at the head of the first prompt."),
    ),
    Adaptation(
        N_("no reasoning in messages"),
        ("messages",),
        has_reasoning,
        without_reasoning,
        late_pattern(
            rf"{_REASONING}[^.\n]{{0,60}}{NEGATION}|{NEGATION}[^.\n]{{0,60}}{_REASONING}",
            re.IGNORECASE,
        ),
    ),
    Adaptation(
        N_("reasoning in all messages"),
        ("messages",),
        lacks_reasoning,
        with_reasoning,
        late_pattern(
            r"\breasoning_content\b[^.\n]{0,60}\b(?:must|missing|required)\b"
            r"|\b(?:missing|requires?)\b[^.\n]{0,60}\breasoning_content\b",
            re.IGNORECASE,
        ),
    ),
    Adaptation(
        N_("null content beside calls"),
        ("messages",),
        has_calls_with(""),
        set_content("", None),
        late_pattern(
            r"\b(?:content|text)\b[\s\S]{0,80}\b(?:empty|blank|minimum length|at least 1)\b"
            r"|\b(?:empty|blank)\b[^\n]{0,40}\b(?:content|text)\b",
            re.IGNORECASE,
        ),
    ),
    Adaptation(
        N_("empty content beside calls"),
        ("messages",),
        has_calls_with(None),
        set_content(None, ""),
        late_pattern(
            r"\bcontent\b[^\n]{0,80}(?:\bnull\b|\bnone\b|\bstring\b|\brequired\b|\bmissing\b)"
            r"|(?:\bnull|\bnone|\bmissing|\brequire[sd]?)\b[^\n]{0,60}\bcontent\b"
            r"|\bcontent\b(?:.|\n){0,40}(?:valid string|NoneType)",
            re.IGNORECASE,
        ),
    ),
    Adaptation(
        N_("calls as text"),
        ("messages",),
        has_calls_without_tools,
        lambda body, given: {**body, "messages": flatten_encoded(body["messages"])},
        late_pattern(
            r"(?s)^(?!.*\b(?:too long|must be a-z|regular expression)\b)"
            r".*(?:\btools?\b|\btool_|tool_?(?:use|calls?|config|result)s?\b|\bfunction[ _]call)",
            re.IGNORECASE,
        ),
    ),
    _make_rename_row("max_tokens", "max_completion_tokens"),
    _make_rename_row("max_completion_tokens", "max_tokens", _UNKNOWN_NAME),
)
"""What the toolkit adds to chat completions, with how servers refuse it. Any other field that a refusal names is left
out."""

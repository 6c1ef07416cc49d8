"""Keywords of JSON schemas that a refusal names: left out of the schemas of tools and replies. Pure.

Tools of MCP servers bring any keyword, and services know some of them: Gemini answers ``Unknown name "$comment" at
'tools[0].function_declarations[0].parameters': Cannot find field``. Arguments and replies are validated against the
whole schema anyway.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from ..language import N_
from .adaptation_table import NEGATION, Adaptation, make_schema_row
from .body_changes import Body, change_schemas, with_any_of

PREFIX = "schema."
"""Beginning of the name of an adaptation that leaves out one of them."""
_KEPT = frozenset(
    {"type", "properties", "required", "items", "prefixItems", "enum", "anyOf", "$ref", "$defs", "definitions"}
)
_KEPT |= {"description", "function", "name", "parameters", "input_schema", "json_schema", "schema", "strict", "format"}
"""Keywords without which a schema means something else, and fields around it."""
_SHAPING = frozenset({"allOf", "not", "const", "if", "then", "else", "contains", "patternProperties"})
_SHAPING |= {"dependentRequired", "dependentSchemas"}
"""Keywords that say which values are right: without one, the model may guess what it was to be told."""
_NAMES = ("properties", "$defs", "definitions")
"""Keywords under which keys are names."""


def make_keyword_row(key: str) -> Adaptation:
    """Return the adaptation that leaves out a keyword."""
    quoted = rf"['\"`‘“]{re.escape(key)}['\"`’”]"
    plain = rf"|(?<![\w$]){re.escape(key)}(?!\w)" if key != key.lower() or not key.isalnum() else ""
    refused = rf"(?:{NEGATION}|\bforbidden\b|\bcannot find field\b)"
    pattern, name = rf"(?m)^(?=.*{refused}).*(?:{quoted}{plain})", f"{PREFIX}{key}"
    if key == "oneOf":
        told = N_("The server takes no `{key}` in JSON schemas: the alternatives were sent as `anyOf`.")
        return make_schema_row((key,), pattern, name, change=with_any_of, notice=told)
    told = N_("The server takes no `{key}` in JSON schemas: the model was not told of it. What it answers is checked.")
    return make_schema_row((key,), pattern, name, notice=told if key in _SHAPING else "")


def find_refused_keywords(
    words: str, body: Body, given: Collection[str], rows: Sequence[Adaptation]
) -> list[Adaptation]:
    """Return the adaptations that leave out the keywords which a refusal names.

    Args:
        words: What the server said.
        body: Body that was sent.
        given: Fields that the user set.
        rows: Adaptations that are known; what they leave out is theirs.
    """
    found: set[str] = set()

    def collect(value: Any) -> Any:
        found.update(_keys(value))
        return value

    change_schemas(body, given, collect)
    unknown = sorted(found - _KEPT - {row.name for row in rows} - {""})  # an empty one is named by any words
    candidates = [make_keyword_row(key) for key in unknown if key.lower() in words.lower()]
    return [row for row in candidates if row.refusal.search(words) and row.applies(body, given)]


def _keys(value: Any, *, are_names: bool = False) -> Iterator[str]:
    """Yield the keywords of schemas, without the names of their properties."""
    if isinstance(value, list):
        for item in value:
            yield from _keys(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not are_names:
                yield key
            yield from _keys(item, are_names=not are_names and key in _NAMES)

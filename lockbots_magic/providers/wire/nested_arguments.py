"""Arguments of a tool call that stand one level too deep, told by the schema of the function. Pure.

Observed where a model repeats the form of a call inside of it (Qwen, Llama, gpt-oss, Mistral on local servers):
``{"arguments": {...}}``, ``{"parameters": {...}}``, the same with the name beside it, with the object written as a
text, or as a list of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ...security.control_characters import has_surrogates

MAX_NESTED = 100_000
"""Characters of arguments that are looked into."""
_WRAPPERS = frozenset({"arguments", "parameters", "args", "kwargs", "input"})
_NAMES = frozenset({"name", "function"})


def unnest_arguments(text: str, name: str, parameters: Mapping[str, Any]) -> str:
    """Return the arguments inside of `text`, if these are meant for certain; else `text`.

    They are, if what stands outside can't be arguments of the function, and what stands inside can.

    Args:
        text: Arguments as JSON.
        name: Name of the function.
        parameters: JSON schema of its arguments.

    Example:
        >>> schema = {"properties": {"city": {"type": "string"}}, "required": ["city"]}
        >>> unnest_arguments('{"arguments": {"city": "Rome"}}', "weather", schema)
        '{"city": "Rome"}'
    """
    known, required = _fields(parameters)
    if not known or len(text) > MAX_NESTED:
        return text
    outer = _parse(text)
    inner = outer[0] if isinstance(outer, list) and len(outer) == 1 else _unwrap(outer, name, known)
    if isinstance(inner, str):
        inner = _parse(inner)
    fits = isinstance(inner, dict) and inner and inner.keys() <= known and inner.keys() >= required
    if not fits:
        return text
    arguments = json.dumps(inner, ensure_ascii=False)
    return json.dumps(inner) if has_surrogates(arguments) else arguments  # half a pair stays an escape: no UTF-8 has it


def _fields(parameters: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of all arguments, and of those that are required; none if any name may be one."""
    properties, required = parameters.get("properties"), parameters.get("required")
    must = (
        frozenset(one for one in required if isinstance(one, str)) if isinstance(required, list) else frozenset[str]()
    )
    takes_any = bool(parameters.get("additionalProperties")) and not must
    return frozenset(properties) if isinstance(properties, dict) and not takes_any else frozenset(), must


def _unwrap(outer: Any, name: str, known: frozenset[str]) -> Any:
    """Return what the only wrapper in `outer` holds; None if anything in it may be an argument."""
    if not isinstance(outer, dict) or not known.isdisjoint(outer):
        return None
    wrappers = outer.keys() & _WRAPPERS
    others = outer.keys() - _WRAPPERS
    is_call = others <= _NAMES and all(outer[one] == name for one in others)
    return outer[wrappers.pop()] if len(wrappers) == 1 and is_call else None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object without repeated names: which of two values is meant is not known."""
    if len(made := dict(pairs)) < len(pairs):
        raise ValueError
    return made

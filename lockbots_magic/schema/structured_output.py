"""The JSON of a reply: found, parsed, and held to what was wanted."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import islice
from typing import Any

from ..errors import UsageError
from .fences import blocks_of
from .hints import shape_of
from .reading import NotJSON, read_json
from .shapes import MOST_SAID, Misfit, Shape, brief, fitted_to, whole_schema

MOST_STARTS = 500
"""Brackets in prose that are tried as the beginning of JSON and are none."""
MOST_PIECES = 10_000
"""Pieces of JSON in prose that are read."""
MOST_SEARCHED = 5_000_000
"""Characters that those tries may read together."""
MOST_CANDIDATES = 20
"""Pieces of JSON in one reply that are held to what is wanted."""

_START = re.compile(r"""\{(?=\s*["}])|\[(?=\s*(?:["\d\[{\]-]|true|false|null))""")
"""Brackets behind which JSON may go on; most brackets in prose are none."""


class NotFitting(ValueError):  # noqa: N818  # says what it is
    """The reply holds no JSON, or not what was wanted; one short sentence."""


class Wanted(ABC):
    """What an answer as JSON has to be. Made by `wanted`."""

    schema: Mapping[str, Any]
    """Its JSON schema; empty if any JSON will do."""

    def instruction(self) -> str:
        """What is added to the prompt."""
        alone = "Answer with JSON alone, without any other text."
        if not self.schema:
            return alone
        return f"{alone} It must fit this JSON schema:\n\n{json.dumps(self.schema, ensure_ascii=False)}"

    def complaint(self, error: Exception) -> str:
        """The prompt that asks again after `error`."""
        return f"Your answer could not be used: {error}. Answer again, with the corrected JSON alone."

    def read(self, reply: str) -> Any:
        """Return the value that a reply holds: alone, in a fenced block, or in the middle of prose.

        Of several pieces of JSON, the longest that fits is taken.

        Raises:
            NotFitting: there is none, or it does not fit.
        """
        problem: Misfit | None = None
        for value in _candidates(reply):
            if isinstance(value, Misfit):
                problem = problem or value
                continue
            try:
                return self.fitted(value)
            except Misfit as misfit:
                problem = misfit if problem is None or isinstance(problem, NotJSON) else problem
        raise NotFitting(str(problem or "there is no JSON in it"))

    @abstractmethod
    def fitted(self, value: Any) -> Any:
        """Return what is wanted, made of a JSON value.

        Raises:
            Misfit: it does not fit.
        """


def wanted(value: Any = None) -> Wanted:
    """Return what an answer has to be.

    Args:
        value: None for any JSON; a JSON schema as a dict; a pydantic model; a dataclass or any other type that JSON can
            hold. A `pattern` in a schema is searched for as it is: one that backtracks, such as `^(a+)+$`, may take
            minutes to refuse a text.

    Raises:
        UsageError: it is none of these, the schema is malformed, or jsonschema is not installed.
    """
    if isinstance(value, Mapping):
        return _BySchema(value)
    return _ByType(shape_of(Any if value is None else value))


class _ByType(Wanted):
    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.schema = whole_schema(shape)

    def fitted(self, value: Any) -> Any:
        return fitted_to(self._shape, value)


class _BySchema(Wanted):
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        try:
            jsonschema = import_module("jsonschema")
            known = import_module("jsonschema_specifications").REGISTRY
            self._unresolved: Any = import_module("referencing.exceptions").Unresolvable
        except ImportError:
            hint = "pip install 'lockbots-magic[schema]', or give a dataclass"
            raise UsageError(f"a JSON schema needs jsonschema (4.18 or later): {hint}") from None
        checker: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            checker.check_schema(schema)
            json.dumps(schema)
        except (jsonschema.SchemaError, TypeError, ValueError, RecursionError) as error:
            why = getattr(error, "message", error)
            raise UsageError(f"that is no JSON schema: {brief(why, MOST_SAID)}") from None
        self._checker = checker(schema, registry=known)  # what it refers to is never fetched
        self._best = jsonschema.exceptions.best_match

    def fitted(self, value: Any) -> Any:
        try:
            error = self._best(islice(self._checker.iter_errors(value), 1))  # the first; of alternatives, the nearest
        except RecursionError:
            raise Misfit("it is nested too deeply") from None
        except self._unresolved as unresolved:
            raise UsageError(f"the JSON schema refers to what is not in it: {brief(unresolved, MOST_SAID)}") from None
        if error is not None:
            raise Misfit(brief(error.message, MOST_SAID), error.json_path.removeprefix("$").lstrip("."))
        return value


def _candidates(reply: str) -> Iterator[Any]:
    """The values that may be meant, the likeliest first; where a text looked like JSON and is none, a Misfit."""
    bare = reply.strip().removeprefix("\ufeff")
    whole = _value_or_misfit(bare)
    if not isinstance(whole, Misfit) or bare.startswith(("{", "[")):
        yield whole
    pieces = [
        block.text for block in blocks_of(reply) if block.language in ("json", "json5", "jsonc", "javascript", "")
    ]
    for text in sorted(pieces, key=len, reverse=True)[:MOST_CANDIDATES]:
        yield _value_or_misfit(text.strip())
    yield from _in_prose(reply)


def _value_or_misfit(text: str) -> Any:
    try:
        return read_json(text)
    except Misfit as misfit:
        return misfit


def _in_prose(reply: str) -> list[Any]:
    """The objects and lists in `reply`, the longest first."""
    found: list[tuple[int, Any]] = []
    at, failed, searched = 0, 0, 0
    for _ in range(MOST_PIECES):
        start = _START.search(reply, at)
        if start is None or failed == MOST_STARTS or searched > MOST_SEARCHED:
            break
        at = start.start()
        try:
            value, end = read_json(reply, at)
        except NotJSON as misfit:
            failed += 1
            searched += misfit.position - at
            at += 1
        except Misfit as misfit:
            found.append((0, misfit))
            break
        else:
            found.append((end - at, value))
            at = end
    found.sort(key=lambda one: one[0], reverse=True)
    return [value for _, value in found[:MOST_CANDIDATES]]

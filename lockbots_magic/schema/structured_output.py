"""JSON out of replies: what is asked for, found in the reply, parsed and validated."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from itertools import islice
from typing import Any, Protocol

from ..errors import UsageError
from ..language import N_, _
from . import type_schema
from .find_json import ANSWER, EXAMPLE, find_json
from .json_values import MAX_MESSAGE, NESTED_TOO_DEEPLY, InvalidJSON, SchemaMismatch, shorten


class Validator(Protocol):
    """A JSON schema that validates values."""

    @property
    def json_schema(self) -> Mapping[str, Any]:
        """The schema, draft 2020-12 unless it says otherwise."""

    def validate(self, value: Any) -> Any:
        """Return a JSON value as the schema's type; raise `SchemaMismatch` if it doesn't match."""


class ReplySchema:
    """JSON that a reply must be. Made by `reply_schema`.

    Args:
        validator: Validates the JSON; None accepts any.
        is_stated: True if the conversation states the schema already.
    """

    def __init__(self, validator: Validator | None = None, *, is_stated: bool = False) -> None:
        self._validator = validator
        self._is_stated = is_stated

    def as_stated(self) -> ReplySchema:
        """Return the same schema for a later prompt of the conversation, which need not state it again."""
        return ReplySchema(self._validator, is_stated=True)

    @property
    def json_schema(self) -> Mapping[str, Any]:
        """The schema sent to the model; empty if any JSON is accepted."""
        return self._validator.json_schema if self._validator else {}

    def format_instruction(self) -> str:
        """Return the text to append to the prompt, ``""`` if the conversation states it already."""
        if self._is_stated:
            return ""
        instruction = "Answer with JSON alone, without any other text."
        if not self.json_schema:
            return instruction
        return f"{instruction} It must match this JSON schema:\n\n{json.dumps(self.json_schema, ensure_ascii=False)}"

    def format_correction(self, error: SchemaMismatch) -> str:
        """Return the prompt that asks for a corrected reply."""
        return f"Your answer could not be used: {error.english}. Answer again, with the corrected JSON alone."

    def parse(self, reply: str, *, is_cut: bool = False) -> Any:
        """Return the value in a reply: the whole text, a fenced block, or a part of prose.

        Of several JSON values, the last that matches wins, unless words around it call it an example. Trailing commas,
        comments, raw line breaks, single quotes and Python's literals are read.

        Args:
            reply: Text of the reply.
            is_cut: True if the reply is cut short: what may not be its answer is refused.

        Raises:
            SchemaMismatch: The reply holds no JSON, none that matches, or its answer is malformed.
        """
        problems: list[SchemaMismatch] = []
        for candidate in find_json(reply):
            if (problems and candidate.rank <= EXAMPLE) or (is_cut and candidate.rank < ANSWER):
                break  # an example that matches is not what an answer that doesn't was meant to be
            value = self._validate(candidate.value)
            if not isinstance(value, SchemaMismatch):
                return value
            problems.append(value)
            if isinstance(value, InvalidJSON):
                break
        mismatches = [problem for problem in problems if not isinstance(problem, InvalidJSON)]
        raise next(iter([*mismatches, *problems]), SchemaMismatch(N_("The reply holds no JSON")))

    def _validate(self, candidate: Any) -> Any:
        """Return the valid value, or what is wrong with it."""
        if self._validator is None or isinstance(candidate, SchemaMismatch):
            return candidate
        try:
            return self._validator.validate(candidate)
        except SchemaMismatch as mismatch:
            inner = _inner_value(candidate)
            if inner is not None:
                with suppress(SchemaMismatch):
                    return self._validator.validate(inner)
            return mismatch


def _inner_value(value: Any) -> Any:
    """Return the only value in a list or under a key, or the JSON in a string; None if there is none.

    Models and gateways put what was asked for into one of these.
    """
    if isinstance(value, list) and len(value) == 1:
        return value[0]
    if isinstance(value, Mapping) and len(value) == 1:
        return next(iter(value.values()))
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return None


def reply_schema(value: Any = None) -> ReplySchema:
    """Return what a reply must be.

    Args:
        value: A `ReplySchema`, which is returned; None for any JSON; a JSON schema as a dict, which needs the extra
            ``lockbots-magic[schema]``; or a type, as for `lockbots_magic.schema.type_schema`. A `pattern` in a schema
            is searched for as it is: one that backtracks, such as ``^(a+)+$``, may take minutes to refuse a text.

    Raises:
        UsageError: It is none of these, the schema is malformed, or jsonschema is not installed.
    """
    if isinstance(value, ReplySchema):
        return value
    if value is None:
        return ReplySchema()
    return ReplySchema(_DictSchema(value) if isinstance(value, Mapping) else type_schema(value))


class _DictSchema:
    """A JSON schema given as a dict, checked by jsonschema. References outside of it are never fetched."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.json_schema = schema
        try:
            jsonschema = import_module("jsonschema")
            registry = import_module("jsonschema_specifications").REGISTRY
            self._unresolvable: Any = import_module("referencing.exceptions").Unresolvable
        except ImportError:
            raise UsageError(
                _(
                    "A JSON schema needs jsonschema 4.18 or later. Run `pip install "
                    "'lockbots-magic[schema]'`, or use a dataclass."
                )
            ) from None
        validator: Any = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
        try:
            validator.check_schema(schema)
            json.dumps(schema)
        except (jsonschema.SchemaError, TypeError, ValueError, RecursionError) as error:
            why = getattr(error, "message", error)
            raise UsageError(_("Invalid JSON schema: {why}", why=shorten(why, MAX_MESSAGE))) from None
        self._validator = validator(schema, registry=registry)
        self._best_match = jsonschema.exceptions.best_match

    def validate(self, value: Any) -> Any:
        try:
            error = self._best_match(islice(self._validator.iter_errors(value), 1))
        except RecursionError:
            raise SchemaMismatch(NESTED_TOO_DEEPLY) from None
        except self._unresolvable as unresolvable:
            raise UsageError(
                _(
                    "Unknown reference in the JSON schema: {unresolvable}",
                    unresolvable=shorten(unresolvable, MAX_MESSAGE),
                )
            ) from None
        if error is None:
            return value
        path = error.json_path.removeprefix("$").lstrip(".")
        message = shorten(error.message, MAX_MESSAGE)
        raise SchemaMismatch(f"{path}: {message}" if path else message)

"""Lists of models, in every form that servers send. Pure.

Wire facts: the references of OpenAI and Anthropic ("List models"), Ollama ("List local models"), Gemini
("models.list"), OpenRouter and Mistral, and observed responses of llama-server, vLLM, LM Studio, TabbyAPI, LiteLLM and
Together (a plain array).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.messages import ModelInfo
from ...conversation.model_names import display_name
from ...errors import AuthenticationError, ProtocolError, RateLimitError
from ...language import _
from ...late_dataclass import late_dataclass
from .errors import address_error, is_error, make_snippet, object_error
from .json_text import split_json
from .model_kind import model_kind, takes_images
from .numbers import parse_count

MAX_LIST = 4 << 20
"""Bytes of a list of models; that of OpenRouter, the longest known, has about 1 MB."""
MAX_MODELS = 10_000
"""Models of one list that are kept."""
MAX_ID = 500
"""Characters of a model's id."""
MIN_CONTEXT = 64
"""Context sizes (tokens) below it are implausible and ignored."""

_LISTS = ("data", "models", "model_list", "items", "results", "result", "modelSummaries")
_IDS = ("id", "model", "name", "slug", "key", "model_name", "model_id", "modelId")
_NAMES = ("display_name", "displayName", "name")
_CONTEXT_SIZES: tuple[tuple[str, ...], ...] = (
    ("loaded_context_length",),  # LM Studio: what is loaded may be shorter than what the model takes
    ("meta", "n_ctx"),  # llama-server: the same
    ("max_model_len",),
    ("top_provider", "context_length"),
    ("context_length",),
    ("context_window",),
    ("max_context_length",),
    ("max_input_tokens",),
    ("inputTokenLimit",),
    ("context_size",),
    ("parameters", "max_seq_len"),
    ("max_position_embeddings",),
    ("n_ctx",),
    ("meta", "n_ctx_train"),
)
"""Paths of fields that hold the context size (tokens), the most specific first."""
_COMMENTS = re.compile(r"\A(?:\s|:[^\r\n]*[\r\n])+")
_OPAQUE_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|azureml://.*", re.IGNORECASE)
"""Id of a row that requests don't name: Cloudflare and GitHub Models take the name."""
_ROW_FIELDS = frozenset({*_IDS, "object", "owned_by", "created", *(path[0] for path in _CONTEXT_SIZES)})


@late_dataclass(frozen=True)
class ModelList:
    """Models that a server lists."""

    models: tuple[ModelInfo, ...] = ()
    skipped: int = 0
    """Rows that name no model."""
    is_marked: bool = False
    """Whether the response says that it is a list, as OpenAI's does."""
    next_page: str = ""
    """Id after which the next page begins; empty if this is the last one."""

    def extended(self, other: ModelList) -> ModelList:
        """Return this list with the next page; of models listed twice, the first counts."""
        models: dict[str, ModelInfo] = {}
        for info in (*self.models, *other.models):
            models.setdefault(info.id, info)
        kept = tuple(models.values())[:MAX_MODELS]
        return ModelList(kept, self.skipped + other.skipped, self.is_marked, other.next_page)


def read_model_list(pieces: Iterable[bytes]) -> ModelList:
    """Read the body of a list of models, at most `MAX_LIST` bytes of it.

    Raises:
        ProtocolError: It is something else, or too long.
    """
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > MAX_LIST:
            raise address_error(
                _("The list of models is longer than {megabytes} MB. Check the base URL.", megabytes=MAX_LIST >> 20)
            )
    return parse_model_list(bytes(body))


def parse_model_list(body: bytes) -> ModelList:
    """Return the models in `body`. Rows that name none are skipped; of models listed twice, the first counts.

    Raises:
        ProtocolError: The body is something else, or none of its rows names a model; the message quotes it.
        AuthenticationError, RateLimitError: The body is an error object that says so.
    """
    try:
        value = _parse(body)
        rows = _single_row(value) or _rows_of(value)
    except (ValueError, RecursionError):
        raise _no_list(body) from None
    if rows is None:
        refused = object_error(value) if is_error(value) else None
        raise refused if isinstance(refused, AuthenticationError | RateLimitError) else _no_list(body)
    models: dict[str, ModelInfo] = {}
    skipped = count = 0
    for row in rows:
        count += 1
        info = parse_model(row)
        if info is None:
            skipped += 1
        elif len(models) < MAX_MODELS:
            models.setdefault(info.id, info)
    if count and not models:
        raise _no_list(body)
    is_marked = isinstance(value, dict) and value.get("object") == "list"
    return ModelList(tuple(models.values()), skipped, is_marked, _next_page(value))


def _parse(body: bytes) -> Any:
    """Return the JSON of a body: behind comments that keep a connection open, or one row on each line.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    try:
        return json.loads(body)
    except ValueError:
        values, rest = split_json(_COMMENTS.sub("", body.decode("utf-8", "replace"), count=1))
        if rest or not values:
            raise
    rows = [json.loads(value, strict=False) for value in values]
    return rows[0] if len(rows) == 1 else rows


def _next_page(value: Any) -> str:
    """Return the id after which the next page begins (Anthropic API reference, "List models")."""
    has_more = isinstance(value, dict) and value.get("has_more") is True
    return _text(value.get("last_id")) if has_more else ""


def parse_model(row: Any) -> ModelInfo | None:
    """Return the model that a row describes, None if it names none.

    Args:
        row: Id, or object of any service.
    """
    fields: Mapping[str, Any] = {"id": row} if isinstance(row, str) else row if isinstance(row, dict) else {}
    ids = [value for name in _IDS if (value := _text(fields.get(name)))]
    if not ids:
        return None
    model = next((one for one in ids if not _OPAQUE_ID.fullmatch(one)), ids[0])
    shown = display_name(model)
    name = shown if shown != model else next((text for key in _NAMES if (text := _text(fields.get(key)))), "")
    return ModelInfo(
        model,
        name if name != model else "",
        token_limit=_context_size(fields),
        takes_images=takes_images(fields),
        kind=model_kind(model, fields),
        owned_by=_text(fields.get("owned_by")),
    )


def _single_row(value: Any) -> list[Any] | None:
    """Return the only model, which some servers send without a list around it."""
    data = value.get("data") if isinstance(value, dict) else None
    row = data if isinstance(data, dict) else value
    return [row] if isinstance(row, dict) and row.get("object") == "model" else None


def _rows_of(value: Any) -> Iterable[Any] | None:
    """Return the rows of a list in any form; None if `value` is no list."""
    if isinstance(value, list):
        return value
    if not isinstance(value, dict) or value.get("error"):
        return None
    keys = [key for key in _LISTS if key in value]
    for key in keys:  # llama-server sends two of them
        if isinstance(value[key], list) and value[key]:
            return list(value[key])
        if isinstance(value[key], dict) and value[key]:
            nested = any(isinstance(value[key].get(name), list) for name in _LISTS)
            return _rows_of(value[key]) if nested else _keyed_rows(value[key])
    if keys:
        return [] if any(value[key] is None or value[key] == [] for key in keys) else None
    is_keyed = bool(value) and all(isinstance(row, dict) and _ROW_FIELDS & row.keys() for row in value.values())
    return _keyed_rows(value) if is_keyed else None


def _keyed_rows(rows: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the rows of an object whose keys are the ids."""
    for key, row in rows.items():
        if isinstance(row, dict):
            yield {"id": key, **{k: v for k, v in row.items() if k != "id"}}
        else:
            yield key if row is None or isinstance(row, str) else row


def _context_size(fields: Mapping[str, Any]) -> int | None:
    for path in _CONTEXT_SIZES:
        value: Any = fields
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        size = parse_count(value)
        if size is not None and size >= MIN_CONTEXT:
            return size
    return None


def _text(value: Any) -> str:
    """Return `value` if it can be an id or a name: printable text of one line."""
    text = value.strip() if isinstance(value, str) and len(value) <= MAX_ID else ""
    return text if text.isprintable() else ""


def _no_list(body: bytes) -> ProtocolError:
    text = body[:8000].decode("utf-8", "replace").strip()  # far more than is quoted, which may cut a credential
    what = _("a web page") if text.startswith("<") else make_snippet(text) or _("an empty body")
    return address_error(_("The response is not a list of models: {what}. Check the base URL.", what=what))

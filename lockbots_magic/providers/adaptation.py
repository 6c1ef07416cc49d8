"""Adapt requests to what a server refuses: send once more without what the toolkit added by itself.

Only that is changed; what the user asked for is never left out. The table of what there is to leave out is in
`adaptation_table`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..conversation.messages import Delta
from ..errors import ContextLengthError, HTTPStatusError, ModelNotFoundError, ProviderError
from ..language import _
from .adaptation_table import ADAPTATIONS, Adaptation, make_drop, names_field
from .body_changes import Body
from .learned import Key, LearnedFacts
from .schema_keywords import PREFIX, find_refused_keywords, make_keyword_row
from .streaming import closing_stream

STATUSES = frozenset({400, 403, 404, 422, 500, 501})
"""HTTP statuses of refusals that may name a field; some local servers send 500 for a template that fails."""
REQUIRED = frozenset(
    {"model", "messages", "input", "tools", "stream", "max_tokens", "max_output_tokens", "thinking", "output_config"}
)
"""Fields of a body that can't simply be left out; the last two hold an effort that the user set."""
PLAIN_WORDS = frozenset({"user", "stop", "seed", "n", "model"})
"""Parameters whose names occur in messages as words."""
OTHER_NAMES = {
    "max_tokens": ("max_output_tokens",),
    "max_completion_tokens": ("max_output_tokens",),
    "reasoning_effort": ("reasoning.effort", "thinking.type", "output_config.effort"),
    "response_format": ("text.format",),
    "stop": ("stop_sequences",),
}
"""Parameters of the user -> names under which dialects send them."""
MAX_ADAPTATIONS = 8
"""Adaptations of one request after which a refusal is final."""


def adapt(body: Body, given: Collection[str], names: Iterable[str], rows: Sequence[Adaptation] = ADAPTATIONS) -> Body:
    """Return the body for a server that is known to refuse some of what the toolkit adds.

    Args:
        body: Body of a request; not changed.
        given: Fields that the user set.
        names: Names of adaptations, in order.
        rows: Adaptations of the dialect.
    """
    for name in names:
        row = _find_row(name, rows)
        if row.applies(body, given):
            body = row.change(body, given)
    return body


def find_refused(
    error: ProviderError, body: Body, given: Collection[str], rows: Sequence[Adaptation] = ADAPTATIONS
) -> list[Adaptation]:
    """Return the adaptations after which the request may be accepted; empty if the error is about something else.

    Args:
        error: What the server answered to `body`.
        body: Body that was sent.
        given: Fields that the user set.
        rows: Adaptations of the dialect.
    """
    if not _is_refusal(error):
        return []
    words = f"{error.param}\n{error}\n{error.details}"
    found = [row for row in rows if row.refusal.search(words) and row.applies(body, given)]
    found += find_refused_keywords(words, body, given, rows)
    covered = {field for row in found for field in row.fields}
    dropped = [make_drop(key) for key in body if key not in {*REQUIRED, *given, *covered}]
    return found + [row for row in dropped if row.refusal.search(words)]


def find_given(error: ProviderError, given: Iterable[str]) -> list[str]:
    """Return the parameters of the user that a refusal names.

    Args:
        error: What the server answered.
        given: Fields that the user set.
    """
    if not _is_refusal(error):
        return []
    words = f"{error.param}\n{error}\n{error.details}"
    return [name for name in given if _names_parameter(name).search(words)]


def given_fields(params: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of a body that the parameters of a request set."""
    extra = params.get("extra_body")
    return frozenset({*params, *(extra if isinstance(extra, Mapping) else ())} - {"extra_body"})


def stream_adapted(
    send: Callable[[Body], Iterator[Delta]],
    body: Body,
    given: Collection[str],
    learned: LearnedFacts,
    key: Key,
    *,
    rows: Sequence[Adaptation] = ADAPTATIONS,
) -> Iterator[Delta]:
    """Send a request, again without what the server refuses of the toolkit's own; remember it once that helps.

    Args:
        send: Sends a body and yields the reply.
        body: Body of the request, with all that the toolkit adds.
        given: Fields that the user set.
        learned: What is known of servers.
        key: URL of the endpoint, and model.
        rows: Adaptations of the dialect.

    Raises:
        ProviderError: As raised by `send`, unless an adaptation helps.
    """
    known = list(learned.adaptations(*key))
    new: list[Adaptation] = []
    while True:
        sent = adapt(body, given, known, rows)
        begun = False
        try:
            with closing_stream(send(sent)) as deltas:
                for delta in deltas:
                    if not begun:
                        begun = True
                        yield from _remember(new, learned, key)
                    yield delta
            return
        except ProviderError as error:
            found = [] if begun else find_refused(error, sent, given, rows)
            refused = [row for row in found if row.name not in known]
            if not refused or len(new) >= MAX_ADAPTATIONS:
                raise
        new += refused
        known += [row.name for row in refused]


def _remember(rows: Sequence[Adaptation], learned: LearnedFacts, key: Key) -> Iterator[Delta]:
    """Remember what helped, and yield what the user is told of it."""
    if rows:
        learned.add_adaptations(*key, [row.name for row in rows])
    yield from (Delta(notice=_(row.notice, **row.values)) for row in rows if row.notice)


def _is_refusal(error: ProviderError) -> bool:
    if isinstance(error, ContextLengthError):
        return False
    status = error.status if isinstance(error, HTTPStatusError) else 404
    return isinstance(error, HTTPStatusError | ModelNotFoundError) and (status in STATUSES or not 400 <= status < 600)


def _find_row(name: str, rows: Sequence[Adaptation]) -> Adaptation:
    if name.startswith(PREFIX):
        return make_keyword_row(name.removeprefix(PREFIX))
    return next((row for row in rows if row.name == name), None) or make_drop(name)


def _names_parameter(name: str) -> re.Pattern[str]:
    """Return the pattern of words that name a parameter of the user."""
    if name in PLAIN_WORDS:
        return names_field(name)
    names = "|".join(map(re.escape, (name, *OTHER_NAMES.get(name, ()))))
    return re.compile(rf"(?<!\w)(?:{names})(?!\w)", re.IGNORECASE)

"""Redaction of a reply: a server may repeat a credential in any of its fields, whole or in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..conversation.messages import NOTHING_ELSE, Delta
from ..conversation.parts import map_strings
from ..errors import ProviderError
from ..security.redaction import Redactor
from ..security.secrets import Secret
from .streaming import closing_stream


def redact_deltas(deltas: Iterator[Delta], secrets: Sequence[Secret]) -> Iterator[Delta]:
    """Yield `deltas` with the credentials masked in every field; in text and reasoning also where deltas cut them."""
    for secret in secrets:
        deltas = _redact_one(deltas, secret)
    yield from deltas


def _redact_one(deltas: Iterator[Delta], secret: Secret) -> Iterator[Delta]:
    text, reasoning = Redactor(secret), Redactor(secret)
    with closing_stream(deltas):
        try:
            for delta in deltas:
                if delta[1:] == NOTHING_ELSE:  # nearly all
                    said = text.feed(delta.text)
                    yield delta if said is delta.text else Delta(said)
                    continue
                ends = bool(delta.finish_reason)
                said = text.feed(delta.text) if delta.text or ends else delta.text
                thought = reasoning.feed(delta.reasoning) if delta.reasoning or ends else delta.reasoning
                if ends:
                    said, thought = said + text.close(), thought + reasoning.close()
                rest = _redact_rest(delta, secret)
                is_same = rest is delta and said is delta.text and thought is delta.reasoning
                yield delta if is_same else rest._replace(text=said, reasoning=thought)
        except ProviderError:
            yield from _held(text, reasoning)
            raise
    yield from _held(text, reasoning)  # a provider may end without a finish reason


def _held(text: Redactor, reasoning: Redactor) -> Iterator[Delta]:
    rest = Delta(text.close(), reasoning.close())
    if rest != Delta():
        yield rest


def _redact_rest(delta: Delta, secret: Secret) -> Delta:
    """Mask the credential in the fields that arrive whole; most deltas have none of them."""
    if not (delta.finish_reason or delta.calls or delta.parts or delta.model or delta.notice or delta.opaque):
        return delta
    return delta._replace(
        finish_reason=delta.finish_reason and secret.redact(delta.finish_reason),
        notice=delta.notice and secret.redact(delta.notice),
        calls=delta.calls and tuple(type(call)(*map_strings(tuple(call), secret.redact)) for call in delta.calls),
        parts=delta.parts and map_strings(delta.parts, secret.redact),
        model=delta.model and secret.redact(delta.model),
        opaque=delta.opaque and map_strings(delta.opaque, secret.redact),
    )

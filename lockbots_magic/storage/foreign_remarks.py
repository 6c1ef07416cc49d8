"""Remarks on a conversation out of a file: what it brings besides words. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..conversation.documents import SentDocument
from ..conversation.foreign import resent_params
from ..conversation.turn import Turn
from ..language import _, ngettext
from ..security.links import host_of
from .notebook_cells import quoted

MAX_NAMED = 8
"""Most names that one remark lists."""


def foreign_remarks(name: str, system: str, turns: Sequence[Turn]) -> Iterator[str]:
    """Yield what a file brings that later requests would carry, or that it is kept from, a sentence each.

    Args:
        name: Name of the conversation.
        system: Its system prompt.
        turns: Its turns.
    """
    if system:
        yield _("{name} has a system prompt: {system}", name=quoted(name), system=quoted(system))
    own = dict.fromkeys(turn.system for turn in turns if turn.system not in ("", system))
    if own:
        yield _(
            "{name}: `retry` sends the system prompts of its turns again: {names}",
            name=quoted(name),
            names=_list(list(own)),
        )
    yield from _on_params(name, turns)
    if images := [url for turn in turns for url in turn.images]:
        yield from _on_images(name, images, [url for turn in turns for url in turn.sent_images])
    if documents := [document for turn in turns for document in turn.documents]:
        yield from _on_documents(name, documents, [document for turn in turns for document in turn.sent_documents])
    if called := dict.fromkeys(call.name for turn in turns for call in turn.calls):
        yield _(
            "{name}: its turns called functions, which `retry` does not offer again: {names}",
            name=quoted(name),
            names=_list(list(called)),
        )


def _on_params(name: str, turns: Sequence[Turn]) -> Iterator[str]:
    given = dict.fromkeys(param for turn in turns for param in turn.params)
    sent = {param: value for turn in turns for param, value in resent_params(turn.params).items()}
    if sent:
        pairs = [f"{param}={value!r}" for param, value in sent.items()]
        yield _(
            "{name}: `retry` sends the parameters of its turns again: {names}", name=quoted(name), names=_list(pairs)
        )
    if kept := [param for param in given if param not in sent]:
        yield _(
            "{name}: its turns have parameters that `retry` does not send again: {names}",
            name=quoted(name),
            names=_list(kept),
        )


def _on_images(name: str, images: Sequence[str], sent: Sequence[str]) -> Iterator[str]:
    if hosts := dict.fromkeys(host_of(url) or "" for url in sent if url[:5].lower() != "data:"):
        yield _(
            "{name}: images at these hosts go along with later prompts: {names}",
            name=quoted(name),
            names=_list(list(hosts)),
        )
    if lost := len(images) - len(sent):
        yield ngettext(
            "{name}: {n} image of its turns is not sent: neither on the web nor in the file itself.",
            "{name}: {n} images of its turns are not sent: neither on the web nor in the file itself.",
            lost,
            name=quoted(name),
        )


def _on_documents(name: str, documents: Sequence[SentDocument], sent: Sequence[SentDocument]) -> Iterator[str]:
    labels = list(dict.fromkeys(document.label for document in sent if document.has_file or document.text))
    if labels:
        yield _("{name}: these documents go along with later prompts: {names}", name=quoted(name), names=_list(labels))
    if lost := [old.name for old, new in zip(documents, sent, strict=True) if old.has_file and not new.has_file]:
        yield _(
            "{name}: these files are no documents that services take, and are not sent: {names}",
            name=quoted(name),
            names=_list(lost),
        )
    if gone := [one.name for one in sent if not one.has_file and not one.text]:
        yield _("{name}: nothing of these documents was saved: {names}", name=quoted(name), names=_list(gone))


def _list(words: Sequence[str]) -> str:
    more = [_("and {n} more", n=len(words) - MAX_NAMED)] if len(words) > MAX_NAMED else []
    return ", ".join([*map(quoted, words[:MAX_NAMED]), *more])

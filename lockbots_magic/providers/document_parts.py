"""Documents in request bodies: found in any dialect, and replaced by their text where a server refuses them. Pure.

Wire facts: the OpenAI API reference ("Create a model response": input; "Create chat completion": messages), the
Anthropic API reference ("Create a message": messages). Refusals as observed: a part, tag or content type that is
unknown, a model without vision, a PDF with too many pages or that can't be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..conversation.documents import SentDocument
from ..conversation.messages import Message
from ..language import N_, ngettext
from ..late_pattern import late_pattern
from .adaptation_table import NEGATION, Adaptation
from .body_changes import Body
from .learned import OF_FILES

TEXT_TYPES = {"input_file": "input_text", "document": "text", "file": "text"}
"""Types of parts that hold documents -> type of a part that holds text."""

_DOCUMENT = r"\b(?:documents?|pdfs?|files?|input_file|file_data|filename)\b"
_REFUSAL = (
    rf"{_DOCUMENT}.{{0,80}}{NEGATION}|{NEGATION}.{{0,80}}{_DOCUMENT}|['\"`](?:document|file|input_file)['\"`]"
    r"|\bdocument\.source\b|\bpdf\b.{0,40}\bpassword"
    r"|\b(?:maximum|limit|too many|exceed\w*|at most)\b.{0,60}\b(?:pdf|pages)\b"
    r"|\bunsupported content\b|\bcontent\b.{0,3}\btype\b|\bpart type\b|\bexpected 'text' field\b"
    r"|\buntagged enum MessageContent\b"
)
REFUSAL = late_pattern(_REFUSAL, re.IGNORECASE | re.DOTALL)
"""How servers refuse documents."""
_OF_THESE_FILES = (
    r"\bpassword|\bencrypted|\b(?:pages|too (?:many|large|long|big)|maximum|limit|exceed\w*|at most)\b"
    r"|\b(?:corrupt\w*|damaged|unreadable|(?:is|was) not valid|not a valid pdf)\b"
    r"|\b(?:could not|couldn't|unable to|failed to) (?:process|read|parse|open|extract)\b"
)
"""Words of refusals that concern the files that were sent; others may be taken."""
_OF_ALL = late_pattern(rf"\A(?!.*(?:{_OF_THESE_FILES})).*(?:{_REFUSAL})", re.IGNORECASE | re.DOTALL)
_OF_THESE = late_pattern(rf"\A(?=.*(?:{_OF_THESE_FILES})).*(?:{_REFUSAL})", re.IGNORECASE | re.DOTALL)


def make_documents_rows(messages: Sequence[Message]) -> tuple[Adaptation, ...]:
    """Return the adaptations that send the text of documents in place of their files.

    One is for servers that take no files, and remembered as that; the other for those that refuse these files.

    Args:
        messages: Messages of the request.

    Returns:
        None of them if the request has no documents, or one whose text is not known.
    """
    documents = [document for message in messages for document in message.documents]
    if not documents or not all(document.text for document in documents):
        return ()
    these = hash(tuple((document.url, document.text) for document in documents))
    notice = ngettext(
        "The server did not take the document as a file: its text was sent instead ({names}).",
        "The server did not take these documents as files: their text was sent instead ({names}).",
        len(documents),
        names=", ".join(document.name for document in documents),
    )
    return tuple(
        Adaptation(
            name,
            ("messages", "input"),
            lambda body, given: not {"messages", "input"} & {*given} and any(_parts(body)),
            lambda body, given: _with_texts(body, documents),
            refusal,
            notice,
        )
        for name, refusal in ((N_("documents as text"), _OF_ALL), (f"documents as text{OF_FILES}{these:x}", _OF_THESE))
    )


def _parts(body: Body) -> Iterator[Body]:
    for message in (*body.get("messages", ()), *body.get("input", ())):
        content = message.get("content") if isinstance(message, dict) else None
        yield from (part for part in content if _is_document(part)) if isinstance(content, list) else ()


def _is_document(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in TEXT_TYPES


def _with_texts(body: Body, documents: Sequence[SentDocument]) -> Body:
    """Return the body with the text of documents, which stand in it in their order, in place of their parts."""
    left = iter(documents)

    def change(part: Any) -> Any:
        return {"type": TEXT_TYPES[part["type"]], "text": next(left).as_text()} if _is_document(part) else part

    return {**body, **{name: _map_parts(body[name], change) for name in ("messages", "input") if name in body}}


def _map_parts(messages: Sequence[Any], change: Callable[[Any], Any]) -> list[Any]:
    return [
        {**one, "content": [*map(change, one["content"])]}
        if isinstance(one, dict) and isinstance(one.get("content"), list)
        else one
        for one in messages
    ]

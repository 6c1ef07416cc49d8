"""Liaobots: a request format of its own, and a response in one of two formats.

Wire facts: public source history of this service's clients, 2023-2025. The early response is the reply itself as
raw UTF-8; the later one is server-sent events. The content type and the first bytes tell which one it is.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, ClassVar

from ..conversation.ending import CUT_OFF, TOO_LONG
from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import ProtocolError, ServerError, UsageError
from ..language import N_, _
from ..security.secrets import Secret
from .declarations import model_table
from .http import HTTPRequest
from .http.request import display_url
from .http_provider import HTTPProvider
from .validation import wrap_credential
from .wire.body import BodyDecoder
from .wire.charset import as_utf8
from .wire.content import parse_content
from .wire.errors import is_error, make_snippet, object_error
from .wire.finish import read_finish_reason
from .wire.json_text import parse_json
from .wire.reasoning_fields import parse_reasoning
from .wire.snapshots import SnapshotFilter
from .wire.sse import Event, MalformedStream, SurrogateJoiner, TextDecoder
from .wire.stream_decoder import read_data, split_data

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) lockbots-magic"
DEFAULT_INSTRUCTION = "Answer helpfully and to the point, in the language of the question."
MAX_ERROR_OBJECT = 4096
"""Bytes up to which a response that begins like JSON may be an error object."""
MAX_FIRST_LINE = 65536
"""Bytes after which an unfinished first line that begins like an event is taken for one."""
BOM = b"\xef\xbb\xbf"
_LAST_ERROR = re.compile(r'\{\s*"(?:error|res_status)"(?:(?!\{\s*"(?:error|res_status)").)*\}\s*\Z', re.DOTALL)
"""Error object at the end of a text, by which the early format says that the reply broke off."""
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_EVENT_FIELD = re.compile(rb"(?:data|event|id|retry)?:")
_BEFORE_DATA = re.compile(rb"^(?:(?:(?:event|id|retry)?:[^\n]*)?\n)+")
_WEB_PAGE = N_("The service returned a web page (a login or a captcha). Open it in a browser and renew the code.")


class Liaobots(HTTPProvider):
    """`POST {base}/api/chat`, with the credential as the header `x-auth-code`.

    Args:
        models: Models in addition to the table.
        auth: Credential.
        settings: Settings of every `Provider`.
    """

    name = "liaobots"
    url = "https://liaobots.com"
    models = model_table(
        ModelInfo("gpt-4", "GPT-4", max_length=24000, token_limit=8000),
        ModelInfo("gpt-3.5-turbo", "GPT-3.5", max_length=12000, token_limit=4000),
    )
    default_model = "gpt-3.5-turbo"
    needs_auth: ClassVar[bool] = True

    def __init__(self, *, models: Iterable[ModelInfo] = (), auth: str | Secret | None = None, **settings: Any) -> None:
        auth = wrap_credential(auth)
        models = list(models)
        if not all(isinstance(m, ModelInfo) for m in models):
            raise UsageError(_("models must hold ModelInfo values, such as ModelInfo('gpt-5', 'GPT-5', 24000, 8000)."))
        super().__init__(auth=auth, **settings)
        self._models = {**type(self).models, **{m.id: m for m in models}}

    def model_info(self, model: str) -> ModelInfo:
        """Return the entry of the table for `model`, all of which the request carries.

        Raises:
            ModelNotFoundError: There is none.
        """
        return self.lookup_model(model, self._models)

    def list_models(self) -> list[ModelInfo]:
        """Return the models of the table and those that the caller added."""
        return list(self._models.values())

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request once and yield the reply."""
        with self.open(self.build_request(request, model), deadline, request.cancellation) as exchange:
            yield from decode_response(as_utf8(exchange, exchange.charset), exchange.content_type)
            exchange.finish()

    def build_request(self, request: ChatRequest, model: ModelInfo) -> HTTPRequest:
        """Return the HTTP request for `request`."""
        origin = "/".join(self.base_url.split("/", 3)[:3])
        return HTTPRequest(
            "POST",
            self.endpoint("/api/chat"),
            json={
                "conversationId": request.conversation_id or str(uuid.uuid4()),
                "model": {
                    "id": model.id,
                    "name": model.name,
                    "maxLength": model.max_length,
                    "tokenLimit": model.token_limit,
                },
                "messages": [m.to_dict() for m in request.messages if m.role != "system"],
                "key": "",
                "prompt": request.system or DEFAULT_INSTRUCTION,
            },
            headers={
                "authority": origin.partition("://")[2],
                "content-type": "application/json",
                "origin": origin,
                "referer": f"{display_url(self.base_url)}/en",
                "user-agent": USER_AGENT,
            },
            secret_headers={"x-auth-code": self.auth} if self.auth else {},
            base_url=self.base_url,
        )


def decode_response(pieces: Iterable[bytes], content_type: str) -> Iterator[Delta]:
    """Yield the reply that a body holds in either format. Pure.

    Args:
        pieces: The body, cut anywhere.
        content_type: Media type, lower case, without parameters.

    Raises:
        ProtocolError: The body is a web page, or malformed.
        ProviderError: The body is an error object; the class follows the status that it names.
    """
    body = iter(pieces)
    start = b""
    for piece in body:
        start += piece
        body_format = detect_format(start, content_type, ended=False)
        if body_format:
            break
    else:
        body_format = detect_format(start, content_type, ended=True)
    if body_format == "page":
        raise ProtocolError(_(_WEB_PAGE))
    if body_format == "error":
        raise object_error(json.loads(start))
    if not start:
        empty = ProtocolError(_("The response is empty."))
        empty.retryable = True
        raise empty
    try:
        yield from (_decode_events if body_format == "events" else _decode_text)(start, body)
    except MalformedStream as error:
        if error.text:
            yield Delta(error.text)
        raise ProtocolError(_("The response is malformed: {error}.", error=error)) from None


def detect_format(start: bytes, content_type: str, *, ended: bool) -> str:
    """Detect the format of a body from its type and its first bytes.

    Args:
        start: First bytes of the body.
        content_type: Media type, lower case, without parameters.
        ended: Whether `start` is the whole body.

    Returns:
        ``"events"``, ``"text"``, ``"page"``, ``"error"``, or ``""`` if more bytes are needed.
    """
    if BOM.startswith(start) and not ended:
        return ""
    begin = start.removeprefix(BOM).lstrip()
    if begin.startswith(b"<"):
        return _detect_markup(begin[:15].lower(), content_type, ended)
    if begin.startswith((b"{", b"[{")):
        return _detect_object(begin, content_type, ended)
    if _EVENT_FIELD.match(begin):
        return "events" if content_type == "text/event-stream" else _detect_event_lines(begin, ended)
    may_be_field = any(field.startswith(begin) for field in _EVENT_FIELDS) and not ended
    return "" if may_be_field else "text"


def _detect_markup(begin: bytes, content_type: str, ended: bool) -> str:
    if content_type == "text/html" or begin.startswith((b"<!doctype html", b"<html")):
        return "page"
    return "text" if len(begin) == 15 or ended else ""


def _detect_object(begin: bytes, content_type: str, ended: bool) -> str:
    """Tell a short error object from a reply that happens to be JSON."""
    if not ended and len(begin) <= MAX_ERROR_OBJECT:
        return ""
    value = parse_json(begin.decode("utf-8", "replace"))
    explicit = isinstance(value, dict) and ("error" in value or "res_status" in value)
    failed = explicit or (is_error(value) and (begin.startswith(b"[") or content_type == "application/json"))
    return "error" if failed else "text"


def _detect_event_lines(begin: bytes, ended: bool) -> str:
    """Tell events, whose data are JSON objects, from a reply that begins with ``data:`` or a colon."""
    line, newline, _unused = _BEFORE_DATA.sub(b"", begin).partition(b"\n")
    whole = bool(newline) or ended
    if line.startswith(b"data:"):
        data = line.removeprefix(b"data:").strip()
        if data and not data.startswith(b"{"):
            return "text"
        if whole:
            return "events" if _parse_object(data) else "text"
        return "" if len(begin) <= MAX_FIRST_LINE else "events"
    field = _EVENT_FIELD.match(line) or any(name.startswith(line) for name in _EVENT_FIELDS)
    return "" if field and not whole and len(begin) <= MAX_FIRST_LINE else "text"


def _parse_object(text: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _decode_text(start: bytes, body: Iterator[bytes]) -> Iterator[Delta]:
    decoder = TextDecoder()
    tail = ""
    for piece in chain((start.removeprefix(BOM),), body):
        if text := decoder.feed(piece):
            tail = (tail + text)[-MAX_ERROR_OBJECT:]
            yield Delta(text)
    if (found := _LAST_ERROR.search(tail)) and _parse_object(found[0]):
        raise object_error(_parse_object(found[0]))
    yield Delta(finish_reason=CUT_OFF if decoder.pending else "stop")


def _decode_events(start: bytes, body: Iterator[bytes]) -> Iterator[Delta]:
    decoder = BodyDecoder()
    new, new_thought, joiner = SnapshotFilter(), SnapshotFilter(), SurrogateJoiner()
    said, unread, reason, is_ended = False, "", "", False
    for event in _read_events(decoder, chain((start,), body)):
        if event.data.strip() == "[DONE]":
            is_ended = True
            break
        read = _parse_event(event)
        said, unread = said or bool(read.text or read.reasoning), unread or event.data
        reason = read.finish_reason or reason
        text, thought = joiner.feed(new.feed(read.text)), new_thought.feed(read.reasoning)
        if text or thought:
            yield Delta(text, thought)
    if not is_ended and decoder.last_line:
        raise ServerError(_("The reply broke off: {last_line}", last_line=make_snippet(decoder.last_line)))
    _check_said(said, unread, is_ended=is_ended)
    if not (is_ended or reason):
        reason = TOO_LONG if decoder.is_full else "stop" if decoder.is_whole else CUT_OFF
    rest = joiner.feed(new.close()) + joiner.close()
    yield Delta(rest, new_thought.close(), finish_reason=reason or "stop")


def _read_events(decoder: BodyDecoder, body: Iterable[bytes]) -> Iterator[Event]:
    for piece in body:
        yield from decoder.feed(piece)
        if decoder.is_full:
            break
    yield from decoder.close()


def _check_said(said: bool, unread: str, *, is_ended: bool) -> None:
    """Raise if events came, but none of them with content: quote the first. After the end mark, try again."""
    if unread and not said:
        error = ProtocolError(
            _("The response holds no {content_name}: {oddity}", content_name="content", oddity=make_snippet(unread))
        )
        error.retryable = is_ended
        raise error


def _parse_event(event: Event) -> Delta:
    data = read_data(event)
    if not data or data == "[DONE]":
        return Delta()
    value = parse_json(data)
    if not isinstance(value, dict) and (parts := split_data(data, value)):
        read = [_parse_event(Event(part, event.type)) for part in parts]
        reason = next((one.finish_reason for one in reversed(read) if one.finish_reason), None)
        return Delta("".join(d.text for d in read), "".join(d.reasoning for d in read), finish_reason=reason)
    if event.type == "error":
        raise object_error(value if isinstance(value, dict | list) else {"error": data})
    if not isinstance(value, dict):
        raise ProtocolError(_("An event of the response is malformed: {data}", data=make_snippet(data)))
    if value.get("error") or ("content" not in value and is_error(value)):
        raise object_error(value)
    reason = read_finish_reason(value, "")
    return Delta(parse_content(value.get("content")), parse_reasoning(value), finish_reason=reason or None)


url = Liaobots.url
model = list(Liaobots.models)
models = Liaobots.models
supports_stream = Liaobots.supports_stream
needs_auth = Liaobots.needs_auth
params = Liaobots.params
_create_completion = Liaobots.create_completion

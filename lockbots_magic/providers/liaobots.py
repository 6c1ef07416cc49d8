"""Liaobots: its own request, and an answer in one of two forms.

Wire facts: the public history of clients of this service, 2023-2025. The early answer is the reply itself as
raw UTF-8; the later one is server-sent events. Which one comes is read off the content type and the first bytes.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import ProtocolError, UsageError
from ..security.secrets import Secret
from .base import HTTPProvider, known_model, models_table
from .http.client import Exchange
from .http.request import Call, Limits
from .validation import checked_credential
from .wire.chat_completions import content_text
from .wire.errors import error_of, is_error, parsed, refusal, snippet
from .wire.sse import EventDecoder, MalformedStream, SurrogateJoiner, TextDecoder

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) lockbots-magic"
DEFAULT_INSTRUCTION = "Answer helpfully and to the point, in the language of the question."
MAX_ERROR_OBJECT = 4096
"""Bytes up to which an answer that begins like JSON may still turn out to be an error object."""
MAX_FIRST_LINE = 65536
"""Bytes of a first line that begins like an event and does not end; past them it is taken for one."""
BOM = b"\xef\xbb\xbf"
_EVENT_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_EVENT_FIELD = re.compile(rb"(?:data|event|id|retry)?:")
_BEFORE_DATA = re.compile(rb"^(?:(?:(?:event|id|retry)?:[^\n]*)?\n)+")
_WEB_PAGE = "the service answers with a web page (a login or a captcha); open it in a browser and renew the code"


class Liaobots(HTTPProvider):
    """`POST {base}/api/chat`; the credential is the header `x-auth-code`.

    Args:
        models: models beyond the table, for a caller who knows of more.
        auth: the credential.
        settings: as for every `Provider`.
    """

    name = "liaobots"
    url = "https://liaobots.com"
    models = models_table(
        ModelInfo("gpt-4", "GPT-4", max_length=24000, token_limit=8000),
        ModelInfo("gpt-3.5-turbo", "GPT-3.5", max_length=12000, token_limit=4000),
    )
    default_model = "gpt-3.5-turbo"
    needs_auth: ClassVar[bool] = True

    def __init__(self, *, models: Iterable[ModelInfo] = (), auth: str | Secret | None = None, **settings: Any) -> None:
        auth = checked_credential(auth)
        models = list(models)
        if not all(isinstance(m, ModelInfo) for m in models):
            raise UsageError("models takes ModelInfo values, such as ModelInfo('gpt-5', 'GPT-5', 24000, 8000)")
        super().__init__(auth=auth, **settings)
        self._models = {**type(self).models, **{m.id: m for m in models}}

    def model_info(self, model: str) -> ModelInfo:
        """Return the entry of the table for `model`, which the request carries whole.

        Raises:
            ModelNotFoundError: there is none.
        """
        return known_model(self, model, self._models)

    def list_models(self) -> list[ModelInfo]:
        """The models of the table and those the caller added."""
        return list(self._models.values())

    def attempt(self, request: ChatRequest, model: ModelInfo, deadline: float) -> Iterator[Delta]:
        """Send the request once and yield the reply."""
        limits = Limits(*self.timeout, deadline)
        with Exchange(self.call(request, model), limits, request.cancellation) as exchange:
            try:
                if exchange.status >= 300:
                    raise refusal(exchange.status, exchange.body(), exchange.retry_after())
                yield from read_answer(exchange, exchange.content_type)
                exchange.finish()
            except MalformedStream as error:
                raise ProtocolError(f"the answer is malformed: {error}") from None

    def call(self, request: ChatRequest, model: ModelInfo) -> Call:
        """The HTTP request for `request`."""
        origin = "/".join(self.base_url.split("/", 3)[:3])
        return Call(
            "POST",
            f"{self.base_url}/api/chat",
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
                "referer": f"{self.base_url}/en",
                "user-agent": USER_AGENT,
            },
            secret_headers={"x-auth-code": self.auth} if self.auth else {},
        )


def read_answer(pieces: Iterable[bytes], content_type: str) -> Iterator[Delta]:
    """Yield the reply that the body `pieces`, cut anywhere, hold in either form. Pure.

    Raises:
        ProtocolError: a web page, or a malformed body.
        ProviderError: an error object, by the status it names.
        MalformedStream: the body is not UTF-8.
    """
    body = iter(pieces)
    start = b""
    for piece in body:
        start += piece
        form = form_of(start, content_type, ended=False)
        if form:
            break
    else:
        form = form_of(start, content_type, ended=True)
    if form == "page":
        raise ProtocolError(_WEB_PAGE)
    if form == "error":
        raise error_of(json.loads(start))
    if not start:
        raise ProtocolError("the answer is empty")
    yield from (_read_events if form == "events" else _read_text)(start, body)


def form_of(start: bytes, content_type: str, *, ended: bool) -> str:
    """Tell the form of a body from its type and its first bytes.

    Args:
        start: the first bytes that came.
        content_type: the media type, lower case, without parameters.
        ended: whether `start` is the whole body.

    Returns:
        ``"events"``, ``"text"``, ``"page"``, ``"error"``, or ``""`` while more bytes are needed to tell.
    """
    if BOM.startswith(start) and not ended:
        return ""
    begin = start.removeprefix(BOM).lstrip()
    if begin.startswith(b"<"):
        return _form_of_markup(begin[:15].lower(), content_type, ended)
    if begin.startswith((b"{", b"[{")):
        return _form_of_object(begin, content_type, ended)
    if _EVENT_FIELD.match(begin):
        return "events" if content_type == "text/event-stream" else _form_of_event_lines(begin, ended)
    may_be_field = any(field.startswith(begin) for field in _EVENT_FIELDS) and not ended
    return "" if may_be_field else "text"


def _form_of_markup(begin: bytes, content_type: str, ended: bool) -> str:
    if content_type == "text/html" or begin.startswith((b"<!doctype html", b"<html")):
        return "page"
    return "text" if len(begin) == 15 or ended else ""


def _form_of_object(begin: bytes, content_type: str, ended: bool) -> str:
    """A short JSON object that tells of an error is one; any other is a reply that happens to be JSON."""
    if not ended and len(begin) <= MAX_ERROR_OBJECT:
        return ""
    value = parsed(begin.decode("utf-8", "replace"))
    told = isinstance(value, dict) and ("error" in value or "res_status" in value)
    failed = told or (is_error(value) and (begin.startswith(b"[") or content_type == "application/json"))
    return "error" if failed else "text"


def _form_of_event_lines(begin: bytes, ended: bool) -> str:
    """An event's data are a JSON object; a reply may begin with that word, or with a colon, too."""
    line, newline, _ = _BEFORE_DATA.sub(b"", begin).partition(b"\n")
    whole = bool(newline) or ended
    if line.startswith(b"data:"):
        data = line.removeprefix(b"data:").strip()
        if data and not data.startswith(b"{"):
            return "text"
        if whole:
            return "events" if _json_object(data) else "text"
        return "" if len(begin) <= MAX_FIRST_LINE else "events"
    field = _EVENT_FIELD.match(line) or any(name.startswith(line) for name in _EVENT_FIELDS)
    return "" if field and not whole and len(begin) <= MAX_FIRST_LINE else "text"


def _json_object(text: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _read_text(start: bytes, body: Iterator[bytes]) -> Iterator[Delta]:
    decoder = TextDecoder()
    if text := decoder.feed(start.removeprefix(BOM)):
        yield Delta(text)
    for piece in body:
        if text := decoder.feed(piece):
            yield Delta(text)
    yield Delta(finish_reason="truncated" if decoder.pending else "stop")


def _read_events(start: bytes, body: Iterator[bytes]) -> Iterator[Delta]:
    decoder = EventDecoder()
    joiner = SurrogateJoiner()
    for piece in _chained(start, body):
        for event in decoder.feed(piece):
            if event.data.strip() == "[DONE]":
                yield Delta(joiner.close(), finish_reason="stop")
                return
            if text := joiner.feed(_event_text(event.data)):
                yield Delta(text)
    decoder.close()
    whole = bool(_json_object(decoder.pending)) or decoder.pending in ("", "[DONE]")
    if whole and (text := joiner.feed(_event_text(decoder.pending))):
        yield Delta(text)
    yield Delta(joiner.close(), finish_reason="stop" if whole else "truncated")


def _chained(start: bytes, body: Iterator[bytes]) -> Iterator[bytes]:
    yield start
    yield from body


def _event_text(data: str) -> str:
    if data.strip() in ("", "[DONE]"):
        return ""
    try:
        value: Mapping[str, Any] = json.loads(data)
        content = value.get("content")
    except (ValueError, RecursionError, AttributeError):
        raise ProtocolError(f"an event of the answer is malformed: {snippet(data)}") from None
    if value.get("error"):
        raise error_of(value)
    return content_text(content)


url = Liaobots.url
model = list(Liaobots.models)
models = Liaobots.models
supports_stream = Liaobots.supports_stream
needs_auth = Liaobots.needs_auth
params = Liaobots.params
_create_completion = Liaobots.create_completion

"""Decoder of responses in the format of the Responses API. Pure.

Wire facts: the OpenAI API reference, "Responses: streaming events" and "The response object", and observed responses of
compatible servers: no deltas but the whole text at the end, or with its item, ``[DONE]`` after the last event, an empty
`output` in it, and the status ``completed`` of a reply that the limit of length has cut (llama-server).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ...conversation.ending import REFUSED, is_complete
from ...conversation.messages import Delta, Usage
from ...conversation.opaque_data import OpaqueData
from ...errors import ProtocolError
from ...language import _
from .attachments import AttachmentCollector
from .errors import address_error, is_error_event, make_snippet
from .finish import read_word
from .formats import RESPONSES, unwrapped
from .json_text import parse_json
from .model_list import MAX_ID
from .responses_output import OutputReader, ReasoningJoiner, annotations_of, reasoning_of, text_of, whole_items
from .sse import Event, SurrogateJoiner
from .stream_decoder import StreamDecoder, is_end_mark
from .text_template import TextTemplate
from .usage import parse_usage

MAX_MESSAGES = 64
"""Messages of one response whose text is read at their end, where it did not come in deltas."""
_PREFIX = "response."
_REASONING_DELTAS = frozenset({"reasoning_summary_text", "reasoning_text", "reasoning", "reasoning_summary"})
"""Kinds of reasoning that come in deltas; the last two are those of older servers."""
_LAST_STATES = frozenset({"completed", "incomplete", "failed", "cancelled"})
_LAST_EVENTS = _LAST_STATES | {"done"}
_READ_ITEMS = frozenset({"message", "reasoning", "function_call", "custom_tool_call", "image_generation_call"})
"""Types of items that are read; others are what the service does by itself, or what it wants done."""


class ResponsesDecoder(StreamDecoder):
    """Decodes one response of the Responses API; see `StreamDecoder`.

    Args:
        tools: Names of the functions that the model may call.
        limit: Limit of length of the request (tokens), if it has one.

    Example:
        >>> decoder = ResponsesDecoder()
        >>> [delta.text for delta in decoder.feed(b'data: {"type":"response.output_text.delta","delta":"Hi"}\\n\\n')]
        ['Hi']
    """

    format = RESPONSES
    content_name = "output"

    def __init__(self, tools: Iterable[str] = (), *, limit: int | None = None) -> None:
        super().__init__()
        self._limit = limit
        self._is_refusal = False
        self._text = SurrogateJoiner()
        self._said: list[str] = []
        """Pieces of text so far, all of them."""
        self._ended: list[Any] = []
        """Messages so far that are whole."""
        self._other_items: set[str] = set()
        self._part_start = 0
        """Number of pieces before the part of the content that is being written."""
        self._reasoning = ReasoningJoiner()
        self._output = OutputReader(tools)
        self._attachments = AttachmentCollector()
        self._model = ""
        self._named_model = ""
        self._usage: Usage | None = None
        self._template = TextTemplate(("delta",), ("sequence_number", "obfuscation"))

    def _take(self, event: Event) -> Iterable[Delta]:
        text = self._template.read(event.data)  # nearly all events are like the one before
        if text and not self._model and event.type != "error":
            self._said.append(text)
            text = self._text.feed(text)
            return (Delta(text),) if text else ()
        return self._take_other(event)

    def _take_other(self, event: Event) -> Iterator[Delta]:
        value = parse_json(event.data)
        if value is None:
            value = parse_json(self._data_of(event))
        value = _with_type(unwrapped(value), event)
        kind = value.get("type") if isinstance(value, dict) else None
        if kind == "response.output_text.delta" and event.type != "error":
            yield from self._say(value.get("delta"))
            self._template.learn(event.data, value)
            return
        data = self._data_of(event)
        if is_end_mark(event, data):
            self._is_ended = True
            self._check_oddity()
            yield from self._end("stop")
            return
        if not data:
            return
        if not isinstance(value, dict) and (deltas := self._take_joined(event, data, value)) is not None:
            yield from deltas
            return
        if is_error_event(event.type) or kind == "error":
            raise self.object_error(value if isinstance(value, dict | list) else {"error": data})
        if not isinstance(value, dict):
            self._check_malformed(value, data)
            return
        if isinstance(kind, str) and kind.startswith(_PREFIX):
            yield from self._take_event(kind.removeprefix(_PREFIX), value)
        elif value.get("object") == "response" or isinstance(value.get("output"), list):
            yield from self._take_response(value)
        else:
            self._check_foreign(value, data)

    def _check_malformed(self, value: Any, data: str) -> None:
        self._check_error(value)
        if value is None:
            self._check_unreadable(data)
            return
        raise ProtocolError(_("An event is not a JSON object: {data}", data=make_snippet(data)))

    def _check_foreign(self, value: Mapping[str, Any], data: str) -> None:
        """Raise if an object is no event: an error, or another dialect."""
        self._check_error(value)
        self._check_format(value)
        if self._body.is_document:
            raise address_error(
                _("The response is JSON without output. Check the base URL. {data}", data=make_snippet(data))
            )
        self._oddity = self._oddity or data

    def _take_event(self, kind: str, value: Mapping[str, Any]) -> Iterator[Delta]:
        name, _unused, stage = kind.rpartition(".")
        if kind in _LAST_EVENTS:
            response = value.get("response")
            response = response if isinstance(response, dict) else {}
            known = str(response.get("status")) in _LAST_STATES
            status = "completed" if kind == "done" else kind
            yield from self._take_response(response if known else {**response, "status": status})
        elif stage == "delta" and name in _REASONING_DELTAS:
            yield from self._reason(self._reasoning.feed(name, value))
        elif handler := _HANDLERS.get(kind):
            yield from handler(self, value)

    def _take_start(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        response = value.get("response")
        self._take_model(response if isinstance(response, dict) else {})
        yield from ()

    def _take_refusal(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        self._is_refusal = True
        yield from self._say(value.get("delta"))

    def _take_part_end(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        """Take the whole text of a part of the content, which some servers send without deltas before it."""
        whole = value.get("text", value.get("refusal"))
        self._is_refusal = self._is_refusal or isinstance(value.get("refusal"), str)
        if isinstance(whole, str):
            part = "".join(self._said[self._part_start :])
            yield from self._say(whole[len(part) :] if whole.startswith(part) else "")
        self._part_start = len(self._said)

    def _take_only_part(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        """Take a whole part of the content where no other event has told its text."""
        part = value.get("part")
        if isinstance(part, dict) and part.get("type") in ("output_text", "refusal") and not self._said:
            yield from self._take_part_end(part)

    def _take_annotation(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        if parts := self._attachments.feed({}, {"annotations": [value.get("annotation")]}):
            yield self._make_delta(parts=parts)

    def _take_item(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        """Take the beginning of an item."""
        self._has_content = self._output.add_item(value.get("item"), value) or self._has_content
        yield from ()

    def _take_item_end(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        item = value.get("item")
        self._has_content = self._output.end_item(item, value) or self._has_content
        if isinstance(item, dict) and item.get("type") == "message" and len(self._ended) < MAX_MESSAGES:
            self._ended.append(item)
            yield from self._say_rest(self._ended)
        elif isinstance(item, dict) and item.get("type") == "reasoning":
            yield from self._reason(self._reasoning.end_item(reasoning_of([item])))
        yield from self._attach([item])

    def _take_arguments(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        self._has_content = True
        self._output.add_arguments(value)
        yield from ()

    def _take_arguments_end(self, value: Mapping[str, Any]) -> Iterator[Delta]:
        self._output.end_arguments(value)
        yield from ()

    def _take_response(self, response: Mapping[str, Any]) -> Iterator[Delta]:
        """Take the whole response: at the end of a stream, or in place of one."""
        self._take_model(response)
        self._usage = parse_usage(response.get("usage")) or self._usage
        items = whole_items(response)
        yield from self._complete(items)
        self._other_items |= {read_word(item.get("type")) for item in items} - _READ_ITEMS
        status = response.get("status")
        if status == "failed" or response.get("error"):
            raise self.object_error(_error_of(response))
        self._finish_reason = _read_reason(response) or ("" if items else read_word(status))
        if self._finish_reason:
            yield from self._end(self._finish_reason)

    def _complete(self, items: list[Any]) -> Iterator[Delta]:
        """Yield what the whole output has and the events before it did not."""
        self._has_content = self._output.read_whole(items) or self._has_content
        if not self._reasoning.has_any:
            yield from self._reason(self._reasoning.complete(reasoning_of(items)))
        yield from self._say_rest(items)
        yield from self._attach(items)

    def _say_rest(self, items: list[Any]) -> Iterator[Delta]:
        """Yield what the text of whole items, in order from the first, has more than was said."""
        whole, is_refusal = text_of(items)
        self._is_refusal = self._is_refusal or is_refusal
        said = "".join(self._said)
        if whole.startswith(said):
            yield from self._say(whole[len(said) :])

    def _attach(self, items: Iterable[Any]) -> Iterator[Delta]:
        """Yield the images and sources of whole items that are new."""
        for item in items:
            body = {"annotations": annotations_of(item)} if isinstance(item, dict) else {}
            if isinstance(item, dict) and item.get("type") == "image_generation_call":
                body = {"images": [item]}
            if body and (parts := self._attachments.feed({}, body)):
                self._has_content = True
                yield self._make_delta(parts=parts)

    def _say(self, piece: Any) -> tuple[Delta, ...]:
        piece = piece.get("text") if isinstance(piece, dict) else piece
        if piece is None or piece == "":
            return ()
        if not isinstance(piece, str):
            raise ProtocolError(_("The delta of an event is not text."))
        self._said.append(piece)
        self._has_content = True
        text = self._text.feed(piece)
        if not text:
            return ()
        return (self._make_delta(text) if self._model else Delta(text),)

    def _reason(self, piece: str) -> Iterator[Delta]:
        if piece:
            self._has_content = True
            yield self._make_delta(reasoning=piece)

    def _make_delta(self, text: str = "", **fields: Any) -> Delta:
        """Return a delta, with the model that answers in the first one."""
        model, self._model = self._model, ""
        return Delta(text, model=model, **fields)

    def _is_at_limit(self) -> bool:
        used = self._usage.completion_tokens if self._usage else None
        return self._limit is not None and used is not None and used >= self._limit

    def _take_model(self, response: Mapping[str, Any]) -> None:
        model = response.get("model")
        if isinstance(model, str) and model != self._named_model:
            self._model, self._named_model = model[:MAX_ID], model

    def _release(self) -> Iterator[Delta]:
        text, reasoning = self._text.close(), self._reasoning.close()
        if text or reasoning:
            yield self._make_delta(text, reasoning=reasoning)

    def _end(self, reason: str) -> Iterator[Delta]:
        self._check_ignored_lines()
        yield from self._release()
        self.done = True
        reason = self._finish_reason or reason
        if not self._has_content and self._other_items and is_complete(reason):
            others = ", ".join(sorted(filter(None, self._other_items)))
            raise ProtocolError(
                _(
                    "The response holds no text and no call of a function, only what is not read: {others}.",
                    others=others,
                )
            )
        if self._is_refusal and is_complete(reason):
            reason = REFUSED
        calls = self._output.assemble() if is_complete(reason) else ()
        if reason == "stop" and not calls and self._is_at_limit():
            reason = "max_output_tokens"
        if calls and reason == "stop":
            reason = "tool_calls"
        returned = self._output.returned() if is_complete(reason) else None
        yield self._make_delta(
            finish_reason=reason, usage=self._usage, calls=calls, opaque=OpaqueData(returned) if returned else None
        )


def _with_type(value: Any, event: Event) -> Any:
    """Return an event with its type, which some servers write before it only."""
    is_typed = not isinstance(value, dict) or "type" in value or not event.type.startswith(_PREFIX)
    return value if is_typed else {**value, "type": event.type}


def _error_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return why a response failed, in any of the fields that may say so; some servers leave all of them null."""
    named = (response.get(name) for name in ("error", "last_error", "incomplete_details", "status_details"))
    return {"error": next(filter(None, named), None) or _("The response failed; the server does not say why")}


def _read_reason(response: Mapping[str, Any]) -> str:
    """Return how a response ended: ``"stop"``, or the server's word for what kept it from that; empty if it goes on."""
    status = response.get("status")
    if status == "completed":
        return "stop"
    if status in ("incomplete", "cancelled"):
        details = response.get("incomplete_details")
        return read_word(details.get("reason") if isinstance(details, dict) else None) or str(status)
    return ""


_Handler = Callable[[ResponsesDecoder, Mapping[str, Any]], Iterator[Delta]]
_HANDLERS: Mapping[str, _Handler] = {
    "created": ResponsesDecoder._take_start,
    "in_progress": ResponsesDecoder._take_start,
    "refusal.delta": ResponsesDecoder._take_refusal,
    "refusal.done": ResponsesDecoder._take_part_end,
    "output_text.done": ResponsesDecoder._take_part_end,
    "content_part.done": ResponsesDecoder._take_only_part,
    "output_text.annotation.added": ResponsesDecoder._take_annotation,
    "output_item.added": ResponsesDecoder._take_item,
    "output_item.done": ResponsesDecoder._take_item_end,
    "function_call_arguments.delta": ResponsesDecoder._take_arguments,
    "function_call_arguments.done": ResponsesDecoder._take_arguments_end,
    "custom_tool_call_input.delta": ResponsesDecoder._take_arguments,
    "custom_tool_call_input.done": ResponsesDecoder._take_arguments_end,
}
"""What an event does, by its type without ``response.``; all others are ignored."""

"""Decoder of messages responses (Anthropic), shared by all providers that speak this format. Pure.

Wire facts: the Anthropic API reference, "Create a message", "Streaming messages", "Handling stop reasons" and "Errors",
and observed responses of compatible servers (llama-server, vLLM, Ollama, DeepSeek).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.ending import DEFAULT_LIMIT, MAX_REASON, is_complete, is_refusal, normalise
from ...conversation.messages import Delta, Usage
from ...errors import ProtocolError
from ...language import _
from ...security.foreign_text import quote_line
from .anthropic_blocks import ReturnedBlocks, dump_input
from .attachments import AttachmentCollector
from .error_words import MAX_WORDS
from .errors import address_error, is_error, is_error_event, make_snippet
from .formats import MESSAGES, unwrapped
from .json_text import parse_json
from .model_list import MAX_ID
from .sse import Event, SurrogateJoiner
from .stream_decoder import StreamDecoder, is_end_mark
from .text_template import TextTemplate
from .tool_calls import ToolCallAssembler
from .usage import merge_usage, parse_usage

_WORDS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls"}
"""Stop reasons of a whole reply, in the words of the other dialects: the same reply makes the same turn."""
_DELTAS = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}
"""Field of a delta -> its type, which some servers leave out."""
_FOREIGN = ("choices", "output", "response")
"""Fields that show another format."""


class MessagesDecoder(StreamDecoder):
    """Decodes one response: an event stream, or one JSON object.

    Args:
        tools: Names of the functions that the model may call.
        reply_tool: Name of the tool whose arguments are the reply, where the model is made to call one; else empty.
        has_default_limit: Whether the longest reply (`max_tokens`) is the toolkit's own choice.

    Raises:
        ProtocolError: The response is malformed, or in another format (both methods).
        ServerError, RateLimitError, AuthenticationError, ModelNotFoundError: The response is a 200 that holds an
            error object (both methods).

    Example:
        >>> decoder = MessagesDecoder()
        >>> body = b'{"type": "message", "content": [{"type": "text", "text": "Hi"}], "stop_reason": "end_turn"}'
        >>> [*decoder.feed(body)], [(d.text, d.finish_reason) for d in decoder.close()]
        ([], [('Hi', None), ('', 'stop')])
    """

    format = MESSAGES
    content_name = "content"

    def __init__(self, tools: Iterable[str] = (), *, reply_tool: str = "", has_default_limit: bool = False) -> None:
        super().__init__()
        self._explanation = ""
        self._has_default_limit = has_default_limit
        self._reply_tool = reply_tool
        self._reply_blocks: set[int] = set()
        self._blank_calls: set[int] = set()  # blocks whose `input` is `{}`, with or without deltas to come
        self._blocks = ReturnedBlocks()
        self._attachments = AttachmentCollector()
        self._usage: Usage | None = None
        self._model = ""
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._calls = ToolCallAssembler(tools)
        self._call_count = 0
        self._text_length = 0
        self._template = TextTemplate(("delta", "text"))

    def _take(self, event: Event) -> Iterable[Delta]:
        text = self._template.read(event.data)  # nearly all events are like the one before
        return self._say(text) if text is not None and event.type != "error" else self._take_other(event)

    def _take_other(self, event: Event) -> Iterator[Delta]:
        data = self._data_of(event)
        if is_end_mark(event, data):  # of a gateway to chat completions
            self._is_ended = True
            self._check_oddity()
            yield from self._end("stop")
            return
        if not data:
            return
        value = unwrapped(parse_json(data))
        if not isinstance(value, dict) and (deltas := self._take_joined(event, data, value)) is not None:
            yield from deltas
            return
        if is_error_event(event.type):
            raise self.object_error(value if isinstance(value, dict | list) else {"error": data})
        if value is None:
            self._check_unreadable(data)
            return
        if not isinstance(value, dict):
            raise ProtocolError(_("An event is not a JSON object: {data}", data=make_snippet(data)))
        yield from self._take_event(value, value.get("type") or event.type, data)

    def _take_event(self, value: Mapping[str, Any], kind: Any, data: str) -> Iterator[Delta]:
        """Take one event of the type `kind`; the most frequent types come first."""
        if kind == "content_block_delta":
            delta = _object_in(value, "delta")
            yield from self._take_delta(_index_of(value), delta)
            if delta.get("type") == "text_delta" and delta.get("text") and value.get("type") == kind:
                self._template.learn(data, value)
        elif kind == "content_block_start":
            yield from self._start_block(_index_of(value), _object_in(value, "content_block"))
        elif kind == "content_block_stop":
            yield from self._stop_block(_index_of(value))
        elif kind == "message_start":
            yield from self._take_message(_object_in(value, "message"))
        elif kind == "message_delta":
            yield from self._take_message(value, _object_in(value, "delta"))
        elif kind == "message_stop":
            yield from self._end("stop")
        elif kind == "message" and isinstance(value.get("content", 0), list | str | None):
            yield from self._take_message(value)
            yield from self._end("stop")
        else:
            self._check_unknown(value, data)

    def _check_unknown(self, value: Mapping[str, Any], data: str) -> None:
        """Raise if an event of an unknown type is an error, or the whole response is something else."""
        if is_error(value) and not any(value.get(name) for name in _FOREIGN):
            raise self.object_error(value)
        self._check_format(value)
        if any(name in value for name in _FOREIGN) and not self._has_content:
            raise ProtocolError(
                _("The response is not in the format of the messages API. {data}", data=make_snippet(data))
            )
        if self._body.is_document:
            raise address_error(
                _("The response is JSON without content. Check the base URL. {data}", data=make_snippet(data))
            )
        if value.get("type") != "ping":
            self._oddity = self._oddity or data

    def _take_message(self, message: Mapping[str, Any], ending: Mapping[str, Any] | None = None) -> Iterator[Delta]:
        """Take what a message says of itself, and its content.

        Args:
            message: The message: whole, as it begins, or the event that changes it.
            ending: Where its `stop_reason` stands.
        """
        ending = message if ending is None else ending
        usage = parse_usage(message.get("usage"))
        self._usage = merge_usage(self._usage, usage)
        model = message.get("model")
        named = model[:MAX_ID] if isinstance(model, str) and model != self._model else ""
        self._model = named or self._model
        if usage or named:
            yield Delta(usage=self._usage if usage else None, model=named)
        content = message.get("content")
        if isinstance(content, str) and content:  # as in a request, from some gateways
            content = [{"type": "text", "text": content}]
        for index, block in enumerate(content if isinstance(content, list) else ()):
            if not isinstance(block, dict):
                raise ProtocolError(_("A content block is not a JSON object."))
            yield from self._start_block(index, block)
            yield from self._stop_block(index)
        details = ending.get("stop_details")
        explanation = details.get("explanation") if isinstance(details, dict) else None
        self._explanation = explanation if isinstance(explanation, str) else self._explanation
        reason = ending.get("stop_reason")
        if reason and isinstance(reason, str):
            self._finish_reason = _WORDS.get(reason) or quote_line(reason, MAX_REASON)

    def _start_block(self, index: int, block: Mapping[str, Any]) -> Iterator[Delta]:
        self._blocks.start(index, block)
        kind = block.get("type")
        if kind == "tool_use":
            yield from self._start_call(index, block)
        elif kind == "text":
            yield from self._say(_text_in(block, "text"))
            yield from self._attach({"annotations": block.get("citations")})
        elif kind == "thinking":
            yield from self._think(_text_in(block, "thinking"))
        elif kind == "image":
            yield from self._attach({"content": [block]})

    def _start_call(self, index: int, block: Mapping[str, Any]) -> Iterator[Delta]:
        name, arguments = block.get("name"), dump_input(block.get("input"))
        if self._reply_tool and name == self._reply_tool:
            self._reply_blocks.add(index)
            yield from self._say(arguments)
            return
        self._calls.feed([{"index": index, "id": block.get("id"), "function": {"name": name, "arguments": arguments}}])
        self._call_count += 1
        self._has_content = True
        if block.get("input") == {}:
            self._blank_calls.add(index)

    def _take_delta(self, index: int, delta: Mapping[str, Any]) -> Iterator[Delta]:
        kind = delta.get("type") or next((kind for name, kind in _DELTAS.items() if name in delta), None)
        if kind == "text_delta":
            yield from self._say(_text_in(delta, "text"))
        elif kind == "thinking_delta":
            self._blocks.feed(index, delta)
            yield from self._think(_text_in(delta, "thinking"))
        elif kind == "input_json_delta":
            whole = delta.get("partial_json")
            piece = dump_input(whole) if isinstance(whole, dict) else _text_in(delta, "partial_json")
            if index in self._reply_blocks:
                yield from self._say(piece)
            elif not self._blocks.feed(index, delta) and piece:
                self._blank_calls.discard(index)
                self._calls.feed([{"index": index, "function": {"arguments": piece}}])
        elif kind == "citations_delta":
            yield from self._attach({"annotations": [delta.get("citation")]})
        else:
            self._blocks.feed(index, delta)

    def _stop_block(self, index: int) -> Iterator[Delta]:
        if index in self._blank_calls:  # the block ended without a delta: `{}` is what the model passed
            self._blank_calls.remove(index)
            self._calls.feed([{"index": index, "function": {"arguments": "{}"}}])
        returned = self._blocks.stop(index, text=self._text_length, calls=self._call_count)
        if returned is not None:
            yield Delta(opaque=returned)

    def _say(self, text: str) -> tuple[Delta, ...]:
        text = self._text.feed(text)
        if not text:
            return ()
        self._text_length += len(text)
        self._has_content = True
        return (Delta(text),)

    def _think(self, text: str) -> Iterator[Delta]:
        if text := self._reasoning.feed(text):
            self._has_content = True
            yield Delta(reasoning=text)

    def _attach(self, body: Mapping[str, Any]) -> Iterator[Delta]:
        if parts := self._attachments.feed({}, body):
            self._has_content = True
            yield Delta(parts=parts)

    def _release(self) -> Iterator[Delta]:
        """Yield nothing: no text is held back."""
        yield from ()

    def _end(self, reason: str) -> Iterator[Delta]:
        self.done = True
        reason = self._finish_reason or reason
        if self._has_default_limit and normalise(reason) == "max_tokens":
            reason = DEFAULT_LIMIT
        calls = self._calls.assemble() if is_complete(reason) else ()
        if self._reply_blocks and not calls and is_complete(reason):
            reason = "stop"  # the call was the reply
        text = self._text.close()
        notice = ""
        if self._explanation and is_refusal(reason):
            words = quote_line(self._explanation, MAX_WORDS)
            text, notice = (text, words) if self._has_content else (text + words, "")
        yield Delta(text, self._reasoning.close(), finish_reason=reason, calls=calls, notice=notice)


def _index_of(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    return index if type(index) is int else 0


def _object_in(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if value is None and name in event:  # gateways that send all fields of an event
        return {}
    if not isinstance(value, dict):
        raise ProtocolError(_("The {name} of an event is not a JSON object.", name=name))
    return value


def _text_in(holder: Mapping[str, Any], name: str) -> str:
    value = holder.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(_("The {name} of a content block is not text.", name=name))
    return value

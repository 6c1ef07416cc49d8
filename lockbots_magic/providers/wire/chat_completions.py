"""Decoder of chat-completions responses, shared by all providers that speak this format. Pure.

Wire facts: the OpenAI API reference, "Chat Completions", and observed responses of compatible servers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.ending import REFUSED, is_complete
from ...conversation.messages import Delta, Usage
from ...conversation.opaque_data import OpaqueData
from ...errors import ProtocolError
from ...language import _
from .attachments import AttachmentCollector
from .choices import ChoiceSelector, choice_body, is_plain_text, with_choices_listed
from .content import has_refusal, parse_content, parse_refusal, split_thought
from .echo import EchoFilter
from .errors import address_error, is_error_event, make_snippet
from .finish import read_finish_reason
from .formats import CHAT_COMPLETIONS, unwrapped
from .json_text import parse_json
from .model_list import MAX_ID
from .reasoning_fields import ReasoningReader
from .snapshots import SnapshotFilter
from .sse import Event, SurrogateJoiner
from .stream_decoder import StreamDecoder, is_end_mark
from .text_template import TextTemplate
from .tool_calls import ToolCallAssembler
from .usage import find_usage, merge_usage

_TAGS = re.compile(r"\A\s*<think>\s*|\s*</think>\s*\Z")
"""Tags around reasoning that stands in a field of its own."""


class ChatCompletionsDecoder(StreamDecoder):
    """Decodes one response: an event stream, or one JSON object although a stream was requested.

    Feed it the pieces of the body, then `close` it. Once `done` is true, the rest of the body can be ignored.

    Args:
        tools: Names of the functions that the model may call.
        has_several_choices: Whether the request asks for several replies; the first of them is read.
        sent: Texts of the messages of the request, which some servers send back first.
        reads_call: Whether the only call of a reply without text is the reply: gateways ask for JSON by a function.

    Raises:
        ProtocolError: The response is malformed, or in another format (both methods).
        ServerError, RateLimitError, AuthenticationError, ModelNotFoundError: The response is a 200 that holds an
            error object (both methods).

    Example:
        ::

            decoder = ChatCompletionsDecoder()
            for piece in body:
                yield from decoder.feed(piece)
            yield from decoder.close()
    """

    format = CHAT_COMPLETIONS
    content_name = "choices"

    def __init__(
        self,
        tools: Iterable[str] = (),
        *,
        has_several_choices: bool = False,
        sent: Iterable[str] = (),
        reads_call: bool = False,
    ) -> None:
        super().__init__()
        self._reads_call = reads_call
        self._is_refusal = False
        self._echo = EchoFilter(sent)
        self._choices = ChoiceSelector(has_several=has_several_choices)
        self._new_text = SnapshotFilter()
        self._new_reasoning = SnapshotFilter()
        self._attachments = AttachmentCollector()
        self._usage: Usage | None = None
        self._model = ""
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._reasoning_fields = ReasoningReader()
        self._calls = ToolCallAssembler(tools)
        self._template = TextTemplate(("choices", 0, "delta", "content"), ("id", "created", "obfuscation"))

    def _take(self, event: Event) -> Iterable[Delta]:
        text = self._template.read(event.data)  # nearly all events are like the one before
        if text is not None and event.type != "error":
            text = self._text.feed(self._new_text.feed(text))
            return (Delta(text),) if text else ()
        return self._take_other(event)

    def _take_other(self, event: Event) -> Iterator[Delta]:
        self._template.forget()
        data = self._data_of(event)
        if is_end_mark(event, data):
            self._is_ended = True
            self._check_oddity()
            yield from self._end("stop")
            return
        if not data:
            return
        value = with_choices_listed(unwrapped(parse_json(data)))
        if not isinstance(value, dict) and (deltas := self._take_joined(event, data, value)) is not None:
            yield from deltas
            return
        if is_error_event(event.type):
            raise self.object_error(value if isinstance(value, dict | list) else {"error": data})
        if not isinstance(value, dict):
            self._check_chunk(value, data)
            self._oddity = self._oddity or data
        elif is_plain_text(value) and not self._echo.is_open:
            yield from self._decode_plain_text(value, event.data)
        elif value.get("choices"):
            yield from self._decode_chunk(value)
            self._check_error(value)
        else:
            self._check_chunk(value, data)
            yield from self._decode_chunk(value)

    def _check_chunk(self, value: Any, data: str) -> None:
        """Raise if `value`, written `data`, is not a chunk. One without choices may report usage, or be empty."""
        if value is None:
            self._check_unreadable(data)
            return
        self._check_error(value)
        if value == [] and not self._body.is_document:  # chunks in lists, of which one is empty
            return
        if not isinstance(value, dict):
            raise ProtocolError(_("A chunk is not a JSON object: {data}", data=make_snippet(data)))
        self._check_format(value)
        if self._body.is_document and value.get("choices") is None:
            raise address_error(
                _("The response is JSON without choices. Check the base URL. {data}", data=make_snippet(data))
            )
        self._oddity = self._oddity or ("" if "choices" in value or "usage" in value else data)

    def _end(self, reason: str) -> Iterator[Delta]:
        self._check_ignored_lines()
        yield from self._release()
        self.done = True
        reason = self._finish_reason or reason
        if self._is_refusal and is_complete(reason):
            reason = REFUSED
        calls = self._calls.assemble() if is_complete(reason) else ()
        if self._reads_call and len(calls) == 1 and not self._new_text.has_any:
            yield Delta(calls[0].arguments)
            calls, reason = (), "stop"
        returned = self._reasoning_fields.returned(has_calls=bool(calls))
        opaque = OpaqueData(returned) if returned else None
        yield Delta(self._text.close(), self._reasoning.close(), finish_reason=reason, calls=calls, opaque=opaque)

    def _release(self) -> Iterator[Delta]:
        """Yield what was held until it was known whether it belongs to the reply."""
        for choice in self._choices.close():
            yield from self._decode_choice(choice)
        text = self._text.feed(self._new_text.feed(self._echo.close()) + self._new_text.close())
        reasoning = self._reasoning.feed(self._new_reasoning.close())
        if text or reasoning:
            yield Delta(text, reasoning)

    def _decode_chunk(self, chunk: Mapping[str, Any]) -> Iterator[Delta]:
        usage, parts = self._read_usage(chunk), self._attachments.feed(chunk, {})
        for choice in self._choices.select(chunk.get("choices")):
            for delta in self._decode_choice(choice):
                yield delta._replace(usage=usage, parts=(*delta.parts, *parts), model=self._take_model(chunk))
                usage, parts = None, ()
        if chunk.get("finish_reason"):  # some servers end with it, beside no choice
            self._finish_reason = read_finish_reason(chunk, self._finish_reason)
        if usage or parts:
            yield Delta(usage=usage, parts=parts, model=self._take_model(chunk))
        for choice in chunk.get("choices") or ():
            for holder in (choice, choice.get("delta"), choice.get("message")):
                if isinstance(holder, dict) and holder.get("error"):
                    raise self.object_error({"error": holder["error"]})

    def _decode_plain_text(self, chunk: Mapping[str, Any], data: str) -> Iterable[Delta]:
        """Yield the text of a chunk, written `data`, that holds nothing else."""
        is_last = bool(self._finish_reason)
        (plain,) = chunk["choices"]
        if not is_last and self._has_content and self._choices.continues(plain):
            model = self._take_model(chunk)
            self._template.learn(data, chunk)
            text = self._text.feed(self._new_text.feed(plain["delta"]["content"]))
            return (Delta(text, model=model),) if text or model else ()
        return self._decode_first_text(chunk, plain, is_last=is_last)

    def _decode_first_text(self, chunk: Mapping[str, Any], plain: Any, *, is_last: bool) -> Iterator[Delta]:
        for choice in self._choices.select([plain]):
            if choice is not plain:  # was held before
                yield from self._decode_choice(choice)
            elif text := self._text.feed(self._new_text.feed(choice["delta"]["content"], is_last=is_last)):
                self._has_content = True
                yield Delta(text, model=self._take_model(chunk))

    def _decode_choice(self, choice: Mapping[str, Any]) -> Iterator[Delta]:
        self._finish_reason = read_finish_reason(choice, self._finish_reason)
        body, is_whole = choice_body(choice)
        if self._calls.feed_choice(choice):
            self._has_content = True
        is_last = bool(self._finish_reason)
        content, thought = split_thought(body, parse_content(body.get("content")))
        content = self._echo.feed(body.get("role"), content)
        text = self._new_text.feed(content, is_whole=is_whole, is_last=is_last)
        if has_refusal(body):
            self._is_refusal = True
            text += parse_refusal(body)
        text = self._text.feed(text)
        if reasoning := self._reasoning_fields.feed(body, is_whole=is_whole) or thought:
            reasoning = self._new_reasoning.feed(_TAGS.sub("", reasoning), is_whole=is_whole, is_last=is_last)
            reasoning = self._reasoning.feed(reasoning)
        parts = self._attachments.feed({}, body)
        if text or reasoning or parts:
            self._has_content = True
            yield Delta(text, reasoning, parts=parts)

    def _read_usage(self, chunk: Mapping[str, Any]) -> Usage | None:
        """Return the counts so far, if `chunk` has any."""
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        usage = find_usage(chunk, first)
        if usage is None:
            return None
        self._usage = merge_usage(self._usage, usage)
        return self._usage

    def _take_model(self, chunk: Mapping[str, Any]) -> str:
        """Return the model that a chunk names, once."""
        model = chunk.get("model")
        if model == self._model or not isinstance(model, str):
            return ""
        self._model = model
        return model[:MAX_ID]

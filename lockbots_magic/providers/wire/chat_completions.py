"""Decoder of chat-completions responses, shared by all providers that speak this format. Pure.

Wire facts: the OpenAI API reference, "Chat Completions", and observed responses of compatible servers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ...conversation.messages import Delta
from ...errors import ProtocolError, ProviderError
from .body import BodyDecoder
from .choices import choice_body, first_choice
from .content import parse_content, parse_reasoning
from .errors import is_error, make_snippet, object_error
from .json_text import parse_json
from .sse import Event, SurrogateJoiner
from .tool_calls import ToolCallAssembler
from .usage import parse_usage


class ChatCompletionsDecoder:
    """Decodes one response: an event stream, or one JSON object although a stream was requested.

    Feed it the pieces of the body, then `close` it. Once `done` is true, the rest of the body can be ignored.

    Args:
        tools: Names of the functions that the model may call.

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

    def __init__(self, tools: Iterable[str] = ()) -> None:
        self.done = False
        self._has_content = False
        self._finish_reason: str | None = None
        self._body = BodyDecoder()
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._calls = ToolCallAssembler(tools)

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """Yield the deltas that `piece` completes.

        Args:
            piece: Next bytes of the body, cut anywhere.
        """
        if self.done:
            return
        for event in self._body.feed(piece):
            delta = self._take(event)
            if delta is not None:
                yield delta
            if self.done:
                return
        self._check_ignored_lines()

    def close(self) -> Iterator[Delta]:
        """End the body: yield what is left, and finally a delta with the finish reason."""
        if self.done:
            return
        for event in self._body.close():
            last = self._take(event)
            if last is not None:
                yield last
        if self.done:
            return
        if not self._has_content and not self._finish_reason and self._body.ignored:
            line = self._body.ignored[0]
            value = parse_json(line)
            raise self.object_error(value) if is_error(value) else self.unrecognised_error(line)
        yield self._end("stop" if self._body.is_document else "truncated")

    @property
    def finish_reason(self) -> str | None:
        """Finish reason that the server has sent, if any; with one, the reply is complete."""
        return self._finish_reason

    def unrecognised_error(self, line: str) -> ProviderError:
        """Hook: override to interpret a body that is not an event stream and begins with `line`. Return its error."""
        return ProtocolError(f"The response is not an event stream: {make_snippet(line)}")

    def line_error(self, line: str) -> ProviderError | None:
        """Hook: override for in-band errors in plain lines, which the grammar ignores. Return the error, if any."""
        return None

    def object_error(self, body: Any) -> ProviderError:
        """Hook: override to interpret an error object `body` inside a success. Return its error."""
        return object_error(body)

    def _take(self, event: Event) -> Delta | None:
        data = event.data.strip()
        if data == "[DONE]":
            return self._end("stop")
        if not data:
            return None
        value = parse_json(data)
        if event.type == "error":
            raise self.object_error(value if isinstance(value, dict) else {"error": data})
        if not (isinstance(value, dict) and value.get("choices")) or "error" in value:
            self._check_chunk(value, data)
        return self._decode_chunk(value)

    def _check_chunk(self, value: Any, data: str) -> None:
        """Raise if `value`, written `data`, is not a chunk. One without choices may report usage, or be empty."""
        if value is None:
            raise self.unrecognised_error(data)
        if is_error(value):
            raise self.object_error(value)
        if not isinstance(value, dict):
            raise ProtocolError(f"A chunk is not a JSON object: {make_snippet(data)}")
        if self._body.is_document and value.get("choices") is None:
            raise ProtocolError(f"The response is JSON without choices. Check the base URL. {make_snippet(data)}")

    def _check_ignored_lines(self) -> None:
        if self._has_content:
            return
        for line in self._body.ignored:
            if error := self.line_error(line):
                raise error

    def _end(self, reason: str) -> Delta:
        self._check_ignored_lines()
        self.done = True
        reason = self._finish_reason or reason
        calls = self._calls.assemble() if reason != "truncated" else ()
        return Delta(self._text.close(), self._reasoning.close(), finish_reason=reason, calls=calls)

    def _decode_chunk(self, chunk: Mapping[str, Any]) -> Delta | None:
        choice = first_choice(chunk.get("choices"))
        reason = choice.get("finish_reason")
        if reason and isinstance(reason, str):
            self._finish_reason = reason
        body = choice_body(choice)
        if self._calls.feed_choice(choice):
            self._has_content = True
        text = self._text.feed(parse_content(body.get("content")))
        if reasoning := parse_reasoning(body):
            reasoning = self._reasoning.feed(reasoning)
        reported = chunk.get("usage")
        usage = parse_usage(reported) if reported else None
        if not (text or reasoning or usage):
            return None
        self._has_content = self._has_content or bool(text or reasoning)
        return Delta(text, reasoning, None, usage)

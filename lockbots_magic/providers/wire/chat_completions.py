"""Decoder of chat-completions responses, shared by all providers that speak this format. Pure.

Wire facts: the OpenAI API reference, "Chat Completions", and observed responses of compatible servers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...conversation.messages import Delta, Usage
from ...errors import ProtocolError, ProviderError
from .errors import is_error, make_snippet, object_error, parse_json
from .sse import MAX_EVENT, Event, EventDecoder, MalformedStream, SurrogateJoiner
from .tool_calls import ToolCallAssembler

BLANK = b"\xef\xbb\xbf \t\r\n"
"""Bytes that may precede a response: white space and a byte order mark."""


class ChatCompletionsDecoder:
    """Decodes one response: an event stream, or one JSON object although a stream was requested.

    Feed it the pieces of the body, then `close` it. Once `done` is true, the rest of the body can be ignored.

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

    def __init__(self) -> None:
        self.done = False
        self._started = False
        self._has_content = False
        self._finish_reason: str | None = None
        self._events = EventDecoder()
        self._whole: list[bytes] | None = None
        self._whole_size = 0
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._calls = ToolCallAssembler()

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """Yield the deltas that `piece` completes.

        Args:
            piece: Next bytes of the body, cut anywhere.
        """
        if self.done:
            return
        if not self._started:
            piece = self._start(piece)
        if self._whole is not None:
            self._keep_whole(self._whole, piece)
            return
        try:
            for event in self._events.feed(piece):
                delta = self._take(event)
                if delta is not None:
                    yield delta
                if self.done:
                    return
            self._check_ignored_lines()
        except MalformedStream as error:
            raise ProtocolError(f"The response is malformed: {error}.") from None

    def close(self) -> Iterator[Delta]:
        """End the body: yield what is left, and finally a delta with the finish reason."""
        if self.done:
            return
        last = self._take(Event(_decode(self._whole))) if self._whole is not None else self._close_stream()
        if last is not None:
            yield last
        if not self.done:
            yield self._end("truncated" if self._whole is None else "stop")

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

    def _start(self, piece: bytes) -> bytes:
        """Detect the format of the response by its first byte that is not blank."""
        start = piece.lstrip(BLANK)
        if not start:
            return piece
        self._started = True
        if start.startswith(b"<"):
            raise ProtocolError("The response is a web page. Check the base URL.")
        if start.startswith((b"{", b"[")):
            self._whole = []
            return start
        return piece

    def _keep_whole(self, whole: list[bytes], piece: bytes) -> None:
        self._whole_size += len(piece)
        if self._whole_size > MAX_EVENT:
            raise ProtocolError(f"The response is malformed: more than {MAX_EVENT} bytes of JSON.")
        whole.append(piece)

    def _close_stream(self) -> Delta | None:
        try:
            self._events.close()
        except MalformedStream as error:
            raise ProtocolError(f"The response is malformed: {error}.") from None
        delta = None
        last = self._events.pending  # the blank line after it may be missing
        if last.strip() == "[DONE]" or isinstance(parse_json(last), dict):
            delta = self._take(Event(last))
        if not self.done and not self._has_content and not self._finish_reason and self._events.ignored:
            line = self._events.ignored[0]
            value = parse_json(line)
            raise self.object_error(value) if is_error(value) else self.unrecognised_error(line)
        return delta

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
        if self._whole is not None and value.get("choices") is None:
            raise ProtocolError(f"The response is JSON without choices. Check the base URL. {make_snippet(data)}")

    def _check_ignored_lines(self) -> None:
        if self._has_content:
            return
        for line in self._events.ignored:
            if error := self.line_error(line):
                raise error

    def _end(self, reason: str) -> Delta:
        self._check_ignored_lines()
        self.done = True
        reason = self._finish_reason or reason
        calls = self._calls.assemble() if reason != "truncated" else ()
        return Delta(self._text.close(), self._reasoning.close(), finish_reason=reason, calls=calls)

    def _decode_chunk(self, chunk: Mapping[str, Any]) -> Delta | None:
        choice = _first_choice(chunk.get("choices"))
        if reason := choice.get("finish_reason"):
            self._finish_reason = _string(reason) or self._finish_reason
        body = choice.get("delta") or choice.get("message") or {}
        if not isinstance(body, dict):
            raise ProtocolError("The delta of a chunk is not a JSON object.")
        if tool_calls := body.get("tool_calls"):
            self._calls.feed(tool_calls)
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


def _first_choice(choices: Any) -> Mapping[str, Any]:
    """Return the choice with index 0; the text of others must not mix with it."""
    if choices is None:
        return {}
    if not isinstance(choices, list):
        raise ProtocolError("The choices of a chunk are not a list.")
    for choice in choices:
        if not isinstance(choice, dict):
            raise ProtocolError("A choice of a chunk is not a JSON object.")
        if not choice.get("index"):
            return choice
    return {}


def parse_content(content: Any) -> str:
    """Return the text of a message's content.

    Args:
        content: None, a string, or a list of parts.

    Raises:
        ProtocolError: It is none of these.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(_get_part_text(part) for part in content if not _is_reasoning(part))
    raise ProtocolError("The content of a chunk is neither text nor a list of parts.")


def parse_reasoning(body: Mapping[str, Any]) -> str:
    """Return the reasoning of a message or delta: in a field of its own, or in parts of the content.

    Raises:
        ProtocolError: A part that holds reasoning is malformed.
    """
    reasoning = body.get("reasoning_content") or body.get("reasoning")
    if isinstance(reasoning, str):
        return reasoning
    parts = body.get("content")
    if not isinstance(parts, list):
        return ""
    parts_text = (part.get("thinking") or part.get("text") for part in parts if _is_reasoning(part))
    return "".join(parse_content(text) for text in parts_text)


def _is_reasoning(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in ("thinking", "reasoning")


def _get_part_text(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    if isinstance(text, str) or (text is None and isinstance(part, dict)):
        return text or ""
    raise ProtocolError("A part of the content is malformed.")


def parse_usage(value: Any) -> Usage | None:
    """Return the token counts of a chunk's `usage`; None if it has none."""
    if not isinstance(value, dict):
        return None
    counts = [value.get("prompt_tokens"), value.get("completion_tokens")]
    prompt, completion = (c if type(c) is int and c >= 0 else None for c in counts)
    return None if prompt is None and completion is None else Usage(prompt, completion)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _decode(pieces: list[bytes]) -> str:
    try:
        return b"".join(pieces).decode()
    except UnicodeDecodeError:
        raise ProtocolError("The response is malformed: the text is not UTF-8.") from None

"""The chat-completions dialect: the bytes of an answer -> deltas. Pure, shared by all who speak it.

Wire facts: the OpenAI API reference, "Chat Completions", and what servers that follow it were seen to send.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...conversation.messages import Delta, Usage
from ...errors import ProtocolError, ProviderError
from .errors import error_of, is_error, parsed, snippet
from .sse import MAX_EVENT, Event, EventDecoder, MalformedStream, SurrogateJoiner
from .tool_calls import CallGatherer

BLANK = b"\xef\xbb\xbf \t\r\n"
"""Bytes that may stand before an answer: white space and a byte order mark."""


class ChatCompletions:
    """Reads one answer: an event stream, or one JSON object though a stream was asked for.

    Feed it the pieces of the body, then `close` it. Once `done` is true the rest of the body is of no interest.

    Raises (both methods):
        ProtocolError: the answer is malformed or of another format.
        ServerError, RateLimitError, AuthenticationError, ModelNotFoundError: an error object came in a 200.
    """

    def __init__(self) -> None:
        self.done = False
        self._begun = False
        self._answered = False
        self._finish_reason: str | None = None
        self._events = EventDecoder()
        self._whole: list[bytes] | None = None
        self._whole_size = 0
        self._text = SurrogateJoiner()
        self._reasoning = SurrogateJoiner()
        self._calls = CallGatherer()

    def feed(self, piece: bytes) -> Iterator[Delta]:
        """Yield the deltas that `piece` completes."""
        if self.done:
            return
        if not self._begun:
            piece = self._begin(piece)
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
            self._check_ignored()
        except MalformedStream as error:
            raise ProtocolError(f"the answer is malformed: {error}") from None

    def close(self) -> Iterator[Delta]:
        """The body ended: yield what was left, and last of all a delta with the finish reason."""
        if self.done:
            return
        last = self._take(Event(_decoded(self._whole))) if self._whole is not None else self._close_stream()
        if last is not None:
            yield last
        if not self.done:
            yield self._end("truncated" if self._whole is None else "stop")

    @property
    def finish_reason(self) -> str | None:
        """Why the reply ended, once the server has said so; what comes after it is of no interest."""
        return self._finish_reason

    def unrecognised(self, line: str) -> ProviderError:
        """What to raise when `line` came where events were promised. A dialect of the dialect may know better."""
        return ProtocolError(f"the answer is not an event stream: {snippet(line)}")

    def denial(self, line: str) -> ProviderError | None:
        """What to raise at once for a line that the grammar ignores. A dialect of the dialect may know one."""
        return None

    def reported(self, body: Any) -> ProviderError:
        """What to raise for the error object `body` inside a success. A dialect of the dialect may know better."""
        return error_of(body)

    def _begin(self, piece: bytes) -> bytes:
        """Tell the form of the answer by its first byte that is not blank."""
        start = piece.lstrip(BLANK)
        if not start:
            return piece
        self._begun = True
        if start.startswith(b"<"):
            raise ProtocolError("the answer is a web page, not a reply; check the base URL")
        if start.startswith((b"{", b"[")):
            self._whole = []
            return start
        return piece

    def _keep_whole(self, whole: list[bytes], piece: bytes) -> None:
        self._whole_size += len(piece)
        if self._whole_size > MAX_EVENT:
            raise ProtocolError(f"the answer is malformed: more than {MAX_EVENT} bytes of JSON")
        whole.append(piece)

    def _close_stream(self) -> Delta | None:
        try:
            self._events.close()
        except MalformedStream as error:
            raise ProtocolError(f"the answer is malformed: {error}") from None
        delta = None
        last = self._events.pending  # its blank line is missing: it counts all the same, if it is whole
        if last.strip() == "[DONE]" or isinstance(parsed(last), dict):
            delta = self._take(Event(last))
        if not self.done and not self._answered and not self._finish_reason and self._events.ignored:
            line = self._events.ignored[0]
            value = parsed(line)
            raise self.reported(value) if is_error(value) else self.unrecognised(line)
        return delta

    def _take(self, event: Event) -> Delta | None:
        data = event.data.strip()
        if data == "[DONE]":
            return self._end("stop")
        if not data:
            return None
        value = parsed(data)
        if event.type == "error":
            raise self.reported(value if isinstance(value, dict) else {"error": data})
        if not (isinstance(value, dict) and value.get("choices")) or "error" in value:
            self._check(value, data)
        return self._delta(value)

    def _check(self, value: Any, data: str) -> None:
        """Raise for a `value`, written `data`, that is no chunk; one without choices may report usage, or nothing."""
        if value is None:
            raise self.unrecognised(data)
        if is_error(value):
            raise self.reported(value)
        if not isinstance(value, dict):
            raise ProtocolError(f"a chunk of the answer is no JSON object: {snippet(data)}")
        if self._whole is not None and value.get("choices") is None:
            raise ProtocolError(f"the answer is JSON without choices; check the base URL: {snippet(data)}")

    def _check_ignored(self) -> None:
        if self._answered:
            return
        for line in self._events.ignored:
            if error := self.denial(line):
                raise error

    def _end(self, reason: str) -> Delta:
        self._check_ignored()
        self.done = True
        reason = self._finish_reason or reason
        calls = self._calls.whole() if reason != "truncated" else ()
        return Delta(self._text.close(), self._reasoning.close(), finish_reason=reason, calls=calls)

    def _delta(self, chunk: Mapping[str, Any]) -> Delta | None:
        choice = _first_choice(chunk.get("choices"))
        if reason := choice.get("finish_reason"):
            self._finish_reason = _string(reason) or self._finish_reason
        body = choice.get("delta") or choice.get("message") or {}
        if not isinstance(body, dict):
            raise ProtocolError("a chunk's delta is no JSON object")
        if asked := body.get("tool_calls"):
            self._calls.take(asked)
            self._answered = True
        text = self._text.feed(content_text(body.get("content")))
        if thought := reasoning_of(body):
            thought = self._reasoning.feed(thought)
        reported = chunk.get("usage")
        usage = usage_of(reported) if reported else None
        if not (text or thought or usage):
            return None
        self._answered = self._answered or bool(text or thought)
        return Delta(text, thought, None, usage)


def _first_choice(choices: Any) -> Mapping[str, Any]:
    """The choice that is shown; another one's text must not mix with it."""
    if choices is None:
        return {}
    if not isinstance(choices, list):
        raise ProtocolError("the choices of a chunk are no list")
    for choice in choices:
        if not isinstance(choice, dict):
            raise ProtocolError("a choice of a chunk is no JSON object")
        if not choice.get("index"):
            return choice
    return {}


def content_text(content: Any) -> str:
    """Return the text of a message's content: null, a string, or a list of parts.

    Raises:
        ProtocolError: it is none of these.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(_part_text(part) for part in content if not _is_thought(part))
    raise ProtocolError("the content of a chunk is neither text nor a list of parts")


def reasoning_of(body: Mapping[str, Any]) -> str:
    """Return the reasoning in a message or delta: beside its content, or among the parts of it.

    Raises:
        ProtocolError: a part that should hold reasoning is malformed.
    """
    beside = body.get("reasoning_content") or body.get("reasoning")
    if isinstance(beside, str):
        return beside
    parts = body.get("content")
    if not isinstance(parts, list):
        return ""
    thoughts = (part.get("thinking") or part.get("text") for part in parts if _is_thought(part))
    return "".join(content_text(thought) for thought in thoughts)


def _is_thought(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") in ("thinking", "reasoning")


def _part_text(part: Any) -> str:
    text = part.get("text") if isinstance(part, dict) else part
    if isinstance(text, str) or (text is None and isinstance(part, dict)):
        return text or ""
    raise ProtocolError("a part of the content is malformed")


def usage_of(value: Any) -> Usage | None:
    """Return the token counts that a chunk reports, if it does."""
    if not isinstance(value, dict):
        return None
    counts = [value.get("prompt_tokens"), value.get("completion_tokens")]
    prompt, completion = (c if type(c) is int and c >= 0 else None for c in counts)
    return None if prompt is None and completion is None else Usage(prompt, completion)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _decoded(pieces: list[bytes]) -> str:
    try:
        return b"".join(pieces).decode()
    except UnicodeDecodeError:
        raise ProtocolError("the answer is malformed: the text is not UTF-8") from None

"""One question and the answer as it came, and both as a line of JSON. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from .. import errors
from ..conversation.messages import ChatRequest, Delta, Message, ToolCall, Usage
from ..errors import HTTPStatusError, ProviderError
from ..security.secrets import redacted, secrets_in

Ending = Literal["complete", "interrupted", "cancelled", "error"]
Thread = tuple[str, ...]
"""Messages, flat: role, content, role, content ..."""
Row = list[Any]
LONGEST = 86_400
"""The longest that a reply may have taken, s."""


@dataclass(frozen=True)
class Question:
    """What decides an answer: neither the machine nor the address nor the credential."""

    provider: str
    model: str
    messages: tuple[Message, ...]
    params: str = "{}"
    """As JSON, names in order."""

    @classmethod
    def of(cls, provider: str, model: str, request: ChatRequest) -> Question:
        """The question that `request` asks, without any credential that is in use."""
        asked = {**request.params, **({"tools": [tool.to_dict() for tool in request.tools]} if request.tools else {})}
        params = json.dumps(asked, ensure_ascii=False, sort_keys=True, default=_described)
        messages = request.messages
        if secrets_in("\n".join([m.content for m in messages])):  # at once: a talk has thousands
            messages = tuple(replace(m, content=redacted(m.content)) for m in messages)
        if not all(_is_plain(m) for m in messages):
            messages = tuple(map(_noted, messages))
        return cls(provider, model, messages, redacted(params))

    @cached_property
    def thread(self) -> Thread:
        """The messages, flat."""
        return _flat(self.messages)

    @property
    def key(self) -> tuple[str, str, str, Thread]:
        """The same for the same question, whoever asks."""
        return self.provider, self.model, self.params, self.thread


@dataclass(frozen=True)
class Recording:
    """A question, its answer and when it came, and how that ended."""

    question: Question
    reply: str = ""
    reasoning: str = ""
    rhythm: Sequence[Row] = ()
    """See `rhythm_of`."""
    ended: Ending = "complete"
    finish_reason: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    usage: Usage | None = None
    default: bool = False
    """Whether the server was asked which model to take."""
    id: str = ""
    calls: tuple[ToolCall, ...] = ()
    """The functions that it wants called."""

    @cached_property
    def messages(self) -> tuple[Message, ...]:
        """The messages of the question and the reply: what the next question begins with."""
        return (*self.question.messages, Message("assistant", self.reply, calls=self.calls))

    @cached_property
    def thread(self) -> Thread:
        """The same, flat."""
        return (*self.question.thread, *_flat(self.messages[-1:]))

    def deltas(self) -> Iterator[tuple[float, Delta]]:
        """The deltas, each with when it came (s), up to the end of a reply that came to one.

        A reply edited by hand keeps its new text; what the rhythm does not tell of comes at the end.
        """
        left = {"text": self.reply, "reasoning": self.reasoning}
        at = 0.0
        for milliseconds, *pieces in self.rhythm:
            at = milliseconds / 1000
            kind = pieces.pop(0) if pieces and isinstance(pieces[0], str) else "text"
            for piece in pieces:
                if kind == "notice":
                    yield at, Delta(notice=str(piece))
                elif text := left[kind][: max(piece, 0)]:
                    left[kind] = left[kind][len(text) :]
                    yield at, _delta(kind, text)
        for kind, text in left.items():
            if text:
                yield at, _delta(kind, text)
        if self.ended == "complete":
            yield at, Delta(finish_reason=self.finish_reason or None, usage=self.usage, calls=self.calls)

    def failure(self) -> ProviderError:
        """The error that ended it."""
        kind = getattr(errors, str(self.error.get("type")), ProviderError)
        kind = kind if isinstance(kind, type) and issubclass(kind, ProviderError) else ProviderError
        known = {"status": int, "retry_after": int | float} if issubclass(kind, HTTPStatusError) else {}
        details = {name: self.error[name] for name, of in known.items() if isinstance(self.error.get(name), of)}
        question = self.question
        about = {"provider": question.provider, "model": question.model, "partial": self.reply}
        return kind(str(self.error.get("message", "")), **about, **details)

    def to_line(self, following: Recording | None = None) -> str:
        """The recording as one line of JSON, without the newline.

        Args:
            following: one whose messages and reply this one's begin with: they are not repeated.
        """
        question = self.question
        request = {
            "provider": question.provider,
            "model": question.model,
            **({"default": True} if self.default else {}),
            "messages": [m.to_dict() for m in question.messages[len(following.messages) if following else 0 :]],
            "params": json.loads(question.params),
        }
        line = {
            "id": self.id,
            **({"after": following.id} if following else {}),
            "request": request,
            "reply": self.reply,
            **({"reasoning": self.reasoning} if self.reasoning else {}),
            "ended": self.ended,
            **({"finish_reason": self.finish_reason} if self.finish_reason else {}),
            **({"error": dict(self.error)} if self.error else {}),
            **({"usage": asdict(self.usage)} if self.usage else {}),
            **({"calls": [call.to_dict() for call in self.calls]} if self.calls else {}),
            "rhythm": self.rhythm,
        }
        return json.dumps(line, ensure_ascii=False)

    @classmethod
    def from_line(cls, line: Mapping[str, Any], following: Recording | None = None) -> Recording:
        """The recording that a line describes.

        Args:
            line: its JSON object.
            following: the recording that it follows.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it describes none.
        """
        request, ended = line["request"], line["ended"]
        if ended not in get_args(Ending):
            raise ValueError(f"a reply can't have ended {ended!r}")
        params = json.dumps(request.get("params", {}), ensure_ascii=False, sort_keys=True)
        said = tuple(map(Message.of, request["messages"]))
        question = Question(
            _text(request["provider"]),
            _text(request["model"]),
            (*following.messages, *said) if following else said,
            params,
        )
        if following:  # in a long talk, what went before is made once
            vars(question)["thread"] = (*following.thread, *_flat(said))
        return cls(
            question,
            _text(line["reply"]),
            _text(line.get("reasoning", "")),
            _checked(line["rhythm"]),
            ended,
            _text(line.get("finish_reason", "")),
            dict(line.get("error", {})),
            _usage(line.get("usage")),
            bool(request.get("default")),
            _text(line.get("id", "")),
            Message.of({"role": "assistant", "content": "", "tool_calls": line.get("calls")}).calls,
        )

    def digest(self) -> str:
        """A short name made of the content; how fast it came is none of it."""
        content = replace(self, id="", rhythm=()).to_line()
        return hashlib.blake2b(content.encode("utf-8", "backslashreplace"), digest_size=6).hexdigest()


def _is_plain(message: Message) -> bool:
    return not (message.images or message.calls)


def _noted(message: Message) -> Message:
    """A message as a cassette knows it: of an image the digest, of calls what no credential is in."""
    images = tuple(f"sha256:{hashlib.sha256(url.encode()).hexdigest()}" for url in message.images)
    calls = tuple(call._replace(arguments=redacted(call.arguments), result=None) for call in message.calls)
    return replace(message, images=images, calls=calls)


def _flat(messages: Iterable[Message]) -> Thread:
    return tuple([part for m in messages for part in (m.role, m.content if _is_plain(m) else json.dumps(m.to_dict()))])


def rhythm_of(deltas: Iterable[tuple[float, Delta]], elapsed: float) -> list[Row]:
    """When how much came.

    Args:
        deltas: each with when it came (s).
        elapsed: until the end (s).

    Returns:
        Rows of milliseconds and lengths (characters) of what came then. Reasoning has its kind between them, and so
        have notices, which stand there themselves. The last row is the end.
    """
    rows: list[Row] = []
    last: tuple[int, str] = (-1, "")
    for at, delta in deltas:
        for kind, text in (("reasoning", delta.reasoning), ("text", delta.text), ("notice", delta.notice)):
            if text:
                if last != (round(at * 1000), kind):
                    last = (round(at * 1000), kind)
                    rows.append([last[0]] if kind == "text" else [*last])
                rows[-1].append(text if kind == "notice" else len(text))
    return [*rows, [round(elapsed * 1000)]]


def described(error: Exception, base_url: str) -> dict[str, Any]:
    """What a recording says of an error: no address, no path of a machine, no credential."""
    known = isinstance(error, ProviderError)
    message = str(error) if known else f"{type(error).__name__}: {error}"
    details = {name: getattr(error, name, None) for name in ("status", "retry_after")}
    return {
        "type": type(error).__name__ if known else "ProviderError",
        "message": anonymous(message, base_url),
        **{name: value for name, value in details.items() if value is not None},
    }


_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>]+", re.IGNORECASE)
_PATH = re.compile(
    r"""(?<=['"])(?:~?/|[A-Za-z]:[\\/]|\\\\)[^'"\n]+(?=['"])  # quoted, perhaps with spaces
    | (?<![\w/.~])~?(?:/[\w.@+~-]+)+/?
    | (?<!\w)[A-Za-z]:[\\/][^\s'"<>|]+
    | (?<!\w)\\\\[\w.-]+\\[^\s'"<>|]+""",
    re.VERBOSE,
)


def anonymous(text: str, base_url: str) -> str:
    """Return the toolkit's own words without addresses, paths and credentials, so that they fit any machine."""
    parts = urlsplit(base_url)
    text = _ADDRESS.sub("<address>", redacted(text))
    for place in filter(None, (parts.netloc, parts.hostname)):
        text = re.sub(rf"(?<![\w.-]){re.escape(place)}(?![\w-])", "the server", text)
    return _PATH.sub("<path>", text)


def _described(value: Any) -> str:
    """A parameter that is no JSON; its repr may hold an address in memory or a path."""
    return f"<{type(value).__name__}>"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be text")
    return value


def _checked(rhythm: Any) -> list[Row]:
    """Return `rhythm` if it is rows of milliseconds and lengths, as `rhythm_of` makes them."""
    for at, *pieces in rhythm:
        if type(at) not in (int, float) or not 0 <= at <= LONGEST * 1000:
            raise ValueError(f"{at!r:.40} is no time (ms)")
        kind = pieces[0] if pieces and isinstance(pieces[0], str) else ""
        if kind not in ("", "reasoning", "notice"):
            raise ValueError(f"{kind!r:.40} is no kind of text")
        wanted = str if kind == "notice" else int
        if not all(type(piece) is wanted for piece in pieces[bool(kind) :]):
            raise ValueError("a rhythm is rows of milliseconds and lengths")
    return list(rhythm)


def _usage(value: Any) -> Usage | None:
    if not value:
        return None
    usage = Usage(**value)
    if not all(n is None or type(n) is int for n in (usage.prompt_tokens, usage.completion_tokens)):
        raise TypeError("usage counts tokens")
    return usage


def _delta(kind: str, text: str) -> Delta:
    return Delta(text) if kind == "text" else Delta(reasoning=text)

"""CassetteProvider: wraps a provider, replays recorded answers, and records the others."""

from __future__ import annotations

import copy
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ..conversation.cancellation import Cancellation
from ..conversation.messages import CellOrigin, ChatRequest, Delta, Message, ModelInfo, Tool, ToolCall
from ..conversation.parts import map_strings
from ..errors import Cancelled, ProviderError, UsageError
from ..language import _
from ..providers.base import Provider
from ..providers.streaming import closing_stream, read_stream
from ..providers.wire.model_list import ModelList
from ..security.exits import clean_printed
from ..security.redaction import redacted
from .anonymize import anonymize, describe_error
from .cassette import Cassette, NotKeptError
from .recording import Ending, Recording
from .request import RecordedRequest
from .rhythm import rhythm_of


class CassetteProvider(Provider):
    """A provider behind a cassette.

    Every attribute that this class does not define itself is the wrapped provider's: declarations, settings, and
    methods that a plug-in overrides or adds.

    Args:
        provider: Provider that gets the requests the cassette has no answer to.
        cassette: Cassette that replays and records.
    """

    provider: Provider
    cassette: Cassette

    def __init__(self, provider: Provider, cassette: Cassette) -> None:
        self.provider = provider
        self.cassette = cassette

    def __repr__(self) -> str:
        return f"CassetteProvider({self.provider!r}, {self.cassette!r})"

    def __copy__(self) -> CassetteProvider:
        return CassetteProvider(copy.copy(self.provider), self.cassette)

    def __deepcopy__(self, memo: dict[int, Any]) -> CassetteProvider:
        return CassetteProvider(copy.deepcopy(self.provider, memo), self.cassette)

    def __reduce__(self) -> tuple[Any, ...]:
        return CassetteProvider, (self.provider, self.cassette)

    def __getattribute__(self, name: str) -> Any:
        # Not `__getattr__`: what the base class defines would be found first, and hide the wrapped provider's.
        own = name.startswith("__") or name in _OWN
        return object.__getattribute__(self if own else object.__getattribute__(self, "provider"), name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _OWN:
            object.__setattr__(self, name, value)
        else:
            setattr(self.provider, name, value)

    def resolved(self, model: str, cancellation: Cancellation) -> ModelInfo:
        """Return what is known about `model`; the default model may be recorded on the cassette."""
        info = self.provider.model_info(model)
        if info.id:
            return info
        if recorded := self.cassette.default_model(self.name):
            return self.provider.model_info(recorded)
        asked = self.provider.resolved(model, cancellation)
        self.cassette.defaults[self.name] = redacted(asked.id)
        return asked

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[Message, ...]:
        """Return the recorded results of tool calls; empty if they are to be called."""
        model = self.resolved(request.model, request.cancellation).id
        whole = replace(request, messages=(*request.messages, calls))
        return self.cassette.results(RecordedRequest.from_request(self.name, model, whole), request.asker)

    def recorded_tools(self, key: str) -> tuple[Tool, ...] | None:
        """Return the recorded list of tools that goes by `key`; None if the server is to be asked."""
        return self.cassette.tools(key)

    def record_tools(self, key: str, tools: tuple[Tool, ...]) -> None:
        """Record the list of tools that a server gave; a list that can't be written is warned of."""
        try:
            self.cassette.keep_tools(key, tools)
        except NotKeptError as error:
            lost = _(
                "The tools of {key} were not recorded in {name}: {error}",
                key=key,
                name=self.cassette.path.name,
                error=error,
            )
            warnings.warn(clean_printed(lost), stacklevel=2)

    def list_models(self) -> list[ModelInfo]:
        """Return the models on offer; in replay mode those of the provider's table, as no server may be asked."""
        if self.cassette.mode == "replay":
            return list(self.provider.models.values())
        return self.provider.list_models()

    def model_list(self) -> ModelList:
        """Return the models on offer, as `list_models` does."""
        if self.cassette.mode == "replay":
            return ModelList(tuple(self.provider.models.values()))
        return self.provider.model_list()

    def ready(self) -> None:
        """Check the credential, if every request is sent; otherwise it is checked when one is."""
        if self.cassette.sends_all:
            self.provider.ready()

    def address_notice(self) -> str:
        """Return nothing: a replayed reply is sent nowhere, and one that is asked for tells it itself."""
        return ""

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the recorded reply, or the provider's.

        Raises:
            NotRecordedError: If the mode is ``"replay"`` and the cassette has no answer.
            ProviderError: As recorded, or as the provider raises it.
            Cancelled: If the request is cancelled, or the recorded reply was.
            KeyboardInterrupt: If the recorded reply was interrupted.
        """
        request.report.replaying = self.cassette.mode == "replay"
        model = self.resolved(request.model, request.cancellation).id
        recorded = RecordedRequest.from_request(self.name, model, request)
        recording = self.cassette.answer(recorded, request.asker)
        if recording is None:
            return self._stream_and_record(recorded, replace(request, model=model))
        return self._replay(recording, request)

    def _replay(self, recording: Recording, request: ChatRequest) -> Iterator[Delta]:
        speed = self.cassette.speed
        if speed is None:
            speed = 1.0 if request.origin.watched else 0.0
        started = time.monotonic()
        for at, delta in recording.deltas():
            pause = at / speed - (time.monotonic() - started) if speed else 0.0
            if request.cancellation.wait(max(pause, 0.0)):
                raise Cancelled
            yield delta
        request.report.replies.append(recording.about())
        if recording.ended == "interrupted":
            raise KeyboardInterrupt
        if recording.ended == "cancelled":
            raise Cancelled
        if recording.ended == "error":
            raise recording.failure()

    def _stream_and_record(self, recorded: RecordedRequest, request: ChatRequest) -> Iterator[Delta]:
        self.provider.ready()  # a missing credential is not recorded
        is_default = self.cassette.defaults.get(self.name) == recorded.model
        recorder = _Recorder(recorded, request, self.base_url, is_default=is_default)
        if notice := self.provider.address_notice():  # of this machine, so it is not recorded
            yield Delta(notice=notice)
        try:
            with closing_stream(read_stream(self.provider, request)) as deltas:
                for delta in deltas:
                    recorder.add(delta)
                    yield delta
        except UsageError:
            raise  # nothing was sent
        except KeyboardInterrupt:
            self._keep(recorder.recording("interrupted"), request)
            raise
        except (GeneratorExit, Cancelled):
            self._keep(recorder.recording("cancelled"), request)
            raise
        except Exception as error:
            self._keep(recorder.recording("error", error), request)
            if isinstance(error, ProviderError):  # the same text as in replay
                error.args = (anonymize(str(error), self.base_url),)
            raise
        self._keep(recorder.recording("complete"), request)

    def _keep(self, recording: Recording, request: ChatRequest) -> None:
        """Record a reply, or report why it was not recorded: the reply is worth more than its recording."""
        try:
            kept = self.cassette.keep(recording, request.asker)
        except NotKeptError as error:
            lost = _("This reply was not recorded in {name}: {error}", name=self.cassette.path.name, error=error)
            request.report.lost.append(lost)
            if request.origin == CellOrigin():  # no cell shows it
                warnings.warn(clean_printed(lost), stacklevel=2)
        else:
            request.report.replies.append(kept.about())


_OWN = frozenset({"provider", "cassette", *(name for name in vars(CassetteProvider) if not name.startswith("__"))})
"""Attributes that are not the wrapped provider's."""


class _Recorder:
    """Collects the deltas of one reply with their times."""

    def __init__(self, recorded: RecordedRequest, request: ChatRequest, base_url: str, *, is_default: bool) -> None:
        self._request = recorded
        self._conversation = request.conversation_id
        self._sent = round(time.time(), 3)
        self._base_url = base_url
        self._is_default = is_default
        self._started = time.monotonic()
        self._deltas: list[tuple[float, Delta]] = []

    def add(self, delta: Delta) -> None:
        """Add a delta that arrives now."""
        self._deltas.append((time.monotonic() - self._started, delta))

    def recording(self, ended: Ending, error: Exception | None = None) -> Recording:
        """Return the recording of the reply so far."""
        elapsed = time.monotonic() - self._started
        timed = [
            (at, d._replace(notice=anonymize(d.notice, self._base_url), parts=map_strings(d.parts, redacted)))
            for at, d in _without_retracted(self._deltas)
        ]
        deltas = [delta for _unused, delta in timed]
        return Recording(
            self._request,
            redacted("".join(d.text for d in deltas)),
            redacted("".join(d.reasoning for d in deltas)),
            rhythm_of(timed, elapsed),
            ended,
            next((d.finish_reason for d in reversed(deltas) if d.finish_reason), ""),
            {} if error is None else describe_error(error, self._base_url),
            next((d.usage for d in reversed(deltas) if d.usage), None),
            self._is_default,
            calls=tuple(_redacted_call(call) for d in deltas for call in d.calls),
            answered_by=next((redacted(d.model) for d in reversed(deltas) if d.model), ""),
            opaque=tuple(map_strings(d.opaque, redacted) for d in deltas if d.opaque),
            started=self._sent,
            conversation=self._conversation,
        )


def _redacted_call(call: ToolCall) -> ToolCall:
    return call._replace(arguments=redacted(call.arguments), opaque=map_strings(call.opaque, redacted))


def _without_retracted(timed: list[tuple[float, Delta]]) -> list[tuple[float, Delta]]:
    """Return the deltas with retracted text as what it was: reasoning."""
    last = max((n for n, (_unused, delta) in enumerate(timed) if delta.retracts), default=0)
    retracted = [(at, d._replace(text="", reasoning=d.reasoning + d.text)) for at, d in timed[:last]]
    return retracted + [(at, d._replace(retracts=False)) for at, d in timed[last:]]

"""The tool loop: requests, and between them the calls that the model asks for, until it answers or hits a limit."""

from __future__ import annotations

import itertools
import json
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import monotonic
from typing import Protocol

from ..conversation.call_messages import reasoning_to_return, rename_calls, result_message
from ..conversation.call_text import describe_call
from ..conversation.ending import TEXT_CALL, TOO_MANY_SECONDS, is_complete
from ..conversation.messages import ChatRequest, Delta, Message, ToolCall, Usage
from ..conversation.parts import ReasoningPart
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, NotRecordedError
from ..language import N_, SOURCE, _, speaking
from ..providers.streaming import Streams, closing_stream, read_stream
from ..schema.json_values import shorten
from ..security.redaction import redacted
from .approval import Approval, ProposedCall, proposed
from .limits import Limits, Spent
from .results import bounded_output
from .running import CallsStoppedError, Job, RunningCalls
from .text_calls import holds_channel_call, holds_text_call
from .tool_source import ToolOutput
from .toolbox import Toolbox, ToolEntry

_NO_RESULT = N_(
    "The cassette asks for {call}, but lacks the result; a recorded call is never made."
    " Record the reply again: mode 'record', or `%lockbots record`."
)


class ToolProvider(Streams, Protocol):
    """The part of a `Provider` that the loop needs."""

    def check_parts(self, request: ChatRequest) -> None:
        """Raise `UsageError` if a part of the request is not supported; see `Provider.check_parts`."""

    def sees(self, model: str) -> bool:
        """Whether `model` accepts images; see `Provider.sees`."""

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[Message, ...]:
        """Return recorded results of `calls`; see `Provider.recorded_results`."""


@dataclass
class ToolLoop:
    """One reply with tools. `stream` runs it, once.

    Args:
        toolbox: What the model may call.
        approval: Decides which calls are made.
        spent: Counts against the limits.
    """

    toolbox: Toolbox
    approval: Approval = field(default_factory=Approval)
    spent: Spent = field(default_factory=lambda: Spent(Limits()))

    def stream(self, provider: ToolProvider, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it streams. The calls of a round are announced together, and follow with their results.

        The usage of all rounds is yielded once, at the end, with the last finish reason: that of a limit if one was
        reached. Calls of a reply that was cut short, or that are written as text, are not made. An invalid call, one
        that is not approved and a function that fails are reported to the model. Where a cassette asks for calls, no
        function is called: it holds the results.

        Raises:
            UsageError: If the provider can't call functions, or the policy of approval failed.
            NotRecordedError: If a cassette asks for calls and lacks their results.
            Cancelled: If the request was cancelled.
            ProviderError: As the provider raises it.
        """
        request = replace(request, tools=self.toolbox.tools)
        provider.check_parts(request)
        usage: Usage | None = None
        for rounds in itertools.count():
            answer = _Answer()
            yield from self._read(provider, request, answer)
            read = answer.read
            usage = usage + read.usage if usage and read.usage else usage or read.usage
            self.spent.add(request, read.text, read.usage)
            finish_reason = answer.cut_by or read.finish_reason or None
            if answer.cut_by or not is_complete(finish_reason):
                break
            if not answer.asked:
                finish_reason = TEXT_CALL if self._is_text_call(read) else finish_reason
                break
            if reached := self.spent.reached(rounds):
                finish_reason = reached
                yield Delta(notice=_("Stopped at {limit}.", limit=self.spent.limits.describe(reached)))
                break
            message = _message_of(answer, request)
            results = yield from self._make_calls(provider, request, message, answer, begins_round=rounds > 0)
            if results is None:
                finish_reason = TOO_MANY_SECONDS
                break
            request = replace(request, messages=(*request.messages, message, *results))
        yield Delta(finish_reason=finish_reason, usage=usage)

    def _is_text_call(self, read: TurnAccumulator) -> bool:
        """Whether an answer is a call that its server did not read."""
        names = self.toolbox.entries
        if read.only_reasoned and read.rounds:
            thoughts = (part.text for part in read.rounds[-1].parts if isinstance(part, ReasoningPart))
            return holds_channel_call("".join(thoughts), names)
        return holds_text_call(read.text, names)

    def _read(self, provider: ToolProvider, request: ChatRequest, answer: _Answer) -> Iterator[Delta]:
        """Yield one answer without its calls, usage and end, which `answer` holds then."""
        with closing_stream(read_stream(provider, request)) as deltas:
            for delta in deltas:
                answer.add(delta)
                step = delta._replace(finish_reason=None, usage=None, calls=(), is_replayed=False)
                if step != Delta():
                    yield step
                if self.spent.seconds_left <= 0:
                    answer.cut_by = TOO_MANY_SECONDS
                    return

    def _make_calls(
        self, provider: ToolProvider, request: ChatRequest, message: Message, answer: _Answer, *, begins_round: bool
    ) -> Generator[Delta, None, list[Message] | None]:
        """Yield the calls of a round, asked for and then with their results.

        Returns:
            The messages that tell the model; None if the time was over.
        """
        if request.cancellation.cancelled:
            raise Cancelled
        announced = Delta(calls=message.calls, begins_round=begins_round)
        recorded = provider.recorded_results(request, message)
        if answer.is_replayed and len(recorded) < len(message.calls):
            call = message.calls[0]
            raise NotRecordedError(_(_NO_RESULT, call=describe_call(call.name, call.arguments)))
        if recorded:
            yield announced
            return (yield from _replay(message.calls, recorded))
        sees = provider.sees(request.model)
        one = _Round(self.toolbox, message.calls, sees=sees)
        one.decide(self.approval, self.spent)  # first: a question is not to stand below calls that seem to run
        yield announced
        is_late = yield from self._run(one, request)
        if is_late:
            return None
        finished = (call for call in one.finished if call is not None)
        return [result_message(call if sees else call._replace(images=())) for call in finished]

    def _run(self, one: _Round, request: ChatRequest) -> Generator[Delta, None, bool]:
        """Run the calls of a round; return True if the time was over before they had ended."""
        if refused := tuple(call for call in one.finished if call is not None):
            yield Delta(calls=refused)
        cancellation = request.cancellation
        try:
            for job in RunningCalls(one.jobs, cancellation, lambda: self.spent.seconds_left):
                yield Delta(calls=(one.finish(job),))
        except (KeyboardInterrupt, CallsStoppedError) as error:  # the calls may have had effects: the turn records them
            if stopped := tuple(one.stop()):
                yield Delta(calls=stopped)
            if isinstance(error, KeyboardInterrupt):
                raise
            if cancellation.cancelled:
                raise Cancelled from None
            yield Delta(notice=_("Stopped at {limit}.", limit=self.spent.limits.describe(TOO_MANY_SECONDS)))
            return True
        return False


class _Answer:
    """One answer of the model while it is read."""

    def __init__(self) -> None:
        self.read = TurnAccumulator()
        self.asked: list[ToolCall] = []
        self.is_replayed = False
        self.cut_by = ""
        """Finish reason of the limit that ended it."""

    def add(self, delta: Delta) -> None:
        self.read.add(delta)
        self.asked += [call._replace(arguments=redacted(call.arguments)) for call in delta.calls]  # they are sent back
        self.is_replayed = self.is_replayed or delta.is_replayed


def _message_of(answer: _Answer, request: ChatRequest) -> Message:
    """Return the answer as a message of the next request."""
    calls = rename_calls(answer.asked, (call.id for message in request.messages for call in message.calls))
    reasoning, opaque = reasoning_to_return(answer.read.rounds[-1])
    return Message("assistant", answer.read.text, calls=calls, reasoning=reasoning, opaque=opaque)


def _replay(calls: Sequence[ToolCall], recorded: Sequence[Message]) -> Generator[Delta, None, list[Message]]:
    """Yield the calls with their recorded results, and return these as messages."""
    results = [replace(result, call_id=call.id) for call, result in zip(calls, recorded, strict=False)]
    for call, result in zip(calls, results, strict=True):
        about = {"elapsed": result.elapsed, "approved_by": result.approved_by, "images": result.images}
        yield Delta(calls=(call._replace(result=result.content, **about),))  # type: ignore[arg-type]  # mixed
    return results


class _Round:
    """The calls of one round: which are made, and what came of each.

    Args:
        toolbox: What the model may call.
        calls: The calls, in order.
        sees: Whether the model takes images.
    """

    def __init__(self, toolbox: Toolbox, calls: Sequence[ToolCall], *, sees: bool) -> None:
        self._toolbox = toolbox
        self._calls = calls
        self._sees = sees
        self._approved_by: dict[int, str] = {}
        self._changed: dict[int, ProposedCall] = {}
        self.finished: list[ToolCall | None] = [None] * len(calls)
        """The calls with their results; None for those that have none yet."""
        self.jobs: list[Job] = []
        """The calls to make."""

    def decide(self, approval: Approval, spent: Spent) -> None:
        """Decide about the calls, one by one; those that are not to be made are finished then.

        Raises:
            UsageError: If the policy failed.
            KeyboardInterrupt, Cancelled: If the user stopped the reply while it was asked.
        """
        for number, call in enumerate(self._calls):
            entry = self._toolbox.entries.get(call.name)
            if entry is None:
                known = ", ".join(self._toolbox.entries)
                self._refuse(number, f"error: Unknown function {shorten(call.name)}. Available: {known}")
                continue
            asked = proposed(call, source=entry.offered.source, description=entry.declaration.description)
            arguments = call.arguments
            if asked is not None:
                started = monotonic()
                decision = approval.decide(asked, entry.as_described(), entry.default)
                spent.waited += monotonic() - started
                if not decision.approved_by:
                    self._refuse(number, decision.refusal)
                    continue
                self._approved_by[number] = decision.approved_by
                if decision.call is not None:
                    entry, arguments = self._replace(number, decision.call) or (None, "")
            if entry is not None:
                self.jobs.append(_job(number, entry, arguments))

    def finish(self, job: Job) -> ToolCall:
        """Return the call of a job that has ended, with its result."""
        assert job.output is not None
        return self._finish(job.number, job.output, job.elapsed)

    def stop(self) -> Iterator[ToolCall]:
        """Yield the calls that were begun and that `finish` was not called for."""
        for job in self.jobs:
            told = job.told()
            if told is not None and self.finished[job.number] is None:
                yield self._finish(job.number, told, job.elapsed or None)

    def _finish(self, number: int, output: ToolOutput, elapsed: float | None) -> ToolCall:
        bounded = bounded_output(output, sees=self._sees)
        changed = self._changed.get(number)
        with speaking(SOURCE):  # the model reads it
            note = f"(The user had {redacted(str(changed))} called instead.)\n" if changed else ""
        call = self._calls[number]._replace(
            result=note + bounded.text,
            images=bounded.images,
            elapsed=None if elapsed is None else round(elapsed, 3),
            approved_by=self._approved_by.get(number, ""),
        )
        self.finished[number] = call
        return call

    def _refuse(self, number: int, text: str) -> None:
        self._finish(number, ToolOutput(text, is_error=True), None)

    def _replace(self, number: int, call: ProposedCall) -> tuple[ToolEntry, str] | None:
        """Return what to call in the place of a call; None if there is no such tool."""
        entry = self._toolbox.entries.get(call.name)
        if entry is None:
            self._refuse(number, f"error: The user's policy had {shorten(call.name)} called, which does not exist.")
            return None
        self._changed[number] = call
        return entry, json.dumps(call.arguments, ensure_ascii=False)


def _job(number: int, entry: ToolEntry, arguments: str) -> Job:
    return Job(number, lambda cancellation: entry.offered.call(arguments, cancellation), entry.offered.is_parallel)

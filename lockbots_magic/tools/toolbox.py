"""Toolbox: functions that a model may call, and the loop of requests and calls."""

from __future__ import annotations

import inspect
import itertools
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any, Protocol

from ..conversation.call_messages import reasoning_to_return, rename_calls
from ..conversation.call_text import describe_call
from ..conversation.ending import TOO_MANY_ROUNDS, is_complete
from ..conversation.messages import ChatRequest, Delta, Message, Tool, ToolCall, Usage
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, NotRecordedError, UsageError
from ..providers.streaming import Streams, closing_stream, read_stream
from ..schema import argument_schema
from ..schema.json_values import SchemaMismatch, quote_value, read_json, shorten
from ..security.secrets import redacted

MAX_ROUNDS = 8
"""Rounds of tool calls in one turn."""
MAX_RESULT = 20_000
"""Length (characters) to which a result is cut before it is sent to the model."""
MAX_DESCRIPTION = 1000
"""Length (characters) to which a function's description is cut; services accept about as much."""

_NO_RESULT = (
    "The cassette asks for {}, but lacks the result; a recorded call is never made."
    " Record the reply again: mode 'record', or `%lockbots record`."
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ToolProvider(Streams, Protocol):
    """The part of a `Provider` that a toolbox needs."""

    def check_parts(self, request: ChatRequest) -> None:
        """Raise `UsageError` if a part of the request is not supported; see `Provider.check_parts`."""

    def recorded_results(self, request: ChatRequest, calls: Message) -> tuple[str, ...]:
        """Return recorded results of `calls`; see `Provider.recorded_results`."""


class Toolbox:
    """Functions that a model may call. Nothing else runs.

    Args:
        functions: Described to the model by their signatures and docstrings (Google, NumPy or Sphinx style).
        rounds: Maximum number of rounds of calls in one turn.
        describe: Formats a result that JSON can't represent, such as a data frame.

    Raises:
        UsageError: If two functions have the same name, or one can't be described: it has no name, is async or a
            generator, or takes what JSON can't represent.
    """

    def __init__(
        self,
        functions: Iterable[Callable[..., Any]],
        rounds: int = MAX_ROUNDS,
        describe: Callable[[Any], str] = repr,
    ) -> None:
        self.rounds = rounds
        self.functions = tuple(functions)
        """The functions, as they were given."""
        self._functions: dict[str, _Function] = {}
        for given in self.functions:
            function = _Function(given, describe)
            if function.name in self._functions:
                raise UsageError(f"Two functions are named {function.name}. Give each its own name.")
            self._functions[function.name] = function
        self.tools: tuple[Tool, ...] = tuple(function.tool for function in self._functions.values())
        """Descriptions of the functions, as sent to the model."""

    def __repr__(self) -> str:
        return f"Toolbox({', '.join(self._functions)})"

    def stream(self, provider: ToolProvider, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it streams. Each call is announced by a notice, and follows with its result.

        The usage of all rounds is yielded once, at the end, with the last finish reason: `TOO_MANY_ROUNDS` if the
        model asked for more rounds than allowed. Calls of a reply that was cut short are not made. An invalid call
        and a function that fails are reported to the model. Where a cassette asks for calls, no function is called: it
        holds the results.

        Raises:
            UsageError: If the provider can't call functions.
            NotRecordedError: If a cassette asks for calls and lacks their results.
            Cancelled: If the request was cancelled.
            ProviderError: As the provider raises it.
        """
        request = replace(request, tools=self.tools)
        provider.check_parts(request)
        usage: Usage | None = None
        for number in itertools.count(1):
            answer = TurnAccumulator()
            asked: list[ToolCall] = []
            is_replayed = False
            with closing_stream(read_stream(provider, request)) as deltas:
                for delta in deltas:
                    answer.add(delta)
                    asked += [call._replace(arguments=redacted(call.arguments)) for call in delta.calls]  # sent back
                    is_replayed = is_replayed or delta.is_replayed
                    step = delta._replace(finish_reason=None, usage=None, calls=(), is_replayed=False)
                    if step != Delta():
                        yield step
            usage = usage + answer.usage if usage and answer.usage else usage or answer.usage
            finish_reason = answer.finish_reason or None
            if not asked or not is_complete(finish_reason):
                break
            if number > self.rounds:
                yield Delta(notice=f"Stopped after {self.rounds} rounds of tool calls.")
                finish_reason = TOO_MANY_ROUNDS
                break
            calls = rename_calls(asked, (call.id for message in request.messages for call in message.calls))
            reasoning, opaque = reasoning_to_return(answer.rounds[-1])
            message = Message("assistant", answer.text, calls=calls, reasoning=reasoning, opaque=opaque)
            recorded = provider.recorded_results(request, message)
            if is_replayed and len(recorded) < len(calls):
                raise NotRecordedError(_NO_RESULT.format(describe_call(calls[0].name, calls[0].arguments)))
            results: list[Message] = []
            begins_round = number > 1
            for call, known in itertools.zip_longest(calls, recorded[: len(calls)]):
                finished = yield from self._run_call(call, request, known, begins_round=begins_round)
                begins_round = False
                results.append(Message("tool", finished.result or "", call_id=finished.id))
            request = replace(request, messages=(*request.messages, message, *results))
        yield Delta(finish_reason=finish_reason, usage=usage)

    def _run_call(
        self, call: ToolCall, request: ChatRequest, recorded: str | None, *, begins_round: bool
    ) -> Generator[Delta, None, ToolCall]:
        """Announce and run one call, unless its result is recorded; return it with its result."""
        if request.cancellation.cancelled:
            raise Cancelled
        yield Delta(notice=f"calling {describe_call(call.name, call.arguments)}", begins_round=begins_round)
        try:
            finished = call._replace(result=self._call_function(call) if recorded is None else recorded)
        except (KeyboardInterrupt, Cancelled):  # the function may have had effects, so the turn records the call
            yield Delta(calls=(call._replace(result="interrupted"),))
            raise
        yield Delta(calls=(finished,))
        return finished

    def _call_function(self, call: ToolCall) -> str:
        """Call the function and return the text for the model: its result, or what went wrong."""
        function = self._functions.get(call.name)
        if function is None:
            return f"error: Unknown function {shorten(call.name)}. Available: {', '.join(self._functions)}"
        try:
            text = function.call(call.arguments)
        except Cancelled:
            raise
        except SchemaMismatch as mismatch:
            text = f"error: Invalid arguments: {mismatch}"
        except (Exception, SystemExit) as error:  # noqa: BLE001  # a function may raise anything
            text = f"error: {type(error).__name__}: {error}"
        text = redacted(text)  # before it is cut: half a credential would not be found
        if len(text) > MAX_RESULT:
            return f"{text[:MAX_RESULT]}\n… ({len(text) - MAX_RESULT} more characters omitted)"
        return text


class _Function:
    """A function that the model may call.

    Args:
        function: Described by its signature and docstring.
        describe: Formats results that JSON can't represent.

    Raises:
        UsageError: If the function can't be described, or doesn't simply return a value.
    """

    def __init__(self, function: Callable[..., Any], describe: Callable[[Any], str]) -> None:
        self._describe = describe
        self.name = str(getattr(function, "__name__", ""))
        if not callable(function) or not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name or repr(function):.60} can't be described to a model."
                " Define a function with `def` and a name of ASCII letters, digits and _."
            )
        code = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
        kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
        if any(is_kind(code) for is_kind in kinds):
            raise UsageError(f"{self.name} is async or a generator. Wrap it in a plain function that returns a value.")
        self._function = function
        self._arguments = argument_schema(function)
        description = self._arguments.description
        if len(description) > MAX_DESCRIPTION:
            description = f"{description[: MAX_DESCRIPTION - 1]}…"
        self.tool = Tool(self.name, description, self._arguments.json_schema)

    def call(self, arguments: str) -> str:
        """Call the function and return its result as text.

        Args:
            arguments: A JSON object; empty if none arrived, which only a function without parameters takes.

        Raises:
            SchemaMismatch: If the arguments are invalid.
            Exception: Any that the function raises.
        """
        if not arguments.strip() and self.tool.parameters.get("properties"):
            raise SchemaMismatch("They are missing; for the defaults, call it with {}")
        given = read_json(arguments.strip() or "{}")
        if not isinstance(given, dict):
            raise SchemaMismatch(f"The arguments must be an object, not {quote_value(given)}")
        bound = self._arguments.bind(given)
        return _format_result(self._function(*bound.args, **bound.kwargs), self._describe)


def _format_result(value: Any, describe: Callable[[Any], str]) -> str:
    """Return a result as text: a string unchanged, else JSON, else what `describe` returns."""
    if isinstance(value, str):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return describe(value)

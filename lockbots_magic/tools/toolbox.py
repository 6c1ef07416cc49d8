"""Functions that a model may ask to have called, and the rounds of asking and calling that come of it."""

from __future__ import annotations

import inspect
import itertools
import json
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import Any

from ..conversation.messages import ChatRequest, Delta, Message, Tool, ToolCall, Usage
from ..conversation.turn_accumulator import TurnAccumulator
from ..errors import Cancelled, UsageError
from ..providers.base import Provider, closing_stream
from ..schema import argument_schema
from ..schema.json_values import SchemaMismatch, quote_value, read_json, shorten
from ..security.secrets import redacted

MOST_ROUNDS = 8
"""How often the model may ask for calls in one turn."""
LONGEST_RESULT = 20_000
"""Characters of a result that the model is told."""
LONGEST_DESCRIPTION = 1000
"""Characters of a docstring that the model is told: services take about as many."""
LONGEST_NOTICE = 200
"""Characters of a call that the reader is told before it is made."""
UNFINISHED = ("length", "max_tokens", "content_filter", "truncated")
"""Finish reasons after which calls may be cut off, so that none is made."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Toolbox:
    """The functions that a model may ask to have called. Nothing else runs.

    Args:
        functions: what they take is told by their signatures, what they are for by their docstrings (Google, NumPy or
            Sphinx style).
        rounds: how often the model may ask for calls.
        describe: Text of a result that JSON can't hold, such as a data frame.

    Raises:
        UsageError: one can't be described: it has no name, is async or yields, or takes what JSON can't hold.
    """

    def __init__(
        self,
        functions: Iterable[Callable[..., Any]],
        rounds: int = MOST_ROUNDS,
        describe: Callable[[Any], str] = repr,
    ) -> None:
        self.rounds = rounds
        self._functions: dict[str, _Function] = {}
        for given in functions:
            function = _Function(given, describe)
            if function.name in self._functions:
                raise UsageError(f"two functions are called {function.name}; give each its own name")
            self._functions[function.name] = function
        self.tools: tuple[Tool, ...] = tuple(function.tool for function in self._functions.values())
        """What the model is told of them."""

    def __repr__(self) -> str:
        return f"Toolbox({', '.join(self._functions)})"

    def stream(self, provider: Provider, request: ChatRequest) -> Iterator[Delta]:
        """Yield the reply as it comes, and each call: a notice before, then the call with its result.

        Usage of all rounds comes once, at the end, with the last finish reason: ``"tool_calls"`` if the model asked
        for more rounds than allowed. The model is told of a call that can't be made and of a function that fails.
        Where a cassette is played, no function is called: the cassette has the results.

        Raises:
            UsageError: If the provider can't call functions.
            Cancelled: If the request was cancelled.
            ProviderError: As the provider raises it.
        """
        request = replace(request, tools=self.tools)
        provider.check_parts(request)
        usage: Usage | None = None
        for number in itertools.count(1):
            answer = TurnAccumulator()
            calls: list[ToolCall] = []
            with closing_stream(provider.stream(request)) as deltas:
                for delta in deltas:
                    answer.add(delta)
                    calls += [call._replace(arguments=redacted(call.arguments)) for call in delta.calls]
                    if delta.text or delta.reasoning or delta.notice:
                        yield Delta(delta.text, delta.reasoning, notice=delta.notice)
            usage = usage + answer.usage if usage and answer.usage else usage or answer.usage
            finish_reason = answer.finish_reason or None
            if not calls or finish_reason in UNFINISHED:
                break
            if number > self.rounds:
                yield Delta(notice=f"stopped after {self.rounds} rounds of calls")
                finish_reason = "tool_calls"
                break
            said = Message("assistant", answer.text, calls=tuple(calls))
            recorded = provider.recorded_results(request, said)
            results: list[Message] = []
            for place, call in enumerate(calls):
                known = recorded[place] if place < len(recorded) else None
                made = yield from self._make(call, request, known)
                results.append(Message("tool", made.result or "", call_id=made.id))
            request = replace(request, messages=(*request.messages, said, *results))
        yield Delta(finish_reason=finish_reason, usage=usage)

    def _make(self, call: ToolCall, request: ChatRequest, known: str | None) -> Generator[Delta, None, ToolCall]:
        if request.cancellation.cancelled:
            raise Cancelled
        yield Delta(notice=f"calling {shorten(str(call), LONGEST_NOTICE)}")
        try:
            made = call._replace(result=self._result(call) if known is None else known)
        except (KeyboardInterrupt, Cancelled):  # it has run, so it is told
            yield Delta(calls=(call._replace(result="interrupted"),))
            raise
        yield Delta(calls=(made,))
        return made

    def _result(self, call: ToolCall) -> str:
        """What the model is told of a call."""
        function = self._functions.get(call.name)
        if function is None:
            return f"error: there is no function {shorten(call.name)}; there are: {', '.join(self._functions)}"
        try:
            text = function.call(call.arguments)
        except Cancelled:
            raise
        except SchemaMismatch as mismatch:
            text = f"error: the arguments do not fit: {mismatch}"
        except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever the function raises: the model is told
            text = f"error: {type(error).__name__}: {error}"
        text = redacted(text)
        if len(text) > LONGEST_RESULT:
            return f"{text[:LONGEST_RESULT]}\n… ({len(text) - LONGEST_RESULT} more characters were cut)"
        return text


class _Function:
    """A function that the model may call.

    Args:
        function: Described by its signature and docstring.
        describe: Formats results that JSON can't represent.

    Raises:
        UsageError: The function can't be described, or doesn't simply return a value.
    """

    def __init__(self, function: Callable[..., Any], describe: Callable[[Any], str]) -> None:
        self._describe = describe
        self.name = str(getattr(function, "__name__", ""))
        if not callable(function) or not _NAME.fullmatch(self.name):
            raise UsageError(
                f"{self.name or repr(function):.60} can't be described to a model."
                " Define a function with `def` and a name of ASCII letters, digits and _."
            )
        whole = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
        kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
        if any(is_one(whole) for is_one in kinds):
            raise UsageError(f"{self.name} is async or a generator. Wrap it in a plain function that returns a value.")
        self._function = function
        self._arguments = argument_schema(function)
        description = self._arguments.description
        if len(description) > LONGEST_DESCRIPTION:
            description = f"{description[: LONGEST_DESCRIPTION - 1]}…"
        self.tool = Tool(self.name, description, self._arguments.json_schema)

    def call(self, arguments: str) -> str:
        """Call the function and return its result as text.

        Args:
            arguments: A JSON object; empty for none.

        Raises:
            SchemaMismatch: The arguments are invalid.
            Exception: Whatever the function raises.
        """
        given = read_json(arguments.strip() or "{}")
        if not isinstance(given, dict):
            raise SchemaMismatch(f"The arguments must be an object, not {quote_value(given)}")
        bound = self._arguments.bind(given)
        return _text(self._function(*bound.args, **bound.kwargs), self._describe)


def _text(value: Any, describe: Callable[[Any], str]) -> str:
    """Format a result: text as it is, else JSON, else as `describe` does."""
    if isinstance(value, str):
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return describe(value)

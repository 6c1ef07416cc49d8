"""Provider that calls a Python function or generator."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ..conversation.messages import ChatRequest, Delta, ModelInfo
from ..errors import UsageError
from ..language import _
from .base import Provider
from .streaming import to_deltas, translated_errors

REQUEST_PARAMETERS = ("messages", "prompt", "system", "model")
"""Parameters of a function that receive a part of the request."""


class FunctionProvider(Provider):
    """Calls a function for each reply: ``Chat(my_function)``.

    Args:
        function: Takes the prompt as its first argument, or by name any of `messages` (list of dicts),
            `prompt`, `system` and `model` (str); its other parameters can be set with ``-p name=value``. It
            returns text, or yields pieces of text (or `Delta`s).
        settings: Settings of every `Provider`.

    Raises:
        UsageError: `function` can't be called with a prompt.

    Example:
        ::

            def shout(prompt):
                yield prompt.upper()


            Chat(shout).ask("hello")
    """

    name = "function"

    def __init__(self, function: Callable[..., Any], **settings: Any) -> None:
        super().__init__(**settings)
        self.function = function
        self._inspect_function()

    def __repr__(self) -> str:
        return f"FunctionProvider({self._function_name})"

    def __getstate__(self) -> dict[str, Any]:
        derived = ("parameters", "_signature", "_request_parameters", "_takes_any")
        return {name: value for name, value in super().__getstate__().items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._inspect_function()

    def _inspect_function(self) -> None:
        function = self.function
        try:
            self._signature = inspect.signature(function)
        except (TypeError, ValueError):
            raise UsageError(_("Pass a function that takes a prompt and returns or yields text.")) from None
        if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
            raise UsageError(_("Pass a synchronous function or generator; this one is async."))
        self._request_parameters = self._find_request_parameters()
        self._takes_any = any(p.kind is p.VAR_KEYWORD for p in self._signature.parameters.values())
        others = [
            n
            for n, p in self._signature.parameters.items()
            if n not in self._request_parameters and p.kind not in _STARRED
        ]
        self.parameters = MappingProxyType(dict.fromkeys(others, "parameter of the function"))  # type: ignore[misc]

    def model_info(self, model: str) -> ModelInfo:
        """Return a model without limits, named after the function by default."""
        return ModelInfo(model or self._function_name)

    def takes(self, param: str) -> bool:
        """Whether the function has this parameter, or accepts any."""
        return self._takes_any or super().takes(param)

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Call the function and yield what it returns or yields."""
        what = self._function_name
        file = getattr(getattr(self.function, "__code__", None), "co_filename", None)
        with translated_errors(self, what, file):
            bound = self._bind_arguments(request)
            result = self.function(*bound.args, **bound.kwargs)
            yield from to_deltas(result, self.name, what=what, finish_reason="stop")

    def _find_request_parameters(self) -> tuple[str, ...]:
        names = list(self._signature.parameters)
        named = tuple(n for n in names if n in REQUEST_PARAMETERS)
        if "messages" in named or "prompt" in named:
            return named
        if not names:
            raise UsageError(_("The function must take the prompt as an argument."))
        return (names[0], *named)

    def _bind_arguments(self, request: ChatRequest) -> inspect.BoundArguments:
        prompt = request.messages[-1].content if request.messages else ""
        values: Mapping[str, Any] = {
            "prompt": prompt,
            "system": request.system,
            "model": request.model,
        }
        if "messages" in self._request_parameters:
            values = {**values, "messages": [message.to_dict() for message in request.messages]}
        bound = self._signature.bind_partial()
        for name in self._request_parameters:
            kind = self._signature.parameters[name].kind
            value = values.get(name, prompt)
            bound.arguments[name] = (value,) if kind is inspect.Parameter.VAR_POSITIONAL else value
        extra = next((n for n, p in self._signature.parameters.items() if p.kind is p.VAR_KEYWORD), None)
        for name, value in request.params.items():
            if name in self.parameters:
                bound.arguments[name] = value
            elif extra:
                bound.arguments.setdefault(extra, {})[name] = value
        return bound

    @property
    def _function_name(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)


_STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

"""Functions as tools: described to the model by signature and docstring, called with checked arguments."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, overload

from ..conversation.cancellation import Cancellation
from ..conversation.messages import Tool
from ..errors import UsageError
from ..event_loops.coroutines import run_coroutine
from ..language import _
from ..schema import argument_schema
from ..schema.json_values import SchemaMismatch, quote_value, read_json
from .results import Describe, describe_by_repr, format_result
from .tool_source import DefaultApproval, ToolOutput, fingerprint_of

MAX_DESCRIPTION = 1000
"""Length (characters) to which a function's description is cut; services accept about as much."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class FunctionTool:
    """A function that the model may call. It can still be called like the function itself.

    Args:
        function: A function, method, class or other callable, sync or async, described by its signature and docstring
            (Google, NumPy or Sphinx style).
        name: Name for the model; by default the function's own.
        parallel: Whether it may run beside other calls; async functions always may.
        approve: ``"ask"`` has the user asked before each call, where no policy says otherwise; None leaves it to how
            the function is named, see `Chat.prepare`.
        describe: Formats results that JSON can't represent.

    Raises:
        UsageError: If the function can't be described, or is a generator.
    """

    source = ""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str = "",
        parallel: bool = False,
        approve: DefaultApproval | None = None,
        describe: Describe = describe_by_repr,
    ) -> None:
        self.function = function
        self.approve = approve
        self._describe = describe
        self.name = name or _name_of(function)
        if not callable(function) or not _NAME.fullmatch(self.name):
            raise UsageError(
                _(
                    "{value:.60} can't be described to a model. Define a function with `def` and a name "
                    "of ASCII letters, digits and _.",
                    value=self.name or repr(function),
                )
            )
        code = _code_of(function)
        if inspect.isasyncgenfunction(code) or inspect.isgeneratorfunction(code):
            raise UsageError(_("{name} is a generator. Wrap it in a function that returns a value.", name=self.name))
        self.is_parallel = parallel or inspect.iscoroutinefunction(code)
        self._arguments = argument_schema(function)
        description = self._arguments.description
        if isinstance(function, functools.partial):  # its own docstring is that of `partial`
            description = argument_schema(function.func).description
        if len(description) > MAX_DESCRIPTION:
            description = f"{description[: MAX_DESCRIPTION - 1]}…"
        self.tool = Tool(self.name, description, self._arguments.json_schema)
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<tool {self.name}>"

    @property
    def default_approval(self) -> DefaultApproval:
        """What happens to a call that no policy names."""
        return self.approve or "auto"

    @functools.cached_property
    def fingerprint(self) -> str:
        """Digest of the description and the schema."""
        return fingerprint_of(self.tool)

    def describing(self, describe: Describe) -> FunctionTool:
        """Return the tool with another format of results."""
        other = object.__new__(FunctionTool)
        vars(other).update(vars(self), _describe=describe)
        return other

    def call(self, arguments: str, cancellation: Cancellation) -> ToolOutput:
        """Call the function and return what the model gets.

        Args:
            arguments: A JSON object; empty if none arrived, which only a function without parameters takes.
            cancellation: Ends an async function; any other runs to its end.

        Raises:
            SchemaMismatch: If the arguments are invalid.
            Cancelled: If an async function was cancelled.
            Exception: Any that the function raises.
        """
        if not arguments.strip() and self.tool.parameters.get("properties"):
            raise SchemaMismatch("They are missing; for the defaults, call it with {}")
        given = read_json(arguments.strip() or "{}")
        if not isinstance(given, dict):
            raise SchemaMismatch(f"The arguments must be an object, not {quote_value(given)}")
        bound = self._arguments.bind(given)
        value = self.function(*bound.args, **bound.kwargs)
        if inspect.isawaitable(value):
            value = run_coroutine(value, cancellation)
        return format_result(value, self._describe)


def _name_of(function: Any) -> str:
    """Return the name of a callable; that of its class if it is an object that can be called."""
    if isinstance(function, functools.partial):
        return _name_of(function.func)
    kind = type(function)
    own = kind.__name__ if callable(function) and "__call__" in vars(kind) else ""  # of a class in Python
    return str(getattr(function, "__name__", own if kind.__module__ != "builtins" else ""))


def _code_of(function: Any) -> Any:
    """Return what tells whether a callable is async or a generator."""
    if isinstance(function, functools.partial):
        return _code_of(function.func)
    return function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__


@overload
def tool(function: Callable[..., Any], /) -> FunctionTool: ...
@overload
def tool(
    *, name: str = "", parallel: bool = False, approve: DefaultApproval | None = None
) -> Callable[[Callable[..., Any]], FunctionTool]: ...
def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str = "",
    parallel: bool = False,
    approve: DefaultApproval | None = None,
) -> FunctionTool | Callable[[Callable[..., Any]], FunctionTool]:
    """Say more of a function that models may call than its signature does. A decorator; plain functions need none.

    Args:
        function: The function.
        name: Name for the model; by default the function's own.
        parallel: Whether it may run in a thread of its own, beside other calls of the same round. Async functions do
            so anyway.
        approve: ``"ask"`` has the user asked before each call, where no policy says otherwise.

    Raises:
        UsageError: If the function can't be described, or is a generator.

    Example:
        >>> @tool(parallel=True)
        ... def double(x: int) -> int:
        ...     "Double a number."
        ...     return 2 * x
        >>> double(4), double
        (8, <tool double>)
    """
    if approve not in (None, "auto", "ask"):
        raise UsageError(_("approve of a tool must be 'auto' or 'ask', got {approve!r:.40}.", approve=approve))

    def make(function: Callable[..., Any]) -> FunctionTool:
        return FunctionTool(function, name=name, parallel=parallel, approve=approve)

    return make if function is None else make(function)

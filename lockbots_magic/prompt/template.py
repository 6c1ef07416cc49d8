"""`{{ expression }}` in a prompt: a Python expression of the notebook. Other braces are text."""

from __future__ import annotations

import ast
import inspect
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..conversation.cancellation import Cancellation
from ..errors import UsageError
from ..event_loops.coroutines import run_coroutine
from ..language import N_, _
from .near_names import hint_of
from .part import ImageNumbering, PromptPart
from .printed import copied_output
from .text import fence_code, to_one_line
from .values import value_part

MAX_EXPRESSION_LENGTH = 4_000
"""Characters of an expression; longer text between braces is not one."""

ESCAPE_HINT = N_("`--raw` sends braces unchanged, and {{ '{{' }} writes two braces.")


@dataclass(frozen=True)
class Expression:
    """A valid Python expression."""

    source: str

    def __str__(self) -> str:
        return f"{{{{ {to_one_line(self.source)} }}}}"


def expand_template(prompt: str, evaluate: Callable[[str], Any], *, images_before: int = 0) -> PromptPart:
    """Replace each `{{ expression }}` by its value.

    All expressions are parsed before the first is evaluated. Each is evaluated once, from left to right; values are not
    expanded again. An image becomes an image of the prompt, and the text refers to it by `[image 1]`.

    Args:
        prompt: The template. Without double braces it is returned unchanged.
        evaluate: Returns the value of an expression, see `make_evaluator`.
        images_before: Number of images that come first in the prompt.

    Raises:
        UsageError: Text between double braces is not an expression, an expression fails, or its value can't be
            converted. The message names the expression; the original error is the cause.
    """
    return fill_pieces(split_template(prompt), evaluate, images_before=images_before)


def fill_pieces(
    pieces: Iterable[str | Expression], evaluate: Callable[[str], Any], *, images_before: int = 0
) -> PromptPart:
    """Return the prompt that the pieces of a template make; see `expand_template`.

    A template that is filled for many rows is split once.

    Args:
        pieces: The template, as `split_template` returns it.
        evaluate: Returns the value of an expression, see `make_evaluator`.
        images_before: Number of images that come first in the prompt.

    Raises:
        UsageError: An expression fails, or its value can't be converted.
    """
    images = ImageNumbering(images_before)
    texts: list[str] = []
    notes: list[str] = []
    follows_block = False
    for piece in pieces:
        if isinstance(piece, str):
            texts += ["\n", piece] if follows_block and piece and not piece.startswith("\n") else [piece]
            continue
        part, is_block = _evaluate_part(piece, evaluate)
        if is_block and texts and texts[-1] and not texts[-1].endswith("\n"):
            texts.append("\n")
        texts += [part.text, images.add(part.images)]
        notes += part.notes
        follows_block = is_block
    return PromptPart("".join(texts), tuple(images.urls), tuple(notes))


def make_evaluator(namespace: Mapping[str, Any], last_error: BaseException | None = None) -> Callable[[str], Any]:
    """Return a function that evaluates expressions with the variables of a notebook.

    An expression with `await` is run on a loop of our own; `evaluate_awaiting` runs it on the caller's.

    Args:
        namespace: The variables; expressions do not assign to them.
        last_error: The last exception, available as `last_error` unless a variable has that name.
    """

    def evaluate(expression: str) -> Any:
        value, is_awaited = _begin(expression, namespace, last_error)
        return run_coroutine(value, Cancellation()) if is_awaited else value

    return evaluate


async def evaluate_awaiting(
    prompt: str, namespace: Mapping[str, Any], last_error: BaseException | None = None
) -> Callable[[str], Any]:
    """Evaluate the expressions of a template, `await` among them, on the loop that runs this.

    Args:
        prompt: The template.
        namespace: The variables, as for `make_evaluator`.
        last_error: As for `make_evaluator`.

    Returns:
        A function that gives the values for `expand_template`, in order. It raises what the first failure raised.

    Raises:
        UsageError: Text between double braces is not an expression.
    """
    outcomes: deque[tuple[Any, Exception | None]] = deque()
    for piece in split_template(prompt):
        if isinstance(piece, Expression):
            try:
                value, is_awaited = _begin(piece.source, namespace, last_error)
                outcomes.append((await value if is_awaited else value, None))
            except Exception as error:  # noqa: BLE001  # raised where the value is wanted
                outcomes.append((None, error))
                break

    def take(_unused: str) -> Any:
        value, error = outcomes.popleft()
        if error is not None:
            raise error
        return value

    return take


def _begin(expression: str, namespace: Mapping[str, Any], last_error: BaseException | None) -> tuple[Any, bool]:
    """Evaluate an expression; return its value, or the coroutine that returns it, and whether it is one."""
    more = {} if last_error is None else {"last_error": last_error}
    code = compile(expression, "<prompt>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    with copied_output() as printed:
        value = eval(code, {**more, **namespace})  # noqa: S307  # the user who writes the prompt also runs the notebook
    if value is None and printed:  # as of `df.info()`
        value = "".join(printed)
    return value, bool(code.co_flags & inspect.CO_COROUTINE)


def split_template(prompt: str, hint: Callable[[str], str] = lambda text: "") -> list[str | Expression]:
    """Split `prompt` into text and expressions, in order.

    Args:
        prompt: The template.
        hint: Returns what to write in place of a text that is not an expression, if it knows.

    Raises:
        UsageError: Text between double braces is not an expression; the message names it.
    """
    found: list[str | Expression] = []
    at = 0
    while (start := prompt.find("{{", at)) >= 0 and prompt.find("}}", start + 2) >= 0:
        expression, end = _parse_expression(prompt, start + 2, hint)
        found += [prompt[at:start], expression]
        at = end
    return [*found, prompt[at:]]


def _evaluate_part(expression: Expression, evaluate: Callable[[str], Any]) -> tuple[PromptPart, bool]:
    """Return the part for a value, and whether it needs lines of its own; a string is inserted as it is."""
    try:
        value = evaluate(expression.source)
    except Exception as error:
        failure = f"{type(error).__name__}: {to_one_line(str(error), 300)}".removesuffix(": ")
        near = hint_of(error)
        hint = f"{'.' if near else ''}{near}"
        hint += f" ({_(ESCAPE_HINT)})" if isinstance(error, NameError | SyntaxError) else ""
        raise UsageError(
            _("{expression} failed: {failure}{hint}", expression=expression, failure=failure, hint=hint)
        ) from error
    try:
        part = value_part(value).label_notes(to_one_line(expression.source, 40))
    except UsageError as error:
        raise UsageError(_("{expression}: {error}", expression=expression, error=error)) from error
    is_block = "\n" in part.text and not isinstance(value, str)
    if is_block and (inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, BaseException)):
        part = replace(part, text=fence_code(part.text, "" if isinstance(value, BaseException) else "python"))
    return part, is_block


def _parse_expression(prompt: str, start: int, hint: Callable[[str], str]) -> tuple[Expression, int]:
    """Return the expression that begins at `start`, and the index behind its braces.

    Dicts and strings may contain closing braces, so the first pair that leaves a valid expression is the end.
    """
    limit = start + MAX_EXPRESSION_LENGTH + 2
    end = prompt.find("}}", start, limit)
    while end >= 0:
        if expression := _compile_expression(prompt[start:end]):
            return expression, end + 2
        end = prompt.find("}}", end + 1, limit)
    seen = prompt[start : prompt.find("}}", start)].strip()
    escape_hint = hint(seen) or _(ESCAPE_HINT)
    raise UsageError(
        _("{text} is not a Python expression. {escape_hint}", text=Expression(seen), escape_hint=escape_hint)
    )


def _compile_expression(text: str) -> Expression | None:
    source = text.strip()
    if _is_expression(source):
        return Expression(source)
    if "\n" in source and _is_expression(bracketed := f"({source}\n)"):
        return Expression(bracketed)
    return None


def _is_expression(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is compiled again later, and warns then
        try:
            compile(source, "<prompt>", "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, MemoryError, RecursionError):  # `compile` raises each of them
            return False
    return True

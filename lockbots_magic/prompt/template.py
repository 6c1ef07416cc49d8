"""`{{ expression }}` in a prompt: a Python expression of the notebook. Any other brace is text."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import UsageError
from .material import Images, Material
from .text import fenced, one_line
from .values import material_of

LONGEST_EXPRESSION = 4_000
"""Characters between the braces, at most: what is longer was hardly meant as one."""

AS_IT_IS = "--raw sends braces as they are, {{ '{{' }} writes two"


@dataclass(frozen=True)
class Expression:
    """A Python expression, fit for `eval`."""

    source: str

    def __str__(self) -> str:
        return f"{{{{ {one_line(self.source)} }}}}"


def expanded(prompt: str, evaluate: Callable[[str], Any], *, images_before: int = 0) -> Material:
    """Put the value of each `{{ expression }}` in its place.

    All of them are read before the first is evaluated. Each is evaluated once, from left to right; what comes of it is
    never read again. A picture becomes an image of the prompt, and in the text stands `[image 1]`.

    Args:
        prompt: the text. Without two braces it passes unchanged.
        evaluate: returns the value of an expression, see `evaluator`.
        images_before: how many images the prompt has already: they are counted on.

    Raises:
        UsageError: between two pairs of braces there is no expression, or one fails, or its value has no text; the
            message names it. The error that it failed with is the cause.
    """
    images = Images(images_before)
    texts: list[str] = []
    notes: list[str] = []
    follows_block = False
    for piece in pieces(prompt):
        if isinstance(piece, str):
            texts += ["\n", piece] if follows_block and piece and not piece.startswith("\n") else [piece]
            continue
        material, is_block = _material(piece, evaluate)
        if is_block and texts and texts[-1] and not texts[-1].endswith("\n"):
            texts.append("\n")
        texts += [material.text, images.marked(material.images)]
        notes += material.notes
        follows_block = is_block
    return Material("".join(texts), tuple(images.urls), tuple(notes))


def evaluator(namespace: Mapping[str, Any], last_error: BaseException | None = None) -> Callable[[str], Any]:
    """Return what evaluates expressions with the variables of a notebook.

    Args:
        namespace: its variables. An expression assigns nothing to them.
        last_error: the last exception; it is called `last_error`, unless the notebook has a variable of that name.
    """

    def evaluate(expression: str) -> Any:
        more = {} if last_error is None else {"last_error": last_error}
        code = compile(expression, "<prompt>", "eval", dont_inherit=True)
        return eval(code, {**more, **namespace})  # noqa: S307  # whoever writes the prompt runs the notebook

    return evaluate


def pieces(prompt: str) -> list[str | Expression]:
    """Split `prompt` into text and expressions, in order.

    Raises:
        UsageError: between two pairs of braces there is no expression; the message names it.
    """
    found: list[str | Expression] = []
    at = 0
    while (start := prompt.find("{{", at)) >= 0 and prompt.find("}}", start + 2) >= 0:
        expression, end = _expression_at(prompt, start + 2)
        found += [prompt[at:start], expression]
        at = end
    return [*found, prompt[at:]]


def _material(expression: Expression, evaluate: Callable[[str], Any]) -> tuple[Material, bool]:
    """What stands for the value, and whether it takes lines of its own: a text goes in as it is, wherever it stands."""
    try:
        value = evaluate(expression.source)
    except Exception as error:
        hint = f" ({AS_IT_IS})" if isinstance(error, NameError | SyntaxError) else ""
        failure = f"{type(error).__name__}: {one_line(str(error), 300)}".removesuffix(": ")
        raise UsageError(f"{expression} failed: {failure}{hint}") from error
    try:
        material = material_of(value).named(one_line(expression.source, 40))
    except UsageError as error:
        raise UsageError(f"{expression}: {error}") from error
    is_block = "\n" in material.text and not isinstance(value, str)
    if is_block and (inspect.isroutine(value) or inspect.isclass(value) or isinstance(value, BaseException)):
        material = replace(material, text=fenced(material.text, "" if isinstance(value, BaseException) else "python"))
    return material, is_block


def _expression_at(prompt: str, start: int) -> tuple[Expression, int]:
    """The expression that begins at `start`, and where the text goes on.

    Braces and strings may hold what looks like the end, so the first that leaves a whole expression is the end.
    """
    limit = start + LONGEST_EXPRESSION + 2
    end = prompt.find("}}", start, limit)
    while end >= 0:
        if expression := _read(prompt[start:end]):
            return expression, end + 2
        end = prompt.find("}}", end + 1, limit)
    seen = prompt[start : prompt.find("}}", start)]
    raise UsageError(f"{Expression(seen.strip())} is no Python expression; {AS_IT_IS}")


def _read(text: str) -> Expression | None:
    source = text.strip()
    if _is_expression(source):
        return Expression(source)
    if "\n" in source and _is_expression(bracketed := f"({source}\n)"):
        return Expression(bracketed)
    return None


def _is_expression(source: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is compiled once more, and warned of then
        try:
            compile(source, "<prompt>", "eval", dont_inherit=True)  # the parser alone lets `await` pass
        except (SyntaxError, ValueError, MemoryError, RecursionError):  # it raises each of them
            return False
    return True

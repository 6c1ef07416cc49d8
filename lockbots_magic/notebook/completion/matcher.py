"""The hook: a matcher of IPython's completer, which serves kernels and terminals alike."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleCompletion
from IPython.core.interactiveshell import InteractiveShell

from ..session import Session

if TYPE_CHECKING:
    from .cell import Completions
    from .sources import Candidate

_NO_BREAK, _JOINER = "\u00a0", "\u2060"
PRIORITY = 1000
"""Priority of our matcher; IPython's own have 0 to 90."""


def register(shell: InteractiveShell, session: Session) -> Callable[[], None]:
    """Complete the lines of our magics in `shell`; return a function that undoes this.

    Args:
        shell: The running IPython.
        session: Its conversations, models and settings are completed.
    """
    matcher = _Matcher(shell, session)

    def lockbots_matcher(context: CompletionContext) -> dict[str, Any]:
        return matcher.match(context)

    for name, value in (("api_version", 2), ("priority", PRIORITY), ("identifier", "lockbots_magic")):
        setattr(lockbots_matcher, f"matcher_{name}", value)
    matchers = shell.Completer.custom_matchers
    matchers.append(lockbots_matcher)

    def unregister() -> None:
        with suppress(ValueError):  # someone has removed all matchers
            matchers.remove(lockbots_matcher)

    return unregister


class _Matcher:
    """Answers IPython's completer."""

    def __init__(self, shell: InteractiveShell, session: Session) -> None:
        self._shell = shell
        self._session = session

    def match(self, context: CompletionContext) -> dict[str, Any]:
        """Return a result of matcher API 2. In our lines, the matchers of IPython are suppressed."""
        before = _text_before_cursor(context)
        completions = self._complete(before)
        if completions is None:
            return {"completions": []}
        return {
            "completions": _convert(completions.candidates) or _NoCompletions(),
            "matched_fragment": before[completions.start :],
            "suppress": True,
            "ordered": True,
        }

    @functools.cached_property
    def _complete(self) -> Callable[[str], Completions | None]:
        from . import cell, expressions, sources  # noqa: PLC0415  # the first completion needs them, %load_ext doesn't

        known = sources.Sources(
            self._session,
            namespace=self._shell.user_ns,
            hidden=self._shell.user_ns_hidden,
            expressions=expressions.ExpressionCompleter(self._shell).complete_expression,
        )
        return lambda before: cell.complete_cell(before, known)


class _NoCompletions:
    """No completions, though not falsy: IPython lets a matcher suppress others only if it has found something."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _text_before_cursor(context: CompletionContext) -> str:
    lines = context.full_text.split("\n")[: context.cursor_line]
    return "\n".join([*lines, context.text_until_cursor])


def _convert(candidates: Iterable[Candidate]) -> list[Any]:
    """Return completions. JupyterLab would break a description wherever it can, and show its rows over one another."""
    return [SimpleCompletion(text=text, type=_unbroken(kind) or None) for text, kind in candidates]


def _unbroken(kind: str) -> str:
    """Return a text in which no line may end."""
    return re.sub(r"(?<=[-/?|])(?=\S)", _JOINER, kind).replace(" ", _NO_BREAK)

"""The hook: a matcher of IPython's completer, which answers kernels and terminals alike."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..session import Lockbots

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from .offers import Knowledge, Offer

FIRST = 1000
"""Our priority among the matchers; IPython's own are at 0 and 90."""


def register(shell: InteractiveShell, session: Lockbots) -> Callable[[], None]:
    """Complete the lines of our magics in `shell`; return what takes that back.

    Args:
        shell: the running IPython.
        session: whose conversations and models are offered.
    """
    answers = _Answers(shell, session)

    def lockbots_matcher(context: CompletionContext) -> dict[str, Any]:
        return answers.to(context)

    for name, value in (("api_version", 2), ("priority", FIRST), ("identifier", "lockbots_magic")):
        setattr(lockbots_matcher, f"matcher_{name}", value)
    matchers = shell.Completer.custom_matchers
    matchers.append(lockbots_matcher)

    def unregister() -> None:
        with suppress(ValueError):  # somebody has taken all of them away
            matchers.remove(lockbots_matcher)

    return unregister


class _Answers:
    """What we say to IPython's completer."""

    def __init__(self, shell: InteractiveShell, session: Lockbots) -> None:
        self._shell = shell
        self._session = session

    def to(self, context: CompletionContext) -> dict[str, Any]:
        """Answer as a matcher of version 2 does. Where the place is ours, IPython's own matchers are silenced."""
        from .offers import completions  # noqa: PLC0415  # the first completion needs it, and %load_ext does not

        before = _before(context)
        found = completions(before, self._knowledge)
        if found is None:
            return {"completions": []}
        return {
            "completions": _simple(found.offers) or _Nothing(),
            "matched_fragment": before[found.start :],
            "suppress": True,
            "ordered": True,
        }

    @functools.cached_property
    def _knowledge(self) -> Knowledge:
        from .expressions import Expressions  # noqa: PLC0415  # as above
        from .knowledge import Known, paths  # noqa: PLC0415  # as above

        names, hidden = self._shell.user_ns, self._shell.user_ns_hidden
        expressions = Expressions(names, hidden=hidden, evaluate=self._evaluated, paths=paths)
        return Known(self._session, namespace=names, hidden=hidden, expressions=expressions)

    def _evaluated(self, code: str) -> Any:
        """The value of an expression, as IPython evaluates to complete: what might run the user's code is refused."""
        from IPython.core.guarded_eval import EvaluationContext, guarded_eval  # noqa: PLC0415  # few TABs need it

        shell: Any = self._shell
        within = EvaluationContext(
            globals=shell.user_global_ns, locals=shell.user_ns, evaluation=shell.Completer.evaluation
        )
        return guarded_eval(code, within)


class _Nothing:
    """No completions, not of anybody: IPython lets a matcher silence the others only if it has found something."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Any]:
        return iter(())


def _before(context: CompletionContext) -> str:
    """The cell's text up to the cursor."""
    lines = context.full_text.split("\n")[: context.cursor_line]
    return "\n".join([*lines, context.text_until_cursor])


def _simple(offers: Iterable[Offer]) -> list[Any]:
    from IPython.core.completer import SimpleCompletion  # noqa: PLC0415  # a shell has it

    return [SimpleCompletion(text=text, type=kind or None) for text, kind in offers]

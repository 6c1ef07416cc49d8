"""The hook: a matcher of IPython's completer, which answers kernels and terminals alike."""

from __future__ import annotations

import builtins
import functools
import keyword
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..session import Lockbots

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

    from .offers import Knowledge, Offer

_LONE_NAME = re.compile(r"\s*([^\W\d]\w*)")
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
        self._is_within = False
        """Whether IPython completes an expression for us, and asks us about it as well."""

    def to(self, context: CompletionContext) -> dict[str, Any]:
        """Answer as a matcher of version 2 does. Where the place is ours, IPython's own matchers are silenced."""
        from .offers import completions  # noqa: PLC0415  # the first completion needs it, and %load_ext does not

        before = _before(context)
        found = None if self._is_within else completions(before, self._knowledge)
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
        from .knowledge import Known  # noqa: PLC0415  # as above

        shell = self._shell
        return Known(self._session, namespace=shell.user_ns, hidden=shell.user_ns_hidden, expressions=self._expressions)

    def _expressions(self, code: str) -> tuple[int, list[Offer]]:
        """IPython's own completions of `code`, and where in it they begin; of a lone name, which is quicker here."""
        if name := _LONE_NAME.fullmatch(code):
            return name.start(1), self._names(name[1])
        from IPython.core.completer import provisionalcompleter, rectify_completions  # noqa: PLC0415  # a shell has it

        from .offers import Offer  # noqa: PLC0415  # as above

        self._is_within = True
        try:
            with provisionalcompleter():
                found = list(rectify_completions(code, self._shell.Completer.completions(code, len(code))))
        finally:
            self._is_within = False
        offers = [Offer(one.text, one.type or "") for one in found if not one.text.startswith("%")]  # no magics
        return (found[0].start, offers) if found else (len(code), [])

    def _names(self, beginning: str) -> list[Offer]:
        from .offers import Offer  # noqa: PLC0415  # as above

        shell = self._shell
        mine = [name for name in shell.user_ns if name not in shell.user_ns_hidden]
        names = dict.fromkeys([*sorted(mine), *dir(builtins), *keyword.kwlist])
        return [Offer(name, "") for name in names if name.startswith(beginning)] if beginning else []


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

"""Completion of Python expressions in `{{ }}`: IPython's own matchers, applied to the expression alone."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from itertools import islice
from typing import Any

from IPython.core.completer import IPCompleter, has_open_quotes, provisionalcompleter, rectify_completions

from ...prompt.part import is_instance_of
from .sources import Candidate

MAX_CODE_LENGTH = 4_000
"""Characters of an expression; longer text between braces is not one."""
MAX_KEYS = 10_000
"""Keys of a value that are considered."""

_EXPRESSION_KEYWORDS = {"False", "None", "True", "and", "else", "for", "if", "in", "is", "lambda", "not", "or"}
_TAIL = re.compile(
    r"""(?<![\w.)\]}"'])
    (?:
        [^\W\d]\w* (?: \.[^\W\d]\w* | \[(?: -?\d+ | "[^"\\\[\]]*" | '[^'\\\[\]]*' )\] )*  # a value, without calls
        (?: (?P<dot>\.)\w* | (?P<key>\[)(?: "[^"\\\[\]]* | '[^'\\\[\]]* )? )?                # its attribute or key
    )?\Z""",
    re.VERBOSE,
)


class ExpressionCompleter(IPCompleter):
    """Completes a Python expression: names, attributes, keys and, in strings, files.

    Values are evaluated as the shell's own completer evaluates them: code that may have side effects is refused. Jedi
    is not used: it can take a second where there is much to choose from.

    Args:
        shell: The running IPython.
    """

    def __init__(self, shell: Any) -> None:
        names, global_names = shell.user_ns, shell.user_global_ns
        super().__init__(shell=shell, namespace=names, global_namespace=global_names, use_jedi=False)  # type: ignore[no-untyped-call]  # not typed in IPython

    def complete_expression(self, code: str) -> tuple[int, Iterable[Candidate]]:
        """Complete `code` at its end; return the start index of what is replaced, and the candidates."""
        tail, quote = _TAIL.search(code), has_open_quotes(code)
        start = tail.start() if tail else len(code)
        if quote and (string := code.rfind(str(quote))) < start:
            tail, start = None, string
        if len(code) > MAX_CODE_LENGTH or (tail is None and not quote):
            return len(code), ()
        code = code[start:]
        if tail is not None and (code.isidentifier() or not code):
            return start, [Candidate(name, "variable") for name in self._names(code)]
        self.evaluation = self.shell.Completer.evaluation
        with provisionalcompleter():
            found = list(rectify_completions(code, self.completions(code, len(code))))
        if tail is not None and not tail["key"]:
            typed = code.rpartition(".")[2]
            before = len(code) - len(typed)
            found = [
                one for one in found if self._is_offered((code[: one.start] + one.text)[before:], typed, tail["dot"])
            ]
            found.sort(key=lambda one: one.text not in self.namespace)  # the user's names first
        start += found[0].start if found else len(code)
        return start, [Candidate(one.text, one.type.strip("<>") if one.type else "") for one in found]

    def _names(self, typed: str) -> list[str]:
        """Return the names that begin with `typed`, the user's first.

        Asks IPython's matcher directly: its `completions` takes five times as long to sort thousands of names twice.
        """
        found = dict.fromkeys(self.global_matches(typed))
        offered = sorted(name for name in found if self._is_offered(name, typed, None))
        return sorted(offered, key=lambda name: name not in self.namespace)

    def _is_offered(self, name: str, typed: str, dot: str | None) -> bool:
        """Whether a name can stand in an expression; private ones only once they are begun."""
        if not name.isidentifier() or (name.startswith("_") and not typed):
            return False
        return (
            bool(dot)
            or name in _EXPRESSION_KEYWORDS
            or not (keyword.iskeyword(name) or name in self.shell.user_ns_hidden)
        )

    @property
    def matchers(self) -> list[Any]:
        """The matchers for the text before the cursor; those of magics, LaTeX and arguments are left out."""
        if self.text_until_cursor.startswith(('"', "'")):
            return [self.file_matcher]
        if has_open_quotes(self.text_until_cursor):
            return [self.dict_key_matcher]
        python_matcher = getattr(self, "python_matcher", None) or getattr(self, "python_matches")  # noqa: B009  # IPython 8.18 has only the latter
        return [self.dict_key_matcher, python_matcher]

    @staticmethod
    def _get_keys(obj: Any) -> list[Any]:
        """Return the keys of a value; unlike IPython, never through a `__getattr__` of the user's class."""
        keys: Iterable[Any] = ()
        if isinstance(obj, dict):
            keys = dict.keys(obj)
        elif is_instance_of(obj, "pandas.DataFrame", "polars.DataFrame"):
            keys = obj.columns
        elif is_instance_of(obj, "pandas.Series"):
            keys = obj.index
        elif callable(own := getattr(type(obj), "_ipython_key_completions_", None)):
            keys = own(obj)
        return [*islice(keys, MAX_KEYS)]

"""What a prompt may take from its notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..language import _
from ..late_dataclass import late_dataclass

if TYPE_CHECKING:
    from .display_recorder import DisplayRecorder


@late_dataclass(frozen=True)
class NotebookContext:
    """What a prompt may take from its notebook.

    Args:
        variables: The notebook's namespace.
        shell: The running IPython; its history holds the cells.
        displays: What the cells have displayed.
        watched: True if output is live.
    """

    variables: Mapping[str, Any]
    shell: Any = None
    displays: DisplayRecorder | None = None
    watched: bool = False
    awaited: Callable[[str], Any] | None = None
    """Gives the values of the prompt's expressions, which were awaited before; None evaluates them."""

    def as_typed(self) -> Mapping[str, Any]:
        """Return the variables, with the cells in `In` as they were typed: IPython keeps there what it made of them."""
        history: Any = getattr(self.shell, "history_manager", None)
        is_its_own = history is not None and self.variables.get("In") is history.input_hist_parsed
        return {**self.variables, "In": history.input_hist_raw} if is_its_own else self.variables

    def value(self, name: str, option: str) -> Any:
        """Return the value of a variable or of its attributes, such as ``obj.method``.

        Raises:
            UsageError: If it doesn't exist, or reading it failed; the message names the `option` and the cause.
        """
        first, *attributes = name.strip().split(".")
        if first not in self.variables:
            raise UsageError(_("{option}: the notebook has no {first!r}. Define it first.", option=option, first=first))
        value = self.variables[first]
        try:
            for attribute in attributes:
                value = getattr(value, attribute)
        except Exception as error:  # noqa: BLE001  # an attribute may be a property that raises anything
            raise UsageError(
                _(
                    "{option}: reading {expression!r} failed: {kind}: {error}",
                    option=option,
                    expression=name.strip(),
                    kind=type(error).__name__,
                    error=error,
                )
            ) from None
        return value

"""How an interrupt is told: by one grey line in the output, and no error besides. The cell still counts as failed."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

from ..errors import Interrupted


def interrupt_shown(error: KeyboardInterrupt) -> Interrupted:
    """Return an interrupt of which an output tells already, so that nothing else does."""
    interrupt = error if isinstance(error, Interrupted) else Interrupted(str(error) or "Interrupted.")
    interrupt.is_shown = True
    return interrupt.with_traceback(None)  # a debugger shows the locals of its frames


def register(shell: Any) -> Callable[[], None]:
    """Handle `Interrupted` in `shell`, and leave other exceptions to the handler before; return what undoes it."""
    types, before = shell.custom_exceptions, shell.CustomTB

    def handle(
        _: object, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
    ) -> Any:
        if not isinstance(error, Interrupted):
            return before(kind, error, trace, tb_offset)
        if error.is_shown:
            shell._last_traceback = []  # the kernel's answer would hold that of an earlier error
        else:
            shell.showtraceback((kind, error, trace), running_compiled_code=True)
        return None

    shell.set_custom_exc((Interrupted, *types), handle)
    ours = shell.CustomTB

    def unregister() -> None:
        if shell.CustomTB is ours:  # otherwise another one was set since
            shell.custom_exceptions, shell.CustomTB = types, before

    return unregister

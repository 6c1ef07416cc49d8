"""How interrupts and errors of this package are told: by one line. The cell still counts as failed.

An interrupt of which the output tells is no error besides. At an error of a magic `%pdb` opens no debugger: the cell
has no frame to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from ..errors import Interrupted, LockbotsError, leave_own_frames_out


def interrupt_shown(error: KeyboardInterrupt) -> Interrupted:
    """Return an interrupt of which an output tells already, so that nothing else does."""
    interrupt = error if isinstance(error, Interrupted) else Interrupted(str(error) or "Interrupted.")
    interrupt.is_shown = True
    return interrupt.with_traceback(None)  # a debugger shows the locals of its frames


def register(shell: Any) -> Callable[[], None]:
    """Handle our exceptions in `shell`, and leave others to the handler before; return what undoes it."""
    types, before = shell.custom_exceptions, shell.CustomTB

    def handle(
        _: object, kind: type[BaseException], error: BaseException, trace: TracebackType, tb_offset: int | None = None
    ) -> Any:
        if types and isinstance(error, types):
            return before(kind, error, trace, tb_offset)
        if isinstance(error, Interrupted) and error.is_shown:
            shell._last_traceback = []  # the kernel's answer would hold that of an earlier error
        elif leave_own_frames_out(error):
            shell.showtraceback((kind, error, trace), running_compiled_code=True)
        else:
            with _no_debugger(shell):
                shell.showtraceback((kind, error, trace), running_compiled_code=True)
        return None

    shell.set_custom_exc((Interrupted, LockbotsError, *types), handle)
    ours = shell.CustomTB

    def unregister() -> None:
        if shell.CustomTB is ours:  # otherwise another one was set since
            shell.custom_exceptions, shell.CustomTB = types, before

    return unregister


@contextmanager
def _no_debugger(shell: Any) -> Iterator[None]:
    """Switch `%pdb` off for the block."""
    wanted, shell.call_pdb = shell.call_pdb, False
    try:
        yield
    finally:
        shell.call_pdb = wanted

"""Displaying outputs in IPython: where they appear, and what takes note of them."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Mapping
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from ..rendering.escaping import printed
from ..rendering.html import framed
from ..security.exits import clean_bundle
from .display_recorder import DisplayCallback

noted_by: contextvars.ContextVar[DisplayCallback | None] = contextvars.ContextVar("noted_by", default=None)
"""What takes note of what the running cell displays, its threads included: hooks of the kernel see one thread."""


def watched(shell: InteractiveShell, mode: str) -> bool:
    """Whether somebody watches the reply come, or `mode` wants it shown as if (``"on"``, ``"text"``).

    Front ends for people say which cell they run, programs don't (nbclient, nbval).
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher) or mode == "off":
        return False
    if not hasattr(shell, "kernel"):
        return sys.stdout.isatty()
    if mode != "auto":
        return True
    request: Mapping[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return request.get("metadata", {}).get("cellId") is not None


def has_outputs(shell: InteractiveShell) -> bool:
    """Whether what is shown becomes an output of a cell, or of whoever captures it; in a terminal it is written."""
    return hasattr(shell, "kernel") or isinstance(shell.display_pub, CapturingDisplayPublisher)


def show_text(shell: InteractiveShell, text: str) -> bool:
    """Show `text` exactly; false where there are no outputs, as in a terminal.

    A front end makes links in bare text, of any scheme; in an element of code it makes none.
    """
    if not has_outputs(shell):
        return False
    show(
        {
            "text/html": framed(f'<pre style="white-space: pre-wrap"><code>{printed(text)}</code></pre>'),
            "text/plain": text,
        }
    )
    return True


def show_note(shell: InteractiveShell, text: str, metadata: Mapping[str, Any]) -> bool:
    """Show a line of the toolkit's as an output with `metadata`; false where outputs have none, as in a terminal.

    Without a text the output is nothing that a reader sees.
    """
    if not has_outputs(shell):
        return False
    show({"text/plain": text} if text else {}, metadata=metadata)
    return True


def show(
    data: Mapping[str, Any],
    display_id: str | None = None,
    *,
    update: bool = False,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """Display an output, or a new state of the one with that id.

    Args:
        data: MIME type -> its form.
        display_id: the output's name.
        update: whether it stands there already.
        metadata: what the notebook saves with it.
    """
    data = clean_bundle(data)
    note = noted_by.get()
    if note is not None:
        note(data, display_id, metadata)
    more = {"metadata": metadata} if metadata else {}
    display(data, raw=True, display_id=display_id, update=update, **more)  # type: ignore[no-untyped-call]  # not typed


def context_of_cell(shell: InteractiveShell) -> contextvars.Context:
    """Return a context in which whatever is displayed goes to the cell that runs now, also when another one does."""
    context = contextvars.copy_context()
    publisher: Any = shell.display_pub
    if hasattr(publisher, "set_thread_parent"):  # ipykernel 7; in a thread of the user's, the context knows no cell
        context.run(publisher.set_thread_parent, publisher.parent_header)
    return context


def unrelated_context() -> contextvars.Context:
    """Return a context in which what is sent answers no message of the page's.

    A kernel takes what comes for a widget where the widget last sent an answer (ipykernel 7.4): after one to a cell,
    the next message waits for that cell to end. Where there was none, the page's own subshell takes it.
    """
    context = contextvars.copy_context()
    kernel = getattr(get_ipython(), "kernel", None)
    parent = getattr(kernel, "_shell_parent", None)
    if isinstance(parent, contextvars.ContextVar):  # else a kernel that knows no subshells
        context.run(parent.set, {})
    return context

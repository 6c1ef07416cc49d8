"""Display of outputs in IPython: whether they are live, the exit they pass, and the cell they belong to."""

from __future__ import annotations

import contextvars
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.getipython import get_ipython
from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from .. import rendering
from ..security.exits import clean_bundle, clean_printed
from ..storage.reply_form import saved_once
from .display_recorder import DisplayCallback
from .front_end import can_ask, cell_id, in_output_widget, sets_tex_in_html

display_listener: contextvars.ContextVar[DisplayCallback | None] = contextvars.ContextVar(
    "display_listener", default=None
)
"""Records displays of the running cell, including those of its threads: kernel hooks see only one thread."""


def watched(shell: InteractiveShell, mode: str) -> bool:
    """Return True if output is to be live: a person watches the cell, or `mode` forces it.

    Interactive front ends send the id of the cell they run; programs such as nbclient and nbval don't. In an `Output`
    of ipywidgets nothing is live, as its displays can't be updated.

    Args:
        shell: The running IPython.
        mode: ``"auto"``, ``"on"``, ``"off"`` or ``"text"``; see the setting `live`.
    """
    if isinstance(shell.display_pub, CapturingDisplayPublisher) or mode == "off":
        return False
    if not hasattr(shell, "kernel"):
        return sys.stdout.isatty()
    if in_output_widget(shell):
        return False
    return mode != "auto" or cell_id(shell) is not None


def has_outputs(shell: InteractiveShell) -> bool:
    """Return True if what is displayed becomes an output of a cell or is captured, False in a terminal."""
    return hasattr(shell, "kernel") or isinstance(shell.display_pub, CapturingDisplayPublisher)


def show_text(shell: InteractiveShell, text: str) -> bool:
    """Show `text` verbatim; return False where there are no outputs, as in a terminal.

    Front ends turn addresses of any scheme in plain text into links, but not inside an element of code.
    """
    if not has_outputs(shell):
        return False
    show(
        {
            "text/html": rendering.framed(
                f'<pre><code style="white-space: pre-wrap">{rendering.printed(text)}</code></pre>'
            ),
            "text/plain": text,
        }
    )
    return True


def show_line(shell: InteractiveShell, text: str) -> bool:
    """Show a line of the toolkit's own, such as that of an interrupt; return False where there are no outputs."""
    if not has_outputs(shell):
        return False
    show({"text/html": rendering.framed("", [text], final=True), "text/plain": text})
    return True


def print_message(text: str) -> None:
    """Write a line of the toolkit's own where the cell prints."""
    sys.stdout.write(f"{clean_printed(text)}\n")


def show_note(shell: InteractiveShell, text: str, metadata: Mapping[str, Any]) -> bool:
    """Show a message as an output with `metadata`; return False where there are no outputs, as in a terminal.

    An output without text is invisible.
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
    """Display an output, or update the one with the same id. The exit of all cell outputs: it cleans the bundle.

    Args:
        data: Data by MIME type.
        display_id: Id of the output.
        update: True if the output exists already.
        metadata: Metadata that the notebook saves with the output.
    """
    data, metadata = saved_once(clean_bundle(shown_forms(data)), metadata, whole=_plain_text_is_read())
    record = display_listener.get()
    if record is not None:
        record(data, display_id, metadata)
    more = {"metadata": metadata} if metadata else {}
    display(data, raw=True, display_id=display_id, update=update, **more)  # type: ignore[no-untyped-call]  # not typed


def forget(display_ids: Iterable[str]) -> None:
    """Drop outputs that were cleared from the record of what the running cell displays."""
    record = display_listener.get()
    if record is not None:
        for display_id in display_ids:
            record({}, display_id)


def shown_forms(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a bundle without its HTML, if that holds formulas that this front end sets in Markdown only."""
    if "text/markdown" not in data or not is_shown_as_markdown(data.get("text/html", "")):
        return data
    return {kind: form for kind, form in data.items() if kind != "text/html"}


def is_shown_as_markdown(html: str) -> bool:
    """Return whether `html` holds formulas that this front end sets in Markdown only."""
    shell = get_ipython() if rendering.has_formulas(html) else None
    return shell is not None and not sets_tex_in_html(shell)


def _plain_text_is_read() -> bool:
    """Return whether an output may be read as plain text: it is captured, or a console shows it."""
    shell = get_ipython()
    if shell is None or isinstance(shell.display_pub, CapturingDisplayPublisher):
        return True
    return cell_id(shell) is None and can_ask(shell)


def context_of_cell(shell: InteractiveShell) -> contextvars.Context:
    """Return a context whose displays go to the cell that runs now, even while another one runs."""
    context = contextvars.copy_context()
    publisher: Any = shell.display_pub
    if hasattr(publisher, "set_thread_parent"):  # ipykernel 7; the context of a user's thread has no cell
        context.run(publisher.set_thread_parent, publisher.parent_header)
    return context


def unrelated_context() -> contextvars.Context:
    """Return a context whose messages have no parent message.

    ipykernel 7.4 handles a widget's incoming message where the widget last replied: after a reply to a cell, the next
    message waits until that cell has ended. Without a parent, the page's own subshell handles it.
    """
    context = contextvars.copy_context()
    kernel = getattr(get_ipython(), "kernel", None)
    parent = getattr(kernel, "_shell_parent", None)
    if isinstance(parent, contextvars.ContextVar):  # a kernel with subshells
        context.run(parent.set, {})
    return context

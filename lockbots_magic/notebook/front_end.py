"""What the front end of the running cell can show."""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from IPython.core.interactiveshell import InteractiveShell


def cell_id(shell: InteractiveShell) -> str | None:
    """Return the id of the running cell; programs such as nbclient and nbval send none."""
    request: Mapping[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    found = request.get("metadata", {}).get("cellId")
    return None if found is None else str(found)


def can_ask(shell: InteractiveShell) -> bool:
    """Return whether the front end can ask its user: pages and consoles can, nbclient and nbval can't."""
    request: Mapping[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return bool(request.get("content", {}).get("allow_stdin", True))


def sets_tex_in_html(shell: InteractiveShell) -> bool:
    """Return whether the front end typesets TeX in HTML; all do in Markdown.

    VS Code doesn't by design (github.com/microsoft/vscode/issues/144628), and neither does Colab
    (github.com/googlecolab/colabtools/issues/3941).
    """
    is_vs_code = "__vsc_ipynb_file__" in shell.user_ns or (cell_id(shell) or "").startswith("vscode-notebook-cell")
    return not (is_vs_code or "google.colab" in sys.modules)


@functools.cache
def in_console() -> bool:
    """Return whether a console shows the outputs, which it prints as text and never updates.

    `jupyter console` and `qtconsole` start the kernel themselves and send nothing that tells them from a program.
    """
    try:
        psutil: Any = importlib.import_module("psutil")  # comes with ipykernel
        words = psutil.Process(os.getppid()).cmdline()
    except Exception:  # noqa: BLE001  # no psutil, or the system tells nothing of other processes
        return False
    return is_console(words)


def is_console(words: Sequence[str]) -> bool:
    """Return whether a command line is that of a Jupyter console.

    Example:
        >>> is_console(["python", "/usr/bin/jupyter-console"]), is_console(["python", "-m", "jupyterlab"])
        (True, False)
    """
    names = {re.split(r"[/\\]", word)[-1].removesuffix(".exe") for word in words[:4]}
    plain = {"jupyter-console", "jupyter_console", "jupyter-qtconsole", "qtconsole"}
    return bool(names & plain) or ("jupyter" in names and "console" in words[:4])


def in_output_widget(shell: InteractiveShell) -> bool:
    """Return whether what is displayed goes to an `Output` of ipywidgets: updates of a display don't reach it there."""
    output_module, widget_module = (
        sys.modules.get(f"ipywidgets.widgets.{name}") for name in ("widget_output", "widget")
    )
    if output_module is None or widget_module is None:
        return False
    parent: Mapping[str, Any] = getattr(shell.display_pub, "parent_header", None) or {}
    message = parent.get("msg_id")
    widgets = getattr(widget_module, "_instances", None)  # ipywidgets 8; in 7, an attribute of the class
    widgets = widget_module.Widget.widgets if widgets is None else widgets
    outputs = (one for one in list(widgets.values()) if isinstance(one, output_module.Output))
    return bool(message) and any(one.msg_id == message for one in outputs)

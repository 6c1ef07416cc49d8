"""What the front end of the running cell can show."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

"""Run a notebook in a kernel, show its outputs in the terminal as they stream, and save it as .ipynb and .html.

Usage: python notebooks/demo.py NOTEBOOK FOLDER
"""

from __future__ import annotations

import os
import re
import sys
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter


class StreamingClient(NotebookClient):
    """Notebook client that writes outputs to the terminal as they stream."""

    shown: str = ""
    """Text of the current output that the terminal shows."""

    def show(self, content: dict[str, Any]) -> None:
        """Write the new part of an output; if earlier text changed, write all of it again when it is complete."""
        data = content["data"]
        ended = "text/plain" in data  # a streaming reply is HTML only
        text = (
            html_to_text(data["text/html"])
            if "lockbots-reply" in data.get("text/html", "")
            else data.get("text/plain", "")
        )
        if text.startswith(self.shown):
            write(text[len(self.shown) :])
            self.shown = text
        elif ended:
            write(f"\n\n{text}")
            self.shown = text

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Show the content of a message, then process it as usual."""
        content, kind = msg["content"], msg["msg_type"]
        if kind == "execute_input":
            self.shown = ""
            quoted = "".join(f"\n  {line}" for line in cell.source.splitlines())
            heading = bold(f"In [{content['execution_count']}]:")
            write(f"\n{heading}{quoted}\n\n")
        elif kind == "stream":
            write(content["text"])
        elif kind in ("display_data", "update_display_data", "execute_result"):
            self.show(content)
        elif kind == "error":
            write("\n".join(content["traceback"]) + "\n")
        elif kind == "status" and content["execution_state"] == "idle" and self.shown:
            write("\n")
        return super().process_message(msg, cell, cell_index)


def html_to_text(html: str) -> str:
    """Return the visible text of `html`."""
    items = re.sub(r"<li[^>]*>\s*", "- ", html)
    return unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", items, flags=re.DOTALL)).rstrip()


def bold(text: str) -> str:
    """Return `text` in bold if stdout is a terminal."""
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def write(text: str) -> None:
    """Write to stdout and flush."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main(source: Path, folder: Path) -> int:
    """Run `source`, save the results in `folder`, and return the exit status."""
    os.environ["LOCKBOTS_LIVE"] = "on"
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # use the kernel of this environment
    notebook = nbformat.read(source, as_version=4)
    quiet = ["--log-level=ERROR"]
    client = StreamingClient(notebook, resources={"metadata": {"path": str(source.parent)}}, extra_arguments=quiet)
    write(f"Running {source} in a kernel\n")
    status = 0
    try:
        client.execute()
    except CellExecutionError:
        status = 1
    folder.mkdir(parents=True, exist_ok=True)
    executed = folder / source.name
    nbformat.write(notebook, executed)
    page = executed.with_suffix(".html")
    page.write_text(HTMLExporter().from_notebook_node(notebook)[0], encoding="utf-8")
    write(f"\nExecuted notebook: {executed}\nThe same as a web page: {page}\n")
    write("Open the page in a browser, or run `make lab` to open the notebooks in JupyterLab.\n")
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))

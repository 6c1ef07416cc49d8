"""Run a notebook in a kernel, show its outputs in the terminal as they stream, and save it as .ipynb and .html.

Usage: python notebooks/demo.py NOTEBOOK FOLDER
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from lockbots_magic import Turn
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.rendering.notices import Page
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.security.exits import clean_bundle


class StreamingClient(NotebookClient):
    """Notebook client that writes outputs to the terminal as they stream, as IPython would write them there."""

    reply: TerminalOutput | None = None
    """Writes the reply that streams."""

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Show the content of a message, then process it as usual."""
        content, kind = msg["content"], msg["msg_type"]
        if kind == "execute_input":
            quoted = "".join(f"\n  {line}" for line in cell.source.splitlines())
            heading = bold(f"In [{content['execution_count']}]:")
            write(f"\n{heading}{quoted}\n\n")
        elif kind == "stream" and is_prompt(cell):
            self.reply = self.reply or TerminalOutput()
            self.reply.feed(Delta(content["text"]))
        elif kind == "stream":
            write(content["text"])
        elif kind in ("display_data", "execute_result"):
            write(f"{content['data'].get('text/plain', '')}\n")
        elif kind == "error":
            self.end_reply()
            write("\n".join(content["traceback"]) + "\n")
        elif kind == "status" and content["execution_state"] == "idle":
            self.end_reply()
        return super().process_message(msg, cell, cell_index)

    def end_reply(self) -> None:
        """Finish the reply that streams, if there is one."""
        if self.reply is not None:
            self.reply.finish(Turn(""))
            self.reply.close()
            self.reply = None


def is_prompt(cell: Any) -> bool:
    """Return whether a cell sends a prompt: what it prints is a reply."""
    return re.match(r"\s*%%?chat\b", cell.source) is not None


def format_replies(notebook: Any) -> None:
    """Replace replies that were printed by the outputs that a notebook has of them."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and is_prompt(cell):
            cell.outputs = [format_reply(one) if one.output_type == "stream" else one for one in cell.outputs]


def format_reply(output: Any) -> Any:
    """Return a printed reply as HTML, Markdown and plain text."""
    return nbformat.v4.new_output("display_data", data=clean_bundle(Page(output.text).mime_bundle()))


def bold(text: str) -> str:
    """Return `text` in bold if stdout is a terminal."""
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def write(text: str) -> None:
    """Write to stdout and flush."""
    sys.stdout.write(text)
    sys.stdout.flush()


def main(source: Path, folder: Path) -> int:
    """Run `source`, save the results in `folder`, and return the exit status."""
    os.environ["LOCKBOTS_LIVE"] = "text"  # replies stream as Markdown, which is laid out here
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
    format_replies(notebook)
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

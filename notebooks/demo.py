"""Run a notebook in a kernel, show its texts, cells and outputs as they stream, and save it as .ipynb and .html.

Usage: python notebooks/demo.py NOTEBOOK FOLDER
"""

from __future__ import annotations

import ast
import functools
import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import HTMLExporter

from lockbots_magic import Turn
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.conversation.usage import measure_turn
from lockbots_magic.rendering.foot_line import foot_line
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.mime_bundle import bundle
from lockbots_magic.rendering.terminal.output import TerminalOutput
from lockbots_magic.security.exits import clean_bundle

LAST_TURN = "__import__('json').dumps(__import__('lockbots_magic').last_turn().to_dict())"
"""Evaluated in the kernel after each cell: what is printed does not tell the model, the time and the tokens."""


class StreamingClient(NotebookClient):
    """Notebook client that writes outputs to the terminal as they stream, as IPython would write them there."""

    reply: TerminalOutput | None = None
    """Writes the reply that streams."""

    def __init__(self, notebook: Any, **settings: Any) -> None:
        super().__init__(notebook, on_cell_start=self.show_text, on_cell_executed=self.show_foot, **settings)
        self.feet: dict[int, str] = {}
        """Foot line of each reply, by the number of its cell."""
        self.seen: set[str] = set()
        """Ids of their turns."""

    async def async_start_new_kernel_client(self) -> Any:
        """Start the kernel's client; with each cell it asks for the last turn, too."""
        client = await super().async_start_new_kernel_client()
        client.execute = functools.partial(client.execute, user_expressions={"turn": LAST_TURN})
        return client

    def show_text(self, cell: Any, **_: Any) -> None:
        """Show a cell of text."""
        if cell.cell_type == "markdown":
            write("\n")
            text = TerminalOutput()
            text.feed(Delta(cell.source))
            text.finish(Turn(""))
            text.close()

    def show_foot(self, cell: Any, cell_index: int, execute_reply: Any) -> None:
        """Finish the reply of a cell with the line that tells who answered."""
        found = execute_reply["content"].get("user_expressions", {}).get("turn", {}).get("data", {})
        turn = Turn.from_dict(json.loads(ast.literal_eval(found["text/plain"]))) if found else None
        if turn is not None and turn.id not in self.seen:
            self.seen.add(turn.id)
            self.feet[cell_index] = foot_line(measure_turn(turn), timed=True)
        self.end_reply(self.feet.get(cell_index, ""))

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
        return super().process_message(msg, cell, cell_index)

    def end_reply(self, foot: str = "") -> None:
        """Finish the reply that streams, if there is one."""
        if self.reply is not None:
            self.reply.finish(Turn(""), [foot] if foot else [])  # also where the text goes to a file
            self.reply.close()
            self.reply = None


def is_prompt(cell: Any) -> bool:
    """Return whether a cell sends a prompt: what it prints is a reply."""
    return re.match(r"\s*%%?chat\b", cell.source) is not None


def format_replies(notebook: Any, feet: Mapping[int, str]) -> None:
    """Replace replies that were printed by the outputs that a notebook has of them."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and is_prompt(cell):
            foot = feet.get(number, "")
            cell.outputs = [format_reply(one, foot) if one.output_type == "stream" else one for one in cell.outputs]


def format_reply(output: Any, foot: str) -> Any:
    """Return a printed reply as HTML, Markdown and plain text."""
    return nbformat.v4.new_output(
        "display_data", data=clean_bundle(bundle(output.text, render(output.text), foot=foot))
    )


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
    format_replies(notebook, client.feet)
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

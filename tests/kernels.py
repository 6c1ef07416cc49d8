"""A real kernel, driven like a front end does."""

from __future__ import annotations

import html
import os
import queue
import re
import time
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.manager import start_new_kernel


def visible(data: dict[str, Any]) -> str:
    """Return the visible text of an output's HTML."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", "", data.get("text/html", ""))).strip()


@dataclass
class Execution:
    """Messages that a kernel sent for one cell."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    reply: dict[str, Any] = field(default_factory=dict)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the contents of the messages of these kinds, in order."""
        return [m["content"] for m in self.messages if m["msg_type"] in kinds]

    @property
    def printed(self) -> str:
        """Return the printed text; a kernel sends it in pieces of any size."""
        return "".join(content["text"] for content in self.of("stream"))

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """Return the final outputs of a notebook: updates and clearing applied, as front ends do."""
        outputs: list[dict[str, Any]] = []
        places: dict[str, int] = {}
        clearing = False
        for message in self.messages:
            content, kind = message["content"], message["msg_type"]
            if kind == "clear_output":
                clearing = True
            elif clearing and kind in ("display_data", "execute_result", "error", "stream"):
                outputs, places, clearing = [], {}, False
            identity = content.get("transient", {}).get("display_id")
            if kind == "display_data":
                places[identity] = len(outputs)
                outputs.append({"type": kind, **content})
            elif kind == "update_display_data" and identity in places:  # else it is another cell's
                outputs[places[identity]] = {"type": "display_data", **content}
            elif kind in ("execute_result", "error", "stream"):
                outputs.append({"type": kind, **content})
        return outputs

    @property
    def text(self) -> str:
        """Return the reply, which must be the only output."""
        (output,) = self.outputs
        return output["data"]["text/plain"]


class Kernel:
    """A kernel with the extension loaded; a context manager."""

    def __enter__(self) -> Kernel:
        self.manager, self.client = start_new_kernel(kernel_name="python3", extra_arguments=["--log-level=ERROR"])
        return self

    def __exit__(self, *_: object) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(
            now="COVERAGE_PROCESS_CONFIG" not in os.environ
        )  # one that is killed reports nothing
        self.manager.cleanup_resources()

    def send(self, code: str, cell_id: str | None = None, *, allow_stdin: bool = False) -> str:
        """Send a cell, with `cell_id` as JupyterLab sends it, and return the id of the request."""
        content = {
            "code": code, "silent": False, "store_history": True, "user_expressions": {},
            "allow_stdin": allow_stdin, "stop_on_error": True,
        }  # fmt: skip
        message = self.client.session.msg("execute_request", content)
        if cell_id is not None:
            message["metadata"]["cellId"] = cell_id
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def run(self, code: str, cell_id: str | None = None, timeout: float = 60) -> Execution:
        """Run a cell to its end."""
        return self.finish(self.send(code, cell_id), timeout=timeout)

    def finish(self, request: str, execution: Execution | None = None, timeout: float = 60) -> Execution:
        """Collect the messages for `request` until the kernel is idle and has replied."""
        execution = execution or Execution()
        for message in self.messages(request, timeout):
            execution.messages.append(message)
        while not execution.reply:
            reply = self.client.get_shell_msg(timeout=timeout)
            if reply["parent_header"].get("msg_id") == request:
                execution.reply = reply["content"]
        return execution

    def messages(self, request: str, timeout: float = 60):
        """Yield the messages for `request` as they arrive, up to the idle status."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                what = "did not end" if self.manager.is_alive() else "died; it did not end"
                raise TimeoutError(f"the kernel {what} within {timeout} s") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            yield message
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return

"""Cost of a streaming reply in the chat panel: 50 KB at 1,000 tokens/s, compared with the same reply in a cell."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from common import Server, figure, median, server, table, title
from in_lab import Lab, wait_for_quiet
from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import CHROMIUM, FLAGS

COUNT, RATE = 12_500, 1_000
MODEL = f"{COUNT}@{RATE}-document"
REPETITIONS = 3

SCRIPT = """
window.spent = {bytes: 0, tasks: [], from: Infinity};
window.WebSocket = class extends WebSocket {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({data}) => {
      spent.bytes += typeof data === 'string' ? data.length : data.byteLength;
    });
  }
};
new PerformanceObserver((list) => {
  for (const task of list.getEntries()) if (task.startTime >= spent.from) spent.tasks.push(task.duration);
}).observe({type: 'longtask'});
"""
SETUP = """%load_ext lockbots_magic
import os
os.environ["LOCKBOTS_OPENAI_BASE_URL"] = "{url}"
%lockbots set model openai:600@1000-document
%lockbots panel"""
SWITCH = f"%lockbots set model openai:{MODEL}"
CELL = "%%chat --no-history\nGo on."
DONE = "(selector) => [...document.querySelectorAll(selector)].some((e) => e.textContent.includes('Finished'))"


class Page50:
    """One JupyterLab with a panel, warmed up."""

    def __init__(self, page: Page, lab: Lab, source: Server) -> None:
        self.page, self.source = page, source
        self.notebook = lab.open(page, SETUP.format(url=source.url), SWITCH, CELL)
        self.notebook.run(0)
        self.box = page.locator(".lockbots-panel .lb-composer textarea")
        self.send()
        page.wait_for_function(DONE, arg=".lockbots-panel", timeout=60_000)
        page.evaluate("() => document.querySelectorAll('.lockbots-panel .lockbots-reply').forEach((e) => e.remove())")
        self.notebook.run(1)

    def send(self) -> None:
        self.box.click()
        self.page.keyboard.insert_text("Go on.")
        self.page.keyboard.press("Enter")

    def measure(self, begin, selector: str) -> dict[str, float]:
        wait_for_quiet()
        self.page.evaluate("() => { spent.bytes = 0; spent.tasks = []; spent.from = performance.now(); }")
        begin()
        self.page.wait_for_function(DONE, arg=selector, timeout=120_000)
        shown = time.monotonic()
        after = shown - self.source.times()["last"]
        self.page.wait_for_timeout(2000)
        spent = self.page.evaluate("() => spent")
        return {"bytes": spent["bytes"] / 1e6, "tasks": sum(spent["tasks"]) / 1e3, "after": after}


def main() -> None:
    runs: dict[str, list[dict[str, float]]] = {"panel": [], "cell": []}
    with server() as source:
        for _ in range(REPETITIONS):
            with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
                page.add_init_script(SCRIPT)
                ours = Page50(page, lab, source)
                runs["panel"].append(ours.measure(ours.send, ".lockbots-panel"))
                chat_cell = (
                    ".jp-CodeCell:nth-of-type(n+3) .lockbots-reply, .jp-CodeCell .jp-RenderedHTMLCommon .lockbots-reply"
                )
                page.evaluate("() => document.querySelectorAll('.lockbots-transcript').forEach((e) => e.remove())")
                runs["cell"].append(ours.measure(lambda o=ours: o.notebook.run(2, wait=False), chat_cell))
                browser.close()
    title(f"50 KB at {RATE} tokens/s, median of {REPETITIONS}")
    names = {
        "tasks": "main thread in long tasks (s)",
        "bytes": "websocket (MB)",
        "after": "shown after the last token (s)",
    }
    rows = [(n, *(f"{median([r[k] for r in runs[way]]):.2f}" for way in runs)) for k, n in names.items()]
    table(("", *runs), *rows)
    for key, aim in (("tasks", "<= 1 s"), ("bytes", "<= 0.4 MB"), ("after", "none")):
        values = {way: median([run[key] for run in runs[way]]) for way in runs}
        ratio = f", {values['panel'] / values['cell']:.2f} x a cell's" if values["cell"] else ""
        figure(f"panel, {names[key]}", f"{values['panel']:.2f}{ratio}", aim)


if __name__ == "__main__":
    main()

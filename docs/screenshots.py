"""The pictures of the README and the site, made from the real thing: JupyterLab in Chromium runs the analysis.

`python -m docs.screenshots` writes `docs/demo.webp`, a film of a reply, and `docs/panel.png`, the panel below the
cells of its conversation. The reply comes from the notebook's recording, and is shown at about the speed at which it
was recorded.
"""

from __future__ import annotations

import io
import itertools
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from tests.browser.lab import CHROMIUM, FLAGS, Lab, Notebook, new_context
from tests.browser.panels import Panel

HERE = Path(__file__).parent
NOTEBOOKS = HERE.parent / "notebooks"
SIZE = {"width": 900, "height": 640}
SPEED = 0.1
"""Speed of the replay: a frame takes longer to save than a word to come. The film is shown at the original speed."""
PAUSE = 0.15
"""Time (s) for which a frame of the film is shown."""
MAX_FRAMES = 45
LAST = 2500
"""Time (ms) for which the last frame is shown."""

MARGIN = 16
"""Pixels below the cell."""
PHOTO = {"width": 1000, "height": 730}


def main() -> int:
    """Write the film and the photograph."""
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab, sync_playwright() as playwright:
        for part in ("data", "cassettes"):
            shutil.copytree(NOTEBOOKS / part, lab.notebooks / part)
        sources = code_cells(NOTEBOOKS / "02_analysis.ipynb")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = new_context(browser, viewport=SIZE)
        page = context.new_page()
        notebook = lab.open(page, *sources, name="analysis.ipynb")
        page.evaluate("window.jupyterapp.shell.collapseLeft()")
        film(notebook, page, sources)
        context.close()
        context = new_context(browser, viewport=PHOTO)
        photograph(lab, context.new_page(), sources)
        context.close()
        browser.close()
    return 0


def code_cells(path: Path) -> list[str]:
    """Return the first code cells of a notebook: up to and with its first prompt."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    sources[0] = sources[0].replace(".jsonl", f".jsonl --speed {SPEED}")
    first = next(at for at, source in enumerate(sources) if source.startswith("%%chat"))
    return sources[: first + 1]


def film(notebook: Notebook, page: Page, sources: list[str]) -> None:
    """Run the cells, and film the last one."""
    last = len(sources) - 1
    for index in range(last):
        notebook.run(index)
    frames = [shot(page, last)]
    notebook.run(last, wait=False)
    prompt = notebook.cell(last).locator(".jp-InputPrompt")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        frames.append(shot(page, last))
        if "*" not in prompt.inner_text():
            break
    page.wait_for_timeout(500)
    frames.append(shot(page, last))
    different = [frames[0], *(b for a, b in itertools.pairwise(frames) if a.tobytes() != b.tobytes())]
    different = [*different[: -1 : max(1, len(different) // MAX_FRAMES)], different[-1]]
    durations = [600, *[int(PAUSE * 1000)] * (len(different) - 2), LAST]
    cell = notebook.cell(last).bounding_box()
    height = min(different[0].height, int(cell["height"]) + MARGIN) if cell else different[0].height
    different = [one.crop((0, 0, one.width, height)) for one in different]
    target = HERE / "demo.webp"
    different[0].save(
        target, save_all=True, append_images=different[1:], duration=durations, loop=0, quality=55, method=6
    )
    sys.stdout.write(f"{target}: {len(different)} frames, {target.stat().st_size / 1000:.0f} kB\n")


def photograph(lab: Lab, page: Page, sources: list[str]) -> None:
    """Run the cells and the panel below them, and photograph the window."""
    notebook = lab.open(page, sources[0], "\n".join(sources[1:-1]), sources[-1], "%lockbots panel", name="panel.ipynb")
    page.evaluate("window.jupyterapp.shell.collapseLeft()")
    for index in range(4):
        notebook.run(index)
    panel = Panel(page).wait_until_ready()
    panel.turns.first.wait_for()
    panel.log.evaluate("log => { log.scrollTop = log.scrollHeight }")
    notebook.cell(3).evaluate("cell => cell.scrollIntoView({block: 'start'})")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1000)  # scroll bars fade
    target = HERE / "panel.png"
    page.screenshot(path=target)
    sys.stdout.write(f"{target}: {target.stat().st_size / 1000:.0f} kB\n")


def shot(page: Page, cell: int) -> Image.Image:
    """Return the notebook as a picture, a cell at its top."""
    page.evaluate("cell => document.querySelectorAll('.jp-Cell')[cell].scrollIntoView({block: 'start'})", cell)
    box = page.locator(".jp-NotebookPanel-notebook").bounding_box()
    return Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")


if __name__ == "__main__":
    sys.exit(main())

"""JupyterLab and Chromium, started for the tests and operated like a person does."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal

import nbformat
import requests
from playwright.sync_api import Browser, BrowserContext, Locator, Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",  # as root, in CI
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 60_000
"""Maximum time (ms) for a condition to become true: the machine may be busy."""


class Lab:
    """A JupyterLab server in a folder of its own; a context manager.

    Args:
        folder: An empty folder for notebooks, settings and runtime files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.notebooks.mkdir()
        self._token = secrets.token_hex(16)
        self._headers = {"Authorization": f"token {self._token}"}
        self._sessions: dict[Page, str] = {}

    def __enter__(self) -> Lab:
        places = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "IPYTHONDIR": "ipython",
        }
        own = {**{k: str(self.folder / v) for k, v in places.items()}, "HOME": str(self.folder)}
        self._environment = {**os.environ, **own}
        settings = {
            "--ServerApp.port": 0,
            "--ServerApp.open_browser": False,
            "--ServerApp.allow_root": True,
            "--IdentityProvider.token": self._token,
            "--ServerApp.root_dir": self.notebooks,
            "--LabApp.expose_app_in_browser": True,
            "--JupyterNotebookApp.expose_app_in_browser": True,
        }
        self._set("apputils-extension/notification", '{"fetchNews": "false", "checkForUpdates": false}')
        self._set(
            "notebook-extension/tracker", '{"autoStartDefaultKernel": true}'
        )  # it asks which one to take, now and then
        self._set("docmanager-extension/plugin", '{"autosave": false}')  # two saves that meet ask
        command = [sys.executable, "-m", "jupyterlab", *(f"{k}={v}" for k, v in settings.items())]
        self._log = (self.folder / "server.log").open("w")
        self._server = subprocess.Popen(command, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT)
        self.url = self._wait_for_server()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.wait(60)  # it ends its kernels first
        self._log.close()

    def _set(self, plugin: str, settings: str) -> None:
        file = self.folder / f"config/lab/user-settings/@jupyterlab/{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(settings)

    def _wait_for_server(self) -> str:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self._server.poll() is None:
            for file in (self.folder / "runtime").glob("jpserver-*.json"):
                url = json.loads(file.read_text() or "{}").get("url")
                if url and _answers(f"{url}api?token={self._token}"):
                    return url
            time.sleep(0.1)
        raise RuntimeError("JupyterLab did not start:\n" + (self.folder / "server.log").read_text()[-3000:])

    def open(self, page: Page, *sources: str, name: str = "test.ipynb", app: str = "lab") -> Notebook:
        """Open a notebook with these code cells, `app` is "lab" or "notebooks" (Notebook 7)."""
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), self.notebooks / name)
        return self.show(page, name, app)

    def show(self, page: Page, name: str, app: str = "lab") -> Notebook:
        """Open an existing notebook of the folder.

        In a page that shows the application already, it replaces the notebook there: loading the application is slow.
        The kernel ends when the page closes or shows the next notebook.
        """
        loaded = page.url.startswith(f"{self.url}{app}")
        if loaded:
            page.evaluate(_CLOSE)
            self._end_kernel(self._sessions.pop(page))
        self._sessions[page] = self._start_kernel(name)
        if loaded:
            page.evaluate(_OPEN, name)
        else:
            page.once("close", lambda page: self._end_kernel(self._sessions.pop(page)))
            # A workspace of its own: pages that share one restore each other's notebooks when they load again.
            path = f"lab/workspaces/{secrets.token_hex(4)}/tree" if app == "lab" else "notebooks"
            page.goto(f"{self.url}{path}/{name}?token={self._token}")
        notebook = Notebook(page, self.notebooks / name)
        notebook.wait_until_ready()
        return notebook

    def trust(self, *names: str) -> None:
        """Sign notebooks, as `jupyter trust` does: their outputs may then act."""
        command = [sys.executable, "-m", "jupyter", "trust", *(self.notebooks / name for name in names)]
        subprocess.run(command, env=self._environment, check=True, capture_output=True)

    def _start_kernel(self, name: str) -> str:
        """Start the notebook's kernel and return the id of its session.

        Before it is opened: otherwise JupyterLab sometimes asks which one to use.
        """
        session = {"path": name, "name": name, "type": "notebook", "kernel": {"name": "python3"}}
        response = requests.post(f"{self.url}api/sessions", json=session, headers=self._headers, timeout=60)
        response.raise_for_status()
        session_id: str = response.json()["id"]
        return session_id

    def _end_kernel(self, session_id: str) -> None:
        """Shut a notebook's kernel down, unless the test has done so: idle kernels add up to gigabytes."""
        response = requests.delete(f"{self.url}api/sessions/{session_id}", headers=self._headers, timeout=60)
        if response.status_code not in {204, 404, 410}:  # 404: no session; 410: its kernel is gone
            response.raise_for_status()


# Closes the notebooks of a page without a question.
_CLOSE = """() => {
    for (const widget of [...window.jupyterapp.shell.widgets("main")]) widget.dispose();
}"""
# Opens a notebook in the same page; Notebook 7 has a tab of the browser for each, except with this `ref`.
_OPEN = """path => window.jupyterapp.commands.execute(
    "docmanager:open", {path, factory: "Notebook", options: {ref: "_noref"}}
).then(() => null)"""


class Notebook:
    """An open notebook."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.path = path

    def wait_until_ready(self) -> None:
        """Wait until the cells are drawn and the kernel is idle."""
        self.cell(0).wait_for(timeout=PATIENCE)
        self._wait_for_kernel("kernel.status === 'idle' && kernel.connectionStatus === 'connected'")

    def wait_for_session(self) -> None:
        """Wait until the notebook knows its kernel, which may be busy: it can be interrupted then."""
        self._wait_for_kernel("true")

    def _wait_for_kernel(self, condition: str) -> None:
        """Wait for a condition on the `kernel` of the notebook; what is sent before it is connected may be lost.

        The indicators of the front end show "idle" before there is a session.
        """
        self.page.wait_for_function(
            f"""name => {{
                const widgets = [...(window.jupyterapp?.shell.widgets("main") ?? [])];
                const context = widgets.find(widget => widget.context?.path.endsWith(name))?.sessionContext;
                const kernel = context?.session?.kernel;
                return Boolean(kernel) && context.isReady && {condition};
            }}""",
            arg=self.path.name,
            timeout=PATIENCE,
            polling=50,
        )

    def cell(self, index: int) -> Locator:
        """The cell at `index`."""
        return self.page.locator(".jp-Notebook .jp-CodeCell").nth(index)

    def run(self, index: int, wait: bool = True) -> None:
        """Run a cell as Shift+Enter does; `wait` for its end."""
        for _ in range(4):  # the front end may move the focus while it starts
            self.cell(index).locator(".jp-InputArea-editor").click()
            before = self.cell(index).locator(".jp-InputPrompt").inner_text()
            self.page.keyboard.press("Control+Enter")
            if self._begins(index, before):
                break
        if wait:
            self.wait_for_end(index)

    def _begins(self, index: int, before: str) -> bool:
        """Return whether a cell starts to run, as its brackets show at once."""
        try:
            self._wait_for_prompt(index, r"text !== arg && /\[(\*|\d+)\]/.test(text)", before, 5)
        except PlaywrightTimeoutError:
            return False
        return True

    def _wait_for_prompt(
        self, index: int, condition: str, arg: str, seconds: float, polling: float | Literal["raf"] = "raf"
    ) -> None:
        """Wait for a condition on the `text` in the brackets of a cell, checked at every frame or `polling` (ms)."""
        self.page.wait_for_function(
            f"""([index, arg]) => {{
                const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index];
                const text = cell?.querySelector('.jp-InputPrompt').innerText;
                return text !== undefined && {condition};
            }}""",
            arg=[index, arg],
            timeout=seconds * 1000,
            polling=polling,
        )

    def run_all(self, last: int, seconds: float) -> None:
        """Run all cells by the menu, and wait up to `seconds` for the `last` one."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        self.wait_for_end(last, seconds, polling=250)

    def wait_for_end(self, index: int, seconds: float = 60, polling: float | Literal["raf"] = "raf") -> None:
        """Wait until the cell has run, as the number in its brackets shows; `polling` (ms) for one that takes long."""
        self._wait_for_prompt(index, "new RegExp(arg).test(text)", r"\[\d+\]", seconds, polling)

    def outputs(self, index: int) -> Locator:
        """The outputs of a cell."""
        return self.cell(index).locator(".jp-OutputArea-child")

    def type_into(self, index: int, source: str) -> None:
        """Replace a cell's source."""
        self.cell(index).locator(".jp-InputArea-editor").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def interrupt(self) -> None:
        """Interrupt the kernel, as I pressed twice does; a slow page may take that for two keys."""
        self.page.evaluate("() => { jupyterapp.commands.execute('notebook:interrupt-kernel') }")

    def save(self) -> nbformat.NotebookNode:
        """Save and return the notebook as the file holds it."""
        before = self.path.stat().st_mtime_ns
        self.page.keyboard.press("Control+s")
        deadline = time.monotonic() + 20
        while (self.path.stat().st_mtime_ns == before or not _is_whole(self.path)) and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        return nbformat.read(self.path, as_version=4)


def _is_whole(path: Path) -> bool:
    """Return whether a notebook file is complete."""
    try:
        return bool(json.loads(path.read_text("utf-8")))
    except ValueError:
        return False


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except OSError:
        return False


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a context with a window of 1200 by 900 pixels and these options."""
    context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
    context.set_default_timeout(PATIENCE)
    return context


def style(locator: Locator, name: str) -> str:
    """Return the computed value of a style property of an element."""
    value: str = locator.evaluate(f"e => getComputedStyle(e).{name}")
    return value


def choose(page: Page, menu: str, *items: str) -> None:
    """Choose from a menu, as a person does."""
    page.locator(".lm-MenuBar-itemLabel").get_by_text(menu, exact=True).click()
    for item in items:
        page.locator(".lm-Menu-itemLabel").get_by_text(item, exact=True).last.click()

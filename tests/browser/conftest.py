"""Fixtures of browser tests: one JupyterLab, one Chromium, and a panel with a streaming model."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

pytest.importorskip("playwright")
pytest.importorskip("jupyterlab")

from playwright.sync_api import expect, sync_playwright

from tests.browser.lab import CHROMIUM, FLAGS, PATIENCE, Lab, new_context
from tests.browser.panels import RATE, Panel, use
from tests.hostile.watcher import Watcher

expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(scope="package")
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="package")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A fresh page, for tests that load it again or route its requests; closing it at once leaves no dialog behind."""
    context = new_context(browser)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="package")
def _pages(browser):
    """Application -> a page that tests use one after the other."""
    context = new_context(browser)
    yield defaultdict(context.new_page)
    context.close()


@pytest.fixture
def lab_page(_pages):
    """The page of JupyterLab that tests use one after the other."""
    return _pages["lab"]


@pytest.fixture
def open_notebook(request, lab, _pages):
    """Open a notebook with some code cells in JupyterLab or Notebook 7 (`app`), in a page that is loaded already."""
    used = set()
    failed = request.session.testsfailed

    def open_(*sources, app="lab"):
        used.add(app)
        return lab.open(_pages[app], *sources, name=f"{re.sub('[^a-z0-9]+', '-', request.node.name)}.ipynb", app=app)

    yield open_
    if request.session.testsfailed > failed:  # its dialogs, themes and menus are not for the next test
        for app in used:
            _pages.pop(app).close()


@pytest.fixture(scope="package")
def _stage_page(browser):
    context = new_context(browser, permissions=["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def stage(lab, _stage_page, _mock_server_server):
    """A notebook with a panel that most tests share, each with a conversation of its own."""
    cells = (
        use(_mock_server_server, rate=RATE),
        "%lockbots panel",
        "%%chat\nsay from a **cell**",
        "",
        "%lockbots history",
    )
    notebook = lab.open(_stage_page, *cells, name="panel.ipynb")
    notebook.run(0)
    notebook.run(1)
    return notebook, Panel(_stage_page, notebook.cell(1).locator(".lockbots-panel")).wait_until_ready()


@pytest.fixture
def notebook(stage):
    return stage[0]


@pytest.fixture
def panel(stage):
    panel = stage[1]
    panel.start_conversation()
    return panel


@pytest.fixture(scope="module")
def watched(browser, lab):
    """A browser context with a watcher over all its pages."""
    context = new_context(browser)
    yield context, Watcher(context, lab.url)
    context.close()


@pytest.fixture(scope="module")
def blank(browser):
    """A page for comparing screenshots."""
    page = browser.new_page()
    yield page
    page.close()

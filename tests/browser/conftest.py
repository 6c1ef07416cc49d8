"""Fixtures of browser tests: one JupyterLab, one Chromium, and a panel with a streaming model."""

import pytest

pytest.importorskip("playwright")
pytest.importorskip("jupyterlab")

from playwright.sync_api import sync_playwright

from tests.browser.lab import CHROMIUM, FLAGS, Lab
from tests.browser.panels import RATE, Panel, use
from tests.hostile.watcher import Watcher


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine"))


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    with Lab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A fresh page; closing it at once leaves no dialog behind."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def stage(lab, browser, _mock_server_server):
    """A notebook with a panel that most tests share, each with a conversation of its own."""
    context = browser.new_context(
        viewport={"width": 1200, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    cells = (
        use(_mock_server_server, rate=RATE),
        "%lockbots panel",
        "%%chat\nsay from a **cell**",
        "",
        "%lockbots history",
    )
    notebook = lab.open(page, *cells, name="panel.ipynb")
    notebook.run(0)
    notebook.run(1)
    yield notebook, Panel(page, notebook.cell(1).locator(".lockbots-panel")).wait_until_ready()
    context.close()


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
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context, Watcher(context, lab.url)
    context.close()


@pytest.fixture(scope="module")
def blank(browser):
    """A page for comparing screenshots."""
    page = browser.new_page()
    yield page
    page.close()

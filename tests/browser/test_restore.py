"""Notebooks saved by JupyterLab and Notebook 7 restore the conversation."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from tests.browser.panels import use


def restart(notebook):
    """Restart the kernel, and run the first cell until its count is of the new one: earlier requests may be lost."""
    prompt = notebook.cell(0).locator(".jp-InputPrompt")
    notebook.run(0)
    before = int(prompt.inner_text().strip("[]:"))
    notebook.page.evaluate("() => { jupyterapp.commands.execute('notebook:restart-kernel') }")
    notebook.page.get_by_role("button", name="Confirm Kernel Restart").click()
    lower = re.compile(rf"\[({'|'.join(map(str, range(1, before)))})\]")
    for _ in range(before - 1):
        notebook.wait_until_ready()
        notebook.run(0, wait=False)
        with suppress(AssertionError):
            expect(prompt).to_contain_text(lower, timeout=20_000)
            return
    raise AssertionError("the kernel did not restart")


@pytest.mark.parametrize("app", ["lab", "notebooks"])
def test_after_a_restart_the_saved_notebook_brings_the_conversation_back(open_notebook, mock_server, app):
    sources = [
        use(mock_server, rate=100),
        "%%chat\ncount to 30",
        "%%chat\nsay two",
        "%lockbots restore",
        "%%chat\nand now?",
        "%lockbots history",
    ]
    notebook = open_notebook(*sources, app=app)
    for cell in range(3):
        notebook.run(cell)
    saved = notebook.save()
    records = [saved.cells[n].outputs[0].metadata.lockbots for n in (1, 2)]
    assert [record.turn.prompt for record in records] == ["count to 30", "say two"]
    assert [record.turn.cell_id for record in records] == [saved.cells[n].id for n in (1, 2)]
    restart(notebook)
    notebook.run(3)
    expect(notebook.outputs(3)).to_contain_text("main: 2 turns")
    expect(notebook.outputs(3)).not_to_contain_text(re.compile("edited|altered|missing|another|older"))
    notebook.run(4)
    expect(notebook.outputs(4)).to_contain_text("I have heard 5 messages")
    notebook.type_into(1, "%%chat\nsay one")
    notebook.run(1)
    notebook.run(5)
    rows = notebook.outputs(5).locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("say one")
    expect(rows.nth(1)).to_contain_text(re.compile("say two.*stale"))


@pytest.mark.parametrize("app", ["lab", "notebooks"])
def test_what_a_failure_leaves_for_the_notebook_takes_no_room(open_notebook, mock_server, app):
    fail = f"%lockbots use openai:demo --base-url {mock_server.url('openai', fault='http-401')}"
    notebook = open_notebook(use(mock_server), "%%chat\nsay one", fail, "%%chat\nsay two", app=app)
    for cell in range(3):
        notebook.run(cell)
    notebook.run(1)
    notebook.run(3)
    expect(notebook.outputs(1).last).to_contain_text("AuthenticationError")
    expect(notebook.outputs(3)).to_contain_text("AuthenticationError")
    heights = [notebook.cell(n).locator(".jp-OutputArea").bounding_box()["height"] for n in (1, 3)]
    assert heights[0] == heights[1]
    assert "turn" not in notebook.save().cells[1].outputs[0].metadata.lockbots

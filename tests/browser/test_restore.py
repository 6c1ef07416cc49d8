"""The notebook is the store: what JupyterLab and Notebook 7 save brings the conversation back."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("app", ["lab", "notebooks"])
def test_after_a_restart_the_saved_notebook_brings_the_conversation_back(lab, page, sandbox, app):
    use = f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {sandbox.url('openai', rate=100)}"
    sources = [
        use,
        "%%chat\ncount to 30",
        "%%chat\nsay two",
        "%lockbots restore",
        "%%chat\nand now?",
        "%lockbots history",
    ]
    notebook = lab.open(page, *sources, name=f"restore-{app}.ipynb", app=app)
    for cell in range(3):
        notebook.run(cell)
    saved = notebook.save()
    records = [saved.cells[n].outputs[0].metadata.lockbots for n in (1, 2)]
    assert [record.turn.prompt for record in records] == ["count to 30", "say two"]
    assert [record.cell for record in records] == [saved.cells[n].id for n in (1, 2)]
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    page.keyboard.press("0")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    notebook.wait_until_ready()
    notebook.run(0)
    notebook.run(3)
    expect(notebook.outputs(3)).to_contain_text("main: 2 turns")
    notebook.run(4)
    expect(notebook.outputs(4)).to_contain_text("I have heard 5 messages")
    notebook.type_into(1, "%%chat\nsay one")
    notebook.run(1)
    notebook.run(5)
    rows = notebook.outputs(5).locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("say one")
    expect(rows.nth(1)).to_contain_text(re.compile("say two.*stale"))

"""The first cells, as a person runs them, in JupyterLab and in Notebook 7."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.panels import use

README = Path(__file__).parents[2] / "README.md"


pytestmark = pytest.mark.parametrize("app", ["lab", "notebooks"])


def test_the_first_example_of_the_readme_works(open_notebook, app):
    cells = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)[:2]
    notebook = open_notebook(*[c.rstrip("\n") for c in cells], app=app)
    notebook.run(0)
    assert notebook.outputs(0).count() == 0
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.outputs(1)).to_contain_text("%lockbots login openai")


# Keeps what a cell shows after each change: a slow machine may not look before the reply is whole.
WATCH = """cell => {
    const parts = window.parts = [];
    const look = () => parts.push(cell.querySelector(".jp-OutputArea").textContent);
    new MutationObserver(look).observe(cell, {childList: true, subtree: true, characterData: true});
}"""


def test_the_reply_grows_under_the_eyes_of_the_reader_and_is_saved_as_one_output(open_notebook, mock_server, app):
    notebook = open_notebook(use(mock_server, rate=20), "%%chat\ncount to 40", app=app)
    notebook.run(0)
    notebook.cell(1).evaluate(WATCH)
    notebook.run(1)
    expect(notebook.outputs(1)).to_contain_text("39 40")
    assert notebook.page.evaluate("window.parts.some(text => text.includes('1 2 3') && !text.includes('39'))")
    expect(notebook.outputs(1)).to_have_count(1)
    (output,) = notebook.save().cells[1].outputs
    assert output.output_type == "display_data"
    assert output.data["text/plain"].endswith("39 40")


def test_an_interrupt_keeps_the_part_and_a_second_run_replaces_it(open_notebook, mock_server, app):
    source = "%%chat\ncount to 40"
    notebook = open_notebook(use(mock_server, fault="silence-midway", times=1), source, "%lockbots history", app=app)
    notebook.run(0)
    notebook.run(1, wait=False)
    expect(notebook.outputs(1)).to_contain_text("1 2 3")
    notebook.interrupt()
    expect(notebook.outputs(1).last).to_contain_text("Interrupted")
    expect(notebook.outputs(1).first).to_contain_text("Interrupted; the text so far is kept.")
    assert "Traceback" not in notebook.outputs(1).last.inner_text()
    notebook.wait_for_end(1)
    notebook.run(1, wait=False)
    expect(notebook.outputs(1)).to_contain_text("39 40")
    notebook.run(2)
    expect(notebook.outputs(2)).to_contain_text("complete")
    assert notebook.outputs(2).locator("tbody tr").count() == 1


def test_a_reply_runs_no_script_and_loads_nothing(open_notebook, mock_server, app):
    hostile = (
        "<img src=x onerror=window.hurt=1><script>window.hurt=1</script> [x](javascript:window.hurt=1) "
        "![i](http://evil.example/x.png) <style>body{display:none}</style>"
    )
    notebook = open_notebook(use(mock_server), f"%%chat\nsay {hostile}", app=app)
    page, asked = notebook.page, []
    page.on("request", lambda request: asked.append(request.url))
    notebook.run(0)
    notebook.run(1)
    output = notebook.outputs(1)
    expect(output).to_contain_text("onerror=window.hurt=1")
    assert page.evaluate("window.hurt") is None
    assert output.locator("img, script, .lockbots-reply style, [onerror], a[href^='javascript']").count() == 0
    assert not [url for url in asked if "evil" in url]

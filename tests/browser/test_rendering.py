"""Look of a reply in JupyterLab and Notebook 7, and its state after interruptions."""

import pytest
from playwright.sync_api import Locator, expect

from lockbots_magic.storage.output_metadata import KEY
from lockbots_magic.storage.reply_form import reply_in
from tests.browser.lab import choose, style
from tests.browser.panels import use
from tests.documents import DOCUMENT

SECTION = """
## Section {n}

Text with *emphasis* and $x_{n}^2$ in it, going on for a while, so that there is something to read in here.

```python
def f_{n}(a, b):
    return a + b  # {n}
```
"""
LONG = "".join(SECTION.replace("{n}", str(n)) for n in range(1, 81)) + "\nThe end."


@pytest.fixture
def show(open_notebook):
    """Open a notebook whose second cell requests `text`, and run the first."""

    def show_(mock_server, text, *more, app="lab", **how):
        notebook = open_notebook(use(mock_server, **how), f"%%chat\n{text}", *more, app=app)
        notebook.run(0)
        return notebook

    return show_


def reply(notebook, selector="", cell=1) -> Locator:
    return notebook.cell(cell).locator(f".lockbots-reply {selector}")


@pytest.mark.parametrize("app", ["lab", "notebooks"])
def test_a_reply_with_one_of_everything_looks_right(show, mock_server, app):
    notebook = show(mock_server, f"say {DOCUMENT}", app=app)
    notebook.run(1)
    expect(reply(notebook, "mjx-container")).to_have_count(4)
    expect(reply(notebook, "code mjx-container, pre mjx-container")).to_have_count(0)
    code = reply(notebook, "pre code")
    assert style(code.locator("b").first, "color") != style(code, "color"), "code is coloured"
    assert style(reply(notebook, "pre"), "backgroundColor") != "rgba(0, 0, 0, 0)"
    assert style(reply(notebook, "p[dir]"), "direction") == "rtl"
    assert style(reply(notebook, "li.task").first, "listStyleType") == "none"
    expect(reply(notebook, "table")).to_have_count(2)
    (output,) = notebook.save().cells[1].outputs
    assert reply_in(output.metadata[KEY], output.data) == DOCUMENT.rstrip("\n")


def test_code_follows_the_theme(show, mock_server):
    notebook = show(mock_server, "say ```python\ndef f(): pass\n```")
    page = notebook.page
    notebook.run(1)
    keyword, block = reply(notebook, "pre b").first, reply(notebook, "pre")
    light = style(keyword, "color"), style(block, "backgroundColor")
    choose(page, "Settings", "Theme", "JupyterLab Dark")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'false'")
    expect(block).not_to_have_css("background-color", light[1])
    expect(keyword).not_to_have_css("color", light[0])
    choose(page, "Settings", "Theme", "JupyterLab Light")
    page.wait_for_function("document.body.dataset.jpThemeLight === 'true'")


def test_what_is_too_wide_scrolls_inside_its_block(show, mock_server):
    row = "| " + " | ".join("abcdefghij" * 3 for _ in range(12)) + " |"
    table = "\n".join([row, "|" + "---|" * 12, row])
    notebook = show(mock_server, f"say ```\n{'x' * 400}\n```\n\n{table}\n\n{'y' * 400}")
    notebook.run(1)
    box = reply(notebook).bounding_box()
    for selector in ("pre", ".wide"):
        assert reply(notebook, selector).evaluate("e => e.scrollWidth > e.clientWidth")
        assert reply(notebook, selector).bounding_box()["width"] <= box["width"]
    assert reply(notebook).evaluate("e => e.scrollWidth <= e.clientWidth"), "a long word breaks"


WATCH = """([index]) => {
    const cell = document.querySelectorAll('.jp-Notebook .jp-CodeCell')[index];
    const scroller = document.querySelector('.jp-WindowedPanel-outer');
    const seen = window.seen = {most: 0, raw: [], scrolled: 0, from: null};
    const look = () => {
        if (window.seen !== seen) return; // the next test
        const outputs = cell.querySelectorAll('.jp-OutputArea-child');
        const text = cell.querySelector('.jp-OutputArea').innerText;
        const raw = text.match(/\\$x_|\\*emphasis|^## |```/m);
        if (raw && seen.raw.length < 5) seen.raw.push(text.slice(-200));
        if (outputs.length) seen.from ??= scroller.scrollTop;
        seen.scrolled = Math.max(seen.scrolled, Math.abs(scroller.scrollTop - (seen.from ?? scroller.scrollTop)));
        requestAnimationFrame(look);
    };
    look();
    new MutationObserver(() => { // a busy machine has few frames
        seen.most = Math.max(seen.most, cell.querySelectorAll('.jp-OutputArea-child').length);
    }).observe(cell, {childList: true, subtree: true});
}"""


@pytest.mark.parametrize("app", ["lab", "notebooks"])
def test_a_long_reply_grows_in_few_outputs_and_is_one_in_the_end(show, mock_server, app):
    # 2,450 characters a second, which are paced as a fast reply, give 20 frames; three times as fast, there are but 7.
    notebook = show(mock_server, f"say {LONG}", "%chat say $y$", app=app, rate=500)
    notebook.run(2)
    expect(reply(notebook, "mjx-container", cell=2)).to_have_count(1)  # the first formula of a page waits for MathJax
    notebook.page.evaluate(WATCH, [1])
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.cell(1)).to_contain_text("The end.")
    seen = notebook.page.evaluate("const {seen} = window; window.seen = null; seen")
    assert 1 < seen["most"] <= 40
    assert not seen["raw"], "no frame shows a marker or bare TeX"
    assert seen["scrolled"] == 0, "the page does not scroll on its own"
    expect(reply(notebook, "h2")).to_have_count(80)
    expect(reply(notebook, "mjx-container")).to_have_count(80)
    (output,) = notebook.save().cells[1].outputs
    assert reply_in(output.metadata[KEY], output.data).strip() == LONG.strip()


# Position of a heading, in one step: it may be redrawn in the next. Scrolls to it once all formulas above it are set.
TOP = """(cell, [scrolls]) => {
    const heading = [...cell.querySelectorAll("h2")].find(({textContent}) => textContent === "Section 20");
    if (scrolls) {
        const formulas = [...cell.querySelectorAll(".mathjax_process")];
        const above = formulas.filter((one) => heading.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_PRECEDING);
        if (!above.every((one) => one.querySelector("mjx-container"))) return null;
        heading.scrollIntoView();
    }
    return heading.getBoundingClientRect().y;
}"""


def test_scrolled_page_keeps_its_position_while_text_arrives_and_at_the_end(show, mock_server):
    notebook = show(mock_server, f"say {LONG}", rate=400)
    notebook.run(1, wait=False)
    expect(notebook.cell(1)).to_contain_text("Section 30")
    while (before := notebook.cell(1).evaluate(TOP, [True])) is None:  # the first formula of a page waits for MathJax
        notebook.page.wait_for_timeout(50)
    expect(notebook.cell(1)).to_contain_text("Section 40")
    assert abs(notebook.cell(1).evaluate(TOP, [False]) - before) < 3
    notebook.wait_for_end(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.cell(1).locator(".jp-OutputArea:not([style*=min-height])")).to_be_visible()
    assert abs(notebook.cell(1).evaluate(TOP, [False]) - before) < 3


# Number of blocks that are laid out when they come near the screen, and by what part the height grows if all are.
UNSEEN = """cell => {
    const area = cell.querySelector(".jp-OutputArea");
    const unseen = [...area.querySelectorAll(".lockbots-reply > *")].filter((one) => one.style.contentVisibility);
    const height = area.offsetHeight;
    unseen.forEach((one) => one.style.contentVisibility = "visible");
    const change = area.offsetHeight / height - 1;
    unseen.forEach((one) => one.style.contentVisibility = "auto");
    return [unseen.length, change];
}"""


def test_what_is_off_the_screen_at_the_end_has_its_height_and_is_shown_when_it_comes_there(show, mock_server):
    notebook = show(mock_server, f"say {LONG}", rate=800)
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.cell(1).locator(".jp-OutputArea:not([style*=min-height])")).to_be_visible()
    unseen, change = notebook.cell(1).evaluate(UNSEEN)
    assert unseen > 100
    assert abs(change) < 0.001, "a block has its height but for a 64th of a pixel"
    for heading in reply(notebook, "h2").all()[40:43]:
        heading.scroll_into_view_if_needed()
        expect(heading).not_to_have_css("content-visibility", "auto")
        expect(heading).to_be_in_viewport()
    assert notebook.cell(1).evaluate(UNSEEN)[0] < unseen


@pytest.mark.parametrize(("how", "sections"), [("", 80), ("--background", 8)])
def test_a_typeset_formula_stands_there_until_the_end(show, mock_server, how, sections):
    text = "".join(SECTION.replace("{n}", str(n)) for n in range(1, sections + 1)) + "\nThe end."
    notebook = show(mock_server, f"say {text}", rate=400)
    notebook.type_into(1, f"%%chat {how}\nsay {text}")
    notebook.run(1, wait=False)
    expect(notebook.cell(1)).to_contain_text(f"Section {sections // 2}")
    expect(reply(notebook, "mjx-container").last).to_be_visible()  # the first formula of a page waits for MathJax
    notebook.cell(1).evaluate("cell => { window.typeset = [...cell.querySelectorAll('mjx-container')].slice(-1); }")
    expect(notebook.cell(1)).to_contain_text("The end.")
    expect(notebook.outputs(1)).to_have_count(1)
    expect(reply(notebook, "mjx-container")).to_have_count(sections)
    assert notebook.page.evaluate("typeset.length && typeset.every((formula) => formula.isConnected)")


def test_replies_of_one_cell_stay_side_by_side_with_what_else_it_shows(show, mock_server):
    asks = (
        "print('before')\nfor n in (3, 5):\n    get_ipython().run_line_magic('chat', f'count to {n}')\nprint('after')"
    )
    notebook = show(mock_server, "say hello", asks)
    notebook.run(2)
    expect(notebook.outputs(2)).to_have_count(4)
    shown = [text.strip().partition("\n")[0] for text in notebook.outputs(2).all_inner_texts()]
    assert shown == ["before", "1 2 3", "1 2 3 4 5", "after"]


def test_notices_are_visible_and_quiet(show, mock_server):
    notebook = show(mock_server, "count to 40", fault="silence-midway")
    notebook.run(1, wait=False)
    expect(notebook.cell(1)).to_contain_text("9 10")
    notebook.interrupt()
    notice = notebook.cell(1).locator(".lockbots-notice")
    expect(notice).to_have_text("Interrupted; the text so far is kept.")
    assert float(style(notice, "fontSize").removesuffix("px")) < float(
        style(reply(notebook), "fontSize").removesuffix("px")
    )
    notebook.wait_for_end(1)


# Clears the output of a cell as soon as some text stands there, however slow the machine is.
CLEAR_AT = """(cell, [text]) => {
    const watch = new MutationObserver(() => {
        if (!cell.querySelector(".jp-OutputArea").textContent.includes(text)) return;
        watch.disconnect();
        window.cleared = !cell.textContent.includes("The end.");
        window.jupyterapp.commands.execute("notebook:clear-cell-output");
    });
    watch.observe(cell, {childList: true, subtree: true, characterData: true});
}"""


def test_clearing_the_output_midway_loses_nothing(show, mock_server):
    notebook = show(mock_server, f"say {LONG}", rate=800)
    notebook.cell(1).evaluate(CLEAR_AT, ["Section 5"])
    notebook.run(1)
    assert notebook.page.evaluate("window.cleared") is True
    expect(notebook.outputs(1)).to_have_count(1)
    expect(reply(notebook, "h2")).to_have_count(80)


def test_kernel_restart_midway_keeps_the_text_and_the_cell_runs_again(show, mock_server):
    notebook = show(mock_server, "count to 40", fault="silence-midway", times=1)
    page = notebook.page
    notebook.run(1, wait=False)
    expect(notebook.cell(1)).to_contain_text("9 10")
    page.keyboard.press("Escape")
    page.evaluate("() => { jupyterapp.commands.execute('notebook:restart-kernel') }")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    notebook.wait_until_ready()
    expect(notebook.cell(1)).to_contain_text("9 10")
    notebook.run(0)
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.cell(1)).to_contain_text("39 40")


def test_closing_the_tab_midway_leaves_a_kernel_that_answers(lab, page, mock_server):
    sources = use(mock_server, fault="silence-midway", times=1), "%%chat\ncount to 40"
    notebook = lab.open(page, *sources, name="closed.ipynb")
    notebook.run(0)
    notebook.run(1, wait=False)
    expect(notebook.cell(1)).to_contain_text("9 10")
    page.keyboard.press("Escape")
    notebook.save()
    page.reload()
    notebook.wait_for_session()
    choose(page, "Kernel", "Interrupt Kernel")
    notebook.wait_until_ready()
    notebook.run(1)
    expect(notebook.outputs(1)).to_have_count(1)
    expect(notebook.cell(1)).to_contain_text("39 40")

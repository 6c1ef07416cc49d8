"""Hostile replies in JupyterLab and Notebook 7: nothing in them acts, loads, leaves its output or changes the page.

The corpus is `tests.hostile`; every reply comes over the wire into a real `%%chat` cell.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser

from tests.browser.lab import Lab, Notebook
from tests.hostile import BATCHES
from tests.hostile.names import NAMES, REFUSALS
from tests.hostile.server import hostile_server
from tests.hostile.watcher import Violation, Watcher, listed, painted_outside

PATIENCE = 180
"""How long (s) a whole notebook may take."""
FORMULAS = (
    r"$\alpha\beta\gamma\delta\epsilon\zeta\eta \sqrt{x} \sin x \lim \frac{1}{2} \text{ok} \color{red}{y} \abs{z}$"
)
"""What a macro of a reply would change in other cells."""
PROBE = f"from IPython.display import HTML\nHTML(r'<div>{FORMULAS}</div>')"
SELECTION = range(0, len(BATCHES), 14)
"""The batches that Notebook 7 is shown; it is made of the same parts as JupyterLab."""


@dataclass
class Performance:
    """What came of a notebook of hostile replies that was run."""

    notebook: Notebook
    cells: list[str]
    """What each cell shows."""
    seen: list[Violation] = field(default_factory=list)
    painted: list[Violation] = field(default_factory=list)
    chrome: tuple[list[str], list[str]] = ([], [])
    """The look of the page around the outputs, before and after."""
    formulas: tuple[str, str] = ("", "")
    """The probe, before and after."""


@pytest.fixture(scope="module")
def server():
    with hostile_server() as server:
        yield server


@pytest.fixture(scope="module")
def browser(_browser):
    return _browser


@pytest.fixture(scope="module")
def watched(browser: Browser, lab: Lab):
    """A browser context with a watcher over all its pages."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield context, Watcher(context, lab.url)
    context.close()


@pytest.fixture(scope="module")
def blank(browser: Browser):
    """A page to compare pictures in."""
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def performance(lab, server, watched, blank):
    """The whole corpus, run in JupyterLab, watched, and saved."""
    return perform(lab, server, watched, blank, range(len(BATCHES)), "lab")


def perform(lab, server, watched, blank, numbers, app) -> Performance:
    context, watcher = watched
    page = context.new_page()
    shown = [str(BATCHES[n]) for n in numbers]
    sources = [f"%%chat -m openai:batch-{n} --no-history\n{number}" for number, n in enumerate(numbers)]
    harmless = "%%chat -m openai:harmless --no-history\nBe harmless."
    setup = f"%load_ext lockbots_magic\n%lockbots use openai:harmless --base-url {server.url}/v1"
    notebook = lab.open(page, setup, PROBE, harmless, *sources, PROBE, name=f"hostile-{app}.ipynb", app=app)
    result = Performance(notebook, ["setup", "probe", "harmless", *shown, "probe"])
    for cell in range(3):
        notebook.run(cell)
    before = page.evaluate("watcher.chrome()")
    result.formulas = (formulas_of(notebook, 1), "")
    notebook.run_all(len(result.cells) - 1, PATIENCE)
    result.formulas = (result.formulas[0], formulas_of(notebook, len(result.cells) - 1))
    result.seen = watcher.search(page)
    page.evaluate("document.querySelector('.jp-Cell').scrollIntoView()")
    result.chrome = (before, page.evaluate("watcher.chrome()"))
    looks = [n for n, batch in enumerate(numbers, 3) if BATCHES[batch].family in ("layout", "covers", "notices")]
    result.painted = painted_outside(page, blank, looks[0], looks[-1])
    notebook.save()
    watcher.seen(page)
    return result


def formulas_of(notebook: Notebook, index: int) -> str:
    formula = notebook.outputs(index).locator("mjx-math").first
    formula.wait_for()
    return formula.evaluate("math => math.outerHTML")


def look_at(notebook: str, lab: Lab, watched, result: Performance, app: str = "lab") -> str:
    """Open a notebook anew, search it, and return what was seen."""
    context, watcher = watched
    page = context.new_page()
    lab.show(page, notebook, app)
    page.wait_for_timeout(500)
    seen = watcher.search(page)
    page.close()
    return listed(seen, result.cells)


def test_nothing_in_a_reply_acts_while_it_streams_or_after(performance):
    assert not performance.seen, "\n" + listed(performance.seen, performance.cells)


def test_no_reply_changes_the_page_around_it(performance):
    before, after = performance.chrome
    assert after == before


def test_no_reply_changes_the_formulas_of_other_cells(performance):
    before, after = performance.formulas
    assert after == before


def test_no_reply_paints_outside_its_output(performance):
    assert not performance.painted, "\n" + listed(performance.painted, performance.cells)


def test_nothing_acts_when_the_notebook_is_opened_again(performance, lab, watched):
    assert not (seen := look_at(performance.notebook.path.name, lab, watched, performance)), "\n" + seen


def test_nothing_acts_in_a_notebook_that_is_not_trusted(performance, lab, watched):
    copy = edited(performance.notebook.path, "untrusted.ipynb", lambda output: None)
    assert not (seen := look_at(copy.name, lab, watched, performance)), "\n" + seen


def test_nothing_acts_in_a_notebook_that_is_trusted(performance, lab, watched):
    copy = edited(performance.notebook.path, "trusted.ipynb", lambda output: None)
    lab.trust(copy.name)
    assert not (seen := look_at(copy.name, lab, watched, performance)), "\n" + seen


def test_nothing_acts_in_the_markdown_form_as_the_front_end_renders_it(performance, lab, watched):
    copy = edited(performance.notebook.path, "markdown.ipynb", only_markdown)
    lab.trust(copy.name)
    assert not (seen := look_at(copy.name, lab, watched, performance)), "\n" + seen


def edited(path: Path, name: str, edit) -> Path:
    """A copy of a notebook with its outputs edited, and other enough to have no signature yet."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["copy"] = name
    for output in (output for cell in notebook.cells for output in cell.outputs):
        edit(output)
    nbformat.write(notebook, path.with_name(name))
    return path.with_name(name)


def only_markdown(output: nbformat.NotebookNode) -> None:
    if "text/markdown" in output.get("data", {}):
        output.data = {"text/markdown": output.data["text/markdown"]}


@pytest.mark.parametrize("form", ["as saved", "markdown"])
def test_nothing_acts_in_an_exported_page(performance, browser, tmp_path, form):
    edit = only_markdown if form == "markdown" else lambda output: None
    whole = exported(edited(performance.notebook.path, f"export-{form}.ipynb", edit), tmp_path / "whole.html")
    empty = exported(edited(performance.notebook.path, "empty.ipynb", emptied), tmp_path / "empty.html")
    usual, _ = seen_in_file(browser, empty)
    asked, seen = seen_in_file(browser, whole)
    assert asked == usual
    if form == "as saved":
        assert not seen, "\n" + listed(seen, performance.cells)
    else:
        assert not [v for v in seen if v.kind in ("script", "dialog", "popup", "navigation")]


def emptied(output: nbformat.NotebookNode) -> None:
    if "data" in output:
        output.data = {"text/plain": ""}


def exported(notebook: Path, target: Path) -> Path:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--output", target, notebook]
    subprocess.run(command, check=True, capture_output=True)
    return target


def seen_in_file(browser: Browser, path: Path) -> tuple[set[str], list[Violation]]:
    """What a page of a file asks the network for, and what else was seen in it."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    watcher = Watcher(context, "")
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    seen = watcher.search(page)
    context.close()
    return {v.what for v in seen if v.kind == "request"}, [v for v in seen if v.kind not in ("request", "page")]


def test_nothing_acts_in_notebook_7(lab, server, watched, blank):
    result = perform(lab, server, watched, blank, SELECTION, "notebooks")
    seen = [*result.seen, *result.painted]
    assert not seen, "\n" + listed(seen, result.cells)
    assert result.chrome[0] == result.chrome[1]
    assert result.formulas[0] == result.formulas[1]


def quoted(name: str) -> str:
    """`name` as one word of a magic's line."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def magic(line: str) -> str:
    return f"get_ipython().run_line_magic('lockbots', {line!r})"


def test_names_prompts_and_refusals_do_not_act_either(lab, server, watched):
    context, watcher = watched
    setup = f"%load_ext lockbots_magic\n%lockbots use openai:harmless --base-url {server.url}/v1"
    prompts = [f"get_ipython().run_cell_magic('chat', '-m openai:harmless', {name!r})" for name in NAMES]
    lists = ["%lockbots history", "%lockbots list", "%lockbots models", "%lockbots status"]
    names = [magic(f"new {quoted(name)}") for name in NAMES]
    uses = [magic(f"use {quoted('openai:' + name)}") for name in NAMES]
    refusals = [f"%%chat -m openai:refusal-{n}\nx" for n in range(len(REFUSALS))]
    sources = [setup, *prompts, *lists, *names, *lists, *uses, *lists, *refusals]
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lab.notebooks / "names.ipynb")
    page = context.new_page()
    notebook = lab.show(page, "names.ipynb")
    notebook.run_all(len(cells) - 1, PATIENCE)
    seen = watcher.search(page)
    assert notebook.outputs(len(cells) - 1).count()
    assert not seen, "\n" + listed(seen, sources)
    notebook.save()


# The watcher itself


@pytest.fixture(scope="module")
def raw(lab, watched):
    """A notebook that shows raw HTML as no reply can."""
    page = watched[0].new_page()
    yield lab.open(page, "x = 1", "", "y = 2", name="raw.ipynb")
    page.close()


def shown_raw(notebook: Notebook, watcher: Watcher, html: str) -> list[Violation]:
    """Show `html`, and return what was seen."""
    notebook.type_into(1, "pass")
    notebook.run(1)
    notebook.type_into(1, f"from IPython.display import HTML\nHTML({html!r})")
    watcher.seen(notebook.page)
    notebook.run(1)
    return watcher.search(notebook.page)


UNCLIPPED = ".jp-Cell, .jp-Cell * {overflow: visible !important; content-visibility: visible !important}"


@pytest.mark.parametrize(
    ("html", "kinds"),
    [
        ("<img src=x onerror=hurt()>", {"script", "tag"}),
        ("<script>window.hurt = 1</script>", {"script", "tag"}),
        ("<script>alert(1)</script>", {"dialog", "tag"}),
        ("<a href='javascript:hurt()'>x</a>", {"tag"}),
        ("<div onclick=hurt()>x</div>", {"script", "attribute"}),
        ("<div onmouseenter='window.hurt = 1'>x</div>", {"script", "attribute"}),
        ("<img src=http://evil.example/x.png>", {"request", "tag"}),
        ("<div style='background:url(http://evil.example/x.png)'>x</div>", {"request", "attribute"}),
        ("<script>window.open('http://evil.example/')</script>", {"popup", "tag"}),
        ("<div><iframe src=http://evil.example/></iframe></div>", {"request", "tag"}),
        ("<script>document.body.append(document.createElement('embed'))</script>", {"page", "tag"}),
        (f"<style>{UNCLIPPED} i {{position: absolute; inset: 0 0 -40px; background: red}}</style><i></i>", {"cover"}),
        ("<div data-commandlinker-command='filebrowser:activate'>x</div>", {"attribute"}),
        (r"<div>$\href{/x}{y}$</div>", {"tag", "attribute"}),
        (r"<div>$\unicode[x;position:fixed]{x61}$</div>", {"attribute"}),
        ("<div class=lockbots><div class=lockbots-reply><div class=lockbots-notice>x</div></div></div>", {"notice"}),
    ],
)
def test_the_watcher_reports_what_acts(raw, watched, html, kinds):
    seen = shown_raw(raw, watched[1], html)
    assert kinds <= {violation.kind for violation in seen}


def test_the_watcher_is_silent_where_nothing_acts(raw, watched, blank):
    table = "<table><tbody><tr><td>x</td></tr></tbody></table>"
    assert not shown_raw(raw, watched[1], f"<div>{table}{FORMULAS}</div>")
    assert not painted_outside(raw.page, blank, 0, 2)


def test_paint_outside_an_output_is_found(raw, watched, blank):
    shown_raw(raw, watched[1], f"<style>{UNCLIPPED} i {{box-shadow: 0 0 0 30px red}}</style><i>x</i>")
    assert painted_outside(raw.page, blank, 0, 2)


def test_a_changed_page_is_found(raw, watched):
    shown_raw(raw, watched[1], "<div>x</div>")
    before = raw.page.evaluate("watcher.chrome()")
    shown_raw(raw, watched[1], "<style>.jp-Cell {opacity: 0.9}</style>")
    assert raw.page.evaluate("watcher.chrome()") != before


def test_a_changed_macro_is_found(lab, watched):
    page = watched[0].new_page()
    redefining = PROBE.replace(r"$\alpha", r"$\def\alpha{a}x$ $\alpha")
    notebook = lab.open(page, PROBE, redefining, PROBE, name="macros.ipynb")
    for cell in range(3):
        notebook.run(cell)
    assert formulas_of(notebook, 0) != formulas_of(notebook, 2)
    page.close()

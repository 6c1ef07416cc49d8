"""Hostile replies in JupyterLab and Notebook 7: nothing in them acts, loads, leaves its output or changes the page.

The corpus is `tests.hostile`; every reply arrives over HTTP in a real `%%chat` cell.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest
from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import Lab, Notebook, new_context
from tests.hostile import BATCHES
from tests.hostile.judge import faults_in
from tests.hostile.names import NAMES, REFUSALS
from tests.hostile.policy import EXPORTED, NBCONVERT
from tests.hostile.probe import PROBE, formulas_of
from tests.hostile.server import CUT_SHORT, hostile_server
from tests.hostile.watcher import Violation, Watcher, listed, painted_outside

PATIENCE = 600
"""Maximum time (s) for a whole notebook."""
SETUP = "%load_ext lockbots_magic\n%lockbots use openai:harmless --base-url {url}/v1"
SELECTION = range(0, len(BATCHES), 11)
"""Batches tested in Notebook 7, which is built from the same components as JupyterLab."""


PARTS = 3
"""Notebooks that share the corpus: what a page does at each scroll and look grows with the cells and outputs in it."""
OUTPUTS_PER_CELL = 40
"""In a copy of the notebook: cells take a page longer than outputs, and it shows 50 outputs of a cell."""


@dataclass
class Performance:
    """Result of running a notebook of hostile replies."""

    notebook: Notebook
    names: dict[str, str]
    """Content of each cell, by its number."""
    seen: list[Violation] = field(default_factory=list)
    painted: list[Violation] = field(default_factory=list)
    chrome: tuple[list[str], list[str]] = ([], [])
    """Screenshots of the page around the outputs, before and after."""
    formulas: tuple[str, str] = ("", "")
    """The probe, before and after."""
    drawn: dict[str, int] = field(default_factory=dict)
    """Number of frames of each cell."""
    notices: int = 0


@pytest.fixture(scope="module")
def server():
    with hostile_server() as server:
        yield server


@pytest.fixture(scope="module")
def reader(watched):
    """A page that opens one notebook after the other."""
    page = watched[0].new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def performances(lab, server, watched, blank):
    """The whole corpus, run in JupyterLab, watched, and saved; in parts, one after the other in the same page."""
    page = watched[0].new_page()
    size = -(-len(BATCHES) // PARTS)
    parts = [range(at, min(at + size, len(BATCHES))) for at in range(0, len(BATCHES), size)]
    results = [perform(page, lab, server, watched[1], blank, part, "lab") for part in parts]
    page.close()
    return results


def perform(page, lab, server, watcher, blank, numbers, app) -> Performance:
    sources = [
        SETUP.format(url=server.url),
        PROBE,
        *(f"%%chat -m openai:batch-{n} --no-history\n{n}" for n in numbers),
        PROBE,
    ]
    notebook = lab.open(page, *sources, name=f"hostile-{app}-{numbers[0]}.ipynb", app=app)
    names = {str(cell): str(BATCHES[n]) for cell, n in enumerate(numbers, 2)}
    result = Performance(notebook, names)
    last = len(sources) - 1
    notebook.run(0)
    notebook.run(1)
    result.chrome = (page.evaluate("watcher.chrome()"), [])
    result.formulas = (formulas_of(notebook, 1), "")
    page.evaluate(
        "count => watcher.complete(count)", len(sources)
    )  # what comes before its cell is drawn once, at the end
    page.evaluate("watcher.drawn()")
    notebook.run_all(last, PATIENCE)
    result.drawn = page.evaluate("watcher.drawn()")
    result.notices = page.locator(".lockbots-notice").count()
    result.seen = watcher.search(page)
    result.formulas = (result.formulas[0], formulas_of(notebook, last))
    if looks := [cell for cell, n in enumerate(numbers, 2) if BATCHES[n].family in CUT_SHORT]:
        result.painted = painted_outside(page, blank, looks[0], looks[-1])
        watcher.seen(page)  # notices that are hidden for a picture seem to be covered
    page.evaluate("document.querySelector('.jp-Cell').scrollIntoView()")
    result.chrome = (result.chrome[0], page.evaluate("watcher.chrome()"))
    notebook.save()
    return result


def test_every_reply_was_shown_and_many_of_them_as_they_grew(performances):
    for performance in performances:
        assert set(performance.names) <= set(performance.drawn)
    grew = [one.drawn[cell] > 1 for one in performances for cell in one.names]
    # Nearly all do, at their first frame and at their end; a kernel that is very slow has no time for the first.
    assert sum(grew) > 0.5 * len(grew)
    assert sum(one.notices for one in performances) == sum(batch.family in CUT_SHORT for batch in BATCHES)


def test_nothing_in_a_reply_acts_while_it_streams_or_after(performances):
    for performance in performances:
        assert not performance.seen, listed(performance.seen, performance.names)


def test_no_reply_changes_the_page_around_it(performances):
    for performance in performances:
        before, after = performance.chrome
        assert after == before


def test_no_reply_changes_the_formulas_of_other_cells(performances):
    for performance in performances:
        before, after = performance.formulas
        assert after == before == performances[0].formulas[0]


def test_no_reply_paints_outside_its_output(performances):
    for performance in performances:
        assert not performance.painted, listed(performance.painted, performance.names)


def copied(result: Performance, name: str, *forms: str) -> tuple[Path, dict[str, str]]:
    """Write a notebook of the saved outputs, in few cells, and return it with the content of each output.

    Args:
        result: The notebook that holds them.
        name: Start of the copy's name.
        forms: MIME types; each output is written once with all its forms, and once with each of these alone.
    """
    saved = nbformat.read(result.notebook.path, as_version=4)
    outputs, names = [], {}
    for number, cell in enumerate(saved.cells):
        for output in (o for o in cell.outputs if "lockbots-reply" in o.get("data", {}).get("text/html", "")):
            for data in (output.data, *({form: output.data[form]} for form in forms)):
                place = f"{len(outputs) // OUTPUTS_PER_CELL}.{len(outputs) % OUTPUTS_PER_CELL}"
                names[place] = result.names[str(number)]
                outputs.append(nbformat.v4.new_output("display_data", data=data))
    groups = [outputs[at : at + OUTPUTS_PER_CELL] for at in range(0, len(outputs), OUTPUTS_PER_CELL)]
    cells = [nbformat.v4.new_code_cell("x = 1", outputs=group, execution_count=1) for group in groups]
    path = result.notebook.path.with_name(f"{name}-{result.notebook.path.name}")
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path, names


def exported(form: str, folder: Path, *paths: Path) -> list[Path]:
    """Export notebooks into a folder, in one process."""
    command = [sys.executable, "-m", "nbconvert", "--to", form, "--output-dir", folder, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [folder / path.with_suffix({"html": ".html", "markdown": ".md"}[form]).name for path in paths]


def seen_in_file(browser: Browser, path: Path) -> tuple[set[str], list[Violation]]:
    """Return the network requests of a page, and other violations in it."""
    context = new_context(browser)
    watcher = Watcher(context, "", markdown=NBCONVERT)
    page = context.new_page()
    page.goto(path.as_uri(), wait_until="domcontentloaded")
    seen = watcher.search(page)
    context.close()
    its_own = ("request", "page")  # what an exported page loads for itself; compared, not forbidden
    return {v.what for v in seen if v.kind == "request"}, [v for v in seen if v.kind not in its_own]


def test_nothing_acts_in_an_exported_page(performances, browser, tmp_path):
    copies = [copied(performance, "exported", "text/markdown") for performance in performances]
    empty = nbformat.read(copies[0][0], as_version=4)
    for cell in empty.cells:
        cell.outputs = [nbformat.v4.new_output("display_data", data={"text/html": "", "text/plain": ""})]
    nbformat.write(empty, tmp_path / "empty.ipynb")
    pages = exported("html", tmp_path, tmp_path / "empty.ipynb", *(path for path, _ in copies))
    usual, _ = seen_in_file(browser, pages[0])
    for page, (_, names) in zip(pages[1:], copies, strict=True):
        asked, seen = seen_in_file(browser, page)
        assert asked == usual
        assert not seen, listed(seen, names)


def test_no_markup_of_a_reply_acts_in_exported_markdown(performances, tmp_path):
    copies = [copied(performance, "exported", "text/markdown")[0] for performance in performances]
    reader = MarkdownIt("commonmark", {"html": True})
    reader.validateLink = lambda _: True  # for any other reader
    for page in exported("markdown", tmp_path, *copies):
        assert not faults_in(reader.render(page.read_text("utf-8")), EXPORTED)


def test_nothing_acts_in_notebook_7(lab, server, watched, blank):
    page = watched[0].new_page()
    result = perform(page, lab, server, watched[1], blank, SELECTION, "notebooks")
    page.close()
    seen = [*result.seen, *result.painted]
    assert not seen, listed(seen, result.names)
    assert result.chrome[0] == result.chrome[1]
    assert result.formulas[0] == result.formulas[1]


def seen_in(path: Path, lab: Lab, reader: Page, watcher: Watcher) -> list[Violation]:
    """Open a notebook, inspect it, and return the violations."""
    lab.show(reader, path.name)
    return watcher.search(reader, cells=len(nbformat.read(path, as_version=4).cells))


def test_nothing_acts_when_the_saved_notebook_is_opened(performances, lab, reader, watched):
    for performance in performances:
        path, names = copied(performance, "opened")
        seen = seen_in(path, lab, reader, watched[1])
        assert not seen, listed(seen, names)


def test_nothing_acts_when_it_is_trusted_be_it_in_html_or_in_the_front_ends_own_markdown(
    performances, lab, reader, watched
):
    copies = [copied(performance, "trusted", "text/markdown") for performance in performances]
    lab.trust(*(path.name for path, _ in copies))
    for path, names in copies:
        seen = seen_in(path, lab, reader, watched[1])
        assert not seen, listed(seen, names)


def quoted(name: str) -> str:
    """Return `name` as one word of a magic's line."""
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def magic(line: str) -> str:
    return f"get_ipython().run_line_magic('lockbots', {line!r})"


def test_names_prompts_and_refusals_do_not_act_either(lab, server, reader, watched):
    prompts = [f"get_ipython().run_cell_magic('chat', '-m openai:harmless', {name!r})" for name in NAMES]
    lists = ["%lockbots history", "%lockbots list", "%lockbots models", "%lockbots status"]
    names = [magic(f"new {quoted(name)}") for name in NAMES]
    uses = [magic(f"use {quoted('openai:' + name)} --base-url {server.url}/v1") for name in NAMES]
    refusals = [f"%%chat -m openai:refusal-{n}\nx" for n in range(len(REFUSALS))]
    sources = [SETUP.format(url=server.url), *prompts, *lists, *names, *lists, *uses, *lists, *refusals]
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]}) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), lab.notebooks / "names.ipynb")
    notebook = lab.show(reader, "names.ipynb")
    notebook.run(0)
    notebook.run_all(len(cells) - 1, PATIENCE)
    seen = watched[1].search(reader)
    expect(notebook.outputs(len(cells) - 1)).to_contain_text("the model says")
    notebook.save()
    assert not seen, listed(seen, {str(n): source for n, source in enumerate(sources)})

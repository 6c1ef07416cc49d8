"""The example notebooks as files: their order, links, recordings, and what no example shows. nbval runs them."""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

pytestmark = pytest.mark.skipif(not NOTEBOOKS, reason="the notebooks are not beside the tests")


def read_cells(path, kind):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_every_relative_link_leads_to_a_file():
    broken = []
    for path in NOTEBOOKS:
        for cell in read_cells(path, "markdown"):
            links = [link for link in re.findall(r"\]\(([^)#\s]+)\)", cell.source) if "://" not in link]
            broken += [f"{path.name}: {link}" for link in links if not (FOLDER / link).exists()]
    assert broken == []


def test_every_recording_is_used():
    sources = "\n".join(cell.source for path in NOTEBOOKS for cell in read_cells(path, "code"))
    assert [path.name for path in FOLDER.glob("cassettes/*") if path.name not in sources] == []


def test_cells_hold_nothing_that_a_user_would_not_write():
    odd = re.compile(r"\bexec\(|_thread|count to \d|get_ipython\(|os\.chdir|tempfile")
    sources = [(path.name, cell.source) for path in NOTEBOOKS for cell in read_cells(path, "code")]
    assert [(name, found[0]) for name, source in sources if (found := odd.search(source))] == []


def test_every_cell_has_a_readable_name():
    names = {
        path.name: [cell.id for kind in ("code", "markdown") for cell in read_cells(path, kind)] for path in NOTEBOOKS
    }
    assert [(name, one) for name, ids in names.items() for one in ids if not re.fullmatch(r"[a-z-]+-\d+", one)] == []

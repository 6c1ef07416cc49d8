"""The example notebooks as files: their order, links, recordings, and what no example shows. nbval runs them."""

import os
import pty
import re
import subprocess
import sys
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


@pytest.mark.kernel
def test_demo_shows_in_a_terminal_what_the_notebook_shows(tmp_path):
    source = FOLDER / "01_quickstart.ipynb"
    shown = run_in_terminal([sys.executable, FOLDER / "demo.py", source, tmp_path])
    headings = [found for cell in read_cells(source, "markdown") for found in re.findall(r"(?m)^#+ (.*)$", cell.source)]
    assert [one for one in headings if one not in shown] == []
    feet = [foot_of(cell) for cell in read_cells(source, "code") if "%%chat" in cell.source]
    assert len(feet) == 4
    assert all(feet)
    for foot in feet:
        assert [part for part in foot.split(" · ") if part not in shown] == []
    assert re.search(r"\[local:SmolLM2\S+ · \d+\.\d s · 28 tokens\]", shown)
    executed = [cell for cell in read_cells(tmp_path / source.name, "code") if "%%chat" in cell.source]
    assert [foot_of(cell).split(" · ")[0] for cell in executed] == [foot.split(" · ")[0] for foot in feet]


def run_in_terminal(command):
    """Return what a program writes to a terminal, without styles."""
    ours, its = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "LANGUAGE": "en", "COLUMNS": "200"}
    written = b""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=environment) as process:
        os.close(its)
        while piece := read(ours):
            written += piece
    os.close(ours)
    assert process.returncode == 0, written
    return re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", written.decode())


def read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # the program has ended
        return b""


def foot_of(cell):
    """Return the line below the reply of a cell."""
    return re.findall(r"\*(.*)\*", cell.outputs[-1].data["text/markdown"])[-1]


def test_every_cell_has_a_readable_name():
    names = {
        path.name: [cell.id for kind in ("code", "markdown") for cell in read_cells(path, kind)] for path in NOTEBOOKS
    }
    assert [(name, one) for name, ids in names.items() for one in ids if not re.fullmatch(r"[a-z-]+-\d+", one)] == []

"""The wheel holds every file of the package, and works where nothing else is installed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).resolve().parents[2]
DEVELOPMENT = {"pytest", "hypothesis", "hatchling", "ipykernel", "nbclient", "jupyterlab", "mypy", "ruff"}
MAX_PACKAGES = 20
MAX_MEGABYTES = 36

FIRST_CELL = """
import importlib.metadata, json
from IPython.core.interactiveshell import InteractiveShell
import lockbots_magic

shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "lockbots_magic")
result = shell.run_cell("%%chat --to answer\\nHow do I connect Ollama?", store_history=True)
result.raise_error()
print()
print(json.dumps({
    "answer": shell.user_ns["answer"],
    "version": lockbots_magic.__version__,
    "metadata": importlib.metadata.version("lockbots-magic"),
    "home": lockbots_magic.__file__,
}))
"""


def files_of_checkout():
    """What is in the package and not ignored, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "lockbots_magic"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.split("\0") if name and (ROOT / name).exists()}


def test_wheel_holds_every_file_of_the_package(wheel):
    held = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == files_of_checkout()
    assert {"lockbots_magic/py.typed", "lockbots_magic/help/en.md"} <= held


def test_wheel_carries_its_licence(wheel):
    assert any(name.endswith("/licenses/LICENSE") for name in ZipFile(wheel).namelist())


def test_first_cell_answers_in_an_environment_with_the_wheel_alone(wheel, environment):
    place = environment()
    place.install(wheel)
    said = json.loads(place.run("-c", FIRST_CELL).splitlines()[-1])
    assert "ollama" in said["answer"].lower()
    assert said["version"] == said["metadata"]
    assert Path(said["home"]).is_relative_to(place.folder)
    assert not DEVELOPMENT & place.installed().keys()


def test_wheel_adds_little_to_a_notebook_environment(wheel, environment, capsys):
    place = environment()
    pins = ("--constraint", ROOT / "constraints.txt")
    place.install("ipykernel", "ipywidgets", *pins)
    before, weight_before = place.installed(), place.weight()
    place.install(wheel, *pins)
    added = place.installed().keys() - before.keys()
    megabytes = (place.weight() - weight_before) / 1e6
    with capsys.disabled():
        print(f"\nover ipykernel + ipywidgets: {len(added)} packages, {megabytes:.1f} MB ({', '.join(sorted(added))})")
    assert before.items() <= place.installed().items()
    assert len(added) <= MAX_PACKAGES
    assert megabytes <= MAX_MEGABYTES

"""What is said twice about the project is said the same: versions, dependencies, commits of actions."""

import re
from pathlib import Path

import pytest

import lockbots_magic

ROOT = Path(__file__).parents[1]
ABOUT = ROOT / "CITATION.cff"

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(not ABOUT.exists(), reason="the files of the project are not beside the tests"),
]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_citation_and_recipe_name_the_version():
    version = re.escape(lockbots_magic.__version__)
    assert re.search(f"^version: {version}$", read("CITATION.cff"), re.MULTILINE)
    assert re.search(f'set version = "{version}"', read("conda/meta.yaml"))


def test_recipe_has_the_dependencies_of_the_package():
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", read("pyproject.toml"), re.MULTILINE | re.DOTALL)[1]
    own = dict(re.findall(r'^  "([\w.-]+)>=([\w.]+)"', listed, re.MULTILINE))
    run = re.search(r"^  run:\n(.*?)\n\n", read("conda/meta.yaml"), re.MULTILINE | re.DOTALL)[1]
    other = {
        name.replace("_", "-"): least for name, least in re.findall(r"^    - (\w[\w.-]*) >=(\d[\w.]*)$", run, re.M)
    }
    assert own == other


def test_every_action_is_pinned_by_its_commit_the_same_everywhere():
    texts = [path.read_text(encoding="utf-8") for path in ROOT.glob(".github/workflows/*.yml")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "lockbots_magic" / "help").glob("*.md")]
    used = {found for text in texts for found in re.findall(r"uses: (\S+?)@(\S+)(?:  # (\S+))?", text)}
    assert len(used) >= 2
    assert all(re.fullmatch("[0-9a-f]{40}", commit) and version for _, commit, version in used)
    assert len({name for name, _, _ in used}) == len(used)


def test_workflow_and_classifiers_begin_with_the_same_python():
    matrix = re.findall(r'"(3\.\d+)"', re.search(r"python: \[(.*?)\]", read(".github/workflows/ci.yml"))[1])
    classified = re.findall(r"Python :: (3\.\d+)", read("pyproject.toml"))
    assert matrix[0] == classified[0]
    assert set(classified) <= set(matrix)

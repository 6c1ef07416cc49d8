"""The lower bounds of `pyproject.toml` hold: the unit tests pass with exactly those versions."""

from __future__ import annotations

import re
from email.parser import HeaderParser
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

pytestmark = pytest.mark.packaging


ROOT = Path(__file__).resolve().parents[2]
SELECTION = (
    "tests/providers/http/test_exchange.py",  # requests, urllib3
    "tests/providers/http/test_connection.py",
    "tests/providers/http/test_chunked.py",
    "tests/providers/http/test_network_advice.py",
    "tests/rendering/test_html.py",  # markdown-it-py, mdit-py-plugins, nh3
    "tests/rendering/test_highlight.py",  # pygments
    "tests/rendering/test_markdown_rules.py",  # rich
    "tests/schema/test_type_hints.py",  # pydantic, docstring-parser, typing-extensions
    "tests/schema/test_json_schema.py",
    "tests/cassette/test_file.py",  # filelock
    "tests/storage/log/test_query.py",  # platformdirs, snowballstemmer
    "tests/notebook/test_extension.py",  # ipython, traitlets
    "tests/panel/test_transcript_metadata.py",  # anywidget, ipywidgets
)
"""Tests of each dependency, in seconds; `make test-interpreters` runs all."""


def requirements_of(wheel):
    """Return the requirements in the wheel's metadata, without extras."""
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = HeaderParser().parsestr(archive.read(name).decode())
    wanted = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    return [one for one in wanted if "extra" not in str(one.marker)]


def test_every_dependency_has_a_lower_bound(wheel):
    assert all(re.fullmatch(r">=[\d.]+", str(one.specifier)) for one in requirements_of(wheel))


def lowest_environment(python, wheel, environment):
    """Return an environment with the lowest versions that the wheel allows, and those versions."""
    bounds = requirements_of(wheel)
    place = environment(python)
    place.install(wheel, *map(str, bounds), "--resolution", "lowest-direct")
    lowest = place.installed()
    # What only the tests need comes after; it must not lift the package's own dependencies.
    place.install("--group", ROOT / "pyproject.toml:unit")
    assert lowest.items() <= place.installed().items()
    versions = {one.name: Version(lowest[canonicalize_name(one.name)]) for one in bounds}
    assert versions == {one.name: Version(str(one.specifier).removeprefix(">=")) for one in bounds}
    return place, ", ".join(f"{name} {version}" for name, version in versions.items())


def test_a_selection_of_unit_tests_passes_on_the_lowest_versions(oldest, wheel, environment):
    place, _ = lowest_environment(oldest.path, wheel, environment)
    assert "passed" in place.unit_tests(*SELECTION, workers=0)


@pytest.mark.interpreters
def test_unit_tests_pass_on_the_lowest_versions(oldest, wheel, environment, capsys):
    place, versions = lowest_environment(oldest.path, wheel, environment)
    summary = place.unit_tests()
    with capsys.disabled():
        print(f"\nPython {oldest}, {versions}: {summary}")

"""pytest plugin: the fixture `lockbots_cassette` replays recorded answers in tests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ..cassette import MODES

if TYPE_CHECKING:
    from ..cassette.cassette import Cassette

pytest.register_assert_rewrite("lockbots_magic.testing.contracts")  # so that a test of a plug-in says what differs

MARKER = "lockbots_cassette"
"""Name of the marker and of the fixture."""
OPTION = "--lockbots-cassette-mode"
MAX_NAME = 100
"""Most characters of a test's name in the name of its cassette; file systems take 255 bytes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the command line option that sets the mode of all cassettes."""
    group = parser.getgroup("lockbots")
    text = "mode of the cassettes of tests (default: LOCKBOTS_CASSETTE_MODE, else replay)"
    group.addoption(OPTION, choices=MODES, default=None, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    text = f"{MARKER}(file): cassette file of a test, relative to the folder of the test file"
    config.addinivalue_line("markers", text)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Use the fixture in each test that has the marker, whether or not it asks for it, before all other fixtures.

    They may send prompts, too.
    """
    if not isinstance(item, pytest.Function):
        return
    if MARKER in item.fixturenames or item.get_closest_marker(MARKER):
        item.fixturenames[:] = [MARKER, *(name for name in item.fixturenames if name != MARKER)]


@pytest.fixture
def lockbots_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """Replay the answers to every `Chat` of this process during the test.

    The cassette is ``cassettes/<file>/<test>.jsonl`` next to the test file, or the file named by the marker
    ``@pytest.mark.lockbots_cassette(file="file.jsonl")``, which needs no fixture.
    ``pytest --lockbots-cassette-mode=auto`` records what is missing.
    """
    # Imported here: pytest loads this module wherever the package is installed.
    from ..cassette.active import eject_cassette, environment_mode, insert_cassette  # noqa: PLC0415
    from ..cassette.cassette import Cassette  # noqa: PLC0415

    mode = request.config.getoption(OPTION) or environment_mode() or "replay"
    path = _cassette_path(request)
    if mode != "replay":
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        pytest.fail(f"There is no cassette file {path}. To record it:  pytest {OPTION}=auto", pytrace=False)
    cassette = Cassette(path, mode, hint=f"pytest {OPTION}=auto")
    insert_cassette(cassette)
    try:
        yield cassette
    finally:
        eject_cassette(cassette)


def _file_of(marker: pytest.Mark) -> str | os.PathLike[str]:
    """Return the file that the marker names, by position or by name."""
    given = [*marker.args, *marker.kwargs.values()]
    unknown = [name for name in marker.kwargs if name != "file"]
    if unknown or len(given) != 1 or not isinstance(given[0], str | os.PathLike):
        arguments = ", ".join(
            [*map(repr, marker.args), *(f"{name}={value!r}" for name, value in marker.kwargs.items())]
        )
        pytest.fail(
            f'The marker takes one file, as in @pytest.mark.{marker.name}(file="talk.jsonl"), got ({arguments}).',
            pytrace=False,
        )
    file: str | os.PathLike[str] = given[0]
    return file


def _cassette_path(request: pytest.FixtureRequest) -> Path:
    folder = Path(request.path).parent
    marker = request.node.get_closest_marker(MARKER)
    if marker is not None and (marker.args or marker.kwargs):
        return folder / _file_of(marker)
    name = request.node.nodeid.partition("::")[2].replace("::", ".") or request.node.name
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-")[:MAX_NAME]
    if plain != name:  # two tests must not share a file
        plain += "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:6]
    return folder / "cassettes" / request.path.stem / f"{plain}.jsonl"

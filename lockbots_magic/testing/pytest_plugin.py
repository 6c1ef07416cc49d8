"""For people who test code that talks to a model: the fixture `lockbots_cassette` plays what was recorded once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..cassette.provider import Cassette

OPTION = "--lockbots-cassette-mode"
LONGEST_NAME = 100
"""Characters of a test's name that its cassette's has; file systems take 255 bytes."""
MODES = ("replay", "record", "auto", "new")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that decides what cassettes are for."""
    group = parser.getgroup("lockbots")
    text = "what tests do with their cassettes; by default LOCKBOTS_CASSETTE_MODE, else replay"
    group.addoption(OPTION, choices=MODES, default=None, help=text)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    text = "lockbots_cassette(file): the cassette of a test, relative to the folder of its file"
    config.addinivalue_line("markers", text)


@pytest.fixture
def lockbots_cassette(request: pytest.FixtureRequest) -> Iterator[Cassette]:
    """Record and play what any `Chat` is asked during the test.

    The cassette is ``cassettes/<file>/<test>.jsonl`` beside the test's file, or what the marker
    ``@pytest.mark.lockbots_cassette("file.jsonl")`` names. It is played; what is missing is recorded by
    ``pytest --lockbots-cassette-mode=auto``.
    """
    from ..cassette import active as deck  # noqa: PLC0415  # pytest loads this module wherever the package is installed
    from ..cassette.provider import Cassette  # noqa: PLC0415  # as above

    mode = request.config.getoption(OPTION) or deck.mode_of_environment() or "replay"
    path = _path(request)
    if mode != "replay":
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        pytest.fail(f"there is no cassette {path}; record it:  pytest {OPTION}=auto", pytrace=False)
    cassette = Cassette(path, mode, hint=f"pytest {OPTION}=auto")
    deck.insert(cassette)
    try:
        yield cassette
    finally:
        deck.eject(cassette)


def _path(request: pytest.FixtureRequest) -> Path:
    folder = Path(request.path).parent
    marker = request.node.get_closest_marker("lockbots_cassette")
    if marker is not None and marker.args:
        return folder / str(marker.args[0])
    name = request.node.nodeid.partition("::")[2].replace("::", ".") or request.node.name
    plain = re.sub(r"[^\w.-]+", "-", name).strip("-")[:LONGEST_NAME]
    if plain != name:  # two names must not become one
        plain += "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:6]
    name = plain
    return folder / "cassettes" / request.path.stem / f"{name}.jsonl"

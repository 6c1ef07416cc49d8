"""The file of a cassette; none stays active after a test."""

import pytest

from lockbots_magic.cassette.active import eject_cassette


@pytest.fixture
def path(tmp_path):
    return tmp_path / "talk.jsonl"


@pytest.fixture(autouse=True)
def _no_active_cassette():
    yield
    while eject_cassette():
        pass

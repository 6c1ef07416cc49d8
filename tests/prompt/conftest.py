"""Libraries of data frames; a test is left out where its library is not installed."""

import pytest


@pytest.fixture
def pd():
    return pytest.importorskip("pandas")


@pytest.fixture
def pl():
    return pytest.importorskip("polars")

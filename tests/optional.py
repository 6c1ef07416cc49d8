"""What a few tests need besides Python: without it they are left out, and fail where everything must be tested."""

from __future__ import annotations

import importlib.util
import os
from typing import NoReturn

import pytest

REQUIRE_ALL = bool(os.environ.get("TESTS_REQUIRE_ALL"))
"""Whether what is missing is a failure, as in CI."""


def leave_out(reason: str) -> NoReturn:
    """Skip the test, or fail it in CI."""
    if REQUIRE_ALL:
        pytest.fail(reason)
    pytest.skip(reason)


def need(*modules: str) -> None:
    """Leave out the test if one of the `modules` is not installed."""
    if missing := [name for name in modules if importlib.util.find_spec(name) is None]:
        leave_out(f"{', '.join(missing)} not installed: `make test` installs it")

"""The unit tests on the newest Python of this machine; `test_lowest` runs them on the oldest.

`pytest --collect-only` lists the version. A failure between the two shows at one of them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.packaging, pytest.mark.interpreters]

ROOT = Path(__file__).resolve().parents[2]


def test_unit_tests_pass_on_the_newest_interpreter(interpreter, interpreters, wheel, environment, capsys):
    if interpreter.version[:2] == sys.version_info[:2]:
        found = ", ".join(f"{one} ({one.path})" for one in interpreters)
        pytest.skip(f"{interpreter} runs this suite itself; found on this machine: {found}")
    place = environment(interpreter.path)
    place.install(wheel, "--group", ROOT / "pyproject.toml:unit", "--constraint", ROOT / "constraints.txt")
    summary = place.unit_tests()
    with capsys.disabled():
        print(f"\nPython {interpreter}: {summary}")

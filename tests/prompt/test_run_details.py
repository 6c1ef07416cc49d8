"""What differs from run to run."""

from datetime import datetime

import pytest

from lockbots_magic.prompt.run_details import find_run_details

NOW = datetime(2026, 11, 30, 10, 30)


@pytest.mark.parametrize(("text", "found"), [
    ("nothing", ""),
    ("colour 0xffffff, mask 0xFFFFFFFF", ""),
    ("x at 0x7f1040ec6450", "a memory address"),
    ("/tmp/ipykernel_123/4.py", "a temporary path"),
    ("/tmp/tmpab12cd_x/a.csv", "a temporary path"),
    ("CPU times: user 1.8 ms, sys: 0 ns, total: 1.8 ms\nWall time: 1.84 ms", "a measured time"),
    ("18.6 us +- 0 ns per loop (mean +- std. dev. of 1 run, 3 loops each)", "a measured time"),
    ("100%|##########| 3/3 [00:00<00:00, 75.99it/s]", "a measured time"),
    ("from 10:00 to 11:00, a wall time", ""),
    ("2026-11-30 10:29", "today's date"),
    ("datetime.datetime(2026, 11, 30, 10, 29)", "today's date"),
    ("2026-11-29", "today's date"),
    ("2025-11-30, 2026-99-99, 12026-11-30", ""),
])  # fmt: skip
def test_details_of_a_run_are_named(text, found):
    assert find_run_details(text, now=NOW) == found


def test_what_the_user_wrote_is_the_same_each_time():
    assert find_run_details("on 2026-11-30 at 0x7f1040ec6450", "on 2026-11-30 at 0x7f1040ec6450", now=NOW) == ""


def test_picture_is_named():
    assert "other versions" in find_run_details("", is_drawn=True, now=NOW)

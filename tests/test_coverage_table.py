"""The table of `make coverage`."""

from tests.coverage_table import table


def report(**missing):
    """Return what `coverage json` writes of files with 20 lines each; `__` stands for `/`."""
    return {
        "files": {
            f"lockbots_magic/{name.replace('__', '/')}.py": {
                "summary": {"num_statements": 20, "missing_lines": len(lines)},
                "missing_lines": lines,
            }
            for name, lines in missing.items()
        }
    }


def test_every_room_stands_beside_its_aim():
    text, met = table(report(chat=[7], providers__wire__sse=[], providers__http__client=[], batch__gate=[]))
    assert met
    assert text.splitlines()[2:] == [
        "| **package** | 80 | 1 | 98.8 % | 95 % |",
        "| `batch` | 20 | 0 | 100.0 % | 100 % |",
        "| `chat.py` | 20 | 1 | 95.0 % |  |",
        "| `providers` | 20 | 0 | 100.0 % |  |",
        "| `providers/wire` | 20 | 0 | 100.0 % | 100 % |",
    ]


def test_one_line_of_a_room_that_must_be_whole_misses_the_aim():
    text, met = table(report(chat=[], batch__gate=[7]))
    assert not met
    assert text.endswith("\n- `lockbots_magic/batch/gate.py`: lines 7\n")


def test_a_package_below_its_aim_misses_it():
    assert not table(report(chat=[1, 2], reply=[3]))[1]

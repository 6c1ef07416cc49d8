"""Tracebacks in prompts."""

import builtins
import json
import os
import sys
from typing import Any

import pytest

from lockbots_magic.prompt.tracebacks import MAX_LENGTH, format_traceback, strip_paths
from lockbots_magic.prompt.values import value_part


def caught(action):
    try:
        action()
    except BaseException as error:  # noqa: BLE001  # whatever it is
        return error
    raise AssertionError("it did not fail")


def fail():
    raise KeyError("x")


def test_traceback_has_calls_with_their_lines_and_the_message():
    text = format_traceback(caught(fail))
    assert text.startswith("Traceback (most recent call last):\n")
    assert '  File "test_tracebacks.py", line 24, in fail\n    raise KeyError("x")\n' in text
    assert text.endswith("KeyError: 'x'")


def test_traceback_contains_no_folders():
    text = format_traceback(caught(lambda: json.loads("{")))
    assert 'File "decoder.py"' in text
    assert os.sep not in text.replace("</", "")


def test_an_exception_is_its_traceback():
    error = caught(fail)
    assert value_part(error).text == format_traceback(error)


def test_an_exception_that_was_never_raised_is_its_message():
    assert format_traceback(ValueError("so far only made")) == "ValueError: so far only made"


def test_syntax_error_shows_the_line():
    name = "/home/" + "somebody/work.py"
    text = format_traceback(caught(lambda: compile("1 +", name, "exec")))
    assert 'File "work.py", line 1' in text
    assert "1 +" in text
    assert "/home" not in text.replace('"/home/" +', "")


def test_traceback_includes_the_cause():
    def wrapped():
        try:
            fail()
        except KeyError as error:
            raise ValueError("no such thing") from error

    text = format_traceback(caught(wrapped))
    assert text.index("KeyError: 'x'") < text.index("That caused:") < text.index("ValueError: no such thing")


def test_traceback_includes_the_context_unless_suppressed():
    def wrapped(suppress):
        try:
            fail()
        except KeyError:
            if suppress:
                raise ValueError from None
            raise ValueError  # noqa: B904  # that is what is tested

    assert "While handling it, another error occurred:" in format_traceback(caught(lambda: wrapped(False)))
    text = format_traceback(caught(lambda: wrapped(True)))
    assert "KeyError: 'x'" not in text


def test_deep_traceback_shows_its_ends():
    def deep(n):
        return deep(n - 1) if n else fail()

    text = format_traceback(caught(lambda: deep(200)))
    assert "more calls …" in text
    assert text.count(", in deep") < 20
    assert ", in fail" in text


def test_length_is_bounded():
    assert len(format_traceback(ValueError("x" * 100_000))) < MAX_LENGTH + 100


def test_failing_message_does_not_fail_the_traceback():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError

    assert "MuteError" in format_traceback(MuteError())


def test_traceback_of_a_cell_starts_with_the_cell(shell):
    shell.run_cell("def f():\n    return 1 / 0\n", store_history=True)
    error = shell.run_cell("f()", store_history=True).error_in_exec
    assert format_traceback(error) == (
        "Traceback (most recent call last):\n"
        "  Cell In[2], line 1\n"
        "    f()\n"
        "  Cell In[1], line 2, in f\n"
        "    return 1 / 0\n"
        "ZeroDivisionError: division by zero"
    )


def test_traceback_of_an_invalid_cell_has_no_calls(shell):
    error = shell.run_cell("for x in\n    print(x)", store_history=True).error_before_exec
    told = format_traceback(error)
    assert told.startswith(("  Cell In[1], line 1\n", '  File "Cell In[1]", line 1\n'))
    assert told.endswith("SyntaxError: invalid syntax")
    assert ".py" not in told


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("File /usr/lib/json/decoder.py:353, in Decoder.decode(self)", "File decoder.py:353, in Decoder.decode(self)"),
        ("File ~/texts/x.py:1", "File x.py:1"),
        ('  File "C:\\Users\\me\\x.py", line 3', '  File "x.py", line 3'),
        ("Cell In[4], line 1", "Cell In[4], line 1"),
        ("File x.py:1", "File x.py:1"),
        ("the File a/b", "the File b"),
    ],
)  # fmt: skip
def test_paths_are_stripped_from_a_formatted_traceback(line, left):
    assert strip_paths(line) == left


def test_long_chain_shows_where_it_began_and_how_it_ended():
    def chain(n):
        try:
            if n:
                chain(n - 1)
            raise KeyError("root")
        except KeyError as error:
            raise KeyError(f"level {n}") from error

    text = format_traceback(caught(lambda: chain(20)))
    assert "KeyError: 'root'" in text
    assert text.endswith("KeyError: 'level 20'")
    assert "more errors …" in text
    assert text.count("KeyError: ") == 6


def test_message_holds_no_memory_address():
    assert "at 0x" not in format_traceback(ValueError(f"bad {object()!r}"))


ExceptionGroup: Any = getattr(builtins, "ExceptionGroup", None)
needs_groups = pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are new in Python 3.11")


@needs_groups
def test_note_of_an_error_is_shown():
    error: Any = ValueError("bad row")
    error.add_note("in file sales.csv, line 7")
    assert format_traceback(error) == "ValueError: bad row\nin file sales.csv, line 7"


@needs_groups
def test_errors_within_a_group_are_shown_with_their_calls_causes_and_notes():
    def wrapped():
        try:
            fail()
        except KeyError as error:
            raise ValueError("inner") from error

    inner = caught(wrapped)
    inner.add_note("a note")
    group = ExceptionGroup("several", [ExceptionGroup("deeper", [inner]), OSError("disk")])
    text = format_traceback(caught(lambda: raise_it(group)))
    for line in ("ExceptionGroup: several (2 sub-exceptions)", "  Error 1 of 2 within:", "    ExceptionGroup: deeper",
                 "        KeyError: 'x'", "        That caused:", "        ValueError: inner\n        a note",
                 "  Error 2 of 2 within:\n    OSError: disk", "in fail"):  # fmt: skip
        assert line in text


def raise_it(error):
    raise error


@needs_groups
def test_large_and_deep_groups_are_bounded():
    text = format_traceback(ExceptionGroup("many", [ValueError(str(n)) for n in range(1000)]))
    assert "ValueError: 9" in text
    assert text.endswith("… 990 more errors …")
    group = ExceptionGroup("g", [ValueError("deep")])
    for _ in range(50):
        group = ExceptionGroup("g", [group])
    assert format_traceback(group).endswith("… 1 errors within …")

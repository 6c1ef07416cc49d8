"""Prompts about the last error."""

import re
import subprocess

import pandas as pd
import pytest

from lockbots_magic.language import speaking
from lockbots_magic.prompt.tracebacks import MAX_SOURCE_LENGTH, explain_prompt, fix_prompt
from lockbots_magic.schema.code_blocks import find_code_blocks
from lockbots_magic.security.secrets import Secret

PLACE = "/home/somebody/ipykernel_17/123.py"
PROMPTS = (explain_prompt, fix_prompt)


def raised(source):
    """The error that a cell with this source raises in a kernel."""
    try:
        exec(compile(source, PLACE, "exec"), {"pd": pd, "subprocess": subprocess})
    except Exception as error:  # noqa: BLE001  # whatever the source raises
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_prompt_holds_the_cell_and_the_error(prompt):
    source = "d = {'a': {}}\nd['b']"
    cell, error = find_code_blocks(prompt(raised(source), source))
    assert cell == ("python", f"{source}\n")
    assert error.text.endswith("KeyError: 'b'\n")
    assert "line 2" in error.text


@pytest.mark.parametrize("prompt", PROMPTS)
def test_braces_and_fences_stay_as_they_are(prompt):
    source = 'x = f"{{ {1 / 0} }}"  # {{ secret }}\ntext = """\n```python\n```\n````\n"""'
    assert find_code_blocks(prompt(raised(source), source))[0].text == f"{source}\n"


@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompt_contains_no_path_of_the_machine(prompt):
    source = "pd.DataFrame({'a': [1]})['b']"
    text = prompt(raised(source), source)
    assert "/home" not in text
    assert "site-packages" not in text
    assert "KeyError: 'b'" in text


def test_prompt_contains_a_syntax_error():
    source = "for x in\n    print(x)"
    text = explain_prompt(raised(source), source)
    assert "SyntaxError: invalid syntax" in text
    assert "somebody" not in text


def test_traceback_of_an_invalid_cell_contains_no_ipython_code(shell):
    source = "for x in\n    print(x)"
    _, error = find_code_blocks(explain_prompt(shell.run_cell(source).error_before_exec, source))
    assert "SyntaxError: invalid syntax" in error.text
    assert "interactiveshell" not in error.text
    assert "Traceback" not in error.text


def test_cause_of_an_error_comes_first():
    source = "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('bad') from e"
    text = explain_prompt(raised(source), source)
    assert text.index("ZeroDivisionError: division") < text.index("ValueError: bad")


def test_unknown_cell_is_left_out():
    text = explain_prompt(ValueError("bad"), "")
    assert "The cell" not in text
    assert "ValueError: bad" in text


def test_the_two_prompts_differ():
    error = ValueError("bad")
    assert "Explain" in explain_prompt(error, "x")
    assert "whole cell in one fenced block" in fix_prompt(error, "x")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_request_is_in_the_language_of_the_user(prompt):
    with speaking("ru"):
        text = prompt(raised("1 / 0"), "1 / 0")
    assert text.startswith("Ячейка моего блокнота завершилась ошибкой. ")
    around = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert set(re.findall("[A-Za-z]+", around)) <= {"Python"}
    assert find_code_blocks(text) == find_code_blocks(prompt(raised("1 / 0"), "1 / 0"))


@pytest.mark.parametrize("prompt", PROMPTS)
def test_credentials_are_redacted_in_error_prompts(prompt):
    secret = Secret("planted-credential-0123456789")
    source = f"key = '{secret.reveal()}'\nraise ValueError(key)"
    text = prompt(raised(source), source)
    assert secret.reveal() not in text
    assert "ValueError: ***" in text


@pytest.mark.parametrize("prompt", PROMPTS)
def test_length_is_bounded(prompt):
    source = "x = 1\n" * 100_000 + "def f(n):\n    f(n + 1)\nf(0)"
    text = prompt(RecursionError("x" * 100_000), source)
    assert len(text) < MAX_SOURCE_LENGTH + 12_000
    assert "characters …]" in text

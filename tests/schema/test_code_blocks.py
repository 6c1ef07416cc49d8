"""The code of a reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.schema.code_blocks import code_of
from lockbots_magic.schema.fences import blocks_of


def block(text, language="python", fence="```"):
    return f"{fence}{language}\n{text}\n{fence}\n"


@pytest.mark.parametrize("reply", [
    "", "No code here, `x = 1` aside.", "    indented = 1", block("", ""), block("  "), block("You said: 3", "output"),
    block("a picture", "text"), "~~~\n~~~", "$$\nx\n$$",
])  # fmt: skip
def test_a_reply_without_code_has_none(reply):
    assert code_of(reply) is None


@pytest.mark.parametrize(
    "language", ["python", "py", "Python3", "", "{.python .numberLines}", "python title=x", "ipython"]
)
def test_code_stands_in_a_fenced_block(language):
    assert code_of(f"Take this:\n\n{block('x = 1', language)}\nIt works.") == "x = 1"


def test_all_python_blocks_are_joined_in_order():
    reply = block("import os") + "then\n" + block("x = 1", "py") + block("y = 2", "pycon")
    assert code_of(reply) == "import os\n\nx = 1\n\ny = 2"


@pytest.mark.parametrize("other", ["bash", "console", "text", "output", "sql", ""])
def test_other_blocks_are_left_out_where_there_is_python(other):
    assert code_of(block("pip install x", other) + block("x = 1") + block("1", other)) == "x = 1"


def test_without_python_the_first_language_counts():
    assert code_of(block("make", "sh") + block("SELECT 1", "sql") + block("int x;", "c") + block("2", "sql")) == (
        "SELECT 1\n\n2"
    )


def test_a_block_without_language_goes_before_the_shell():
    assert code_of(block("pip install x", "bash") + block("x = 1", "")) == "x = 1"
    assert code_of(block("pip install x", "bash")) == "pip install x"


def test_an_unfinished_block_counts():
    assert code_of("Here:\n```python\nx = 1\ny =") == "x = 1\ny ="


def test_a_block_in_a_list_loses_the_list_s_indent():
    reply = "1. First\n\n   ```python\n   if x:\n       y()\n   ```\n2. Then\n   > ```python\n   > z()\n   > ```\n"
    assert code_of(reply) == "if x:\n    y()\n\nz()"


def test_a_longer_fence_holds_a_shorter_one():
    inner = 'text = """\n```\nnot the end\n```\n"""'
    assert code_of(block(inner, fence="````")) == inner
    assert code_of(block(inner, fence="~~~")) == inner


def test_what_looks_like_a_fence_within_a_line_is_none():
    assert code_of("Write ```python x``` there.") is None


def test_of_a_session_at_the_prompt_what_was_typed_is_left():
    session = ">>> def f():\n...     return 1\n...\n>>> f()\n1\n>>> x = '>>> '"
    assert code_of(block(session, "pycon")) == "def f():\n    return 1\n\nf()\nx = '>>> '"
    assert code_of(block(session)) == code_of(block(session, ""))


def test_indentation_and_blank_lines_are_kept():
    code = "    def f():\n\n\n        return 1"
    assert code_of(block(code)) == code


def test_characters_that_steer_are_left_out():
    assert code_of(block("x = 'a\u202eb\x1b[2J'  # ок")) == "x = 'ab[2J'  # ок"


@given(st.text(alphabet="`~ \n>.px=1", max_size=60))
def test_whatever_comes_there_is_code_or_none(reply):
    code = code_of(reply)
    assert code is None or code.strip()


@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=30))
def test_a_block_is_found_as_it_is(line):
    if "```" not in line:
        assert blocks_of(block(line)) == [("python", f"{line}\n")]


def test_many_blocks_are_found_at_once():
    assert code_of(block("x = 1") * 10_000).count("x = 1") == 10_000


@pytest.mark.parametrize(
    "piece", [">", "- ", "1. ", "`", "```\n", "~~~\n- ", "$$\n", "[", "| a ", "    ", "[^1]: ", "\\[\n"]
)
def test_endless_markup_does_not_hold_it_up(piece):
    assert code_of(piece * 20_000 + "\n\n") is None or piece in ("```\n", "~~~\n- ")

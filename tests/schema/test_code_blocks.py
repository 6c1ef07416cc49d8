"""Code out of replies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.schema import code_blocks
from lockbots_magic.schema.code_blocks import extract_code, find_code_blocks, has_code


def block(text, language="python", fence="```"):
    return f"{fence}{language}\n{text}\n{fence}\n"


@pytest.mark.parametrize("reply", [
    "", "No code here, `x = 1` aside.", "    indented = 1", block("", ""), block("  "), block("You said: 3", "output"),
    block("a picture", "text"), "~~~\n~~~", "$$\nx\n$$",
])  # fmt: skip
def test_a_reply_without_code_has_none(reply):
    assert extract_code(reply) is None


@pytest.mark.parametrize(
    "language", ["python", "py", "Python3", "", "{.python .numberLines}", "python title=x", "ipython"]
)
def test_code_is_in_a_fenced_block_whatever_its_info_string(language):
    assert extract_code(f"Take this:\n\n{block('x = 1', language)}\nIt works.") == "x = 1"


def test_all_python_blocks_are_joined_in_order():
    reply = block("import os") + "then\n" + block("x = 1", "py") + block("y = 2", "pycon")
    assert extract_code(reply) == "import os\n\nx = 1\n\ny = 2"


@pytest.mark.parametrize("other", ["bash", "console", "text", "output", "sql", ""])
def test_blocks_of_other_languages_are_left_out_beside_python(other):
    assert extract_code(block("pip install x", other) + block("x = 1") + block("1", other)) == "x = 1"


def test_without_python_the_first_language_but_the_shell_is_taken():
    assert extract_code(block("make", "sh") + block("SELECT 1", "sql") + block("int x;", "c") + block("2", "sql")) == (
        "SELECT 1\n\n2"
    )


def test_block_without_language_has_priority_over_shell():
    assert extract_code(block("pip install x", "bash") + block("x = 1", "")) == "x = 1"
    assert extract_code(block("pip install x", "bash")) == "pip install x"


def test_an_unclosed_block_extends_to_the_end():
    assert extract_code("Here:\n```python\nx = 1\ny =") == "x = 1\ny ="


def test_a_block_in_a_list_loses_the_list_s_indent():
    reply = "1. First\n\n   ```python\n   if x:\n       y()\n   ```\n2. Then\n   > ```python\n   > z()\n   > ```\n"
    assert extract_code(reply) == "if x:\n    y()\n\nz()"


def test_a_longer_fence_may_contain_a_shorter_one():
    inner = 'text = """\n```\nnot the end\n```\n"""'
    assert extract_code(block(inner, fence="````")) == inner
    assert extract_code(block(inner, fence="~~~")) == inner


def test_backticks_inside_a_line_are_not_a_fence():
    assert extract_code("Write ```python x``` there.") is None


def test_of_an_interactive_session_only_the_input_is_kept():
    session = ">>> def f():\n...     return 1\n...\n>>> f()\n1\n>>> x = '>>> '"
    assert extract_code(block(session, "pycon")) == "def f():\n    return 1\n\nf()\nx = '>>> '"
    assert extract_code(block(session)) == extract_code(block(session, ""))


def test_prompts_of_ipython_are_removed():
    session = "In [1]: def f():\n   ...:     return 1\n   ...:\n\nIn [12]: f()\nOut[12]: 1"
    assert extract_code(block(session)) == "def f():\n    return 1\n\nf()"


def test_indentation_and_blank_lines_are_kept():
    code = "    def f():\n\n\n        return 1"
    assert extract_code(block(code)) == code


def test_control_characters_are_removed():
    assert extract_code(block("x = 'a\u202eb\x1b[2J'  # ок")) == "x = 'ab[2J'  # ок"


@given(st.text(alphabet="`~ \n>.px=1", max_size=60))
def test_any_text_gives_code_or_none(reply):
    code = extract_code(reply)
    assert code is None or code.strip()


@given(st.text(alphabet=st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=30))
def test_a_block_is_found_unchanged(line):
    if "```" not in line:
        assert find_code_blocks(block(line)) == [("python", f"{line}\n")]


@given(st.text(alphabet="`~ \n.px=1", max_size=60), st.sampled_from(["", "word\n" * 500, "> word\n" * 2500]))
def test_a_reply_has_code_where_some_is_found(reply, before):
    assert has_code(before + reply) == (extract_code(before + reply) is not None)


def test_only_the_beginning_is_searched_if_it_has_code(monkeypatch):
    searched = []
    monkeypatch.setattr(code_blocks, "extract_code", lambda text: searched.append(len(text)) or extract_code(text))
    assert has_code(block("x = 1") + "word\n" * 10_000)
    assert has_code("word\n" * 10_000 + block("x = 1"))
    assert not has_code("word\n" * 10_000)
    assert searched[0] <= 2_000
    assert len(searched) == 4, "a text without a fence is not parsed"


def test_many_blocks_are_found_at_once():
    assert extract_code(block("x = 1") * 10_000).count("x = 1") == 10_000


@pytest.mark.parametrize(
    "piece", [">", "- ", "1. ", "`", "```\n", "~~~\n- ", "$$\n", "[", "| a ", "    ", "[^1]: ", "\\[\n"]
)
def test_repeated_markup_takes_linear_time(piece):
    assert extract_code(piece * 20_000 + "\n\n") is None or piece in ("```\n", "~~~\n- ")

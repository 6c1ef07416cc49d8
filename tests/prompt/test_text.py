"""Text: truncated, cleaned, fenced."""

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.prompt.text import clean_terminal_output, fence_code, to_one_line, truncate, truncate_middle
from lockbots_magic.security.secrets import Secret


def test_escape_sequences_are_removed():
    assert (
        clean_terminal_output("\x1b[31mred\x1b[0m \x1b]8;;https://x\x07link\x1b]8;;\x1b\\ \x1b(B\x9b1mx")
        == "red link x"
    )


def test_overwritten_text_is_removed():
    assert clean_terminal_output("10%\r20%\r30%\ndone\r\nnext") == "30%\ndone\nnext"


@given(st.text())
def test_cleaned_text_contains_no_escape(text):
    assert "\x1b" not in clean_terminal_output(text)


def test_a_long_text_loses_its_middle():
    assert truncate_middle("abcdef", 6) == "abcdef"
    assert truncate_middle("a" * 50 + "b" * 900 + "c" * 50, 100) == f"{'a' * 50}\n[… 900 characters …]\n{'c' * 50}"


@given(st.text(), st.integers(0, 50))
def test_truncated_text_is_within_its_limit(text, characters):
    assert text.startswith(truncate(text, characters))
    assert len(truncate(text, characters)) <= characters


def test_truncation_leaves_no_part_of_a_credential():
    secret = Secret("sk-0123456789abcdef")
    assert "sk-0" not in truncate("x" * 10 + secret.reveal(), 20)
    assert "cdef" not in truncate_middle("x" * 100 + secret.reveal() + "y" * 10, 30)


@given(st.text())
def test_one_line_is_one_short_line(text):
    assert len(to_one_line(text, 20)) <= 20
    assert len(to_one_line(text).splitlines()) <= 1


@given(st.text(alphabet="`a\n"))
def test_a_fence_holds_whatever_is_in_it(text):
    first, *middle, last = fence_code(text, "x").split("\n")
    assert first == last + "x"
    assert last not in text
    assert "\n".join(middle).rstrip("\n") == text.rstrip("\n")

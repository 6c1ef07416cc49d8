"""Text for places that obey some characters rather than show them."""

import pytest

from lockbots_magic.security.control_characters import unlinked


@pytest.mark.parametrize(
    "text", ["see https://a.example", "HTTP://a", "a: b", "my data: 3 and 4", "C://", "1://x", "x:/y"]
)
def test_ordinary_text_stays(text):
    assert unlinked(text) == text or ":" in text


@pytest.mark.parametrize(
    "text", ["javascript://x", "a JAVASCRIPT://x", "data:text/html,x", "file:///etc", "vscode://x", "(x+y.z-1://q)"]
)
def test_no_address_but_one_of_the_web_is_left(text):
    shown = unlinked(text)
    assert "://" not in shown.replace("\u2060:", "")
    assert "data:" not in shown
    assert shown.replace("\u2060", "") == text

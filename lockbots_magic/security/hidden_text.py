"""Text that people don't see and models read: instructions written in tag characters or variation selectors. Pure.

Sources: Unicode 16, 23.9 (tag characters) and 23.4 (variation selectors); Unicode Technical Standard 51, annex B, for
the three flags that are written with tags: of England, Scotland and Wales.
"""

from __future__ import annotations

from ..late_pattern import late_pattern

_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FLAGS = "|".join(
    "\U0001f3f4" + "".join(chr(0xE0000 + ord(letter)) for letter in f"{name}\x7f")
    for name in ("gbeng", "gbsct", "gbwls")
)
_IDEOGRAPH = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MAY_HIDE = late_pattern(f"[{_TAGS}\U000e0100-\U000e01ef]|[\ufe00-\ufe0f]{{2}}")
_HIDDEN = late_pattern(
    f"({_FLAGS})|[{_TAGS}]+|(?<![{_IDEOGRAPH}])[\U000e0100-\U000e01ef]+|(?<=[{_SELECTORS}])[{_SELECTORS}]+"
)
"""Tags outside of a flag, and selectors that select nothing: a character has one at most."""


def without_hidden_text(text: str) -> str:
    """Return a foreign text without what nobody sees; emoji, flags and variants of ideographs stay.

    Example:
        >>> without_hidden_text("hi" + "".join(chr(0xE0000 + ord(letter)) for letter in "obey"))
        'hi'
    """
    if text.isascii() or not _MAY_HIDE.search(text):
        return text
    return _HIDDEN.sub(lambda match: match[1] or "", text)

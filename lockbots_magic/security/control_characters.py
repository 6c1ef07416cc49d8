"""Remove characters that a terminal or a text layout would obey instead of showing them."""

from __future__ import annotations

import re

from ..late_pattern import late_pattern

_CONTROLS = "\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
"""C0 without tab and line ends, DEL, and C1: a terminal obeys them."""
STEERING = f"[{_CONTROLS}\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
"""Pattern of a character that `printable` removes.

Controls, embeddings, overrides and isolates, which reorder a line, and tags, which are invisible. Joiners, direction
marks and variation selectors stay: scripts and emoji need them.
"""
PARTING = (
    f"[{STEERING[1:-1]}\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0080-\U000e0fff]"
)
"""Pattern of a character that can part a word unseen: steering ones, and those that Unicode ignores by default.

Source: Unicode, DerivedCoreProperties.txt, `Default_Ignorable_Code_Point`. They stay in a text: emoji need some.
"""
_STEERING = re.compile(f"{STEERING}+")
_PARTING = late_pattern(f"{PARTING}+")
_PRINTABLE_PARTING = (
    *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0",
    *map(chr, range(0xFE00, 0xFE10)),
)
"""Those of them in the BMP that Python takes for printable, such as variation selectors."""
_ASCII_CONTROLS = bytes([*range(9), 11, 12, *range(14, 32), 127])
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_LINE_END = re.compile("\r\n|[\r\u2028\u2029]")


def printable(text: str) -> str:
    """Remove control, reordering and tag characters; turn every line end into a newline."""
    if _is_plain(text):
        return text
    return _STEERING.sub("", _LINE_END.sub("\n", text))


def without_controls(markup: str) -> str:
    """Remove C0 and C1 control characters from HTML or Markdown, where reordering characters stay within a block."""
    if _is_plain(markup):
        return markup
    return _CONTROL.sub("", _LINE_END.sub("\n", markup))


def _is_plain(text: str) -> bool:
    """Tell, fast, whether `text` is ASCII with newlines and without controls."""
    return text.isascii() and "\r" not in text and not has_steering(text)


def without_steering(text: str) -> str:
    """Remove control, reordering and tag characters, and nothing else."""
    return _STEERING.sub("", text)


def has_steering(text: str) -> bool:
    """Tell whether `text` holds a control, reordering or tag character."""
    if text.isascii():  # ten times as fast as the search, and most text is ASCII
        code = text.encode()
        return len(code.translate(None, _ASCII_CONTROLS)) != len(code)
    return _STEERING.search(text) is not None


def without_parting(text: str) -> str:
    """Remove all characters that can part a word unseen, to search in what is left."""
    return _PARTING.sub("", text) if has_parting(text) else text


def has_parting(text: str) -> bool:
    """Tell whether `text` holds a character that can part a word unseen."""
    if text.isascii():
        return has_steering(text)
    is_plain = text.replace("\n", " ").isprintable() and not any(letter in text for letter in _PRINTABLE_PARTING)
    # The search takes several times as long; characters beyond the BMP are two units of UTF-16.
    return (not is_plain or len(text.encode("utf-16-le")) > 2 * len(text)) and _PARTING.search(text) is not None


def encodable(text: str, stream: object) -> str:
    """Return `text` with a question mark for what the encoding of `stream` has no letter for: not all are UTF-8."""
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str) or text.isascii():
        return text
    try:
        return text.encode(encoding, "replace").decode(encoding)
    except LookupError:  # a stream of another program, with a name of its own
        return text


def has_surrogates(text: str) -> bool:
    """Tell whether `text` holds a surrogate, which UTF-8 and JSON readers refuse."""
    try:  # many times as fast as a search
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def replace_surrogates(text: str) -> str:
    """Join surrogate pairs to the character they stand for; replace a lone surrogate by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if has_surrogates(text) else text

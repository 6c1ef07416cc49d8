"""The first words of a kernel's first reply are shown before the parser is imported, and look as they will."""

import html
import subprocess
import sys

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering.first_words import first_words_html
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.security.html_policy import sanitize
from tests.effort import examples
from tests.rendering.test_incremental import PIECES


@settings(max_examples=examples(400))
@example(["Is", '"', "'", "word "])
@example(["a & b"])
@example(["a", "$", "b$"])
@example(["א b"])
@example(["a", "<script>"])
@given(st.lists(st.sampled_from([*PIECES, "word ", "Is", ", ", "é", "\x1b", "\u202e", '"', "'"]), max_size=12))
def test_they_are_what_the_parser_makes_of_them_and_pass_the_policy(pieces):
    shown = first_words_html("".join(pieces))
    assert html.unescape(sanitize(shown)) == html.unescape(shown)
    words = html.unescape(shown.partition(">")[2].removesuffix("</p>"))
    assert words in "".join(pieces)
    if "://" not in words:  # becomes a link
        document = IncrementalMarkdown()
        document.feed(words)
        assert html.unescape("".join(document.advance())) == html.unescape(shown + "\n" * bool(shown))


def test_they_end_at_the_first_markup_and_at_the_end_of_the_line():
    for text, words in {
        "The mean is *not* the median.": "<p>The mean is</p>",
        "\n\nYes.\nAnd no.": "<p>Yes.</p>",
        "Yes, ": "<p>Yes,</p>",
        "# Title": "",
        "1. One": "",
        "    code": "",
        "**No**": "",
        "": "",
    }.items():
        assert first_words_html(text) == words, text


DRAWN = """
import sys, threading
from lockbots_magic.conversation.messages import Delta
from lockbots_magic.rendering.frame_loop import FrameLoop

frames, done = [], threading.Event()

def draw(finished, growing, notices):
    frames.append((growing, "markdown_it" in sys.modules))
    if "<em>" in growing:
        done.set()
    return 1

loop = FrameLoop(draw)
loop.feed(Delta("Hello, *wor"))
assert done.wait(60)
loop.feed(Delta("ld*"))
print(frames[0], frames[-1], loop.whole(), sum(not parser for _, parser in frames))
"""


def test_they_are_drawn_without_the_parser_and_replaced_by_what_it_makes():
    done = subprocess.run([sys.executable, "-c", DRAWN], capture_output=True, text=True, check=True)
    expected = [("<p>Hello,</p>", False), ("<p>Hello, <em>wor</em></p>\n", True), "<p>Hello, <em>world</em></p>", 1]
    assert done.stdout.split() == " ".join(map(str, expected)).split()

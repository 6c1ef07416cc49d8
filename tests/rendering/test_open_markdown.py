"""Completion of Markdown that is still streaming."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.rendering.incremental import IncrementalMarkdown
from tests.documents import DOCUMENT


def frame(text):
    document = IncrementalMarkdown()
    document.feed(text)
    finished, rest = document.advance()
    return (finished + rest).replace(' rel="noopener noreferrer"', "").strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a **bold", "<p>a <strong>bold</strong></p>"),
        ("a **bold*", "<p>a <strong>bold</strong></p>"),
        ("a **", "<p>a</p>"),
        ("an *em **and both", "<p>an <em>em <strong>and both</strong></em></p>"),
        ("**a ~~b** c", "<p><strong>a ~~b</strong> c</p>"),
        ("~~gone", "<p><s>gone</s></p>"),
        ("2 * 3", "<p>2 * 3</p>"),
        ("snake_case_", "<p>snake_case</p>"),
        ("some `code", "<p>some <code>code</code></p>"),
        ("some `", "<p>some </p>"),
        ("some ``co`de`", "<p>some <code>co`de</code></p>"),
        ("a [link](http", "<p>a <a>link</a></p>"),
        ("a [**link**](", "<p>a <a><strong>link</strong></a></p>"),
        ("an array[0", "<p>an array[0</p>"),
        ("a ![picture](data:image/png;base64,AAAA", "<p>a [picture]</p>"),
        ("see[^1", "<p>see[^1</p>"),
        ("see[^1]", "<p>see<sup>1</sup></p>"),
        (r"so \(x^2", r'<p>so <code class="tex">\(x^2</code></p>'),
        ("so $$x_1 + *2", '<p>so <code class="tex">$$x_1 + *2</code></p>'),
        ("$$\nx\n- y", '<p><code class="tex">$$\nx\n- y</code></p>'),
        ("costs $5 and", "<p>costs <span>$</span>5 and</p>"),
        ("text\n-", "<p>text</p>"),
        ("text\n--", "<p>text</p>"),
        ("text\n=", "<p>text</p>"),
        ("text\n#", "<p>text</p>"),
        ("text\n1", "<p>text</p>"),
        ("text\n1.", "<p>text</p>"),
        ("text\n> ", "<p>text</p>"),
        ("text\n``", "<p>text</p>"),
        ("text\n```py", "<p>text</p>"),
        ("text\n[^1]:", "<p>text</p>"),
        ("text\n\n[a]: http://x", "<p>text</p>"),
        ("back\\", "<p>back</p>"),
        ("wow!", "<p>wow</p>"),
        ("Todo:\n- [", "<p>Todo:</p>"),
        ("Todo:\n- !", "<p>Todo:</p>"),
        ("[wiki](https://w.example/Python_(prog", "<p><a>wiki</a></p>"),
        ("[a [b] c](https://w", "<p><a>a [b] c</a></p>"),
        ("2*3 and", "<p>2*3 and</p>"),
        ("- item\n| a | b |", "<ul>\n<li>item<br>| a | b |</li>\n</ul>"),
        ("> ```\n> x\n> ``", "<blockquote>\n<pre><code>x\n</code></pre>\n</blockquote>"),
    ],
)
def test_open_markup_is_completed(text, shown):
    assert frame(text) == shown


@pytest.mark.parametrize("begun", ["", "\n", "\n|", "\n|--", "\n|---|", "\n|---|:-", "\n|---|---|", "\n|---|---|\n"])
def test_table_is_shown_from_its_head_on(begun):
    html = frame(f"| a | b |{begun}")
    assert html.count("<th") == 3, "head and two cells"
    assert "---" not in html


def test_row_is_not_taken_for_a_head():
    assert frame("| a | b |\n|---|---|\n| 1 | 2").count("<tr>") == 2


def test_open_fence_holds_the_text_so_far():
    assert frame("```python\ndef f") == "<pre><code>def f</code></pre>"
    assert frame("```python\nx\n``") == "<pre><code>x\n</code></pre>"
    assert frame("~~~\n**x") == "<pre><code>**x</code></pre>"


def test_finished_block_is_not_completed():
    assert frame("a *b\n\nc") == "<p>a *b</p>\n<p>c</p>"
    assert frame("text\n---\n").startswith("<h2 ")


def visible(html):
    return re.sub(r"<[^>]*>", "", html)


@given(st.integers(1, len(DOCUMENT)))
def test_frame_shows_no_marker_that_will_vanish(end):
    shown = visible(
        re.sub(r'<code.*?</code>|<span class="mathjax.*?</span>', "", frame(DOCUMENT[:end]), flags=re.DOTALL)
    )
    assert not re.search(r"\*\*|`|\]\(|\|[-:|]|^#|~~", shown, re.MULTILINE), shown


@given(st.text(alphabet="ab *_~`[]()!$\\|-:#>1.\n\t^&<", max_size=60))
def test_any_text_has_a_frame(text):
    frame(text)

"""Markdown -> HTML that is safe in a trusted page, whole or growing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering.highlight import highlighted
from lockbots_magic.rendering.html import GrowingDocument, bundle, neutralised, notices_html, render

DOCUMENT = """# Title

Text **bold** and `code`, a [link](https://host.example/a?b=1&c=2) and $a_1 * b_2 * c$.

- one
- two

  still two

| a | b |
|---|--:|
| 1 | $\\alpha_{1}$ |

```python
def f(x):
    return "<b>"
```

> quoted

1. first
2. second

The end [later].

[later]: https://later.example
"""


def test_blocks_of_markdown_become_html():
    html = render(DOCUMENT)
    for tag in ("h1", "strong", "code", "ul", "table", "pre", "blockquote", "ol"):
        assert f"<{tag}" in html
    assert 'href="https://host.example/a?b=1&amp;c=2"' in html
    assert 'href="https://later.example"' in html


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](java&#115;cript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "![x](http://host.example/i.png)",
        "![x](javascript:alert(1))",
        "<javascript:alert(1)>",
        "[x]: javascript:alert(1)\n\n[x]",
        '[x](https://a.example "\\"onmouseover=alert(1) ")',
        '```html"onload=alert(1)\n<script>\n```',
        "<style>*{display:none}</style>",
        "<iframe src=//host.example></iframe>",
        "<svg/onload=alert(1)>",
        "$<img src=x onerror=alert(1)>$",
        "$$\n</div><script>alert(1)</script>\n$$",
        "| <script>alert(1)</script> |\n|---|\n| <img onerror=alert(1) src=x> |",
    ],
)
def test_nothing_in_a_reply_becomes_markup_that_acts(hostile):
    html = render(hostile)
    assert not re.search(r"<(script|img|iframe|style|svg|object|form|input|base|link|meta)", html, re.I)
    assert not re.search(r"<[^>]*\son\w+\s*=", html, re.I)
    assert not re.search(r"<[^>]*(href|src)=[\"']?\s*(javascript|data|vbscript)", html, re.I)


@given(
    st.text(alphabet=st.sampled_from("<>\"'&;:()[]!`*_-#|$\\/ \n\tabscriptonerrorimgj\x00\u202e\u2028é"), max_size=120)
)
@settings(max_examples=300)
def test_any_text_becomes_tags_of_the_known_kinds_only(text):
    html = render(text)
    tags = set(re.findall(r"<([a-zA-Z0-9]+)", html))
    known = "p br hr em strong s code pre blockquote a span h1 h2 h3 h4 h5 h6 ul ol li table thead tbody tr th td"
    assert tags <= set(known.split())
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', html)).lower()


def test_a_remote_image_is_a_link_that_names_its_host():
    html = render("![a cat](http://pictures.example/cat.png)")
    assert "a cat (image at pictures.example)" in html
    assert "<img" not in html


def test_tex_is_passed_on_as_it_stands():
    html = render("inline $a_1 + b_1 * c * d$, \\(x_2\\), $$y_3 < 4$$ and \\[z_4\\]")
    for formula in ("$a_1 + b_1 * c * d$", "\\(x_2\\)", "$$y_3 &lt; 4$$", "\\[z_4\\]"):
        assert formula in html
    assert "<em>" not in html


def test_a_price_is_no_formula():
    html = render("costs $5 and $6, or `$7`")
    assert html.count("<span>$</span>") == 2


@given(st.lists(st.integers(1, 40), max_size=30))
def test_however_it_arrives_the_end_is_the_same(cuts):
    document = GrowingDocument()
    at = 0
    for size in cuts:
        document.feed(DOCUMENT[at : at + size])
        document.html()
        at += size
    document.feed(DOCUMENT[at:])
    assert document.whole() == render(DOCUMENT)


PIECES = [
    *("a", "\n", "\n\n", "# ", "- ", "  ", "```", "|", "---", "> ", "\r\n", "\r", "\u2028", "\x0b"),
    *("$", "1. ", "<b>", "**", "`", "[a]", ": /x", "'t", "    "),
]


@given(st.lists(st.sampled_from(PIECES), max_size=40))
@settings(max_examples=300)
def test_however_any_text_arrives_the_end_is_the_same(pieces):
    document = GrowingDocument()
    for piece in pieces:
        document.feed(piece)
        document.html()
    assert document.whole() == render("".join(pieces))


def test_a_link_defined_in_the_last_line_counts_for_the_first():
    document = GrowingDocument()
    for piece in ("[a]", "\n\n", "b", "\n\n", "[a]", ": /x"):
        document.feed(piece)
        document.html()
    assert document.whole() == render("[a]\n\nb\n\n[a]: /x")


def test_a_table_that_turns_out_to_be_none_stays_in_its_paragraph():
    document = GrowingDocument()
    for piece in ("a\n", "a|\n---", "a"):
        document.feed(piece)
        document.html()
    assert document.whole() == render("a\na|\n---a")


def test_finished_blocks_are_not_rendered_again(monkeypatch):
    from lockbots_magic.rendering import html

    sizes = []
    real = html._parser().parse
    monkeypatch.setattr(html._parser(), "parse", lambda text, env: (sizes.append(len(text)), real(text, env))[1])
    document = GrowingDocument()
    for n in range(200):
        document.feed(f"Paragraph {n} of some length.\n\n")
        document.html()
    assert max(sizes) < 200


@pytest.mark.parametrize("text", ["a < b", "<b>", "\\<b>", "\\\\<b>", "<!-- x -->", "</p>", "<?php", "`<b>`"])
def test_neutralised_markdown_has_no_tag(text):
    assert not re.search(r"(?<!\\)(\\\\)*<(?=[A-Za-z/!?])", neutralised(text))


@given(st.text(alphabet="<\\ab/!` \n"))
def test_neutralising_is_complete(text):
    assert not re.search(r"(?<!\\)(\\\\)*<(?=[A-Za-z/!?])", neutralised(text))


def test_code_is_coloured_by_the_front_ends_own_variables():
    html = highlighted("def f(): return 'x'  # y", "python")
    assert "var(--jp-mirror-editor-keyword-color" in html
    assert "&#x27;x&#x27;" in html


@given(st.text(max_size=80), st.sampled_from(["python", "", "nosuch", "html", '"><script>', "c++"]))
def test_highlighting_changes_no_character_and_opens_no_tag(code, language):
    import html

    shown = highlighted(code, language)
    assert set(re.findall(r"</?(\w+)", shown)) <= {"span"}
    assert html.unescape(re.sub(r"</?span[^>]*>", "", shown)) == code


def test_notices_are_escaped():
    assert "<b>" not in notices_html(["<b>x</b>"])


def test_the_three_forms_of_an_output():
    forms = bundle("a <b>", render("a <b>"), ["left out"])
    assert forms["text/plain"] == "a <b>"
    assert forms["text/markdown"] == "a \\<b>\n\n*left out*"
    assert "left out" in forms["text/html"]


def test_the_style_of_code_blocks_survives_the_sanitiser():
    for block in ("```python\nx\n```", "    x\n"):
        assert "background:var(--jp-layout-color2, #8080801f);padding:" in render(block)

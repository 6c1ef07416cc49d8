"""Markdown -> HTML that is safe in a trusted page, whole or growing."""

import re

import markdown_it
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering.frame import framed, notices_html, style
from lockbots_magic.rendering.html import MAX_TYPESET, render
from tests.documents import DOCUMENT
from tests.effort import examples
from tests.linear import is_linear


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
def test_reply_never_becomes_active_markup(hostile):
    html = render(hostile)
    assert not re.search(r"<(script|img|iframe|style|svg|object|form|input|base|link|meta)", html, re.I)
    assert not re.search(r"<[^>]*\son\w+\s*=", html, re.I)
    assert not re.search(r"<[^>]*(href|src)=[\"']?\s*(javascript|data|vbscript)", html, re.I)


@given(
    st.text(alphabet=st.sampled_from("<>\"'&;:()[]!`*_-#|$\\/ \n\tabscriptonerrorimgj\x00\u202e\u2028é"), max_size=120)
)
@settings(max_examples=examples(300))
def test_any_text_becomes_known_tags_only(text):
    html = render(text)
    tags = set(re.findall(r"<([a-zA-Z0-9]+)", html))
    known = "p br hr em strong s code pre blockquote a span h1 h2 h3 h4 h5 h6 ul ol li table thead tbody tr th td"
    assert tags <= set(known.split())
    assert "javascript:" not in "".join(re.findall(r'href="([^"]*)"', html)).lower()


def test_a_remote_image_is_a_link_that_names_its_host():
    html = render("![a cat](http://pictures.example/cat.png)")
    assert "a cat (image at pictures.example)" in html
    assert "<img" not in html


def test_tex_is_passed_on_unchanged():
    html = render("inline $a_1 + b_1 * c * d$, \\(x_2\\), $$y_3 < 4$$ and \\[z_4\\]")
    for formula in ("$a_1 + b_1 * c * d$", "\\(x_2\\)", "$$y_3 &lt; 4$$", "\\[z_4\\]"):
        assert formula in html
    assert "<em>" not in html


def test_price_is_not_a_formula():
    html = render("costs $5 and $6, or `$7`")
    assert html.count("<span>$</span>") == 2


def test_notices_are_escaped():
    assert "<b>" not in notices_html(["<b>x</b>"])


def test_front_ends_ignore_tex_around_a_reply_and_in_notices():
    html = framed(render("x"), [r"$\href{https://evil.example/}{click}$"])
    assert html.startswith('<div class="lockbots mathjax_ignore tex2jax_ignore">')
    assert html.endswith("</div></div>")


def test_text_in_a_notice_begins_no_formula():
    assert "<span>$</span>x<span>$</span>" in notices_html(["$x$"])


@pytest.mark.parametrize(
    "address",
    [
        "//host.example",
        "/lab/api",
        "x.html",
        "#top",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://x",
        "https:",
        "?x",
    ],
)
def test_link_that_is_not_http_or_mailto_is_its_text(address):
    html = render(f"[label]({address})")
    assert "href" not in html
    assert "label" in html


def test_incomplete_address_is_not_a_link():
    for address in ("http://[x", "http://[::1", "https://[/", "http://[a]b]:x/"):
        assert "href" not in render(f"![a]({address})")
        render(f"[a]({address}) <{address}>")


@pytest.mark.parametrize("address", ["https://a.example/b?c=d&e=f#g", "HTTP://a.example", "mailto:me@a.example"])
def test_http_link_stays_a_link(address):
    assert f'href="{address.replace("&", "&amp;")}"' in render(f"[label]({address})")


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


def test_small_embedded_image_is_shown():
    assert f'<img src="data:image/png;base64,{PIXEL}" alt="dot">' in render(f"![dot](data:image/png;base64,{PIXEL})")


@pytest.mark.parametrize(
    "source",
    [
        f"data:image/svg+xml;base64,{PIXEL}",
        f"data:text/html;base64,{PIXEL}",
        f"data:image/jpeg;base64,{PIXEL}",
        "data:image/png;base64,PHN2Zz4=",
        "data:image/png;base64,iVBORw0KGgo" + "A" * 400_000,
        "data:image/png,x",
        "cat.png",
    ],
    ids=["svg", "html", "png called jpeg", "svg called png", "too large", "not base64", "relative"],
)
def test_other_images_are_not_shown(source):
    html = render(f"![dot]({source})")
    assert "<img" not in html
    assert "[dot]" in html


def test_text_that_is_not_a_formula_is_not_typeset():
    html = render(r"costs &dollar;5 \\(x\\) \$y\$ \\[z\\] &#36;a&#36; \begin{equation}x")
    bare = re.sub(r"<span>[$\\]</span>", "", html)
    assert "$" not in bare
    assert "\\" not in bare


def test_formula_with_other_commands_is_shown_as_code():
    html = render(r"$\href{javascript:alert(1)}{x}$ and $x^2$")
    assert r'<code class="tex">$\href{javascript:alert(1)}{x}$</code>' in html
    assert "$x^2$</span>" in html


def test_formulas_of_a_reply_are_bounded_in_total():
    html = render("$x$ " * 2000)
    assert html.count("mathjax_process") == MAX_TYPESET // 53
    assert html.count('<code class="tex">$x$</code>') == 2000 - MAX_TYPESET // 53
    heavy = "$" + "^{a}_{b}A " * 390 + "$"
    assert render("\n\n".join([heavy] * 60)).count("mathjax_process") <= 3


def test_task_boxes_are_shown():
    html = render("- [ ] open\n- [x] done\n- [link](https://a.example)\n- [z] none")
    assert '<li class="task" style="list-style:none">☐ open</li>' in html
    assert '<li class="task" style="list-style:none">☑ done</li>' in html
    assert "<li>[z] none</li>" in html


def test_footnotes_are_shown_where_they_are_written():
    html = render("Said[^a], not[^b].\n\n[^a]: By *whom*?\n    - and why\n\nMore.")
    assert "Said<sup>a</sup>, not[^b]." in html
    assert '<div class="footnote"><sup>a</sup><p>By <em>whom</em>?</p>' in html
    assert html.index("whom") < html.index("More")


def test_line_of_a_displayed_formula_begins_no_list():
    for begin, end in (("$$", "$$"), ("\\[", "\\]"), ("\\begin{align}", "\\end{align}")):
        html = render(f"text\n{begin}\na\n- b\n= c\n{end}\ntext")
        assert f'">{begin}\na\n- b\n= c\n{end}</span></div>' in html
        assert "<li>" not in html


def test_formula_in_a_quote_has_no_quote_marks():
    assert "$$\na\n- b\n$$" in render("> $$\n> a\n> - b\n> $$")


def test_no_formula_reaches_over_an_empty_line():
    assert "formula" not in render("$$\na\n\nb\n$$")


def test_right_to_left_blocks_have_their_direction():
    html = render("left\n\nשלום\n\n- مرحبا\n- left")
    assert "<p>left</p>" in html
    assert '<p dir="auto">שלום</p>' in html
    assert '<ul dir="auto">' in html


def test_style_applies_to_replies_only():
    assert framed(render("<style>p{color:red}</style>\n\nx")).count("<style>") == 1
    assert "url(" not in style()
    assert "@import" not in style()
    outermost = re.sub(r"\{(?:[^{}]|\{[^{}]*\})*\}", ";", style().removeprefix("<style>").removesuffix("</style>"))
    parts = ("reply", "reasoning", "notice")
    assert outermost == "".join(f".lockbots .lockbots-{part};" for part in parts)


@pytest.mark.once
@pytest.mark.parametrize(
    "shape",
    ["[", "![", "*a ", "**a _b ", "`", "` `` ", "$$ ", "\\(", "\\[\n", "$$\n", "\\begin{a}\n", "$a", "[^a", "[a](", "<",
     "~~a ", "> ", "- ", "|", "|a\n", "\\", "&", "[a]: b\n", "[^a]: b\n"],
)  # fmt: skip
def test_rendering_time_is_bounded_for_any_text(shape):
    if shape == "[a]: b\n" and markdown_it.__version__ < "4":
        pytest.skip("version 3 of the parser, for Python 3.10, reads definitions of links in quadratic time")
    assert is_linear(render, shape, 8_000)

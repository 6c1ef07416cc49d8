"""The forms of one output."""

import itertools
from html import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from lockbots_magic.rendering import mime_bundle
from lockbots_magic.rendering.frame import NOTICE_STYLE
from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.mime_bundle import bundle, forms_of, html_or_source
from lockbots_magic.rendering.safe_markdown import neutralised
from lockbots_magic.rendering.saved_html import CODE_STYLE
from lockbots_magic.rendering.time_budget import MAX_RENDERED

from ..effort import examples
from .markdown_examples import GROUPS

SOURCES = [example.markdown for example in itertools.chain(*GROUPS.values())]


def test_the_three_forms_of_an_output():
    forms = bundle("a **b**", render("a **b**"), ["left *out*"])
    assert forms["text/plain"] == "a **b**"
    assert forms["text/markdown"] == "a **b**\n\n*left \\*out\\**"
    assert f'<div class="lockbots-notice" style="{NOTICE_STYLE}">left *out*</div>' in forms["text/html"]


def test_saved_html_keeps_texts_that_look_like_its_tags():
    code = '<font color="#386"> <td style="text-align:left"> <pre><code>'
    html = bundle("", render(f"`{code}`\n\n```\n{code}\n```\n\n|a|\n|--:|\n|`{code}`|"))["text/html"]
    assert html.count(escape(code, quote=False)) == 3
    assert f'<pre style="{CODE_STYLE}"><code style=background:none>' in html
    assert "<td style=text-align:right>" in html


def test_a_reply_without_text_has_no_box():
    assert "lockbots-reply" not in bundle("", "", ["the reply is empty"])["text/html"].partition("</style>")[2]


def test_reply_that_cannot_be_rendered_is_shown_as_text():
    def fail():
        raise ZeroDivisionError

    assert html_or_source(fail, "a <b>") == "<pre><code>a &lt;b&gt;</code></pre>"
    assert html_or_source(lambda: "<p>a</p>", "a") == "<p>a</p>"


@settings(max_examples=examples(400))
@given(
    st.lists(st.sampled_from(SOURCES) | st.text("*_~`$\\[]()!<>&:|#-= \na1", max_size=20), max_size=4).map("\n".join)
)
def test_forms_of_one_parse_are_those_of_two(text):
    assert forms_of(text) == (render(text), neutralised(text))


def test_every_example_has_the_forms_of_two_parses():
    for source in SOURCES:
        assert forms_of(source) == (render(source), neutralised(source))


def test_a_text_that_cannot_be_parsed_is_code_in_both_forms(monkeypatch):
    long = "*a* " * (MAX_RENDERED // 4 + 1)
    assert forms_of(long) == (f"<pre><code>{long}</code></pre>", neutralised(long))
    monkeypatch.setattr(mime_bundle, "parse", lambda *_: 1 / 0)
    assert forms_of("a *b*") == ("<pre><code>a *b*</code></pre>", "```\na *b*\n```")

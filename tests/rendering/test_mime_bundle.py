"""The forms of one output."""

from html import escape

from lockbots_magic.rendering.html import NOTICE_STYLE, render
from lockbots_magic.rendering.mime_bundle import bundle, html_or_source
from lockbots_magic.rendering.saved_html import CODE_STYLE


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

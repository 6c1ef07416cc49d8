"""The forms of one output."""

from lockbots_magic.rendering.html import NOTICE_STYLE, render
from lockbots_magic.rendering.mime_bundle import bundle, html_or_source


def test_the_three_forms_of_an_output():
    forms = bundle("a **b**", render("a **b**"), ["left *out*"])
    assert forms["text/plain"] == "a **b**"
    assert forms["text/markdown"] == "a **b**\n\n*left \\*out\\**"
    assert f'<div class="lockbots-notice" style="{NOTICE_STYLE}">left *out*</div>' in forms["text/html"]


def test_a_reply_without_text_has_no_box():
    assert "lockbots-reply" not in bundle("", "", ["the reply is empty"])["text/html"].partition("</style>")[2]


def test_reply_that_cannot_be_rendered_is_shown_as_text():
    def fail():
        raise ZeroDivisionError

    assert html_or_source(fail, "a <b>") == "<pre><code>a &lt;b&gt;</code></pre>"
    assert html_or_source(lambda: "<p>a</p>", "a") == "<p>a</p>"

"""The examples of Markdown and values do what the page in docs/ says, and the page is current."""

import pytest

from lockbots_magic.prompt.values import value_part
from lockbots_magic.rendering.html import render
from tests import supported_page
from tests.prompt import value_examples
from tests.rendering import markdown_examples

MARKDOWN = [one for group in markdown_examples.GROUPS.values() for one in group]
VALUES = [one for group in value_examples.GROUPS.values() for one in group]


def test_markdown_becomes_what_the_examples_say():
    for example in MARKDOWN:
        html = render(example.markdown)
        at = 0
        for wanted in example.wanted:
            assert wanted in html[at:], (example.what, html)
            at = html.index(wanted, at) + len(wanted)


@pytest.mark.parametrize("example", VALUES, ids=lambda one: one.what[:30])
def test_a_value_becomes_what_the_example_says(example):
    for module in example.needs:
        pytest.importorskip(module)
    *setup, expression = example.code.split("\n")
    names = {}
    exec("\n".join(setup), names)
    part = value_part(eval(expression, names))
    assert (part.text, len(part.images), part.notes) == (example.sent, example.images, example.notes)


@pytest.mark.skipif(not supported_page.PAGE.parent.exists(), reason="the documents are not beside the tests")
def test_the_page_is_current():
    assert supported_page.PAGE.read_text(encoding="utf-8") == supported_page.page(), "run `make docs`"

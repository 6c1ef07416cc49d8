"""Text of HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.prompt.html_text import html_text


@pytest.mark.parametrize(("html", "text"), [
    ("<b>Total: 4711</b>", "Total: 4711"),
    ("<p>one  two\nthree</p><p>four</p>", "one two three\n\nfour"),
    ("a<br>b<br/>c", "a\nb\nc"),
    ("<h2>Head</h2>text", "## Head\n\ntext"),
    ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
    ("<pre>x\n  y</pre>", "x\n  y"),
    ("a &amp; b &lt;c&gt; &nbsp;d", "a & b <c> d"),
    ("<style>p {}</style><script>alert(1)</script>x", "x"),
    ("<img alt='a cat' src=x>", "[image: a cat]"),
    ("<table><tr><th>a<th>b</tr><tr><td>1|2<td>x<br>y</table>", "| a | b |\n| --- | --- |\n| 1\\|2 | x y |"),
    ("<table><tr><td colspan=2>a</td></tr><tr><td>1</td><td>2</td></tr></table>", "| a |  |\n| --- | --- |\n| 1 | 2 |"),
    ("<table><tr><td><table><tr><td>in</td></tr></table></td></tr></table>out", "| in |\n| --- |\n\nout"),
    ("<table><tr><td>never ended", "| never ended |\n| --- |"),
    ("</p></table></td>stray", "stray"),
    ("<script>never ended", ""),
    ("", ""),
])  # fmt: skip
def test_html_is_the_text_that_it_shows(html, text):
    assert html_text(html) == text


@given(st.lists(st.sampled_from(
    ["<table>", "</table>", "<tr>", "<td>", "</td>", "<td colspan=9999999999>", "<p>", "</p>", "<script>", "</script>",
     "<pre>", "</pre>", "<li>", "<br>", "text", " ", "&#0;", "<!--", "<![x"]
)))  # fmt: skip
def test_html_of_any_shape_is_read(pieces):
    assert isinstance(html_text("".join(pieces)), str)

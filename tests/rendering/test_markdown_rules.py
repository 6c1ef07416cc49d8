"""Markdown as models write it: what each rule reads, in HTML, in other parsers' Markdown and in a terminal."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lockbots_magic.rendering.html import render
from lockbots_magic.rendering.incremental import IncrementalMarkdown
from lockbots_magic.rendering.markdown import parse
from lockbots_magic.rendering.markdown_rules.cells import count_cells
from lockbots_magic.rendering.safe_markdown import neutralised
from lockbots_magic.rendering.terminal.blocks import Renderer
from lockbots_magic.schema.code_blocks import find_code_blocks
from tests.effort import examples


def plain(markdown):
    """Return HTML as a parser makes it that knows nothing of these rules."""
    return MarkdownIt("gfm-like", {"linkify": False}).render(markdown)


def typed(markdown, width=60):
    return Renderer(styled=False, encoding="utf-8").blocks(parse(markdown, {}), width)


def formulas(markdown):
    return re.findall(r'tex2jax_process">(.*?)</span>', render(markdown), re.DOTALL)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("これは**「重要」**な点です。", "これは<strong>「重要」</strong>な点です。"),
        ("**注意：**正文继续。", "<strong>注意：</strong>正文继续。"),
        ("**「甲」**なので**「乙」**です。", "<strong>「甲」</strong>なので<strong>「乙」</strong>です。"),
        ("**파이썬(Python)**은 쉽다.", "<strong>파이썬(Python)</strong>은 쉽다."),
        ("*（斜体）*的", "<em>（斜体）</em>的"),
        ("~~「旧」~~新", "<s>「旧」</s>新"),
        ("**ข้อความ:**ภาษาไทย", "<strong>ข้อความ:</strong>ภาษาไทย"),
        ("a**b**c and 2 * 3 * 4", "a<strong>b</strong>c and 2 * 3 * 4"),
        ("**Name:**text, and **Note:** text", "<strong>Name:</strong>text, and <strong>Note:</strong> text"),
        ("a:**b** and (**k:d)", "a:<strong>b</strong> and (**k:d)"),
        ("word**(x)**word", "word**(x)**word"),  # as CommonMark has it for other scripts
    ],
)
def test_emphasis_beside_east_asian_text(text, wanted):
    assert render(text) == f"<p>{wanted}</p>\n"
    assert re.sub(r"</?(p|s)>|~~|\n", "", plain(neutralised(text))) == re.sub(r"</?s>", "", wanted)


def test_stars_of_arithmetic_and_underscores_of_names_stay():
    texts = (
        "2**10 = 1024 and 3**2 = 9",
        "x**2 + y**2 = z**2, 10**6 * 10**-3",
        "2*3*4 = 24, a*b + c*d, x_1*x_2*x_3",
        "a**b and c**d",
        "__init__ and __init__.py, a.__class__.__name__",
        "(a + b)*2 + c*2",
    )
    for text in texts:
        assert render(text) == f"<p>{text}</p>\n"
        assert plain(neutralised(text)) == f"<p>{text}</p>\n"
        assert "".join(typed(text, 80)).strip() == text


def test_words_within_stars_and_underscores_are_emphasised():
    text = "**S**OLID, st**r**awberry, un*believ*able, **3**rd, **2**10 = 1024**, __bold words__, __Да__, *p < 0.05*"
    assert re.findall(r"<(?:strong|em)>(.*?)</", render(text)) == [
        "S",
        "r",
        "believ",
        "3",
        "2**10 = 1024",
        "bold words",
        "Да",
        "p &lt; 0.05",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "It is $100 (R$ 550) a month.",
        "A seat is $4, about HK$ 31 or NT$ 128.",
        "Child or adult: 5$/10$ a day.",
        "Prices rose from US$/t to A$/t.",
        "Set $HOME/$USER or ${HOME} and $PATH.",
        "A **$4** bundle and R$ 20 more.",
        "From $1.5M to $2M, or $3k and then $4k.",
        "It costs $5 and pays $6",
        "| basic | A$5/NZ$ |\n|---|---|\n| US$ 3 | C$ |",
        "From $HOME/$std on, or from a$_GET and b$_POST",
        "Not $x$2, and no $a$thing.",
        "Either $5 and 10$th, or $20 or $30th, on the $4th.",
    ],
)
def test_money_is_no_formula(text):
    assert formulas(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Let $x$ be $2$ and \\(y\\).", ["$x$", "$2$", "\\(y\\)"]),
        ("$2 \\sin x$ and $3 \\text{ apples}$", ["$2 \\sin x$", "$3 \\text{ apples}$"]),
        ("$100 = 10^2$, $10x + 5$", ["$100 = 10^2$", "$10x + 5$"]),
        ("値は$x$です, 값은 $y$입니다", ["$x$", "$y$"]),
        ("the norm $\\|v\\|$", ["$\\|v\\|$"]),
        ("a fee of $\\$5 + x$ or $y$", ["$\\$5 + x$", "$y$"]),
        ("the $n$th, $(n+1)$th, $k_{i}$th, $n - 1$st of $3$rd", ["$n$", "$(n+1)$", "$k_{i}$", "$n - 1$", "$3$"]),
        ("CO$_2$, SO$_4^{2-}$, 10$^{-3}$ and n$^{th}$", ["$_2$", "$_4^{2-}$", "$^{-3}$", "$^{th}$"]),
        ("then $$\na + b\n= c$$\n\nand $d$", ["$$\na + b\n= c$$", "$d$"]),
        ("a\n```math\nx^2\n```\nb\n\n- ~~~math\n  $$y$$\n  ~~~", ["$$\nx^2\n$$", "$$\ny\n$$"]),
        ("of $`x^2`$ and $`y`$-axis, `$`z`$`", ["$x^2$", "$y$"]),
        ("```math\nx", []),
        ("```math\nx\n\ny\n```\n```mathematica\nx\n```", []),
    ],
)
def test_formulas_still_are(text, wanted):
    assert formulas(text) == wanted


def cells(markdown):
    return re.findall(r"<t[dh](?:| style[^>]*)>(.*?)</t[dh]>", render(markdown), re.DOTALL)


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        ("| `ps aux | grep py` | finds |", ["<code>ps aux | grep py</code>", "finds"]),
        ("| `a \\| b` | x |", ["<code>a | b</code>", "x"]),
        ("| ``a ` | b`` | x |", ["<code>a ` | b</code>", "x"]),
        ("| ` | ` |", ["`", "`"]),  # two cells, as their number says
        ("| $P(A|B)$ | x |", ['<span class="mathjax_process tex2jax_process">$P(A|B)$</span>', "x"]),
        ("| $\\|v\\|$ | x |", ['<span class="mathjax_process tex2jax_process">$\\|v\\|$</span>', "x"]),
        ("| a | b | c | d |", ["a", "b | c | d"]),
        ("a | b | c", ["a", "b | c"]),
        ("| a |", ["a", ""]),
    ],
)
def test_cells_of_a_row(row, wanted):
    assert cells(f"| one | two |\n|---|---|\n{row}")[2:] == wanted


def test_code_with_a_bar_in_the_head():
    assert cells("| `a | b` | two |\n|---|---|\n| 1 | 2 |") == ["<code>a | b</code>", "two", "1", "2"]


@given(st.lists(st.sampled_from(["a", "|", "`", "``", "$", "\\", " ", "\\(", "\\)"]), max_size=24))
@settings(max_examples=examples(300))
def test_no_letter_of_a_row_vanishes(pieces):
    row = "".join(pieces)
    html = render(f"| one | two |\n|---|---|\n| x {row}")
    shown = re.sub(r"<[^>]*>", "", html)
    assert shown.count("a") == row.count("a")


def test_alignment_is_that_of_the_rule():
    html = render("| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |")
    assert re.findall(r"<td(.*?)>", html) == [f' style="text-align:{side}"' for side in ("left", "right", "center")]


def test_count_of_cells():
    rows = {"| a | b |": 2, "a | b": 2, "| a \\| b |": 1, "|a|b|\\|": 3, "": 1}
    assert {row: count_cells(row) for row in rows} == rows


def test_tags_that_models_use():
    table = "| step |\n|---|\n| open<br>read<br/>close<BR />end |"
    assert "open<br>read<br>close<br>end" in render(table)
    assert "open read close end" in neutralised(table)
    text = "H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>, <b>bold *and* <i>more</i></b>, <del>old</del>"
    marks = "<strong>bold <em>and</em> <em>more</em></strong>, <s>old</s>"
    assert render(text) == f"<p>H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>, {marks}</p>\n"
    assert typed(text, 80) == "H_2O, x^2, Ctrl, bold and more, old\n"
    assert neutralised("H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>") == "H_2O, x^2, Ctrl"


@pytest.mark.parametrize(
    "text", ["<b onclick=hurt()>x</b>", "<script>x</script>", "<b>x", "x</b>", "<br onload=x>", "`<b>x</b>`"]
)
def test_other_tags_are_text(text):
    assert re.sub(r"</?(p|code)>|\n", "", render(text)) == text.strip("`").replace("<", "&lt;").replace(">", "&gt;")


def test_foldable_block():
    inner = "<details><summary>in</summary>\n\nb\n</details>"
    text = f"<details>\n<summary>More *of it*</summary>\n\n- **a**\n\n{inner}\n</details>\n\nafter"
    html = render(text)
    assert html.startswith("<details>\n<summary>More <em>of it</em></summary>\n<ul>")
    assert html.count("<details>") == html.count("</details>") == 2
    assert html.endswith("</details>\n<p>after</p>\n")
    assert neutralised(text) == "More *of it*\n\n- **a**\n\nin\n\nb\n\nafter"
    assert render("<details>\nnever closed").count("details") == 1
    one_line = "<details><summary>one</summary>line</details>"
    assert render(f"<details>\n{one_line}\nb\n</details>\nafter").count("<details>") == 2
    assert render(f"a\n{one_line}\nb") == (
        "<p>a</p>\n<details>\n<summary>one</summary>\n<p>line</p>\n</details>\n<p>b</p>\n"
    )
    assert render("<details>only</details>").startswith("<details>\n<summary>Details</summary>\n<p>only</p>")
    assert "<details>" not in render("<details><summary>a</summary>b</details> c")
    assert "<details>" in render("> <details>\n> a\n> </details>")


README = "The README:\n\n```markdown\n# Title\n\n```bash\npip install x\n```\n\nMore\n```\n\nAfter **all**."


def test_block_of_markdown_holds_blocks():
    html = render(README)
    assert html.count("<pre>") == 1
    assert html.endswith("<p>After <strong>all</strong>.</p>\n")
    assert [block.text for block in find_code_blocks(README)] == ["# Title\n\n```bash\npip install x\n```\n\nMore\n"]
    assert neutralised(README).count("````") == 2


def test_blocks_of_other_languages_end_at_the_first_bare_fence():
    assert render("```python\na\n```\n\n```bash\nb\n```").count("<pre>") == 2
    assert render("```markdown\na\n```\n\nprose\n\n```bash\nb\n```").count("<pre>") == 2


BARE_FENCES = {
    "```markdown\n# Title\n\n```\npip install x\n```\n\nMore\n```\n\nAfter **all**.": 1,
    "```md\nRun:\n```\npip install x\n\n# y\n```\n```\n\nAfter **all**.": 1,
    "```md\n# A\n\n```bash\na\n```\n\n```\nb\n```\n\nend\n```\nAfter **all**.": 1,
    "```markdown\na\n```\n\nprose\n\n```\nb\n```\n\nAfter **all**.": 2,
    "```markdown\na\n\n```\n\nAfter **all**.": 1,
    "```markdown\na\n\n```\nThen **prose**:\n\n```\nb\n```\n\nAfter **all**.\n\n```\nc\n```": 3,
    "```markdown\na\n\n```\nThen **prose**:\n\n```bash\nb\n```\n\nAfter **all**.\n\n```\nc\n```": 3,
}


@pytest.mark.parametrize(("text", "blocks"), BARE_FENCES.items())
def test_block_of_markdown_holds_blocks_between_bare_fences(text, blocks):
    html = render(text)
    assert html.count("<pre>") == blocks
    assert "<p>After <strong>all</strong>.</p>" in html
    for size in (1, 3, 10):
        growing = IncrementalMarkdown()
        for at in range(0, len(text), size):
            growing.feed(text[at : at + size])
            growing.advance()
        assert growing.whole() == html


def test_block_of_markdown_whose_inner_block_never_ends_is_read_as_by_commonmark():
    assert "<strong>After</strong>" in render("```markdown\n```bash\nx\n```\n\n**After**")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("参见https://a.example/c。然后", "https://a.example/c"),
        ("See https://docs.python.org/3/library/re.html.", "https://docs.python.org/3/library/re.html"),
        ("(https://example.org/a_(b))", "https://example.org/a_(b)"),
        ("见 https://example.com/docs（说明）。", "https://example.com/docs"),
        ("**https://example.com**", "https://example.com"),
        ("https://example.com/__init__.py, and", "https://example.com/__init__.py"),
        ("http://localhost:8888/lab?a=1&b=2#c!", "http://localhost:8888/lab?a=1&amp;b=2#c"),
        ("See www.example.org, or", "http://www.example.org"),
        ("(**www.example.com/a_(b)?x=1&y=2**!)", "http://www.example.com/a_(b)?x=1&amp;y=2"),
        ("见www.example.com/a。", "http://www.example.com/a"),
        ("| https://example.com/x |\n|---|\n| y |", "https://example.com/x"),
        ("https://пример.рф/путь;", "https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C"),
    ],
)
def test_bare_address_is_a_link(text, address):
    assert re.findall('href="(.*?)"', render(text)) == [address]
    assert len(re.findall("href=", plain(neutralised(text)))) == 1


NO_ADDRESSES = ["xhttps://a.b", "https:// a", "https://", "`https://a.b`", "https://-", "ftp://a.b"]
NO_ADDRESSES += ["www.example", "me@www.example.org", "a.www.example.org", "`www.example.org`", "www..a.b", "wwww.a.b"]


@pytest.mark.parametrize(
    "text", ["xhttps://a.b", "https:// a", "https://", "`https://a.b`", "https://-", "ftp://a.b", *NO_ADDRESSES]
)
def test_what_is_no_address_is_text(text):
    assert "<a" not in render(text)


def test_address_in_the_text_of_a_link_makes_no_second_link():
    assert re.findall('href="(.*?)"', render("[see https://a.b](https://c.d)")) == ["https://c.d"]
    assert re.findall('href="(.*?)"', render("[see www.a.b](https://c.d)")) == ["https://c.d"]


def test_single_line_end_is_a_line_break():
    assert render("Roses are red,\nviolets are blue.") == "<p>Roses are red,<br>violets are blue.</p>\n"
    assert "<br" in plain(neutralised("Roses are red,\nviolets are blue."))
    assert typed("Roses are red,\nviolets are blue.") == "Roses are red,\nviolets are blue.\n"


def test_headings_stay_out_of_the_table_of_contents():
    assert render("# a") == '<h1 class="jp-toc-ignore tocSkip" style="font-size:1.2em;font-weight:bold">a</h1>\n'


def test_tables_and_quotes_of_right_to_left_text_have_its_direction():
    html = render("> שלום\n\n| שלום |\n|---|\n| x |")
    assert '<blockquote dir="auto">' in html
    assert '<div class="wide" dir="auto">' in html

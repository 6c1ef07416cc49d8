"""Examples of Markdown in replies, with what their HTML must hold: checked by tests, and shown on a page of docs/."""

from __future__ import annotations

from typing import NamedTuple


class MarkdownExample(NamedTuple):
    """What one rule does."""

    what: str
    """What is shown, a sentence."""
    markdown: str
    wanted: tuple[str, ...]
    """Parts of its HTML, in order."""


TEX = '<span class="mathjax_process tex2jax_process">'
LEFT, RIGHT, CENTER = (f' style="text-align:{side}"' for side in ("left", "right", "center"))

GROUPS: dict[str, list[MarkdownExample]] = {
    "Text": [
        MarkdownExample(
            "A single line break is a break: models don't wrap lines.",
            "Roses are red,\nviolets are blue.",
            ("Roses are red,<br>violets are blue.",),
        ),
        MarkdownExample(
            "Bold, italic, struck, code.",
            "**bold**, *italic*, ~~struck~~, `code`",
            ("<strong>bold</strong>", "<em>italic</em>", "<s>struck</s>", "<code>code</code>"),
        ),
        MarkdownExample(
            "Bold ends beside East Asian punctuation and letters.",
            "これは**「重要」**な点です。 **注意：**正文。 **파이썬(Python)**은",
            (
                "これは<strong>「重要」</strong>な点です。",
                "<strong>注意：</strong>正文。",
                "<strong>파이썬(Python)</strong>은",
            ),
        ),
        MarkdownExample(
            "Bare addresses of the web are links; those of other schemes are text.",
            "See https://example.com/a_b, (https://example.org/x(y)), www.example.com or ftp://example.com",
            (
                '<a href="https://example.com/a_b"',
                '<a href="https://example.org/x(y)"',
                '<a href="http://www.example.com"',
                "ftp://example.com",
            ),
        ),
        MarkdownExample(
            "Links lead to http, https and mailto only.",
            "[a](https://example.com) [b](javascript:alert(1)) [c](mailto:me@example.com)",
            (
                '<a href="https://example.com" target="_blank"',
                "[b](javascript:alert(1))",
                '<a href="mailto:me@example.com"',
            ),
        ),
        MarkdownExample(
            "An image on the web is a link that names its host: fetching it would tell its server of the reader.",
            "![a chart](https://example.com/chart.png)",
            ('<a href="https://example.com/chart.png"', "a chart (image at example.com)"),
        ),
        MarkdownExample(
            "A badge is its link, with its name.",
            "[![build](https://example.com/badge.svg)](https://example.org)",
            ('<a href="https://example.org" target="_blank"', ">build (image at example.com)</a>"),
        ),
        MarkdownExample(
            "A few tags work, without attributes: br, sub, sup, kbd, b, i, s, details.",
            "H<sub>2</sub>O, x<sup>2</sup>, <kbd>Ctrl</kbd>, <b>bold</b>,<br>next line",
            ("H<sub>2</sub>O", "x<sup>2</sup>", "<kbd>Ctrl</kbd>", "<strong>bold</strong>,<br>next line"),
        ),
        MarkdownExample(
            "All other tags are text.", "<script>x()</script> <b onclick=x()>y</b>", ("&lt;script&gt;", "&lt;b")
        ),
        MarkdownExample(
            "Right-to-left blocks, each by its first letter.",
            "שלום עולם\n\n> مرحبا",
            ('<p dir="auto">שלום', '<blockquote dir="auto">'),
        ),
        MarkdownExample(
            "Footnotes stand where they are written.",
            "Fact.[^1]\n\n[^1]: The source.",
            ("Fact.<sup>1</sup>", '<div class="footnote"><sup>1</sup>'),
        ),
    ],
    "Blocks": [
        MarkdownExample(
            "Headings are sized as text, and stay out of the table of contents.",
            "# Title\n\n#### Small",
            (
                '<h1 class="jp-toc-ignore tocSkip" style="font-size:1.2em;font-weight:bold">Title</h1>',
                'style="font-size:1em;font-weight:bold">Small</h4>',
            ),
        ),
        MarkdownExample(
            "Lists, nested and numbered from any number; task lists have boxes that nothing ticks.",
            "3. three\n   - inner\n4. four\n\n- [x] done\n- [ ] open",
            ('<ol start="3">', "<ul>", "<li>inner</li>", "☑ done", "☐ open"),
        ),
        MarkdownExample(
            "Foldable blocks.",
            "<details>\n<summary>More</summary>\n\n- item\n\n</details>",
            ("<details>", "<summary>More</summary>", "<li>item</li>", "</details>"),
        ),
        MarkdownExample(
            "A foldable block of one line.",
            "<details><summary>More</summary>It is **here**.</details>",
            ("<details>", "<summary>More</summary>", "<p>It is <strong>here</strong>.</p>", "</details>"),
        ),
        MarkdownExample("Quotes.", "> quoted\n> text", ("<blockquote>", "quoted<br>text")),
        MarkdownExample(
            "Alerts of GitHub are quotes with a title.",
            "> [!WARNING]\n> It is *hot*.",
            ("<blockquote>", "<strong>Warning</strong><br>It is <em>hot</em>."),
        ),
        MarkdownExample(
            "Code in the colours of the front end; keywords are bold, comments italic.",
            "```python\nif x:  # why\n    y = 1\n```",
            ("<b>if</b> x:", "<i># why</i>", "y <span>=</span>"),
        ),
        MarkdownExample(
            "A block of Markdown that holds blocks of code stays one block.",
            "```markdown\n# Install\n```bash\npip install x\n```\nThen run it:\n```\nx --help\n```\n```",
            ("<pre>", "pip install x", "Then run it:", "x --help", "</pre>"),
        ),
    ],
    "Tables": [
        MarkdownExample(
            "Columns are aligned as their rule says; by default to the left.",
            "| a | b | c |\n|---|--:|:-:|\n| 1 | 2 | 3 |",
            (f"<td{LEFT}>1</td>", f"<td{RIGHT}>2</td>", f"<td{CENTER}>3</td>"),
        ),
        MarkdownExample(
            "Bars in code and formulas end no cell.",
            "| command | norm |\n|---|---|\n| `ps | grep x` | $\\|v\\|$ |",
            ("<code>ps | grep x</code>", f"{TEX}$\\|v\\|$</span>"),
        ),
        MarkdownExample(
            "A row with more cells than the head loses none.",
            "| one | two |\n|---|---|\n| a | b | c |",
            (f"<td{LEFT}>b | c</td>",),
        ),
        MarkdownExample(
            "Text right below a table is text, though no line between them is empty.",
            "| one | two |\n|---|---|\n| a | b |\nThese are all.",
            ("</table></div>\n<p>These are all.</p>",),
        ),
        MarkdownExample(
            "Breaks within a cell.", "| step |\n|---|\n| open<br>read |", (f"<td{LEFT}>open<br>read</td>",)
        ),
        MarkdownExample(
            "A right-to-left table begins at the right.",
            "| שם | גיל |\n|---|---|\n| דנה | 5 |",
            ('<div class="wide" dir="auto">', f"<td{RIGHT}>דנה</td>"),
        ),
    ],
    "Formulas and money": [
        MarkdownExample(
            "TeX between dollars, `\\(` `\\)`, `\\[` `\\]`, and in environments.",
            "$x^2$ and \\(y\\)\n\n$$\nE = mc^2\n$$\n\n\\begin{align}a &= b\\end{align}",
            (f"{TEX}$x^2$</span>", f"{TEX}\\(y\\)</span>", "E = mc^2", "\\begin{align}"),
        ),
        MarkdownExample(
            "Two dollars at the end of a line close.", "then $$\na + b\n= c$$", (TEX, "a + b", "= c$$</span>")
        ),
        MarkdownExample(
            "Amounts of money and names of variables are text.",
            "It costs $100 (R$ 550), from US$/t to A$/t, 5$/10$; set $HOME/$USER.",
            ("It costs <span>$</span>100 (R<span>$</span> 550)",),
        ),
        MarkdownExample(
            "A formula may hold an amount.", "so $2 \\times 3 = 6$ holds", (f"{TEX}$2 \\times 3 = 6$</span>",)
        ),
        MarkdownExample(
            "An ordinal or a script may stand beside a letter.", "the $n$th atom of CO$_2$", ("$n$</span>th", "CO<span")
        ),
        MarkdownExample(
            "TeX that does more than set mathematics is shown as code.",
            "$\\href{https://example.com}{x}$",
            ('<code class="tex">$\\href{https://example.com}{x}$</code>',),
        ),
    ],
}

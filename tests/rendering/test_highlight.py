"""Highlighting of code: coloured tokens."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.rendering import highlight
from lockbots_magic.rendering.escaping import printed
from lockbots_magic.rendering.frame import style
from lockbots_magic.rendering.highlight import COLOURS, GrowingCode, highlighted


def test_each_kind_of_word_has_its_tag():
    shown = highlighted("def f(): return 'x'  # y", "python")
    assert '<b>def</b> <font color="#47d">f</font>()' in shown
    assert """<font color="#b54">&#x27;x&#x27;</font>  <i># y</i>""" in shown


def test_each_colour_has_its_rule():
    for colour in COLOURS:
        assert f'[color="{colour}"]{{' in style()


@given(st.text(max_size=80), st.sampled_from(["python", "", "nosuch", "html", '"><script>', "c++"]))
def test_highlighting_changes_no_character_and_opens_no_tag(code, language):
    shown = highlighted(code, language)
    assert set(re.findall(r"</?(\w+)", shown)) <= {"span", "b", "i", "font"}
    if not re.search("[\u202a-\u202e\u2066-\u2069]", code):
        assert html.unescape(re.sub(r"</?(span|b|i|font)\b[^>]*>", "", shown)) == code


def test_code_reads_in_the_order_in_which_it_runs():
    assert printed("a\u202eb") == 'a<span class="x">U+202E</span>b'
    assert "\u2066" not in highlighted("x = '\u2066'", "python")


def test_growing_code_is_coloured_seldom_and_shown_whole(monkeypatch):
    coloured = []
    real = highlight.highlighted
    monkeypatch.setattr(
        highlight,
        "highlighted",
        lambda code, language, **how: (coloured.append(len(code)), real(code, language, **how))[1],
    )
    growing, code = GrowingCode(), "".join(f"x{n} = 'a'  # c\n" for n in range(300))
    for end in range(0, len(code), 7):
        shown = growing(code[:end], "python")
        assert html.unescape(re.sub(r"</?(span|b|i|font)\b[^>]*>", "", shown)) == code[:end]
    assert sum(coloured) < 8 * len(code)
    assert '<font color="#b54">' in shown


def test_other_code_is_coloured_again():
    growing = GrowingCode()
    growing("x = 1\n" * 50, "python")
    assert growing("let y", "js") == "let y"


UNFINISHED = [
    ("go", "q := `\nselect 1 for update\nfrom t\n`\nx := 1\n"),
    ("python", 'q = """\nfor x in y: if\n"""\nx = 1\n'),
    ("python", "'''\nif for return\n'''\n"),
    ("javascript", "const q = `\nif (x) return 1\n`;\nx = 1\n"),
    ("csharp", 'var q = @"\nif for return\n";\nint x = 1;\n'),
    ("java", 'String q = """\nif for return\n""";\nint x = 1;\n'),
    ("lua", "q = [[\nif then return\n]]\nx = 1\n"),
    ("lua", "--[[\nif for return\n]]\nx=1\n"),
    ("rust", 'let q = r#"\nif let return\n"#;\nlet x = 1;\n'),
    ("c", "/*\n if for return\n*/\nint x = 1;\n"),
    ("cpp", 'auto q = R"(\nif for return\n)";\nint x = 1;\n'),
    ("css", "/*\n a { color: red }\n*/\nb { top: 1px }\n"),
    ("html", "<!--\n if <b>for</b>\n-->\n<p class='a'>x</p>\n"),
    ("bash", "echo 'if\nfor x\n'; x=1\n"),
    ("bash", "cat <<EOF\nif for x\nEOF\necho 1\n"),
    ("sql", "select 'for\nupdate' from t;\nselect $$\nfor update\n$$;\n"),
    ("php", "<?php\n$x = <<<EOT\nif for return\nEOT;\n$y = 1;\n"),
    ("perl", "my $x = <<'E';\nif for return\nE\nmy $y = 1;\n"),
    ("ruby", "x = <<~EOT\nif for return\nEOT\ny = 1\n"),
    ("kotlin", 'val q = """\nif for return\n"""\n/* if\n for */\nval x = 1\n'),
    ("haskell", "x = {- if\nthen let\n-}\ny = 1\n"),
    ("r", 'q <- "\nif for return\n"\nx <- 1\n'),
    ("toml", 'q = """\ntrue = 1\n"""\nx = 1\n'),
]


def painted(shown):
    """Return the tag around each letter of highlighted code."""
    tags, tag = [], ""
    for part in re.split("(<[^>]*>)", shown):
        if part.startswith("<"):
            tag = "" if part.startswith("</") else part
        else:
            tags += [tag] * len(html.unescape(part))
    return tags


def test_words_of_an_unfinished_string_do_not_flash_in_other_colours():
    for language, code in UNFINISHED:
        last = painted(highlighted(code, language))
        for end in [at + 1 for at, letter in enumerate(code) if letter == "\n"]:
            now = painted(highlighted(code[:end], language, growing=True))
            flashes = [at for at, tag in enumerate(now) if tag not in ("", last[at]) and not code[at].isspace()]
            assert not flashes, (language, code[:end], "".join(code[at] for at in flashes))


def test_an_apostrophe_in_a_comment_leaves_the_rest_in_colour():
    shown = highlighted("x = 1  # isn't it\nif x:\n    return 'a'\n", "python", growing=True)
    assert "<b>return</b>" in shown

import inspect
import re

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.live_output import turn_bundle
from lockbots_magic.rendering.frame import style_sheet
from lockbots_magic.rendering.highlight import highlighted
from lockbots_magic.rendering.used_rules import used_rules

PROSE = "Penguins keep warm by fat and feathers, and by legs that keep their warmth to themselves.\n\n" * 11


def sheet(reply):
    return re.search(r"<style>(.*?)</style>", turn_bundle(Turn("q", reply))["text/html"])[1]


def test_rules_are_left_out_whose_elements_are_not_there():
    css = ".a{top:0;p{left:0}pre{left:1px}}.b{top:1px}.a,.b{top:2px}"
    assert used_rules(css, '<div class="a"><p>x</p></div>') == ".a{top:0;p{left:0}}.a{top:2px}"


def test_a_sheet_holds_what_its_reply_needs():
    plain, code, table = sheet("Hi"), sheet("```python\nif x: pass  # y\n```"), sheet("|a|\n|---|\n|b|")
    assert "contain:paint" in plain
    assert "pre{" not in plain
    assert all(rule in code for rule in ("pre b{", "pre i{", "pre{"))
    assert "#b54" not in code  # it has no string
    assert ".wide table" in table
    assert "pre{" not in table
    assert style_sheet().count("{") > 3 * plain.count("{")


def test_the_output_of_prose_is_small():
    data = turn_bundle(Turn("q", PROSE))
    assert len(data["text/html"]) < 1.35 * len(PROSE)
    assert sum(map(len, data.values())) < 3.3 * len(PROSE)


def test_the_output_of_code_has_few_tags():
    code = inspect.getsource(used_rules)
    data = turn_bundle(Turn("q", f"```python\n{code}\n```"))
    assert len(data["text/html"]) < 1200 + 2.2 * len(code)


def test_a_cell_magic_is_not_coloured_as_python():
    assert "<" not in highlighted("%%chat -m x\nWhy is this not in Python?\n", "python")
    assert "<b>" in highlighted("%chat hi\nimport x\n", "python")

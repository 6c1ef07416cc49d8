"""A notebook of somebody else, which is not trusted: JupyterLab takes style sheets out of its outputs."""

import nbformat
from playwright.sync_api import expect

from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.live_output import turn_bundle
from tests.browser.lab import style

REPLY = """## Heading

| Name | Value | Mid |
|---|--:|:-:|
| words are here | 1 | x |

| שם | גיל |
|---|---|
| דנה | 5 |

- [x] done

```python
def f(x):  # a comment
    return "text"
```

$E = mc^2$
"""


def test_what_an_untrusted_reply_keeps_of_its_look(lab, lab_page):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    data = turn_bundle(Turn("q", REPLY, reasoning="First this."), ["a remark"], foot="a foot line")
    cell = nbformat.v4.new_code_cell("%%chat\nq", outputs=[nbformat.v4.new_output("display_data", data=dict(data))])
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)
    nbformat.write(notebook, lab.notebooks / "untrusted.ipynb")
    shown = lab.show(lab_page, "untrusted.ipynb").cell(0)
    expect(shown.locator("style")).to_have_count(0)
    expect(shown.locator("mjx-container")).to_have_count(1)
    text = float(style(shown.locator("li"), "fontSize").removesuffix("px"))
    heading = shown.locator("h2")
    assert float(style(heading, "fontSize").removesuffix("px")) == round(1.2 * text, 3)
    assert int(style(heading, "fontWeight")) >= 600
    sides = [style(cell, "textAlign") for cell in shown.locator("td").all()]
    assert sides == ["left", "right", "center", "right", "right"]
    assert style(shown.locator("li"), "listStyleType") == "none"
    code = shown.locator("pre code")
    assert int(style(code.locator("b").first, "fontWeight")) >= 600
    assert style(code.locator("i"), "fontStyle") == "italic"
    assert style(code.locator("font").last, "color") != style(code, "color")
    transparent, block = "rgba(0, 0, 0, 0)", shown.locator("pre")
    assert style(block, "backgroundColor") != transparent == style(code, "backgroundColor")
    assert all(
        float(style(block, name).removesuffix("px")) > 5 for name in ("paddingLeft", "paddingTop", "marginBottom")
    )
    for quiet in (".lockbots-notice", ".lockbots-foot", ".lockbots-reasoning"):
        assert float(style(shown.locator(quiet), "opacity")) < 1
        assert float(style(shown.locator(quiet), "fontSize").removesuffix("px")) < text

"""Formulas in a separate cell, which a macro of a reply would change."""

from __future__ import annotations

from tests.browser.lab import Notebook

FORMULAS = (
    r"$\alpha\beta\gamma\delta\epsilon\zeta\eta \sqrt{x} \sin x \lim \frac{1}{2} \text{ok} \color{red}{y} \abs{z}$"
)
"""Formulas that a macro of a reply would change in other cells."""
PROBE = f"from IPython.display import HTML\nHTML(r'<div>{FORMULAS}</div>')"


def formulas_of(notebook: Notebook, index: int) -> str:
    formula = notebook.outputs(index).locator("mjx-math").first
    formula.wait_for()
    return formula.evaluate("math => math.outerHTML")

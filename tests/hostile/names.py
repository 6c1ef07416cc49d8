"""Hostile text outside replies: names of models and conversations, prompts, refusals."""

NAMES = (
    "<img src=x onerror=hurt()>",
    "<script>hurt()</script>",
    "</td></table></div><svg onload=hurt()>",
    '"onmouseover="hurt()',
    "'><style>body{display:none}</style>",
    "&lt;img src=x onerror=hurt()&gt;",
    "[x](javascript:hurt())",
    "![x](http://evil.example/x.png)",
    r"$\href{java&Tab;script:hurt()}{x}$",
    "$\\href{java\tscript:hurt()}{x}$",
    "\\(\\href{java\tscript:hurt()}{x}\\)",
    "\\begin{equation}\\href{java\tscript:hurt()}{x}\\end{equation}",
    r"$\def\alpha{hurt}$ \ref{x}",
    "\x1b]8;;javascript:hurt()\x1b\\x\x1b]8;;\x1b\\ \x1b[31mred",
    "\u202egnp.exe " + "\u0302" * 300,
    '<a data-commandlinker-command="terminal:create-new">x</a>',
    "w" * 3000,
)

LINKED = (
    "javascript://evil.example/%0ahurt()",
    "data:text/html,hurt()",
    "vscode://evil.example/x",
    "file://evil.example/share",
    "www.evil.example/x",
)
"""Text that JupyterLab turns into links wherever it is printed or raised."""

REFUSALS = tuple(f"the model says {words}" for words in (*NAMES, *LINKED))
"""Error messages of a server."""

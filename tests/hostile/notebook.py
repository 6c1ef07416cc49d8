"""Constructs with a meaning in JupyterLab: commands, classes, identifiers, two-step Markdown, diagrams."""

JUPYTER = {
    "command link": '<a data-commandlinker-command="terminal:create-new" href="#">x</a>',
    "command link with arguments": (
        '<button data-commandlinker-command="console:create" data-commandlinker-args=\'{"name":"x"}\'>x</button>'
    ),
    "command link in a title": "[x](https://a.example '\" data-commandlinker-command=\"terminal:create-new')",
    "trust command": '<div data-trust-command="notebook:trust"><a data-commandlinker-command="x">x</a></div>',
    "classes of the shell": '<div class="jp-Dialog jp-mod-fullscreen lm-Widget lm-mod-hidden jp-Spinner">x</div>',
    "attributes of the shell": "<div data-jp-theme-light=false data-id=x data-path=/etc>x</div>",
    "identifiers of headings": "<h1 data-jupyter-id=x id=x>x</h1><a href=#x>y</a>",
    "path for the resolver": '<a data-path="/etc/passwd" data-locator="line=1">x</a>',
    "widget by its model": '<script type="application/vnd.jupyter.widget-view+json">{"model_id":"x"}</script>',
    "bound of an output": '</div></div><div class="jp-OutputArea-child"><div class="jp-OutputArea-output">x',
    "formula in a title": "[x](http://h.example '$\" onmouseover=hurt() \"$')",
    "displayed formula in a title": "[x](http://h.example '$$\" onmouseover=hurt() \"$$')",
    "formula with brackets in a title": "[x](http://h.example '\\\\\\\\(\" onmouseover=hurt() \"\\\\\\\\)')",
    "formula in an image's text": '![$" onerror="hurt()" x="$](http://evil.example/x.png)',
    "formula in an address": '[x](http://h.example/$"onmouseover="hurt()"$)',
    "formula in an info string": '```x$"onmouseover="hurt()$\nx\n```',
    "placeholders in a title": "[x](http://h.example '@@0@@') and $\" onmouseover=hurt() \"$",
    "placeholders by hand": "@@0@@ @@1@@ $x$ [y](@@0@@ '@@1@@') $javascript:hurt()$",
    "placeholder for a scheme": "[x](@@0@@) $javascript:hurt()$ `@@0@@`",
    "tag from two formulas": "$<img src=x$ and $onerror=hurt()>$",
    "tag in a formula": "$<img src=x onerror=hurt()>$ and $$</div><script>hurt()</script>$$",
    "entity in a formula": "$&lt;img src=x onerror=hurt()&gt;$ $&amp;lt;script>$",
    "formula over a code span": "$`$<img src=x onerror=hurt()>`$`",
    "formula over a fence": "$x\n```\n$<img src=x onerror=hurt()>\n```\n",
    "tildes of the placeholder": "~D<img src=x onerror=hurt()>~D ~T~D `x`",
    "environment in a title": "[x](http://h.example '\\begin{a}\" onmouseover=hurt() \"\\end{a}')",
    "bracket eaten by a formula": "[x$](javascript:hurt())$ [y](http://h.example '$') $'\" onmouseover=hurt()",
    "escape eaten by a formula": "$\\$<img src=x onerror=hurt()>$ \\$<img src=x onerror=hurt()>$",
    "alert block": '> [!NOTE]\n> <img src=x onerror=hurt()>\n\n> [!CAUTION]"onclick="hurt()\n> x',
    "heading that names itself": '# x" onclick="hurt()\n\n# jp-main-dock-panel\n\n# hurt',
    "attachment": "![x](attachment:../../api/kernels) [y](attachment:javascript:hurt())",
    "split in the placeholder": ("[x](http://h.example '@@", "0@@') and $\" onmouse", 'over=hurt() "$'),
    "split in a formula's title": ("[x](http://h.example '$", '" onmouseover=hurt() "', "$')"),
}

MERMAID = {
    "link": '```mermaid\nflowchart LR\n  A-->B\n  click A href "javascript:hurt()" "x"\n```',
    "callback": "```mermaid\nflowchart LR\n  A-->B\n  click A call hurt()\n```",
    "level of security": (
        "```mermaid\n%%{init: {'securityLevel': 'loose', 'flowchart': {'htmlLabels': true}}}%%\n"
        'flowchart LR\n  A["<img src=x onerror=hurt()>"]-->B\n```'
    ),
    "style that loads": "```mermaid\nflowchart LR\n  A-->B\n  style A fill:url(http://evil.example/m.svg)\n```",
    "theme that loads": (
        "```mermaid\n%%{init: {'themeCSS': '@import url(http://evil.example/t.css); * {position: fixed}'}}%%\n"
        "flowchart LR\n  A-->B\n```"
    ),
    "font that loads": (
        "```mermaid\n%%{init: {'fontFamily': 'x;} * {background: url(http://evil.example/f.png)} y {a:b'}}%%\n"
        "flowchart LR\n  A-->B\n```"
    ),
    "image": '```mermaid\nflowchart LR\n  A@{ img: "http://evil.example/i.png", label: "x", w: 60, h: 60 }\n```',
    "image in a label": "```mermaid\nflowchart LR\n  A[\"<img src='http://evil.example/l.png'>\"]-->B\n```",
    "image in a markdown label": '```mermaid\nflowchart LR\n  A["`![x](http://evil.example/k.png)`"]-->B\n```',
    "icon": "```mermaid\narchitecture-beta\n  service a(http://evil.example/i.svg)[A]\n```",
}

r"""Tells formulas from TeX that does more than set mathematics. Pure.

The front end sets formulas after the reply was sanitised. MathJax 3.2.2, which JupyterLab 4.6 loads with its "safe"
extension on, then lets `\unicode[x;position:fixed]{1}` and `\mmlToken` write any CSS, `\mmlToken{mglyph}[src=…]` and
`\style{cursor:url(…)}` fetch from any server, `\href` make links, and `\def`, `\let`, `\definecolor` or `\require`
change all formulas of the page until it is loaded anew. In an export to LaTeX, `\input` reads files. So a formula may
use the commands below and no others: that stays right when MathJax or KaTeX learn new ones. A formula with a command
that is missing here is shown as code; add the command once it is known to set mathematics only, in LaTeX as well.
"""

from __future__ import annotations

import re

LONGEST = 4000
"""Characters. MathJax blocks the page for about 0.1 ms for each."""
DEEPEST = 12
"""Groups in groups. A tab of Chromium crashes at 80 boxes or 100 fractions; arrows take twice the time at each."""
MOST_SWITCHES = 60
"""Changes of style, size or colour: each nests all that follows. 380 crash the tab."""

_TOKEN = re.compile(r"\\([A-Za-z]+|.|\Z)|\^\^|[{}%\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", re.DOTALL)
_GROUP = re.compile(
    r"(\{|\\left(?![A-Za-z]))|(\}|\\right(?![A-Za-z])|\\end\s*\{[^{}]*\})|\\begin\s*\{([^{}]*)\}|\\.", re.DOTALL
)
_ENVIRONMENT = re.compile(r"\s*(\{[A-Za-z]+\*?\})")
_SWITCH = re.compile(r"\\(?:[a-z]+style|color|[tT]iny|scriptsize|small|normalsize|[lL]arge|LARGE|[hH]uge)(?![A-Za-z])")
_LABEL = re.compile(r"\\label\s*\{[^{}]*\}|(\\.)", re.DOTALL)

_PART = r"[.,]\d+"
_LENGTH = rf"\s*-?(?:(?:\d\d?(?:{_PART})?|{_PART})\s*(?:mu|pt|px|mm)|(?:\d(?:{_PART})?|{_PART})\s*(?:em|ex|cm))\s*"
_COLOUR = r"\s*(?:\[[A-Za-z]+\]\s*)?\{[\w#.,!\s-]*\}"
_ARGUMENT = {
    # A rule of 9999em makes a cell that nobody can scroll past.
    **dict.fromkeys(("hspace", "mspace"), rf"\s*\{{{_LENGTH}\}}"),
    "rule": rf"\s*(?:\[{_LENGTH}\]\s*)?\{{{_LENGTH}\}}\s*\{{{_LENGTH}\}}",
    "\\": rf"(?!\*?\[)|\*?\[{_LENGTH}\]",
    **dict.fromkeys(("hskip", "kern", "mskip", "mkern"), _LENGTH),
    # `\fcolorbox{red;cursor:url(…)}` is CSS.
    **dict.fromkeys(("color", "textcolor", "colorbox", "cellcolor", "rowcolor", "columncolor"), _COLOUR),
    "fcolorbox": _COLOUR * 2,
    # As many columns as it says are made at once.
    **dict.fromkeys(("{alignat}", "{alignat*}", "{alignedat}"), r"\s*(?:\[[tcb]\]\s*)?\{\s*\d\s*\}"),
    "pmb": r"\s*(?:\{[^{}]*\}|\\?[A-Za-z])",  # sets its argument three times
    "enclose": r"\s*\{[a-z,\s]*\}\s*\{",  # without attributes
    "require": r"\s*\{\s*(?:cancel|enclose|mhchem)\s*\}",  # in JupyterLab these are there anyway
    "label": r"\s*\{[\w:. -]*\}",
}
_ARGUMENTS = {name: re.compile(pattern) for name, pattern in _ARGUMENT.items()}
"""What must follow some commands and, in braces, some environments."""

_NAMES = {
    "letters and signs": """
        aleph beth gimel daleth hbar hslash imath jmath ell wp Re Im partial infty prime backprime emptyset varnothing
        nabla top bot angle measuredangle sphericalangle triangle triangledown forall neg lnot flat natural sharp
        clubsuit diamondsuit heartsuit spadesuit surd digamma varkappa Bbbk complement eth Finv Game mho Box square
        blacksquare Diamond lozenge blacklozenge blacktriangle blacktriangledown bigstar circledS circledR yen
        checkmark maltese degree ohm celsius micro perthousand S P AA dag ddag dagger ddagger copyright pounds euro
        TeX LaTeX R N Z Q C
    """,
    "large operators, functions": """
        sum prod coprod int iint iiint iiiint idotsint oint oiint oiiint bigcap bigcup bigvee bigwedge biguplus
        bigsqcup bigotimes bigoplus bigodot bigtimes arccos arcsin arctan arccot arg argmax argmin cos cosh cot coth
        csc deg det dim exp gcd hom inf injlim ker lg lim liminf limsup ln log max min Pr projlim sec sin sinh sup tan
        tanh tg ctg cotg arctg arcctg sh ch th cth varinjlim varliminf varlimsup varprojlim operatorname limits
        nolimits bmod pmod mod pod
    """,
    "binary operators": """
        pm mp times div cdot ast star circ bigcirc bullet oplus ominus otimes oslash odot cap cup Cap Cup sqcap sqcup
        uplus amalg wedge vee land lor barwedge veebar doublebarwedge curlywedge curlyvee diamond wr setminus
        smallsetminus dotplus ltimes rtimes leftthreetimes rightthreetimes boxplus boxminus boxtimes boxdot
        circleddash circledast circledcirc centerdot divideontimes intercal bigtriangleup bigtriangledown lhd rhd
        unlhd unrhd
    """,
    "relations": """
        le ge lt gt ne neq equiv simeq approx propto asymp doteq ll gg lll ggg sqsubset sqsupset sqsubseteq sqsupseteq
        in ni owns notin perp dashv models smile frown bowtie Join colon vcentcolon coloneqq coloneq eqqcolon eqcolon
        dblcolon eqslantless eqslantgtr lesssim gtrsim lessapprox gtrapprox approxeq lessdot gtrdot lessgtr gtrless
        lesseqgtr gtreqless lesseqqgtr gtreqqless Doteq eqcirc circeq risingdotseq fallingdotseq triangleq backsim
        backsimeq thicksim thickapprox Subset Supset preccurlyeq succcurlyeq curlyeqprec curlyeqsucc precsim succsim
        precapprox succapprox vartriangleleft vartriangleright Vvdash smallsmile smallfrown bumpeq Bumpeq between
        pitchfork varpropto backepsilon blacktriangleleft blacktriangleright therefore because eqsim vartriangle lneq
        gneq lneqq gneqq lvertneqq gvertneqq lnsim gnsim lnapprox gnapprox precneqq succneqq precnsim succnsim
        precnapprox succnapprox subsetneq supsetneq subsetneqq supsetneqq varsubsetneq varsupsetneq varsubsetneqq
        varsupsetneqq not iff implies impliedby
    """,
    "arrows that are not in pairs": """
        to gets uparrow downarrow updownarrow Uparrow Downarrow Updownarrow mapsto longmapsto xmapsto nearrow searrow
        swarrow nwarrow leftleftarrows rightrightarrows leftrightarrows rightleftarrows upuparrows downdownarrows
        Lleftarrow Rrightarrow leftarrowtail rightarrowtail looparrowleft looparrowright curvearrowleft
        curvearrowright circlearrowleft circlearrowright Lsh Rsh upharpoonleft upharpoonright downharpoonleft
        downharpoonright restriction multimap leftrightsquigarrow rightsquigarrow leadsto leftrightharpoons
        rightleftharpoons xleftrightharpoons xrightleftharpoons xlongequal xtofrom
    """,
    "fences, dots, spaces": """
        left right middle big Big bigg Bigg bigl Bigl biggl Biggl bigr Bigr biggr Biggr bigm Bigm biggm Biggm lbrace
        rbrace lbrack rbrack langle rangle lceil rceil lfloor rfloor vert Vert lvert rvert lVert rVert lgroup rgroup
        lmoustache rmoustache ulcorner urcorner llcorner lrcorner lparen rparen backslash dots ldots cdots vdots ddots
        dotsc dotsb dotsm dotsi dotso ldotp cdotp quad qquad enspace space thinspace negthinspace medspace negmedspace
        thickspace negthickspace strut mathstrut hfill hline hdashline cr newline
    """,
    "structures": """
        frac tfrac dfrac cfrac binom tbinom dbinom over atop choose brace brack sqrt root of overset underset stackrel
        buildrel sideset prescript substack overline underline overbrace underbrace overparen underparen hat widehat
        tilde widetilde bar vec dot ddot dddot ddddot acute grave breve check mathring boxed fbox cancel bcancel
        xcancel cancelto phantom hphantom vphantom smash llap rlap clap mathllap mathrlap mathclap cramped matrix
        pmatrix cases eqalign displaylines mathop mathbin mathrel mathord mathopen mathclose mathpunct mathinner tag
        notag nonumber adjustlimits splitfrac splitdfrac text mbox hbox emph boldsymbol bm Bbb rm it bf sf tt cal frak
        scr displaystyle textstyle scriptstyle scriptscriptstyle tiny Tiny scriptsize small normalsize large Large
        LARGE huge Huge AxiomC UnaryInfC BinaryInfC TrinaryInfC RightLabel LeftLabel noLine
    """,
    "mhchem, braket, physics; signs in text": """
        ce pu bond bra ket braket ketbra Bra Ket Braket Ketbra set Set qty pqty bqty vqty Bqty abs norm eval order
        comm acomm pb vb va vu grad curl laplacian vdot cross dd dv pdv fdv tr Tr rank erf Res pv PV qq qc qif qthen
        qand qor ip op dyad ev expval mel mqty pmqty bmqty vmqty mdet pmat dmat admat flatfrac textasciitilde
        textasciicircum textbackslash textunderscore textless textgreater textbar textbraceleft textbraceright
        textbullet textdegree textmu textellipsis textendash textemdash
    """,
    "environments": """
        {equation} {equation*} {eqnarray} {eqnarray*} {align} {align*} {alignat} {alignat*} {gather} {gather*}
        {multline} {multline*} {flalign} {flalign*} {aligned} {alignedat} {gathered} {split} {array} {subarray}
        {matrix} {pmatrix} {bmatrix} {Bmatrix} {vmatrix} {Vmatrix} {matrix*} {pmatrix*} {bmatrix*} {Bmatrix*}
        {vmatrix*} {Vmatrix*} {smallmatrix} {psmallmatrix} {bsmallmatrix} {cases} {cases*} {dcases} {dcases*} {rcases}
        {drcases} {numcases} {subnumcases} {CD} {prooftree}
    """,
}
_GREEK = """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi
    psi omega Alpha Beta Gamma Delta Epsilon Zeta Eta Theta Iota Kappa Lambda Mu Nu Xi Pi Rho Sigma Tau Upsilon Phi
    Chi Psi Omega
"""
_RELATIONS = """
    leq geq less gtr leqq geqq leqslant geqslant prec succ preceq succeq sim cong mid parallel shortmid shortparallel
    subset supset subseteq supseteq subseteqq supseteqq vdash vDash Vdash VDash triangleleft triangleright
    trianglelefteq trianglerighteq exists
"""
_FONTS = "rm up normal it bf bb frak scr sf tt cal bfit bfup bfsf bfcal bffrak bfscr sfit md sc ds bbm"
_SIDES = ("left", "right", "leftright", "Left", "Right", "Leftright")
_COMMANDS = frozenset(
    " ".join(_NAMES.values()).split()
).union(
    " \t\n,;:!>|/.-+*'\"`^~=@{}()[]<$%&#_",  # names of one character that is no letter
    (before + name for name in _GREEK.split() for before in ("", "var", "up")),
    (before + name for name in _FONTS.split() for before in ("math", "text", "sym")),
    (before + name for name in _RELATIONS.split() for before in ("", "n")),
    (f"{before}{side}arrow" for side in _SIDES for before in ("", "x", "n", "long", "Long", "over", "under", "dash")),
    (f"{before}{side}arrow" for side in _SIDES[:2] for before in ("hook", "xhook", "twohead", "xtwohead")),
    (f"{before}{side}harpoon{end}" for side in _SIDES[:2] for before in ("", "x") for end in ("up", "down")),
    _ARGUMENT,
)


def harmless(formula: str) -> bool:
    """Whether `formula` (with or without its delimiters) is nothing but a formula: it sets mathematics, at small cost.

    It styles, links, loads and defines nothing, and hides nothing in a comment. What is not harmless is to be shown as
    text that no front end takes for TeX.
    """
    return (
        len(formula) <= LONGEST
        and len(_SWITCH.findall(formula)) <= MOST_SWITCHES
        and all(_is_known(token, formula) for token in _TOKEN.finditer(formula))
        and _is_nested(formula)
    )


def unlabelled(formula: str) -> str:
    r"""Return `formula` without its `\label`s, which reach beyond it.

    MathJax keeps them for the whole page: a second formula with the same label is an error, and so is the same formula
    when a growing reply is drawn again. A space takes their place, so that no two names become one.
    """
    return _LABEL.sub(lambda match: match[1] or " ", formula)


def _is_known(token: re.Match[str], formula: str) -> bool:
    """Whether a command or an environment may be used, with what follows it."""
    name, end = token[1], token.end()
    if name is None:
        return token[0] in "{}"
    if name in ("begin", "end") and (environment := _ENVIRONMENT.match(formula, end)):
        name, end = environment[1], environment.end()
    argument = _ARGUMENTS.get(name) if token[1] != "end" else None
    return name in _COMMANDS and (argument is None or argument.match(formula, end) is not None)


def _is_nested(formula: str) -> bool:
    """Whether all groups end as they began: where one does not, MathJax seeks its end in the text that follows."""
    ends: list[str] = []
    for opened, closed, environment in _GROUP.findall(formula):
        if closed and (not ends or "".join(closed.split()) != ends.pop()):
            return False
        if opened or environment:
            ends.append(f"\\end{{{environment}}}" if environment else "}" if opened == "{" else "\\right")
        if len(ends) > DEEPEST:
            return False
    return not ends

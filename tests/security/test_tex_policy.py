r"""TeX policy: which formulas are harmless.

What the refused commands do was seen in JupyterLab 4.6.6 and, for `\input` and the like, in what nbconvert and pandoc
make of a notebook.
"""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockbots_magic.security import tex_policy
from lockbots_magic.security.tex_policy import allowed_names, is_harmless, unlabelled

FORMULAS = [
    # algebra and analysis
    r"$x$",
    r"$x_{1,2} = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}$",
    r"\(e^{i\pi} + 1 = 0\)",
    r"$$\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}$$",
    r"\[\sum_{n=1}^{\infty} \frac{1}{n^2} = \frac{\pi^2}{6}\]",
    r"$$\lim_{x \to 0} \frac{\sin x}{x} = 1, \quad \lim\limits_{n\to\infty}\left(1+\tfrac1n\right)^n = \mathrm{e}$$",
    r"$f'(x) = \lim_{h\to 0}\dfrac{f(x+h)-f(x)}{h}$, ",
    r"$$\oint_{\gamma} f(z)\,\mathrm{d}z = 2\pi \mathrm{i} \sum_k \operatorname{Res}_{z=a_k} f(z)$$",
    r"$\sqrt[3]{1+\sqrt[n]{2}}$ and $a \bmod n$, $x \equiv y \pmod{7}$",
    r"$\left\lfloor \frac{n}{2} \right\rfloor + \lceil x \rceil$",
    r"$\left.\frac{\partial f}{\partial x}\right|_{x=0}$",
    r"$$f(x) = \begin{cases} x^2, & \text{if } x \geq 0, \\[4pt] -x, & \text{otherwise.} \end{cases}$$",
    r"$\binom{n}{k} = \frac{n!}{k!\,(n-k)!}$ or ${n \choose k}$",
    r"$1 + \cfrac{1}{1 + \cfrac{1}{1 + \cfrac{1}{1 + \cdots}}}$",
    r"$a \over b$",
    r"$\prod_{\substack{1 \le i \le n \\ i \ne j}} (x - x_i)$",
    r"$|x| \leqslant \varepsilon \Longrightarrow \exists!\,\delta > 0\colon \forall y\; \|y\| < \delta$",
    r"$\underbrace{a + \dots + a}_{n\text{ times}} \overset{\text{def}}{=} na$",
    r"$\overline{z} = \bar z,\ \widehat{f*g} = \hat f \cdot \hat g,\ \vec{v} \perp \vec{w},\ \ddot{x} = -\omega^2 x$",
    r"$$\begin{aligned} (a+b)^2 &= a^2 + 2ab + b^2 \\ &\ge 4ab \end{aligned}$$",
    "$$\n\\begin{align*}\n  \\nabla \\cdot \\mathbf{E} &= \\frac{\\rho}{\\epsilon_0} \\\\\n  E &= 0\n\\end{align*}\n$$",
    r"$$\begin{equation} E = mc^2 \tag{1} \label{eq:energy} \end{equation}$$",
    r"$$\begin{alignat}{2} x &+ y &&= 1 \\ x & &&= 0 \end{alignat}$$",
    r"$$\begin{gather} a = b \notag \\ c = d \nonumber \end{gather}$$",
    r"$$\boxed{x = 42}$$",
    r"$3\frac{1}{2} = 3{,}5$; 50\,\% of \$100",
    r"$f\colon A \to B,\ x \mapsto x^2,\ A \hookrightarrow B,\ A \twoheadrightarrow C$",
    # linear algebra
    r"$$\begin{pmatrix}a_{11} & \cdots & a_{1n} \\ \vdots & \ddots & \vdots \\ a_{m1} & \cdots & a_{mn}\end{pmatrix}$$",
    r"$\det\begin{vmatrix} a & b \\ c & d \end{vmatrix} = ad - bc$",
    r"$\bigl(\begin{smallmatrix}1&0\\0&1\end{smallmatrix}\bigr)$",
    r"$$\left[\begin{array}{cc|c} 1 & 0 & 3 \\ \hline 0 & 1 & 4 \end{array}\right]$$",
    r"$\mathbf{A}^{\mathsf{T}}\mathbf{A}\hat{\boldsymbol\beta} = \mathbf{A}^\top \mathbf{y},\ \bm{x} \in \mathbb{R}^n$",
    r"$\operatorname{rank} A = \dim \operatorname{im} A,\ \operatorname*{arg\,max}_x f(x),\ \argmin_\theta L$",
    r"$\lVert x \rVert_2 = \sqrt{\langle x, x \rangle}$",
    # sets, logic, categories
    r"$A \cup B \subseteq C \setminus D,\ \varnothing \notin \mathcal{P}(X),\ |\aleph_0| < \mathfrak{c}$",
    r"$\neg (p \land q) \iff \neg p \lor \neg q,\ \Gamma \vdash \varphi \models \psi$",
    r"$$\begin{CD} A @>f>> B \\ @VgVV @VVhV \\ C @>>k> D \end{CD}$$",
    r"$\begin{prooftree} \AxiomC{$A$} \AxiomC{$A \to B$} \BinaryInfC{$B$} \end{prooftree}$",
    r"$\left\{ x \in \mathbb{Z} \,\middle|\, x \equiv 1 \pmod 2 \right\},\ \set{x | x > 0}$",
    # probability, statistics, machine learning
    r"$X \sim \mathcal{N}(\mu, \sigma^2),\ \Pr(A \mid B) = \frac{\Pr(B \mid A)\Pr(A)}{\Pr(B)}$",
    r"$\mathbb{E}[X] = \int x\,\mathrm{d}P,\ \operatorname{Var}(X),\ X \perp\!\!\!\perp Y,\ X_n \xrightarrow{d} X$",
    r"$\mathrm{softmax}(z)_i = \frac{e^{z_i}}{\sum_{j=1}^{K} e^{z_j}}$",
    r"$$\text{Attention}(Q,K,V) = \text{softmax}\!\left(\frac{QK^T}{\sqrt{d_k}}\right)V$$",
    r"$\mathcal{L} = -\frac1N \sum_i \left[y_i \log \hat{y}_i + (1-y_i)\log(1-\hat{y}_i)\right]$",
    r"$D_{\mathrm{KL}}(P \,\|\, Q),\ \theta_{t+1} \gets \theta_t - \eta \nabla_\theta J(\theta_t)$",
    r"$O(n \log n),\ T(n) = 2T(\lfloor n/2 \rfloor) + \Theta(n),\ 1 \ll n$",
    # physics
    r"$$i\hbar \frac{\partial}{\partial t} \Psi(\mathbf{r}, t) = \hat{H} \Psi(\mathbf{r}, t)$$",
    r"$\langle \psi | \hat{A} | \psi \rangle,\ \ket{\psi} = \alpha\ket{0} + \beta\ket{1},\ \braket{\phi | \psi}$",
    r"$\dv{x}{t},\ \pdv[2]{f}{x},\ \qty(\frac12),\ \abs{x},\ \norm{v},\ \comm{x}{p},\ \vb{E},\ \dd{x},\ \tr\rho$",
    r"$R_{\mu\nu} - \tfrac{1}{2} R g_{\mu\nu} + \Lambda g_{\mu\nu} = \frac{8\pi G}{c^4} T_{\mu\nu}$",
    r"$\oiint_{S} \mathbf{E} \cdot d\mathbf{S},\ \iiint_V \rho\,dV,\ \ell = 3\,\mathrm{km},\ 25\,^\circ\mathrm{C}$",
    r"$\gamma^\mu \partial_\mu \psi,\ \not{p},\ \require{cancel}\cancelto{0}{x},\ \enclose{horizontalstrike}{x}$",
    r"$\sideset{_a^b}{_c^d}\prod,\ {}^{14}_{6}\mathrm{C} \to {}^{14}_{7}\mathrm{N} + \mathrm{e}^- + \bar\nu_e$",
    # chemistry
    r"$\ce{2H2 + O2 -> 2H2O}$",
    r"$\ce{SO4^2- + Ba^2+ <=> BaSO4 v}$",
    r"$$\ce{CH3COOH + C2H5OH <=>[\ce{H2SO4}][t^\circ] CH3COOC2H5 + H2O} \quad \Delta H = \pu{-4.5 kJ//mol}$$",
    r"$\mathrm{CO_2} \xrightarrow[\text{kat.}]{400\,^\circ\mathrm{C}} \text{product}$",
    # colour, size, space
    r"$\color{red}{x} + {\color{#00f} y} + \textcolor{blue}{z} + \color[rgb]{1,0,0.5} w$",
    r"$\colorbox{yellow}{$x$} + \fcolorbox{red}{white}{$y$}$",
    r"$\displaystyle\sum_i a_i \textstyle \scriptstyle {\Large x}\ {\small y}$",
    r"$a \quad b\qquad c\hspace{1cm}d \hspace{-2pt} e \kern-3pt f \mkern 4mu g\phantom{x}\rule{0pt}{2.5ex}\rlap{x}$",
    r"$\pmb{v} + \pmb\alpha + {\bf w} + {\rm const} + {\cal F}$",
    # with words in Cyrillic
    r"$v_{\text{ср}} = \frac{s}{t} = 60\,\text{км/ч}$",
    r"$$f(x) = \begin{cases} 1, & \text{если } x > 0 \\ 0, & \text{иначе} \end{cases}$$",
    r"$\tg\alpha = \frac{\sin\alpha}{\cos\alpha},\ \arctg x,\ \operatorname{ctg} x,\ \sh x$",
    r"$S_{\triangle ABC} = \frac12 ab\sin\gamma,\ \angle A = 30^\circ,\ AB \parallel CD$",
    r"$$\underbrace{1 + 2 + \ldots + n}_{\text{арифметическая прогрессия}} = \frac{n(n+1)}{2} \text{ — Гаусс}$$",
    r"$\text{Ответ: } x \in (-\infty;\,2] \cup [3;\,+\infty)$",
    r"$E_{\text{к}} = \frac{mv^2}{2}, \text{где } m \text{ — масса, а $v$ — скорость}$",
    r"$\mathrm{НОД}(a, b) \cdot \mathrm{НОК}(a, b) = ab$",
]

LINKS = [
    r"\href{https://example.org}{x}",
    "\\href{java\nscript:hurt()}{x}",
    r"\url{https://example.org}",
    r"\ref{a}",
    r"\eqref{a}",
]
LOOKS = [
    r"\style{position:fixed}{x}",
    r"\class{jp-Dialog}{x}",
    r"\cssId{main}{x}",
    r"\data{x=1}{y}",
    r"\unicode[x;position:fixed;background:url(http://evil.example)]{x41}",
    r"\unicode{60}",
    r"\bbox[background-image:url(http://evil.example)]{x}",
    r"\mmlToken{mi}[fontfamily='x;position:fixed']{x}",
    r"\enclose{box}[mathcolor='red']{x}",
    r"\enclose{box\href{x}}{x}",
    r"\color{red;position:fixed}{x}",
    r"\color{var(--x)}{x}",
    r"\colorbox{url(http://evil.example)}{x}",
    r"\fcolorbox{red;cursor:url(http://evil.example)}{white}{x}",
    r"\fcolorbox{red}{white;x:y}{x}",
    r"\textcolor[rgb;x]{red}{x}",
    r"\htmlClass{x}{y}",
    r"\htmlStyle{x:y}{z}",
    r"\mathtip{x}{y}",
    r"\texttip{x}{y}",
    r"\toggle{x}{y}\endtoggle",
]
LOADS = [
    r"\mmlToken{mglyph}[src='http://evil.example']{}",
    r"\includegraphics{http://evil.example/x.png}",
    r"\require{physics}",
    r"\require{../../x}",
    r"\input{/etc/passwd}",
    r"\include x",
    r"\openin5=/etc/passwd",
    r"\read5 to\x",
    r"\immediate\write18{id}",
    r"\special{x}",
    r"\font\x=cmr10",
    r"\begin{verbatiminput}{/etc/passwd}\end{verbatiminput}",
    r"\begin{input}\end{input}",
]
DEFINITIONS = [
    r"\def\alpha{x}",
    r"\gdef\alpha{x}",
    r"\let\alpha\beta",
    r"\newcommand{\x}{y}",
    r"\renewcommand\frac[2]{x}",
    r"\providecommand{\x}{y}",
    r"\newenvironment{x}{}{}",
    r"\renewenvironment{pmatrix}{x}{}",
    r"\DeclareMathOperator{\sin}{x}",
    r"\DeclarePairedDelimiter{\abs}{x}{y}",
    r"\definecolor{red}{RGB}{0,255,0}",
    r"\Newextarrow{\x}{5,5}{8594}",
    r"\mathtoolsset{centercolon}",
    r"\setOptions{x=y}",
    r"\newtagform{x}{<}{>}",
    r"\usetagform{x}",
    r"\csname href\endcsname{x}{y}",
    r"\catcode`\@=11",
    r"\begin{equation}\def\x{y}\end{equation}",
    r"\text{$\def\x{y}$}",
]
DISGUISES = [
    r"^^5chref{x}{y}",
    r"\ali^^67n",
    "\\href%\n{x}{y}",
    "x % a comment\n",
    "\\href \n {x}{y}",
    "\\\nhref\\href{x}{y}",
    r"\\\href{x}{y}",
    r"\hrefы{x}{y}",
    r"\char`\\x",
    "\\\N{FULLWIDTH REVERSE SOLIDUS}href",
    "\\α",
    "x\x00y",
    r"\begin {href}{x}\end{href}",
    r"\begin{align",
    r"\begin{\href{x}{y}}",
]
SIZES = [
    r"\rule{9999em}{9999em}",
    r"\rule{1em}{100px}",
    r"\rule[999em]{1em}{1em}",
    r"\rule{\textwidth}{1em}",
    r"\hspace{9999em}",
    r"\hspace*{-100pt}",
    r"\kern-999pt x",
    r"\mskip 999mu",
    r"x\\[999em]y",
    r"x\\*[99em]y",
    r"\raise9em{x}",
    r"\lower9em{x}",
    r"\raisebox{9em}{x}",
    r"\moveleft9em{x}",
    r"\skew{9999}{\hat}x",
    r"\sqrt[\uproot{9999}3]{x}",
    r"x\above500pt y",
    r"\genfrac(){9999pt}0{x}{y}",
    r"\begin{alignat}{999999999}x\end{alignat}",
    r"\imat{9999}",
    r"\pmb{\pmb{\pmb{x}}}",
]
UNBALANCED = [
    r"a{",
    r"a}",
    r"}{",
    r"\left(x",
    r"x\right)",
    r"{\left(}\right)",
    r"\begin{cases}x",
    r"x\end{cases}",
    r"\begin{cases}x\end{matrix}",
    r"\begin{cases}{\end{cases}}",
]
REFUSED = [*LINKS, *LOOKS, *LOADS, *DEFINITIONS, *DISGUISES, *SIZES, *UNBALANCED]
OTHERS = """
    Rule Space raise lower moveright uproot leftroot above abovewithdelims overwithdelims genfrac mathmakebox framebox
    minCDarrowwidth minCDarrowheight centercolon MTThinColon alwaysRootAtTop verb htmlId htmlData global long edef xdef
    futurelet expandafter endcsname string scantokens lowercase everymath jobname newread newwrite closeout usepackage
    documentclass makeatletter directlua shipout output begingroup bgroup char mathchardef underbracket centernot
    mathchoice renewtagform DeclareMathSymbol NewDocumentCommand InputIfFileExists VerbatimInput tikz loop
    lstinputlisting
"""
HARMFUL_NAMES = sorted(
    {*re.findall(r"\\([A-Za-z]+)", "".join([*LINKS, *LOOKS, *LOADS, *DEFINITIONS])), *OTHERS.split()}
    - {*allowed_names(), "begin", "end"}
)
"""Of MathJax 3 and 2, KaTeX and LaTeX."""


@pytest.mark.parametrize("formula", FORMULAS)
def test_ordinary_formula_is_harmless(formula):
    assert is_harmless(formula)


def test_delimiters_make_no_difference():
    bare = r"\frac{a}{b}"
    assert all(is_harmless(f) for f in (bare, f"${bare}$", f"$${bare}$$", f"\\({bare}\\)", f"\\[{bare}\\]"))
    assert not any(is_harmless(f) for f in (r"\href{x}{y}", r"$\href{x}{y}$", r"\[\href{x}{y}\]"))


@pytest.mark.parametrize("formula", REFUSED)
def test_formula_that_does_more_than_set_mathematics_is_refused(formula):
    assert not is_harmless(formula)
    assert not is_harmless(f"$$x + {formula}$$")


def test_many_names_are_tried():
    assert len(HARMFUL_NAMES) > 50
    assert {"href", "style", "unicode", "mmlToken", "def", "input"} <= set(HARMFUL_NAMES)


@pytest.mark.parametrize("name", ["hrefs", "textt", "inputs", "aleph2", "Frac", "FRAC"])
def test_unknown_command_is_refused(name):
    assert not is_harmless(f"\\{name.rstrip('2')}x{{y}}")


def test_escaped_sign_is_not_a_comment_or_group():
    assert is_harmless(r"100\,\% \{ \_ \$ \& \#")
    assert not is_harmless("100%")


def test_line_break_before_letters_is_not_a_command():
    assert is_harmless(r"a \\href b")


def test_length_of_a_formula_is_bounded():
    longest = "x+" * (tex_policy.MAX_FORMULA // 2)
    assert is_harmless(longest)
    assert not is_harmless(longest + "x")


@pytest.mark.parametrize(
    ("opens", "closes"),
    [("{", "}"), (r"\left(", r"\right)"), (r"\begin{matrix}", r"\end{matrix}"), (r"\frac{1}{", "}")],
)
def test_depth_of_groups_is_bounded(opens, closes):
    assert is_harmless(opens * tex_policy.MAX_DEPTH + "x" + closes * tex_policy.MAX_DEPTH)
    assert not is_harmless(opens * (tex_policy.MAX_DEPTH + 1) + "x" + closes * (tex_policy.MAX_DEPTH + 1))


def test_groups_of_all_kinds_count_as_depth():
    assert not is_harmless(r"{\left(\begin{matrix}" * 5 + "x" + r"\end{matrix}\right)}" * 5)


@pytest.mark.parametrize("switch", [r"\displaystyle", r"\Huge", r"\color{red}"])
def test_number_of_style_switches_is_bounded(switch):
    assert is_harmless(f"{switch} x" * tex_policy.MAX_SWITCHES)
    assert not is_harmless(f"{switch} x" * (tex_policy.MAX_SWITCHES + 1))


def test_label_is_removed_and_the_formula_stays():
    assert unlabelled(r"x \label{eq:1} \tag{1}") == r"x   \tag{1}"
    assert unlabelled(r"\begin{align}a&=b\label{a}\\c&=d\label{b}\end{align}") == (
        r"\begin{align}a&=b \\c&=d \end{align}"
    )
    assert unlabelled("x") == "x"


def test_no_command_is_made_where_a_label_was():
    assert unlabelled(r"\in\label{x}put{/etc/passwd}") == r"\in put{/etc/passwd}"
    assert unlabelled(r"\\label{x}href{y}") == r"\\label{x}href{y}"


_pieces = st.lists(
    st.sampled_from(
        [
            *("\\\\", "\\left(", "\\right)", "\\begin{cases}", "\\end{cases}", "\\label{x}", "\\in", "\\frac", "\\["),
            *("\\rule{1em}{1em}", "\\hspace", "{1em}", "href", "put", "x", "1", "ы", "\\text{"),
            *"\\{}$%&#^_~ []()'\n",
        ]
    )
).map("".join)


@given(st.one_of(st.text(), _pieces))
def test_it_never_raises(text):
    assert is_harmless(text) in (True, False)
    assert isinstance(unlabelled(text), str)


@given(st.data(), st.sampled_from(FORMULAS), st.sampled_from(HARMFUL_NAMES))
def test_harmful_command_is_found_at_any_position(data, formula, name):
    at = data.draw(st.sampled_from([m.start() for m in re.finditer(r"(?<!\\)", formula)] + [len(formula)]))
    after = data.draw(st.sampled_from(["{", " {", "\n{", "[", "\\", "1", " "]))
    assert not is_harmless(f"{formula[:at]}\\{name}{after}{formula[at:]}")


@given(st.text(string.ascii_letters, min_size=1))
def test_only_names_that_are_listed_pass(name):
    assert is_harmless(f"\\{name} ") is (
        name in allowed_names() and name not in (*tex_policy._ARGUMENT, "left", "right")
    )


@given(_pieces)
def test_harmless_formula_has_closed_groups(text):
    if is_harmless(text):
        commands = re.findall(r"\\([A-Za-z]+|.)", text, re.DOTALL)
        plain = re.sub(r"\\.", "", text, flags=re.DOTALL)
        assert plain.count("{") == plain.count("}")
        assert commands.count("begin") == commands.count("end")
        assert commands.count("left") == commands.count("right")


@given(_pieces)
def test_a_formula_stays_harmless_without_its_labels(text):
    if is_harmless(text):
        assert is_harmless(unlabelled(text))


@given(_pieces, _pieces)
def test_two_harmless_formulas_side_by_side_are_harmless(one, other):
    if is_harmless(one) and is_harmless(other):
        assert is_harmless(f"{one} {other}")

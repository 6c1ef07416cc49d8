"""Texts in the code that are not in the catalogue: all string literals that read like words for people.

Code of any kind is left out by its look: markup, SQL, command lines, patterns, names of threads, and what is compared.
What else stays in English is listed in ``untranslated.txt``, each kind with its reason.
"""

import ast
import functools
import re
from pathlib import Path

MARKERS = {"_", "N_", "ngettext", "N_forms", "pgettext"}
CODE = re.compile(r"re\.\w+|late_pattern|(?i:\w*parameters)|__doc__|[A-Z_]*SQL")
"""Names of what takes patterns, and of descriptions of parameters of providers, which the documentation shows."""
SHOWN = re.compile(r"Table|\w*Result|warn|print|input|getpass|set_\w*(?:label|title)|_?remark")
"""Names of what shows its arguments: there, one word is a text, too."""
VALUE = "{}"
"""Stands for the values of an f-string."""
PLURAL = "{}s"
"""Stands for an expression that adds the English plural."""
_WORD = r"[^\W\d_]{2,}"
_PROSE = re.compile(rf"{_WORD}['’\"”»]?[,;:.)]? [('\"“«]?(?:{_WORD}|\{{\}})|\{{\}}['\"”»]?[,;:.)]? [('\"“«]?{_WORD}")
"""Two words, or one beside a value."""
_CODE = re.compile(
    r"""
    <!--.*?-->|<style.*?</style>|</?[a-z!][^<>]*(?:>|$)|^[^<>]*['"]>  # markup, also a part of a tag
    |(?<![%\w])%%?[a-z_]+(?:[ ][\w@{}.=-]+)*  # a magic
    |`[^`]*`                                   # a span of code
    |(?<![\w-])--[a-z-]+(?:[ ]\{\})?           # an option
    |[\w-]+:[ ]?[^;:{}]*;|\b(?:font|text)-[a-z]+:[ ][a-z]+  # a style
    |^\[[^\]]*(?:\]|$)                         # "[image 1]" stands for something in a prompt
    """,
    re.VERBOSE | re.DOTALL,
)
_SQL = re.compile(r"\s*(?:SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|BEGIN|DROP|VACUUM|ATTACH)\b")
_THREAD = re.compile(r"lockbots(?: [a-z]+)+")
_PATTERN = re.compile(r"\(\?[P:!<=a-z]|\\[bwd]|\.\*")
_SCRIPT_STRING = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"((?:[^"\\\n]|\\.)*)"|'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`""", re.DOTALL
)
_LABEL = re.compile(r"""\b(?:title|placeholder|alt|textContent|innerText|label|"aria-label")\s*[:=]\s*\Z""")
"""What a word is shown by, if it stands before it."""
_CLASSES = re.compile(r"(?:lb|lockbots)(?:[ -]|$)")


def in_module(source, known=()):
    """Yield (line, text) of what is in no call of the catalogue.

    Args:
        source: A module in Python.
        known: Texts that the catalogue has, though they are no argument of `_`, such as help of options.
    """
    tree = _parse(source)
    skipped, shown = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and SHOWN.fullmatch(_name(node.func)):
            shown.update(id(part) for one in node.args for part in (getattr(one, "elts", None) or [one]))
        if _is_skipped(node):
            skipped.update(map(id, ast.walk(node)))
        annotation = getattr(node, "annotation", None) or getattr(node, "returns", None)
        skipped.update(map(id, ast.walk(annotation)) if annotation else ())
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and id(node) not in skipped:
            values = [part for part in node.values if isinstance(part, ast.FormattedValue)]
            skipped.update(id(part) for part in node.values if isinstance(part, ast.Constant))
            skipped.update(id(part) for value in values if value.format_spec for part in ast.walk(value.format_spec))
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
        elif isinstance(node, ast.IfExp | ast.BinOp) and id(node) not in skipped and _is_plural(node):
            text = PLURAL
        else:
            continue
        if text not in known and (text == PLURAL or is_prose(text) or (id(node) in shown and is_word(text))):
            yield node.lineno, text


def marked(source):
    """Yield (line, text) of what is an argument of `_` and its like, also within f-strings."""
    for node in ast.walk(_parse(source)):
        if isinstance(node, ast.Call) and _name(node.func) in MARKERS:
            literals = [one for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            is_in_context = _name(node.func) == "pgettext"
            yield from ((one.lineno, one.value) for one in literals[is_in_context:])


_NUMBER = re.compile(r",|,?\.(?!0f)[^%]*[fg%]|,?g")
"""Formats of numbers with separators; after ``.0f`` there is none."""


def formatted_numbers(source):
    """Yield (line, text) of numbers that an f-string formats with the separators of English."""
    for node in ast.walk(_parse(source)):
        if isinstance(node, ast.FormattedValue) and isinstance(node.format_spec, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "n" for part in node.format_spec.values)
            if _NUMBER.fullmatch("".join(map(str, parts))) and node.conversion == -1:
                yield node.lineno, ast.unparse(ast.JoinedStr([node])).removeprefix("f")[1:-1]


@functools.cache
def _parse(source):
    return ast.parse(source)


def _name(function):
    """Return the last name of what is called."""
    return getattr(function, "id", getattr(function, "attr", ""))


def _is_skipped(node):
    """Whether nothing in a part of the syntax tree is shown: docstrings, patterns, comparisons; or it is translated."""
    if isinstance(node, ast.Call):
        place = getattr(getattr(node.func, "value", None), "id", "")
        name = _name(node.func)
        return name in MARKERS or CODE.fullmatch(f"{place}.{name}" if place else name) is not None
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(CODE.fullmatch(getattr(one, "id", getattr(one, "attr", ""))) for one in targets)
    return isinstance(node, ast.Compare) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_plural(node):
    """Whether an expression adds the English plural: ``"s" * (n != 1)``, ``"" if n == 1 else "s"``."""
    either = (node.body, node.orelse) if isinstance(node, ast.IfExp) else ()
    both = (node.left, node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) else ()
    return any(isinstance(one, ast.Constant) and one.value == "s" for one in (*either, *both))


def is_prose(text):
    """Whether a text has words for people."""
    return _PROSE.search(_without_code(text)) is not None


def is_word(text):
    """Whether a text has a word beside code."""
    return re.search(r"[A-Za-z]{3}", _without_code(text)) is not None


def _without_code(text):
    is_code = _SQL.match(text) or _THREAD.fullmatch(text) or _PATTERN.search(text)
    return "" if is_code else _CODE.sub(" ", text)


def in_script(source):
    """Yield (line, text) of what a module in JavaScript shows without `t(key)`."""
    for match in _SCRIPT_STRING.finditer(source):
        text = next(filter(None, match.groups()), "")
        is_label = _LABEL.search(source, 0, match.start()) and re.search("[A-Za-z]{2}", text)
        text = re.sub(r"\$\{[^}]*\}", VALUE, text)
        if not _CLASSES.match(text) and (is_label or is_prose(text)):
            yield source.count("\n", 0, match.start()) + 1, text


def read_exempt():
    """Return what stays in English: the name of a file, and a text, ``*``, or the beginning of a text with ``...``."""
    lines = Path(__file__).with_suffix(".txt").read_text("utf-8").splitlines()
    pairs = (line.split(": ", 1) for line in lines if line and not line.startswith("#"))
    return [(name, text.replace("\\n", "\n")) for name, text in pairs]


def fits(exempt, name, text):
    """Whether a text of a file is one that `read_exempt` tells."""
    file, pattern = exempt
    is_begin = pattern.endswith("...") and text.startswith(pattern[:-3])
    return file == name and (pattern in ("*", text) or is_begin)

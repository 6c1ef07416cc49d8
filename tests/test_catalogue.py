"""The catalogue has every text that users read, in every language: ``make catalogue``."""

import ast
import re

import pytest

from lockbots_magic import errors
from lockbots_magic.language import FOLDER, SOURCE, available_languages, catalogue, plural_forms
from tests import catalogue as tool

LANGUAGES = [code for code in available_languages() if code != SOURCE]
ONLY_PROGRAMMERS = ("__init__.py", "testing")
"""What their errors say is about the use of Python, or for tests: in English."""
TO_THE_MODEL = ("event_loops/coroutines.py",)
"""Files whose errors are results of tools: what a model reads stays in English."""
ERRORS = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, BaseException)}


@pytest.fixture(scope="module")
def extracted():
    return tool.extract()


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_is_translated_and_none_is_obsolete(extracted, code):
    found = tool.update(FOLDER / f"{code}.po", extracted)
    assert list(tool.problems(found)) == []
    obsolete = {key(message) for message in tool.read(FOLDER / f"{code}.po")} - {key(message) for message in found}
    assert obsolete == set(), "run `make catalogue`"


@pytest.mark.parametrize("code", LANGUAGES)
def test_compiled_file_is_the_same_as_its_source(code):
    compiled = catalogue(code)
    for message in tool.read(FOLDER / f"{code}.po"):
        if isinstance(message.id, tuple):
            singular, plural = message.id
            numbers = [plural_forms(code).index(str(form)) for form in range(len(message.string))]
            forms = tuple(compiled.ngettext(singular, plural, n) for n in numbers)
            assert forms == message.string, "run `make catalogue`"
        elif message.id:
            text = compiled.pgettext(message.context, message.id) if message.context else compiled.gettext(message.id)
            assert text == message.string, "run `make catalogue`"


def key(message):
    return message.id, message.context


def is_text(node):
    """Whether an expression is a text with words that was written in the code."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    words = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return re.search(r"[a-z].* |^ .*[a-z]", "".join(words)) is not None


def test_no_error_is_raised_with_a_text_that_is_not_in_the_catalogue():
    bare = []
    for path in FOLDER.parent.rglob("*.py"):
        name = path.relative_to(FOLDER.parent)
        if name.parts[0] in ONLY_PROGRAMMERS or name.as_posix() in TO_THE_MODEL:
            continue
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        for call in calls:
            kind = getattr(call.func, "id", getattr(call.func, "attr", ""))
            is_pythons = kind in ("AttributeError", "FrozenInstanceError")  # in the words that Python has for it
            if (kind in ERRORS or kind.endswith("Error")) and not is_pythons and call.args and is_text(call.args[0]):
                bare.append(f"{name}:{call.lineno}")
    assert bare == []


def test_problems_are_listed():
    texts = tool.Catalog(locale="ru")
    for message, translation in (
        ("a {name}", "{имя}"),
        ("b", ""),
        (("{n} c", "{n} cs"), ("одно", "{n}", "{n}")),
        ("d {n}", "{n}"),
        ("{ ", "e"),
    ):
        texts.add(message, translation)
    assert list(tool.problems(texts)) == ["other placeholders: '{имя}' for 'a {name}'", "not translated: 'b'"]

"""The language of texts."""

import re
import threading

import pytest

from lockbots_magic.language import (
    _,
    available_languages,
    choose_language,
    current_language,
    environment_language,
    format_number,
    match_language,
    ngettext,
    pgettext,
    plural_forms,
    speaking,
)


@pytest.fixture(autouse=True)
def _own_choice():
    yield
    choose_language("auto")


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru"}, "ru"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "en_GB.UTF-8"}, "en"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": ""}, "ru"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "ru"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LANGUAGE": "en:ru"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:ru:en"}, "ru"),
        ({"LANG": "C", "LANGUAGE": "ru"}, "en"),
        ({"LANGUAGE": "ru"}, "ru"),
        ({"LC_CTYPE": "ru_RU.UTF-8"}, "en"),
    ],
)
def test_environment_chooses_by_the_rules_of_gettext(monkeypatch, environment, language):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert environment_language() == current_language() == language


def test_language_that_was_set_comes_before_the_environment_in_every_thread(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "en")
    choose_language("ru")
    found = []
    thread = threading.Thread(target=lambda: found.append(current_language()))
    thread.start()
    thread.join()
    with speaking("en"):
        found.append(current_language())
        with speaking(""):
            found.append(current_language())
    assert [*found, current_language()] == ["ru", "en", "en", "ru"]
    choose_language("auto")
    assert current_language() == "en"
    with pytest.raises(ValueError, match="xx"):
        choose_language("xx")


def test_tags_of_a_browser_are_matched_too():
    assert match_language(["de-AT", "ru-RU", "en"]) == "ru"
    assert match_language(["en-US", "ru"]) == "en"
    assert match_language(["de"]) == match_language([]) == ""


def test_plural_forms_placeholders_and_separators():
    english = [ngettext("{n} turn", "{n} turns", n) for n in (1, 2, 5, 21)]
    with speaking("ru"):
        russian = [ngettext("{n} turn", "{n} turns", n) for n in (1, 2, 5, 11, 21, 22)]
        assert _("x {a:,} {b:.1f} {c!r}", a=12345, b=1.5, c=1.5) == "x 12\u202f345 1,5 1.5"
        assert (
            _("x {a}: {b}", a="No such file or directory", b="No such thing")
            == "x нет такого файла или папки: No such thing"
        )
        assert [format_number(12345), format_number(1.25, ".1f")] == ["12\u202f345", "1,2"]
        assert _("") == ""
        assert _("{not a placeholder") == "{not a placeholder"
        assert pgettext("nowhere", "same") == "same"
    assert _("x {a:,} {b:.1f} {c!r}", a=12345, b=1.5, c="{d}") == "x 12,345 1.5 '{d}'"
    assert english == ["1 turn", "2 turns", "5 turns", "21 turns"]
    assert russian == ["1 реплика", "2 реплики", "5 реплик", "11 реплик", "21 реплика", "22 реплики"]


def test_number_in_code_is_as_a_program_writes_it():
    with speaking("ru"):
        assert _("{a:g} s: `--wait {a:g}`, {a}, `x={b:,}` or {b:,}", a=2.5, b=12345) == (
            "2,5 s: `--wait 2.5`, 2,5, `x=12,345` or 12\u202f345"
        )
        assert _("To wait longer: `%lockbots set silence_timeout {longer:g}`", longer=0.5).endswith(" 0.5`")
        assert [format_number(0.38, "g"), format_number(1e-7, "g"), _("x {a}", a=True)] == ["0,38", "1e-07", "x True"]


@pytest.mark.parametrize("code", available_languages())
def test_plural_rule_depends_on_the_last_two_digits_of_large_numbers(code):
    forms = plural_forms(code)
    assert re.fullmatch(r"\d{200}", forms)
    if code == "ru":
        assert [forms[n] for n in (1, 2, 5, 11, 21, 101, 111, 112)] == ["0", "1", "2", "2", "0", "0", "2", "2"]

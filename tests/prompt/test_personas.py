"""System prompts by name."""

import base64

import pytest

from lockbots_magic.errors import UsageError
from lockbots_magic.prompt.personas import list_personas, resolve_persona
from lockbots_magic.prompt.template import make_evaluator

CONFIG = {
    "terse": "Be brief.",
    "translator": "Translate into {{ language }}, {{ tone }}.",
    "counter": "There are {{ len(rows) }} rows, of {{ [row for row in rows if row > least] }}",
}


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "personas"
    place.mkdir()
    (place / "reviewer.md").write_text("Review {{ language }}.\n", "utf-8")
    (place / "poet.txt").write_text("\ufeffИ в рифму.", "utf-8")
    (place / "picture.png").write_bytes(b"\x89PNG")
    (place / ".hidden.md").write_text("x", "utf-8")
    return place


def made(reference, folders=(), config=CONFIG, **variables):
    return resolve_persona(reference, config, folders, make_evaluator(variables))


def test_one_of_the_configuration_is_found_by_name():
    assert made("@terse") == "Be brief."


def test_one_in_a_file_is_found_by_name(folder):
    assert made("@reviewer language=Python", [folder]) == "Review Python."
    assert made("@poet", [folder]) == "И в рифму."


def test_the_configuration_goes_before_files_and_the_first_folder_before_others(folder, tmp_path):
    (tmp_path / "reviewer.txt").write_text("Other.", "utf-8")
    assert made("@reviewer", [tmp_path, folder]) == "Other."
    assert made("@reviewer", [folder], {"reviewer": "Mine."}) == "Mine."


def test_one_is_found_by_its_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for reference in ("@personas/poet.txt", "@./personas/poet.txt", f"@{folder.as_posix()}/poet.txt", "@~/poet.txt"):
        assert made(reference) == "И в рифму."
    with pytest.raises(UsageError, match=r"File not found: personas/poe\.txt\. Did you mean personas.poet\.txt\?"):
        made("@personas/poe.txt")


def test_its_parameters_go_before_the_variables_of_the_notebook():
    assert made("@translator language=French tone='very kind'", tone="rude") == "Translate into French, very kind."
    assert made("@translator language=French", tone="rude") == "Translate into French, rude."


def test_a_parameter_is_known_in_every_part_of_an_expression():
    assert made("@counter rows=[1,2,3] least=1") == "There are 3 rows, of [2, 3]"


def test_the_value_of_a_parameter_is_not_read_again():
    assert made("@terse", config={"terse": "{{ x }}"}, x="{{ y }}") == "{{ y }}"
    assert made('@terse x="{{ y }}"', config={"terse": "{{ x }}"}) == "{{ y }}"


def test_a_missing_parameter_is_an_error_that_shows_how_to_give_it():
    with pytest.raises(
        UsageError, match=r'Persona @translator: Missing parameter tone\. Pass it: `--system "@translator tone=\.\.\."`'
    ):
        made("@translator language=French")


def test_a_name_that_is_missing_elsewhere_is_no_parameter():
    def fail():
        return undefined_here  # noqa: F821  # that is what is tested

    with pytest.raises(UsageError, match=r"@a: \{\{ fail\(\) \}\} failed: NameError"):
        made("@a", config={"a": "{{ fail() }}"}, fail=fail)


def test_a_parameter_that_it_does_not_have_is_an_error():
    with pytest.raises(UsageError, match=r"Persona @terse: Unknown parameter: it contains no \{\{ language \}\}"):
        made("@terse language=French")


@pytest.mark.parametrize("pair", ["French", "=French", "a.b=1", "class=1", "1a=2"])
def test_what_is_no_parameter_is_an_error(pair):
    with pytest.raises(UsageError, match="name=value"):
        made(f"@translator {pair}")


def test_braces_that_hold_no_expression_are_an_error():
    with pytest.raises(UsageError, match=r"Persona @a: \{\{ b c \}\} is not a Python expression"):
        made("@a", config={"a": "{{ b c }}"})


def test_an_unknown_one_is_an_error_that_names_one_like_it(folder):
    with pytest.raises(UsageError, match=r"Unknown persona @reviewr\. Did you mean @reviewer\?"):
        made("@reviewr", [folder])
    with pytest.raises(UsageError, match=r"Available: @counter, @poet, @reviewer, @terse, @translator"):
        made("@zzzzzz", [folder])
    with pytest.raises(UsageError, match=r"Unknown persona @x\. Save one as personas/NAME\.md beside the notebook\."):
        made("@x", config={})


@pytest.mark.parametrize("name", ["..", ".hidden", "", "a*", "reviewer\0"])
def test_no_odd_name_leads_anywhere(folder, name):
    with pytest.raises(UsageError, match="Unknown persona"):
        made(f"@{name}", [folder, folder / "sub"])


def test_a_picture_has_no_place_in_one():
    class FrameLoop:
        def _repr_png_(self):
            return base64.b64decode("iVBORw0KGgo=")

    with pytest.raises(UsageError, match="@a: a system prompt cannot contain images"):
        made("@a", config={"a": "{{ x }}"}, x=FrameLoop())


def test_all_names_are_told(folder, tmp_path):
    assert list_personas(CONFIG, [folder, tmp_path / "nowhere"]) == [
        "counter",
        "poet",
        "reviewer",
        "terse",
        "translator",
    ]
    assert list_personas({}, []) == []

"""Personas: named system prompts with parameters."""

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


def test_persona_of_the_configuration_is_found_by_name():
    assert made("@terse") == "Be brief."


def test_persona_in_a_file_is_found_by_name(folder):
    assert made("@reviewer language=Python", [folder]) == "Review Python."
    assert made("@poet", [folder]) == "И в рифму."


def test_configuration_overrides_files_and_earlier_folders_later_ones(folder, tmp_path):
    (tmp_path / "reviewer.txt").write_text("Other.", "utf-8")
    assert made("@reviewer", [tmp_path, folder]) == "Other."
    assert made("@reviewer", [folder], {"reviewer": "Mine."}) == "Mine."


def test_markdown_file_of_a_persona_goes_before_a_text_file_beside_it(tmp_path):
    (tmp_path / "twin.txt").write_text("Text.", "utf-8")
    assert made("@twin", [tmp_path]) == "Text."
    (tmp_path / "twin.md").write_text("Markdown.", "utf-8")
    assert made("@twin", [tmp_path]) == "Markdown."


def test_persona_is_found_by_its_path(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    for reference in ("@personas/poet.txt", "@./personas/poet.txt", f"@{folder.as_posix()}/poet.txt", "@~/poet.txt"):
        assert made(reference) == "И в рифму."
    with pytest.raises(UsageError, match=r"File not found: personas/poe\.txt\. Did you mean personas.poet\.txt\?"):
        made("@personas/poe.txt")


def test_parameters_override_variables_of_the_notebook():
    assert made("@translator language=French tone='very kind'", tone="rude") == "Translate into French, very kind."
    assert made("@translator language=French", tone="rude") == "Translate into French, rude."


def test_parameter_is_visible_in_every_part_of_an_expression():
    assert made("@counter rows=[1,2,3] least=1") == "There are 3 rows, of [2, 3]"


def test_value_of_a_parameter_is_not_expanded_again():
    assert made("@terse", config={"terse": "{{ x }}"}, x="{{ y }}") == "{{ y }}"
    assert made('@terse x="{{ y }}"', config={"terse": "{{ x }}"}) == "{{ y }}"


def test_missing_parameter_is_an_error_that_shows_how_to_pass_it():
    with pytest.raises(
        UsageError, match=r'Persona @translator: Missing parameter tone\. Pass it: `--system "@translator tone=\.\.\."`'
    ):
        made("@translator language=French")


def test_name_missing_in_a_function_is_not_a_parameter():
    def fail():
        return undefined_here  # type: ignore[name-defined]  # noqa: F821  # that is what is tested

    with pytest.raises(UsageError, match=r"@a: \{\{ fail\(\) \}\} failed: NameError"):
        made("@a", config={"a": "{{ fail() }}"}, fail=fail)


def test_unknown_parameter_is_an_error():
    with pytest.raises(UsageError, match=r"Persona @terse: Unknown parameter: it contains no \{\{ language \}\}"):
        made("@terse language=French")


@pytest.mark.parametrize("pair", ["French", "=French", "a.b=1", "class=1", "1a=2"])
def test_invalid_parameter_is_an_error(pair):
    with pytest.raises(UsageError, match="name=value"):
        made(f"@translator {pair}")


def test_invalid_expression_in_a_persona_is_an_error():
    with pytest.raises(UsageError, match=r"Persona @a: \{\{ b c \}\} is not a Python expression"):
        made("@a", config={"a": "{{ b c }}"})


def test_unknown_persona_is_an_error_that_suggests_a_similar_one(folder):
    with pytest.raises(UsageError, match=r"Unknown persona @reviewr\. Did you mean @reviewer\?"):
        made("@reviewr", [folder])
    with pytest.raises(UsageError, match=r"Available: @counter, @poet, @reviewer, @terse, @translator"):
        made("@zzzzzz", [folder])
    with pytest.raises(UsageError, match=r"Unknown persona @x\. Save one as personas/NAME\.md beside the notebook\."):
        made("@x", config={})


@pytest.mark.parametrize("name", ["..", ".hidden", "", "a*", "reviewer\0"])
def test_malformed_names_find_no_file(folder, name):
    with pytest.raises(UsageError, match="Unknown persona"):
        made(f"@{name}", [folder, folder / "sub"])


def test_image_in_a_persona_is_an_error():
    class FrameLoop:
        def _repr_png_(self):
            return base64.b64decode("iVBORw0KGgo=")

    with pytest.raises(UsageError, match="@a: a system prompt cannot contain images"):
        made("@a", config={"a": "{{ x }}"}, x=FrameLoop())


def test_all_personas_are_listed(folder, tmp_path):
    assert list_personas(CONFIG, [folder, tmp_path / "nowhere"]) == [
        "counter",
        "poet",
        "reviewer",
        "terse",
        "translator",
    ]
    assert list_personas({}, []) == []

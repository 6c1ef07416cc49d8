"""No text for people is outside the catalogue: what stays in English is in ``untranslated.txt``, with its reason."""

import pytest

from lockbots_magic.language import FOLDER
from tests import catalogue, untranslated

PACKAGE = FOLDER.parent


@pytest.fixture(scope="module")
def known():
    """Texts that the catalogue has."""
    ids = (message.id for message in catalogue.extract())
    return {text for one in ids for text in (one if isinstance(one, tuple) else (one,))}


def test_every_text_for_people_is_in_the_catalogue(known):
    exempt = untranslated.read_exempt()
    found, used = [], set()
    for path in sorted((*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.js"))):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith("testing/"):  # for the tests of programmers
            continue
        source = path.read_text("utf-8")
        is_script = path.suffix == ".js"
        texts = untranslated.in_script(source) if is_script else untranslated.in_module(source, known)
        for line, text in texts:
            reasons = [one for one in exempt if untranslated.fits(one, name, text)]
            used.update(reasons)
            found += [] if reasons else [f"{name}:{line}: {text!r}"]
    assert found == [], "put them into `_()`, or into tests/untranslated.txt"
    assert sorted(set(exempt) - used) == [], "nothing fits these lines of tests/untranslated.txt"


def test_every_argument_of_the_catalogue_is_in_it(known):
    """The extractor does not look into f-strings."""
    lost = [
        f"{path.name}:{line}: {text!r}"
        for path in PACKAGE.rglob("*.py")
        for line, text in untranslated.marked(path.read_text("utf-8"))
        if text not in known
    ]
    assert lost == [], "extract the call from the f-string"


def test_no_number_for_people_has_the_separators_of_english_only():
    found = [
        f"{path.relative_to(PACKAGE).as_posix()}:{line}: {text}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, text in untranslated.formatted_numbers(path.read_text("utf-8"))
    ]
    exempt = [line for line in found if line.startswith(TO_MODELS)]
    assert sorted(set(found) - set(exempt)) == [], "pass the number to `_`, or use `format_number`"


TO_MODELS = ("prompt/", "testing/", "tools/mcp/results.py", "providers/parameters.py", "providers/dialects/messages.py")
"""What these say with a number is for a model, or repeats an option."""


PLANTED = '''
def show():
    """Return a text."""
    if text == "the same words":
        raise UsageError(_("Say it in {words}.", words=re.sub("any two", "", text)))
    return TextResult({code})
'''


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"Nothing was found."', ["Nothing was found."]),
        ('f"{n} turns"', ["{} turns"]),
        ('_("Found {n}.", n=n) + " in all"', [" in all"]),
        ('f"only the first {n:,d} rows" + _("Found.")', ["only the first {} rows"]),
        ("f\"<b class='a b'>{_('Found.')}</b>\"", []),
        ("f\"<b class='a b'>not found</b>\"", ["<b class='a b'>not found</b>"]),
        ('warn("It is late.") or print("Run `%lockbots stop` now, please.")', 2),
        ('"%lockbots log open " + name', []),
        ('"Done"', ["Done"]),
        ("f\"{kind}, {n} {noun}{'' if n == 1 else 's'}\"", ["{}s"]),
        ('Table(("model", _("reply"), "%lockbots use"), rows)', ["model"]),
        ('"SELECT one FROM two"', []),
        ('"in the catalogue"', []),
    ],
)
def test_planted_text_is_found(code, found):
    source = PLANTED.replace("{code}", code)
    texts = [text for _line, text in untranslated.in_module(source, {"in the catalogue"})]
    assert (len(texts) if isinstance(found, int) else texts) == found


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('f"{x:,}"', ["{x:,}"]),
        ('f"{x:.1f} s"', ["{x:.1f}"]),
        ('f"{x:g}"', ["{x:g}"]),
        ('f"{x:.{digits}g}"', ["{x:.{digits}g}"]),
        ('f"{x:.0f} {x:02} {x:<9} {x:%Y-%m} {x!r:.40}"', []),
        ('_("{x:,}", x=x)', []),
        ("format_number(x, f',.{digits}f')", []),
    ],
)
def test_planted_number_is_found(code, found):
    assert [text for _line, text in untranslated.formatted_numbers(code)] == found


def test_planted_text_of_the_panel_is_found():
    source = """
      // Say hello to the user.
      button.title = "Stop"; const root = h("div", { class: "lb-turn lb-user wide", title: t("stop") });
      label.textContent = `Sent ${n} files`; root.append("Please wait."); if (event.key === "Enter") send();
    """
    assert sorted({text for _line, text in untranslated.in_script(source)}) == ["Please wait.", "Sent {} files", "Stop"]

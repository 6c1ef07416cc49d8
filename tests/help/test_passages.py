"""The sentences that answer a question, out of the right page."""

from lockbots_magic.help.meanings import meanings_of
from lockbots_magic.help.passages import _load_weights, derive_sentence_features, rank_sentences
from lockbots_magic.help.ranking import Ranked
from lockbots_magic.help.sections import parse_sections
from lockbots_magic.help.short_answer import short_answer
from lockbots_magic.help.words import split_words

PAGE = """
## Boxes
keywords: box

A box holds your things. Make one with the line below. It is empty at first.

```python
%box new
```

Things in a box are kept when the kernel restarts. They are stored in `~/boxes/main.txt`.

- A box takes at most 40 things.
- A box costs nothing.
- To close a box, run `%box close`.
- In Python, `Box("name")` makes one.
- To take a thing out again, name it:

```python
%box take hat
```

Boxes were first made of wood, and later of paper, tin and plastic, which few people liked, as it is said. A box of
paper is light. A box of tin is heavy. A box of plastic is neither. A box of wood is dear to those who still have one.
"""
SECTION = parse_sections(PAGE)[0]
PAGES = [Ranked(1.0, SECTION)]


def best(question):
    return next(one.text for _likely, one in rank_sentences(question, SECTION, "en", is_shown=True))


def test_sentence_is_found_by_its_meaning_and_by_the_kind_of_answer_asked_for():
    for question, told in {
        "do they get lost after a reboot?": "are kept",
        "where do they lie?": "~/boxes",
        "how many?": "at most 40",
        "is it free": "costs nothing",
        "and in a script?": 'Box("name")',
        "turn it off": "%box close",
    }.items():
        assert told in best(question), question


def test_words_of_one_meaning_are_of_either_language():
    for one, other in (
        ("lost", "потеряется"),
        ("at once", "несколько"),
        ("by itself", "автоматически"),
        ("cost", "цена"),
    ):
        assert meanings_of(split_words(one)) & meanings_of(split_words(other)), one
    assert not meanings_of(["xyzzy"])


def test_probabilities_add_up_to_one_and_every_feature_has_a_weight():
    ranked = rank_sentences("how many?", SECTION, "en")
    assert abs(sum(likely for likely, _one in ranked) - 1) < 1e-9
    for row in derive_sentence_features("how many?", SECTION, "en").values():
        assert row.keys() == _load_weights().keys()


def test_sentence_that_begins_with_a_pronoun_follows_the_one_before():
    text = short_answer("where is that file", PAGES, "en", shown=SECTION.page[:9])
    assert "Things in a box are kept when the kernel restarts. They are stored in" in text


def test_sentence_that_leads_to_code_is_followed_by_it():
    text = short_answer("how do I take a thing out again", PAGES, "en", shown=SECTION.page[:9])
    assert text.index("name it:") < text.index("%box take hat")


def test_first_answer_holds_the_beginning_and_a_later_one_need_not():
    assert "A box holds your things." in short_answer("is that free of charge?", PAGES, "en")
    later = short_answer("is that free of charge?", PAGES, "en", shown=SECTION.page[:9])
    assert "A box holds your things." not in later


def test_it_says_that_the_page_tells_nothing_of_it_only_where_no_sentence_may():
    for question, is_said in (
        ("how tall is the eiffel tower", True),
        ("does that get vanished", False),
        ("and 3.13?", False),
        ("rebooting?", False),
    ):
        text = short_answer(question, PAGES, "en", shown=SECTION.page[:9])
        assert ("says nothing of that" in text) is is_said, question


def test_code_told_before_is_told_again_to_who_asks_what_to_type():
    shown = short_answer("box", PAGES, "en")
    assert "%box new" in shown
    assert "%box" in short_answer("give me an example", PAGES, "en", shown=shown)


def test_the_first_page_answers_however_unlikely_it_is():
    assert "A box costs nothing." in short_answer("is it free", [Ranked(0.01, SECTION)], "en")

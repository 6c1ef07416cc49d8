import pytest

from lockbots_magic.help import reading, search, words
from lockbots_magic.help.classifier import STAYS, UNRELATED, load_classifier
from lockbots_magic.help.ranking import rank_sections
from lockbots_magic.help.sections import (
    Section,
    detect_language,
    list_titles,
    load_sections,
    parse_sections,
    read_data,
)
from lockbots_magic.help.topic import find_topic, rank_pages
from lockbots_magic.help.words import tokenize

from .questions import ENGLISH, RUSSIAN
from .questions import UNRELATED as OTHER_QUESTIONS

NARROW = {"Lockchat", "llama.cpp"}
"""Russian sections that only an English name finds."""


def best(question, earlier=""):
    language = detect_language(question)
    topic = find_topic([earlier] if earlier else [], language)
    section = rank_pages(question, topic)[0].section
    return section.title if section else None


@pytest.mark.parametrize("questions", [ENGLISH, RUSSIAN], ids=["english", "russian"])
def test_questions_in_own_words_find_their_section(questions):
    found = {question: (title, best(question)) for title, row in questions.items() for question in row}
    assert {question: pair for question, pair in found.items() if pair[0] != pair[1]} == {}


def test_questions_about_something_else_find_nothing():
    assert {question: best(question) for question in OTHER_QUESTIONS if best(question)} == {}


def test_question_that_names_something_of_this_package_is_answered_though_other_words_are_unknown():
    assert best("how do I merge two conversations")
    assert best("how do I merge two data sets") is None


def test_every_section_is_found_by_some_question():
    assert list(ENGLISH) == list_titles("en")
    assert set(list_titles("ru")) - set(RUSSIAN) == NARROW


def test_russian_word_endings_do_not_matter():
    for word in ("беседа", "беседы", "беседу", "беседами", "БЕСЕДЕ"):
        assert tokenize(word) == tokenize("беседой"), word


def test_russian_verbs_of_both_aspects_and_their_nouns_are_one_word():
    for family in (
        "остановить останавливать остановка остановлен остановит",
        "отправить отправлять отправка отправлю отправим",
        "спросить спрашивать спрашиваю",
        "загрузить загружать загрузка загружен",
        "искать ищет ищу",
        "ячейка ячеек",
    ):
        assert len({tuple(tokenize(word)) for word in family.split()}) == 1, family


def test_russian_words_that_only_look_alike_stay_apart():
    for one, other in (
        ("перед", "передать"),
        ("зависит", "зависает"),
        ("строка", "строить"),
        ("разметка", "разметить"),
    ):
        assert tokenize(one) != tokenize(other), one


@pytest.mark.once  # stems differ a little from version to version of snowballstemmer
def test_table_of_stems_is_that_of_the_rules_and_holds_the_words_of_the_help():
    """It makes the first answer quick; `docs/stems.py` writes it."""
    stems, synonyms = words._load_stems()
    assert synonyms == words.derive_synonyms()
    assert {word: words.derive_stem(word) for word in stems} == stems
    said = " ".join(
        " ".join((page.title, *page.keywords, page.body)) for code in ("en", "ru") for page in load_sections(code)
    )
    missing = {word for word in words.significant_words(said) if word[0].isalnum()} - stems.keys()
    assert len(missing) <= 0.03 * len(stems), missing


def test_every_question_in_few_words_is_of_a_page():
    for code in ("en", "ru"):
        titles = [line.split(" :: ")[0] for line in read_data(f"asked_{code}.txt").splitlines()]
        assert sorted(titles) == sorted(list_titles(code))


def test_weights_know_every_page_and_find_it_for_the_questions_that_they_were_fitted_to():
    """`docs/train_guide.py` fits them; a page that they do not know is found by its exact names only."""
    for code in ("en", "ru"):
        assert set(load_classifier(code).titles) == {*list_titles(code), UNRELATED, STAYS}
        asked = [(question, section) for section in load_sections(code) for question in section.asked]
        sample = asked[::7]
        found = [rank_sections(f"{question} please", code)[0][1] is section for question, section in sample]
        assert sum(found) >= 0.9 * len(found)


def test_english_word_endings_do_not_matter():
    for word in ("connect", "connecting", "Connected", "connection", "connections"):
        assert tokenize(word) == tokenize("connects"), word


@pytest.mark.parametrize(
    ("misspelt", "right"),
    [
        ("conect chatgpt", "connect chatgpt"),
        ("export my conversaton", "export my conversation"),
        ("swich the modle", "switch the model"),
    ],
)
def test_misspelt_word_ranks_as_the_right_one(misspelt, right):
    assert best(misspelt) == best(right)


def test_words_of_a_pasted_log_are_not_all_corrected(monkeypatch):
    asked = []
    monkeypatch.setattr(reading, "_correct", lambda word, language: asked.append(word) or word)
    rank_sections("how do I export? " + " ".join(f"x{number}y" * 2 for number in range(1000, 3000)))
    assert len(asked) == reading.MAX_CORRECTED


def test_question_without_any_significant_word_has_no_answer():
    assert rank_sections("and why is that?")[0] == (1.0, None)


def test_probabilities_add_up_to_one():
    for topic in (None, load_sections("en")[0]):
        assert abs(sum(one.probability for one in rank_sections("where is the key kept?", "en", topic)) - 1) < 1e-9


def test_ranking_is_the_same_every_time():
    assert rank_sections("how do I save?") == rank_sections("how do I save?")


def test_ranking_holds_every_section_once():
    ranked = [section for _, section in rank_sections("save") if section is not None]
    assert sorted(ranked, key=load_sections().index) == list(load_sections())


def test_follow_up_names_the_new_topic():
    assert best("and for Ollama?", "how do I connect OpenAI?") == "Ollama"
    assert best("а для Ollama?", "как подключить OpenAI?") == "Ollama"
    assert best("and load?", "how do I save a conversation?") == "Save, export, import"


def test_words_of_the_query_language_are_words():
    for question in ('"undo" OR (', "NEAR(save, 2)", "title: undo", "-", "%%chat*", "'; DROP TABLE section"):
        rank_sections(question)


def test_very_short_question_is_a_follow_up():
    assert best("in html?", "how do I save a conversation?") == "Save, export, import"


def test_complete_question_ignores_earlier_ones():
    question = "how do I save this conversation into a file on disk?"
    assert best(question, "ollama") == best(question) == "Save, export, import"


def test_question_without_words_goes_on_from_no_answer():
    assert best("2+2?", "how do I connect OpenAI?") is None
    assert best("and why?") is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how do I undo?", "en"),
        ("как отменить?", "ru"),
        ("а для Ollama?", "ru"),
        ("как включить LOCKBOTS_LIVE в GitHub Actions?", "ru"),
        ("how do I pass the prompt «привет»?", "en"),
        ("", "en"),
        ("42", "en"),
    ],
)
def test_language_is_detected_from_the_words(text, language):
    assert detect_language(text) == language


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Settings", "Settings"),
        ("save", "Save, export, import"),
        ("LMSTUDIO", "LM Studio"),
        ("undo", "Undo, retry, clear"),
        ("variables", "Variables and values in a prompt"),
        ("files", "Files, images and cells in a prompt"),
        ("code of a reply", "Code of a reply in a new cell"),
        ("functions", "Functions that the model may call"),
        ("cost", "Usage and cost"),
        ("panel", "Chat panel"),
        ("tests", "Tests and CI"),
        ("words", "What the words mean"),
        ("the words", "What the words mean"),
        ("word", "Documents: PDF, Word, Excel"),
        ("sandbox", "Mock server"),
        ("--dry-run", "See what would be sent"),
        ("%chat", "One-line prompts with %chat"),
        ("%%chat", "Options of %%chat"),
        ("how do I fork?", "Several conversations"),
    ],
)
def test_section_is_found_by_title_first_words_keyword_or_question(name, title):
    assert search.find_section(name).title == title


def test_every_title_finds_its_own_section():
    for language in ("en", "ru"):
        for title in list_titles(language):
            assert search.find_section(title, language).title == title


def test_english_title_finds_its_page_in_another_language():
    pages = dict(zip(list_titles("en"), list_titles("ru"), strict=True))
    for title, expected in (*pages.items(), ("words", "Что значат слова"), ("cost", "Расход и стоимость")):
        assert search.find_page(title, ["ru", "en"]).title == expected
    assert search.find_page("word", ["ru", "en"]).title == "Документы: PDF, Word, Excel"
    assert search.find_page("zebra", ["ru", "en"]) is None


@pytest.mark.parametrize("name", ["", "  ", "?", "zebra"])
def test_unknown_topic_is_none(name):
    assert search.find_section(name) is None


def test_unknown_language_is_an_error():
    with pytest.raises(FileNotFoundError):
        list_titles("xx")


def test_sections_are_parsed_from_titles_keywords_and_bodies():
    text = "# Book\n\n## One\nkeywords: a b, c\n\nText.\n\n## Two\nkeywords:\n\n```python\n1\n```\n"
    one, two = parse_sections(text)
    assert one == Section("One", ("a b", "c"), "Text.")
    assert two == Section("Two", (), "```python\n1\n```")

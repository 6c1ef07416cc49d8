"""The help pages agree with the code: commands, options, settings, providers, names that can be imported."""

import ast
import importlib
import re
import shlex
from importlib import resources

import pytest

from lockbots_magic import providers
from lockbots_magic.help import search
from lockbots_magic.help.sections import list_titles, load_sections
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.options import chat_options
from lockbots_magic.notebook.settings import Lockbots
from lockbots_magic.panel.i18n import page_texts

COMMANDS = commands.COMMANDS.keys()
SETTINGS = Lockbots.class_traits(config=True).keys()
OPTIONS = {action.option_strings[-1]: action for action in chat_options()._actions if action.option_strings}
WITH_VALUE = {flag for option in OPTIONS.values() if option.nargs != 0 for flag in option.option_strings}
FLAGS = {flag for option in OPTIONS.values() if option.nargs == 0 for flag in option.option_strings}

TRANSLATED = r"[а-я]|expression|name=value|in French|provider:model"
"""Code in the pages that holds words to be translated."""

both_languages = pytest.mark.parametrize("language", ["en", "ru"])


def read_pages(language):
    return "\n".join(section.body for section in load_sections(language))


def find_examples(language):
    return re.findall(r"^```(\w+)\n(.*?)^```$", read_pages(language), re.MULTILINE | re.DOTALL)


def find_magic_lines(language):
    spans = [span for section in load_sections(language) for span in re.findall(r"`(%[^`\n]+)`", section.body)]
    lines = [line for _, code in find_examples(language) for line in code.splitlines()]
    return [line for line in spans + lines if re.match(r"(%lockbots|%%?chat)( |$)", line)]


def prose_of(section):
    return re.sub(r"^```.*?^```$", "", section.body, flags=re.MULTILINE | re.DOTALL)


@both_languages
def test_examples_with_a_model_of_openai_name_the_default_one(language):
    default = providers.provider_class("openai").default_model
    assert set(re.findall(r"openai:(gpt-[\w.-]+)", read_pages(language))) == {default}


@both_languages
def test_every_provider_has_help(language):
    text = read_pages(language)
    assert [name for name in providers.names() if not re.search(rf"\b{name}\b", text)] == []


@both_languages
def test_every_credential_variable_is_named(language):
    variables = [variable for name in providers.names() for variable in providers.provider_class(name).credential_env]
    assert [variable for variable in variables if variable not in read_pages(language)] == []


def test_english_and_russian_have_the_same_sections_with_the_same_examples():
    assert len(list_titles("en")) == len(list_titles("ru"))
    for english, russian in zip(load_sections("en"), load_sections("ru"), strict=True):
        fences = [re.findall(r"^```.*?^```$", s.body, re.MULTILINE | re.DOTALL) for s in (english, russian)]
        assert list(map(without_prompts, fences[0])) == list(map(without_prompts, fences[1])), english.title
        assert fences[0], f"{english.title} has no example"


def without_prompts(example):
    """Return the code of an example without what is said to a model, which each language says in its own words."""
    fence, first, *rest = example.splitlines()
    if first.startswith("%%chat"):
        rest = re.findall(r"\{\{.*?\}\}", "\n".join(rest))
    bare = re.sub(r'"(?:[^"\n]*[.?!:] ?|hello|привет)"', '""', "\n".join([fence, first, *rest]))
    return re.sub(r"(?m)^(%lockbots compare .*? --|%chat --to primes) .*", r"\1", bare)


def test_english_and_russian_name_the_same_code():
    """A command, option, file or limit in one language stands in the other, too."""
    for english, russian in zip(load_sections("en"), load_sections("ru"), strict=True):
        code = [set(re.findall(r"`([^`\n]+)`", prose_of(section))) for section in (english, russian)]
        differs = {span for span in code[0] ^ code[1] if not re.search(TRANSLATED, span)}
        assert differs == set(), english.title


@both_languages
def test_every_section_is_short_and_has_keywords(language):
    for section in load_sections(language):
        assert section.keywords
        assert not re.search(r"^(keywords|no):", section.body, re.MULTILINE)
        assert len([line for line in prose_of(section).splitlines() if line.strip()]) <= 12, section.title


def test_russian_pages_use_one_word_for_one_thing():
    banned = re.findall(r"(?i)разговор\w*|песочниц\w*|сэмпл\w*|промт\w*", read_pages("ru"))
    assert banned == []


@both_languages
def test_every_button_of_the_panel_that_a_page_names_exists(language):
    section = search.find_section("panel", "en")
    page = load_sections(language)[list_titles("en").index(section.title)]
    named = re.findall(r"[“«]([^”»]+)[”»]", page.body)
    assert len(named) >= 2
    known = page_texts()[language]["texts"].values()
    assert set(named) <= {text for text in known if isinstance(text, str)}


def test_python_examples_compile():
    for _, code in find_examples("en"):
        if code.startswith("from "):
            compile(code, "example", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)  # as in a cell


@both_languages
def test_every_module_in_the_pages_exists(language):
    for path in sorted(set(re.findall(r"\blockbots_magic(?:\.\w+)+", read_pages(language)))):
        module, _, name = path.rpartition(".")
        try:
            importlib.import_module(path)
        except ModuleNotFoundError:
            assert hasattr(importlib.import_module(module), name), path


@both_languages
def test_every_command_in_the_pages_exists(language):
    text = read_pages(language)
    assert set(re.findall(r"%lockbots (\w+)", text)) <= COMMANDS
    assert set(re.findall(r"%lockbots set (\w+)", text)) <= SETTINGS


def test_every_command_is_in_the_pages():
    text = read_pages("en")
    assert set(re.findall(r"%lockbots (\w+)", text)) | set(re.findall(r"`(\w+)`", text)) >= COMMANDS | SETTINGS


@both_languages
def test_every_option_of_chat_is_in_the_pages(language):
    named = set(re.findall(r"(?<!\S)`?(--?[a-z]+(?:-[a-z]+)*)", read_pages(language)))
    assert [option for option, action in OPTIONS.items() if not named & set(action.option_strings)] == []


def unknown_options(line):
    magic, *rest = shlex.split(line)
    known = WITH_VALUE | FLAGS
    if magic == "%lockbots":
        known = {flag for flags, _ in commands.COMMANDS[rest[0] if rest else "status"].arguments for flag in flags}
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if word.startswith("-"):
            if word not in known:
                yield word
            if word in WITH_VALUE and not rest:
                yield f"{word} without a value"
            elif word in WITH_VALUE:
                rest.pop(0)
        elif magic == "%chat":
            break


def test_every_example_uses_only_known_options():
    lines = {*find_magic_lines("en"), *find_magic_lines("ru")}
    assert {line: unknown for line in sorted(lines) if (unknown := list(unknown_options(line)))} == {}


@both_languages
def test_every_model_in_an_example_names_a_provider(language):
    models = [re.findall(r"(?:%lockbots use| -m) (\S+)", line) for line in find_magic_lines(language)]
    named = {model.partition(":")[0] for found in models for model in found}
    assert named <= {*providers.names(), "myservice"}


@both_languages
def test_only_examples_that_choose_a_model_set_a_temperature(language):
    lines = [line for line in find_magic_lines(language) if re.search(r"^%%?chat.* (-t|--temperature) ", line)]
    assert [line for line in lines if " -m " not in line] == []


@pytest.mark.parametrize("name", ["en.md", "ru.md", "stop_words.txt", "synonyms.txt"])
def test_help_is_package_data(name):
    assert (resources.files("lockbots_magic") / "help" / name).is_file()

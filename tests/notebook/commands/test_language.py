"""The language of commands, errors and help in a notebook."""

import re

import pytest

from lockbots_magic.language import choose_language, speaking
from lockbots_magic.notebook.commands import COMMANDS as REGISTERED
from lockbots_magic.notebook.options import chat_options


@pytest.fixture(autouse=True)
def _own_language():
    yield
    choose_language("auto")


ENGLISH = re.compile(r"\b(?:the|of|is|are|not|with|which|by|that|an?)\b")
"""Words that an English sentence can hardly do without."""


COMMANDS = [
    ("%lockbots status", "системный промпт"),
    ("%lockbots list", "реплики"),
    ("%lockbots history", "Беседа main"),
    ("%lockbots providers", "встроен"),
    ("%lockbots new other", "Начата беседа other."),
    ("%lockbots usage", "токены запросов"),
    ("%lockbots log", "Журнал выключен"),
    ("%lockbots tools", "Инструментов пока нет."),
    ("%lockbots use -h", "использование: %lockbots use"),
    ("%%chat -m ollama:llama3.2 --dry-run\nПривет", "всего: 1 сообщение, 6 знаков"),
    ("%lockbots help ollama", "Ollama запускает модели на вашем компьютере"),
]
ERRORS = [
    ("%lockbots stats", "Нет такой команды: 'stats'."),
    ("%lockbots set modle 3", "Нет такой настройки: 'modle'. Возможно, вы имели в виду 'model'?"),
    ("%lockbots set temperature x", "Значение temperature — число; получено 'x'. Температура"),
    ("%chat", "Запрос пуст."),
    ("%%chat -m nope:x\nhi", "Провайдер 'nope' не найден."),
    ("%%chat --colour\nhi", "Нет такого параметра: --colour."),
    ("%%chat -t abc\nhi", "Параметр -t/--temperature: 'abc' — не число."),
    ("%lockbots use", "Не указано: модель. См. `%lockbots use -h`."),
    ("%lockbots switch none", "Нет такой беседы: 'none'. Список бесед: `%lockbots list`."),
    ("%lockbots undo", "Отменять нечего: беседа"),
    ("%lockbots load nope.json", "Не удаётся прочитать nope.json: нет такого файла или папки."),
]


def test_commands_and_errors_follow_the_setting(run):
    assert run("%lockbots set language ru").stdout == "language = ru\n"
    for source, expected in COMMANDS:
        cell = run(source)
        shown = cell.stdout + "".join(output.data["text/plain"] for output in cell.outputs)
        assert expected in shown, source
        assert ENGLISH.findall(shown) == [], source
    for source, expected in ERRORS:
        assert str(run(source).error).startswith(expected), source
    run("%lockbots set language en")
    assert str(run("%lockbots undo").error) == "Nothing to undo: other is empty."


@pytest.mark.parametrize("name", ["%%chat", *REGISTERED])
def test_help_names_arguments_in_russian(name):
    with speaking("ru"):
        parser = chat_options() if name == "%%chat" else REGISTERED[name].options(name)
        usage = parser.format_usage().removeprefix(f"использование: {parser.prog}")
        names = re.sub(r"\{.*?\}|--?[a-z-]+", "", usage, flags=re.DOTALL)  # but not choices and options
        assert re.findall("[A-Za-z]{2,}", names) == []


def test_error_names_a_missing_argument_as_the_help_does(run):
    run("%lockbots set language ru")
    assert "МОДЕЛЬ" in run("%lockbots compare -h").stdout
    assert str(run("%lockbots compare").error).startswith("Не указано: МОДЕЛЬ.")
    assert "text, code, json" in str(run("%%chat --as name\nhi").error).replace("'", "")


def test_a_language_without_a_catalogue_is_refused(run):
    assert str(run("%lockbots set language xx").error).startswith("language must be one of auto, en, ru, got 'xx'.")


def test_config_and_environment_set_it_too(shell, run, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "ru")
    assert str(run("%lockbots switch none").error).startswith("Нет такой беседы")
    run("%config Lockbots.language = 'en'")
    assert str(run("%lockbots switch none").error).startswith("Unknown conversation")
    run("%config Lockbots.language = 'auto'")
    assert "Нет такой команды" in str(run("%lockbots nope").error)
    assert run("%lockbots help save a conversation").outputs[0].data["text/plain"].startswith("**")


def test_the_guide_answers_in_the_language_of_the_question(run):
    run("%lockbots set language ru")
    assert "guide" in run("%%chat\nhello").reply
    run("%lockbots set language en")
    assert "справочник" in run("%%chat\nпривет").reply

import re
import shlex
from importlib import resources

import pytest

from lockbots_magic import providers
from lockbots_magic.help import search as helptext
from lockbots_magic.notebook import commands
from lockbots_magic.notebook.chat_command import chat_options
from lockbots_magic.notebook.session import Lockbots


def words(text):
    return frozenset(text.split())


COMMANDS = commands.COMMANDS.keys()
SETTINGS = Lockbots.class_traits(config=True).keys()
OPTIONS = {action.option_strings[-1]: action for action in chat_options()._actions if action.option_strings}
WITH_VALUE = {flag for option in OPTIONS.values() if option.nargs != 0 for flag in option.option_strings}
FLAGS = {flag for option in OPTIONS.values() if option.nargs == 0 for flag in option.option_strings}

QUESTIONS = {
    "First steps": "How do I start? | what is this?",
    "Connect a real model": (
        "how do I connect a real model? | which models are available? | Which provider am I using?"
        " | how do i conect a modle"
    ),
    "Any OpenAI-compatible server": (
        "what is base_url? | my company has its own server with an OpenAI API | how do I reset the base url"
        " | how to use a proxy"
    ),
    "OpenAI, Anthropic, Gemini and other services": (
        "how do I connect OpenAI? | Can I use Claude from Anthropic? | where do I put my gemini key | connect gpt-4"
    ),
    "Ollama": "how do I use Ollama? | can I run a model locally?",
    "LM Studio": "how do I use LM Studio",
    "llama.cpp": "connect to llama.cpp | how to connect a local llama server",
    "vLLM": "vllm on our gpu cluster",
    "Find local servers": (
        "which model servers are running on my machine? | find local servers | is there an ollama running here?"
        " | %lockbots discover"
    ),
    "Lockchat": "what is lockchat?",
    "Liaobots": "how do I log in to liaobots?",
    "A Python function as the model": "can a python function be the model? | how do I use a Hugging Face pipeline?",
    "Write a plug-in": "how do I write a plugin? | how do I add my own provider? | entry points",
    "Options of %%chat": (
        "how do I set the temperature? | what does -m do? | how do I pass max_tokens?"
        " | How can I set a system prompt? | how do I ask without history?"
        " | how to change the temperature | one-off question without history"
        " | how to stop repeating the history, one-off question"
    ),
    "One-line questions with %chat": "what's the difference between %chat and %%chat | ask in one line",
    "Braces, quotes and dashes": (
        "do I have to escape curly braces? | what does -- mean? | what does --raw do? | can I write $ and quotes?"
        " | my prompt has double braces, how do I send them as they are"
    ),
    "Variables and values in a prompt": (
        "how do I put a dataframe into the prompt | can I use a variable in the prompt? | f-string in prompt"
        " | how do I ask about my data? | send a table to the model | how do I show the model my function's source code"
        " | how many rows of a data frame are sent? | insert the value of a variable | what is last_error"
        " | can it see my variables? | NameError in my prompt"
    ),
    "Files, images and cells in a prompt": (
        "how do I attach a file? | can I send an image? | how to ask about a screenshot | what does --cells do?"
        " | send a csv file with my question | how do I give it the previous cells of my notebook?"
    ),
    "See what would be sent": (
        "how can I see what is sent before I send it? | dry run | how many tokens will my prompt take?"
        " | preview the request | what does --dry-run do? | what data leaves my machine?"
    ),
    "Personas": (
        "how do I reuse a system prompt? | what is a persona? | prompt templates | system prompt from a file"
        " | where do I keep my personas?"
    ),
    "Replies as variables, code and JSON": (
        "what does --to do? | how can I get the reply into a variable? | answer as JSON"
        " | how do I get structured output? | validate the answer with pydantic | put the code into a new cell"
        " | can the answer fill a dataclass? | JSON schema | only the code, please"
    ),
    "Functions that the model may call": (
        "can the model call my functions? | function calling | how do I give it tools? | what does --tools do?"
        " | is it safe to let the model call a function?"
    ),
    "Explain and fix an error": (
        "explain my error | how do I fix my code? | why did my cell fail? | explain the traceback | debug my code"
        " | I got an error | what does this error mean?"
        " | what does %lockbots fix do?"
    ),
    "Chat panel": "is there a chat window? | how do I open the panel? | can I type while a cell runs?",
    "How a reply is shown": (
        "why is the picture only a link? | can a reply run javascript? | how do I write formulas in LaTeX?"
        " | does it work in jupyter console? | NO_COLOR"
    ),
    "Several conversations": (
        "how do I start a new conversation? | copy a conversation | delete a conversation | show me the history"
    ),
    "Compare models": (
        "how do I compare two models? | ask several models at once | which model is better? | models side by side"
        " | compare gpt-4o and claude | ask the same question to two models"
    ),
    "A cell owns its turn": "what happens when I run a cell again? | what does stale mean?",
    "Undo, retry, clear": "How do I undo a question? | How do I remove the last message? | regenerate the answer",
    "Stop a reply": "how do I stop a reply? | the model keeps talking, how to make it stop",
    "Replies in the background": (
        "stop a background reply | can I run other cells while it answers? | how do I ask in the background?"
        " | what does --background do? | don't wait for the reply"
    ),
    "Errors and retries": (
        "I got an error 429 | it times out | how can I change the timeout? | connection refused"
        " | what if the connection breaks midway? | what happens if I run a failed cell again?"
    ),
    "Long conversations": "what happens when the conversation gets too long? | the model forgot the beginning",
    "Usage and cost": (
        "how much did it cost? | what did this conversation cost me? | how many tokens did I use?"
        " | tokens per second | how do I set my own prices? | usage"
    ),
    "Save, export, import": (
        "how do I save a conversation? | export to markdown | can I send a conversation as a web page?"
        " | import messages from openai"
    ),
    "Restore after a restart": (
        "can I continue tomorrow after a kernel restart? | the kernel died and my conversation is gone"
        " | how do I restore a conversation from the notebook?"
    ),
    "Record and replay": (
        "how do I record the answers? | what is a cassette? | can it run without a network? | LOCKBOTS_CASSETTE_MODE"
        " | what does NotRecordedError mean? | how do I get the same answers again?"
        " | explain cassettes | explain how to record"
    ),
    "Settings": "what settings | how do I make this model the default everywhere? | ipython_config.py",
    "Tab completion": "does tab completion work? | autocomplete the model names | what does the tab key do?",
    "Credentials and safety": "where is my API key kept? | Is my key saved in the notebook? | how do I log out?",
    "From Python": (
        "how do I use it from python? | iterate over the streamed text in Python | temperature in python"
        " | can I set the timeout from python?"
    ),
    "Tests and CI": (
        "how do I run nbval on my notebooks? | LOCKBOTS_LIVE | how do I disable live output? | pytest fixture"
    ),
    "Mock server": "try without a key | fake server for experiments",
    "Get help": "help | what commands are there | where is the documentation | what topics do you know",
}
RUSSIAN_QUESTIONS = {
    "Панель чата": "как открыть панель? | есть ли окно чата?",
    "Как показан ответ": "почему вместо картинки ссылка? | отображаются ли формулы? | опасен ли javascript в ответе?",
    "Первые шаги": "с чего начать? | что это такое?",
    "Подключить настоящую модель": (
        "как подключить настоящую модель? | какие модели есть? | как сменить модель? | как подключить модель?"
    ),
    "Любой сервер, совместимый с OpenAI": (
        "как подключить свой сервер? | как вернуть адрес по умолчанию | как использовать прокси"
    ),
    "OpenAI, Anthropic, Gemini и другие сервисы": "как подключить OpenAI? | хочу использовать клод",
    "Ollama": "как подключить Ollama? | можно ли без интернета? | как запустить модель локально?",
    "LM Studio": "как подключить lm studio",
    "vLLM": "как подключиться к vLLM",
    "Найти локальные серверы": "как найти локальные серверы? | какие серверы запущены на моём компьютере",
    "Liaobots": "нужен ли код для liaobots",
    "Функция Python вместо модели": "можно ли вместо модели функцию? | своя функция как модель",
    "Написать плагин": "как написать плагин? | как добавить своего провайдера",
    "Параметры %%chat": (
        "как задать температуру? | Как задать системный промпт?"
        " | как поменять температуру | как заставить отвечать по-русски (системный промпт)"
    ),
    "Вопрос одной строкой: %chat": "чем %chat отличается от %%chat?",
    "Скобки, кавычки и дефисы": "надо ли экранировать скобки? | можно ли писать доллар и кавычки | что делает --raw",
    "Переменные и значения в запросе": (
        "как подставить переменную в запрос? | как передать таблицу в запрос | как вставить датафрейм в промпт"
        " | как спросить модель о моих данных | сколько строк таблицы отправляется?"
    ),
    "Файлы, картинки и ячейки в запросе": (
        "как приложить файл? | можно ли отправить картинку? | как показать модели предыдущие ячейки"
        " | что делает --cells"
    ),
    "Посмотреть, что будет отправлено": (
        "как посмотреть, что будет отправлено? | сколько токенов в моём запросе"
        " | можно ли проверить запрос без отправки"
        " | какие данные уходят на сервер?"
    ),
    "Персоны": "что такое персона? | шаблоны промптов | системный промпт из файла",
    "Ответ в переменную, код и JSON": (
        "Как записать ответ в переменную? | как получить ответ в JSON | ответ по схеме pydantic"
        " | как вставить код из ответа в новую ячейку | ответ в виде словаря"
    ),
    "Функции, которые может вызвать модель": (
        "может ли модель вызывать мои функции? | как дать модели инструменты | что делает --tools"
    ),
    "Объяснить и исправить ошибку": (
        "объясни мою ошибку | как исправить ошибку в ячейке? | почему упала моя ячейка | исправить код"
    ),
    "Несколько бесед": "как начать новую беседу? | как переключиться между беседами | где посмотреть историю",
    "Сравнить модели": "как сравнить две модели? | какая модель лучше | спросить сразу несколько моделей",
    "У ячейки своё место в беседе": "что будет, если запустить ячейку ещё раз? | ячейка выполнена дважды",
    "Отменить, повторить, очистить": "как отменить последний вопрос? | хочу другой ответ | как очистить беседу?",
    "Прервать ответ": "как остановить ответ? | Как прервать генерацию?",
    "Ответ в фоне": (
        "как остановить фоновый ответ | можно ли выполнять другие ячейки, пока идёт ответ | спросить в фоне"
    ),
    "Ошибки и повторы": (
        "что делать при ошибке 429? | как увеличить таймаут | почему не работает? | что если соединение оборвётся"
    ),
    "Длинные беседы": "беседа не помещается в контекст | модель забыла начало разговора",
    "Расход и стоимость": (
        "сколько это стоило | сколько токенов я потратил? | как задать свои цены | сколько стоит один вопрос"
    ),
    "Сохранить, экспортировать, импортировать": (
        "как сохранить беседу? | как сохранить бесседу | как загрузить беседу из файла | экспорт в markdown"
    ),
    "Восстановить после перезапуска": "как восстановить беседу после перезапуска ядра? | ядро умерло, беседа пропала",
    "Записать и воспроизвести": "как записать ответы в кассету? | как воспроизвести без сети? | те же ответы",
    "Настройки": "как сделать модель по умолчанию? | переменная LOCKBOTS_MODEL | температура для всех ячеек",
    "Автодополнение": "работает ли автодополнение? | что делает клавиша Tab",
    "Ключи и безопасность": "где хранится мой ключ? | безопасно ли писать ключ в ячейке?",
    "Из Python": "как использовать из питона?",
    "Тесты и CI": "как запустить тесты nbval?",
    "Песочница": ("как попробовать без ключа? | что такое песочница? | Как запустить песочницу и сделать её медленной"),
    "Справка": "помощь | какие есть команды | какие темы ты знаешь",
}
UNRELATED = {
    None: "2+2? | what is the capital of France? | explain quantum mechanics | Why is the sky blue? | my dog is ill"
    " | Name three prime numbers. | difference between list and tuple | Explain gravity to a child | what time is it?"
    " | compare apples and oranges | how much is a litre of milk"
    " | how do I learn French? | how do I boil an egg? | best laptop to buy | столица Франции? | почему небо голубое?"
    " | как сварить борщ? | кто написал «Войну и мир»? | сколько будет 2+2 | сколько времени | как назвать кота"
    " | сколько стоит билет в Москву | объясни квантовую механику"
}


def each(questions):
    return [(title, question.strip()) for title, row in questions.items() for question in row.split("|")]


def best(question, earlier=""):
    score, section = helptext.rank(question, helptext.sections(helptext.language_of(question)), earlier)[0]
    return section.title if score >= helptext.THRESHOLD else None


def examples(language):
    text = "\n".join(section.body for section in helptext.sections(language))
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def magic_lines(language):
    spans = [span for section in helptext.sections(language) for span in re.findall(r"`(%[^`\n]+)`", section.body)]
    lines = [line for _, code in examples(language) for line in code.splitlines()]
    return [line for line in spans + lines if re.match(r"(%lockbots|%%?chat)( |$)", line)]


@pytest.mark.parametrize("questions", [QUESTIONS, RUSSIAN_QUESTIONS], ids=["en", "ru"])
def test_question_in_own_words_finds_its_section(questions):
    answers = {question: (best(question), title) for title, question in each(questions)}
    assert {question: pair for question, pair in answers.items() if pair[0] != pair[1]} == {}, "found, expected"


def test_question_about_something_else_finds_nothing():
    found = {question: best(question) for _, question in each(UNRELATED)}
    assert {question: title for question, title in found.items() if title is not None} == {}


def test_every_english_section_is_found_by_some_question():
    assert list(QUESTIONS) == helptext.topics("en")
    assert set(RUSSIAN_QUESTIONS) < set(helptext.topics("ru"))


@pytest.mark.parametrize("word", ["беседа", "беседы", "беседу", "беседами", "БЕСЕДЕ"])
def test_russian_word_endings_do_not_matter(word):
    assert helptext.tokens(word) == helptext.tokens("беседой")


@pytest.mark.parametrize("word", ["connect", "connecting", "Connected", "connection", "connections"])
def test_english_word_endings_do_not_matter(word):
    assert helptext.tokens(word) == helptext.tokens("connects")


@pytest.mark.parametrize(("misspelt", "right"), [("conect", "connect"), ("conversaton", "conversation")])
def test_misspelt_word_of_a_title_or_keyword_is_understood(misspelt, right):
    assert helptext.rank(misspelt, helptext.sections()) == helptext.rank(right, helptext.sections())


def test_question_without_any_telling_word_scores_nothing():
    assert {score for score, _ in helptext.rank("and why is that?", helptext.sections())} == {0.0}


def test_ranking_is_the_same_every_time():
    sections = helptext.sections()
    assert helptext.rank("how do I save?", sections) == helptext.rank("how do I save?", sections)


def test_ranking_holds_every_section_once():
    ranked = [section for _, section in helptext.rank("save", helptext.sections())]
    assert sorted(ranked, key=helptext.sections().index) == list(helptext.sections())


def test_ranking_of_no_sections_is_empty():
    assert helptext.rank("save", ()) == []


def test_follow_up_names_the_new_topic():
    assert best("and for Ollama?", "how do I connect OpenAI?") == "Ollama"
    assert best("а для Ollama?", "как подключить OpenAI?") == "Ollama"
    assert best("and load?", "how do I save a conversation?") == "Save, export, import"


def test_follow_up_is_read_in_the_light_of_what_was_asked_before():
    sections = helptext.sections()
    alone = {section.title: score for score, section in helptext.rank("and for all cells?", sections)}
    told = {s.title: score for score, s in helptext.rank("and for all cells?", sections, "how do I set a temperature?")}
    assert told["Settings"] > alone["Settings"]
    assert told["Ollama"] == alone["Ollama"]


def test_whole_question_owes_nothing_to_earlier_ones():
    question = "how do I save this conversation into a file on disk?"
    assert helptext.rank(question, helptext.sections(), "ollama") == helptext.rank(question, helptext.sections())


def test_earlier_question_alone_finds_nothing():
    assert best("and why?", "how do I connect OpenAI?") is None
    assert best("2+2?", "how do I connect OpenAI?") is None


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
def test_language_is_told_from_the_words(text, language):
    assert helptext.language_of(text) == language


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Settings", "Settings"),
        ("save", "Save, export, import"),
        ("LMSTUDIO", "LM Studio"),
        ("undo", "Undo, retry, clear"),
        ("variables", "Variables and values in a prompt"),
        ("files", "Files, images and cells in a prompt"),
        ("replies", "Replies as variables, code and JSON"),
        ("functions", "Functions that the model may call"),
        ("cost", "Usage and cost"),
        ("--dry-run", "See what would be sent"),
        ("%chat", "One-line questions with %chat"),
        ("%%chat", "Options of %%chat"),
        ("how do I fork?", "Several conversations"),
    ],
)
def test_topic_is_found_by_title_first_words_keyword_or_question(name, title):
    assert helptext.topic(name).title == title


def test_every_title_finds_its_own_topic():
    for language in ("en", "ru"):
        for title in helptext.topics(language):
            assert helptext.topic(title, language).title == title


@pytest.mark.parametrize("name", ["", "  ", "?", "zebra"])
def test_unknown_topic_is_none(name):
    assert helptext.topic(name) is None


def test_unknown_language_is_reported():
    with pytest.raises(FileNotFoundError):
        helptext.topics("xx")


def test_every_provider_has_help():
    for name in providers.names():
        for language in ("en", "ru"):
            text = "\n".join(section.body for section in helptext.sections(language))
            assert re.search(rf"\b{name}\b", text), f"{name} is missing in {language}"


def test_every_credential_variable_of_a_provider_is_named():
    variables = [variable for name in providers.names() for variable in providers.provider_class(name).credential_env]
    for language in ("en", "ru"):
        text = "\n".join(section.body for section in helptext.sections(language))
        assert [variable for variable in variables if variable not in text] == []


def test_english_and_russian_have_the_same_sections_with_the_same_examples():
    assert len(helptext.topics("en")) == len(helptext.topics("ru"))
    for english, russian in zip(helptext.sections("en"), helptext.sections("ru"), strict=True):
        fences = [re.findall(r"^```.*?^```$", s.body, re.MULTILINE | re.DOTALL) for s in (english, russian)]
        assert fences[0] == fences[1], english.title
        assert fences[0], f"{english.title} has no example"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_section_is_short_and_has_keywords(language):
    for section in helptext.sections(language):
        assert section.keywords
        assert "keywords:" not in section.body
        prose = re.sub(r"^```.*?^```$", "", section.body, flags=re.MULTILINE | re.DOTALL)
        assert len([line for line in prose.splitlines() if line.strip()]) <= 12, section.title


def test_python_examples_compile():
    for _, code in examples("en"):
        if code.startswith("from "):
            compile(code, "example", "exec")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_command_in_the_help_exists(language):
    text = "\n".join(section.body for section in helptext.sections(language))
    assert set(re.findall(r"%lockbots (\w+)", text)) <= COMMANDS
    assert set(re.findall(r"%lockbots set (\w+)", text)) <= SETTINGS


def test_every_command_is_in_the_help():
    text = "\n".join(section.body for section in helptext.sections("en"))
    assert set(re.findall(r"%lockbots (\w+)", text)) | set(re.findall(r"`(\w+)`", text)) >= COMMANDS | SETTINGS


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_option_of_chat_is_in_the_help(language):
    text = "\n".join(section.body for section in helptext.sections(language))
    told = set(re.findall(r"(?<!\S)`?(--?[a-z]+(?:-[a-z]+)*)", text))
    assert [option for option, action in OPTIONS.items() if not told & set(action.option_strings)] == []


def unknown_options(line):
    """Return the options in a line of magic that it doesn't take or that lack their value."""
    magic, *rest = shlex.split(line)
    known = WITH_VALUE | FLAGS
    if magic == "%lockbots":
        known = {flag for flags, _ in commands.COMMANDS[rest[0] if rest else "status"].arguments for flag in flags}
    unknown = []
    while rest and rest[0] != "--":
        word = rest.pop(0)
        if word.startswith("-"):
            if word not in known or (word in WITH_VALUE and not (rest and rest.pop(0))):
                unknown.append(word)
        elif magic == "%chat":
            break
    return unknown


def test_every_example_uses_only_known_options():
    lines = sorted({*magic_lines("en"), *magic_lines("ru")})
    assert len(lines) > 50
    assert {line: unknown for line in lines if (unknown := unknown_options(line))} == {}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_model_in_an_example_names_a_provider(language):
    models = [re.findall(r"(?:%lockbots use| -m) (\S+)", line) for line in magic_lines(language)]
    named = {model.partition(":")[0] for found in models for model in found}
    assert named <= {*providers.names(), "myservice"}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_only_examples_that_choose_a_model_set_a_temperature(language):
    lines = [line for line in magic_lines(language) if re.search(r"^%%?chat.* (-t|--temperature) ", line)]
    assert [line for line in lines if " -m " not in line] == []


@pytest.mark.parametrize("name", ["en.md", "ru.md", "stop_words.txt"])
def test_help_is_package_data(name):
    assert (resources.files("lockbots_magic") / "help" / name).is_file()


def test_sections_are_parsed_from_titles_keywords_and_bodies():
    text = "# Book\n\n## One\nkeywords: a b, c\n\nText.\n\n## Two\nkeywords:\n\n```python\n1\n```\n"
    one, two = helptext.parse(text)
    assert one == helptext.Section("One", ("a b", "c"), "Text.")
    assert two == helptext.Section("Two", (), "```python\n1\n```")

import re
from pathlib import Path

import pytest

from lockbots_magic import providers
from lockbots_magic.conversation.cancellation import Cancellation
from lockbots_magic.conversation.messages import ChatRequest, Message
from lockbots_magic.errors import Cancelled, ModelNotFoundError, UsageError
from lockbots_magic.help import search
from lockbots_magic.help.guide import DEFAULT_RATE, Guide, answer
from lockbots_magic.help.sections import detect_language, load_sections
from lockbots_magic.help.short_answer import MAX_PAGES

CONNECT = "To use a real model:"
CONNECT_RU = "Чтобы использовать настоящую модель:"


class CountedPauses(Cancellation):
    """Records pauses instead of waiting."""

    def __init__(self):
        super().__init__()
        self.pauses = []

    def wait(self, seconds):
        self.pauses.append(seconds)
        return self.cancelled


def messages_of(*prompts):
    """Return the messages of a conversation in which all but the last prompt were answered."""
    *before, last = prompts
    answered = [m for prompt in before for m in (Message("user", prompt), Message("assistant", "..."))]
    return (*answered, Message("user", last))


def ask(*prompts):
    return answer(messages_of(*prompts))


def request(prompt="how do I undo?", *, stream=True, **params):
    return ChatRequest("", messages_of(prompt), params, stream, cancellation=CountedPauses())


def test_guide_is_the_registered_provider_and_needs_no_credential():
    assert providers.provider_class("guide") is Guide
    assert not Guide.needs_auth
    assert list(Guide.models) == [Guide.default_model]


def test_answer_is_short_and_more_gives_the_whole_page():
    section = search.find_section("errors")
    short = ask("it says timeout")
    assert short.startswith(f"**{section.title}**\n\n")
    assert "silence_timeout" in short
    assert len(short) < len(section.page) / 2
    for more in ("more", "Tell me more!", "show me the rest please"):
        assert ask("it says timeout", more) == section.page, more
    assert ask("таймаут", "подробнее") == search.find_section("таймаут", "ru").page


def test_page_that_is_told_whole_offers_no_more():
    assert "`%chat more`" in ask("it says timeout")
    assert "`%chat more`" not in ask(min(load_sections("en"), key=lambda section: len(section.body)).title)
    assert ask("it says timeout", "%chat more") == ask("it says timeout", "more")


def test_example_of_the_last_topic():
    assert ask("how do I attach a file?", "example please").count("%%chat --file") == 1
    assert "%%chat --file" in ask("как приложить файл?", "пример")


def test_last_answer_is_told_shorter_or_in_the_other_language():
    long = ask("how do I attach a pdf?")
    short = ask("how do I attach a pdf?", "shorter please")
    assert len(short) < len(long)
    assert "%%chat --file report.pdf" in short
    assert ask("how do I attach a pdf?", "in Russian please").startswith("**Документы: PDF, Word, Excel**")
    assert ask("как отправить pdf?", "а по-английски?").startswith("**Documents: PDF, Word, Excel**")
    assert ask("как отправить pdf?", "пример", "покороче").startswith("**Документы: PDF, Word, Excel**")


def test_follow_up_about_another_place_stays_with_its_topic():
    assert "chat.map" in ask("a prompt for each row", "and from python?")
    assert "Enter" in ask("chat panel", "how do i send")


def test_follow_up_that_nothing_answers_stays_unless_it_is_about_something_else():
    assert ask("сравнить модели", "а трёх можно?").startswith("**Сравнить модели**")
    assert "could answer it" in ask("compare models", "and the weather?")
    assert ask("how do I record a notebook?", "what happens if I change a prompt afterwards?").startswith(
        "**Record and"
    )
    assert "could answer it" in ask("how do I record a notebook?", "how do I bake sourdough")


def test_names_in_cyrillic_letters_and_the_wrong_keyboard_layout_are_read():
    assert "openrouter" in ask("подключить опенроутер")
    assert ask("rfr jnvtybnm djghjc").startswith("**Отменить")


def test_question_for_yes_or_no_begins_with_it():
    assert ask("can it write code into the next cell").splitlines()[2].startswith("Yes. `--as code`")
    assert ask("do I have to escape curly braces?").splitlines()[2].startswith("No.")
    assert ask("is my key in the notebook file").splitlines()[2].startswith("No.")
    assert ask("может ли модель вызывать мои функции?").splitlines()[2].startswith("Да.")
    assert ask("надо ли экранировать скобки?").splitlines()[2].startswith("Нет.")
    for question in ("mcp support?", "is pdf supported?", "works in vscode?", "can it read my variables?"):
        assert ask(question).splitlines()[2].startswith("Yes."), question
    for question in ("умеет ли он читать pdf", "pdf поддерживается?", "а в колабе работает?"):
        assert ask(question).splitlines()[2].startswith("Да."), question
    assert ask("собираете статистику?").splitlines()[2].startswith("Нет.")
    for question in (
        "does it train on my data?",
        "how do I undo?",
        "do I need an API key",
        "is it free",
        "нужен ли ключ",
    ):
        assert not re.match(r"(Yes|No|Да|Нет)\.", ask(question).splitlines()[2]), question


def test_answer_does_not_begin_with_yes_where_the_page_says_no():
    for question in (
        "is bedrock supported",
        "can I rename a conversation",
        "can others see my key",
        "does the ai see my api key?",
        "can I use oauth mcp servers",
        "does it find my .env",
        "does it send my passwords",
        "does my model support images",
        "can it query my database",
        "can students see my key",
        "does it need a gpu?",
        "does it work with python 3.8?",
        "does it work in notebook 5?",
        "does it work in R notebooks?",
        "does it support C++?",
        "can I use gpt-3?",
        "is windows 7 supported?",
        "can a reply execute code?",
        "can I use the panel in a terminal?",
        "can you see my notebook?",
        "do you remember me?",
        "can it show html?",
        "есть ли песочница?",
        "can I use it from the command line?",
        "видит модель мой экран?",
        "может ли ответ выполнить код?",
        "помнит ли модель другие беседы?",
        "can the model run code without asking",
        "does the comparison end up in the history",
        "бедрок поддерживается?",
        "можно переименовать беседу?",
        "видит ли модель мой ключ?",
        "может ли модель выполнить код без спроса",
        "есть ли ключ в экспорте",
        "поддерживает ли модель картинки",
        "does lockbots publish my talk somewhere",
        "does the footer count input tokens",
        "есть ли готовые персоны?",
    ):
        assert not re.match(r"(Yes|Да)\.", ask(question).splitlines()[2]), question


def test_answer_does_not_begin_with_no_for_another_question_about_its_page():
    for question in (
        "are files sent again with every prompt?",
        "is history sent to the new model?",
        "can I send prompts to a local server?",
        "can I save the comparison?",
        "can I forbid a tool?",
        "отправляются ли файлы снова с каждым промптом?",
        "можно изменить промпт и отправить снова?",
    ):
        assert not re.match(r"(No|Нет)\.", ask(question).splitlines()[2]), question
    for question in ("does a dry run cost anything?", "is anything sent with --dry-run?", "стоит ли --dry-run денег?"):
        assert re.match(r"(No|Нет)\.", ask(question).splitlines()[2]), question


def test_what_it_cannot_answer_names_the_nearest_topics():
    text = ask("which restaurant in Paris has the best onion soup")
    assert "A language model could answer it." in text
    assert 1 <= text.count("\n- ") <= 3


def test_newcomers_get_answers_that_hold_what_they_need():
    """At least 95 %, in each language, follow-ups included; the file holds questions of people new to it."""
    for language in ("en", "ru"):
        found = {prompts: bool(pattern.search(ask(*prompts))) for prompts, pattern in newcomers(language)}
        assert sum(found.values()) >= 0.95 * len(found), [
            prompts for prompts, is_right in found.items() if not is_right
        ]


def newcomers(language):
    for line in (Path(__file__).parent / "newcomers.txt").read_text(encoding="utf-8").splitlines():
        prompts, _, pattern = line.partition(" => ")
        if pattern and detect_language(prompts) == language:
            yield tuple(prompts.split(" >> ")), re.compile(pattern, re.IGNORECASE)


def test_answer_is_in_the_language_of_the_last_question():
    assert ask("how do I undo?", "как отменить вопрос?").startswith("**Отменить, повторить, очистить**")
    assert ask("как отменить вопрос?", "how do I undo?").startswith("**Undo, retry, clear**")


def test_follow_up_continues_from_the_previous_question():
    assert ask("how do I connect OpenAI?", "and for Ollama?").startswith("**Ollama**")
    assert "%lockbots use ollama:llama3.2" in ask("как подключить OpenAI?", "а для Ollama?")


def test_follow_up_is_read_with_the_question_before():
    assert "%lockbots set temperature" in ask("how do I set a temperature?", "and for all cells?")
    assert ask("how do I save a conversation?", "and in html?").startswith("**Save, export, import**")


def test_operation_without_an_object_is_about_the_last_topic():
    assert ask("a system prompt for all cells", "and how do I turn it off?").startswith("**A system prompt")
    assert ask("системный промпт для всех ячеек", "а как отменить?").startswith("**Системный промпт")
    assert ask("картинка в запросе", "а несколько?").startswith("**Картинки в запросе**")
    assert ask("how do I save a conversation?", "and undo?").startswith("**Undo, retry, clear**")


def test_follow_up_of_a_follow_up_stays_with_its_topic():
    assert ask("картинка в запросе", "а по ссылке?", "а несколько?").startswith("**Картинки в запросе**")


def test_follow_up_that_names_another_page_goes_there():
    assert ask("как отправить pdf", "а картинку?").startswith("**Картинки в запросе**")


def test_russian_in_latin_letters_is_read_as_russian():
    assert ask("kak podkluchit ollama").startswith("**Ollama**\n\nOllama запускает")
    assert ask("Kak otmenit poslednee soobshenie?").startswith("**Отменить")
    assert ask("how do I undo?").startswith("**Undo")


def test_other_words_for_a_thing_find_its_page():
    assert ask("ключ хранится в ноутбуке?").startswith("**Ключи и безопасность**")
    assert ask("ответ в джсоне").startswith("**Ответ как проверенный JSON**")


def test_no_other_word_stands_for_a_short_one():
    assert "A language model could answer it." in ask("what's the weather in Paris")


def test_what_another_page_may_answer_as_well_is_told_under_its_title():
    between_two = ["log cost", "image search", "export search", "restore search", "pdf batch", "cassette batch"]
    told = [re.findall(r"^\*\*(.+)\*\*$", ask(question), re.MULTILINE) for question in between_two]
    assert sum(len(titles) > 1 for titles in told) >= 3, told
    assert all(len(titles) <= MAX_PAGES and len(titles) == len(set(titles)) for titles in told)


@pytest.mark.parametrize(
    "question",
    ["как подключить модель?", "what settings", "what settings are there?", "how to connect", "как подключить"],
)
def test_section_that_only_shares_a_common_word_is_not_named(question):
    assert not re.search("See also|См. также", ask(question))


def test_same_question_gets_the_same_answer():
    assert ask("how do I save?") == ask("how do I save?")


@pytest.mark.parametrize("question", ["how do I undo?", "hi", "write a poem about the sea"])
def test_first_answer_ends_with_one_line_on_connecting_a_model(question):
    text = ask(question)
    assert text.count(CONNECT) == 1
    assert text.splitlines()[-1].startswith(CONNECT)


def test_first_answer_in_russian_ends_with_that_line_in_russian():
    assert ask("как отменить вопрос?").splitlines()[-1].startswith(CONNECT_RU)


@pytest.mark.parametrize("question", ["how do I undo?", "hi"])
def test_later_answers_do_not_repeat_that_line(question):
    assert CONNECT not in ask("what is stale?", question)


@pytest.mark.parametrize("question", ["how do I connect a real model?", "how do I use Ollama?"])
def test_answer_about_connecting_needs_no_such_line(question):
    assert CONNECT not in ask(question)
    assert "%lockbots use" in ask(question)


@pytest.mark.parametrize(
    "question",
    [
        "write a poem about the sea",
        "2+2?",
        "Please write a Python function that sorts a list",
        "Can you translate this prompt to German?",
        "tell me a joke",
        "Suggest a name for a cat.",
        "Why is the sky blue?",
        "read csv in pandas",
        "sql cell support",
        "how do I train a neural network",
    ],
)
def test_task_for_a_model_is_declined(question):
    text = ask(question)
    assert "not a language model" in text
    assert "%lockbots use" in text
    assert 1 <= text.count("\n- ") <= 3


@pytest.mark.parametrize(
    "question",
    [
        "напиши стихотворение",
        "Пожалуйста, переведи на C",
        "почему небо голубое?",
        "удалить столбец из датафрейма",
        "как обучить нейросеть",
        "как поставить виндовс",
    ],
)
def test_task_for_a_model_is_declined_in_russian(question):
    text = ask(question)
    assert "не языковая модель" in text
    assert text.splitlines()[-1].startswith(CONNECT_RU)
    assert 1 <= text.count("\n- ") <= 3


def test_words_of_other_software_do_not_hide_a_question_about_the_package():
    assert "--as json" in ask("get the answer in pandas")
    assert "--as code" in ask("make a plot from my dataframe")
    assert "--file" in ask("загрузить данные из excel")


def test_declining_says_how_to_connect_each_time():
    assert ask("how do I undo?", "2+2?").count(CONNECT) == 1


def test_question_how_to_write_a_plugin_is_not_a_task():
    assert ask("how do I write a plugin?").startswith("**Write a plug-in**")


@pytest.mark.parametrize("greeting", ["hi", "Hello!", "hey there", "good day", "who are you?", "are you an AI", ""])
def test_greeting_is_answered_with_what_this_is_and_three_questions(greeting):
    assert "built-in guide" in ask(greeting)
    assert ask(greeting).count("\n- ") == 3


@pytest.mark.parametrize("greeting", ["привет", "Привет!", "Здравствуйте.", "добрый день", "кто ты?", "что ты умеешь?"])
def test_greeting_in_russian_is_answered_in_russian(greeting):
    assert ask(greeting).startswith("Здравствуйте! Я встроенный справочник")


@pytest.mark.parametrize("prompt", ["hi", "привет", "2+2?", "напиши стихотворение"])
def test_every_question_it_proposes_has_an_answer(prompt):
    proposed = [line.removeprefix("- ") for line in ask(prompt).splitlines() if line.startswith("- ")]
    assert [question for question in proposed if not ask(question).startswith("**")] == []


@pytest.mark.parametrize(
    ("words", "reply"),
    [("thanks", "You are welcome!"), ("Thank you very much!", "You are welcome!"), ("спасибо", "Пожалуйста!")],
)
def test_thanks_get_one_friendly_line(words, reply):
    assert ask(words).startswith(reply)
    assert len(ask(words).splitlines()) == 1


def test_thanks_before_a_question_do_not_hide_it():
    assert ask("Thanks, how do I undo?").startswith("**Undo, retry, clear**")


@pytest.mark.parametrize(
    ("question", "facts"),
    [
        ("how to update to newest version", ["git pull"]),
        ("how to use a proxy", ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE"]),
        ("как использовать прокси", ["HTTPS_PROXY", "REQUESTS_CA_BUNDLE"]),
        ("how do I reset the base url", ["`--base-url default`"]),
        ("как вернуть адрес по умолчанию", ["`--base-url default`"]),
        ("what topics do you know", ["`%lockbots help topics`", "%lockbots help settings"]),
        ("how do I put a dataframe into the prompt", ["{{ penguins.describe() }}", "at most 40 rows"]),
        ("как передать таблицу в запрос", ["{{ penguins.describe() }}", "40 строк"]),
        ("what data leaves my machine?", ["--dry-run", "sends nothing"]),
        ("answer as JSON", ["--as json --schema", "parses and validates"]),
        ("can the model call my functions?", ["--tools mean_mass,count", "signatures and docstrings"]),
        ("explain my error", ["%lockbots explain", "%lockbots fix"]),
        ("объясни мою ошибку", ["%lockbots explain", "%lockbots fix"]),
        ("stop a background reply", ["%lockbots stop", "--background"]),
        ("сколько это стоило", ["%lockbots usage", "Lockbots.prices"]),
        ("how do I compare two models?", ["%lockbots compare", "side by side"]),
        ("какие серверы запущены на моём компьютере", ["%lockbots discover"]),
        ("my prompt has double braces, how do I send them as they are", ["--raw"]),
        ("what if the connection breaks midway?", ["marked `error`"]),
        ("Как запустить песочницу и сделать её медленной", ["lockbots_magic.testing.mock_server", ";rate=5"]),
    ],
)
def test_answer_contains_the_facts(question, facts):
    text = " ".join(ask(question).split())
    assert [words for words in facts if words.strip("`") not in text] == []


def test_system_messages_are_ignored():
    assert answer((Message("system", "Talk about Ollama."), *messages_of("how do I undo?"))) == ask("how do I undo?")


def test_empty_conversation_gets_the_greeting():
    assert answer(()) == ask("hello")


def test_reply_is_sent_in_words_that_make_up_the_answer():
    *words, last = Guide().stream(request())
    assert "".join(delta.text for delta in words) == ask("how do I undo?")
    assert len(words) > 20
    assert all(len(delta.text.split()) == 1 for delta in words)
    assert (last.text, last.finish_reason) == ("", "stop")


@pytest.mark.parametrize(("params", "pause"), [({}, 1 / 200), ({"rate": 50}, 0.02), ({"rate": 1e-300}, 60)])
def test_words_are_sent_at_the_requested_rate(params, pause, monkeypatch):
    monkeypatch.setattr("lockbots_magic.help.guide.DEFAULT_RATE", DEFAULT_RATE)
    asked = request(**params)
    deltas = list(Guide().stream(asked))
    assert asked.cancellation.pauses == [pause] * (len(deltas) - 1)


def test_long_prompt_is_read_in_linear_time():
    """Minutes where time grows with the square of the length."""
    for prompt in ("и " * 20_000, "сделал " * 10_000, "foo bar " + "«" * 200_000):
        assert ask("how do I undo?", prompt)


@pytest.mark.parametrize("asked", [request(rate=0), request(stream=False)])
def test_reply_at_once_is_one_piece_without_a_pause(asked):
    whole, last = Guide().stream(asked)
    assert whole.text == ask("how do I undo?")
    assert last.finish_reason == "stop"
    assert asked.cancellation.pauses == [0]


@pytest.mark.parametrize("rate", [-1, "fast", float("nan"), float("inf"), None, 10**400])
def test_invalid_rate_is_a_usage_error(rate):
    with pytest.raises(UsageError, match="rate must be"):
        next(Guide().stream(request(rate=rate)))


def test_cancel_stops_it_at_once():
    asked = request()
    reply = Guide().stream(asked)
    next(reply)
    asked.cancellation.cancel()
    with pytest.raises(Cancelled):
        next(reply)


def test_cancel_ends_a_long_pause():
    asked = ChatRequest("", messages_of("how do I undo?"), {"rate": 0.001})
    asked.cancellation.cancel()
    with pytest.raises(Cancelled):
        next(Guide().stream(asked))


def test_cancelled_before_a_reply_at_once_yields_nothing():
    asked = request(rate=0)
    asked.cancellation.cancel()
    with pytest.raises(Cancelled):
        next(Guide().stream(asked))


def test_unknown_model_is_an_error():
    with pytest.raises(ModelNotFoundError, match="Known models: help"):
        next(Guide().stream(ChatRequest("gpt-4", messages_of("hi"))))


def test_two_replies_at_once_do_not_mix():
    guide = Guide()
    first, second = guide.stream(request("how do I undo?")), guide.stream(request("как сохранить беседу?"))
    pairs = list(zip(first, second, strict=False))
    assert "".join(a.text for a, _ in pairs) in ask("how do I undo?")
    assert "".join(b.text for _, b in pairs) in ask("как сохранить беседу?")


def test_create_completion_takes_dicts_and_a_rate():
    pieces = list(Guide.create_completion("help", [{"role": "user", "content": "how do I undo?"}], rate=0))
    assert pieces == [ask("how do I undo?")]

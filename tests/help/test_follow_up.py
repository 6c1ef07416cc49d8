"""Follow-ups to the guide keep its topic, get what they ask for, and are not shown the same text again."""

import re

from lockbots_magic.conversation.messages import Message
from lockbots_magic.help.guide import answer

FOLLOW_UPS = """
error 401 >> I did that, still the same => Still refused|restart Jupyter
how do I show the panel >> how do I turn it off => hide it, clear this output
how do I log all turns >> how do I turn it off => log off
stop the model >> does it cost money even if stopped? => stopped reply may cost
tools >> is it dangerous? => delete yours
how do I use images >> which formats => PNG, JPEG
use anthropic >> how much is it => charge by use
use anthropic >> where do I type the key => %lockbots login
use a local gguf >> it is very slow => smaller one
what is replay >> does it need internet => needs no network
system prompt >> show me the current one => status` shows the current
how do I start a fresh conversation >> does that delete the old one? => Neither deletes
let the model call my own python function >> what if the function raises an error => exceptions .* sent to the model
connect an MCP server >> can I disconnect it again? => close\\(\\)
I have 500 reviews in a table >> and if it stops halfway? => --keep
I have 500 reviews in a table >> how much will it cost? => --budget
is there a chat window rather than cells? >> it doesn't show up, only text "VBox(...)" => must have widgets
put the code in a new cell >> that is not what i meant, I want it to run too => does not run by itself
explain the error from last cell >> it didn't work => lockbots check
how do I run a gguf file >> can it use my gpu? => GPU
How do I use gemini >> and claude? => login anthropic
set a system prompt >> how do I remove it => turns it off
usage and cost >> in euros? => US dollars only
what can you do >> more => help topics
как вести журнал всех разговоров >> а как отключить? => log off
код модели сам не запускается? >> почему? => \\*\\*
разметить таблицу отзывов моделью >> а если прервётся? => --keep
что такое --each >> а если закончились деньги на середине? => --keep
открыть панель >> не работает => не показывается\\*\\*
как увидеть расход токенов >> а в рублях? => не в рублях
системный промпт >> а убрать его как? => set system ""
как подключить openai >> а deepseek? => login deepseek
как подключить claude >> ключ куда вводить => %lockbots login
как отправить pdf >> а если он отсканированный? => скане
как начать новый разговор >> а старый не потеряется? => не удаляется и не потеряется
как остановить генерацию >> и потом продолжить с того же места? => можно продолжить
подключить mcp сервер >> это безопасно? => --approve
что такое stale >> почему? => устаревшие
"""


def talk(*prompts):
    """Return the guide's answers, each given with those before."""
    messages, answers = [], []
    for prompt in prompts:
        messages.append(Message("user", prompt))
        answers.append(answer(tuple(messages)))
        messages.append(Message("assistant", answers[-1]))
    return answers


def test_follow_up_gets_what_it_asks_for():
    lines = [line.rpartition(" => ") for line in FOLLOW_UPS.strip().splitlines()]
    missed = [prompts for prompts, _, wanted in lines if not re.search(wanted, talk(*prompts.split(" >> "))[-1])]
    assert missed == []


def test_follow_up_without_words_of_its_own_is_told_what_was_not_told():
    first, then = talk("record and replay", "why?")
    title, *told = then.split("\n\n")
    assert first.startswith(title)
    assert told[0] not in first


def test_yes_is_not_said_of_what_it_stands_for():
    assert not talk("how do I start a fresh conversation", "does that delete the old one?")[-1].count("Yes.")


def test_topics_near_a_refusal_share_a_word_with_it():
    assert "nearest topics" not in talk("what's the weather in Paris")[-1]
    assert "nearest topics" in talk("write a poem about the panel")[-1]

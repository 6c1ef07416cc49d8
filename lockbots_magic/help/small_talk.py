"""What the guide understands besides the help: greetings, thanks, tasks for a model. Its own sentences: `phrases`."""

from __future__ import annotations

import re

GREETING = re.compile(
    r"(?:(?:hi|hello|hey|hiya|howdy|good (?:morning|day|afternoon|evening)|greetings"
    r"|привет(?:ствую|ик)?|здравствуй(?:те)?|доброе утро|добрый (?:день|вечер)|хай|салют)"
    r"(?: (?:there|guide|lockbots|bot|all|everyone|всем|бот|справочник))?"
    r"|(?:who|what) are you|are you (?:an? )?(?:ai|bot|robot|human|chatgpt|gpt|llm|(?:language )?model)|who made you"
    r"|what can you do|what do you do|introduce yourself"
    r"|(?:ты кто|кто ты|кто вы|вы кто)(?: такой| такая| такие)?|что ты (?:умеешь|такое|знаешь)|что вы умеете|что умеешь"
    r"|ты (?:бот|робот|ии|нейросеть|человек|модель|chatgpt|gpt)|представься)?"
)
"""A greeting, a question about the guide itself, or an empty prompt."""

THANKS = re.compile(
    r"(?:(?:ok|okay|great|perfect|cool|хорошо|отлично|понятно|ясно|ок) )?"
    r"(?:thanks?|thank you|thx|cheers|спасибо|спасибочки|благодарю)"
    r"(?: (?:you|a lot|very much|so much|a million|guide|bot|большое|огромное|за помощь|вам|тебе))*"
)
"""Thanks without a question."""

MODEL_TASK = re.compile(
    r"(?:(?:please|can you|could you|пожалуйста|можешь|можете|а|and|now|теперь|тогда) )*"
    r"(?:write (?!my own|(?:the |your |its )?code (?:straight |directly )?(?:in|to))|compose"
    r"|translate|summari[sz]e|calculate|compute|draw|imagine|solve|prove|implement|refactor"
    r"|rewrite|tell (?:me )?(?:a|an|another)|sing|paint|rhyme|proofread|generate(?!.*\bcell)|suggest"
    r"|continue (?:the|this|my|that) (?:story|poem|text|song|list|sentence|sequence|series)"
    r"|fix my (?!code|cell|error)"
    r"|(?:напиши(?:те)?|написать) (?!плагин|свой|своего)|сочини(?:те)?|переведи(?:те)?|посчитай(?:те)?|вычисли(?:те)?"
    r"|нарисуй(?:те)?|придумай(?:те)?|сгенерируй(?:те)?(?!.* яче)"
    r"|реши(?:те)?|докажи(?:те)?|перескажи(?:те)?|перепиши(?:те)?|спой"
    r"|продолжи(?:те)? (?:рассказ|историю|стих|текст|сказку|список|фразу|ряд)|предложи(?:те)?|перевести|сочинить"
    r"|расскажи(?:те)? (?:мне )?(?:анекдот|сказку|шутку|историю|стих))\b"
)
"""A task for a language model, even if it contains words of the help: "write a Python function that ..."."""

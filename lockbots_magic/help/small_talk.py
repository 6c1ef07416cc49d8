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
    r"|rewrite|tell (?:me )?(?:a|an|another)|sing|paint|rhyme|proofread|generate|suggest|continue (?!tomorrow)"
    r"|fix my (?!code|cell|error)"
    r"|(?:напиши(?:те)?|написать) (?!плагин|свой|своего)|сочини(?:те)?|переведи(?:те)?|посчитай(?:те)?|вычисли(?:те)?"
    r"|нарисуй(?:те)?|придумай(?:те)?|сгенерируй(?:те)?|реши(?:те)?|докажи(?:те)?|перескажи(?:те)?|перепиши(?:те)?|спой"
    r"|продолжи(?:те)?|предложи(?:те)?|перевести|сочинить"
    r"|расскажи(?:те)? (?:мне )?(?:анекдот|сказку|шутку|историю|стих))\b"
)
"""A task for a language model, even if it contains words of the help: "write a Python function that ..."."""

MORE = re.compile(
    r"(?:ok |ок |yes |да )?(?:(?:tell|show) (?:me )?)?"
    r"(?:more|go on|details|in detail|all of it|the rest|everything about it"
    r"|(?:расскажи |покажи )?(?:еще|больше|подробнее|подробней|дальше|целиком|полностью|детали))"
    r"(?: please| pls| plz| пожалуйста| плиз| плз| пж)?"
)
"""Asks for the whole page of the last topic."""

EXAMPLE = re.compile(
    r"(?:(?:and|ok|а|и|ок) )?(?:(?:give|show) (?:me )?|can you (?:give|show) (?:me )?|покажи |дай |приведи |можно )?"
    r"(?:an? |some )?(?:examples?|for example|sample|пример|примеры|например|образец)"
    r"(?: please| pls| plz| пожалуйста| плиз| плз| пж)?"
)
"""Asks for the example of the last topic."""

OPERATION = re.compile(
    r"(?:(?:and|but|so|then|а|и|но|тогда|how|do|can|i|you|to|it|that|them|again|now|как|мне|это|его|ее|их|потом|снова"
    r"|обратно|можно|could|would|back) )*"
    r"(?:undo|redo|delete|remove|disable|reset|clear|hide|show|list|stop|save|turn (?:it |that |them )?(?:on|off|back)"
    r"|switch (?:it |that |them )?(?:on|off)|отменить|удалить|убрать|стереть|выключить|отключить|включить|вернуть"
    r"|сбросить|скрыть|показать|посмотреть|сохранить|остановить|очистить"
    r"|several|multiple|more than one|many|несколько|много)"
    r"(?: (?:it|that|them|at once|again|back|all|это|его|ее|их|обратно|снова|потом|все|сразу))*"
)
"""What is done to anything: after an answer, it speaks of that answer's topic if this tells of it."""

DETAIL = re.compile(
    r"(?:so |and |а |и |но )?(?:where|which|how (?:many|much|long)|где|куда|како[йе]|какая|какие|какую|сколько)\b"
)
"""Asks for a place, a name or a number, which is that of the last topic if its page tells one."""

YES_NO = re.compile(
    r"(?:(?:and|so|but|а|и|но|скажи|подскажи) )*"
    r"(?:(?:can|could|does|do|will|is|are|may) \w+"
    r"|(?:можно|может|могу|умеет|умеют|есть|поддерживает\w*|видит|работает|показываются|надо|нужно|безопасно|хранится"
    r"|сохраняется|отправляется)\b)"
)
"""A question that may be answered with yes or no."""

YES = re.compile(
    r"(?:(?:and|so|but|а|и|но|скажи|подскажи) )*"
    r"(?:(?:can|could|does|do you|is it possible|is there|are there|will it)\b"
    r"|(?:можно|может|могу|умеет|умеют|есть|поддерживает\w*|видит|работает|показываются)\b)"
)
"""One whose answer is yes where the help has a section about it, unless this says no."""

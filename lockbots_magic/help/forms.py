"""What a follow-up asks for besides another topic: the whole page, an example, fewer words, another language."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Return the words of a text in lower case, with е for ё, as these forms match them."""
    return " ".join(re.findall(r"\w+", text.lower().replace("ё", "е")))


def _any(*words: str) -> str:
    return f"(?:{'|'.join(words)})"


_AND = r"(?:(?:and|but|ok|so|yes|now|done|did it|i did that|да|а|и|ну|но|ок|теперь|сделал[аи]?|готово) ){0,9}"
"""Begins a form. Bounded, as what follows may begin with the same words: else time grows with the square of both."""
_PLEASE = r"(?: please| pls| plz| пожалуйста| плиз| плз| пж| for me| of it| of that)*"

MORE = re.compile(
    _AND
    + r"(?:(?:can you |could you |please )?(?:tell|show|give|explain)(?: me)? )?"
    + r"(?:(?:расскажи|покажи|объясни|можно|напиши|давай) )*"
    + _any(
        r"(?:some |a bit )?more(?: (?:details?|info|about (?:it|that|this)))?",
        r"go on|continue|details|in (?:more )?detail|all of it|everything about it",
        r"full (?:answer|page|text)|the whole page",
        r"the rest(?: of (?:it|the page))?|what else|anything else",
        r"(?:explain|elaborate)(?: (?:it|that|this|more|further))?",
        r"(?:еще|больше|(?:по)?подробне[ей]|подробно|дальше|целиком|полностью|детали)(?: об этом| про это)?",
        r"всю страницу|остальное|что еще|весь текст|полный ответ",
    )
    + _PLEASE
)
"""Asks for the whole page of the last topic."""

EXAMPLE = re.compile(
    _AND
    + r"(?:(?:give|show|got|any|can you (?:give|show)|can i (?:see|have|get)) (?:me )?)*"
    + r"(?:(?:do you have|how about|with|i need|need) )*"
    + r"(?:(?:покажи|дай|приведи|можно|нужен|хочу|есть|на|напиши|мне) )*"
    + r"(?:(?:an?|some|one|the|code|short|simple|простой|какой нибудь) )*"
    + r"(?:examples?|for example|sample|snippet|пример|примеры|примере|например|образец|код|кодом)(?: code| кода)?"
    + _PLEASE
    + r"|what (?:would|does) (?:that|it) look like|как это выглядит"
)
"""Asks for the example of the last topic."""

SHORTER = re.compile(
    _AND
    + r"(?:(?:make it|can you make it|say it|in|too long|слишком длинно|можно|скажи|а) )*"
    + _any(
        r"shorter|short|briefly|brief|in brief|tldr|tl dr|in one sentence|just the command|only the command|one line",
        r"покороче|короче|кратко|коротко|вкратце|в двух словах|одной строкой|только команду?",
    )
    + _PLEASE
)
"""Asks for the last answer in fewer words."""

OTHER_LANGUAGE = re.compile(
    _AND
    + r"(?:(?:say|repeat|tell|give|answer|скажи|повтори|ответь|напиши|можно|то же)(?: (?:it|that|me|это|мне|самое))* )?"
    + r"(?:(?P<ru>(?:in|на|по) ?(?:russian|русском?|русски))|(?P<en>(?:in|на|по) ?(?:english|английском?|английски)))"
    + _PLEASE
)
"""Asks for the last answer in Russian or in English."""

STUCK = re.compile(
    _AND
    + r"(?:(?:i|we|did|tried|have|done|that|this|all|it|already|hm+|sorry|no|still|is|but"
    + r"|я|все|это|так|нет|уже|сделал[аи]?|(?:по)?пробовал[аи]?|у меня|по прежнему|все равно|равно|опять|снова|и) )*"
    + _any(
        r"(?:the )?same(?: (?:error|problem|thing|issue|message))?(?: again)?",
        r"no (?:luck|change|effect)|nothing changed|not working|still not|fails|failing|broken",
        r"(?:does|did|do|is|was|has|have)(?: not|n t)(?: \w+)? ?(?:work(?:ing|ed)?|help(?:ing|ed)?)",
        r"(?:doesn|didn|don|isn|hasn) t (?:work|help|working|worked|helped)",
        r"не (?:работает|помогло|помогает|получилось|получается|вышло|выходит|сработало|заработало)",
        r"то же(?: самое)?|та же(?: самая)? ошибка|ошибка|ничего не (?:изменилось|поменялось|помогло)|без изменений",
    )
    + r"(?: (?:for me|here|at all|either|too|again|yet|anymore|now|it|у меня|тоже|вообще|совсем|все равно))*"
)
"""Tells that the last answer was of no help, without a word of what goes wrong."""

NOT_SHOWN = re.compile(
    _AND
    + r"(?:(?:it|is|just|still|она|он|оно|все|еще|почему) )*"
    + _any(
        r"(?:doesn|won|didn|can) t (?:open|start|load|appear|show(?: up)?)",
        r"(?:does|will|did) not (?:open|start|load|appear|show(?: up)?)",
        r"(?:stays? |remains? )?(?:empty|blank|not shown)|nothing (?:shows(?: up)?|appears|happens)",
        r"не (?:открывается|открылась|показывается|появляется|появилась|запускается|отображается|грузится|загружается"
        r"|видно|видна)|пуст(?:ая|ой|ое|о)|ничего не (?:видно|показывает|происходит)",
    )
    + r"(?: (?:for me|here|at all|now|in \w+|у меня|вообще|совсем|в \w+))*"
)
"""Tells that nothing is to be seen of what the last answer is about."""

BARE = re.compile(
    _AND
    + _any(
        r"why(?: (?:not|so|is (?:it|that)(?: so)?))?|how come|what for|how so",
        r"really|are you sure|is that (?:so|true|all)",
        r"почему(?: (?:так|это|же|нет))?|зачем(?: (?:это|так))?|отчего|с чего бы|точно|правда|серьезно|вы уверены",
    )
)
"""Asks about the last answer without a word of its own: "why?"."""

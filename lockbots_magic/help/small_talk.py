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
    r"|translate|summari[sz]e(?!.*\b(?:pdfs?|links?|url|web|documents?|docx?|website)\b)|calculate|compute|draw|imagine|solve|prove|implement|refactor"
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

_SOFTWARE = (
    r"pandas|numpy|matplotlib|seaborn|plotly|scipy|sklearn|pytorch|tensorflow|keras|sql|java|javascript|c"
    r"|css|git|bash|linux|docker|(?:a |my |the )?(?:df|data ?frame|column|pandas df)s?"
    r"|пандас\w*|нампи|матплотлиб\w*|(?:дата)?фрейм\w*|столб\w+|колонк\w+|линукс\w*|докер\w*"
)
_OURS = (
    r"results?|outputs?|repl(?:y|ies)|answers?|json|prompts?|models?|llm|ai|chat|it|cells?|responses?|lockbots|gpt"
    r"|schema|code|plots?|charts?|graphs?|результат\w*|вывод\w*|ответ\w*|промпт\w*|запрос\w*|модел\w+|нейросет\w+"
    r"|чат\w*|его|ее|бот\w*|схем\w+|ячейк\w+|код\w*|график\w*|диаграмм\w*"
)
"""What makes the same words a question about this package: "save the reply in a data frame"."""
_VERBS = (
    r"read|load|open|parse|drop|delete|remove|rename|merge|join|concat\w*|filter|sort|group|fill|convert|iterate"
    r"|select|add|create|make|pivot|reshape|split|count|sum|replace|find|change|save|write"
    r"|(?:про|с)?читать|загрузить|открыть|сохранить|удалить|переименовать|объединить|соединить|склеить|отфильтровать"
    r"|отсортировать|сгруппировать|построить|заполнить|преобразовать|выбрать|добавить|создать|посчитать|заменить"
    r"|найти|изменить|поменять|сделать|нарисовать|разделить|получить"
)
_HOW = r"(?:how (?:to|do i|do you|can i|should i) |как (?:мне )?)?"
_SYSTEMS = (
    r"windows|виндовс\w*|винду|linux|линукс|ubuntu|убунту|chrome|хром|office|офис|драйвер\w*|drivers?|игр\w+|games?"
)
OTHER_TASK = re.compile(
    rf"(?!.*\b(?:{_OURS})\b){_HOW}(?:{_VERBS})\b.*"
    rf" (?:in|with|using|from|of|to|into|by|в|из|с|на|через|по|у) (?:{_SOFTWARE})"
    rf"|{_HOW}train (?:an? |my |the )?(?:own )?(?:neural|deep|network|net\b|classifier|cnn|gan|transformer).*"
    rf"|{_HOW}(?:обучить|натренировать|написать|создать|сделать) (?:свою |собственную )?"
    r"(?:нейросеть|нейронку|нейронную сеть|сверточную сеть|классификатор)"
    r"(?: (?:с нуля|самому|на (?:python|питоне|питорче|pytorch)))?"
    rf"|{_HOW}(?:re)?(?:install|поставить|установить|переустановить|обновить|снести) (?:{_SYSTEMS})\b.*"
    r"|sql (?:cells?|magics?|quer(?:y|ies)|support)(?: support)?|(?:ячейк\w+|запросы?) (?:на )?sql"
)
"""How something is done with other software, even where its words are also ours: "delete a column of a data frame"."""

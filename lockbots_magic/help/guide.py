"""The built-in guide: answers questions about this toolkit from its help. No model, no network."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from ..conversation.messages import ChatRequest, Delta, Message, ModelInfo
from ..errors import Cancelled, UsageError
from ..providers.base import Provider
from ..providers.declarations import model_table
from . import search as helptext

DEFAULT_RATE = 200.0
"""Words per second."""
MAX_PAUSE = 60.0
"""The longest pause (s) between two words, however low the rate."""
CLOSE = 0.9
"""From this share of the best score on, the second section is named too, if no third is as near."""


class Guide(Provider):
    """Answers from the packaged help, in the language of the question; the same question gets the same answer."""

    name = "guide"
    models = model_table(ModelInfo("help", "Built-in guide"))
    default_model = "help"
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({"rate": "words per second; 0 is all at once"})

    def model_info(self, model: str) -> ModelInfo:
        """Return the guide's one entry.

        Raises:
            ModelNotFoundError: another model is asked for.
        """
        return self.lookup_model(model, self.models)

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the answer word by word.

        Raises:
            Cancelled: the request was cancelled.
            ModelNotFoundError: the request names another model.
            UsageError: `rate` is not a number from 0 on.
        """
        self.model_info(request.model)
        rate = _checked_rate(request.params.get("rate", DEFAULT_RATE))
        text = answer(request.messages)
        in_words = bool(rate) and request.stream
        pause = min(1 / rate, MAX_PAUSE) if in_words else 0.0
        for piece in re.findall(r"\s*\S+", text) if in_words else [text]:
            if request.cancellation.wait(pause):
                raise Cancelled
            yield Delta(text=piece)
        yield Delta(finish_reason="stop")


def answer(messages: tuple[Message, ...]) -> str:
    """The guide's words on the last question in `messages`, Markdown. Pure."""
    prompts = [m.content for m in messages if m.role == "user"]
    question = prompts[-1] if prompts else ""
    language = helptext.language_of(question)
    phrases = _PHRASES[language]
    in_words = " ".join(re.findall(r"\w+", question.lower()))
    first = all(m.role != "assistant" for m in messages)
    if _GREETING.fullmatch(in_words):
        return "\n\n".join([phrases.welcome, *([phrases.connect] if first else [])])
    if _THANKS.fullmatch(in_words):
        return phrases.thanks
    found = None if _WORK.match(in_words) else _found(question, "\n".join(prompts[-3:-1]), language, phrases)
    if found is None:
        return f"{phrases.unknown}\n\n{phrases.connect}"
    return f"{found}\n\n{phrases.connect}" if first and "%lockbots use" not in found else found


def _found(question: str, earlier: str, language: str, phrases: _Phrases) -> str | None:
    """The section that answers `question`, with the title of another that may; none if the help has nothing on it."""
    chapters = helptext.sections(language)
    (score, best), *others = helptext.rank(question, chapters, earlier)
    if score < helptext.THRESHOLD:
        return None
    near = [section for other, section in others if other >= max(CLOSE * score, helptext.THRESHOLD)]
    if len(near) != 1:  # several are near when the question has only a word that they all share: "connect"
        return best.page
    return f"{best.page}\n\n{phrases.see_also} {near[0].title}"


def _checked_rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0):
        raise UsageError(f"rate must be a number of words per second, 0 or more, not {value!r}")
    return rate


@dataclass(frozen=True)
class _Phrases:
    """What the guide says of itself."""

    welcome: str
    thanks: str
    unknown: str
    connect: str
    """One line."""
    see_also: str


_GREETING = re.compile(
    r"(?:(?:hi|hello|hey|hiya|howdy|good (?:morning|day|afternoon|evening)|greetings"
    r"|привет(?:ствую|ик)?|здравствуй(?:те)?|доброе утро|добрый (?:день|вечер)|хай|салют)"
    r"(?: (?:there|guide|lockbots|bot|all|everyone|всем|бот|справочник))?"
    r"|(?:who|what) are you|are you (?:an? )?(?:ai|bot|robot|human|chatgpt|gpt|llm|(?:language )?model)"
    r"|what can you do|what do you do|introduce yourself"
    r"|(?:ты кто|кто ты|кто вы|вы кто)(?: такой| такая| такие)?|что ты (?:умеешь|такое|знаешь)|что вы умеете|что умеешь"
    r"|ты (?:бот|робот|ии|нейросеть|человек|модель|chatgpt|gpt)|представься)?"
)
"""A greeting, a question about the guide itself, or nothing at all."""

_THANKS = re.compile(
    r"(?:(?:ok|okay|great|perfect|cool|хорошо|отлично|понятно|ясно|ок) )?"
    r"(?:thanks?|thank you|thx|cheers|спасибо|спасибочки|благодарю)"
    r"(?: (?:you|a lot|very much|so much|a million|guide|bot|большое|огромное|за помощь|вам|тебе))*"
)
"""Thanks and nothing else."""

_WORK = re.compile(
    r"(?:(?:please|can you|could you|пожалуйста|можешь|можете|а|and|now|теперь|тогда) )*"
    r"(?:write|compose|translate|summari[sz]e|calculate|compute|draw|imagine|solve|prove|implement|refactor|rewrite"
    r"|tell (?:me )?(?:a|an|another)|sing|paint|rhyme|proofread|generate|suggest|continue|fix my (?!code|cell|error)"
    r"|напиши(?:те)?|сочини(?:те)?|переведи(?:те)?|посчитай(?:те)?|вычисли(?:те)?|нарисуй(?:те)?|придумай(?:те)?"
    r"|сгенерируй(?:те)?|реши(?:те)?|докажи(?:те)?|перескажи(?:те)?|перепиши(?:те)?|спой"
    r"|продолжи(?:те)?|предложи(?:те)?|написать|перевести|сочинить"
    r"|расскажи(?:те)? (?:мне )?(?:анекдот|сказку|шутку|историю|стих))\b"
)
"""Work for a language model, whatever words of the help occur in it: "write a Python function that ..."."""

_PHRASES = MappingProxyType(
    {
        "en": _Phrases(
            welcome=(
                "Hello! I am the built-in guide of Lockbots: not a language model, only its help, in your words. "
                "Try asking:\n\n"
                "- How do I connect OpenAI?\n- How do I undo a question?\n- How do I save a conversation?"
            ),
            thanks="You are welcome! Ask whenever something is unclear.",
            unknown=(
                "That is beyond me: I am the built-in guide, not a language model, and know only this toolkit. "
                "You can ask me:\n\n"
                "- How do I use Ollama?\n- What options does %%chat have?\n- Where is my API key kept?"
            ),
            connect="To talk to a real model: `%lockbots login openai`, then `%lockbots use openai:gpt-4o-mini`.",
            see_also="See also:",
        ),
        "ru": _Phrases(
            welcome=(
                "Здравствуйте! Я встроенный справочник Lockbots: не языковая модель, а справка, которую можно "
                "спрашивать своими словами. Например:\n\n"
                "- Как подключить OpenAI?\n- Как отменить вопрос?\n- Как сохранить беседу?"
            ),
            thanks="Пожалуйста! Спрашивайте, если что-то будет неясно.",
            unknown=(
                "Этого я не умею: я встроенный справочник, не языковая модель, и знаю только эти инструменты. "
                "Меня можно спросить:\n\n"
                "- Как подключить Ollama?\n- Какие параметры есть у %%chat?\n- Где хранится мой ключ?"
            ),
            connect="Чтобы говорить с настоящей моделью: `%lockbots login openai`, затем "
            "`%lockbots use openai:gpt-4o-mini`.",
            see_also="См. также:",
        ),
    }
)

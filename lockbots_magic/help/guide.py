"""The built-in guide: a provider that answers questions about this package from its help pages, offline."""

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
from . import search

DEFAULT_RATE = 200.0
"""Words per second."""
MAX_PAUSE = 60.0
"""Seconds between two words, however low the rate."""
SEE_ALSO_RATIO = 0.9
"""A second section is mentioned if it scores at least this share of the best, and no third one does."""
EARLIER_PROMPTS = 2
"""Previous prompts that a follow-up question is read with."""


class Guide(Provider):
    """Offline provider that answers from the help pages, in the language of the question. Deterministic."""

    name = "guide"
    models = model_table(ModelInfo("help", "Built-in guide"))
    default_model = "help"
    parameters: ClassVar[Mapping[str, str]] = MappingProxyType({"rate": "words per second; 0 sends all at once"})

    def model_info(self, model: str) -> ModelInfo:
        """Return the guide's only model.

        Raises:
            ModelNotFoundError: Another model is requested.
        """
        return self.lookup_model(model, self.models)

    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        """Yield the answer word by word.

        Raises:
            Cancelled: The request was cancelled.
            ModelNotFoundError: The request names another model.
            UsageError: The parameter `rate` is not a number >= 0.
        """
        self.model_info(request.model)
        rate = _parse_rate(request.params.get("rate", DEFAULT_RATE))
        text = answer(request.messages)
        in_words = bool(rate) and request.stream
        pause = min(1 / rate, MAX_PAUSE) if in_words else 0.0
        for piece in re.findall(r"\s*\S+", text) if in_words else [text]:
            if request.cancellation.wait(pause):
                raise Cancelled
            yield Delta(text=piece)
        yield Delta(finish_reason="stop")


def answer(messages: tuple[Message, ...]) -> str:
    """Return the guide's answer to the last prompt in `messages`, in Markdown. Pure."""
    prompts = [m.content for m in messages if m.role == "user"]
    question = prompts[-1] if prompts else ""
    language = search.detect_language(question)
    phrases = _PHRASES[language]
    words = " ".join(re.findall(r"\w+", question.lower()))
    is_first = all(m.role != "assistant" for m in messages)
    if _GREETING.fullmatch(words):
        return "\n\n".join([phrases.welcome, *([phrases.connect] if is_first else [])])
    if _THANKS.fullmatch(words):
        return phrases.thanks
    earlier = "\n".join(prompts[-1 - EARLIER_PROMPTS : -1])
    found = None if _MODEL_TASK.match(words) else _find_answer(question, earlier, language, phrases)
    if found is None:
        return f"{phrases.unknown}\n\n{phrases.connect}"
    return f"{found}\n\n{phrases.connect}" if is_first and "%lockbots use" not in found else found


def _find_answer(question: str, earlier: str, language: str, phrases: _Phrases) -> str | None:
    """Return the best section, with the title of a close second; None if no section answers the question."""
    sections = search.load_sections(language)
    (score, best), *others = search.rank_sections(question, sections, earlier)
    if score < search.THRESHOLD:
        return None
    close = [section for other, section in others if other >= max(SEE_ALSO_RATIO * score, search.THRESHOLD)]
    if len(close) != 1:  # several are close if the question has only a word that they share, such as "connect"
        return best.page
    return f"{best.page}\n\n{phrases.see_also} {close[0].title}"


def _parse_rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0):
        raise UsageError(f"rate must be >= 0 words per second, got {value!r}.")
    return rate


@dataclass(frozen=True)
class _Phrases:
    """The guide's own sentences."""

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
"""A greeting, a question about the guide itself, or an empty prompt."""

_THANKS = re.compile(
    r"(?:(?:ok|okay|great|perfect|cool|хорошо|отлично|понятно|ясно|ок) )?"
    r"(?:thanks?|thank you|thx|cheers|спасибо|спасибочки|благодарю)"
    r"(?: (?:you|a lot|very much|so much|a million|guide|bot|большое|огромное|за помощь|вам|тебе))*"
)
"""Thanks without a question."""

_MODEL_TASK = re.compile(
    r"(?:(?:please|can you|could you|пожалуйста|можешь|можете|а|and|now|теперь|тогда) )*"
    r"(?:write|compose|translate|summari[sz]e|calculate|compute|draw|imagine|solve|prove|implement|refactor|rewrite"
    r"|tell (?:me )?(?:a|an|another)|sing|paint|rhyme|proofread|generate|suggest|continue|fix my (?!code|cell|error)"
    r"|напиши(?:те)?|сочини(?:те)?|переведи(?:те)?|посчитай(?:те)?|вычисли(?:те)?|нарисуй(?:те)?|придумай(?:те)?"
    r"|сгенерируй(?:те)?|реши(?:те)?|докажи(?:те)?|перескажи(?:те)?|перепиши(?:те)?|спой"
    r"|продолжи(?:те)?|предложи(?:те)?|написать|перевести|сочинить"
    r"|расскажи(?:те)? (?:мне )?(?:анекдот|сказку|шутку|историю|стих))\b"
)
"""A task for a language model, even if it contains words of the help: "write a Python function that ..."."""

_PHRASES = MappingProxyType(
    {
        "en": _Phrases(
            welcome=(
                "Hello! I am the built-in guide of Lockbots. I am not a language model: I search the help. "
                "Try asking:\n\n"
                "- How do I connect OpenAI?\n- How do I undo a question?\n- How do I save a conversation?"
            ),
            thanks="You are welcome!",
            unknown=(
                "I can't answer that: I am the built-in guide, not a language model, and search only this help. "
                "You can ask me:\n\n"
                "- How do I use Ollama?\n- What options does %%chat have?\n- Where is my API key kept?"
            ),
            connect="To use a real model: `%lockbots login openai`, then `%lockbots use openai:gpt-6-luna`.",
            see_also="See also:",
        ),
        "ru": _Phrases(
            welcome=(
                "Здравствуйте! Я встроенный справочник Lockbots. Я не языковая модель, а поиск по справке. "
                "Спросите, например:\n\n"
                "- Как подключить OpenAI?\n- Как отменить вопрос?\n- Как сохранить беседу?"
            ),
            thanks="Пожалуйста!",
            unknown=(
                "На это я ответить не могу: я встроенный справочник, не языковая модель, и ищу только в этой справке. "
                "Меня можно спросить:\n\n"
                "- Как подключить Ollama?\n- Какие параметры есть у %%chat?\n- Где хранится мой ключ?"
            ),
            connect="Чтобы использовать настоящую модель: `%lockbots login openai`, затем "
            "`%lockbots use openai:gpt-6-luna`.",
            see_also="См. также:",
        ),
    }
)

"""The built-in guide: a provider that answers questions about this package from its help pages, offline."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar

from ..conversation.messages import ChatRequest, Delta, Message, ModelInfo
from ..errors import Cancelled, UsageError
from ..language import N_, _, speaking
from ..providers.base import Provider
from ..providers.declarations import model_table
from . import forms, phrases, search, small_talk
from . import topic as topics
from .follow_up import is_follow_up
from .ranking import Ranked, is_asked, rank_sections
from .sections import Section, detect_language, load_sections
from .services import for_service
from .short_answer import brief_answer, example_of, short_answer
from .transliteration import to_cyrillic

DEFAULT_RATE = 200.0
"""Words per second."""
MAX_PAUSE = 60.0
"""Seconds between two words, however low the rate."""
_TOPICS = {"en": "help topics", "ru": "темы справки"}
"""Page that answers "more" before any topic."""
NEAREST_TOPICS = 3
"""Topics that are named where there is no answer."""


class Guide(Provider):
    """Offline provider that answers from the help pages, in the language of the question. Deterministic."""

    name = "guide"
    models = model_table(ModelInfo("help", N_("Built-in guide")))
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
    *earlier, question = [to_cyrillic(_without_magic(m.content)) for m in messages if m.role == "user"] or [""]
    answered = [m.content for m in messages if m.role == "assistant"]
    with speaking(language := detect_language(question)):
        told = _answer(question, earlier, language, answered)
        return for_service(told, [*earlier, question])


def _without_magic(prompt: str) -> str:
    """Return ``more`` for ``%chat more``, which an answer says, and which is typed so in the panel, too."""
    rest = re.sub(r"^\s*%%?chat\s+", "", prompt)
    return rest if topics.is_form(rest) else prompt


def _answer(question: str, earlier: Sequence[str], language: str, answered: Sequence[str]) -> str:
    is_first = not answered
    words = forms.plain(question)
    connect = _(phrases.CONNECT)
    if small_talk.GREETING.fullmatch(words):
        return "\n\n".join([_(phrases.WELCOME), *([connect] if is_first else [])])
    if small_talk.THANKS.fullmatch(words):
        return _(phrases.THANKS)
    is_other = small_talk.MODEL_TASK.match(words) or small_talk.OTHER_TASK.fullmatch(words)
    found = (
        None if is_other and not is_asked(question, language) else _find_answer(question, earlier, language, answered)
    )
    if found is None:
        return "\n\n".join([_(phrases.UNKNOWN), *_nearest(question, language), connect])
    return f"{found}\n\n{connect}" if is_first and "%lockbots use" not in found else found


def _find_answer(question: str, earlier: Sequence[str], language: str, answered: Sequence[str]) -> str | None:
    """Return a short answer; None if no section answers the question."""
    words = forms.plain(question)
    topic = topics.find_topic(earlier, language)
    if topic is not None and (told := _tell_again(words, topic, earlier, language)):
        return told
    if topic is None and forms.MORE.fullmatch(words) and (section := search.find_section(_TOPICS[language], language)):
        return short_answer(_TOPICS[language], [Ranked(1.0, section)], language)
    ranked = topics.rank_pages(question, topic)
    if ranked[0].section is None:
        return None
    context = earlier[-1] if earlier and is_follow_up(question) else ""
    is_bare = forms.BARE.fullmatch(words) or forms.STUCK.fullmatch(words)
    shown = "" if topic is None else "\n".join(answered)
    return short_answer("" if is_bare else question, ranked, language, context, shown)


def _tell_again(words: str, topic: Section, earlier: Sequence[str], language: str) -> str:
    """Return the last topic in another form: all of it, an example, shorter, or in another language; or nothing."""
    about = next((text for text in reversed(earlier) if not topics.is_form(text)), "")
    if forms.MORE.fullmatch(words):
        told = short_answer(about, [Ranked(1.0, topic)], language)
        return topic.page if _(phrases.MORE) in told else _further(about, topic, language)
    if forms.EXAMPLE.fullmatch(words):
        return "\n\n".join([f"**{topic.title}**", example_of(topic, about, language)])
    if forms.SHORTER.fullmatch(words):
        return brief_answer(topic, about, language)
    if match := forms.OTHER_LANGUAGE.fullmatch(words):
        other = "ru" if match["ru"] else "en"
        section = load_sections(other)[load_sections(language).index(topic)]
        return brief_answer(section, about, other)
    return ""


def _further(question: str, topic: Section, language: str) -> str:
    """Return related topics, for who wants more than a page that was told whole."""
    ranked = (one.section for one in rank_sections(question, language))
    titles = [section.title for section in ranked if section is not None and section is not topic]
    return "\n".join([_(phrases.WHOLE), "", *(f"- {title}" for title in titles[:NEAREST_TOPICS])])


def _nearest(question: str, language: str) -> list[str]:
    """Return the topics near a question; where none is, some questions that have an answer."""
    near = [section.title for section in search.near_sections(question, language)][:NEAREST_TOPICS]
    listed = "\n".join(f"- {topic}" for topic in near or map(_, phrases.UNKNOWN_TOPICS))
    return [_(phrases.NEAREST if near else phrases.ANSWERED), listed]


def _parse_rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0):
        raise UsageError(_("rate must be >= 0 words per second, got {value!r}.", value=value))
    return rate

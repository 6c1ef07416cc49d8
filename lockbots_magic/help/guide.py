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
from .follow_up import begins_with_conjunction, has_pronoun, is_follow_up
from .sections import Section, detect_language, load_sections
from .short_answer import brief_answer, example_of, short_answer
from .transliteration import to_cyrillic
from .words import tokenize

DEFAULT_RATE = 200.0
"""Words per second."""
MAX_PAUSE = 60.0
"""Seconds between two words, however low the rate."""
SEE_ALSO_RATIO = 0.85
"""A second section is mentioned if it scores at least this share of the best, and no third one does."""
TOPIC_PROMPTS = 6
"""Previous prompts that are read again for the last topic."""
NEAREST_TOPICS = 3
"""Topics that are named where there is no answer."""
TOPIC_RATIO = 0.8
"""A follow-up stays with the last topic if this scores at least this share of the best."""
PRONOUN_RATIO = 0.3
"""The same for one that speaks of "it" or "them"."""


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
    *earlier, question = [to_cyrillic(m.content) for m in messages if m.role == "user"] or [""]
    is_first = all(m.role != "assistant" for m in messages)
    with speaking(language := detect_language(question)):
        return _answer(question, earlier, language, is_first=is_first)


def _answer(question: str, earlier: Sequence[str], language: str, *, is_first: bool) -> str:
    words = _plain(question)
    connect = _(phrases.CONNECT)
    if small_talk.GREETING.fullmatch(words):
        return "\n\n".join([_(phrases.WELCOME), *([connect] if is_first else [])])
    if small_talk.THANKS.fullmatch(words):
        return _(phrases.THANKS)
    is_other = small_talk.MODEL_TASK.match(words) or small_talk.OTHER_TASK.fullmatch(words)
    found = None if is_other and not search.is_asked(question, language) else _find_answer(question, earlier, language)
    if found is None:
        return "\n\n".join([_(phrases.UNKNOWN), _(phrases.NEAREST), _nearest(question, language), connect])
    return f"{found}\n\n{connect}" if is_first and "%lockbots use" not in found else found


def _find_answer(question: str, earlier: Sequence[str], language: str) -> str | None:
    """Return a short answer, with the title of a close second section; None if no section answers the question."""
    words = _plain(question)
    topic = _topic(earlier, language)
    if topic is not None and (told := _tell_again(words, topic, earlier, language)):
        return told
    ranked = _rank(question, earlier, language)
    section = _select(question, ranked, topic)
    if section is None:
        return None
    context = earlier[-1] if earlier and is_follow_up(question) else ""
    told = short_answer(question, section, language, context)
    score = ranked[0][0]
    close = [other for at, other in ranked[1:] if at >= max(SEE_ALSO_RATIO * score, search.THRESHOLD)]
    if (
        len(close) != 1 or len(tokenize(question)) < 2 or section is not ranked[0][1]
    ):  # several are close if they share the question's only word
        return told
    return f"{told}\n\n{_(phrases.SEE_ALSO)} {close[0].title}"


def _tell_again(words: str, topic: Section, earlier: Sequence[str], language: str) -> str:
    """Return the last topic in another form: all of it, an example, shorter, or in another language; or nothing."""
    about = next((text for text in reversed(earlier) if not _is_form(text)), "")
    if forms.MORE.fullmatch(words):
        return (
            topic.page if _(phrases.MORE) in short_answer(about, topic, language) else _further(about, topic, language)
        )
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
    ranked = [section for _score, section in search.rank_sections(question, language) if section is not topic]
    return "\n".join([_(phrases.WHOLE), "", *(f"- {section.title}" for section in ranked[:NEAREST_TOPICS])])


def _is_form(question: str) -> bool:
    """Return whether a question asks for the last answer in another form, and keeps its topic."""
    words = _plain(question)
    kept = (forms.MORE, forms.EXAMPLE, forms.SHORTER, forms.OTHER_LANGUAGE, small_talk.THANKS)
    return any(form.fullmatch(words) for form in kept)


def _rank(question: str, earlier: Sequence[str], language: str) -> list[tuple[float, Section]]:
    return search.rank_sections(question, language, earlier[-1] if earlier else "")


def _select(question: str, ranked: Sequence[tuple[float, Section]], topic: Section | None) -> Section | None:
    """Return the section that answers: of a follow-up the last topic, unless another one fits it clearly better."""
    score, best = ranked[0]
    answers = best if search.is_answer(score) else None
    if topic is None or not is_follow_up(question):
        return answers
    is_symptom = forms.SYMPTOM.search(_plain(question)) is not None
    if (answers is None and search.is_unrelated(question)) or (answers is not None and is_symptom):
        return answers
    if answers is None and (has_pronoun(question) or _goes_on(question)):
        return topic
    if _is_about_topic(question, topic):
        return topic
    if begins_with_conjunction(question) and search.is_named(question, best) and not search.is_named(question, topic):
        return answers
    if has_pronoun(question):
        ratio = PRONOUN_RATIO
    else:
        is_held = search.is_held(question, topic, search.TELLING_WEIGHT)
        ratio = 0.0 if is_held and not search.is_named(question, best) else TOPIC_RATIO
    stays = next(at for at, section in ranked if section is topic)
    return topic if stays and stays >= ratio * score else answers


def _goes_on(question: str) -> bool:
    """Return whether a question that nothing answers goes on from the last answer, in a word or two: "and three?"."""
    return begins_with_conjunction(question) and len(tokenize(question)) <= 1


def _is_about_topic(question: str, topic: Section) -> bool:
    """Return whether a follow-up names no thing of its own, or one that the page of the last topic tells of."""
    words = _plain(question)
    if not tokenize(question) and re.search(r"[^\W\d]", question):
        return True
    if forms.QUANTITY.fullmatch(words) or (forms.DETAIL.match(words) and has_pronoun(question)):
        return True
    if len(tokenize(question)) == 1 and forms.HOW.match(words) and search.is_held(question, topic):
        return True
    if forms.IN_CODE.fullmatch(words):
        return search.is_held("python", topic)
    if forms.ASPECT.fullmatch(words) or forms.OPERATION.fullmatch(words) or forms.DETAIL.match(words):
        return search.is_held(question, topic)
    return (has_pronoun(question) or forms.FORMAT.match(words) is not None) and search.is_held(question, topic)


def _topic(earlier: Sequence[str], language: str) -> Section | None:
    """Return the section that the last answer was from, in a language; None if it was from none."""
    at = None
    for number in range(max(0, len(earlier) - TOPIC_PROMPTS), len(earlier)):
        question = earlier[number]
        if at is not None and _is_form(question):
            continue
        sections = load_sections(asked_in := detect_language(question))
        ranked = _rank(question, earlier[:number], asked_in)
        section = _select(question, ranked, None if at is None else sections[at])
        at = at if section is None else sections.index(section)
    return None if at is None else load_sections(language)[at]


def _nearest(question: str, language: str) -> str:
    near = [section.title for score, section in search.rank_sections(question, language) if score]
    topics = [*near, *map(_, phrases.UNKNOWN_TOPICS)][:NEAREST_TOPICS]
    return "\n".join(f"- {topic}" for topic in topics)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower().replace("ё", "е")))


def _parse_rate(value: Any) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError, OverflowError):
        rate = math.nan
    if not (math.isfinite(rate) and rate >= 0):
        raise UsageError(_("rate must be >= 0 words per second, got {value!r}.", value=value))
    return rate

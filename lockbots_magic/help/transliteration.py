"""Words in the letters of another language: Russian in Latin ones, typed on the wrong layout, names as they sound."""

from __future__ import annotations

import functools
import re

from .sections import load_sections

_MARKERS = re.compile(
    r"\b(?:kak|gde|chto|kako[yi]|kakaya|kakuyu|kakie|pochemu|zachem|mozhno|mojno|nuzhno|nujno|skolko|esli|chtoby|privet"
    r"|spasibo|pomogi|podskazhi(?:te)?|rabotaet|oshibka)\b",
    re.IGNORECASE,
)
"""Words that no English question holds."""
_QUESTION_WORDS = re.compile(
    r"(?<![а-я])(?:как|где|что|какой|какая|какие|почему|можно|нужно|сколько|не|привет|ошибка)(?![а-я])"
)
"""Words of Russian questions. On the English layout they are "rfr" or "ult", which no English question holds."""
_LAYOUT = str.maketrans("qwertyuiop[]asdfghjkl;'zxcvbnm,.`", "йцукенгшщзхъфывапролджэячсмитьбюё")
_PAIRS = {
    "shch": "щ",
    "sch": "щ",
    "zh": "ж",
    "kh": "х",
    "ts": "ц",
    "ch": "ч",
    "sh": "ш",
    "yu": "ю",
    "ju": "ю",
    "ya": "я",
    "ja": "я",
    "yo": "е",
    "ye": "е",
    **dict(zip("abvgdezijklmnoprstufhcywx'", "абвгдезийклмнопрстуфхцывхь", strict=True)),
}
_PAIR = re.compile("|".join(_PAIRS))
_WORD = re.compile(r"[a-z']+", re.IGNORECASE)


def to_cyrillic(text: str) -> str:
    """Return a Russian question that is typed in Latin letters in Cyrillic ones, any other text as it is.

    Names that the Russian pages write in Latin letters, such as "ollama" and "json", stay.
    """
    lower = text.lower()
    if _QUESTION_WORDS.search(lower.translate(_LAYOUT)) and not _QUESTION_WORDS.search(lower):
        typed = " ".join(word if word in _latin_words() else word.translate(_LAYOUT) for word in lower.split())
        if _QUESTION_WORDS.search(typed):
            return typed
    if not _MARKERS.search(text):
        return text
    return _WORD.sub(lambda match: _convert(match[0]), text)


def _convert(word: str) -> str:
    lower = word.lower()
    return word if lower in _latin_words() else _PAIR.sub(lambda match: _PAIRS[match[0]], lower)


@functools.cache
def _latin_words() -> frozenset[str]:
    pages = " ".join(" ".join((page.title, *page.keywords, page.body)) for page in load_sections("ru"))
    return frozenset(re.findall(r"[a-z]{2,}", pages.lower()))


def sound_of(word: str) -> str:
    """Return the consonants of a name as they sound, the same in both scripts: "опенроутер" and "openrouter"."""
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return re.sub(r"(.)\1+", r"\1", word)


_SOUNDS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        ("ph", "f"),
        ("th", "t"),
        ("ck|q", "k"),
        ("ch|ч", "x"),
        ("sh|[шщ]", "w"),
        ("c(?=[eiy])|ц", "s"),
        ("c", "k"),
        ("дж|ж", "j"),
        ("(?<=[aeiou])w", ""),
        ("^[aeiouyаеиоуыэюя]", "A"),
        ("[aeiouyhаеиоуыэюяйьъх]", ""),
        *((cyrillic, latin) for cyrillic, latin in zip("бвгдзклмнпрстф", "bvgdzklmnprstf", strict=True)),
    )
)

"""Russian typed in Latin letters ("kak podklyuchit ollama") as Russian."""

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

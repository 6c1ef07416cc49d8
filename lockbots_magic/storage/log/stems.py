"""Words of a text, and their stems: Russian and English by snowballstemmer, pairs of signs for Chinese and Japanese.

SQLite splits text at whatever is neither letter nor digit, folds case and removes the diacritics of Latin letters
(``unicode61 remove_diacritics 2``). What it doesn't know goes into a column of its own: stems, and pairs of signs of
scripts that write words without spaces between them.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

import snowballstemmer

MAX_INDEXED = 400_000
"""Characters of a text whose stems are kept; what follows is found by its words alone."""
MAX_STEMMED = 40
"""Characters of a word that is stemmed: longer ones are digests and data."""

WORD = re.compile(r"[^\W_]+")
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ffff"
_RUN = re.compile(f"[{_SIGNS}]+")
_CYRILLIC = re.compile("[а-яё]+")
_LATIN = re.compile("[a-z]+(?:[^\\W\\d_]*)")


def normalize(text: str) -> str:
    """Return `text` with composed letters, in which a letter with a mark is one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def words_of(text: str) -> Iterator[str]:
    """Yield the words of `text` in lower case, in order."""
    return (match[0].lower() for match in WORD.finditer(normalize(text)))


@functools.lru_cache(maxsize=100_000)
def stem_of(word: str) -> str:
    """Return the stem of a word in lower case; the word itself if it is neither Russian nor English.

    Example:
        >>> stem_of("беседами"), stem_of("running"), stem_of("42")
        ('бесед', 'run', '42')
    """
    if len(word) > MAX_STEMMED:
        return word
    if _CYRILLIC.fullmatch(word):
        return str(_stemmer("russian").stemWord(word.replace("ё", "е")))
    return str(_stemmer("english").stemWord(word)) if _LATIN.fullmatch(word) else word


def pairs_of(word: str) -> list[str]:
    """Return each two neighbouring signs of a word without spaces, and its last sign; empty for other words.

    Example:
        >>> pairs_of("北京市")
        ['北京', '京市', '市']
    """
    return [run[at : at + 2] for run in _RUN.findall(word) for at in range(len(run))]


def stems_of(*texts: str) -> str:
    """Return what is kept for search besides the words of `texts`: stems that differ from them, and pairs of signs."""
    found: dict[str, None] = {}
    pairs: list[str] = []
    for text in texts:
        is_composed = normalize(text) == text  # SQLite compares other letters as they are
        for word in words_of(text[:MAX_INDEXED]):
            stem = stem_of(word)
            if stem != word or not is_composed:
                found[stem] = None
            if not word.isascii() and _RUN.search(word):
                pairs += pairs_of(word)
    return " ".join([*found, *pairs])


@functools.cache
def _stemmer(language: str) -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer(language)

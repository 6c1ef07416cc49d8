"""What a user types into a search, as an expression of FTS5. Nothing of it is syntax: words are quoted. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from ...security.control_characters import replace_surrogates
from .stems import WORD, normalize, pairs_of, stem_of, words_of

MAX_QUERY = 1_000
"""Characters that are read."""
MAX_WORDS = 24
"""Words that are searched for."""
MIN_PREFIX = 2
"""Characters from which an unfinished word is searched for by its beginning."""

_LAST_FOLDED = "\u052f"
_PHRASE = re.compile(r'"([^"]*)"')


@dataclass(frozen=True)
class SearchQuery:
    """A search: all terms must be found."""

    expression: str
    """For FTS5; ``""`` if there is no word in the query."""
    words: frozenset[str] = frozenset()
    """Words and stems to mark in a snippet, folded."""
    prefix: str = ""
    """Beginning of a word to mark."""
    required: tuple[frozenset[str], ...] = ()
    """Forms of each word, folded; one of each must be found."""

    def is_in(self, text: str) -> bool:
        """Return whether all words stand in `text`."""
        words = {folded(form) for word in words_of(text) for form in (word, stem_of(word))}
        return all(forms & words or self._begins(forms, words) for forms in self.required)

    def _begins(self, forms: frozenset[str], words: set[str]) -> bool:
        return self.prefix in forms and bool(self.prefix) and any(word.startswith(self.prefix) for word in words)


def parse_query(text: str, *, unfinished: bool = False) -> SearchQuery:
    """Return the search that a user typed: words, and phrases between double quotes.

    Args:
        text: Anything; signs other than letters and digits separate words.
        unfinished: True if the last word may be typed on: it also stands for words that begin with it.

    Example:
        >>> parse_query('plots "two axes"').expression
        '("plots" OR "plot") AND "two axes"'
    """
    text = normalize(replace_surrogates(text[:MAX_QUERY]))
    phrases = [tuple(WORD.findall(phrase)) for phrase in _PHRASE.findall(text)]
    words = list(dict.fromkeys(WORD.findall(_PHRASE.sub(" ", text))))[:MAX_WORDS]
    is_open = unfinished and bool(words) and text[-1:].isalnum() and len(words[-1]) >= MIN_PREFIX
    prefix = words[-1] if is_open else ""
    terms = [_term(word, is_prefix=word == prefix) for word in words]
    terms += [_quoted(" ".join(phrase)) for phrase in phrases[:MAX_WORDS] if phrase]
    required = [frozenset(map(folded, _forms(word))) for word in words]
    required += [frozenset([folded(word)]) for phrase in phrases for word in phrase]
    return SearchQuery(" AND ".join(terms), frozenset().union(*required), folded(prefix), tuple(required))


def folded(word: str) -> str:
    """Return a word as SQLite compares it: lower case, Latin letters without their marks; and Russian ё as е."""
    if word.isascii():
        return word.lower()
    letters = normalize(word).lower().replace("ё", "е")
    return "".join(_base(letter) for letter in letters)


def _base(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter


def _forms(word: str) -> list[str]:
    """Return what a word may be found as; beyond Cyrillic also as it was typed: SQLite folds few scripts."""
    lower = word.lower()
    typed = (word,) if max(word) > _LAST_FOLDED else ()
    return list(dict.fromkeys((*typed, lower, lower.replace("ё", "е"), stem_of(lower))))


def _term(word: str, *, is_prefix: bool) -> str:
    forms = [_quoted(form) for form in _forms(word)]
    if is_prefix:
        forms[0] += "*"
    if pairs := pairs_of(word):
        phrase = pairs[:-1] or pairs
        forms.append(_quoted(" ".join(phrase)) + ("" if len(pairs) > 1 else "*"))
    forms = list(dict.fromkeys(forms))
    return f"({' OR '.join(forms)})" if len(forms) > 1 else forms[0]


def _quoted(words: str) -> str:
    """Return words as a string of FTS5; they hold no quotes, as they are letters and digits alone."""
    return f'"{words}"'

"""Roots of Russian words: one for both aspects of a verb, its noun and its participles.

Snowball removes endings alone: "останавливать", "остановлен" and "остановка" keep three stems. What follows no
rule, such as "ищет" and "искать", is in `word_families.txt`; `docs/word_families.py` makes that from a dictionary.
"""

from __future__ import annotations

import functools
import re

from .sections import read_data

MIN_LENGTH = 4
"""Letters of a stem that may have another root."""

_SUFFIX = re.compile(
    r"(?<=[а-я]{4})(?:ирова|ова|ева|ыва|ива|ну|[аяеиу])$|(?<=[а-я]{5})[еа]ни?$"
    r"|(?<=[а-я]{3}[бвгджзлмнпрстфхцчшщй])к$"  # an action: проверка, настройка
)
_ALTERNATIONS = (
    (re.compile(r"(?<=[пвбмф])л$"), ""),  # отправить, отправлять
    (re.compile(r"(?<=.{3})[йь]$"), ""),
    (re.compile(r"(?:жд|[дзгж])$"), "ж"),  # загрузить, загружать
    (re.compile(r"(?:ст|ск|[ткчцщ])$"), "ч"),  # запустить, запущен
    (re.compile(r"[сшх]$"), "ш"),  # спросить, спрашивать
    (re.compile(r"(?<=.{2})о(?=[^аеиоуыэюя]{1,3}$)"), "а"),  # остановить, останавливать
)
_DISTINCT = frozenset({"перед", "метод", "дольш", "прост", "зависа", "метада", "разметк"})
"""Stems that would share the root of another word."""


@functools.cache
def root_of(stem: str) -> str:
    """Return the root for a stem by Snowball, in lower case with е for ё."""
    return derive_root(stem) if stem in _DISTINCT else _load_families().get(stem) or derive_root(stem)


def derive_root(stem: str) -> str:
    """Return the root that the rules give; the stem itself if it is short."""
    if len(stem) < MIN_LENGTH or stem in _DISTINCT:
        return stem
    root = _SUFFIX.sub("", stem)
    for pattern, replacement in _ALTERNATIONS:
        root = pattern.sub(replacement, root)
    return root


@functools.cache
def _load_families() -> dict[str, str]:
    lines = (line.split(":") for line in read_data("word_families.txt").splitlines())
    return {stem: root for root, stems in lines for stem in stems.split()}

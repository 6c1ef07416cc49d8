"""Help pages as sections and passages, in English and Russian. Reads package data only."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Literal

from ..language import SOURCE, current_language

_GROUP = re.compile(r"^# ", re.MULTILINE)
_CHAPTER = re.compile(r"^## ", re.MULTILINE)
_CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_WRAPPED = re.compile(r"(?<=[^\n|])\n[ \t]*(?![\n>#|\s]|[-*+] |\d+[.)] |```|\Z)")
_HEADER = re.compile(r"([a-z]+):(.*)\n?")
_ITEM = re.compile(r"^[-*] ", re.MULTILINE)
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
_QUOTED = re.compile(r"«[^«»]*»|“[^“”]*”|\"[^\"]*\"|`[^`]*`")  # linear, even if no quotation ends
_LATIN_WORDS = re.compile(r"\W*[a-z]+\W+[a-z]+", re.IGNORECASE)

PassageKind = Literal["text", "item", "code"]


@dataclass(frozen=True)
class Passage:
    """A paragraph, an item of a list, or a block of code."""

    kind: PassageKind
    text: str
    """Markdown; an item is without its dash."""


@dataclass(frozen=True)
class Section:
    """One topic of the help."""

    title: str
    keywords: tuple[str, ...]
    """Synonyms for the search; not shown."""
    body: str
    """Markdown."""
    denied: tuple[str, ...] = ()
    """Words of questions whose answer is no; not shown."""
    undecided: tuple[str, ...] = ()
    """Words of questions that neither yes nor no answers; not shown."""
    asked: tuple[str, ...] = ()
    """Questions that people put about it, in few words; not shown."""
    group: str = field(default="", compare=False)
    """Title of the group that it belongs to in the list of topics."""

    @property
    def page(self) -> str:
        """Title and body, in Markdown."""
        return f"**{self.title}**\n\n{self.body}"

    @property
    def names(self) -> tuple[str, ...]:
        """Title, keywords and questions: what a question about it may say."""
        return (self.title, *self.keywords, *self.asked)

    @functools.cached_property
    def passages(self) -> tuple[Passage, ...]:
        """The parts of the body, in order."""
        return tuple(_split_passages(self.body))


@functools.cache
def load_sections(language: str = "en") -> tuple[Section, ...]:
    """Return all sections in a language, in the order of the file.

    Args:
        language: ``"en"`` or ``"ru"``.

    Raises:
        FileNotFoundError: There is no help in this language.
    """
    asked = dict(line.split(" :: ") for line in read_data(f"asked_{language}.txt").splitlines())
    return tuple(
        replace(section, asked=tuple(asked.get(section.title, "").split(" | ")))
        for section in parse_sections(read_data(f"{language}.md"))
    )


def parse_sections(text: str) -> tuple[Section, ...]:
    """Parse a help file.

    Args:
        text: ``## Title``, a line ``keywords: one, two words``, and the body, for each section; ``# Group`` before the
            first section of each group. A line ``no: words`` below the keywords holds words of questions that are
            answered with no, ``depends: words`` of those that are answered with neither.
    """
    sections = []
    for part in _GROUP.split(f"# \n{text}"):
        group, *chapters = _CHAPTER.split(part)
        sections += [_parse_section(group.strip(), *chapter.split("\n", 1)) for chapter in chapters]
    return tuple(sections)


def list_titles(language: str = "en") -> list[str]:
    """Return the titles of all sections."""
    return [section.title for section in load_sections(language)]


def list_groups(language: str = "en") -> dict[str, list[str]]:
    """Return the titles of all sections by their group, in the order of the file."""
    groups: dict[str, list[str]] = {}
    for section in load_sections(language):
        groups.setdefault(section.group, []).append(section.title)
    return groups


def read_data(name: str) -> str:
    """Return the text of a file of this package."""
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def detect_language(text: str) -> str:
    """Return ``"ru"`` if a word outside quotation marks and code is Cyrillic, else ``"en"``.

    Commands, names and messages of errors are in Latin script in both languages, so one word is enough.
    """
    return "ru" if _CYRILLIC.search(_QUOTED.sub(" ", text) if _LATIN_WORDS.match(text) else text) else "en"


def page_languages(topic: str) -> list[str]:
    """Return the languages to look a topic up in: its own if not English, else the current one, then English."""
    own = detect_language(topic)
    if own != SOURCE:
        return [own]
    has_pages = (resources.files(__package__) / f"{current_language()}.md").is_file()
    return list(dict.fromkeys([current_language() if has_pages else SOURCE, SOURCE]))


def _parse_section(group: str, title: str, rest: str) -> Section:
    header: dict[str, tuple[str, ...]] = {}
    while match := _HEADER.match(rest):
        header[match[1]] = tuple(word.strip() for word in match[2].split(",") if word.strip())
        rest = rest[match.end() :]
    keywords, denied, undecided = (header.get(name, ()) for name in ("keywords", "no", "depends"))
    return Section(title.strip(), keywords, _unwrap(rest.strip()), denied, undecided, group=group)


def _unwrap(text: str) -> str:
    """Join the lines of each paragraph and list item: in a reply, a line end is a line break."""
    blocks = [*_CODE_BLOCK.findall(text), ""]
    prose = (_WRAPPED.sub(" ", part) for part in _CODE_BLOCK.split(text))
    return "".join(part for pair in zip(prose, blocks, strict=True) for part in pair)


def _split_passages(body: str) -> list[Passage]:
    passages: list[Passage] = []
    blocks = [*_CODE_BLOCK.findall(body), ""]
    for prose, code in zip(_CODE_BLOCK.split(body), blocks, strict=True):
        for paragraph in filter(None, map(str.strip, prose.split("\n\n"))):
            before, *items = _ITEM.split(paragraph)
            passages += [Passage("text", before.strip())] if before.strip() else []
            passages += [Passage("item", item.strip()) for item in items]
        passages += [Passage("code", code)] if code else []
    return passages

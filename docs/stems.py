"""Make `lockbots_magic/help/stems.txt`, the stems of the words of the help: a first answer then needs no stemmer.

The guide takes a word that is not among them for unknown: misspelt, or foreign to the help. Run it after the help, its
collected questions, its synonyms or its rules changed, and before `docs/train_guide.py`, which reads it.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from lockbots_magic.help import words  # noqa: E402  # needs the path
from lockbots_magic.help.sections import load_sections, read_data  # noqa: E402
from lockbots_magic.help.yes_no import CAPABILITY  # noqa: E402

FILES = ("synonyms.txt", "unrelated_en.txt", "unrelated_ru.txt")
MIN_COUNT = 6
"""A word of fewer questions than this may be misspelt."""
TARGET = ROOT / "lockbots_magic" / "help" / "stems.txt"


def main() -> None:
    """Write the file."""
    TARGET.write_text("\n\n", encoding="utf-8")
    synonyms = words.derive_synonyms()
    TARGET.write_text(f"\n\n{_format(synonyms)}", encoding="utf-8")
    sections = [section for code in ("en", "ru") for section in load_sections(code)]
    text = [" ".join((section.title, *section.keywords, section.body)) for section in sections]
    text += [read_data(name).replace(":", " ") for name in FILES]
    asked = Counter(word for section in sections for name in section.asked for word in words.significant_words(name))
    known = {word for part in text for word in words.significant_words(part)}
    known |= {word for word, count in asked.items() if count >= MIN_COUNT}
    known.update(read_data("stop_words.txt").split())  # the classifier reads them, too
    known.update(CAPABILITY.split())
    said = sorted(word for word in known if word[0].isalnum())
    stems = {word: words.derive_stem(word) for word in said}
    TARGET.write_text(f"{_format(stems)}\n{_format(synonyms)}", encoding="utf-8")


def _format(stems: dict[str, str]) -> str:
    return "".join(f"{word} {stem}\n" for word, stem in sorted(stems.items()))


if __name__ == "__main__":
    main()

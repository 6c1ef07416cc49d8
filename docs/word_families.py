"""Make `lockbots_magic/help/word_families.txt`: stems of Russian words of the help that no rule takes to their root.

Needs pymorphy3 (MIT) with its dictionary, which the package itself does not: run it in an environment of its own, with
`pip install pymorphy3 snowballstemmer`, after new words came into the help.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pymorphy3
import snowballstemmer

ROOT = Path(__file__).parent.parent
HELP = ROOT / "lockbots_magic" / "help"
SOURCES = [HELP / "ru.md", HELP / "synonyms.txt", ROOT / "tests" / "help" / "newcomers.txt"]
FUNCTION_WORDS = {"PREP", "CONJ", "PRCL", "NPRO", "INTJ", None}
RARE_FORMS = {"PRTF", "GRND"}
RARE_TAGS = {"Supr", "Cmp2", "incl", "V-be", "V-ej"}


def main() -> None:
    """Write the file."""
    sys.path.insert(0, str(ROOT))
    from lockbots_magic.help.russian import derive_root  # noqa: PLC0415  # needs the path above

    stem = snowballstemmer.stemmer("russian").stemWord
    dictionary = pymorphy3.MorphAnalyzer()
    families: dict[str, set[str]] = defaultdict(set)
    roots: dict[str, set[str]] = defaultdict(set)
    regular = set()
    for word in sorted(_read_words()):
        parse = dictionary.parse(word)[0]
        if parse.tag.POS in FUNCTION_WORDS or not dictionary.word_is_known(word):
            continue
        root = derive_root(stem(parse.normal_form.replace("ё", "е")))
        for form in parse.lexeme:
            stemmed = stem(form.word.replace("ё", "е"))
            if form.tag.POS in RARE_FORMS or any(tag in form.tag for tag in RARE_TAGS) or len(stemmed) < 2:
                continue
            if derive_root(stemmed) == root:
                regular.add(stemmed)
            else:
                families[root].add(stemmed)
                roots[stemmed].add(root)
    lines = []
    for root, stems in sorted(families.items()):
        if certain := sorted(one for one in stems if len(roots[one]) == 1 and one not in regular):
            lines.append(f"{root}: {' '.join(certain)}\n")
    (HELP / "word_families.txt").write_text("".join(lines), encoding="utf-8")


def _read_words() -> set[str]:
    ignored = set((HELP / "stop_words.txt").read_text(encoding="utf-8").split())
    text = " ".join(path.read_text(encoding="utf-8") for path in SOURCES).lower().replace("ё", "е")
    return set(re.findall(r"[а-я]{3,}", text)) - ignored


if __name__ == "__main__":
    main()

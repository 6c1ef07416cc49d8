"""Local files: finding a file by the name a user typed, and decoding its text."""

from __future__ import annotations

import codecs
import difflib
import re
from contextlib import suppress
from pathlib import Path

from ..errors import UsageError
from ..language import _
from .text import to_one_line

MAX_PATH_LENGTH = 400
"""Characters of a path in a message: what distinguishes files stands at the end."""

_BYTE_ORDER_MARKS = (  # UTF-32 first: its mark starts with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Control characters that text does not contain; those for layout, bell and colour are allowed.
_CONTROL = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f]")
_LANGUAGES = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "ts": "typescript", "rs": "rust",
    "rb": "ruby", "sh": "bash", "yml": "yaml", "md": "markdown", "h": "c", "hpp": "cpp", "cc": "cpp", "kt": "kotlin",
    "cs": "csharp", "jl": "julia", "tex": "latex", "htm": "html", "ps1": "powershell", "txt": "", "log": "",
}  # fmt: skip
"""Names of languages in Markdown, by file suffix, if they differ."""
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile("[\u0400-\u04ff]{2,}")
_RUSSIAN = re.compile("(?:[А-ЯЁ]?[а-яё]+|[А-ЯЁ]{2,})")
_RANK = {letter: rank for rank, letter in enumerate("ъёфэщцюшжхйчбзгьыяупдмклвртсниаео", 1)}
"""Letters of Russian, by how common they are."""
_OTHER_PAGES = ("koi8-r", "cp866")
MAX_SAMPLE = 10_000
"""Bytes from which an encoding is guessed."""
MIN_LEAD = 1.3
"""How much more like Russian a text must be in another encoding than in cp1251."""
CAPITALS = 0.8
"""Weight of words in capitals."""


def find_file(name: str | Path, hint: str) -> Path:
    """Return the path of a file; `~` stands for the home directory.

    Args:
        name: The path as the user typed it.
        hint: Advice for the error message.

    Raises:
        UsageError: There is no such file, or it is not a regular file. The message suggests a file with a similar
            name, or ends with `hint`.
    """
    shown = to_one_line(str(name), MAX_PATH_LENGTH) or "''"
    try:
        path = Path(name).expanduser()
        exists, is_file, is_folder = path.exists(), path.is_file(), path.is_dir()
        is_link = not exists and path.is_symlink()
    except (OSError, RuntimeError, ValueError) as error:  # no permission; unknown user; a NUL character
        raise UsageError(
            _(
                "Can't read {shown}: {error}.",
                shown=shown,
                error=getattr(error, "strerror", None) or str(error).rstrip("."),
            )
        ) from error
    if is_file:
        return path
    if is_folder:
        raise UsageError(_("{shown} is a folder. {hint}", shown=shown, hint=hint))
    if exists:
        raise UsageError(_("{shown} is not a regular file. {hint}", shown=shown, hint=hint))
    if is_link:
        raise UsageError(_("{shown} is a link to a file that does not exist. {hint}", shown=shown, hint=hint))
    similar = _find_similar(path)
    advice = _("Did you mean {similar}?", similar=to_one_line(similar, MAX_PATH_LENGTH)) if similar else hint
    raise UsageError(_("File not found: {shown}. {advice}", shown=shown, advice=advice))


def language_of(file: Path) -> str:
    """Return the name of a file's language in Markdown, by its suffix; ``""`` for plain text."""
    suffix = file.suffix[1:].lower()
    return _LANGUAGES.get(suffix, suffix if re.fullmatch(r"[a-z0-9+]{1,10}", suffix) else "")


def _find_similar(path: Path) -> str | None:
    with suppress(OSError):
        names = difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=1)
        return str(path.with_name(names[0])) if names else None
    return None


def decode_text(data: bytes, *, is_whole: bool = True) -> tuple[str, str] | None:
    """Decode text in an unknown encoding.

    A byte order mark names the encoding. Without one, UTF-8 is tried first; then koi8-r or cp866 if the text would be
    Russian in it and not in cp1251; cp1251 if most non-ASCII words would be wholly Cyrillic, else cp1252; latin-1 where
    these have gaps.

    Args:
        data: Bytes of a file.
        is_whole: False if the file continues; the last character may then be incomplete.

    Returns:
        The text and its encoding; None if the bytes are not text.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            text = _decode(data[len(mark) :], encoding, is_whole=is_whole)
            return None if text is None else (text, encoding)
    if b"\0" in data:
        return None
    for encoding in ("utf-8", _guess_code_page(data), "latin-1"):
        text = _decode(data, encoding, is_whole=is_whole)
        if text is not None:
            return None if _CONTROL.search(text) else (text, encoding)
    return None


def _decode(data: bytes, encoding: str, *, is_whole: bool) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)("strict").decode(data, final=is_whole)
    except UnicodeDecodeError:
        return None


def _guess_code_page(data: bytes) -> str:
    data = data[:MAX_SAMPLE]
    for page in _OTHER_PAGES:
        words = _foreign_words(data, page)
        is_russian = _count(_RUSSIAN, words) * 2 > len(words)
        if is_russian and _likeness(words) > MIN_LEAD * _likeness(_foreign_words(data, "cp1251")):
            return page
    words = _foreign_words(data, "cp1251")
    return "cp1251" if _count(_CYRILLIC, words) * 2 > len(words) else "cp1252"


def _foreign_words(data: bytes, page: str) -> list[str]:
    return [word for word in _WORD.findall(data.decode(page, "replace")) if not word.isascii()]


def _count(pattern: re.Pattern[str], words: list[str]) -> int:
    return sum(len(word) > 1 and pattern.fullmatch(word) is not None for word in words)


def _likeness(words: list[str]) -> float:
    """Return how common the letters of words are in Russian; those of words that can't be Russian count nothing.

    Text in koi8-r has its capitals and small letters exchanged in cp1251, and the other way round: words in capitals
    alone, which are rare, count less.
    """
    ranks = (
        sum(_RANK.get(letter, 0) for letter in word.lower()) * (CAPITALS if word.isupper() else 1)
        for word in words
        if _RUSSIAN.fullmatch(word)
    )
    return sum(ranks) / max(1, sum(map(len, words)))

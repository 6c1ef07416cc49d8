"""Forms of a credential in a text: as it is, and as URLs, HTML, JSON, base64 and hexadecimal digits write it. Pure.

Sources: RFC 3986, section 2.1 (percent-encoding); HTML, section 13.5 (named character references); RFC 8259, section 7
(escapes); RFC 4648, sections 4 and 5 (base64).
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Iterator
from html import escape, unescape
from html.entities import html5
from operator import itemgetter
from urllib.parse import quote, quote_plus, unquote

from ..late_pattern import late_pattern
from .letter_folding import variants

MAX_LAYERS = 3
"""Encodings within encodings that are looked through."""
ENCODED_PARTING = (
    r"\\{1,4}u(?:00[aA][dD]|034[fF]|061[cC]|180[b-fB-F]|20[0-6][0-9a-fA-F]|[fF][eE](?:0[0-9a-fA-F]|[fF]{2}))"
    r"|&(?:amp;){0,3}(?:#(?:0{0,6}(?:173|82(?:0[3-7]|3[4-8]|8[89]|9\d)|6527[89]|650[23]\d)"
    r"|[xX]0{0,6}(?i:ad|200[b-f]|202[a-e]|206[0-9a-f]|fe0[0-9a-f]|feff));?"
    r"|(?:shy|zwj|zwnj|lrm|rlm|ZeroWidthSpace|NoBreak);)"
    r"|%(?:25){0,3}(?i:c2%(?:25){0,3}ad|e2%(?:25){0,3}8[01]%(?:25){0,3}[89ab][0-9a-f]|ef%(?:25){0,3}bb%(?:25){0,3}bf)"
)
"""Pattern of a character that can part a word unseen, as JSON, HTML or a URL writes it."""
MIN_BASE64 = 8
"""Length (characters) from which a form in base64 is searched for: that of the shortest credential has more."""

_USUAL = (("&#10;", "\n"), ("&#x27;", "'"), ("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"))
_ENCODED = late_pattern(r"[%&\\]")
_BACKSLASHES = late_pattern(r"\\\\+")  # begins with a letter, not with a repetition, which `re` searches slowly
_ESCAPE = late_pattern(r"\\(?:u(?![dD][89a-fA-F])[0-9a-fA-F]{2}|x)[0-9a-fA-F]{2}")
_MATHEMATICAL = late_pattern(r"\\u[dD]835\\u([dD][c-fC-F][0-9a-fA-F]{2})")
"""Surrogates of a mathematical letter, see `letter_folding`."""
_ESCAPED = late_pattern(r"\\([!-/:-@\[-`{-~])")


def literal_forms(value: str) -> tuple[str, ...]:
    """Return the forms in which a credential stands where one encoder wrote all of it, longest first.

    The order matters: a form may end as a longer one does, and half an escape must not stay.
    """
    in_json = json.dumps(value)[1:-1]
    in_nested_json = json.dumps(in_json)[1:-1]  # such as the arguments of a call, in a file
    in_urls = {quote(value, safe=""), quote(value), quote_plus(value)}
    lower = {re.sub("%..", lambda code: code[0].lower(), form) for form in in_urls}
    in_html = {escape(value), escape(value).replace("&#x27;", "&#39;").replace("&quot;", "&#34;")}
    codes = {"".join(map(pattern.format, value.encode())) for pattern in ("%{:02X}", "%{:02x}", "&#{};", "&#x{:x};")}
    in_base64 = {*base64_forms(value)}
    encoded = {form for core in in_base64 for form in _encoded_base64(core)}
    in_hex = {value.encode().hex(), value.encode().hex().upper()}
    forms = {value, in_json, in_nested_json, *in_hex, *in_urls, *lower, *in_html, *codes, *in_base64, *encoded}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def letter_pattern(letter: str, *, folded: bool = False) -> str:
    """Return a pattern of one letter of a credential, in any encoding and up to a few of them in layers.

    Args:
        letter: The letter.
        folded: Whether it may be in the other case, or styled.
    """
    styles = variants(letter) if folded else letter
    return f"(?:{_encoded_letter(letter)}{''.join(_styled_letter(one) for one in styles[1:])})"


def _styled_letter(letter: str) -> str:
    if letter.isascii():
        return f"|{_encoded_letter(letter)}"
    units = letter.encode("utf-16-be").hex()
    in_json = "".join(rf"\\{{1,4}}u{units[at : at + 4]}" for at in range(0, len(units), 4))
    return f"|{letter}|(?i:{in_json})"


def _encoded_letter(letter: str) -> str:
    code = ord(letter)
    # No repetition is open-ended: one pattern after the other, they would take quadratic time.
    named = "".join(f"|&(?:amp;){{0,3}}{re.escape(name)}" for name in _names_of(letter))
    backslashes = "" if letter.isalnum() else r"\\{0,4}"
    space = r"|\+" if letter == " " else ""
    digits = f"(?i:{code:02x})"
    return (
        rf"{backslashes}{re.escape(letter)}|%(?:25){{0,3}}{digits}|&(?:amp;){{0,3}}#0{{0,6}}{code};?"
        rf"|&(?:amp;){{0,3}}#[xX]0{{0,6}}{digits};?|\\{{1,4}}(?:u00|x){digits}{named}{space}"
    )


def decode(text: str) -> str:
    """Return `text` with what its encodings stand for, as far as they can hide an ASCII letter.

    Example:
        >>> decode("%2573k-&amp;#49;")
        'sk-1'
    """
    for _ in range(MAX_LAYERS):
        if not _ENCODED.search(text):
            break
        before = text
        text = unquote(text) if "%" in text else text
        text = without_references(text)
        if "\\" in text:
            text = _MATHEMATICAL.sub(
                lambda match: chr(0x1D400 + int(match[1], 16) - 0xDC00), _BACKSLASHES.sub(r"\\", text)
            )
            text = _ESCAPED.sub(itemgetter(1), _ESCAPE.sub(lambda match: chr(int(match[0][2:], 16)), text))
        if text == before:
            break
    return text


def without_references(text: str) -> str:
    """Return HTML with its character references replaced, also those that this uncovers.

    The usual ones are replaced first: `html.unescape` takes some microseconds for each, and code is full of them.

    Example:
        >>> without_references("a &lt;&#98;&gt; &amp;amp;")
        'a <b> &'
    """
    for reference, letter in _USUAL:
        if reference in text:
            text = text.replace(reference, letter)
    return unescape(text) if "&" in text else text


def is_encoded(text: str) -> bool:
    """Tell whether `text` may hold a letter in another form."""
    return "%" in text or "&" in text or "\\" in text


def base64_forms(value: str) -> Iterator[str]:
    """Yield the letters of base64 that depend on the credential alone, wherever in the encoded bytes it stands."""
    raw = value.encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        first = -(-before * 8 // 6)  # letters that share bits with what stands before
        last = (before + len(raw)) * 8 // 6  # the next one shares bits with what stands after
        core = encoded[first:last]
        if len(core) >= MIN_BASE64:
            yield core
            yield core.translate({ord("+"): "-", ord("/"): "_"})


def _encoded_base64(core: str) -> Iterator[str]:
    """Yield base64 as it stands in a URL, in JSON of PHP, and in HTML as numbers."""
    yield quote(core, safe="")
    yield core.replace("/", "\\/")
    yield "".join(f"&#{ord(letter)};" for letter in core)


@functools.cache
def _names_of(letter: str) -> Iterable[str]:
    """Return the names by which HTML refers to `letter`, longest first."""
    return sorted((name for name, text in html5.items() if text == letter), key=len, reverse=True)

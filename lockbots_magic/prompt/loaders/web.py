"""Loader of web pages: ``https://...`` and ``http://...``."""

from __future__ import annotations

import re
from html import unescape

from ...conversation.cancellation import Cancellation
from ...errors import UsageError
from ...language import _
from ...providers.http.page import WebPage, fetch_page
from ...providers.http.request import display_url
from ..html_text import html_text
from ..local_files import decode_text

_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/|application/(json|xml|javascript|x-yaml|yaml|toml|x-ipynb\+json|.*\+(json|xml)$)")
_HEAD = 4_096
"""Bytes in which a page names its encoding."""
_TITLE_HEAD = 100_000
"""Characters in which a page has its title."""


def load_https(argument: str) -> tuple[str, str]:
    """Web page as text: https://HOST/PATH; no redirects to private addresses."""
    return _load(f"https:{argument}")


def load_http(argument: str) -> tuple[str, str]:
    """Web page as text, unencrypted: http://HOST/PATH; no redirects to private addresses."""
    return _load(f"http:{argument}")


def _load(url: str) -> tuple[str, str]:
    page = fetch_page(url, Cancellation())
    text = _decode(page)
    if page.content_type not in _HTML:
        return text, f"Page {display_url(page.url)}"
    match = _TITLE.search(text[:_TITLE_HEAD])
    title = " ".join(unescape(match[1]).split()) if match else ""
    shown = f"{title} ({display_url(page.url)})" if title else display_url(page.url)
    return html_text(text), f"Page {shown}"


def _decode(page: WebPage) -> str:
    """Return the text of a page, in the encoding that its header or its beginning names."""
    if page.content_type and page.content_type not in _HTML and not _TEXT.match(page.content_type):
        raise UsageError(
            _(
                "{url} is not text but {content_type}. Download it, and give the file's name.",
                url=display_url(page.url),
                content_type=page.content_type[:60],
            )
        )
    named = page.charset or (match[1].decode("ascii") if (match := _CHARSET.search(page.body[:_HEAD])) else "")
    if named:
        try:
            return page.body.decode(named, "replace")
        except LookupError:  # an unknown encoding
            pass
    found = decode_text(page.body, is_whole=page.is_whole)
    if found is None:
        raise UsageError(_("{url} is not text. Download it, and give the file's name.", url=display_url(page.url)))
    return found[0]

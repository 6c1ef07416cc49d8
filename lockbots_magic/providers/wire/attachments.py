"""What a reply holds besides text: images that the model made, and the sources that it cites. Pure.

Wire facts: the references of OpenRouter ("Image generation", "Web search"), OpenAI ("Chat completion object":
``annotations``), Perplexity (``citations``, ``search_results``), xAI (``citations``), Azure OpenAI on your data
(``context.citations``) and Gemini (``inlineData``), and observed responses. Nothing is fetched.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from ...conversation.attachments import CitationPart, ImagePart
from ...language import _
from ...security.control_characters import printable
from ...security.links import host_of
from ...security.pictures import MAX_PICTURE, embed_picture

MAX_IMAGES = 16
"""Images of one answer."""
MAX_IMAGE_BYTES = 24_000_000
"""Bytes (as base64) of the images of one answer."""
MAX_CITATIONS = 100
"""Sources of one answer."""
MAX_ADDRESS = 2_000
"""Characters of the address of a source or an image."""
MAX_TITLE, MAX_QUOTE = 300, 500
"""Characters to which the title of a source and its quote are cut."""

_IMAGE_PARTS = frozenset({"image", "image_url", "output_image", "image_generation_call"})
_BODY_KEYS = frozenset({"images", "annotations", "citations", "search_results", "context"})
_CHUNK_KEYS = frozenset({"citations", "search_results"})
_ADDRESSES = ("url", "uri", "source_url", "link", "filepath", "source")
_TITLES = ("title", "document_title", "name", "filename", "site_name")
_QUOTES = ("content", "snippet", "text", "quote", "cited_text")


class AttachmentCollector:
    """Collects the images and sources of one answer, each once: servers repeat them in every chunk.

    Example:
        >>> collector = AttachmentCollector()
        >>> collector.feed({"citations": ["https://example.org"]}, {})
        (CitationPart(url='https://example.org', title='', quote=''),)
        >>> collector.feed({"citations": ["https://example.org"]}, {})
        ()
    """

    def __init__(self) -> None:
        self._images: set[str] = set()
        self._size = 0
        self._sources: set[str] = set()

    def feed(self, chunk: Mapping[str, Any], body: Mapping[str, Any]) -> tuple[ImagePart | CitationPart, ...]:
        """Return what is new in a chunk.

        Args:
            chunk: The chunk, as parsed.
            body: The delta or the message in it.
        """
        has_fields = not (_BODY_KEYS.isdisjoint(body) and _CHUNK_KEYS.isdisjoint(chunk))
        if not (has_fields or isinstance(body.get("content"), list)):
            return ()  # nearly all chunks
        found: list[ImagePart | CitationPart] = []
        found += [image for image in find_images(body) if self._is_new_image(image)]
        found += [source for source in find_citations(chunk, body) if self._is_new_source(source)]
        return tuple(found)

    def _is_new_image(self, image: ImagePart) -> bool:
        key = image.url or image.omitted
        if key in self._images or len(self._images) >= MAX_IMAGES or self._size + len(key) > MAX_IMAGE_BYTES:
            return False
        self._images.add(key)
        self._size += len(key)
        return True

    def _is_new_source(self, source: CitationPart) -> bool:
        key = source.url or source.title
        if key in self._sources or len(self._sources) >= MAX_CITATIONS:
            return False
        self._sources.add(key)
        return True


def find_images(body: Mapping[str, Any]) -> Iterator[ImagePart]:
    """Yield the images of a message or delta: in `images`, and among the parts of its content."""
    images = body.get("images")
    for image in images if isinstance(images, list) else [images] if isinstance(images, dict) else []:
        if part := parse_image(image):
            yield part
    content = body.get("content")
    for part in content if isinstance(content, list) else ():
        if isinstance(part, dict) and _is_image(part) and (image := parse_image(part)):
            yield image


def _is_image(part: Mapping[str, Any]) -> bool:
    kind = part.get("type")
    return (isinstance(kind, str) and kind in _IMAGE_PARTS) or "inlineData" in part or "inline_data" in part


def parse_image(value: Any) -> ImagePart | None:
    """Return the image that `value` describes, in any form; None if it describes none.

    One that can't be kept (SVG, too large, no image at all) has the reason in `omitted`. An address on the web is kept
    as it is.
    """
    source = _image_source(value)
    if not source:
        return None
    try:
        return ImagePart(_checked_address(source) if source[:4].lower() == "http" else _embedded(source))
    except ValueError as error:
        return ImagePart("", str(error))


def _checked_address(address: str) -> str:
    if len(address) <= MAX_ADDRESS and address.isprintable() and host_of(address) is not None:
        return address
    raise ValueError(_("invalid address"))


def _embedded(source: str) -> str:
    """Return the ``data:`` URL of base64, or of another such URL, with the type that the content has.

    Raises:
        ValueError: It can't be kept; the message says why.
    """
    head, comma, data = source.partition(",")
    if not comma:
        head, data = "data:;base64", source
    if not head.lower().startswith("data:"):
        raise ValueError(_("invalid address"))
    if not head.lower().endswith(";base64"):
        raise ValueError(_("an SVG image") if "svg" in head.lower() else _("not base64"))
    if len(data) > MAX_PICTURE * 3 // 2:
        raise ValueError(_("larger than {megabytes} MB", megabytes=MAX_PICTURE // 1000000))
    try:
        decoded = base64.b64decode("".join(data.split()).replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error:
        raise ValueError(_("not base64")) from None
    return embed_picture(decoded)


def _image_source(value: Any) -> str:
    """Return the address or the base64 of an image, wherever it stands."""
    for _unused in range(4):  # such as {"image_url": {"url": ...}}
        if isinstance(value, str):
            return value.strip()
        if not isinstance(value, dict):
            return ""
        keys = ("image_url", "inlineData", "inline_data", "source", "image", "url", "b64_json", "data", "result")
        value = next((value[key] for key in keys if value.get(key)), None)
    return ""


def find_citations(chunk: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[CitationPart]:
    """Yield the sources that a chunk cites; those with a title come first, as the others may repeat them."""
    context = body.get("context")
    lists = [
        body.get("annotations"),
        chunk.get("search_results"),
        body.get("search_results"),
        context.get("citations") if isinstance(context, dict) else None,
        body.get("citations"),
        chunk.get("citations"),
    ]
    for rows in lists:
        for row in rows[: 10 * MAX_CITATIONS] if isinstance(rows, list) else ():
            if source := parse_citation(row):
                yield source


def parse_citation(value: Any) -> CitationPart | None:
    """Return the source that `value` describes, in any form; None if it names neither an address nor a title.

    An address that does not lead to the web is no address: it is kept as the title, if there is none.
    """
    if isinstance(value, str):
        value = {"url": value}
    if not isinstance(value, dict):
        return None
    for key in ("url_citation", "file_citation", "web"):
        if isinstance(value.get(key), dict):
            value = {**value, **value[key]}
    given = _first_text(value, _ADDRESSES, MAX_ADDRESS + 1)
    is_web = len(given) <= MAX_ADDRESS and given.isprintable() and " " not in given and host_of(given) is not None
    title = _first_text(value, _TITLES, MAX_TITLE) or ("" if is_web else given[:MAX_TITLE])
    if not (is_web or title):
        return None
    return CitationPart(given if is_web else "", title, _first_text(value, _QUOTES, MAX_QUOTE))


def _first_text(value: Mapping[str, Any], keys: tuple[str, ...], most: int) -> str:
    """Return the first text among `keys`, on one line, cut to `most` characters."""
    for key in keys:
        text = value.get(key)
        if isinstance(text, str) and (line := " ".join(printable(text[: 8 * most]).split())):
            return line[:most]
    return ""

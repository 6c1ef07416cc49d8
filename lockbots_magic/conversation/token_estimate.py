"""Estimates of tokens, before a service counts them."""

from __future__ import annotations

import math

from .documents import PDF, SentDocument

TOKENS_PER_MESSAGE = 4
"""Overhead of a message in tokens, besides its text; typical of the tokenizers of chat models."""
TOKENS_PER_IMAGE = 1000
"""Estimated tokens of an image: most services count 700 to 1,500 for one megapixel."""


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of `text`: about one for every four bytes of UTF-8, in most scripts."""
    return math.ceil(len(text.encode("utf-8", "surrogatepass")) / 4)


def estimate_document_tokens(document: SentDocument) -> int:
    """Estimate the tokens of a document: of its text, and of an image of each page where the file is sent.

    Wire facts: OpenAI, "File inputs", and Anthropic, "PDF support": both read the text and an image of each page.
    """
    pages = (document.pages or 1) if document.has_file and document.media_type == PDF else 0
    return estimate_tokens(document.text) + TOKENS_PER_IMAGE * pages

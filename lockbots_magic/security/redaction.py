"""Removal of credentials from text, HTML and Markdown, whole or in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .control_characters import has_parting, without_parting
from .secrets import MAX_HELD, Secret
from .secrets_in_use import secrets_in_use
from .visible_text import TextViews, text_of_html, text_of_markdown, unwrapped, without_parting_references


def secrets_in(text: str) -> bool:
    """Tell whether `text` holds a credential that is in use."""
    return bool(secrets_shown(text, secrets_in_use()))


def secrets_shown(text: str, secrets: Iterable[Secret]) -> list[Secret]:
    """Return those of `secrets` that `text` holds."""
    secrets = list(secrets)
    if not secrets:
        return []
    views = TextViews.of(text)
    return [secret for secret in secrets if secret.shows_in(text, views)]


def redact(text: str, secrets: Sequence[Secret]) -> str:
    """Mask `secrets` in `text`.

    Args:
        text: The text.
        secrets: The credentials, longest first.
    """
    if not secrets:
        return text
    views = TextViews.of(text)  # once for all of them
    for secret in secrets:
        text = secret.mask(text, views)
    return text


def redact_html(html: str, secrets: Sequence[Secret]) -> str:
    """Mask `secrets` in `html`: in attributes, in text, and where tags part the text."""
    return _redact_markup(html, secrets, text_of_html, Secret.redact_across_tags)


def redact_markdown(markdown: str, secrets: Sequence[Secret]) -> str:
    """Mask `secrets` in `markdown`, also where a backslash or an entity stands for a character."""
    return _redact_markup(markdown, secrets, text_of_markdown, Secret.redact_escaped)


def redacted(text: str) -> str:
    """Mask every credential in use that is `Secret.is_searched` in `text`."""
    return redact(text, secrets_in_use())


def _redact_markup(
    markup: str, secrets: Sequence[Secret], text_of: Callable[[str], str], mask: Callable[[Secret, str], str]
) -> str:
    """Mask `secrets` as they are written, and by `mask` where only the text that `text_of` finds shows them."""
    if not secrets:
        return markup
    parted = has_parting(markup)
    markup = redact(markup, secrets)
    visible = text_of(markup)
    if parted or "&" in markup:
        visible = without_parting(visible)
    letters = unwrapped(visible)
    for secret in secrets:
        if secret.is_text_of(visible, letters):
            markup = mask(secret, without_parting_references(markup))
    return markup


class Redactor:
    """Masks one credential in text that arrives in pieces.

    Args:
        secret: The credential; None, or one that is not `Secret.is_searched`, lets all text pass.
    """

    def __init__(self, secret: Secret | None) -> None:
        self._secret = secret if secret is not None and secret.is_searched else None
        self._held = ""

    def feed(self, text: str) -> str:
        """Return the text that is safe by now; hold back an end that may begin the credential."""
        if self._secret is None or not (self._held or self._secret.may_begin_in(text)):
            return text
        text = self._secret.redact(self._held + text)
        begun = self._secret.begun_at_end_of(text)
        held = text[len(text) - begun :]
        # A server may part a credential by any number of them; dropped, they can't fill the memory.
        self._held = held if begun <= MAX_HELD else without_parting(held)
        return text[: len(text) - begun]

    def close(self) -> str:
        """Return the text that was held back."""
        held, self._held = self._held, ""
        return held

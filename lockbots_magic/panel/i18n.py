"""Texts of the panel in each language.

The page picks the language, unless one was set in the kernel. Notifications of the kernel carry a key of `texts.TEXTS`,
so that the page can translate them, and the text itself for other readers of the messages.
"""

from __future__ import annotations

import functools
from typing import Any

from ..errors import UsageError
from ..language import _, available_languages, catalogue, plural_forms
from .texts import TEXTS


@functools.cache
def page_texts() -> dict[str, dict[str, Any]]:
    """Return what the page needs to speak each language.

    Returns:
        For each language: ``texts``, by key, a text with a number as the list of its plural forms; and ``plurals``, the
        index of the form for each number, see `language.plural_forms`.
    """
    return {code: {"texts": _texts(code), "plurals": plural_forms(code)} for code in available_languages()}


def _texts(code: str) -> dict[str, str | list[str]]:
    translations = catalogue(code)
    numbers = {form: plural_forms(code).index(form) for form in sorted(set(plural_forms(code)))}
    return {
        key: translations.gettext(text)
        if isinstance(text, str)
        else [translations.ngettext(*text, n) for n in numbers.values()]
        for key, text in TEXTS.items()
    }


def translatable(key: str, **values: str) -> dict[str, Any]:
    """Return a text for a `notification` message.

    Args:
        key: Key of the text in `texts.TEXTS`.
        **values: Values of its placeholders.

    Returns:
        The `text` in the current language, and `key` and `values` for the page to translate it.
    """
    text = TEXTS[key]
    return {"text": _(text if isinstance(text, str) else text[1], **values), "key": key, "values": values}


class RefusedError(UsageError):
    """The panel refuses a request, for a reason that the page can translate.

    Args:
        key: Key of the reason in `texts.TEXTS`.
        **values: Values of its placeholders.
    """

    def __init__(self, key: str, **values: str) -> None:
        self.reason = translatable(key, **values)
        super().__init__(self.reason["text"])

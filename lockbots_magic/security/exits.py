"""The exits: the last step before something leaves the toolkit. Each masks credentials once, on the whole.

Each first removes the characters that must not leave, then masks: the other way round, a credential that such a
character parts would be put together here.

Code that builds a text need not clean its parts; the code that hands the whole on calls one of these.

`clean_bundle`: output of a cell. Called by what calls IPython's `display`: `notebook.display.show` and the panel's
transcript. `clean_bundles` is the same for many outputs, such as those of an exported notebook.

`redact_each`: many texts, such as those of a conversation that is exported.

`clean_metadata`: metadata of an output (`storage.output_metadata`), and the value of a JSON file.

`mask_json`: a line of a cassette.

`clean_text_file`: a document that is exported (`storage.files`).

`clean_message`: message to the panel's page, and synchronised traits. Called in the one place that sends them.

`clean_printed`: text printed to stdout or stderr, error messages (`errors`), warnings, and the text of a
`rendering.table`, which IPython displays itself.

A reply that is written to a terminal or to stdout while it comes passes `providers.base` (credentials, in pieces) and
`rendering.terminal` (control characters) instead.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from .control_characters import encodable, has_surrogates, printable, replace_surrogates, without_controls
from .links import unlinked
from .redaction import redact, redact_html, redact_markdown, secrets_shown
from .secrets import Secret
from .secrets_in_use import secrets_in_use
from .visible_text import text_of_html, text_of_markdown

HTML_KEYS = frozenset({"html", "finished", "open", "reasoning", "rest", "text/html"})
"""Keys under which HTML stands: in messages to the page, and in outputs of a notebook file."""


def clean_bundle(bundle: Mapping[str, Any]) -> dict[str, Any]:
    """Clean an output of a cell, in whichever forms it comes.

    Masks credentials in every form, in HTML also where tags part them, in Markdown also where it escapes
    them. Removes control characters: in plain text also those that reorder a line. Where plain text
    is the only form, JupyterLab shows it and makes links in it, so there only http(s) addresses stay links; beside a
    richer form it stays as the reply has it, to be copied.

    Call it right before the bundle is displayed or stored in a notebook. It is idempotent.

    Args:
        bundle: MIME type to form; a form that is not text is cleaned as `clean_metadata` does.

    Returns:
        A new bundle with the same keys.

    Example:
        >>> clean_bundle({"text/plain": "\\x1b[2Jfile:///etc"})["text/plain"]
        '[2Jfile\\u2060:///etc'
    """
    (cleaned,) = clean_bundles([bundle])
    return cleaned


def clean_bundles(bundles: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Clean outputs as `clean_bundle` does, by one search for credentials in all of them.

    A search costs as much for each text as for some thousand characters of it. What is found is then masked in each
    form on its own.
    """
    tidy = [{kind: _without_controls(kind, form) for kind, form in one.items()} for one in bundles]
    secrets = secrets_in_use()
    if secrets:
        whole = "\n".join(text for one in tidy for kind, form in one.items() for text in _searched(kind, form))
        secrets = secrets_shown(whole, secrets)
    if secrets:
        tidy = [{kind: _mask_form(kind, form, secrets) for kind, form in one.items()} for one in tidy]
    return [_unlinked_alone(one) for one in tidy]


def clean_plain_form(text: str) -> str:
    """Return what `clean_bundle` makes of a `text/plain` that stands beside a richer form.

    For what compares a stored output with the reply it was made from: `storage.output_metadata`.
    """
    return redact(printable(replace_surrogates(text)), secrets_in_use())


def clean_metadata(value: Any) -> Any:
    """Mask credentials in a JSON value, names included, and replace lone surrogates.

    Call it on the whole metadata of an output, or on the value of a JSON file, before it is serialised.

    Args:
        value: What `json.dumps` takes.

    Returns:
        `value` itself if there is nothing to change, else a copy in which tuples are lists.
    """
    whole = "\n".join(_texts(value))
    shown = secrets_shown(whole, secrets_in_use())
    if not shown and not has_surrogates(whole):
        return value
    return _map_text(value, lambda text, _: redact(replace_surrogates(text), shown))


def redact_each(texts: Iterable[str]) -> dict[str, str]:
    """Mask credentials in many texts by one search in all of them.

    Returns:
        Each text that holds a credential, and what to put in its place.
    """
    kept = dict.fromkeys(texts)
    shown = secrets_shown("\n".join(kept), secrets_in_use())
    masked = ((text, redact(text, shown)) for text in kept) if shown else ()
    return {text: clean for text, clean in masked if clean != text}


def mask_json(value: Any) -> Any:
    """Mask credentials in a JSON value, names included, and change nothing else.

    Call it on the whole of what must be read back as it was, such as a line of a cassette.
    """
    shown = secrets_shown("\n".join(_texts(value)), secrets_in_use())
    return _map_text(value, lambda text, _: redact(text, shown)) if shown else value


def clean_text_file(text: str, *, is_html: bool = False) -> str:
    """Mask credentials in a file that people read, and remove control characters.

    Call it on the whole content before it is written. For JSON, call `clean_metadata` on the value instead.

    Args:
        text: The content of the file.
        is_html: True if credentials may be parted by tags.
    """
    secrets = secrets_in_use()
    text = without_controls(replace_surrogates(text))
    return redact_html(text, secrets) if is_html else redact_markdown(text, secrets)


def clean_message(message: Any) -> Any:
    """Clean a message for the panel's page: credentials, control characters, lone surrogates.

    Text under one of `HTML_KEYS` is HTML, which is sanitised already. All other text is shown as text; the page makes
    no links in it.

    Call it in the one place that sends messages, on the whole message.

    Args:
        message: A JSON value.

    Returns:
        A value of the same shape.
    """
    secrets = secrets_in_use()

    def clean(text: str, key: str) -> str:
        text = replace_surrogates(text)
        if key in HTML_KEYS:
            return redact_html(without_controls(text), secrets)
        return redact(printable(text), secrets)

    return _map_text(message, clean)


def clean_printed(text: str) -> str:
    """Clean text that is written to stdout or stderr, or shown as an error message.

    Masks credentials, removes control characters, and leaves no link but http(s): front ends make links in bare text.
    Letters that stdout can't write become question marks.
    """
    return encodable(unlinked(clean_plain_form(text)), sys.stdout)


def _without_controls(kind: str, form: Any) -> Any:
    if not isinstance(form, str):
        return _map_text(form, lambda text, _: replace_surrogates(text))
    return (printable if kind == "text/plain" else without_controls)(replace_surrogates(form))


def _searched(kind: str, form: Any) -> Iterator[str]:
    """Yield the texts to search for credentials: as a form is written, and as it reads."""
    yield from _texts(form)
    if isinstance(form, str) and kind in _READING:
        yield _READING[kind](form)


def _mask_form(kind: str, form: Any, secrets: Sequence[Secret]) -> Any:
    if not isinstance(form, str):
        return _map_text(form, lambda text, _: redact(text, secrets))
    return _MASKING.get(kind, redact)(form, secrets)


def _unlinked_alone(forms: dict[str, Any]) -> dict[str, Any]:
    """Return the forms of an output, without links in a plain text that is the only one."""
    text = forms.get("text/plain")
    return {"text/plain": unlinked(text)} if len(forms) == 1 and isinstance(text, str) else forms


_READING = {"text/html": text_of_html, "text/markdown": text_of_markdown}
_MASKING = {"text/html": redact_html, "text/markdown": redact_markdown}
_NUMBERS = frozenset({int, float, bool, type(None)})


def _texts(value: Any) -> list[str]:
    """Return every text in a JSON value, names of fields too."""
    found: list[str] = []
    _add_texts(value, found)
    return found


def _add_texts(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        found.append(value)
    elif isinstance(value, Mapping):
        _add_texts([*chain.from_iterable(value.items())], found)
    elif isinstance(value, list | tuple):
        for one in value:
            if isinstance(one, str):  # here, since most are
                found.append(one)
            elif type(one) not in _NUMBERS:
                _add_texts(one, found)


def _map_text(value: Any, change: Callable[[str, str], str], key: str = "") -> Any:
    """Return `value` with every text in it changed, names of fields too; `change` takes a text and its key."""
    if isinstance(value, str):
        return change(value, key)
    if isinstance(value, Mapping):
        return {
            change(name, "") if isinstance(name, str) else name: _map_text(one, change, str(name))
            for name, one in value.items()
        }
    return [_map_text(one, change, key) for one in value] if isinstance(value, list | tuple) else value

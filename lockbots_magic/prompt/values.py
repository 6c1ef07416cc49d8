"""Parts of a prompt from values of the notebook, bounded in size."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from ..conversation.turn import Turn
from ..errors import UsageError
from ..language import _
from .arrays import array_part, tensor_part
from .charts import chart_part
from .containers import container_part
from .data_frames import frame_part
from .drawing import find_drawables
from .images import buffered, draw_images
from .mime import bundle_part, displayed_bundle, says_nothing
from .part import PromptPart, get_method, is_instance_of
from .source_code import code_part
from .table_like import table_part
from .text import bounded_repr, to_one_line, truncate, without_run_details
from .tracebacks import format_traceback

MAX_TEXT_LENGTH = 20_000
"""Characters of a repr or of Markdown. Strings are never cut."""
MAX_REPR_ITEMS = 200
"""Items of an array that is written as its repr, in a container."""


def value_part(value: Any) -> PromptPart:
    """Convert a value for a prompt.

    Strings stay whole, and so does what a `StringIO` holds; a turn becomes its reply. Data frames and series become
    Markdown tables of their first and last rows; arrays and containers are bounded; functions and classes become their
    source, exceptions a short traceback, figures and pictures images. Credentials in use are removed. The notes say
    what was left out.

    Raises:
        UsageError: A method of the value failed.
    """
    value = buffered(value)
    try:
        return next(filter(None, (convert(value) for convert in _CONVERTERS))).redact()
    except UsageError:
        raise
    except (Exception, SystemExit) as error:  # methods of the user's classes raise anything
        why = f"{type(error).__name__}: {to_one_line(str(error), 300)}".removesuffix(": ")
        raise UsageError(_("Can't convert a {kind} to text: {why}", kind=type(value).__name__, why=why)) from error


def _convert_text(value: Any) -> PromptPart | None:
    if isinstance(value, Turn):
        return PromptPart(value.reply)
    if isinstance(value, str):
        return PromptPart(str.__str__(value))
    return PromptPart(str(value)) if isinstance(value, PurePath) or is_instance_of(value, "numpy.generic") else None


def _refuse_coroutine(value: Any) -> PromptPart | None:
    if not isinstance(value, Coroutine):
        return None
    value.close()  # it will not be awaited, so that Python need not warn
    raise UsageError(_("It is a coroutine: write `await` before it to send its result."))


def _convert_exception(value: Any) -> PromptPart | None:
    return PromptPart(format_traceback(value)) if isinstance(value, BaseException) else None


def _convert_markdown(value: Any) -> PromptPart | None:
    written = get_method(value, "_repr_markdown_")
    text = written() if written else None
    text = text[0] if isinstance(text, tuple) and text else text  # with metadata
    return _bounded_part(PromptPart(text)) if isinstance(text, str) else None


def _convert_displayed(value: Any) -> PromptPart | None:
    """Convert a value whose repr says nothing by what a notebook displays of it, such as the text of its HTML.

    Otherwise by its own `__str__`, which is also better than a drawing as SVG, or one that fails.
    """
    if not says_nothing(bounded_repr(value, 200)):
        return None
    has_text = any("__str__" in vars(kind) for kind in type(value).__mro__[:-1])
    try:
        bundle = displayed_bundle(value)
    except Exception:
        if not has_text:
            raise
        bundle = {}
    if bundle and not (has_text and {*bundle} == {"image/svg+xml"}):
        return _bounded_part(bundle_part(bundle))
    return _bounded_part(PromptPart(without_run_details(str(value)))) if has_text else None


def _convert_container(value: Any) -> PromptPart | None:
    drawn: dict[int, PromptPart | None] = {}

    def convert_item(item: Any) -> PromptPart | None:
        if type(item).__module__ == "builtins":
            return None
        found = find_drawables(item)
        if len(found) != 1:
            return _convert_item(item)
        if id(found[0]) not in drawn:  # all bars of a plot are in one figure
            drawn[id(found[0])] = draw_images(found[0])
        part = drawn[id(found[0])]
        return part and replace(part, text=bounded_repr(item, MAX_TEXT_LENGTH))

    return container_part(value, convert_item)


def _convert_row(value: Any) -> PromptPart | None:
    """Convert a row of sqlite3, whose repr holds none of its values."""
    if not is_instance_of(value, "sqlite3.Row"):
        return None
    names = value.keys()
    cells = [*zip(names, value, strict=True)]
    return _convert_container(dict(cells) if len({*names}) == len(names) else cells)  # a join has names twice


def _convert_item(value: Any) -> PromptPart | None:
    """Convert an item of a container whose repr says nothing, or leaves out something without a word."""
    is_large = is_instance_of(value, "numpy.ndarray") and value.size > MAX_REPR_ITEMS
    array = array_part(value) if is_large else tensor_part(value)
    table = frame_part(value) or table_part(value) or _convert_row(value)
    return chart_part(value) or table or array or _convert_displayed(value)


def _convert_repr(value: Any) -> PromptPart:
    text = bounded_repr(value, MAX_TEXT_LENGTH)
    notes: tuple[str, ...] = ()
    if isinstance(value, Iterator):
        notes = (_("an iterator was sent by its name; `list(...)` of it sends its items"),)
    elif says_nothing(text):
        notes = (_("only its name was sent, as it has no text of its own"),)
    return _bounded_part(PromptPart(text, notes=notes))


def _bounded_part(part: PromptPart) -> PromptPart:
    text = part.text
    if len(text) <= MAX_TEXT_LENGTH:
        return part
    note = _(
        "only the first {max_text_length:,} of {n:,} characters were sent", max_text_length=MAX_TEXT_LENGTH, n=len(text)
    )
    cut = f"{truncate(text, MAX_TEXT_LENGTH)}\n[… {len(text) - MAX_TEXT_LENGTH:,} more characters]"
    return replace(part, text=cut, notes=(*part.notes, note))


# The first converter that returns a part wins; the last one always does.
_CONVERTERS: tuple[Callable[[Any], PromptPart | None], ...] = (
    _convert_text,
    _refuse_coroutine,
    code_part,
    _convert_exception,
    draw_images,
    chart_part,
    frame_part,
    table_part,
    array_part,
    tensor_part,
    _convert_row,
    _convert_container,
    _convert_markdown,
    _convert_displayed,
    _convert_repr,
)

"""The prompt of each row: a template filled with the columns of the row and the variables around it."""

from __future__ import annotations

import ast
import builtins
import functools
import keyword
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

from ..conversation.documents import NO_DOCUMENTS, DocumentRules
from ..errors import UsageError
from ..language import _
from ..prompt.document_files import DocumentChooser
from ..prompt.files import file_part
from ..prompt.images import check_total_size, image_part
from ..prompt.part import PromptPart
from ..prompt.template import Expression, fill_pieces, split_template
from ..security.redaction import secrets_in
from .rows import VALUE

ROW = "row"
"""Name of the whole row in a template, unless a column has it."""
Filter = Callable[[str], tuple[str, Sequence[str]]]
"""Changes the text of a prompt before it is sent; returns it with notes on what it left out."""


def send_all(text: str) -> tuple[str, Sequence[str]]:
    """Return the text as it is, and no notes."""
    return text, ()


class RowTemplate:
    """A template that is filled for each row. `{{ review }}` is a column; other names are the variables.

    Args:
        template: The prompt, with expressions in double braces.
        columns: Names of the columns, as far as they are known.
        variables: Values of all other names.
        images: Columns that hold an image: a file, a URL, bytes, or a value that can be drawn. What is not a column is
            an image of every row, or the name of a variable that holds one.
        files: Columns that hold the path of a file or document. What is not a column is a file of every row.
        raw: True sends braces as they are.
        keep: Filters each prompt.
        rules: What the service takes of documents.

    Raises:
        UsageError: Text between double braces is not an expression, or names neither a column nor a variable; or an
            image or a file of every row can't be read.
    """

    def __init__(
        self,
        template: str,
        columns: Iterable[str],
        variables: Mapping[str, Any],
        *,
        images: Iterable[Any] = (),
        files: Iterable[Any] = (),
        raw: bool = False,
        keep: Filter = send_all,
        rules: DocumentRules = NO_DOCUMENTS,
    ) -> None:
        if not template.strip():
            raise UsageError(_("The prompt is empty."))
        columns = tuple(columns)
        self._pieces = [template] if raw else split_template(template, lambda text: _column_hint(text, columns))
        self._images, self._files = tuple(images), tuple(files)
        self._variables = variables
        self._filter = keep
        self._rules = rules
        self._is_plain = not (self._images or self._files) and keep is send_all
        self._single = ""
        self._scope: dict[str, Any] = {**variables}
        self._last: tuple[str, ...] = ()
        self._check_names(columns)
        if columns:
            self._check_attachments(columns)

    def fill(self, columns: Mapping[str, Any]) -> PromptPart:
        """Return the prompt of one row.

        Raises:
            UsageError: An expression fails, or a file or an image of the row can't be read.
        """
        self._enter(columns)
        values: deque[Any] = deque()
        if self._is_plain and (text := self._fill_plain(values)) is not None:
            return PromptPart(text)
        pictures = [image_part(self._image_of(one, columns)) for one in self._images]
        urls = tuple(url for part in pictures for url in part.images)
        files = self._read_files(columns, urls) if self._files else []
        filled = fill_pieces(
            self._pieces,
            lambda source: values.popleft() if values else self._evaluate(source),
            images_before=len(urls),
        )
        text, left_out = self._filter("\n\n".join([*(part.text for part in files if part.text), filled.text]))
        notes = [note for part in (*pictures, *files, filled) for note in part.notes]
        images = (*urls, *filled.images)
        documents = tuple(document for part in files for document in part.documents)
        return PromptPart(text, check_total_size(images) if images else (), (*notes, *left_out), documents)

    def _image_of(self, one: Any, columns: Mapping[str, Any]) -> Any:
        if not isinstance(one, str):
            return one
        return columns[one] if one in columns else self._variables.get(one, one)

    def _check_attachments(self, columns: Sequence[str]) -> None:
        """Read the images and files that are those of every row."""
        for one in self._images:
            if not (isinstance(one, str) and one in columns):
                image_part(self._image_of(one, {}))
        for one in self._files:
            if not (isinstance(one, str) and one in columns):
                file_part(_path(one), DocumentChooser(self._rules, (), lambda text: True).choose)

    def _read_files(self, columns: Mapping[str, Any], urls: Sequence[str]) -> list[PromptPart]:
        chooser = DocumentChooser(self._rules, urls, lambda text: not self._filter(text)[1])
        named = (columns.get(one, one) if isinstance(one, str) else one for one in self._files)
        return [file_part(_path(one), chooser.choose) for one in named]

    def _fill_plain(self, values: deque[Any]) -> str | None:
        """Return a prompt whose values are texts and numbers, as most are; None if one is anything else.

        Args:
            values: Gets the values, as no expression is evaluated twice.
        """
        texts = []
        for piece in self._pieces:
            if isinstance(piece, str):
                texts.append(piece)
                continue
            try:
                value = self._evaluate(piece.source)
            except Exception:  # noqa: BLE001  # `fill_pieces` evaluates it again, and says what is wrong
                return None
            values.append(value)
            if type(value) is not str and type(value) is not int and type(value) is not float:
                return None
            try:
                texts.append(str(value))
            except ValueError:  # more digits than Python converts: `fill_pieces` says so
                return None
        text = "".join(texts)
        return None if secrets_in(text) else text

    def _evaluate(self, source: str) -> Any:
        return eval(_compiled(source), self._scope)  # noqa: S307  # the user who writes the prompt also runs the notebook

    def _enter(self, columns: Mapping[str, Any]) -> None:
        """Make the columns of a row the names of the template; those of the last row are gone."""
        names = tuple(columns)
        if names != self._last:
            for name in self._last:
                self._scope.pop(name, None)
            self._scope.update(self._variables)
            self._last = names
        self._scope.update(columns)
        if ROW not in columns:
            self._scope[ROW] = columns[VALUE] if names == (VALUE,) else columns
        if self._single:
            self._scope[self._single] = columns[VALUE]

    def _check_names(self, columns: tuple[str, ...]) -> None:
        for piece in self._pieces:
            if isinstance(piece, str) or _free_names(piece.source):
                continue
            if hint := _column_hint(piece.source, columns):  # a year, or None
                raise UsageError(_("{expression} is a value of Python. {hint}", expression=piece, hint=hint))
        known = {*columns, *self._variables, *vars(builtins), ROW}
        named = [name for piece in self._pieces if isinstance(piece, Expression) for name in _free_names(piece.source)]
        unknown = list(dict.fromkeys(name for name in named if name not in known))
        if columns == (VALUE,) and len(unknown) == 1:
            self._single = unknown[0]  # rows without columns: the one name stands for the row
        elif unknown and columns:
            listed = ", ".join(map(str, columns[:20])) + (", …" if len(columns) > 20 else "")
            error = _(
                "{{{{ {unknown} }}}}: neither a column nor a variable. Columns: {listed}.",
                unknown=unknown[0],
                listed=listed,
            )
            hints = (_column_hint(piece.source, columns) for piece in self._pieces if isinstance(piece, Expression))
            raise UsageError(" ".join(filter(None, (error, next(filter(None, hints), "")))))


def _column_hint(text: str, columns: Sequence[str]) -> str:
    """Return how to write a column whose name is no name of Python; ``""`` if `text` is not one."""
    if text.isidentifier() and not keyword.iskeyword(text):
        return ""
    return _("The column is {{{{ row[{name!r}] }}}}.", name=text) if text in columns and ROW not in columns else ""


def _path(value: Any) -> str | Path:
    if not isinstance(value, str | Path):
        raise UsageError(_("A file must be a path, got a {name}.", name=type(value).__name__))
    return value


@functools.lru_cache(maxsize=256)
def _compiled(source: str) -> CodeType:
    return compile(source, "<prompt>", "eval", dont_inherit=True)


def _free_names(source: str) -> list[str]:
    """Return the names that an expression takes from around it."""
    tree = ast.parse(source.strip(), mode="eval")
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return [node.id for node in names if node.id not in bound]

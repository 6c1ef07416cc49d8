"""What goes into the prompt of a chat cell besides its text: values, files, cells, images, personas and schemas.

`chat_command` imports this for a prompt that has any of it: the first `%%chat` of a kernel seldom has.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..chat import Chat
from ..errors import UsageError
from ..language import _
from ..prompt import cells, files, images, loaders, personas
from ..prompt.document_files import DocumentChooser
from ..prompt.images import check_total_size, image_part
from ..prompt.part import PromptPart
from ..prompt.run_details import find_run_details
from ..prompt.template import evaluate_awaiting, expand_template, make_evaluator
from ..schema.structured_output import ReplySchema, reply_schema
from .notebook_context import NotebookContext
from .secret_filter import filter_prompt
from .session import Session


def gather_material(
    session: Session, options: Namespace, prompt: str, context: NotebookContext, chat: Chat
) -> PromptPart:
    """Return the text to send and what goes with it, with notes on what was cut: files and cells first.

    Raises:
        UsageError: Something that the prompt names doesn't exist, or can't be read.
    """
    pictures = [_image(value, context) for value in options.image]
    urls = [url for part in pictures for url in part.images]
    parts = _files(session, options, context, chat, urls) if options.file else []
    if options.cells:
        history = cells.CellHistory(context.shell, context.displays, source=session.cells.source)
        parts.append(cells.cells_part(options.cells, history, images_before=len(urls)))
        urls += parts[-1].images
    if options.raw:
        parts.append(PromptPart(prompt))
    else:
        parts.append(expand_prompt(session, prompt, context, images_before=len(urls)))
        urls += parts[-1].images
    text = "\n\n".join(part.text for part in parts if part.text)
    notes = tuple(note for part in (*pictures, *parts) for note in part.notes)
    documents = tuple(document for part in parts for document in part.documents)
    return PromptPart(text, images.check_total_size(urls), notes, documents)


def _files(
    session: Session, options: Namespace, context: NotebookContext, chat: Chat, urls: Sequence[str]
) -> list[PromptPart]:
    """Return what `--file` names: files, or what a loader loads."""

    def is_clean(text: str) -> bool:
        return filter_prompt(session, text, context.variables, raw=options.raw)[0] == text

    chooser = DocumentChooser(chat.provider.document_rules(chat.model), urls, is_clean)
    named = [(text, loaders.split_name(text)) for text in options.file]
    return [files.file_part(text, chooser.choose) if name is None else loaders.load_part(*name) for text, name in named]


def recording_notes(
    gathered: str, sent: str, typed: str, images: Sequence[str], context: NotebookContext
) -> tuple[str, ...]:
    """Return a note if a recording of the prompt is known not to be found in another run.

    Args:
        gathered: The prompt with everything that was put into it.
        sent: The same, without secrets.
        typed: The prompt as typed.
        images: What `--image` names.
        context: The notebook.
    """
    is_drawn = "[image " in gathered.replace(typed, "") or any(_is_variable(value, context) for value in images)
    found = find_run_details(sent, typed, is_drawn=is_drawn)
    return (_("the recording may not be found in another run: the prompt holds {found}", found=found),) if found else ()


def _is_variable(value: str, context: NotebookContext) -> bool:
    name = value.partition(".")[0]
    return name.isidentifier() and name in context.variables


def _image(value: str, context: NotebookContext) -> PromptPart:
    known = _is_variable(value, context)
    if not known and value.isidentifier() and not Path(value).exists():
        raise UsageError(_("--image: there is no variable and no file {value!r}.", value=value))
    return image_part(context.value(value, "--image")).label_notes(value) if known else image_part(value)


def expand_prompt(session: Session, prompt: str, context: NotebookContext, *, images_before: int = 0) -> PromptPart:
    """Return a prompt with its expressions in double braces replaced by their values.

    Args:
        session: State of the magics.
        prompt: The prompt as typed.
        context: The notebook.
        images_before: Number of images that the prompt has already.

    Raises:
        UsageError: If an expression fails; the message names it.
    """
    evaluate = context.awaited or evaluator_of(session, context)
    part = expand_template(prompt, evaluate, images_before=images_before)
    check_total_size(part.images)
    return part


async def await_expressions(session: Session, prompt: str, context: NotebookContext) -> NotebookContext:
    """Evaluate the expressions of a prompt on the loop that runs the cell; return the context with their values.

    Raises:
        UsageError: If text between double braces is no expression.
    """
    failed = session.cells.last_error
    awaited = await evaluate_awaiting(prompt, context.as_typed(), failed[0] if failed else None)
    return replace(context, awaited=awaited)


def persona_text(session: Session, named: str, context: NotebookContext) -> str:
    """Return the system prompt of the persona that `@NAME` names.

    Raises:
        UsageError: If there is no such persona, or it lacks a parameter.
    """
    evaluate = evaluator_of(session, context)
    return personas.resolve_persona(named, session.settings.personas, session.persona_folders(), evaluate)


def evaluator_of(session: Session, context: NotebookContext) -> Callable[[str], Any]:
    """Return a function that evaluates expressions of the notebook."""
    failed = session.cells.last_error
    return make_evaluator(context.as_typed(), failed[0] if failed else None)


def schema_of(session: Session, options: Namespace, context: NotebookContext) -> ReplySchema:
    """Return what `--as json` and `--schema` demand of the reply."""
    if not options.schema:
        return reply_schema()
    return reply_schema(evaluate_option(session, context, "--schema", options.schema))


def evaluate_option(session: Session, context: NotebookContext, option: str, source: str) -> Any:
    """Return the value of an expression that is an option's value.

    Raises:
        UsageError: If it fails; the message names the option.
    """
    try:
        return evaluator_of(session, context)(source)
    except Exception as error:
        raise UsageError(
            _(
                "{option}: {source!r} failed: {kind}: {error}",
                option=option,
                source=source,
                kind=type(error).__name__,
                error=error,
            )
        ) from error

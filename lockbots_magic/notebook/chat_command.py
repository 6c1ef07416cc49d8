"""The chat cell that the options of `%%chat` and `%chat` describe."""

from __future__ import annotations

import keyword
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..cassette.active import cassette_of
from ..chat import Chat
from ..conversation.conversation import Conversation
from ..errors import UsageError
from ..language import _
from ..prompt import cells, files, images, loaders, personas
from ..prompt.document_files import DocumentChooser
from ..prompt.images import check_total_size, image_part
from ..prompt.magic_line import parse_assignments
from ..prompt.part import PromptPart
from ..prompt.run_details import find_run_details
from ..prompt.template import evaluate_awaiting, expand_template, make_evaluator
from ..providers import names
from ..reply import PreparedRequest
from ..schema.structured_output import ReplySchema, reply_schema
from .secret_filter import filter_prompt
from .session import Session
from .tool_options import check_tool, parse_approve, parse_limits, split_names

if TYPE_CHECKING:
    from .display_recorder import DisplayRecorder


ONLY_EACH = {
    "keep": "--keep",
    "budget": "--budget",
    "active": "--active",
    "rpm": "--rpm",
    "tpm": "--tpm",
    "sample": "--sample",
    "through": "--through",
}
"""Options that only `--each` has: attribute -> option."""


def prompt_of(text: str, cell: str | None, *, of_rows: bool = False) -> str:
    """Return the prompt: the text after `%chat`, or the cell below `%%chat`.

    Args:
        text: What follows the options.
        cell: The text below; None for `%chat`.
        of_rows: Whether `--each` is given, which takes an expression.

    Raises:
        UsageError: If there is none, or there is text where only options go.
    """
    if cell is None:
        if not text:
            raise UsageError(
                _("The prompt is empty. Write it after `%chat` or below `%%chat`; `%chat -h` lists the options.")
            )
        return text
    if text:
        hint = _(" Did you mean `-m {text}`?", text=text) if text.partition(":")[0] in names() else ""
        hint = hint or (_(' Quote an expression with spaces: --each "df[df.x > 1]".') if of_rows else "")
        raise UsageError(_("The first line of %%chat takes options only; the prompt goes below it.{hint}", hint=hint))
    return cell.strip("\n")


@contextmanager
def no_stale_value(variables: MutableMapping[str, Any], name: str | None) -> Iterator[None]:
    """Delete a variable if the block fails, so that its old value doesn't pass for the reply of a failed cell.

    Args:
        variables: The notebook's namespace.
        name: Variable for the reply, if there is one.
    """
    try:
        yield
    except Exception:
        variables.pop(name or "", None)
        raise


@dataclass(frozen=True)
class NotebookContext:
    """What a prompt may take from its notebook.

    Args:
        variables: The notebook's namespace.
        shell: The running IPython; its history holds the cells.
        displays: What the cells have displayed.
        watched: True if output is live.
    """

    variables: Mapping[str, Any]
    shell: Any = None
    displays: DisplayRecorder | None = None
    watched: bool = False
    awaited: Callable[[str], Any] | None = None
    """Gives the values of the prompt's expressions, which were awaited before; None evaluates them."""

    def as_typed(self) -> Mapping[str, Any]:
        """Return the variables, with the cells in `In` as they were typed: IPython keeps there what it made of them."""
        history: Any = getattr(self.shell, "history_manager", None)
        is_its_own = history is not None and self.variables.get("In") is history.input_hist_parsed
        return {**self.variables, "In": history.input_hist_raw} if is_its_own else self.variables

    def value(self, name: str, option: str) -> Any:
        """Return the value of a variable or of its attributes, such as ``obj.method``.

        Raises:
            UsageError: If it doesn't exist, or reading it failed; the message names the `option` and the cause.
        """
        first, *attributes = name.strip().split(".")
        if first not in self.variables:
            raise UsageError(_("{option}: the notebook has no {first!r}. Define it first.", option=option, first=first))
        value = self.variables[first]
        try:
            for attribute in attributes:
                value = getattr(value, attribute)
        except Exception as error:  # noqa: BLE001  # an attribute may be a property that raises anything
            raise UsageError(
                _(
                    "{option}: reading {expression!r} failed: {kind}: {error}",
                    option=option,
                    expression=name.strip(),
                    kind=type(error).__name__,
                    error=error,
                )
            ) from None
        return value


@dataclass(frozen=True)
class Destination:
    """What becomes of a reply besides being shown."""

    form: str | None = None
    """One of `options.FORMS`: text, code or json; None formats it as Markdown."""
    variable: str | None = None
    """Variable for the text, the code or the JSON value."""
    notes: tuple[str, ...] = ()
    """What was cut from the prompt's material, a line each; shown below the reply."""
    saved: bool = True
    """False for a prompt outside every conversation."""
    alone: bool = True
    """True if the cell shows nothing but this reply, as far as its options tell."""
    schema: ReplySchema | None = None
    """What the reply must fit; its variable then has the JSON value."""
    replaces: str = ""
    """Code that the code of the reply corrects; the changes are shown in its place."""
    old: Mapping[str, Any] = field(default_factory=dict)
    """The variable with its old value, if it had one: it is back if the user stops the reply before the first word."""


@dataclass(frozen=True)
class ChatCell:
    """A prompt with all that goes with it, ready to be prepared and sent."""

    chat: Chat
    prompt: str
    options: Mapping[str, Any]
    """Options of `Chat.prepare`."""
    destination: Destination = Destination()
    schema: ReplySchema | None = None
    """What the reply must fit, with ``--as json``."""
    background: bool = False

    def prepare(self) -> PreparedRequest:
        """Prepare the request; errors as for `Chat.prepare`."""
        return self.chat.prepare(self.prompt, **self.options)

    def prepare_correction(self, complaint: str) -> PreparedRequest:
        """Prepare a request that tells the model what was wrong with its last reply."""
        options = {name: value for name, value in self.options.items() if name not in ("images", "documents")}
        if self.schema is not None:
            options["schema"] = self.schema.as_stated()
        return self.chat.prepare(complaint, **options)


def chat_cell(session: Session, options: Namespace, prompt: str, context: NotebookContext) -> ChatCell:
    """Build the chat cell that the options and the prompt describe.

    Raises:
        UsageError: If an option is invalid, or what it names doesn't exist; nothing was sent.
    """
    _check(options)
    chat = session.chat(options.model, options.base_url, options.conversation, options.dialect, options.send_documents)
    chat.params.update(params_of(options))
    chat.log = not options.no_log
    material = _material(session, options, prompt, context, chat)
    text, images, cuts = material.text, material.images, material.notes
    is_drawn = "[image " in text.replace(prompt, "") or any(_is_variable(value, context) for value in options.image)
    text, secrets = filter_prompt(session, text, context.variables, raw=options.raw)
    cuts = (*cuts, *_recording_notes(chat, text, prompt, is_drawn=is_drawn))
    system = system_of(session, options.system, chat, context)
    if system:
        system, more = filter_prompt(session, system, context.variables, raw=options.raw)
        secrets += more
    schema = _reply_schema(session, options, context)
    saved = not options.no_history
    history = saved
    if schema is not None and not saved:  # corrections need history: a conversation of their own
        chat, history = chat.with_conversation(Conversation("outside", system=chat.conversation.system)), True
    prepared: dict[str, Any] = {
        "system": system,
        "history": history,
        "images": images,
        "documents": material.documents,
        "tools": tools_of(options.tools, context),
        "approve": None if options.approve is None else parse_approve(options.approve, context.variables),
        "limits": None if options.limits is None else parse_limits(options.limits),
        "schema": schema,
        "origin": session.cells.origin(watched=context.watched),
    }
    notes = tuple(dict.fromkeys((*cuts, *secrets)))
    destination = Destination(options.form, options.to, notes, saved)
    return ChatCell(chat, text, prepared, destination, schema, options.background and context.watched)


def _check(options: Namespace) -> None:
    check_target(options)
    only_rows = next((option for name, option in ONLY_EACH.items() if getattr(options, name) is not None), None)
    if only_rows:
        raise UsageError(_("{option} needs --each.", option=only_rows))
    if options.schema and options.form != "json":
        raise UsageError(_("--schema needs --as json."))
    if options.count and not options.dry_run:
        raise UsageError(_("--count needs --dry-run."))
    if options.background and options.form in ("code", "json"):
        raise UsageError(
            _("--as {form} needs the whole reply while the cell runs. Leave out --background.", form=options.form)
        )


def check_target(options: Namespace) -> None:
    """Raise `UsageError` if `--to` names no variable."""
    if options.to and (not options.to.isidentifier() or keyword.iskeyword(options.to)):
        raise UsageError(_("--to takes a variable name, got {to!r}.", to=options.to))


def params_of(options: Namespace) -> dict[str, Any]:
    """Return the parameters that ``-p`` and ``-t`` give."""
    params = parse_assignments(options.param) if options.param else {}
    return params if options.temperature is None else {**params, "temperature": options.temperature}


def _material(session: Session, options: Namespace, prompt: str, context: NotebookContext, chat: Chat) -> PromptPart:
    """Return the text to send and what goes with it, with notes on what was cut: files and cells first."""
    if not (options.file or options.image or options.cells or (not options.raw and "{{" in prompt)):
        return PromptPart(prompt)
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


def _recording_notes(chat: Chat, text: str, typed: str, *, is_drawn: bool) -> tuple[str, ...]:
    """Return a note if a cassette records the prompt and is known not to find it in another run."""
    cassette = cassette_of(chat.provider)
    if cassette is None or cassette.mode == "replay":
        return ()
    found = find_run_details(text, typed, is_drawn=is_drawn)
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


def evaluator_of(session: Session, context: NotebookContext) -> Callable[[str], Any]:
    """Return a function that evaluates expressions of the notebook."""
    failed = session.cells.last_error
    return make_evaluator(context.as_typed(), failed[0] if failed else None)


def system_of(session: Session, given: str | None, chat: Chat, context: NotebookContext) -> str | None:
    """Return the system prompt that the options name; None if the conversation has one of its own."""
    own = given is None and chat.conversation.system  # the chat sends it by itself
    return None if own else resolve_system(session, given, context)


def resolve_system(session: Session, given: str | None, context: NotebookContext) -> str:
    """Return the text of the system prompt: the one given, else the session's; a persona's text for ``@NAME``.

    Raises:
        UsageError: If there is no such persona, or it lacks a parameter.
    """
    given = session.settings.system if given is None else given
    if given.startswith("@@"):  # escape: a text that begins with @
        return given[1:]
    if not given.startswith("@"):
        return given
    return personas.resolve_persona(
        given, session.settings.personas, session.persona_folders(), evaluator_of(session, context)
    )


def tools_of(named: str | None, context: NotebookContext) -> tuple[Any, ...]:
    """Return the tools that `--tools` names."""
    return tuple(check_tool(context.value(name, "--tools"), name) for name in split_names(named or ""))


def _reply_schema(session: Session, options: Namespace, context: NotebookContext) -> ReplySchema | None:
    if options.form != "json":
        return None
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

"""The chat cell that the options of `%%chat` and `%chat` describe."""

from __future__ import annotations

import keyword
from argparse import Namespace
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..cassette.active import cassette_of
from ..chat import Chat
from ..conversation.conversation import Conversation
from ..conversation.model_names import GUIDE
from ..errors import UsageError
from ..importing import without_collector
from ..language import _
from ..late_dataclass import late_dataclass
from ..prompt.magic_line import parse_assignments
from ..prompt.part import PromptPart
from ..providers import names
from ..reply import PreparedRequest
from .notebook_context import NotebookContext
from .secret_filter import filter_prompt
from .session import Session
from .tool_options import check_tool, parse_approve, parse_limits, split_names

if TYPE_CHECKING:
    from ..schema.structured_output import ReplySchema


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
NEEDED = ("In", "Out", "get_ipython", "__builtins__", "__builtin__")
"""Variables without which IPython does not run cells."""


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
        if name not in NEEDED:
            variables.pop(name or "", None)
        raise


@late_dataclass(frozen=True)
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


@late_dataclass(frozen=True)
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
    if options.form == "json" and not options.dry_run:
        check_answers_json(chat)
    material = PromptPart(prompt)
    if options.file or options.image or options.cells or (not options.raw and "{{" in prompt):
        material = load_material().gather_material(session, options, prompt, context, chat)
    text, secrets = filter_prompt(session, material.text, context.variables, raw=options.raw)
    cuts, cassette = material.notes, cassette_of(chat.provider)
    if cassette is not None and cassette.mode != "replay":
        cuts += load_material().recording_notes(material.text, text, prompt, options.image, context)
    system = system_of(session, options.system, chat, context)
    if system:
        system, more = filter_prompt(session, system, context.variables, raw=options.raw)
        secrets += more
    schema = load_material().schema_of(session, options, context) if options.form == "json" else None
    saved = not options.no_history
    history = saved
    if schema is not None and not saved:  # corrections need history: a conversation of their own
        chat, history = chat.with_conversation(Conversation("outside", system=chat.conversation.system)), True
    prepared: dict[str, Any] = {
        "system": system,
        "history": history,
        "images": material.images,
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


def load_material() -> ModuleType:
    """Return the module `prompt_material`."""
    with without_collector():
        from . import prompt_material  # noqa: PLC0415  # half of what the first `%%chat` would load, and seldom needed

    return prompt_material


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


def check_answers_json(chat: Chat) -> None:
    """Raise `UsageError` for the built-in guide, which would be told three times that its answer is not JSON."""
    if chat.provider.name == GUIDE:
        raise UsageError(
            _(
                "The built-in guide doesn't answer in JSON: it is not a model. "
                "Choose a model first, such as `%lockbots use ollama:llama3.2`."
            )
        )


def check_target(options: Namespace) -> None:
    """Raise `UsageError` if `--to` names no variable."""
    if options.to and (not options.to.isidentifier() or keyword.iskeyword(options.to)):
        raise UsageError(_("--to takes a variable name, got {to!r}.", to=options.to))
    if options.to in NEEDED:
        raise UsageError(
            _("{to} is a variable of IPython that the notebook needs. Choose another name.", to=options.to)
        )


def params_of(options: Namespace) -> dict[str, Any]:
    """Return the parameters that ``-p`` and ``-t`` give."""
    params = parse_assignments(options.param) if options.param else {}
    return params if options.temperature is None else {**params, "temperature": options.temperature}


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
    text: str = load_material().persona_text(session, given, context)
    return text


def tools_of(named: str | None, context: NotebookContext) -> tuple[Any, ...]:
    """Return the tools that `--tools` names."""
    return tuple(check_tool(context.value(name, "--tools"), name) for name in split_names(named or ""))

"""What `%%chat` is asked to do: its options, and the question that they and the notebook make."""

from __future__ import annotations

import keyword
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..chat import Chat
from ..conversation.conversation import Conversation
from ..errors import UsageError
from ..prompt.magic_line import parse_assignments, split_words
from ..providers import names
from ..reply import Reply
from ..schema.structured_output import ReplySchema, reply_schema
from .options import OptionParser
from .session import Lockbots

if TYPE_CHECKING:
    from ..prompt import Material
    from .display_recorder import DisplayRecorder

FORMS = ("text", "code", "json")


def chat_options() -> OptionParser:
    """The options of `%%chat` and `%chat`."""
    options = OptionParser("%%chat", "Send a prompt to a language model; the reply streams into the output.")
    add = options.add_argument
    add("-m", "--model", metavar="PROVIDER:MODEL", completer="model", help="talk to this model, this once")
    add("-t", "--temperature", type=float, metavar="T", help="0 is sober, 2 is wild")
    add(
        "-s",
        "--system",
        metavar="TEXT",
        completer="persona",
        help='a system prompt for this turn; "@NAME key=value" takes a persona',
    )
    add(
        "-c", "--conversation", metavar="NAME", completer="conversation", help="in this conversation, made if it is new"
    )
    add(
        "-p",
        "--param",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        completer="parameter",
        help="anything else the provider takes",
    )
    add("--base-url", metavar="URL", completer="address", help="where the service is, this once")
    add("--raw", action="store_true", help="send {{ }} as it stands; else it is a Python expression of the notebook")
    add(
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        completer="file",
        help="with this text file; may be repeated",
    )
    add(
        "--image",
        action="append",
        default=[],
        metavar="IMAGE",
        completer="image",
        help="with this image: a file, a URL or a variable",
    )
    add("--cells", metavar="3-7", help="with these cells of the notebook, by their In[] numbers, and their outputs")
    add(
        "--tools",
        metavar="FUNCTIONS",
        completer="functions",
        help="Python functions that the model may have called: f,g",
    )
    add(
        "--to",
        metavar="VAR",
        completer="variable",
        help="put the reply into this variable: its text, or what --as makes of it",
    )
    add("--as", dest="form", choices=FORMS, help="text: unformatted; code: as a new cell below; json: checked")
    add(
        "--schema",
        metavar="VAR",
        completer="variable",
        help="with --as json: a JSON schema, type, dataclass or pydantic model of yours",
    )
    add("--no-history", action="store_true", help="ask outside the conversation: it is neither told nor kept")
    add("--background", action="store_true", help="let the cell return at once; %%lockbots stop ends the reply")
    add("--dry-run", action="store_true", help="show what would be sent, and send nothing")
    return options


def prompt_of(text: str, cell: str | None) -> str:
    """Return the prompt: the text behind `%chat`, or the cell below `%%chat`.

    Raises:
        UsageError: there is none, or there is text where only options go.
    """
    if cell is None:
        if not text:
            raise UsageError("say something: a text behind %chat, or in the lines below %%chat; see %chat -h")
        return text
    if text:
        hint = f" Did you mean  -m {text} ?" if text.partition(":")[0] in names() else ""
        raise UsageError(f"the first line of %%chat takes options only; the prompt goes below it.{hint}")
    return cell.strip("\n")


@dataclass(frozen=True)
class NotebookContext:
    """What a question may take from the notebook around it.

    Args:
        variables: the notebook's namespace.
        shell: the running IPython; its history holds the cells.
        displays: what the cells have shown.
        watched: whether somebody watches the reply come.
    """

    variables: Mapping[str, Any]
    shell: Any = None
    displays: DisplayRecorder | None = None
    watched: bool = False

    def as_typed(self) -> Mapping[str, Any]:
        """The variables, but in `In` the cells as they were typed: IPython keeps there what it made of them."""
        history: Any = getattr(self.shell, "history_manager", None)
        is_its_own = history is not None and self.variables.get("In") is history.input_hist_parsed
        return {**self.variables, "In": history.input_hist_raw} if is_its_own else self.variables

    def value(self, name: str, option: str) -> Any:
        """Return the value of a variable, perhaps one of its attributes.

        Raises:
            UsageError: there is none; the message names the `option`.
        """
        first, *attributes = name.strip().split(".")
        try:
            value = self.variables[first]
            for attribute in attributes:
                value = getattr(value, attribute)
        except Exception:  # noqa: BLE001  # an attribute may be a property that raises anything
            raise UsageError(f"{option}: the notebook has no {name.strip()!r}; define it first") from None
        return value


@dataclass(frozen=True)
class Question:
    """One prompt with all that goes with it, ready to be asked."""

    chat: Chat
    prompt: str
    given: Mapping[str, Any] = field(default_factory=dict)
    """What `Chat.stream` is given besides."""
    notes: tuple[str, ...] = ()
    """What was cut from the material, a line each."""
    variable: str | None = None
    form: str | None = None
    wanted: ReplySchema | None = None
    background: bool = False
    kept: bool = True
    """Whether the conversation is one of the notebook's."""

    def reply(self) -> Reply:
        """Return the reply, not begun; errors as for `Chat.stream`."""
        return self.chat.stream(self.prompt, **self.given)

    def preview(self) -> Reply:
        """Return the reply that is not to be read; errors as for `Chat.preview`."""
        return self.chat.preview(self.prompt, **self.given)

    def again(self, complaint: str) -> Reply:
        """Return the reply to a complaint about the one before, which it is told of."""
        given = {name: value for name, value in self.given.items() if name != "images"}
        return self.chat.stream(complaint, **given)


def question(session: Lockbots, options: Namespace, prompt: str, around: NotebookContext) -> Question:
    """Return the question that the options and the prompt make.

    Raises:
        UsageError: an option is wrong, or what it names is not there; nothing was sent.
    """
    _check(options)
    chat = session.chat(options.model, options.base_url, options.conversation)
    chat.params.update(_params(options))
    text, images, notes = _material(session, options, prompt, around)
    wanted = _wanted(session, options, around)
    if wanted is not None:
        text = f"{text}\n\n{wanted.format_instruction()}"
    given: dict[str, Any] = {
        "system": _system(session, options.system, chat, around),
        "history": not options.no_history,
        "images": images,
        "tools": _functions(options.tools, around),
        "cell_id": session.cells.id,
        "run": session.cells.run,
        "watched": around.watched,
    }
    background = options.background and around.watched
    kept = not options.no_history
    if wanted is not None and not kept:  # what does not fit is asked for again, in a conversation of its own
        chat, given["history"] = chat.within(Conversation("outside", system=chat.conversation.system)), True
    return Question(chat, text, given, notes, options.to, options.form, wanted, background, kept)


def _check(options: Namespace) -> None:
    if options.to and (not options.to.isidentifier() or keyword.iskeyword(options.to)):
        raise UsageError(f"--to takes the name of a variable, not {options.to!r}")
    if options.schema and options.form != "json":
        raise UsageError("--schema goes with --as json")
    if options.background and options.form:
        raise UsageError(f"--as {options.form} needs the reply while the cell runs; leave out --background")


def _params(options: Namespace) -> dict[str, Any]:
    params = parse_assignments(options.param)
    return params if options.temperature is None else {**params, "temperature": options.temperature}


def _material(
    session: Lockbots, options: Namespace, prompt: str, around: NotebookContext
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The text that is sent, the images that go with it, and what was cut: files and cells first, the prompt last."""
    if not (options.file or options.image or options.cells or (not options.raw and "{{" in prompt)):
        return prompt, (), ()
    from .. import prompt as context  # noqa: PLC0415  # most prompts are plain; %load_ext does not wait for it

    images = [_image(value, around) for value in options.image]
    pieces = [context.from_file(path) for path in options.file]
    if options.cells:
        history = context.CellHistory(around.shell, around.displays, source=session.cells.source)
        pieces.append(context.from_cells(options.cells, history, images_before=len(images)))
        images += pieces[-1].images
    if options.raw:
        pieces.append(context.Material(prompt))
    else:
        pieces.append(expanded(session, prompt, around, images_before=len(images)))
        images += pieces[-1].images
    text = "\n\n".join(piece.text for piece in pieces)
    return text, context.checked_images(images), tuple(note for piece in pieces for note in piece.notes)


def _image(value: str, around: NotebookContext) -> str:
    from .. import prompt as context  # noqa: PLC0415  # as above

    known = value.split(".", maxsplit=1)[0].isidentifier() and value.split(".", maxsplit=1)[0] in around.variables
    if not known and value.isidentifier() and not Path(value).exists():
        raise UsageError(f"--image {value}: there is neither a variable nor a file of that name")
    return context.image_from(around.value(value, "--image") if known else value)


def expanded(session: Lockbots, prompt: str, around: NotebookContext, *, images_before: int = 0) -> Material:
    """Return a prompt whose expressions in double braces are what they came to.

    Args:
        session: what the magics share.
        prompt: as it was typed.
        around: the notebook.
        images_before: how many images the question has already.

    Raises:
        UsageError: one of them fails; the message names it.
    """
    from .. import prompt as context  # noqa: PLC0415  # as above

    material = context.expanded(prompt, _evaluator(session, around), images_before=images_before)
    context.checked_images(material.images)
    return material


def _evaluator(session: Lockbots, around: NotebookContext) -> Callable[[str], Any]:
    from .. import prompt as context  # noqa: PLC0415  # as above

    failed = session.cells.last_error
    return context.evaluator(around.as_typed(), failed[0] if failed else None)


def _system(session: Lockbots, given: str | None, chat: Chat, around: NotebookContext) -> str | None:
    own = given is None and chat.conversation.system  # which the chat sends by itself
    return None if own else system_of(session, given, around)


def system_of(session: Lockbots, given: str | None, around: NotebookContext) -> str:
    """Return the system prompt in words: the one given, else the session's; a persona's text for ``@NAME``.

    Raises:
        UsageError: there is no such persona, or it lacks a parameter.
    """
    given = session.system if given is None else given
    if given.startswith("@@"):  # no persona, but a text that begins like one
        return given[1:]
    if not given.startswith("@"):
        return given
    from ..prompt import personas  # noqa: PLC0415  # as above

    return personas.persona(given, session.personas, session.persona_folders(), _evaluator(session, around))


def _functions(named: str | None, around: NotebookContext) -> tuple[Callable[..., Any], ...]:
    functions = [around.value(name, "--tools") for part in split_words(named or "") for name in part.split(",") if name]
    for function in functions:
        if not callable(function):
            raise UsageError(f"--tools takes the names of functions; among them is a {type(function).__name__}")
    return tuple(functions)


def _wanted(session: Lockbots, options: Namespace, around: NotebookContext) -> ReplySchema | None:
    if options.form != "json":
        return None
    if not options.schema:
        return reply_schema()
    try:
        schema = _evaluator(session, around)(options.schema)
    except Exception as error:
        raise UsageError(f"--schema {options.schema} failed: {type(error).__name__}: {error}") from error
    return reply_schema(schema)

"""IPython extension: the magics, and everything that loading registers and unloading removes.

The magics are stateless; state lives in `Session`.
"""

from __future__ import annotations

import functools
import re
import tokenize
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import ModuleType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.getipython import get_ipython
from IPython.core.inputtransformer2 import EscapedCommand, make_tokens_by_line
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

from ..cassette.active import follow_notebook_cassette
from ..conversation.turn import Turn
from ..errors import UsageError
from ..importing import without_collector
from ..language import _
from ..prompt.magic_line import cell_magic_start
from ..providers.shutdown import shut_down
from . import completion, interrupts, warm_up
from .display_recorder import DisplayRecorder
from .session import PanelFactory, Session

if TYPE_CHECKING:
    from .magics import MagicRunner


@magics_class
class ChatMagics(Magics):
    """The magics `%%chat`, `%chat` and `%lockbots`."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, session: Session, displays: DisplayRecorder) -> None:
        super().__init__(shell)
        self.session = session
        self._displays = displays

    @functools.cached_property
    def _runner(self) -> MagicRunner:
        runner: MagicRunner = _magics().MagicRunner(self.shell, self.session, self._displays)
        return runner

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> None:
        """Send a prompt to a language model. `%%chat -h` lists the options."""
        with self.session.local_scope(local_ns):
            self._runner.chat(line, cell)

    async def chat_awaiting(self, line: str, cell: str) -> None:
        """Run a `%%chat` cell that has `await` in an expression."""
        await self._runner.chat_awaiting(line, cell)

    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def lockbots(self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None) -> None:
        """Manage models, conversations and settings. `%lockbots help` lists the commands."""
        with self.session.local_scope(local_ns):
            self._runner.lockbots(line, cell)


def _magics() -> ModuleType:
    """Import what the first cell needs: commands, prompts, Markdown. `%load_ext` doesn't wait for it."""
    with without_collector():
        from . import magics  # noqa: PLC0415  # heavy, and a notebook may never run one

    return magics


# What IPython shows for `%chat?`: it asks for this before it looks at the docstring.
ChatMagics.chat.getdoc = lambda: _magics().describe_chat()  # type: ignore[union-attr]  # functions take any attribute
ChatMagics.lockbots.getdoc = lambda: _magics().describe_lockbots()  # type: ignore[union-attr]  # functions take any attribute


class _MagicLine(EscapedCommand):
    """Takes `%chat How are you?` for a magic; IPython alone takes the `?` for a request for help on `you`."""

    priority = 1

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> _MagicLine | None:
        """Find the first line that is one of our magics with text after it."""
        for line in tokens_by_line:
            tokens = [t for t in line if t.type not in (tokenize.INDENT, tokenize.DEDENT)][:2]
            is_ours = [t.string for t in tokens] in (["%", "chat"], ["%", "lockbots"])
            if is_ours and tokens[1].line[tokens[1].end[1] :].startswith(" "):
                return cls(tokens[0].start)
        return None


class _MisplacedCellMagic(EscapedCommand):
    """Replaces a cell with `%%chat` below code, for which Python and IPython have no error that helps."""

    priority = 0

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> _MisplacedCellMagic | None:
        """Find the first line that begins with a cell magic of ours; not one within a string."""
        for line in tokens_by_line:
            tokens = [t for t in line if t.type not in (tokenize.INDENT, tokenize.DEDENT)][:3]
            is_ours = [t.string for t in tokens] in (["%", "%", "chat"], ["%", "%", "lockbots"])
            if is_ours and not tokens[2].line[tokens[2].end[1] :].strip(" \t").startswith("?"):  # a request for help
                return cls(tokens[0].start)
        return None

    def transform(self, lines: list[str]) -> list[str]:
        """Return code that raises the error: a transformer that raises one itself is shown with its traceback."""
        name = "chat" if lines[self.start_line][self.start_col :].startswith("%%chat") else "lockbots"
        message = _(
            "%%{name} must be the first line of its cell: only comments and blank lines may stand "
            "above it. Put the code above it into a cell of its own.",
            name=name,
        )
        return [f"raise __import__('lockbots_magic').UsageError({message!r})\n"]


_AWAITING = re.compile(r"\{\{(?:(?!\}\}).)*?\b(?:await|async)\b", re.DOTALL)
"""An expression that may have to be awaited; a cell that need not be runs as well."""


def _shell_awaits() -> bool:
    """Tell whether IPython runs cells with `await` on its loop: `%autoawait` is on."""
    shell: InteractiveShell | None = get_ipython()
    return shell is not None and bool(shell.autoawait)


def _keep_verbatim(lines: list[str]) -> list[str]:
    """Input transformer: pass on a `%%chat` cell as typed; IPython's changes to Python, such as `>>>`, spoil text.

    Blank lines and comments may stand above it. A cell that is indented as a whole, as code that was pasted, loses the
    indentation, as IPython does it. With nothing below it, `%%chat -h` is `%chat -h`: IPython refuses a
    cell magic whose cell is empty.
    """
    source = "".join(lines).replace("\r\n", "\n")  # as some front ends send what was written on Windows
    magic = re.compile(r"([ \t]*)%%(chat|lockbots)(?=\s|$)([^\n]*)\n?").match(source, cell_magic_start(source))
    if magic is None:
        return lines
    indentation, name, options, body = magic[1], magic[2], magic[3].strip(), source[magic.end() :]
    if indentation:
        body = re.sub(f"(?m)^{indentation}", "", body)
    if not body.strip():
        return [f"%{name} {options}\n"]
    if name == "chat" and _AWAITING.search(body) and _shell_awaits():
        return [f"await get_ipython().magics_manager.registry['ChatMagics'].chat_awaiting({options!r}, {body!r})\n"]
    return [f"get_ipython().run_cell_magic({name!r}, {options!r}, {body!r})\n"]


_keep_verbatim.has_side_effects = True  # type: ignore[attr-defined]  # in a terminal more lines may come: wait for them


_OTHER_BLANK = re.compile(r"([ \t]*%(?:chat|lockbots))[^\S\r\n ]")
_ESCAPED = re.compile(r"[ \t]*[%!].*")
_NO_CODE = (tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT)


def _separate_names(lines: list[str]) -> list[str]:
    """Input transformer: put a space behind `%chat` in place of another blank, which pages have that one copies from.

    For IPython a tab is part of the name; for Python from 3.12 on, what follows a no-break space is no token. A line of
    a string stays as it is.
    """
    return [
        _OTHER_BLANK.sub(r"\1 ", line, count=1)
        if _OTHER_BLANK.match(line) and _ends_statement(lines[:number])
        else line
        for number, line in enumerate(lines)
    ]


def _ends_statement(lines: list[str]) -> bool:
    """Whether a line below `lines` begins a statement; it may go on with a string or with brackets."""
    code = [_ESCAPED.sub("0", line) for line in lines]  # the text of a magic is not Python
    found = make_tokens_by_line([*code, "0\n"])
    starts = (next((token for token in line if token.type not in _NO_CODE), None) for line in found)
    return any(token is not None and token.start[0] == len(lines) + 1 and token.string == "0" for token in starts)


_sessions: WeakKeyDictionary[InteractiveShell, Session] = WeakKeyDictionary()
"""Sessions by shell. They outlive unloading, so that `%reload_ext` keeps the conversations."""
_loaded: WeakKeyDictionary[InteractiveShell, ExitStack] = WeakKeyDictionary()
"""How to unload, for each shell in which the extension is loaded."""


def load(shell: InteractiveShell, make_panel: PanelFactory | None = None) -> None:
    """Load the extension into `shell`.

    Args:
        shell: The running IPython.
        make_panel: Makes the chat panel of a session for a conversation, by its name.
    """
    unload(shell)
    if shell not in _sessions:
        has_panel = make_panel is not None and hasattr(shell, "kernel")
        _sessions[shell] = Session(
            shell.config,
            namespace=shell.user_ns,
            own_notebook=lambda: _magics().own_notebook(shell),
            make_panel=make_panel if has_panel else None,
        )
    with ExitStack() as registered:  # what fails half-way is undone
        _register(shell, _sessions[shell], registered.callback)
        _loaded[shell] = registered.pop_all()


def unload(shell: InteractiveShell) -> None:
    """Undo what `load` did; does nothing where the extension is not loaded."""
    registered = _loaded.pop(shell, None)
    if registered is not None:
        registered.close()


def session_of(shell: InteractiveShell) -> Session | None:
    """Return the session of `shell`, None where the extension is not loaded."""
    return _sessions.get(shell) if shell in _loaded else None


def last_turn() -> Turn:
    """Return the turn of the last reply that a cell of this notebook has shown, also without ``--to``.

    Raises:
        UsageError: If there is none yet, or this is no notebook in which the extension is loaded.

    Example:
        >>> last_turn().reply  # doctest: +SKIP
        'Hello!'
    """
    shell: InteractiveShell | None = get_ipython()
    session = session_of(shell) if shell is not None else None
    if session is None or session.last_turn is None:
        raise UsageError(_("No cell of this notebook has shown a reply yet."))
    return session.last_turn


def _register(shell: InteractiveShell, session: Session, undo: Callable[..., object]) -> None:
    """Register everything with `shell`; for each step, `undo` takes the call that removes it."""
    _enter_running_cell(shell, session)
    undo(session.cells.leave)
    undo(shut_down)
    follow_notebook_cassette(lambda: session.cassette)
    undo(follow_notebook_cassette, None)
    _follow_log_setting(session, undo)
    displays = DisplayRecorder()
    displays.attach(shell)
    undo(displays.detach)
    undo(completion.register(shell, session))
    undo(interrupts.register(shell))
    warm_up.import_at_once()
    undo(warm_up.register(shell))
    magics = ChatMagics(shell, session, displays)
    shell.register_magics(magics)
    undo(_remove_magics, shell, magics)
    settings: Any = session.settings
    shell.configurables.append(settings)
    undo(shell.configurables.remove, settings)
    for event, callback in (("pre_run_cell", session.cells.before), ("post_run_cell", session.cells.after)):
        shell.events.register(event, callback)
        undo(shell.events.unregister, event, callback)
    transformers = shell.input_transformer_manager.token_transformers
    for transformer in (_MagicLine, _MisplacedCellMagic):
        transformers.append(transformer)
        undo(transformers.remove, transformer)
    shell.input_transformers_cleanup.insert(0, _keep_verbatim)
    undo(shell.input_transformers_cleanup.remove, _keep_verbatim)
    line_transforms = shell.input_transformer_manager.line_transforms
    line_transforms.append(_separate_names)  # behind IPython's own, which takes the text of all cell magics
    undo(line_transforms.remove, _separate_names)
    formatter: Any = shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell has one
    formatter.for_type(Turn, lambda turn: _magics().format_turn(turn))
    undo(formatter.pop, Turn, None)


def _follow_log_setting(session: Session, undo: Callable[..., object]) -> None:
    """Log the turns of this kernel while the setting `log` is on."""
    settings: Any = session.settings

    def follow(change: Any = None) -> None:
        session.recording.switch(settings.log)

    settings.observe(follow, "log")
    undo(settings.unobserve, follow, "log")
    undo(session.recording.switch, False)
    follow()


def _remove_magics(shell: InteractiveShell, magics: ChatMagics) -> None:
    shell.magics_manager.registry.pop("ChatMagics", None)
    configurables: list[Any] = shell.configurables
    configurables.remove(magics)
    for kind, name in (("line", "chat"), ("cell", "chat"), ("line", "lockbots"), ("cell", "lockbots")):
        shell.magics_manager.magics[kind].pop(name, None)


def _enter_running_cell(shell: InteractiveShell, session: Session) -> None:
    """Enter the cell that loads the extension: it started before the event hooks were registered."""
    request: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    if session.cells.run is None and request:
        source = request.get("content", {}).get("code", "")
        session.cells.enter(request.get("metadata", {}).get("cellId"), source=source)

"""`%%chat`, `%chat` and `%lockbots`: they parse, call the session, and show what comes."""

from __future__ import annotations

import functools
import itertools
import keyword
import os
import re
import sys
import tokenize
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.inputtransformer2 import EscapedCommand
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from . import commands
from .errors import Interrupted, UsageError
from .messages import Turn
from .notebook.record import Entry, metadata
from .options import HelpRequested, Options, assignments
from .plaintext import printable, unlinked
from .providers import names
from .providers.secrets import redacted
from .rendering.live import Output, output_for, show_note, watched
from .rendering.notices import notices_of
from .reply import Reply
from .session import Lockbots


def chat_options() -> Options:
    """The options of `%%chat` and `%chat`."""
    options = Options("%%chat", "Send a prompt to a language model; the reply streams into the output.")
    add = options.add_argument
    add("-m", "--model", metavar="PROVIDER:MODEL", help="talk to this model, this once")
    add("-t", "--temperature", type=float, metavar="T", help="0 is sober, 2 is wild")
    add("-s", "--system", metavar="TEXT", help="a system prompt for this turn")
    add("-c", "--conversation", metavar="NAME", help="in this conversation, made if it is new")
    add("--to", metavar="VAR", help="put the reply, a str, into this variable")
    add("--no-history", action="store_true", help="ask outside the conversation: it is neither told nor kept")
    add("-p", "--param", action="append", default=[], metavar="NAME=VALUE", help="anything else the provider takes")
    add("--base-url", metavar="URL", help="where the service is, this once")
    return options


@magics_class
class ChatMagics(Magics):
    """The magics. All that lasts is in the session."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, session: Lockbots) -> None:
        super().__init__(shell)
        self.session = session

    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> None:
        """Send a prompt to a language model."""
        with _stopped_in_one_line():
            try:
                options, text = chat_options().leading(line)
            except HelpRequested as help_text:
                _say(str(help_text))
                return
            self._show(self._asked(options, _prompt(text, cell)), options.to)

    @no_var_expand
    @line_magic
    def lockbots(self, line: str) -> None:
        """Manage models, conversations and settings. `%lockbots help` lists the commands."""
        with _stopped_in_one_line():
            try:
                shown = commands.run(self.session, line)
            except HelpRequested as help_text:
                shown = str(help_text)
            if isinstance(shown, Reply):
                self._show(shown)
        if isinstance(shown, commands.Marked):
            self._note(shown)
        elif isinstance(shown, str):
            _say(shown)
        elif not isinstance(shown, Reply):
            display(shown)  # type: ignore[no-untyped-call]  # IPython's display is not typed

    def _asked(self, options: Namespace, prompt: str) -> Reply:
        if options.to and (not options.to.isidentifier() or keyword.iskeyword(options.to)):
            raise UsageError(f"--to takes the name of a variable, not {options.to!r}")
        params = assignments(options.param)
        if options.temperature is not None:
            params["temperature"] = options.temperature
        chat = self.session.chat(options.model, options.base_url, options.conversation)
        system = options.system
        if system is None and not chat.conversation.system:
            system = self.session.system
        chat.params.update(params)
        kept = not options.no_history
        reply = chat.stream(
            prompt,
            system=system,
            history=kept,
            cell_id=self.session.cell_id,
            run=self.session.run,
            watched=watched(self.shell, self.session.live),
        )
        if kept:
            self.session.keep(chat.conversation)
        return reply

    def _show(self, reply: Reply, variable: str | None = None) -> None:
        """Show `reply` as it comes; whatever happens, what came is shown, and an interrupt stops "Run all" too."""
        output = output_for(self.shell, self.session.live, self.session.sole_reply())
        record = self._recorder()
        try:
            with reply:
                for delta in reply.deltas:
                    output.feed(delta)
        finally:
            _surely(lambda: self._end(reply, output, variable, record))

    def _end(
        self, reply: Reply, output: Output, variable: str | None, record: Callable[[Entry], dict[str, Any]]
    ) -> None:
        output.close()
        if reply.turn is not None:
            if variable and reply.turn.status != "error":
                self.shell.user_ns[variable] = reply.turn.reply
            if reply.turn.is_shown or output.shown:
                output.finish(reply.turn, notices_of(reply.turn), record(reply.entry) if reply.entry else None)
            elif reply.entry and reply.entry.displaces:
                show_note(self.shell, "", record(reply.entry))

    def _note(self, shown: commands.Marked) -> None:
        """Show what a command says; the notebook keeps with it what the command has changed."""
        record = self._recorder()
        if not show_note(self.shell, unlinked(printable(shown)), record(shown.entry)):
            _say(shown)

    def _recorder(self) -> Callable[[Entry], dict[str, Any]]:
        """Return what makes metadata of an entry, as of the cell that runs now."""
        cell, source = self.session.cell_id, self.session.source
        return lambda entry: metadata(entry, redacted, cell, source)


def _surely(action: Callable[[], None]) -> None:
    """Do `action`, once more if an interrupt falls into it; that is raised then."""
    try:
        action()
    except KeyboardInterrupt:
        action()
        raise


@contextmanager
def _stopped_in_one_line() -> Iterator[None]:
    """Make an interrupt, wherever it hits, one line in place of a traceback."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(str(error) or "the reply was stopped; what had come is kept") from None


def _prompt(text: str, cell: str | None) -> str:
    if cell is None:
        if not text:
            raise UsageError("say something: a text behind %chat, or in the lines below %%chat; see %chat -h")
        return text
    if text:
        hint = f" Did you mean  -m {text} ?" if text.partition(":")[0] in names() else ""
        raise UsageError(f"the first line of %%chat takes options only; the prompt goes below it.{hint}")
    return cell.strip("\n")


def _forms_of(turn: Turn) -> Mapping[str, str]:
    """How a front end shows a turn that a cell ends with; its repr is told besides."""
    from .rendering.forms import bundle, made  # noqa: PLC0415  # Markdown is needed by the first reply, not by %load_ext
    from .rendering.html import render  # noqa: PLC0415  # as above

    forms = bundle(turn.reply, made(lambda: render(turn.reply), turn.reply), notices_of(turn))
    return {kind: form for kind, form in forms.items() if kind != "text/plain"}


def _say(text: str) -> None:
    sys.stdout.write(unlinked(printable(text)) + "\n")


class _MagicLine(EscapedCommand):
    """Takes `%chat How are you?` for a magic. IPython by itself takes the `?` for a request for help on `you`."""

    priority = 1

    @classmethod
    def find(cls, tokens_by_line: list[list[tokenize.TokenInfo]]) -> _MagicLine | None:
        """Find the first line that is one of our magics with a text behind it."""
        for line in tokens_by_line:
            tokens = [t for t in line if t.type not in (tokenize.INDENT, tokenize.DEDENT)][:2]
            ours = [t.string for t in tokens] in (["%", "chat"], ["%", "lockbots"])
            if ours and tokens[1].line[tokens[1].end[1] :].startswith(" "):
                return cls(tokens[0].start)
        return None


def _verbatim(lines: list[str]) -> list[str]:
    """Hand a `%%chat` cell on as it stands: what IPython does to Python, such as taking `>>>` away, is not for text.

    With nothing below it, `%%chat -h` is `%chat -h`: IPython refuses a cell magic whose cell is empty.
    """
    first, *rest = [*itertools.dropwhile(lambda line: not line.strip(), lines)] or [""]
    if not re.match(r"%%chat(\s|$)", first):
        return lines
    options, body = first.removeprefix("%%chat").strip(), "".join(rest)
    if not body.strip():
        return [f"%chat {options}\n"]
    return [f"get_ipython().run_cell_magic('chat', {options!r}, {body!r})\n"]


_verbatim.has_side_effects = True  # type: ignore[attr-defined]  # in a terminal, more lines may come: not before it runs


_sessions: WeakKeyDictionary[InteractiveShell, Lockbots] = WeakKeyDictionary()
"""Outlives unloading, so that `%reload_ext` keeps the conversations."""


def load(shell: InteractiveShell, make_panel: Callable[[Lockbots, str | None], Any] | None = None) -> None:
    """Register everything with `shell`.

    Args:
        shell: the running IPython.
        make_panel: makes the chat panel of a session for a conversation, by its name.
    """
    unload(shell)
    if shell not in _sessions:
        _sessions[shell] = Lockbots(config=shell.config)
    session = _sessions[shell]
    if session.run is None and (request := _request(shell)):
        source = request.get("content", {}).get("code", "")
        session.enter_cell(request.get("metadata", {}).get("cellId"), source=source)
    if make_panel and hasattr(shell, "kernel"):
        session.make_panel = functools.partial(make_panel, session)
    session.own_notebook = lambda: _own_notebook(shell)
    magics = ChatMagics(shell, session)
    shell.register_magics(magics)
    shell.configurables.append(session)  # type: ignore[arg-type]  # any configurable: %config lists them
    shell.events.register("pre_run_cell", session.before_cell)
    shell.events.register("post_run_cell", session.after_cell)
    shell.input_transformer_manager.token_transformers.append(_MagicLine)
    shell.input_transformers_cleanup.insert(0, _verbatim)
    _formatter(shell).for_type(Turn, _forms_of)


def _formatter(shell: InteractiveShell) -> Any:
    """What finds the forms of a value that a cell ends with."""
    return shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell has one


def _own_notebook(shell: InteractiveShell) -> Path | None:
    from .notebook.reading import own_path  # noqa: PLC0415  # few read notebooks; %load_ext does not wait for it

    return own_path(os.environ, shell.user_ns)


def _request(shell: InteractiveShell) -> dict[str, Any]:
    """The request to run the cell that loads the extension: it began before we could be told. Empty if none runs."""
    request: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return request


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` did."""
    session = session_of(shell)
    if session is None:
        return
    session.leave_cells()
    shell.configurables.remove(session)  # type: ignore[arg-type]  # as above
    shell.events.unregister("pre_run_cell", session.before_cell)
    shell.events.unregister("post_run_cell", session.after_cell)
    shell.input_transformer_manager.token_transformers.remove(_MagicLine)
    shell.input_transformers_cleanup.remove(_verbatim)
    _formatter(shell).pop(Turn, None)
    magics = shell.magics_manager.registry.pop("ChatMagics")
    shell.configurables.remove(magics)
    for kind, name in (("line", "chat"), ("cell", "chat"), ("line", "lockbots")):
        shell.magics_manager.magics[kind].pop(name, None)


def session_of(shell: InteractiveShell) -> Lockbots | None:
    """Return the session of `shell`, None where the extension is not loaded."""
    configurables: list[Any] = shell.configurables
    return next((c for c in configurables if isinstance(c, Lockbots)), None)


ChatMagics.chat.__doc__ = chat_options().format_help()
ChatMagics.lockbots.__doc__ = commands.summary()

"""`%%chat`, `%chat` and `%lockbots`: they parse, call the session, and show what comes."""

from __future__ import annotations

import functools
import itertools
import os
import re
import sys
import tokenize
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from IPython.core.inputtransformer2 import EscapedCommand
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.display import display

from ..conversation.turn import Turn
from ..errors import Interrupted
from ..rendering.notices import notices_of
from ..reply import Reply
from ..security.control_characters import printable
from ..security.exits import clean_bundle
from ..security.links import unlinked
from . import completion
from .display_recorder import DisplayRecorder
from .live_output import noted_by, watched
from .options import HelpRequested
from .session import Lockbots

if TYPE_CHECKING:
    from .presenter import Presenter


@magics_class
class ChatMagics(Magics):
    """The magics. All that lasts is in the session.

    What only the first cell needs is imported there: `%load_ext` does not wait for it.
    """

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell, session: Lockbots) -> None:
        super().__init__(shell)
        self.session = session
        self.displays = DisplayRecorder()
        self.complete_no_more: Callable[[], None] = lambda: None
        """Takes back the completion of the magics' lines."""

    @functools.cached_property
    def _presenter(self) -> Presenter:
        from .presenter import Presenter  # noqa: PLC0415  # see above

        return Presenter(self.shell, self.session)

    @contextmanager
    def _in_cell(self) -> Iterator[None]:
        """Do the work of a cell: what it displays is noted, and an interrupt, wherever it hits, is one line."""
        token = noted_by.set(self.displays.callback())
        try:
            yield
        except KeyboardInterrupt as error:
            raise Interrupted(str(error) or "the reply was stopped; what had come is kept") from None
        finally:
            noted_by.reset(token)

    @no_var_expand
    @line_cell_magic
    def chat(self, line: str, cell: str | None = None) -> None:
        """Send a prompt to a language model. `%%chat -h` lists the options."""
        from .chat_command import NotebookContext, chat_cell, chat_options, prompt_of  # noqa: PLC0415  # see above

        with self._in_cell():
            try:
                options, text = chat_options().parse_leading(line)
            except HelpRequested as help_text:
                _say(str(help_text))
                return
            live = watched(self.shell, self.session.live)
            around = NotebookContext(self.shell.user_ns, self.shell, self.displays, live)
            chat = chat_cell(self.session, options, prompt_of(text, cell), around)
            if options.dry_run:
                self._presenter.preview(chat)
            else:
                self._presenter.run(chat)

    @no_var_expand
    @line_magic
    def lockbots(self, line: str) -> None:
        """Manage models, conversations and settings. `%lockbots help` lists the commands."""
        from . import commands  # noqa: PLC0415  # see above
        from .chat_command import Destination  # noqa: PLC0415  # see above

        with self._in_cell():
            try:
                shown = commands.run(self.session, line)
            except HelpRequested as help_text:
                shown = str(help_text)
            if isinstance(shown, Reply):
                self._presenter.show(shown)
            elif isinstance(shown, commands.Coded):
                self._presenter.show(shown.reply, Destination(form="code"))
            elif isinstance(shown, commands.Work):
                self._presenter.work(shown)
            elif isinstance(shown, commands.Page):
                self._presenter.page(shown)
            elif isinstance(shown, str):
                if not (isinstance(shown, commands.Marked) and self._presenter.note(shown, shown.entry)):
                    _say(shown)
            else:
                display(shown)  # type: ignore[no-untyped-call]  # IPython's display is not typed


def _forms_of(turn: Turn) -> Mapping[str, str]:
    """How a front end shows a turn that a cell ends with; its repr is told besides."""
    from ..rendering.html import render  # noqa: PLC0415  # as above
    from ..rendering.mime_bundle import bundle, html_or_source  # noqa: PLC0415  # Markdown is needed by the first reply, not by %load_ext

    forms = bundle(turn.reply, html_or_source(lambda: render(turn.reply), turn.reply), notices_of(turn))
    return clean_bundle({kind: form for kind, form in forms.items() if kind != "text/plain"})


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
    if session.cells.run is None and (request := _request(shell)):
        source = request.get("content", {}).get("code", "")
        session.cells.enter(request.get("metadata", {}).get("cellId"), source=source)
    if make_panel and hasattr(shell, "kernel"):
        session.make_panel = functools.partial(make_panel, session)
    session.namespace = shell.user_ns
    session.own_notebook = lambda: _own_notebook(shell)
    magics = ChatMagics(shell, session)
    magics.displays.attach(shell)
    magics.complete_no_more = completion.register(shell, session)
    shell.register_magics(magics)
    shell.configurables.append(session)  # type: ignore[arg-type]  # any configurable: %config lists them
    shell.events.register("pre_run_cell", session.cells.before)
    shell.events.register("post_run_cell", session.cells.after)
    shell.input_transformer_manager.token_transformers.append(_MagicLine)
    shell.input_transformers_cleanup.insert(0, _verbatim)
    _formatter(shell).for_type(Turn, _forms_of)


def _formatter(shell: InteractiveShell) -> Any:
    """What finds the forms of a value that a cell ends with."""
    return shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a shell has one


def _own_notebook(shell: InteractiveShell) -> Path | None:
    from ..storage.restore import find_own_notebook  # noqa: PLC0415  # few read notebooks; %load_ext does not wait for it

    return find_own_notebook(os.environ, shell.user_ns)


def _request(shell: InteractiveShell) -> dict[str, Any]:
    """The request to run the cell that loads the extension: it began before we could be told. Empty if none runs."""
    request: dict[str, Any] = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return request


def unload(shell: InteractiveShell) -> None:
    """Take back what `load` did."""
    session = session_of(shell)
    if session is None:
        return
    session.cells.leave()
    shell.configurables.remove(session)  # type: ignore[arg-type]  # as above
    shell.events.unregister("pre_run_cell", session.cells.before)
    shell.events.unregister("post_run_cell", session.cells.after)
    shell.input_transformer_manager.token_transformers.remove(_MagicLine)
    shell.input_transformers_cleanup.remove(_verbatim)
    _formatter(shell).pop(Turn, None)
    magics = shell.magics_manager.registry.pop("ChatMagics")
    magics.complete_no_more()
    magics.displays.detach()
    shell.configurables.remove(magics)
    for kind, name in (("line", "chat"), ("cell", "chat"), ("line", "lockbots")):
        shell.magics_manager.magics[kind].pop(name, None)


def session_of(shell: InteractiveShell) -> Lockbots | None:
    """Return the session of `shell`, None where the extension is not loaded."""
    configurables: list[Any] = shell.configurables
    return next((c for c in configurables if isinstance(c, Lockbots)), None)


def _help_on_chat() -> str:
    from .chat_command import chat_options  # noqa: PLC0415  # see above

    return chat_options().format_help()


def _help_on_lockbots() -> str:
    from . import commands  # noqa: PLC0415  # see above

    return commands.summary()


# What IPython shows for `%chat?`: it asks for this before it looks at the docstring.
ChatMagics.chat.getdoc = _help_on_chat  # type: ignore[union-attr]  # functions take any attribute
ChatMagics.lockbots.getdoc = _help_on_lockbots  # type: ignore[union-attr]  # as above

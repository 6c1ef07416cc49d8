"""Continue where a saved notebook ends: `restore`."""

from __future__ import annotations

import re
from argparse import Namespace
from contextlib import suppress

from ...conversation.conversation import Conversation
from ...conversation.turn import Turn
from ...errors import UsageError
from ...language import _, ngettext
from ...providers import names, provider_class, split_model
from ...providers.address import saved_address
from ...providers.dialects import CHAT_COMPLETIONS
from ...storage.restore import restore_notebook
from ..session import Session
from .command import argument, command, count_turns, excerpt, sentence_list
from .result import CommandResult, TextResult

_MODEL = re.compile(r"[\w.:/@+-]+")  # a notebook from elsewhere must not suggest options
_ADDRESS = re.compile(r"(?:https?://[\w.:\[\]-]{1,255}(?:/[\w./~%+-]{0,255})?)?", re.ASCII)


@command(argument("notebook", nargs="?", completer="file", help="Notebook file (.ipynb); by default this notebook."))
def restore(session: Session, options: Namespace) -> CommandResult:
    """Restore the conversations of a saved notebook, and continue with the latest."""
    path = options.notebook or session.own_notebook()
    if path is None:
        raise UsageError(_("The name of this notebook is unknown. Give it: `%lockbots restore NAME.ipynb`."))
    notebook = restore_notebook(path)
    lines = []
    for restored in notebook.conversations:
        conversation, is_new = session.conversations.restore(restored)
        lines.append(_describe(conversation, is_new=is_new))
        if conversation.turns or not session.conversations.get().turns:  # don't continue with one that ended empty
            session.conversations.current = conversation.name
    remarks = [*notebook.remarks, *_remarks_on_next_turn(session)]
    if not options.notebook and notebook.lacks(session.cells.id):
        remarks.insert(0, _("The file is older than what you see. Save the notebook, and restore again."))
    head = _(
        "Restored from {name}; the current conversation is {current}.",
        name=notebook.path.name,
        current=excerpt(session.conversations.current),
    )
    return TextResult("\n".join([head, *lines, *([sentence_list(remarks)] if remarks else [])]))


def _describe(conversation: Conversation, *, is_new: bool) -> str:
    turns = conversation.turns
    text = f"{excerpt(conversation.name)}: {count_turns(len(turns))}"
    if stale := sum(turn.stale for turn in turns):
        text += ", " + ngettext("{n} stale", "{n} stale", stale)
    return text if is_new else _("{text}; already here, left as is", text=text)


def _line_to_continue(session: Session, turn: Turn) -> str:
    """Return the command that goes on with the model and address of a turn; ``""`` if the next turn goes there anyway.

    The address is not taken by itself: the file may come from anywhere, and prompts would go where it says.
    """
    model = f"{turn.provider}:{turn.model}"
    if turn.provider not in names() or not _MODEL.fullmatch(model) or not _ADDRESS.fullmatch(turn.address):
        return ""
    line, dialect = f"%lockbots use {model}", _dialect_option(session, turn)
    with suppress(UsageError):
        used, url = session.address_of(turn.provider)[0], provider_class(turn.provider).url
        if used and saved_address(used) != (turn.address or url):
            return f"{line} --base-url {turn.address or url}{dialect}"
    if dialect:
        return f"{line}{dialect}"
    return line if turn.provider != split_model(session.settings.model)[0] else ""


def _dialect_option(session: Session, turn: Turn) -> str:
    """Return the option that chooses the dialect of a turn; empty if the next turn has it anyway."""
    kind = provider_class(turn.provider)
    if turn.dialect not in getattr(kind, "dialects", ()):  # a file may name anything
        return ""
    chosen = session.settings_of(turn.provider).get("dialect")
    default = kind(base_url=turn.address or kind.url).spoken_dialect or CHAT_COMPLETIONS
    return "" if turn.dialect == (chosen or default) else f" --dialect {turn.dialect}"


def _remarks_on_next_turn(session: Session) -> list[str]:
    """Return what would be different for the next turn."""
    conversation = session.conversations.get()
    if not conversation.turns:
        return []
    last, remarks = conversation.turns[-1], []
    if line := _line_to_continue(session, last):
        model = f"{last.provider}:{last.model}"
        used = _("{model} at {address}", model=model, address=last.address) if last.address else model
        remarks.append(_("The last turn used {model}. To continue with it: `{line}`.", model=used, line=line))
    if last.system and last.system != (conversation.system or session.settings.system):
        remarks.append(
            _("The last turn had a system prompt that is not set now: {system!r}.", system=excerpt(last.system))
        )
    return remarks

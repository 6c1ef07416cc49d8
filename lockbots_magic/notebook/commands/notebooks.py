"""Continue where a saved notebook ends: `restore`."""

from __future__ import annotations

import re
from argparse import Namespace

from ...conversation.conversation import Conversation
from ...errors import UsageError
from ...providers import names, split_model
from ...storage.restore import restore_notebook
from ..session import Session
from .command import argument, command, count, excerpt, sentence_list
from .result import CommandResult, TextResult

_MODEL = re.compile(r"[\w.:/@+-]+")  # a notebook from elsewhere must not suggest options


@command(argument("notebook", nargs="?", completer="file", help="Notebook file (.ipynb); by default this notebook."))
def restore(session: Session, options: Namespace) -> CommandResult:
    """Restore the conversations of a saved notebook, and continue with the latest."""
    path = options.notebook or session.own_notebook()
    if path is None:
        raise UsageError("The name of this notebook is unknown. Give it: `%lockbots restore NAME.ipynb`.")
    notebook = restore_notebook(path)
    lines = []
    for restored in notebook.conversations:
        conversation, is_new = session.conversations.restore(restored)
        lines.append(_describe(conversation, is_new=is_new))
        if conversation.turns or not session.conversations.get().turns:  # don't continue with one that ended empty
            session.conversations.current = conversation.name
    remarks = [*notebook.remarks, *_remarks_on_next_turn(session)]
    if not options.notebook and notebook.lacks(session.cells.id):
        remarks.insert(0, "The file is older than what you see. Save the notebook, and restore again.")
    head = f"Restored from {notebook.path.name}; the current conversation is {excerpt(session.conversations.current)}."
    return TextResult("\n".join([head, *lines, *([sentence_list(remarks)] if remarks else [])]))


def _describe(conversation: Conversation, *, is_new: bool) -> str:
    turns = conversation.turns
    text = f"{excerpt(conversation.name)}: {count(len(turns), 'turn')}"
    if stale := sum(turn.stale for turn in turns):
        text += f", {stale} stale"
    return text if is_new else f"{text}; already here, left as is"


def _remarks_on_next_turn(session: Session) -> list[str]:
    """Return what would be different for the next turn."""
    conversation = session.conversations.get()
    if not conversation.turns:
        return []
    last, remarks = conversation.turns[-1], []
    model = f"{last.provider}:{last.model}"
    if last.provider in names() and last.provider != split_model(session.settings.model)[0] and _MODEL.fullmatch(model):
        remarks.append(f"The last turn used {model}. To continue with it: `%lockbots use {model}`.")
    if last.system and last.system != (conversation.system or session.settings.system):
        remarks.append(f"The last turn had a system prompt that is not set now: {excerpt(last.system)!r}.")
    return remarks

"""Going on where a saved notebook ends: `restore`."""

from __future__ import annotations

import re
from argparse import Namespace

from ...conversation.conversation import Conversation
from ...errors import UsageError
from ...providers import names, split_model
from ..session import Lockbots
from .command import argument, command, counted, short

_MODEL = re.compile(r"[\w.:/@+-]+")  # a notebook of somebody else's suggests no options


@command(
    argument("notebook", nargs="?", completer="file", help="an .ipynb file; by default the notebook in which this runs")
)
def restore(session: Lockbots, options: Namespace) -> str:
    """Rebuild the conversations that a saved notebook shows, and go on with the latest."""
    from ...storage.restore import restore_notebook  # noqa: PLC0415  # few read notebooks; %load_ext does not wait for it

    path = options.notebook or session.own_notebook()
    if path is None:
        raise UsageError("which notebook this is can't be found out; name it: %lockbots restore NAME.ipynb")
    notebook = restore_notebook(path)
    lines = []
    for restored in notebook.conversations:
        conversation, is_new = session.restore(restored)
        lines.append(_told(conversation, is_new=is_new))
        if conversation.turns or not session.conversation().turns:  # one that ended empty is not what to go on with
            session.current = conversation.name
    remarks = [*notebook.remarks, *_on_going_on(session)]
    if not options.notebook and notebook.lacks(session.cells.id):
        remarks.insert(0, "the file is older than what you see: save the notebook, and restore again")
    return "\n".join(
        [f"restored from {notebook.path.name}; now in {short(session.current)}", *lines, *_bulleted(remarks)]
    )


def _told(conversation: Conversation, *, is_new: bool) -> str:
    turns = conversation.turns
    stale = sum(turn.stale for turn in turns)
    told = f"{short(conversation.name)}: {counted(len(turns), 'turn')}"
    if stale:
        told += f", {stale} of them stale"
    return told if is_new else f"{told}, is here already and stays as it is"


def _on_going_on(session: Lockbots) -> list[str]:
    """What would be different for the next turn."""
    conversation = session.conversation()
    if not conversation.turns:
        return []
    last, remarks = conversation.turns[-1], []
    model = f"{last.provider}:{last.model}"
    if last.provider in names() and last.provider != split_model(session.model)[0] and _MODEL.fullmatch(model):
        remarks.append(f"the last turn was with {model}; to go on with it: %lockbots use {model}")
    if last.system and last.system != (conversation.system or session.system):
        remarks.append(f"the last turn had a system prompt that is not set now: {short(last.system)!r}")
    return remarks


def _bulleted(remarks: list[str]) -> list[str]:
    return [f"- {remark}" for remark in remarks]

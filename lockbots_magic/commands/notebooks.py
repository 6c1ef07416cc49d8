"""Going on where a saved notebook ends: `restore`."""

from __future__ import annotations

from argparse import Namespace

from ..conversation import Conversation
from ..errors import UsageError
from ..notebook.binding import is_portable
from ..notebook.cells import quoted
from ..notebook.reading import Restored, restored
from ..providers import names, split_model
from ..session import Lockbots
from .command import argument, command, counted


@command(argument("notebook", nargs="?", help="an .ipynb file; by default the notebook in which this runs"))
def restore(session: Lockbots, options: Namespace) -> str:
    """Rebuild the conversations that a saved notebook shows, and go on with the latest."""
    path = options.notebook or session.own_notebook()
    if path is None:
        raise UsageError("which notebook this is can't be found out; name it: %lockbots restore NAME.ipynb")
    notebook = restored(path)
    lines = []
    for past in notebook.pasts:
        taken_in = session.restore(past)
        here = taken_in or next(c for c in session.conversations.values() if c.id == past.owner.id)
        lines.append(_told(here, is_new=taken_in is not None))
        session.current = here.name
    remarks = [*notebook.remarks, *_on_going_on(session)]
    if not options.notebook and _is_older_than_what_is_seen(notebook, session.cell_id):
        remarks.insert(0, "the file is older than what you see: save the notebook, and restore again")
    return "\n".join([f"restored from {notebook.path.name}; now in {session.current}", *lines, *_bulleted(remarks)])


def _told(conversation: Conversation, *, is_new: bool) -> str:
    turns = conversation.turns
    stale = sum(turn.stale for turn in turns)
    told = f"{conversation.name}: {counted(len(turns), 'turn')}"
    if stale:
        told += f", {stale} of them stale"
    return told if is_new else f"{told}, is here already and stays as it is"


def _on_going_on(session: Lockbots) -> list[str]:
    """What would be different for the next turn."""
    conversation = session.conversation()
    if not conversation.turns:
        return []
    last, remarks = conversation.turns[-1], []
    if last.provider in names() and last.provider != split_model(session.model)[0]:
        model = f"{last.provider}:{last.model}"
        remarks.append(f"the last turn was with {model}; to go on with it: %lockbots use {model}")
    if last.system and last.system != (conversation.system or session.system):
        remarks.append(f"the last turn had a system prompt that is not set now: {quoted(last.system)}")
    return remarks


def _is_older_than_what_is_seen(notebook: Restored, cell_id: str | None) -> bool:
    """Whether the cell that runs is not in the file, though its cells have ids."""
    return bool(notebook.cell_ids) and cell_id not in (None, *notebook.cell_ids) and is_portable(cell_id)


def _bulleted(remarks: list[str]) -> list[str]:
    return [f"- {remark}" for remark in remarks]

"""The turns of a conversation, and several conversations."""

from __future__ import annotations

from argparse import Namespace

from ...conversation.turn import Turn
from ...errors import UsageError
from ...rendering.table import Table
from ...reply import Reply
from ..session import Lockbots
from .command import Marked, argument, command, counted, short


@command(argument("-n", type=int, default=0, metavar="N", help="only the last N turns"))
def history(session: Lockbots, options: Namespace) -> Table:
    """Show the turns of the current conversation."""
    conversation = session.conversation()
    numbered = list(enumerate(conversation.turns, 1))[-options.n :]
    rows = [(n, short(t.prompt), short(t.reply), _model(t), _state(t)) for n, t in numbered]
    return Table(("#", "prompt", "reply", "model", "status"), rows, caption=f"conversation {conversation.name}")


@command(argument("count", nargs="?", type=int, default=1, help="how many turns, 1 by default"))
def undo(session: Lockbots, options: Namespace) -> str:
    """Take back the last turn of the current conversation."""
    conversation = session.conversation()
    removed = conversation.undo(options.count)
    return Marked("taken back: " + ", ".join(repr(short(t.prompt)) for t in removed), conversation.snapshot())


@command()
def retry(session: Lockbots, _: Namespace) -> Reply:
    """Ask the last prompt again, with the model in use; the new reply takes the old one's place."""
    chat = session.chat()
    turns = chat.conversation.turns
    return chat.redo(tools=session.functions_of(turns[-1]) if turns else ())


@command()
def clear(session: Lockbots, _: Namespace) -> str:
    """Forget the turns of the current conversation."""
    conversation = session.conversation()
    count = len(conversation)
    conversation.clear()
    return Marked(f"{conversation.name}: {counted(count, 'turn')} forgotten", conversation.snapshot())


@command(argument("name", nargs="?", default="chat", help="its name"))
def new(session: Lockbots, options: Namespace) -> str:
    """Begin a new conversation and switch to it."""
    if options.name != "chat" and options.name in session.conversations:
        raise UsageError(f"there is a conversation {options.name!r} already: %lockbots switch {options.name}")
    session.current = session.conversation(session.free_name(options.name)).name
    return f"new conversation: {session.current}"


@command(argument("name", completer="conversation", help="its name"))
def switch(session: Lockbots, options: Namespace) -> str:
    """Go on with another conversation."""
    conversation = session.switch(options.name)
    return f"conversation: {conversation.name} ({counted(len(conversation), 'turn')})"


@command(
    argument("name", nargs="?", help="the name of the copy"),
    argument("--at", type=int, metavar="N", help="copy the first N turns only"),
)
def fork(session: Lockbots, options: Namespace) -> str:
    """Copy the current conversation, and go on in the copy."""
    old = session.conversation()
    at = None
    if options.at is not None:
        if not 1 <= options.at <= len(old):
            raise UsageError(f"{old.name!r} has {counted(len(old), 'turn')}; --at takes one of their numbers")
        at = old.turns[options.at - 1].id
    copy = session.add(old.fork(options.name or f"{old.name}-fork", at))
    return Marked(f"conversation: {copy.name} ({counted(len(copy), 'turn')}, from {old.name})", copy.snapshot())


@command()
def list_(session: Lockbots, _: Namespace) -> Table:
    """List the conversations."""
    session.conversation()
    rows = [
        ("*" if c.name == session.current else "", c.name, len(c), short(c.turns[-1].prompt) if c.turns else "")
        for c in session.conversations.values()
    ]
    return Table(("", "conversation", "turns", "last prompt"), rows)


@command(argument("name", completer="conversation", help="its name"))
def delete(session: Lockbots, options: Namespace) -> str:
    """Forget a whole conversation."""
    snapshot = session.delete(options.name).snapshot(deleted=True)
    return Marked(f"deleted: {options.name}; now in {session.current}", snapshot)


def _state(turn: Turn) -> str:
    return f"{turn.status}, stale" if turn.stale else turn.status


def _model(turn: Turn) -> str:
    return ":".join(filter(None, (turn.provider, turn.model)))  # an imported turn may know of none

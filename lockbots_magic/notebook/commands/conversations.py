"""Turns of a conversation, and several conversations."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace

from ...conversation.turn import Turn
from ...errors import UsageError
from ...language import _, ngettext
from ...rendering.table import Table
from ..session import Session
from .command import argument, command, count_turns, describe, excerpt
from .result import CommandResult, DisplayResult, ReplyResult, TextResult


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text[:9]) > 0):
        raise ArgumentTypeError(_("must be a number >= 1, got {text!r:.40}", text=text))
    return int(text[:9])


@command(argument("-n", type=_positive, metavar="N", help="Show only the last N turns."))
def history(session: Session, options: Namespace) -> CommandResult:
    """Show the turns of the current conversation."""
    conversation = session.conversations.get()
    numbered = list(enumerate(conversation.turns, 1))
    shown = numbered[-options.n :] if options.n else numbered
    rows = [(n, excerpt(t.prompt), excerpt(t.reply), _format_model(t), _format_status(t)) for n, t in shown]
    columns = ("#", _("prompt"), _("reply"), _("model"), _("status"))
    return DisplayResult(Table(columns, rows, caption=_("Conversation {name}", name=conversation.name)))


@command(argument("count", nargs="?", type=_positive, default=1, help="Number of turns; 1 by default."))
def undo(session: Session, options: Namespace) -> CommandResult:
    """Remove the last turn of the current conversation."""
    conversation = session.conversations.get()
    removed = conversation.undo(options.count)
    prompts = ", ".join(repr(excerpt(turn.prompt)) for turn in removed)
    text = ngettext("Removed {n} turn: {prompts}", "Removed {n} turns: {prompts}", len(removed), prompts=prompts)
    return TextResult(text, conversation.snapshot())


@command()
def retry(session: Session, _options: Namespace) -> CommandResult:
    """Send the last prompt again, to the model in use; the new reply replaces the old one."""
    chat = session.chat()
    return ReplyResult(chat.redo, chat.conversation)


@command()
def clear(session: Session, _options: Namespace) -> CommandResult:
    """Remove all turns of the current conversation."""
    conversation = session.conversations.get()
    turns = len(conversation)
    conversation.clear()
    text = ngettext("Removed {n} turn from {name}.", "Removed {n} turns from {name}.", turns, name=conversation.name)
    return TextResult(text, conversation.snapshot())


@command(argument("name", nargs="?", default="chat", help="Name of the conversation."))
def new(session: Session, options: Namespace) -> CommandResult:
    """Start a new conversation and switch to it."""
    options.name = options.name.strip() or "chat"
    if options.name != "chat" and options.name in session.conversations:
        raise UsageError(
            _("Conversation {name!r} already exists. To use it: `%lockbots switch {name}`.", name=options.name)
        )
    session.conversations.current = session.conversations.get(session.conversations.free_name(options.name)).name
    return TextResult(_("Started conversation {current}.", current=session.conversations.current))


@command(argument("name", completer="conversation", help="Name of the conversation."))
def switch(session: Session, options: Namespace) -> CommandResult:
    """Switch to another conversation."""
    conversation = session.conversations.switch(options.name)
    return TextResult(describe(conversation))


@command(
    argument("name", nargs="?", help="Name of the copy."),
    argument("--at", type=int, metavar="N", help="Copy only the first N turns."),
)
def fork(session: Session, options: Namespace) -> CommandResult:
    """Copy the current conversation and switch to the copy."""
    original = session.conversations.get()
    at = None
    if options.at is not None:
        if not 1 <= options.at <= len(original):
            turns = count_turns(len(original))
            raise UsageError(
                _(
                    "--at must be a turn number; {name} has {turns}, got {at}.",
                    name=original.name,
                    turns=turns,
                    at=options.at,
                )
            )
        at = original.turns[options.at - 1].id
    copy = session.conversations.add(original.fork(options.name or f"{original.name}-fork", at))
    text = _(
        "Conversation {name} ({turns}, copied from {original}).",
        name=copy.name,
        turns=count_turns(len(copy)),
        original=original.name,
    )
    return TextResult(text, copy.snapshot())


@command()
def list_(session: Session, _options: Namespace) -> CommandResult:
    """List the conversations."""
    session.conversations.get()
    rows = [
        (
            "*" if one.name == session.conversations.current else "",
            one.name,
            len(one),
            excerpt(one.turns[-1].prompt) if one.turns else "",
        )
        for one in session.conversations.all()
    ]
    return DisplayResult(Table(("", _("conversation"), _("turns"), _("last prompt")), rows))


@command(argument("name", completer="conversation", help="Name of the conversation."))
def delete(session: Session, options: Namespace) -> CommandResult:
    """Delete a conversation."""
    ending = session.conversations.delete(options.name).snapshot(deleted=True)
    if options.name == "main":
        return TextResult(_("Deleted main; started a new, empty main."), ending)
    return TextResult(
        _(
            "Deleted {name}. The current conversation is {current}.",
            name=options.name,
            current=session.conversations.current,
        ),
        ending,
    )


def _format_status(turn: Turn) -> str:
    return ", ".join([_(turn.status), *([_("stale")] if turn.stale else [])])


def _format_model(turn: Turn) -> str:
    return ":".join(filter(None, (turn.provider, turn.model)))  # an imported turn may name neither

"""Record and replay: `record`, `replay`, `live`."""

from __future__ import annotations

from argparse import Namespace

from ...cassette.active import FILE_VARIABLE, active_cassette, is_inserted, open_cassette
from ...errors import UsageError
from ...language import N_, _
from ..session import Session
from .command import argument, command
from .result import CommandResult, TextResult


@command(
    argument("file", completer="file", help="cassette file (JSON Lines), such as talk.jsonl"),
    argument("--missing", action="store_true", help="replay recorded answers; send and record only the rest"),
    argument("--new", action="store_true", help="discard the old content of the file"),
)
def record(session: Session, options: Namespace) -> CommandResult:
    """Record the answers to this notebook's prompts: cells, panel and comparisons.

    A `Chat` of your own is not recorded; give it a cassette: Chat(..., cassette=FILE).
    """
    if options.missing and options.new:
        raise UsageError(_("`--missing` keeps the content of the cassette, `--new` discards it. Use only one of them."))
    mode = "auto" if options.missing else "new" if options.new else "record"
    return _use_cassette(session, options.file, mode)


@command(
    argument("file", completer="file", help="cassette file"),
    argument("--speed", type=float, metavar="X", help="1: recorded speed, 2: twice as fast, 0: without pauses"),
)
def replay(session: Session, options: Namespace) -> CommandResult:
    """Replay the answers to this notebook's prompts from a cassette; no network, no credential."""
    return _use_cassette(session, options.file, "replay", options.speed)


@command()
def live(session: Session, _options: Namespace) -> CommandResult:
    """Stop recording and replaying; send prompts to the models again."""
    was_in_use, session.cassette = session.cassette is not None, None
    cassette = active_cassette()
    if cassette is not None:
        if is_inserted(cassette):
            return TextResult(
                _("Back to cassette {name}, which code inserted with `insert_cassette`.", name=cassette.path.name)
            )
        return TextResult(_("Back to the cassette named by {variable}.", variable=FILE_VARIABLE))
    return TextResult(
        _("Prompts go to the models again.") if was_in_use else _("No cassette is in use; prompts go to the models.")
    )


_MESSAGES = {
    "replay": N_("Replaying {name}; no model is contacted."),
    "record": N_("Recording to {name}; every prompt is sent."),
    "auto": N_("Recording to {name}; only prompts without a recorded answer are sent."),
    "new": N_("Recording to {name}; every prompt is sent, and the first answer replaces the old content."),
}
"""Result of a command. It depends on the command alone: under a mode set by the environment, outputs stay the same."""


def _use_cassette(session: Session, file: str, mode: str, speed: float | None = None) -> CommandResult:
    if file in ("off", "stop", "none"):
        raise UsageError(_("To stop recording and replaying, run `%lockbots live`."))
    session.cassette = open_cassette(file, mode, speed, hint=f"%lockbots record {file} --missing")
    session.cassette.way_out = "%lockbots live" if mode == "replay" else ""
    return TextResult(_(_MESSAGES[mode], name=session.cassette.path.name))

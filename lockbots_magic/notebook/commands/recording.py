"""Record answers and play them again: `record`, `replay`, `live`."""

from __future__ import annotations

from argparse import Namespace

from ...cassette import active as deck
from ...errors import UsageError
from ..session import Lockbots
from .command import argument, command


@command(
    argument("file", help="the cassette: a text file that holds the answers, such as talk.jsonl"),
    argument("--missing", action="store_true", help="play what the cassette has; ask and record only the rest"),
    argument("--new", action="store_true", help="drop what the cassette has"),
)
def record(_: Lockbots, options: Namespace) -> str:
    """Record every answer from now on in a cassette, so that it can be played again."""
    if options.missing and options.new:
        raise UsageError("--missing keeps what the cassette has, --new drops it; give one of them")
    mode = "auto" if options.missing else "new" if options.new else "record"
    return _insert(options.file, mode)


@command(
    argument("file", help="the cassette"),
    argument("--speed", type=float, metavar="X", help="1 is as it came, 2 twice as fast, 0 at once"),
)
def replay(_: Lockbots, options: Namespace) -> str:
    """Play the answers of a cassette from now on: no network, no credential."""
    return _insert(options.file, "replay", options.speed)


@command()
def live(_: Lockbots, __: Namespace) -> str:
    """Stop recording and replaying: ask the models again."""
    was_in_use = deck.eject() is not None
    if deck.inserted():
        return f"back to the cassette that {deck.FILE_VARIABLE} names"
    return "models are asked again" if was_in_use else "models are asked: no cassette is in use"


_TOLD = {
    "replay": "playing {}: nobody is asked",
    "record": "recording to {}: everything is asked",
    "auto": "recording to {} what is missing there",
    "new": "recording to {}: everything is asked, and what was there goes with the first answer",
}
"""What a command says. It tells what the notebook wants, and no more: under another mode the output is the same."""


def _insert(file: str, mode: str, speed: float | None = None) -> str:
    if file in ("off", "stop", "none"):
        raise UsageError("to record and play no more:  %lockbots live")
    cassette = deck.opened(file, mode, speed, hint=f"%lockbots record --missing {file}")
    while deck.eject():
        pass
    deck.insert(cassette)
    return _TOLD[mode].format(cassette.path.name)

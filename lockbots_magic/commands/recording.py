"""Record answers and play them again: `record`, `replay`, `live`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from ..cassette import deck
from ..errors import UsageError
from ..session import Lockbots
from .command import argument, command, counted

if TYPE_CHECKING:
    from ..cassette.player import Cassette


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
    return _insert(deck.opened(options.file, mode))


@command(
    argument("file", help="the cassette"),
    argument("--speed", type=float, metavar="X", help="1 is as it came, 2 twice as fast, 0 at once"),
)
def replay(_: Lockbots, options: Namespace) -> str:
    """Play the answers of a cassette from now on: no network, no credential."""
    return _insert(deck.opened(options.file, "replay", options.speed))


@command()
def live(_: Lockbots, __: Namespace) -> str:
    """Stop recording and replaying: ask the models again."""
    ejected = deck.eject()
    told = f"{_told(ejected)}; " if ejected else ""
    named = deck.inserted()
    if named:
        return f"{told}back to the cassette of {deck.FILE_VARIABLE}: {named}"
    return f"{told}models are asked again" if ejected else "models are asked: no cassette is in use"


def _insert(cassette: Cassette) -> str:
    while deck.eject():
        pass
    deck.insert(cassette)
    answers = counted(len(cassette.tape.recordings), "answer")
    what = {
        "replay": f"playing {cassette.path.name}: {answers}, in order; nothing is asked",
        "record": f"recording to {cassette.path.name}: everything is asked",
        "auto": f"recording to {cassette.path.name} what is missing; it has {answers}",
        "new": f"recording to {cassette.path.name}: everything is asked, and what was there goes with the first answer",
    }
    return what[cassette.mode]


def _told(cassette: Cassette) -> str:
    return f"{cassette.path.name}: {', '.join(cassette.counts) or 'nothing was asked'}"

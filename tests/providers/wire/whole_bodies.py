"""A body of a stream, decoded to its end."""

from lockbots_magic.conversation.turn_accumulator import TurnAccumulator


def read_whole(decoder, body, cut=0):
    """Return the turn that a body makes, fed in pieces of `cut` bytes, and all of its deltas."""
    pieces = [body[i : i + cut] for i in range(0, len(body), cut)] if cut else [body]
    deltas = [delta for piece in pieces for delta in decoder.feed(piece)]
    deltas += decoder.close()
    assert decoder.done
    turn = TurnAccumulator()
    for delta in deltas:
        turn.add(delta)
    return turn, deltas

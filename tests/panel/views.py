"""A model that says what it is told, and all that a panel tells its views."""

import threading
import time

from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel.backend import ChatBackend
from lockbots_magic.panel.controller import Host

PLANTED = "planted-credential-0123456789"


class Model:
    """Says word by word what it is given to say; `go_on` lets it."""

    def __init__(self, reply="one two three", error=None):
        self.reply = reply
        self.error = error
        self.go_on = threading.Event()
        self.go_on.set()
        self.begun = threading.Event()
        self.prompts = []

    def __call__(self, prompt, temperature=None):
        self.prompts.append(prompt)
        for word in self.reply.split(" "):
            yield word + " "
            self.begun.set()
            assert self.go_on.wait(20)
        if self.error:
            raise self.error

    __name__ = "model"


class ViewSync:
    """All that is told to the views, and what a page would show of it."""

    def __init__(self, chat=None, desk=None):
        self.letters = []
        self.changes = 0
        self._came = threading.Condition()
        self.host = Host(desk or ChatBackend(chat), self._send, self._changed)

    def _send(self, letter):
        with self._came:
            self.letters.append(letter)
            self._came.notify_all()

    def _changed(self):
        self.changes += 1

    def do(self, kind, **fields):
        self.host.handle({"type": kind, **fields})

    def of(self, kind):
        return [letter for letter in self.letters if letter["type"] == kind]

    def wait_for(self, kind, count=1, seconds=20):
        with self._came:
            assert self._came.wait_for(lambda: len(self.of(kind)) >= count, seconds), self.letters
        return self.of(kind)[count - 1]

    def ask(self, prompt):
        ended = len(self.of("usage"))
        self.do("send", prompt=prompt)
        self.wait_for("usage", ended + 1)

    def shown(self):
        """(prompt, reply's HTML, stale) of the turns, as a page that heard everything shows them."""
        turns, growing, stale = [], {}, set()
        for letter in self.letters:
            if letter["type"] == "snapshot":
                turns, growing, stale = list(letter["turns"]), letter["reply"] or {}, set()
            elif letter["type"] == "begin":
                growing = dict(letter["reply"])
            elif letter["type"] == "frame":
                growing["finished"] += letter["finished"]
            elif letter["type"] == "end" and letter["turn"]:
                html = growing["finished"] + letter["rest"] if letter["same"] else letter["turn"]["html"]
                put(turns, {**letter["turn"], "html": html}, growing["replaces"])
            elif letter["type"] == "turn":
                put(turns, letter["turn"], letter["replaces"], letter["after"])
            stale |= set(letter.get("stale", ()))
        return [(t["prompt"], t["html"], t["stale"] or t["id"] in stale) for t in turns]


def put(turns, turn, replaces, after=None):
    ids = [t["id"] for t in turns]
    if replaces in ids:
        turns[ids.index(replaces)] = turn
    elif after in ids:
        turns.insert(ids.index(after) + 1, turn)
    else:
        turns.append(turn)


def prompts(conversation):
    return [t.prompt for t in conversation.turns]


def failing(prompt):
    raise ConnectionFailed("nobody is there")
    yield


def wait_until(condition, seconds=20):
    """Wait for what another thread does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

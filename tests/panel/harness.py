"""A model with a fixed reply, and a panel without widget and page that records its messages."""

import threading
import time

from lockbots_magic.errors import ConnectionFailed
from lockbots_magic.panel.backend import ChatBackend
from lockbots_magic.panel.controller import PanelController

PLANTED = "planted-credential-0123456789"


class Model:
    """Replies word by word with a fixed text, and pauses while `go_on` is cleared.

    Args:
        reply: The text.
        error: Raised after it, if given.
    """

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
            assert self.go_on.wait(60)
        if self.error:
            raise self.error

    __name__ = "model"


class PanelHarness:
    """A panel's controller, and the messages that it has sent to the views.

    Args:
        chat: The chat to show.
        backend: Another backend, instead of a chat.
    """

    def __init__(self, chat=None, backend=None):
        self.messages = []
        self.changes = 0
        self._arrived = threading.Condition()
        self.controller = PanelController(backend or ChatBackend(chat), self._send, self._changed)

    def _send(self, message):
        with self._arrived:
            self.messages.append(message)
            self._arrived.notify_all()

    def _changed(self):
        self.changes += 1

    def post(self, kind, **fields):
        """Handle a request of a view."""
        self.controller.handle({"type": kind, **fields})

    def received(self, kind):
        """Return the messages with the type `kind`."""
        return [message for message in self.messages if message["type"] == kind]

    def wait_for(self, kind, count=1, seconds=60):
        """Wait for the message number `count` with the type `kind`."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received(kind)) >= count, seconds), self.messages
        return self.received(kind)[count - 1]

    def ask(self, prompt):
        """Send a prompt, and wait until its reply has ended."""
        ended = len(self.received("usage"))
        self.post("send", prompt=prompt)
        self.wait_for("usage", ended + 1)

    def shown(self):
        """Return (prompt, HTML of the reply, stale) of each turn, as a view that has received everything shows them."""
        turns, growing, stale = [], {}, set()
        for message in self.messages:
            if message["type"] == "snapshot":
                turns, growing, stale = list(message["turns"]), message["reply"] or {}, set()
            elif message["type"] == "begin":
                growing = dict(message["reply"])
            elif message["type"] == "frame":
                growing["finished"] += message["finished"]
            elif message["type"] == "end" and message["turn"]:
                html = growing["finished"] + message["rest"] if message["same"] else message["turn"]["html"]
                put(turns, {**message["turn"], "html": html}, growing["replaces"])
            elif message["type"] == "turn":
                put(turns, message["turn"], message["replaces"], message["after"])
            stale |= set(message.get("stale", ()))
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
    raise ConnectionFailed("connection refused")
    yield


def wait_until(condition, seconds=60):
    """Wait until another thread has made `condition` true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

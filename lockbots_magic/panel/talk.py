"""One reply of a panel: read in a thread, drawn in another, told as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..messages import Turn
from ..plaintext import printable
from ..providers.secrets import redacted
from ..rendering.drawing import Drawing
from ..rendering.forms import made
from ..reply import Reply
from .letters import Growing, Letter, turn_letter


class Talk:
    """Reads a reply and tells of it.

    Args:
        reply: not begun yet.
        prompt: what was asked.
        model: who answers, ``provider:model``.
        tell: takes a message for the panel, from any thread.
        ended: called when all is told.
        lock: held while something is told, so that who comes in the middle misses nothing.
    """

    def __init__(
        self,
        reply: Reply,
        prompt: str,
        model: str,
        *,
        tell: Callable[[Letter], None],
        ended: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self.growing = Growing(reply.id, prompt, model)
        self._reply = reply
        self._tell = tell
        self._ended = ended
        self._lock = lock
        self._thread = threading.Thread(target=self._run, name="lockbots panel", daemon=True)

    def start(self, replaces: str | None = None) -> None:
        """Begin to read; `replaces` is the id of the turn whose place the new one takes."""
        self.growing.replaces = replaces
        self._tell({"type": "begin", "reply": self.growing.letter(), "replaces": replaces})
        self._thread.start()

    def stop(self) -> None:
        """Close the connection at once; what has come is kept."""
        self._reply.cancel()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` (s) for the end."""
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(seconds)

    def letter(self) -> Letter:
        """Tell of it to who comes in the middle."""
        with self._lock:
            return self.growing.letter()

    def _run(self) -> None:
        drawing = Drawing(self._draw)
        trouble = ""
        try:
            with self._reply as reply:
                for delta in reply.deltas:
                    drawing.feed(delta)
        except BaseException as error:  # noqa: BLE001  # a thread has nobody above it: the panel is to know
            trouble = f"{type(error).__name__}: {error}"
        finally:
            drawing.close()
        try:
            self._finish(drawing, trouble)
        except Exception as error:  # noqa: BLE001  # as above
            self._tell({"type": "told", "kind": "error", "text": f"{type(error).__name__}: {error}"})
        finally:
            self._ended()

    def _draw(self, finished: str, growing: str, notices: Sequence[str]) -> int:
        with self._lock:
            self.growing.finished += [finished] if finished else []
            self.growing.open, self.growing.notice = growing, redacted(printable(" ".join(notices)))
            size = len(finished) + len(growing) + len(self.growing.notice)
            frame = {"finished": finished, "open": growing, "notice": self.growing.notice}
            if size:
                self._tell({"type": "frame", "id": self.growing.id, **frame})
        return size

    def _finish(self, drawing: Drawing, trouble: str) -> None:
        turn = self._reply.turn
        trouble = redacted(printable(trouble or (turn.error if turn else ""))) or "nothing came"
        kept = self._reply.entry is not None and self._reply.entry.owner is not None
        if turn is None or not (turn.is_shown and kept):  # stopped before it was sent, or not taken in
            self._tell({"type": "end", "id": self.growing.id, "turn": None, "text": trouble})
            return
        self._tell({"type": "end", "id": self.growing.id, **self._whole(drawing, turn)})

    def _whole(self, drawing: Drawing, turn: Turn) -> Letter:
        """The turn; a reply that was told piece by piece is not told again, if its pieces make the whole."""
        html = made(drawing.whole, turn.reply)
        told = "".join(self.growing.finished)
        if told and html.startswith(told):
            return {"turn": turn_letter(turn, ""), "same": True, "rest": html[len(told) :]}
        return {"turn": turn_letter(turn, html), "same": False}

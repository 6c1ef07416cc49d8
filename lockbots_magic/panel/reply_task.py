"""One reply of a panel: read in a thread, drawn in another, told as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..conversation.turn import Turn
from ..rendering.frame_loop import FrameLoop
from ..rendering.mime_bundle import made
from ..reply import Reply
from ..security.control_characters import printable
from ..security.secrets import redacted
from .protocol import Message, ReplyProgress, format_error, turn_message


class ReplyTask:
    """Reads a reply and tells of it.

    Args:
        reply: not begun yet.
        progress: the reply as it is told.
        tell: takes a message for the panel, from any thread.
        ended: called when all is told.
        lock: held while something is told, so that who comes in the middle misses nothing.
    """

    def __init__(
        self,
        reply: Reply,
        progress: ReplyProgress,
        *,
        tell: Callable[[Message], None],
        ended: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self.progress = progress
        self._reply = reply
        self._tell = tell
        self._ended = ended
        self._lock = lock
        self._thread = threading.Thread(target=self._run, name="lockbots panel", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._tell({"type": "begin", "reply": self.progress.message(), "replaces": self.progress.replaces})
        self._thread.start()

    def pass_on(self, tell: Callable[[Message], None], ended: Callable[[], None]) -> None:
        """Tell somebody else from now on; whoever calls this holds the lock."""
        self._tell, self._ended = tell, ended

    def stop(self) -> None:
        """Close the connection at once; what has come is kept."""
        self._reply.cancel()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` (s) for the end."""
        if self._thread is not threading.current_thread() and self._thread.ident is not None:
            self._thread.join(seconds)

    def message(self) -> Message:
        """Tell of it to who comes in the middle."""
        with self._lock:
            return self.progress.message()

    def _run(self) -> None:
        try:
            drawing = FrameLoop(self._draw)
            try:
                trouble = self._read(drawing)
            finally:
                drawing.close()
            self._finish(drawing, trouble)
        except Exception as error:  # noqa: BLE001  # a thread has nobody above it: the panel is to know
            self._reply.close()
            self._end({"turn": None, "text": format_error(error)})
        finally:
            with self._lock:
                ended = self._ended
            ended()

    def _read(self, drawing: FrameLoop) -> str:
        """Read all of the reply; return what went wrong."""
        try:
            with self._reply as reply:
                for delta in reply.deltas:
                    drawing.feed(delta)
        except BaseException as error:  # noqa: BLE001  # as above
            return format_error(error)
        return ""

    def _draw(self, finished: str, open_html: str, notices: Sequence[str]) -> int:
        with self._lock:
            self.progress.finished += [finished] if finished else []
            self.progress.open, self.progress.notice = open_html, redacted(printable(" ".join(notices)))
            size = len(finished) + len(open_html) + len(self.progress.notice)
            frame = {"finished": finished, "open": open_html, "notice": self.progress.notice}
            if size:
                self.progress.n += 1
                self._tell({"type": "frame", "id": self.progress.id, "n": self.progress.n, **frame})
        return size

    def _finish(self, drawing: FrameLoop, trouble: str) -> None:
        turn = self._reply.turn
        trouble = trouble or redacted(printable(turn.error if turn else "")) or "nothing came"
        kept = self._reply.entry is not None and self._reply.entry.owner is not None
        if turn is None or not (turn.is_shown and kept):  # stopped before it was sent, or not taken in
            self._end({"turn": None, "text": trouble})
        else:
            self._end(self._whole(drawing, turn))

    def _end(self, how: Message) -> None:
        with self._lock:
            self._tell({"type": "end", "id": self.progress.id, "n": self.progress.n + 1, **how})

    def _whole(self, drawing: FrameLoop, turn: Turn) -> Message:
        """The turn; a reply that was told piece by piece is not told again, if its pieces make the whole."""
        html = made(drawing.whole, turn.reply)
        told = "".join(self.progress.finished)
        if told and html.startswith(told):
            return {"turn": turn_message(turn, ""), "same": True, "rest": html[len(told) :]}
        return {"turn": turn_message(turn, html), "same": False}

"""One reply of a panel: read in one thread, rendered in another, sent to the views as it arrives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from ..conversation.turn import Turn
from ..language import _, current_language, speaking
from ..rendering.attachments import attachments_of
from ..rendering.frame_loop import FrameLoop
from ..rendering.mime_bundle import html_or_source
from ..reply import Reply, ReplyWorker
from .protocol import MAX_IMAGES, PanelMessage, ReplyProgress, format_error, turn_message


class ReplyTask:
    """Read a reply and send it to the views.

    Args:
        reply: The reply, not started yet.
        progress: What the views have received of it.
        send: Takes a message for the views; called from any thread.
        on_end: Called when everything is sent.
        lock: Held while `progress` changes and is sent, so that a view that opens meanwhile misses nothing.
    """

    def __init__(
        self,
        reply: Reply,
        progress: ReplyProgress,
        *,
        send: Callable[[PanelMessage], None],
        on_end: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self.progress = progress
        self._reply = reply
        self._send = send
        self._on_end = on_end
        self._lock = lock
        self._worker: ReplyWorker | None = None

    def start(self) -> None:
        """Start to read.

        Raises:
            Exception: The views can't be reached, or there is no thread to be had. The reply is not started then.
        """
        frames = FrameLoop(self._send_frame, restart=self._restart)
        language = current_language()

        def in_language_of_request(work: Callable[[], None]) -> None:
            with speaking(language):  # not in its whole context: what a function prints goes to the cell
                work()

        self._worker = ReplyWorker(
            [self._reply],
            lambda _, delta: frames.feed(delta),
            lambda _, error: self._on_read(frames, error),
            run=in_language_of_request,
            name="lockbots panel",
        )
        try:
            self._send(self.progress.begin_message())
            self._worker.start()
        except BaseException:
            frames.close()
            raise

    def redirect(self, send: Callable[[PanelMessage], None], on_end: Callable[[], None]) -> None:
        """Replace the callbacks. The caller holds the lock."""
        self._send, self._on_end = send, on_end

    def stop(self) -> None:
        """Close the connection at once; the text received so far is kept."""
        self._reply.cancel()

    def join(self, seconds: float) -> None:
        """Wait up to `seconds` for the end."""
        if self._worker is not None:
            self._worker.join(seconds)

    def message(self) -> PanelMessage:
        """Describe the reply so far, for a view that opens in the middle of it."""
        with self._lock:
            return self.progress.message()

    def _on_read(self, frames: FrameLoop, error: BaseException | None) -> None:
        """Send the end of the reply, and the exception that ended it, if any."""
        try:
            frames.close()
            self._finish(frames, format_error(error) if error else "")
        except Exception as failure:  # noqa: BLE001  # shown in the panel: the thread has no caller
            self._send_end({"turn": None, "text": format_error(failure)})
        finally:
            with self._lock:
                on_end = self._on_end
            on_end()

    def _send_frame(self, finished: str, open_html: str, notices: Sequence[str]) -> int:
        """Send the next piece; return its size for the frame loop's throttle."""
        with self._lock:
            progress = self.progress
            progress.finished += [finished] if finished else []
            progress.open, progress.notice = open_html, " ".join(notices)
            size = len(finished) + len(open_html) + len(progress.notice)
            frame = {"finished": finished, "open": open_html, "notice": progress.notice}
            if size:
                progress.seq += 1
                self._send({"type": "frame", "id": progress.id, "seq": progress.seq, **frame})
        return size

    def _restart(self) -> None:
        """Have the views begin the reply anew: the text so far was reasoning."""
        with self._lock:
            self.progress.finished, self.progress.open = [], ""
            self._send(self.progress.begin_message())

    def _finish(self, frames: FrameLoop, error: str) -> None:
        turn = self._reply.turn
        error = error or (turn.error if turn else "") or _("no reply was received")
        kept = self._reply.entry is not None and self._reply.entry.info is not None
        if turn is None or not (turn.is_shown and kept):  # stopped before it was sent, or not part of the conversation
            self._send_end({"turn": None, "text": error})
        else:
            self._send_end(self._describe_end(frames, turn))

    def _send_end(self, end: PanelMessage) -> None:
        with self._lock:
            self._send({"type": "end", "id": self.progress.id, "seq": self.progress.seq + 1, **end})

    def _describe_end(self, frames: FrameLoop, turn: Turn) -> PanelMessage:
        """Describe the turn; HTML that was sent in frames is not sent again if it is the beginning of the whole."""
        html = html_or_source(frames.whole, turn.reply) + attachments_of(turn, max_size=MAX_IMAGES).html
        sent = "".join(self.progress.finished)
        if sent and html.startswith(sent):
            return {"turn": turn_message(turn, ""), "same": True, "rest": html[len(sent) :]}
        return {"turn": turn_message(turn, html), "same": False}

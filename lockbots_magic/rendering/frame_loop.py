"""Thread that draws frames of a growing reply.

Reading the stream never waits for a frame, text that arrives just before a pause is drawn during the pause, and an
interrupt, which is raised in the main thread, can't tear a frame.
"""

from __future__ import annotations

import functools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from ..conversation.messages import NOTHING_ELSE, Delta
from ..language import _
from .first_words import first_words_html, import_parser, is_parser_imported
from .reasoning_tail import ReasoningTail, thinking_notice
from .seconds import WAITING_DELAY
from .time_budget import MAX_FRAME_SECONDS, MAX_RENDERED, TooSlowError, at_most, remaining

if TYPE_CHECKING:
    from .incremental_reply import IncrementalReply

FRAME = 0.12
"""Minimum interval (s) between two frames."""
FAST = 2_000
"""Rate (characters of text per second) from which nobody reads along; text has to move then, no more."""
FAST_INTERVALS = 2.75
"""Minimum interval between two frames of such text, over `FRAME`."""
FRAME_RATE = 20_000
"""Rate (characters of HTML per second) of frames: the network carries each, and the page lays it out again."""
STILL = 0.33
"""Interval (s) up to which that rate holds; then it is `LARGER` times as high, so that a large output still moves."""
LARGER = 2.5
MAX_CLOSE_SECONDS = 5.0
"""Time (s) to wait for a frame that is being rendered when the reply ends; without it, the reply is plain text."""
LONG_FRAME = 1.0
"""Minimum interval (s) between two frames that only tell how long a reply is that is not rendered."""

SENDING = 0.5
"""Longest time (s) that is left to the first request of a kernel before what draws its reply is imported."""
IDLE = 0.02
"""Time (s) in which a process that waits for the model does next to nothing."""

Draw = Callable[[str, str, Sequence[str]], int]
"""Takes the HTML finished since the last frame, the HTML of the open block, and notices; returns the frame's size."""


def interval_after(size: int, speed: float = 0.0) -> float:
    """Return the interval (s) from one frame to the next.

    Args:
        size: Size of the frame (characters of HTML).
        speed: Rate at which text comes (characters per second).
    """
    usual = FRAME * (1 if speed < FAST else FAST_INTERVALS)
    needed = size / FRAME_RATE
    return max(usual, needed if needed < STILL else max(STILL, needed / LARGER))


class FrameLoop:
    """Draws a reply while it streams.

    Args:
        draw: Draws one frame, in the thread.
        run: Runs the thread's work; for example in a context.
        restart: Called in the thread before the first frame after the text so far was retracted.
        wait: Called in the thread once if nothing has come for `WAITING_DELAY`; the first frame follows it.
        think: Called in the thread, seldom, with the end of the reasoning so far and the time (s) since it began;
            without it, frames tell its size.
    """

    def __init__(
        self,
        draw: Draw,
        run: Callable[[Callable[[], None]], None] = lambda work: work(),
        restart: Callable[[], None] = lambda: None,
        wait: Callable[[], None] | None = None,
        think: Callable[[str, float], None] | None = None,
    ) -> None:
        self._draw = draw
        self._wait = wait
        self._think = think
        self._reasoning = ReasoningTail()
        self._is_thinking = False  # nothing but reasoning has come since the last text or notice
        self._restart = restart
        self._arrived: deque[str | Delta] = deque()  # text, or what is more than that: thousands may wait for a frame
        self._notice = ""
        self._reasoned = 0  # characters of reasoning
        self._size = 0  # characters of text
        self._drawn = (0, -math.inf)  # characters of text at the last frame, and its time
        self._failed = False
        self._drawing = threading.Lock()
        self._abandoned = threading.Event()
        self._changed = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=run, args=(self._draw_frames,), daemon=True)
        try:
            self._thread.start()
        except BaseException:  # an interrupt while the thread begins: no caller has this object yet, to close it
            self._stopped.set()
            self._changed.set()
            raise

    @functools.cached_property
    def _document(self) -> IncrementalReply:
        from .incremental_reply import IncrementalReply  # noqa: PLC0415  # with the parser, while the model is waited for

        return IncrementalReply()

    def feed(self, delta: Delta) -> None:
        """Take one step of the reply."""
        if delta[1:] != NOTHING_ELSE or self._is_thinking or self._notice:
            self._feed_other(delta)
            return
        if not delta.text:
            return
        self._size += len(delta.text)
        if self._size > MAX_RENDERED:
            self._arrived.clear()  # none of it will be rendered
        else:
            self._arrived.append(delta.text)
        self._tell()

    def _tell(self) -> None:
        if not self._changed.is_set():  # a thousand words a second may come between two frames
            self._changed.set()

    def _feed_other(self, delta: Delta) -> None:
        """Take a step that is more than the next word."""
        if not (delta.text or delta.notice or delta.reasoning or delta.retracts or delta.calls):
            return
        if delta.retracts:
            self._size = 0
        self._size += len(delta.text)
        if self._size > MAX_RENDERED:
            self._arrived.clear()  # none of it will be rendered
        elif delta.retracts or delta.calls:
            self._arrived.append(delta)
        elif delta.text:
            self._arrived.append(delta.text)
        self._reasoned += len(delta.reasoning)
        self._reasoning.feed(delta.reasoning)
        is_thinking = bool(delta.reasoning) and not delta.text
        self._is_thinking = is_thinking and not delta.notice and self._think is not None
        self._notice = delta.notice or (thinking_notice(self._reasoned) if is_thinking and not self._think else "")
        self._tell()

    @property
    def text(self) -> str:
        """Markdown of the frame that is drawn."""
        return self._document.text

    def whole(self) -> str:
        """Stop, and return the HTML of the whole reply.

        Raises:
            TooSlowError: It takes too long, or the reply is too long.
        """
        self.close()
        if not self._can_render():
            raise TooSlowError
        self._take_in()
        return self._document.whole()

    def draw_rest(self) -> None:
        """Stop, and draw what has come since the last frame: the whole of a long reply takes longer to show."""
        self.close()
        if self._arrived and self._can_render():
            with suppress(Exception), at_most(MAX_FRAME_SECONDS):  # a failed frame costs no reply
                self._failed = True  # unless all of the text is taken in: `whole` must not lack the rest
                restarts = self._take_in()
                self._failed = False
                if restarts:
                    self._restart()
                self._draw(*self._document.advance(), [])

    def _can_render(self) -> bool:
        return not (self._failed or self._size > MAX_RENDERED or self._thread.is_alive())

    def close(self) -> None:
        """Stop drawing frames: none is drawn after this."""
        self._stopped.set()
        self._changed.set()
        self._thread.join(max(0.0, min(MAX_CLOSE_SECONDS, remaining() / 2)))
        self._abandoned.set()
        with self._drawing:  # a frame that is still being rendered is not drawn any more
            pass

    def _draw_first_words(self) -> bool:
        """Draw the beginning of what has come, if that needs no parser; return whether it is drawn."""
        arrived = self._arrived.copy()
        text = "".join(one for one in arrived if isinstance(one, str))
        words = first_words_html(text) if all(isinstance(one, str) for one in arrived) else ""
        return bool(words and self._put("", words, []))

    def _wait_for_request(self) -> None:
        """Wait while the process works, most likely to make the request; no longer than until something comes."""
        begun = time.monotonic()
        while time.monotonic() - begun < SENDING:
            worked = time.process_time()
            if self._changed.wait(IDLE) or time.process_time() - worked < IDLE / 10:
                return

    def _draw_frames(self) -> None:
        if not is_parser_imported():
            self._wait_for_request()
            with suppress(Exception):  # what is wrong shows in the first frame
                import_parser(self._draw_first_words)
        if self._wait is not None and not self._changed.wait(WAITING_DELAY):
            with self._drawing:
                if not self._stopped.is_set():
                    self._wait()
        while self._wait_for_change() and not self._stopped.is_set():
            self._changed.clear()
            if self._is_thinking and not self._arrived:
                self._draw_reasoning()
                continue
            if self._failed or self._size > MAX_RENDERED:
                self._put("", "", [_("{n:,} characters so far, shown when the reply is complete", n=self._size)])
                self._stopped.wait(LONG_FRAME)
                continue
            started, worked = time.monotonic(), time.thread_time()
            try:
                with at_most(MAX_FRAME_SECONDS, self._abandoned.is_set):
                    restarts = self._take_in()
                    frame = self._document.advance()
                if restarts:
                    self._restart()
                worked = time.thread_time() - worked
                rendered = time.monotonic()
                size = self._put(*frame, [self._notice] if self._notice else [])
            except Exception:  # noqa: BLE001  # a failed frame costs no reply: the end shows it
                self._failed = True
                self._changed.set()
                continue
            if size:  # 0: nothing but half a marker has arrived
                drawn = time.monotonic()
                # rendering counts by its own time: the clock goes on while other replies have their turn
                interval = max(interval_after(size, self._speed(started)), 4 * (worked + drawn - rendered))
                self._stopped.wait(max(0.0, started + interval - drawn))  # reading the stream goes on

    def _speed(self, now: float) -> float:
        """Return the rate (characters per second) at which text has come since the last frame."""
        (size, at), self._drawn = self._drawn, (self._size, now)
        return (self._size - size) / max(now - at, 1e-3)

    def _wait_for_change(self) -> bool:
        """Wait for a change, or until reasoning that has come is due; True."""
        self._changed.wait(self._reasoning.wait if self._is_thinking else None)
        return True

    def _draw_reasoning(self) -> None:
        if self._think is None or self._reasoning.wait != 0:
            return
        with self._drawing:
            if not self._stopped.is_set():
                self._think(*self._reasoning.take())

    def _put(self, finished: str, growing: str, notices: Sequence[str]) -> int:
        with self._drawing:
            return 0 if self._stopped.is_set() else self._draw(finished, growing, notices)

    def _take_in(self) -> bool:
        """Add what has arrived; return whether the text before it was retracted."""
        retracted = False
        pieces: list[str] = []
        while (delta := self._next_arrived()) is not None:
            if isinstance(delta, str):
                pieces.append(delta)
                continue
            if delta.retracts:
                pieces.clear()
                self._document.retract(delta.text)
                retracted = True
            else:
                pieces.append(delta.text)
            if delta.calls:
                self._document.feed("".join(pieces))
                pieces.clear()
                self._document.feed_calls(delta.calls)
        self._document.feed("".join(pieces))
        return retracted

    def _next_arrived(self) -> str | Delta | None:
        try:
            return self._arrived.popleft()
        except IndexError:
            return None

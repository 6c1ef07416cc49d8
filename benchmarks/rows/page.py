"""Replies in JupyterLab in Chromium: what is left to do after the last token, the main thread, the websocket."""

from __future__ import annotations

import atexit
import functools
from contextlib import ExitStack

from common import Server, median, server
from in_lab import Stage, Stream, Watched, stage, watch

from . import Measured, row

SHORT, LONG = Stream(12_500, 1_000), Stream(125_000, 5_000)
FAST = Stream(12_500, 5_000)
"""The short one at the rate of the long one: of a slower stream more frames are drawn."""
RENDERED = Stream(50_000, 5_000)
"""The longest reply that is rendered as a whole; of a longer one, the page shows 300,000 characters of plain text."""
PATIENCE = 20
"""Time (s) to wait for a quiet machine, in all."""
RUNS = 3
"""Runs of `FAST`, which is short, for a median."""
REPLIES, MODEL = 10, "2000@200-document"
"""Replies that stream at once, and the model of each."""
PANEL = """\
%load_ext lockbots_magic
import os
os.environ["LOCKBOTS_OPENAI_BASE_URL"] = "{url}"
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.notebook.extension import session_of
conversations = session_of(get_ipython()).conversations
conversation = conversations.find(conversations.current)
for n in range(500):
    turn = Turn(f"What is item {{n}}?", "It is *the* item, with `code` and a point. " * 12, "m", "openai")
    conversation.commit(turn, conversation.slot())
"""
SETTLED = 1500
"""Time (ms) after which nothing of one panel delays the next."""
GROWTH = """(count) => {
  window.grown = Array.from({ length: count }, () => ({ halt: 0, size: 0 }));
  const areas = [...document.querySelectorAll('.jp-CodeCell')].slice(1).map((e) => e.querySelector('.jp-OutputArea'));
  const look = () => {
    areas.forEach((area, number) => {
      const one = grown[number], text = area.textContent, now = performance.now();
      if (one.ended || text.length === one.size) return;
      if (text.includes('Section') && one.at) one.halt = Math.max(one.halt, now - one.at);
      if (text.includes('Section')) Object.assign(one, { at: now, ended: text.includes('Finished') });
      one.size = text.length;
    });
    if (!grown.every(({ ended }) => ended)) requestAnimationFrame(look);
  };
  look();
}"""
"""Notes, at every frame, the longest time (ms) in which the text of each cell but the first did not change."""
LISTEN = "addEventListener('keydown', () => { window.pressed = performance.now() }, true)"
SHOWN = """([text, count]) =>
  [...document.querySelectorAll('.lockbots-panel')].filter((e) => e.textContent.includes(text)).length >= count
    && (performance.now() - pressed) / 1e3"""
"""Asked at every frame; true is the time (s) since the key press that ran the cell: the driver's own is not counted."""


@functools.cache
def place() -> tuple[Server, Stage]:
    """Start the server of the replies, JupyterLab and a browser, until the process ends: each row has its own page."""
    stack = ExitStack()
    atexit.register(stack.close)
    found = stack.enter_context(server()), stack.enter_context(stage())
    found[1].patience = PATIENCE
    return found


@functools.cache
def watched(stream: Stream, run: int = 0) -> Watched:
    """Return the measurements of a run.

    Raises:
        RuntimeError: The page did not show the whole reply, so that what it cost says nothing.
    """
    found = watch("ours", stream, *place(), reads=False)
    if not found.page["finished"] or found.limits:
        raise RuntimeError(f"{stream.model}, run {run}: the page lacks part of the reply")
    return found


@row("page", "last token to finished screen, 50 KB with 104 formulas", unit="s", aim="<= 0.3 s", limit="0", clock=True)
def after_the_last_token() -> Measured:
    return Measured(watched(SHORT).after_on_screen)


@row("page", "last token to final output, 50 KB with 104 formulas", unit="s", aim="<= 0.5 s", limit="0", clock=True)
def final_output() -> Measured:
    return Measured(watched(SHORT).after)


@row("page", "main thread, 500 KB over 50 KB", unit="s", aim="<= 10.5 x", limit="10 x")
def main_thread() -> Measured:
    return over_short(LONG)


@row("page", "main thread, 200 KB over 50 KB, all rendered", unit="s", aim="<= 4.2 x", limit="4 x")
def main_thread_rendered() -> Measured:
    return over_short(RENDERED)


def over_short(stream: Stream) -> Measured:
    """Compare processor time at the same rate; what the page costs when nothing happens is taken off both."""
    short = median([watched(FAST, run).busy["ThreadTime"] for run in range(RUNS)])
    return Measured(watched(stream).busy["ThreadTime"], short, "50 KB")


@row("page", "longest block after the first second, 50 KB", unit="ms", aim="<= 50 ms", limit="a frame", clock=True)
def longest_block_50() -> Measured:
    return Measured(watched(SHORT).longest_block * 1e3)


@row("page", "longest block after the first second, 500 KB", unit="ms", aim="<= 50 ms", limit="a frame", clock=True)
def longest_block_500() -> Measured:
    return Measured(watched(LONG).longest_block * 1e3)


@row("page", "farthest move of a line that is read, 50 KB", unit="px", aim="<= 2 px", limit="0")
def reader_moved() -> Measured:
    page = watched(SHORT).page
    if "reads" not in page:
        raise RuntimeError("nothing was read: the reply was too short for the page")
    return Measured(page["farthest"], note=f"{page['moves']} moves, gone for {page['lost']} frames")


@row("page", "websocket, 50 KB", unit="MB", aim="<= 0.4 MB", limit="0.05 MB")
def websocket() -> Measured:
    sockets = watched(SHORT).page["sockets"]
    return Measured(sockets["bytes"] / 1e6, 0.05, "the reply", note=f"{sockets['messages']} messages")


@row(
    "page", "ten replies at once, longest halt of one on the page", unit="s", aim="<= 0.5 s", limit="0.2 s", clock=True
)
def ten_at_once() -> Measured:
    """Run cells whose replies stream in the background; each must be seen to grow, from its first text to its last."""
    cell = f"%%chat -m openai:{MODEL} --base-url {{url}} --background -c talk{{number}}\nGo on."
    source, on = place()
    with on.page() as page:
        cells = [cell.format(url=source.url, number=number) for number in range(REPLIES)]
        notebook = on.lab.open(page, "%load_ext lockbots_magic", *cells)
        notebook.run(0)
        page.evaluate(GROWTH, REPLIES)
        page.evaluate("() => void jupyterapp.commands.execute('notebook:run-all-cells')")
        page.wait_for_function("grown.every(({ended}) => ended)", timeout=120_000)
        halts = page.evaluate("grown.map(({halt}) => halt / 1e3)")
    return Measured(max(halts), median(halts), "the median of the ten")


@row("page", "panel of 1,000 messages to its first screen", unit="s", aim="<= 0.5 s", limit="an empty one", clock=True)
def open_panel() -> Measured:
    return Measured(*(first_screen(turns) for turns in (500, 1)), "a panel of 2 messages")


def first_screen(turns: int) -> float:
    """Return the time (s) from the key that runs `%lockbots panel` to the last message: of three, the median."""
    setup = PANEL.replace("range(500)", f"range({turns})")
    source, on = place()
    with on.page(height=4000) as page:
        page.add_init_script(LISTEN)
        notebook = on.lab.open(page, setup.format(url=source.url), *["%lockbots panel"] * 4)
        notebook.run(0)
        times = []
        for number in range(1, 5):
            notebook.run(number, wait=False)
            times.append(page.wait_for_function(SHOWN, arg=[f"What is item {turns - 1}?", number]).json_value())
            page.wait_for_timeout(SETTLED)
    return sorted(times[1:])[1]  # the first one fetches the widgets

"""Replies in JupyterLab in Chromium: what is left to do after the last token, the main thread, the websocket."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

from common import server
from in_lab import Stream, Watched, watch

from . import Measured, row

SHORT, LONG = Stream(12_500, 1_000), Stream(125_000, 5_000)
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
LISTEN = "addEventListener('keydown', () => { window.pressed = performance.now() }, true)"
SHOWN = """([text, count]) =>
  [...document.querySelectorAll('.lockbots-panel')].filter((e) => e.textContent.includes(text)).length >= count
    && (performance.now() - pressed) / 1e3"""
"""Asked at every frame; true is the time (s) since the key press that ran the cell: the driver's own is not counted."""


@functools.cache
def watched(stream: Stream) -> Watched:
    with server() as source:
        return watch("ours", stream, source)


@row("page", "last token to finished screen, 50 KB with 104 formulas", unit="s", aim="<= 0.3 s", limit="0", clock=True)
def after_the_last_token() -> Measured:
    return Measured(watched(SHORT).after_on_screen)


@row("page", "last token to final output, 50 KB with 104 formulas", unit="s", aim="none", limit="0", clock=True)
def final_output() -> Measured:
    return Measured(watched(SHORT).after)


@row("page", "main thread, 500 KB over 50 KB", unit="s", aim="<= 10.5 x", limit="10 x")
def main_thread() -> Measured:
    return Measured(watched(LONG).busy["ThreadTime"], watched(SHORT).busy["ThreadTime"], "50 KB")


@row("page", "longest block after the first second, 50 KB", unit="ms", aim="<= 50 ms", limit="a frame", clock=True)
def longest_block_50() -> Measured:
    return Measured(watched(SHORT).longest_block * 1e3)


@row("page", "longest block after the first second, 500 KB", unit="ms", aim="<= 50 ms", limit="a frame", clock=True)
def longest_block_500() -> Measured:
    return Measured(watched(LONG).longest_block * 1e3)


@row("page", "websocket, 50 KB", unit="MB", aim="<= 0.4 MB", limit="0.05 MB")
def websocket() -> Measured:
    sockets = watched(SHORT).page["sockets"]
    return Measured(sockets["bytes"] / 1e6, 0.05, "the reply", note=f"{sockets['messages']} messages")


@row("page", "panel of 1,000 messages to its first screen", unit="s", aim="<= 0.5 s", limit="an empty one", clock=True)
def open_panel() -> Measured:
    return Measured(*(first_screen(turns) for turns in (500, 1)), "a panel of 2 messages")


def first_screen(turns: int) -> float:
    """Return the time (s) from the key that runs `%lockbots panel` to the last message: of three, the median."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # rows of other topics can do without

    from tests.browser.lab import CHROMIUM, FLAGS, Lab  # noqa: PLC0415  # as above

    setup = PANEL.replace("range(500)", f"range({turns})")
    with (
        server() as source,
        tempfile.TemporaryDirectory() as folder,
        Lab(Path(folder)) as lab,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(viewport={"width": 1200, "height": 4000}).new_page()
        page.add_init_script(LISTEN)
        notebook = lab.open(page, setup.format(url=source.url), *["%lockbots panel"] * 4)
        notebook.run(0)
        times = []
        for number in range(1, 5):
            notebook.run(number, wait=False)
            times.append(page.wait_for_function(SHOWN, arg=[f"What is item {turns - 1}?", number]).json_value())
            page.wait_for_timeout(SETTLED)
        browser.close()
    return sorted(times[1:])[1]  # the first one fetches the widgets

"""The hostile corpus in the chat panel: in turns, in streaming replies and in other texts."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.lab import new_context
from tests.browser.panels import Panel
from tests.hostile import BATCHES, VECTORS
from tests.hostile.names import NAMES, REFUSALS
from tests.hostile.watcher import Watcher, listed

STREAMED = range(0, len(BATCHES), 32)
SETUP = f"""
import sys, time
sys.path.append({str(Path(__file__).parents[2])!r})
from ipywidgets import VBox  # a panel inside it has no transcript output
from lockbots_magic import Chat, ChatPanel
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from tests.hostile import BATCHES, VECTORS
from tests.hostile.names import NAMES, REFUSALS

def stream(number):
    for piece in BATCHES[int(number)].pieces:
        yield piece
        time.sleep(0.03)

turns = [Turn(v.text, v.text, model=NAMES[n % len(NAMES)]) for n, v in enumerate(VECTORS)]
turns += [Turn(text, "half a reply", status="error", error=text) for text in REFUSALS]
conversation = Conversation(NAMES[0], system=NAMES[1], turns=turns)
chat = Chat(stream, conversation=conversation)
VBox([ChatPanel(chat)])
"""
LOAD_ALL = """async log => {
    const more = log.querySelector('.lb-earlier');
    while (!more.hidden) {
        log.scrollTop = 0;
        await new Promise(requestAnimationFrame);
    }
}"""


@pytest.fixture(scope="module")
def shown(lab, browser):
    """A panel with the whole corpus as its turns, and the watcher of its page."""
    context = new_context(browser)
    watcher = Watcher(context, lab.url)
    page = context.new_page()
    notebook = lab.open(page, "1", SETUP, name="panel-hostile.ipynb")
    notebook.run(0)
    notebook.cell(1).locator(".jp-InputArea-editor").click()
    chrome = page.evaluate("watcher.chrome()")
    notebook.run(1)
    panel = Panel(page).wait_until_ready()
    panel.log.evaluate(LOAD_ALL)
    expect(panel.turns).to_have_count(len(VECTORS) + len(REFUSALS))
    yield panel, watcher, chrome
    context.close()


def test_nothing_in_the_turns_acts(shown):
    panel, watcher, chrome = shown
    seen = watcher.search(panel.page)
    assert not seen, listed(seen, {})
    assert panel.page.evaluate("watcher.chrome()") == chrome


def test_nothing_in_a_streaming_reply_acts(shown):
    panel, watcher, chrome = shown
    for number in STREAMED:
        panel.send(str(number))
    seen = watcher.search(panel.page)
    assert not seen, listed(seen, {})
    assert panel.page.evaluate("watcher.chrome()") == chrome


def test_names_settings_and_notifications_are_shown_as_text(shown):
    panel, watcher, _ = shown
    panel.root.get_by_role("button", name="Model and settings").click()
    for name in NAMES[:6]:
        panel.settings.get_by_label("Model", exact=True).select_option("Another model…")
        panel.settings.get_by_label("Model name").fill(name)
        panel.page.keyboard.press("Enter")
        expect(panel.root.locator(".lb-model")).to_contain_text(name)
    panel.page.keyboard.press("Escape")
    panel.choose("Clear the conversation…")
    expect(panel.notifications).to_contain_text([NAMES[0]])
    assert panel.names.input_value() == NAMES[0]
    panel.button("Edit the prompt", 0).click()
    seen = watcher.seen(panel.page)
    assert not seen, listed(seen, {})

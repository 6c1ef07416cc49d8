"""Driver of the chat panel in a page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from lockbots_magic.panel.texts import TEXTS
from lockbots_magic.testing.mock_server import MockServer
from tests.browser.lab import PATIENCE

RATE = 60
"""Tokens per second: slow enough to watch a reply grow."""


def use(mock_server: MockServer, **how: object) -> str:
    """Return the source of a cell that loads the extension and uses the mock server."""
    return f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {mock_server.url('openai', **how)}"


class Panel:
    """One view of a panel.

    Args:
        page: The page.
        root: Element of the view; the only panel of the page by default.
    """

    def __init__(self, page: Page, root: Locator | None = None) -> None:
        self.page = page
        self.root = root or page.locator(".lockbots-panel")
        self.input = self.root.locator(".lb-composer textarea")
        self.action = self.root.locator(".lb-send")
        self.log = self.root.locator(".lb-log")
        self.turns = self.root.locator("article:not([hidden])")
        self.notifications = self.root.locator(".lb-bar:visible")
        self.names = self.root.locator(".lb-head select")
        self.settings = self.root.locator(".lb-settings")
        self.status = self.root.get_by_role("status")

    def wait_until_ready(self) -> Panel:
        """Wait until the panel has received its state."""
        expect(self.names.locator("option")).not_to_have_count(0, timeout=PATIENCE)
        return self

    def send(self, prompt: str, wait: bool = True) -> None:
        """Type a prompt and press Enter; with `wait`, wait until the reply has ended."""
        before = self.turns.count()
        self.input.click()
        self.page.keyboard.insert_text(prompt)
        self.page.keyboard.press("Enter")
        self._wait_for("root.querySelectorAll('article:not([hidden])').length === arg", before + 1)
        if wait:
            self.wait_for_end()

    def wait_for_end(self) -> None:
        """Wait until no reply is in progress."""
        self._wait_for("!root.querySelector('.lb-waits')")

    def _wait_for(self, condition: str, arg: object = None) -> None:
        """Wait for a condition on the element `root`, checked at every frame: nearly every test waits here."""
        state = "gone"
        while state == "gone":  # a page that loads draws it anew
            watched = [self.root.element_handle(), arg]
            function = f"([root, arg]) => root.isConnected ? ({condition}) && 'true' : 'gone'"
            state = self.page.wait_for_function(function, arg=watched, timeout=PATIENCE).json_value()

    def prompt(self, index: int = -1) -> Locator:
        """Return the prompt of a turn."""
        return self.turns.nth(index).locator(".lb-prompt")

    def reply(self, index: int = -1) -> Locator:
        """Return the reply of a turn, complete or in progress."""
        return self.turns.nth(index).locator(".lockbots-reply")

    def button(self, label: str, index: int = -1) -> Locator:
        """Return a button of a turn, which is visible under the pointer."""
        self.turns.nth(index).hover()
        return self.turns.nth(index).get_by_role("button", name=label, exact=True)

    def start_conversation(self) -> None:
        """Start a new conversation, and wait until the turns of the one before have gone."""
        before = self.names.input_value()
        self.root.get_by_role("button", name="New conversation").click()
        is_empty = "!root.querySelector('article:not([hidden])')"
        self._wait_for(f"root.querySelector('.lb-head select').value !== arg && {is_empty}", before)

    def switch_to_main(self) -> None:
        """Switch to the conversation of the cells, and wait until the panel says that it is theirs."""
        self.names.select_option("main")
        expect(self.log).to_contain_text(TEXTS["cells_here"], timeout=PATIENCE)

    def open_settings(self) -> None:
        """Open the settings."""
        self.root.get_by_role("button", name="Model and settings").click()

    def choose(self, item: str) -> None:
        """Choose an item of the menu."""
        self.root.locator("summary").click()
        self.root.get_by_role("button", name=item).click()

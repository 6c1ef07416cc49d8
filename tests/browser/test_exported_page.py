"""Page of `%lockbots export talk.html` in Chromium: it shows every turn, requests nothing, and runs nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
from lockbots_magic.storage import files
from tests.browser.lab import new_context
from tests.documents import DOCUMENT
from tests.hostile import VECTORS
from tests.hostile.judge import faults_in
from tests.hostile.names import NAMES
from tests.storage.test_export_document import PAGE

WATCHED = """
window.seen = [];
Object.defineProperty(window, "hurt", {get: () => () => seen.push("called"), set: () => seen.push("set")});
document.addEventListener("securitypolicyviolation", (event) => seen.push(event.violatedDirective));
"""
WIDTH = 360
"""Width of a telephone (pixels)."""


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def opened(browser: Browser, scheme, tmp_path):
    """Export a conversation, open it, and return the page and its further requests."""
    context = new_context(browser, color_scheme=scheme, viewport={"width": WIDTH, "height": 800})

    def opened(conversation):
        path = files.export_conversation(conversation, tmp_path / "talk.html").path
        asked: list[str] = []
        page = context.new_page()
        page.add_init_script(WATCHED)
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        return page, [url for url in asked if url != path.as_uri() and not url.startswith("data:")]

    yield opened
    context.close()


def test_the_whole_corpus_acts_nowhere_in_the_page(opened):
    turns = [Turn(vector.text, vector.text, model=NAMES[n % len(NAMES)]) for n, vector in enumerate(VECTORS)]
    page, asked = opened(Conversation("".join(NAMES), turns=turns))
    assert not asked
    assert page.evaluate("seen") == []
    assert not faults_in(page.evaluate("document.body.innerHTML"), PAGE)
    assert page.locator("section.prompt").count() == len(turns)


def test_a_narrow_screen_needs_no_scrolling_sideways(opened):
    wide = "w" * 3000
    turns = [
        Turn(DOCUMENT, DOCUMENT),
        Turn(wide, f"{wide}\n\n`{wide}`\n\n```\n{wide}\n```"),
        Turn("q", "|a" * 80 + "|\n" + "|-" * 80 + "|"),
    ]
    page, _ = opened(Conversation(wide, system=wide, turns=turns))
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH


def test_the_colours_are_those_of_the_reader_and_can_be_read(opened, scheme):
    page, _ = opened(
        Conversation("talk", system="Be brief.", turns=[Turn("q", DOCUMENT, status="truncated", error="cut")])
    )
    ratios = page.evaluate(_CONTRASTS)
    assert len(ratios) > 20
    assert min(ratios.values()) >= 4.5, ratios
    shade = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (shade == "rgb(255, 255, 255)") == (scheme == "light")


# Contrast of every text with its background (WCAG 2.1, 1.4.3).
_CONTRASTS = """() => {
    const parse = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = (colour) => {
        const linear = (c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = parse(colour).map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        const colour = getComputedStyle(node).backgroundColor;
        const [, , , alpha] = parse(colour);
        return alpha === 0 && node.parentElement ? behind(node.parentElement) : colour;
    };
    const found = {};
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || node.closest("style")) continue;
        const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
        found[walker.currentNode.data.slice(0, 30)] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    }
    return found;
}"""

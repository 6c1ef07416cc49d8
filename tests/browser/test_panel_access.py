"""Accessibility of the chat panel: keyboard, screen reader, themes, narrow width."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.lab import choose, style


def find_violations(page):
    """Return the accessibility violations that axe-core finds in the panel."""
    found = Axe().run(page, context=".lockbots-panel").response["violations"]
    return [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]]


# Keys


def test_keys_typed_into_the_panel_trigger_no_shortcut_of_the_notebook(panel, notebook):
    cells = panel.page.locator(".jp-Notebook .jp-Cell").count()
    panel.input.click()
    panel.page.keyboard.type("ddaabbxxyyrr00ii")
    expect(panel.input).to_have_value("ddaabbxxyyrr00ii")
    panel.input.fill("")
    panel.page.keyboard.press("Control+Enter")
    panel.action.focus()
    panel.page.keyboard.type("aabb")
    assert panel.page.locator(".jp-Notebook .jp-Cell").count() == cells
    expect(notebook.cell(1).locator(".jp-InputPrompt")).to_contain_text(re.compile(r"\d"))


def test_enter_sends_shift_enter_starts_a_line_and_up_recalls(panel):
    panel.input.click()
    panel.page.keyboard.type("say first")
    panel.page.keyboard.press("Shift+Enter")
    panel.page.keyboard.type("line two")
    expect(panel.turns).to_have_count(0)
    panel.page.keyboard.press("Enter")
    expect(panel.prompt()).to_have_text("say first\nline two")
    panel.wait_for_end()
    panel.send("say second")
    for key, text in (
        ("Up", "say second"),
        ("Up", "say first\nline two"),
        ("Up", "say first\nline two"),
        ("Down", "say second"),
        ("Down", ""),
    ):
        panel.page.keyboard.press(f"Arrow{key}")
        expect(panel.input).to_have_value(text)


def test_enter_within_an_input_method_sends_nothing(panel):
    panel.input.fill("say に")
    panel.input.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    panel.page.wait_for_timeout(100)
    expect(panel.turns).to_have_count(0)
    panel.input.fill("")


def test_tab_reaches_every_control_and_leaves_the_panel(panel):
    panel.send("show code")
    panel.names.focus()
    reached = []
    for _ in range(17):
        focused = panel.page.evaluate(
            """() => {
                const e = document.activeElement;
                if (!e.closest('.lockbots-panel')) return null;
                const ring = e.closest('.lb-composer textarea') ? e.closest('.lb-composer') : e;
                const {outlineStyle, boxShadow} = getComputedStyle(ring);
                return [e.ariaLabel || e.textContent.trim(), outlineStyle !== 'none' || boxShadow !== 'none'];
            }"""
        )
        if focused is None:
            break
        reached.append(focused)
        panel.page.keyboard.press("Tab")
    names = [name for name, _ in reached]
    assert names[:5] == ["Conversation", "Search turns", "New conversation", "Export or clear", "Turns"]
    assert names[5:10] == [
        "Edit the prompt",
        "Copy the code",
        "Insert code as a cell below",
        "Copy the reply",
        "Regenerate the reply",
    ]
    assert names[10] == "Your prompt"
    assert names[-1] == "Send"
    assert all(visible for _, visible in reached), reached


def test_conversation_needs_no_mouse(panel):
    panel.input.focus()
    panel.page.keyboard.type("say one")
    panel.page.keyboard.press("Enter")
    panel.wait_for_end()
    expect(panel.input).to_be_focused()
    panel.page.keyboard.press("Shift+Tab")
    expect(panel.root.get_by_role("button", name="Regenerate the reply")).to_be_focused()
    panel.page.keyboard.press("Enter")
    panel.wait_for_end()
    expect(panel.input).to_be_focused()
    dirty = panel.page.locator(".jp-mod-dirty")
    for _ in range(60):  # the transcript output is updated a moment after a turn
        panel.page.keyboard.press("Control+s")
        panel.page.wait_for_timeout(500)
        if dirty.count() == 0:
            break
    expect(dirty).to_have_count(0)


def test_search_needs_no_mouse_and_is_read_aloud(panel):
    panel.send("say Какая погода?")
    first = panel.names.input_value()
    panel.start_conversation()
    panel.send("say weather here")
    panel.root.get_by_role("button", name="Search turns").focus()
    panel.page.keyboard.press("Enter")
    box = panel.root.get_by_role("searchbox", name="Search turns")
    expect(box).to_be_focused()
    panel.page.keyboard.type("погоды")
    hits = panel.root.get_by_role("list", name="Turns found").get_by_role("button")
    expect(hits).to_have_count(1)
    expect(hits.first.locator("mark").first).to_have_text("погода")
    expect(panel.status).to_have_text("1 turn found")
    expect(panel.root.locator(".lb-search-note")).to_contain_text("%lockbots log on")
    panel.page.keyboard.press("ArrowDown")
    expect(hits.first).to_be_focused()
    panel.page.keyboard.press("ArrowUp")
    expect(box).to_be_focused()
    panel.page.keyboard.press("Enter")
    expect(panel.names).to_have_value(first)
    expect(panel.turns.first).to_be_focused()
    expect(box).to_be_hidden()
    panel.root.get_by_role("button", name="Search turns").click()
    panel.page.keyboard.press("Escape")
    expect(panel.root.get_by_role("button", name="Search turns")).to_be_focused()


def test_dismissed_notification_passes_the_focus_on(panel):
    panel.choose("Export as Markdown")
    dismiss = panel.notifications.get_by_role("button", name="Dismiss").first
    dismiss.focus()
    panel.page.keyboard.press("Enter")
    expect(panel.input).to_be_focused()


# Looks


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violations_in_either_theme(panel, theme):
    if theme == "dark":
        choose(panel.page, "Settings", "Theme", "JupyterLab Dark")
        expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    panel.send("show code")
    panel.send("say | a | b |\n|---|---|\n| `1` | *2* |\n\n> quoted [link](https://a.example)")
    panel.root.get_by_role("button", name="Search turns").click()
    panel.page.keyboard.type("quoted")
    expect(panel.root.locator(".lb-search li").first).to_be_visible()
    found = find_violations(panel.page)
    panel.page.keyboard.press("Escape")
    panel.turns.first.hover()
    panel.open_settings()
    found += find_violations(panel.page)
    panel.page.keyboard.press("Escape")
    panel.button("Edit the prompt", 0).click()
    panel.choose("Clear the conversation…")
    panel.root.locator("summary").click()
    found += find_violations(panel.page)
    panel.page.keyboard.press("Escape")
    panel.page.keyboard.press("Escape")
    dark = style(panel.root, "backgroundColor")
    if theme == "dark":
        choose(panel.page, "Settings", "Theme", "JupyterLab Light")
        expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
        expect(panel.root).not_to_have_css("background-color", dark)
    assert not found


def test_narrow_panel_does_not_scroll_sideways(panel):
    panel.send(f"say {'w' * 300}\n\n```\n{'x' * 300}\n```\n\n|{'a|' * 40}\n|{'-|' * 40}")
    for width in (300, 900):
        panel.root.evaluate("(e, width) => { e.style.width = `${width}px`; }", width)
        assert panel.log.evaluate("e => e.scrollWidth <= e.clientWidth")
        inside = """e => [...e.querySelectorAll('button, select, textarea')].every(
            b => b.getBoundingClientRect().right <= e.getBoundingClientRect().right)"""
        assert panel.root.evaluate(inside)
    panel.root.evaluate("e => { e.style.width = ''; }")

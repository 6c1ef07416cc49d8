"""The chat panel in JupyterLab and Notebook 7, as a person uses it."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.panels import Panel
from tests.browser.test_rendering import choose, style

RATE = 60
"""Tokens a second, so that there is something to watch."""


def use(sandbox, **how):
    return f"%load_ext lockbots_magic\n%lockbots use openai:demo --base-url {sandbox.url('openai', **how)}"


@pytest.fixture(scope="module")
def stage(lab, _browser, _sandbox_server):
    """A notebook with a panel that most tests share, each with a conversation of its own."""
    context = _browser.new_context(
        viewport={"width": 1200, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(10_000)
    page = context.new_page()
    cells = (use(_sandbox_server, rate=RATE), "%lockbots panel", "%%chat\nsay from a **cell**", "", "%lockbots history")
    notebook = lab.open(page, *cells, name="panel.ipynb")
    notebook.run(0)
    notebook.run(1)
    yield notebook, Panel(page, notebook.cell(1).locator(".lockbots-panel")).wait_until_ready()
    context.close()


@pytest.fixture
def notebook(stage):
    return stage[0]


@pytest.fixture
def panel(stage):
    panel = stage[1]
    panel.begin_anew()
    return panel


def faults(page):
    """What axe-core finds wrong with the panel."""
    found = Axe().run(page, context=".lockbots-panel").response["violations"]
    return [(one["id"], node["html"][:200], node["failureSummary"]) for one in found for node in one["nodes"]]


# Talking


def test_the_reply_grows_in_the_panel_and_ends_as_a_turn(panel):
    expect(panel.root).to_contain_text("Ask the model something")
    panel.send("count to 40", wait=False)
    expect(panel.prompt()).to_have_text("count to 40")
    expect(panel.reply()).to_contain_text("1 2 3")
    assert "39" not in panel.reply().inner_text(), "it is still growing"
    expect(panel.act).to_have_accessible_name("Stop the reply")
    panel.wait_for_end()
    expect(panel.reply()).to_contain_text("39 40")
    expect(panel.act).to_have_accessible_name("Send")
    expect(panel.status).to_contain_text("Reply: 1 2 3")
    expect(panel.turns).to_contain_text(["openai:demo"])
    expect(panel.root.locator(".lb-usage")).to_contain_text("1 turn ·")


def test_stop_keeps_what_had_come_and_the_next_prompt_goes_through(panel):
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("5 6 7")
    panel.act.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("interrupted; what had come is kept")
    assert "400" not in panel.reply().inner_text()
    panel.send("say and on")
    expect(panel.reply()).to_have_text("and on")


def test_a_second_prompt_waits_in_the_box_while_a_reply_is_on_its_way(panel):
    panel.send("count to 400", wait=False)
    panel.input.fill("say later")
    panel.input.press("Enter")
    expect(panel.remarks).to_contain_text(["A reply is on its way"])
    expect(panel.input).to_have_value("say later")
    panel.act.click()
    panel.wait_for_end()
    panel.input.press("Enter")
    expect(panel.reply()).to_have_text("later")


def test_asking_again_replaces_the_reply_where_it_stands(panel):
    panel.send("say one")
    panel.send("count to 5")
    panel.button("Ask again", 0).click()
    expect(panel.turns.nth(1)).to_contain_text("outdated")
    assert [panel.prompt(n).inner_text() for n in range(panel.turns.count())] == ["say one", "count to 5"]
    expect(panel.reply(0)).to_have_text("one")
    expect(panel.input).to_be_focused()


def test_an_edited_prompt_makes_a_branch_and_the_old_one_can_be_returned_to(panel):
    panel.send("say one")
    panel.send("say two")
    name = panel.names.input_value()
    panel.button("Edit the prompt", 0).click()
    panel.page.keyboard.press("Escape")
    expect(panel.button("Edit the prompt", 0)).to_be_focused()
    panel.button("Edit the prompt", 0).click()
    panel.page.keyboard.press("Control+A")
    panel.page.keyboard.insert_text("say three")
    panel.page.keyboard.press("Enter")
    expect(panel.names).not_to_have_value(name)
    expect(panel.reply()).to_have_text("three")
    expect(panel.turns).to_have_count(1)
    panel.names.select_option(name)
    expect(panel.turns).to_have_count(2)
    expect(panel.reply()).to_have_text("two")


def test_a_turn_of_a_cell_shows_in_the_panel_and_the_other_way_round(panel, notebook):
    panel.names.select_option("main")
    panel.send("say from the panel")
    notebook.run(2)
    expect(panel.reply()).to_have_text("from a cell")
    expect(panel.turns.last).to_contain_text("from a cell")
    notebook.run(4)
    expect(notebook.outputs(4)).to_contain_text("say from the panel")


def test_a_panel_that_shows_a_conversation_where_a_cell_talks_waits(panel, notebook):
    panel.names.select_option("main")
    notebook.type_into(3, "%%chat\ncount to 400")
    notebook.run(3, wait=False)
    expect(notebook.cell(3)).to_contain_text("1 2 3")
    panel.input.fill("say too early")
    panel.input.press("Enter")
    expect(panel.remarks).to_contain_text(["A cell of the notebook is talking in this conversation."])
    expect(panel.act).to_have_attribute("aria-disabled", "true")
    expect(panel.input).to_have_value("say too early")
    notebook.cell(3).locator(".jp-InputArea-editor").click()
    notebook.interrupt()
    notebook.wait_for_end(3)
    expect(panel.remarks).to_have_count(0)
    expect(panel.act).to_have_attribute("aria-disabled", "false")
    panel.input.press("Enter")
    expect(panel.reply()).to_have_text("too early")


def test_a_panel_talks_and_stops_while_a_cell_runs(panel, notebook):
    notebook.type_into(3, "import time; time.sleep(30)")
    notebook.run(3, wait=False)
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    panel.act.click()
    expect(panel.turns.last).to_contain_text("interrupted; what had come is kept", timeout=1000)
    notebook.cell(3).locator(".jp-InputArea-editor").click()
    notebook.interrupt()
    notebook.wait_for_end(3)


def test_the_cell_runs_again_in_the_middle_of_a_reply_and_the_reply_goes_on(panel, notebook):
    name = panel.names.input_value()
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    notebook.run(1)
    expect(panel.names).to_have_value("main")
    panel.names.select_option(name)
    expect(panel.reply()).to_contain_text("10 11 12")
    expect(panel.act).to_have_accessible_name("Stop the reply")
    panel.act.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("interrupted; what had come is kept")


def test_clearing_asks_first_and_escape_keeps_all(panel):
    panel.send("say one")
    panel.choose("Clear the conversation…")
    expect(panel.root.get_by_role("button", name="Keep")).to_be_focused()
    panel.page.keyboard.press("Escape")
    expect(panel.turns).to_have_count(1)
    panel.choose("Clear the conversation…")
    panel.root.get_by_role("button", name="Clear", exact=True).click()
    expect(panel.turns).to_have_count(0)
    expect(panel.root).to_contain_text("Ask the model something")


def test_the_conversation_is_exported_beside_the_notebook(panel, lab):
    panel.send("say kept")
    for _ in range(4):
        panel.choose("Export as Markdown")
    expect(panel.remarks).to_contain_text(["-2.md", "-3.md", "-4.md"])
    name = panel.names.input_value()
    assert "kept" in (lab.notebooks / f"{name}.md").read_text("utf-8")


def test_model_temperature_and_system_prompt_are_chosen(panel, sandbox):
    panel.open_settings()
    expect(panel.settings.get_by_label("Provider")).to_be_focused()
    panel.settings.get_by_label("Model", exact=True).select_option("gpt-4")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:gpt-4")
    for typed, held in (("0,3", "0,3"), ("9", "0.3"), ("0.25", "0.25"), ("hot", "0.25")):
        panel.settings.get_by_label("Temperature").fill(typed)
        panel.page.keyboard.press("Enter")
        expect(panel.settings.get_by_label("Temperature")).to_have_value(held)
        refused = panel.remarks.filter(has_text="The temperature is a number from 0 to 2.")
        expect(refused).to_have_count(int(typed != held))
    panel.settings.get_by_label("System prompt").fill("Be brief.")
    panel.page.keyboard.press("Escape")
    expect(panel.settings).to_be_hidden()
    sandbox.forget()
    panel.send("say hello")
    expect(panel.turns.last).to_contain_text("openai:gpt-4")
    asked = sandbox.requests[-1].json
    assert (asked["model"], asked["temperature"], asked["messages"][0]["content"]) == ("gpt-4", 0.25, "Be brief.")
    panel.open_settings()
    panel.settings.get_by_label("Model", exact=True).select_option("Another model…")
    panel.settings.get_by_label("Name of the model").fill("demo")
    panel.page.keyboard.press("Enter")
    expect(panel.settings.get_by_label("Model", exact=True)).to_be_focused()
    panel.settings.get_by_label("Temperature").fill("")
    panel.settings.get_by_label("System prompt").fill("")
    panel.page.keyboard.press("Tab")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    panel.settings.get_by_role("button", name="Close the settings").click()
    expect(panel.settings).to_be_hidden()


def test_providers_are_reached_one_after_the_other_by_the_arrow_keys(panel):
    panel.open_settings()
    provider = panel.settings.get_by_label("Provider")
    names = provider.locator("option").evaluate_all("options => options.map(option => option.value)")
    at = names.index("openai")
    for key, index in (("Down", at + 1), ("Down", at + 2), ("Up", at + 1), ("Up", at)):
        provider.press(f"Arrow{key}")
        expect(panel.root.locator(".lb-model")).to_contain_text(f"{names[index]}:")
        expect(provider).to_have_value(names[index])
    expect(panel.root.locator(".lb-model")).to_contain_text("openai:")
    panel.settings.get_by_label("Model", exact=True).select_option("demo")
    panel.page.keyboard.press("Escape")


def test_an_error_goes_when_another_model_is_chosen(panel, notebook, sandbox):
    notebook.type_into(3, use(sandbox, fault="http-401"))
    notebook.run(3)
    panel.input.fill("say never")
    panel.input.press("Enter")
    expect(panel.remarks).to_contain_text(["AuthenticationError"])
    notebook.type_into(3, use(sandbox, rate=RATE).replace("openai:demo", "openai:gpt-4"))
    notebook.run(3)
    expect(panel.remarks).to_have_count(0)
    panel.input.fill("")
    notebook.type_into(3, use(sandbox, rate=RATE))
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")


def test_a_missing_credential_is_told_with_the_line_that_gives_it(panel):
    panel.open_settings()
    panel.settings.get_by_label("Provider").select_option("anthropic")
    expect(panel.remarks).to_contain_text(["anthropic needs a credential. In a cell, run%lockbots login anthropic"])
    panel.input.fill("say never")
    panel.input.press("Enter")
    expect(panel.status).to_contain_text("anthropic needs a credential")
    expect(panel.input).to_have_value("say never")
    expect(panel.remarks).to_have_count(1)
    panel.input.fill("")
    panel.open_settings()
    panel.settings.get_by_label("Provider").select_option("openai")
    expect(panel.remarks).to_have_count(0)
    panel.settings.get_by_label("Model", exact=True).select_option("demo")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    panel.page.keyboard.press("Escape")


def test_what_a_cell_changes_shows_in_the_open_panel(panel, notebook, sandbox):
    name = panel.names.input_value()
    notebook.type_into(3, "%lockbots use openai:gpt-4\n%lockbots set temperature 0.6\n%lockbots new elsewhere")
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:gpt-4")
    expect(panel.names.locator("option", has_text="elsewhere")).to_have_text("elsewhere (cells)")
    expect(panel.root).to_contain_text("%%chat cells talk in “elsewhere”.")
    assert panel.names.input_value() == name
    panel.open_settings()
    expect(panel.settings.get_by_label("Temperature")).to_have_value("0.6")
    panel.page.keyboard.press("Escape")
    back = "%lockbots set temperature None\n%lockbots switch main\n%lockbots delete elsewhere"
    notebook.type_into(3, f"{use(sandbox, rate=RATE)}\n{back}")
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    expect(panel.names.locator("option", has_text="elsewhere")).to_have_count(0)


def test_a_conversation_that_a_cell_deletes_stays_until_another_is_chosen(panel, notebook):
    panel.send("say one")
    name = panel.names.input_value()
    notebook.type_into(3, f"%lockbots delete {name}")
    notebook.run(3)
    expect(panel.remarks).to_contain_text([f"“{name}” was deleted. It stays here"])
    expect(panel.names.locator("option:checked")).to_have_text(f"{name} (deleted)")
    panel.send("say two")
    expect(panel.turns).to_have_count(2)
    panel.names.select_option("main")
    expect(panel.names.locator("option", has_text="deleted")).to_have_count(0)
    expect(panel.names).to_have_value("main")


# Code


def test_code_is_copied_and_inserted_as_a_cell_below(panel, notebook):
    code = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"'
    panel.send("show code")
    panel.reply().locator("pre").hover()
    panel.reply().get_by_role("button", name="Copy the code").click()
    expect(panel.status).to_have_text("Copied")
    assert panel.page.evaluate("navigator.clipboard.readText()") == code
    before = panel.page.locator(".jp-Notebook .jp-CodeCell").count()
    panel.reply().get_by_role("button", name="Insert as a cell below").click()
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before + 1)
    expect(notebook.cell(2).locator(".cm-content")).to_contain_text("return f")
    notebook.cell(2).locator(".jp-InputPrompt").click()
    panel.page.keyboard.press("d")
    panel.page.keyboard.press("d")
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before)


def test_blocks_are_inserted_in_the_order_in_which_they_are_taken(panel, notebook):
    panel.send("say ```\nfirst\n```\n\n```\nsecond\n```")
    before = panel.page.locator(".jp-Notebook .jp-CodeCell").count()
    for number in range(2):
        panel.reply().locator("pre").nth(number).hover()
        panel.reply().get_by_role("button", name="Insert as a cell below").nth(number).click()
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before + 2)
    for number, text in ((2, "first"), (3, "second")):
        expect(notebook.cell(number).locator(".cm-content")).to_have_text(text)
    for _ in range(2):
        notebook.cell(2).locator(".jp-InputPrompt").click()
        panel.page.keyboard.press("d")
        panel.page.keyboard.press("d")
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before)


def test_a_reply_is_copied_as_markdown(panel):
    panel.send("say **bold** and `code`")
    panel.button("Copy the reply").click()
    expect(panel.status).to_have_text("Copied")
    assert panel.page.evaluate("navigator.clipboard.readText()") == "**bold** and `code`"


# Keys


def test_no_key_typed_into_the_panel_is_a_shortcut_of_the_notebook(panel, notebook):
    cells = panel.page.locator(".jp-Notebook .jp-Cell").count()
    panel.input.click()
    panel.page.keyboard.type("ddaabbxxyyrr00ii")
    expect(panel.input).to_have_value("ddaabbxxyyrr00ii")
    panel.input.fill("")
    panel.page.keyboard.press("Control+Enter")
    panel.act.focus()
    panel.page.keyboard.type("aabb")
    assert panel.page.locator(".jp-Notebook .jp-Cell").count() == cells
    expect(notebook.cell(1).locator(".jp-InputPrompt")).to_contain_text(re.compile(r"\d"))


def test_enter_sends_shift_enter_breaks_the_line_and_up_recalls(panel):
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


def test_enter_that_chooses_a_word_of_an_input_method_sends_nothing(panel):
    panel.input.fill("say に")
    panel.input.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    panel.page.wait_for_timeout(100)
    expect(panel.turns).to_have_count(0)
    panel.input.fill("")


def test_all_of_it_is_reached_by_the_keyboard_and_nothing_holds_it(panel):
    panel.send("show code")
    panel.names.focus()
    reached = []
    for _ in range(16):
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
    assert names[:4] == ["Conversation", "New conversation", "Export and clear", "Turns"]
    assert names[4:9] == ["Edit the prompt", "Copy the code", "Insert as a cell below", "Copy the reply", "Ask again"]
    assert names[9] == "Your prompt"
    assert names[-1] == "Send"
    assert all(visible for _, visible in reached), reached


def test_a_whole_talk_needs_no_mouse(panel):
    panel.input.focus()
    panel.page.keyboard.type("say one")
    panel.page.keyboard.press("Enter")
    panel.wait_for_end()
    expect(panel.input).to_be_focused()
    panel.page.keyboard.press("Shift+Tab")
    expect(panel.root.get_by_role("button", name="Ask again")).to_be_focused()
    panel.page.keyboard.press("Enter")
    panel.wait_for_end()
    expect(panel.input).to_be_focused()
    panel.page.keyboard.press("Control+s")
    expect(panel.page.locator(".jp-mod-dirty")).to_have_count(0)


def test_a_remark_that_goes_away_takes_no_focus_along(panel):
    panel.choose("Export as Markdown")
    dismiss = panel.remarks.get_by_role("button", name="Dismiss").first
    dismiss.focus()
    panel.page.keyboard.press("Enter")
    expect(panel.input).to_be_focused()


# Looks


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_wrong_in_either_theme(panel, theme):
    if theme == "dark":
        choose(panel.page, "Settings", "Theme", "JupyterLab Dark")
        expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    panel.send("show code")
    panel.send("say | a | b |\n|---|---|\n| `1` | *2* |\n\n> quoted [link](https://a.example)")
    panel.turns.first.hover()
    panel.open_settings()
    found = faults(panel.page)
    panel.page.keyboard.press("Escape")
    panel.button("Edit the prompt", 0).click()
    panel.choose("Clear the conversation…")
    panel.root.locator("summary").click()
    found += faults(panel.page)
    panel.page.keyboard.press("Escape")
    panel.page.keyboard.press("Escape")
    dark = style(panel.root, "backgroundColor")
    if theme == "dark":
        choose(panel.page, "Settings", "Theme", "JupyterLab Light")
        expect(panel.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
        expect(panel.root).not_to_have_css("background-color", dark)
    assert not found


def test_a_narrow_panel_needs_no_scrolling_sideways(panel):
    panel.send(f"say {'w' * 300}\n\n```\n{'x' * 300}\n```\n\n|{'a|' * 40}\n|{'-|' * 40}")
    for width in (300, 900):
        panel.root.evaluate("(e, width) => { e.style.width = `${width}px`; }", width)
        assert panel.log.evaluate("e => e.scrollWidth <= e.clientWidth")
        inside = """e => [...e.querySelectorAll('button, select, textarea')].every(
            b => b.getBoundingClientRect().right <= e.getBoundingClientRect().right)"""
        assert panel.root.evaluate(inside)
    panel.root.evaluate("e => { e.style.width = ''; }")


# Scrolling


def test_a_reader_who_has_scrolled_up_is_left_there_until_they_ask_for_the_end(panel):
    panel.send("say " + "line\n\n" * 60)
    panel.send("count to 60", wait=False)
    panel.log.hover()
    panel.page.mouse.wheel(0, -600)
    expect(panel.root.get_by_role("button", name="To the end")).to_be_visible()
    place = panel.log.evaluate("e => e.scrollTop")
    panel.wait_for_end()
    assert abs(panel.log.evaluate("e => e.scrollTop") - place) < 3
    panel.root.get_by_role("button", name="To the end").click()
    assert panel.log.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 3


MANY = """
from lockbots_magic import Chat, ChatPanel
from lockbots_magic.conversation import Conversation
from lockbots_magic.messages import Turn
code = "\\n```python\\nprint(1)\\n```"
turns = [Turn(f"question {n}", f"answer {n}\\n\\n" + "some text " * (n % 60) + code) for n in range(500)]
ChatPanel(Chat(lambda prompt: "said", conversation=Conversation("long", turns=turns)))
"""
SCROLL = """async log => {
    const frames = [];
    let last = performance.now();
    for (let n = 0; n < 90; n++) {
        log.scrollTop += n < 45 ? -400 : 400;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        frames.push(now - last);
        last = now;
    }
    return frames.sort((a, b) => a - b);
}"""


def test_a_thousand_messages_are_fetched_as_one_scrolls_up_and_scroll_smoothly(panel, notebook):
    notebook.type_into(3, MANY)
    notebook.run(3)
    many = Panel(panel.page, notebook.cell(3).locator(".lockbots-panel")).wait_until_ready()
    expect(many.turns).to_have_count(30)
    expect(many.reply()).to_contain_text("answer 499")
    many.log.evaluate("log => { log.scrollTop = 300 }")
    expect(many.turns).to_have_count(60)
    many.turns.nth(30).locator(".lb-prompt").wait_for()
    many.log.evaluate(
        """async log => {
            while (!log.textContent.includes('question 0')) {
                log.scrollTop = 0;
                await new Promise(requestAnimationFrame);
            }
        }"""
    )
    expect(many.turns).to_have_count(500)
    expect(many.root.get_by_role("button", name="Show earlier turns")).to_be_hidden()
    many.log.evaluate("log => { log.scrollTop = log.scrollHeight / 2 }")
    assert len(many.log.evaluate(SCROLL)) > 1
    assert (
        many.turns.first.evaluate("e => getComputedStyle(e).contentVisibility") == "auto"
    )  # only what is seen is drawn
    many.send("one more")
    expect(many.reply()).to_have_text("said")


# What comes between


def test_what_was_said_is_saved_with_the_notebook(panel, notebook):
    panel.send("say kept in the file")
    expect(notebook.cell(1).locator(".lockbots-transcript")).to_contain_text("kept in the file")
    panel.page.locator(".jp-Notebook .jp-InputPrompt").first.click()
    (_, transcript) = notebook.save().cells[1].outputs
    kept = [record["turn"]["prompt"] for record in transcript.metadata["lockbots"] if "turn" in record]
    assert kept[-1] == "say kept in the file"
    assert "say kept in the file" in transcript.data["text/plain"]


VIEWS = """
from lockbots_magic import Chat, ChatPanel
chat = Chat("openai:demo", base_url="{url}")
panel = ChatPanel(chat)
panel
"""


def test_two_views_and_a_reload_in_the_middle_show_the_same(lab, page, sandbox):
    url = sandbox.url("openai", rate=RATE)
    notebook = lab.open(page, VIEWS.format(url=url), "panel", name="views.ipynb")
    notebook.run(0)
    notebook.run(1)
    in_sight = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .lockbots-panel")  # a reload opens other tabs too
    one, two = (Panel(page, in_sight.nth(n)).wait_until_ready() for n in (0, 1))
    two.input.fill("half a thought")
    one.send("say shared")
    expect(two.reply()).to_have_text("shared")
    expect(two.input).to_have_value("half a thought")
    notebook.save()
    one.send("count to 700", wait=False)
    expect(two.reply()).to_contain_text("1 2 3")
    page.reload()
    for view in (one, two):
        view.wait_until_ready()
        expect(view.turns).to_have_count(2)
        expect(view.reply()).to_contain_text("1 2 3")
        expect(view.act).to_have_accessible_name("Stop the reply")
    one.act.click()
    for view in (one, two):
        view.wait_for_end()
        expect(view.turns.last).to_contain_text("interrupted; what had come is kept")
    assert one.reply().inner_text() == two.reply().inner_text()
    one.send("say after the reload")
    for prompts in saved_prompts(page, notebook):
        assert prompts == ["say shared", "count to 700", "say after the reload"]


def saved_prompts(page, notebook):
    """Save; return the prompts that the output below each panel remembers."""
    seen = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    for transcript in seen.locator(".lockbots-transcript").all():
        expect(transcript).to_contain_text("after the reload")
    seen.locator(".jp-Notebook .jp-InputPrompt").first.click()
    outputs = [output for cell in notebook.save().cells for output in cell.outputs]
    kept = [output.metadata.lockbots for output in outputs if "lockbots" in output.get("metadata", {})]
    assert kept
    return [[record.turn.prompt for record in records if "turn" in record] for records in kept]


@pytest.mark.parametrize("lost", ["frame", "end"])
def test_what_is_lost_or_comes_twice_on_the_way_shows_in_no_reply(lab, page, sandbox, lost):
    passed = {"frame": 0, "end": 0}

    def carry(socket):
        server = socket.connect_to_server()

        def deliver(message):
            data = message if isinstance(message, bytes) else message.encode()
            kind = next((kind for kind in passed if f'"type": "{kind}"'.encode() in data), None)
            if kind:
                passed[kind] += 1
            if kind != lost or passed[kind] % 3 != {"frame": 2, "end": 1}[lost]:
                for _ in range(2 if kind else 1):
                    socket.send(message)

        server.on_message(deliver)

    page.route_web_socket("**/channels*", carry)
    notebook = lab.open(page, use(sandbox, rate=RATE), "%lockbots panel", name=f"lossy-{lost}.ipynb")
    notebook.run(0)
    notebook.run(1)
    panel = Panel(page).wait_until_ready()
    lines = [f"line {n}" for n in range(30)]
    panel.send("say " + "\n\n".join(lines))
    assert panel.reply().locator("p").all_inner_texts() == lines
    expect(panel.turns).to_have_count(1)
    expect(panel.act).to_have_accessible_name("Send")
    assert passed[lost] > (3 if lost == "frame" else 0)


def test_notebook_7_shows_it_in_russian_where_the_browser_is(lab, page, sandbox):
    context = page.context.browser.new_context(locale="ru-RU", viewport={"width": 700, "height": 800})
    page = context.new_page()
    notebook = lab.open(page, use(sandbox, rate=RATE), "%lockbots panel", name="notebook-7.ipynb", app="notebooks")
    notebook.run(0)
    notebook.run(1)
    panel = Panel(page).wait_until_ready()
    expect(panel.act).to_have_accessible_name("Отправить")
    expect(panel.input).to_have_attribute("placeholder", "Спросите о чём-нибудь…")
    panel.send("show code")
    expect(panel.root.locator(".lb-usage")).to_contain_text("1 реплика")
    panel.reply().locator("pre").hover()
    panel.reply().get_by_role("button", name="Вставить ячейкой ниже").click()
    expect(notebook.cell(2).locator(".cm-content")).to_contain_text("return f")
    panel.choose("Сохранить как Markdown")
    expect(panel.remarks).to_contain_text(["Сохранено: main"])
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("1 2")
    panel.act.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("остановлено; пришедшее сохранено")
    page.locator(".jp-Notebook .jp-InputPrompt").first.click()
    notebook.save()
    page.reload()
    panel.wait_until_ready()
    expect(panel.turns).to_have_count(2)
    panel.send("say after the reload")
    page.wait_for_function("document.querySelector('.lockbots-transcript')?.textContent.includes('after the reload')")
    page.locator(".jp-Notebook .jp-InputPrompt").first.click()
    (_, transcript) = notebook.save().cells[1].outputs
    kept = [record.turn.prompt for record in transcript.metadata.lockbots if "turn" in record]
    assert kept == ["show code", "count to 400", "say after the reload"]
    context.close()


def test_a_kernel_that_restarts_is_told_and_what_was_said_comes_back(panel, notebook):
    name = panel.names.input_value()
    panel.send("say remembered")
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    panel.input.fill("kept through the restart")
    notebook.cell(0).locator(".jp-InputArea-editor").click()
    choose(panel.page, "Kernel", "Restart Kernel…")
    panel.page.get_by_role("button", name="Confirm Kernel Restart").click()
    order = re.compile("no connection to a kernel.*%load_ext lockbots_magic.*%lockbots restore.*this cell")
    expect(panel.remarks.first).to_contain_text(order)
    expect(panel.turns.last).to_contain_text("The kernel has ended; the reply broke off here.")
    expect(panel.act).to_have_accessible_name("Send")
    expect(panel.input).to_have_value("kept through the restart")
    panel.page.locator(".jp-Notebook .jp-InputPrompt").first.click()
    notebook.save()
    notebook.run(0)
    notebook.run(1)
    panel.wait_until_ready()
    expect(panel.remarks).to_contain_text([re.compile("saved turns? .* not in this kernel.*%lockbots restore")])
    notebook.save()
    notebook.type_into(3, "%lockbots restore")
    notebook.run(3)
    expect(panel.remarks).to_have_count(0)
    panel.names.select_option(name)
    expect(panel.reply()).to_have_text("remembered")
    panel.send("say back")
    expect(panel.reply()).to_have_text("back")
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    notebook.cell(0).locator(".jp-InputArea-editor").click()
    choose(panel.page, "Kernel", "Shut Down Kernel")
    expect(panel.turns.last).to_contain_text("The kernel has ended; the reply broke off here.")
    expect(panel.remarks.first).to_contain_text(order)
    expect(panel.act).to_have_accessible_name("Send")

"""The chat panel in JupyterLab: prompts and replies, settings, code, scrolling."""

from playwright.sync_api import expect

from tests.browser.panels import RATE, Panel, use

# Prompts and replies


def test_reply_grows_and_ends_as_a_turn(panel):
    expect(panel.root).to_contain_text("Ask the model a question")
    panel.send("count to 9000", wait=False)
    expect(panel.prompt()).to_have_text("count to 9000")
    expect(panel.reply()).to_contain_text("1 2 3")
    assert "8999" not in panel.reply().inner_text(), "it is still growing"
    expect(panel.action).to_have_accessible_name("Stop the reply")
    panel.action.click()
    panel.wait_for_end()
    panel.send("count to 60")
    expect(panel.reply()).to_contain_text("59 60")
    expect(panel.action).to_have_accessible_name("Send")
    expect(panel.status).to_contain_text("Reply: 1 2 3")
    expect(panel.turns.last).to_contain_text("openai:demo")
    expect(panel.root.locator(".lb-usage")).to_contain_text("2 turns ·")


def test_stop_keeps_the_text_received_and_the_next_prompt_is_answered(panel):
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("5 6 7")
    panel.action.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("Interrupted; the text so far is kept.")
    assert "9000" not in panel.reply().inner_text()
    panel.send("say and on")
    expect(panel.reply()).to_have_text("and on")


def test_second_prompt_stays_in_the_box_during_a_reply(panel):
    panel.send("count to 9000", wait=False)
    panel.input.fill("say later")
    panel.input.press("Enter")
    expect(panel.notifications).to_contain_text(["A reply is in progress"])
    expect(panel.input).to_have_value("say later")
    panel.action.click()
    panel.wait_for_end()
    panel.input.press("Enter")
    expect(panel.reply()).to_have_text("later")


def test_regenerated_reply_takes_the_same_place(panel):
    panel.send("say one")
    panel.send("count to 5")
    panel.button("Regenerate the reply", 0).click()
    expect(panel.turns.nth(1)).to_contain_text("outdated")
    assert panel.turns.locator(".lb-prompt").all_text_contents() == ["say one", "count to 5"]
    expect(panel.reply(0)).to_have_text("one")
    expect(panel.input).to_be_focused()


def test_edited_prompt_starts_a_branch_and_the_original_can_be_opened(panel):
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


def test_panel_and_cells_show_turns_of_each_other(panel, notebook):
    panel.switch_to_main()
    panel.send("say from the panel")
    notebook.run(2)
    expect(panel.reply()).to_have_text("from a cell")
    expect(panel.turns.last).to_contain_text("from a cell")
    notebook.run(4)
    expect(notebook.outputs(4)).to_contain_text("say from the panel")


def test_prompt_waits_while_a_cell_has_a_reply_in_progress(panel, notebook):
    panel.switch_to_main()
    notebook.type_into(3, "%%chat\ncount to 9000")
    notebook.run(3, wait=False)
    expect(notebook.cell(3)).to_contain_text("1 2 3")
    panel.input.fill("say too early")
    panel.input.press("Enter")
    expect(panel.notifications).to_contain_text(["A cell has a reply in progress in this conversation."])
    expect(panel.action).to_have_attribute("aria-disabled", "true")
    expect(panel.input).to_have_value("say too early")
    notebook.cell(3).locator(".jp-InputArea-editor").click()
    notebook.interrupt()
    notebook.wait_for_end(3)
    expect(panel.notifications).to_have_count(0)
    expect(panel.action).to_have_attribute("aria-disabled", "false")
    panel.input.press("Enter")
    expect(panel.reply()).to_have_text("too early")


def test_panel_sends_and_stops_while_a_cell_runs(panel, notebook):
    notebook.type_into(3, "import time; time.sleep(300)")
    notebook.run(3, wait=False)
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    panel.action.click()
    expect(panel.turns.last).to_contain_text("Interrupted; the text so far is kept.")
    notebook.cell(3).locator(".jp-InputArea-editor").click()
    notebook.interrupt()
    notebook.wait_for_end(3)


def test_reply_continues_when_the_cell_of_the_panel_runs_again(panel, notebook):
    name = panel.names.input_value()
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    notebook.run(1)
    expect(panel.names).to_have_value("main")
    panel.names.select_option(name)
    expect(panel.reply()).to_contain_text("10 11 12")
    expect(panel.action).to_have_accessible_name("Stop the reply")
    panel.action.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("Interrupted; the text so far is kept.")


def test_clear_asks_for_confirmation_and_escape_cancels(panel):
    panel.send("say one")
    panel.choose("Clear the conversation…")
    expect(panel.root.get_by_role("button", name="Keep")).to_be_focused()
    panel.page.keyboard.press("Escape")
    expect(panel.turns).to_have_count(1)
    panel.choose("Clear the conversation…")
    panel.root.get_by_role("button", name="Clear", exact=True).click()
    expect(panel.turns).to_have_count(0)
    expect(panel.root).to_contain_text("Ask the model a question")


def test_conversation_is_exported_next_to_the_notebook(panel, lab):
    panel.send("say kept")
    for _ in range(4):
        panel.choose("Export as Markdown")
    expect(panel.notifications).to_contain_text(["-2.md", "-3.md", "-4.md"])
    name = panel.names.input_value()
    assert "kept" in (lab.notebooks / f"{name}.md").read_text("utf-8")


def test_model_temperature_and_system_prompt_can_be_set(panel, mock_server):
    panel.open_settings()
    expect(panel.settings.get_by_label("Provider")).to_be_focused()
    panel.settings.get_by_label("Model", exact=True).select_option("gpt-4")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:gpt-4")
    for typed, held in (("0,3", "0,3"), ("9", "0.3"), ("0.25", "0.25"), ("hot", "0.25")):
        panel.settings.get_by_label("Temperature").fill(typed)
        panel.page.keyboard.press("Enter")
        expect(panel.settings.get_by_label("Temperature")).to_have_value(held)
        refused = panel.notifications.filter(has_text="The temperature must be a number from 0 to 2.")
        expect(refused).to_have_count(int(typed != held))
    panel.settings.get_by_label("System prompt").fill("Be brief.")
    panel.page.keyboard.press("Escape")
    expect(panel.settings).to_be_hidden()
    mock_server.forget()
    panel.send("say hello")
    expect(panel.turns.last).to_contain_text("openai:gpt-4")
    asked = mock_server.requests[-1].json
    assert (asked["model"], asked["temperature"], asked["messages"][0]["content"]) == ("gpt-4", 0.25, "Be brief.")
    panel.open_settings()
    panel.settings.get_by_label("Model", exact=True).select_option("Another model…")
    panel.settings.get_by_label("Model name").fill("demo")
    panel.page.keyboard.press("Enter")
    expect(panel.settings.get_by_label("Model", exact=True)).to_be_focused()
    panel.settings.get_by_label("Temperature").fill("")
    panel.settings.get_by_label("System prompt").fill("")
    panel.page.keyboard.press("Tab")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    panel.settings.get_by_role("button", name="Close the settings").click()
    expect(panel.settings).to_be_hidden()


def test_arrow_keys_step_through_the_providers(panel):
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


def test_error_disappears_when_another_model_is_chosen(panel, notebook, mock_server):
    notebook.type_into(3, use(mock_server, fault="http-401"))
    notebook.run(3)
    panel.input.fill("say never")
    panel.input.press("Enter")
    expect(panel.notifications).to_contain_text(["The credential is missing or was refused: "])
    notebook.type_into(3, use(mock_server, rate=RATE).replace("openai:demo", "openai:gpt-4"))
    notebook.run(3)
    expect(panel.notifications).to_have_count(0)
    panel.input.fill("")
    notebook.type_into(3, use(mock_server, rate=RATE))
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")


def test_missing_credential_is_reported_with_the_command_to_add_it(panel):
    panel.open_settings()
    panel.settings.get_by_label("Provider").select_option("anthropic")
    expect(panel.notifications).to_contain_text(
        ["anthropic needs a credential. In a cell, run%lockbots login anthropic"]
    )
    panel.input.fill("say never")
    panel.input.press("Enter")
    expect(panel.status).to_contain_text("anthropic needs a credential")
    expect(panel.input).to_have_value("say never")
    expect(panel.notifications).to_have_count(1)
    panel.input.fill("")
    panel.open_settings()
    panel.settings.get_by_label("Provider").select_option("openai")
    expect(panel.notifications).to_have_count(0)
    panel.settings.get_by_label("Model", exact=True).select_option("demo")
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    panel.page.keyboard.press("Escape")


def test_settings_changed_by_a_cell_are_shown(panel, notebook, mock_server):
    name = panel.names.input_value()
    notebook.type_into(3, "%lockbots use openai:gpt-4\n%lockbots set temperature 0.6\n%lockbots new elsewhere")
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:gpt-4")
    expect(panel.names.locator("option", has_text="elsewhere")).to_have_text("elsewhere (cells)")
    expect(panel.root).to_contain_text("%%chat cells use “elsewhere”.")
    assert panel.names.input_value() == name
    panel.open_settings()
    expect(panel.settings.get_by_label("Temperature")).to_have_value("0.6")
    panel.page.keyboard.press("Escape")
    back = "%lockbots set temperature None\n%lockbots switch main\n%lockbots delete elsewhere"
    notebook.type_into(3, f"{use(mock_server, rate=RATE)}\n{back}")
    notebook.run(3)
    expect(panel.root.locator(".lb-model")).to_have_text("openai:demo")
    expect(panel.names.locator("option", has_text="elsewhere")).to_have_count(0)


def test_conversation_deleted_by_a_cell_stays_until_another_is_chosen(panel, notebook):
    panel.send("say one")
    name = panel.names.input_value()
    notebook.type_into(3, f"%lockbots delete {name}")
    notebook.run(3)
    expect(panel.notifications).to_contain_text([f"“{name}” was deleted. It stays open"])
    expect(panel.names.locator("option:checked")).to_have_text(f"{name} (deleted)")
    panel.send("say two")
    expect(panel.turns).to_have_count(2)
    panel.switch_to_main()
    expect(panel.names.locator("option", has_text="deleted")).to_have_count(0)
    expect(panel.names).to_have_value("main")


# Code


DELETE_CELL = "jupyterapp.commands.execute('notebook:delete-cell').then(() => null)"
"""As D, D does, which a slow machine takes for two keys."""


def test_code_can_be_copied_and_inserted_as_a_cell_below(panel, notebook):
    code = 'def greet(name: str) -> str:\n    return f"Hello, {name}!"'
    panel.send("show code")
    panel.reply().locator("pre").hover()
    panel.reply().get_by_role("button", name="Copy the code").click()
    expect(panel.status).to_have_text("Copied")
    assert panel.page.evaluate("navigator.clipboard.readText()") == code
    before = panel.page.locator(".jp-Notebook .jp-CodeCell").count()
    panel.reply().get_by_role("button", name="Insert code as a cell below").click()
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before + 1)
    expect(notebook.cell(2).locator(".cm-content")).to_contain_text("return f")
    notebook.cell(2).locator(".jp-InputPrompt").click()
    panel.page.evaluate(DELETE_CELL)
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before)


def test_blocks_are_inserted_in_the_order_of_the_clicks(panel, notebook):
    panel.send("say ```\nfirst\n```\n\n```\nsecond\n```")
    before = panel.page.locator(".jp-Notebook .jp-CodeCell").count()
    for number in range(2):
        panel.reply().locator("pre").nth(number).hover()
        panel.reply().get_by_role("button", name="Insert code as a cell below").nth(number).click()
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before + 2)
    for number, text in ((2, "first"), (3, "second")):
        expect(notebook.cell(number).locator(".cm-content")).to_have_text(text)
    for _ in range(2):
        notebook.cell(2).locator(".jp-InputPrompt").click()
        panel.page.evaluate(DELETE_CELL)
    expect(panel.page.locator(".jp-Notebook .jp-CodeCell")).to_have_count(before)


def test_reply_is_copied_as_markdown(panel):
    panel.send("say **bold** and `code`")
    panel.button("Copy the reply").click()
    expect(panel.status).to_have_text("Copied")
    assert panel.page.evaluate("navigator.clipboard.readText()") == "**bold** and `code`"


# Scrolling


# The wheel scrolls smoothly: how far, once it rests.
RESTING_PLACE = """async log => {
    for (let place = NaN, rests = 0; rests < 20; rests = place === log.scrollTop ? rests + 1 : 0) {
        place = log.scrollTop;
        await new Promise(requestAnimationFrame);
    }
    return log.scrollTop;
}"""


def test_position_of_a_reader_who_scrolled_up_is_kept(panel):
    panel.send("say " + "line\n\n" * 60)
    panel.send("count to 60", wait=False)
    panel.log.hover()
    panel.page.mouse.wheel(0, -600)
    expect(panel.root.get_by_role("button", name="Scroll to the end")).to_be_visible()
    place = panel.log.evaluate(RESTING_PLACE)
    panel.wait_for_end()
    assert abs(panel.log.evaluate("e => e.scrollTop") - place) < 3
    panel.root.get_by_role("button", name="Scroll to the end").click()
    assert panel.log.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 3


def test_place_and_selection_survive_the_end_of_the_reply_that_is_read(panel):
    panel.send("count to 400", wait=False)
    expect(panel.reply()).to_contain_text("80 81")
    panel.reply().evaluate("e => getSelection().setBaseAndExtent(e.querySelector('p').firstChild, 2, e, 1)")
    text = panel.reply().locator("p").first.element_handle()
    panel.log.evaluate("e => { e.style.maxHeight = '40px'; e.scrollTop = e.scrollHeight }")
    expect(panel.root.get_by_role("button", name="Scroll to the end")).to_be_hidden()
    to_the_end = panel.root.get_by_role("button", name="Scroll to the end")
    while not to_the_end.is_visible():  # a frame that comes at the same moment scrolls to the end once more
        panel.log.evaluate("e => { e.scrollTop -= 4 }")  # as little as a touchpad scrolls
        panel.page.wait_for_timeout(50)
    place = panel.log.evaluate("e => e.scrollTop")
    panel.wait_for_end()
    expect(panel.reply()).to_contain_text("399 400")
    assert text.evaluate("e => e.isConnected && getSelection().containsNode(e, true)")
    assert "399 400" in panel.page.evaluate("getSelection().toString()")
    assert abs(panel.log.evaluate("e => e.scrollTop") - place) < 3
    panel.log.evaluate("e => { e.style.maxHeight = '' }")


# A double click, whose halves are never far apart, however slow the machine is.
DOUBLE_CLICK = """button => {
    const clicks = [1, 2].map(detail => new MouseEvent("click", {bubbles: true, detail}));
    for (const click of clicks) button.dispatchEvent(click);
}"""


def test_double_click_on_send_or_stop_acts_once(panel):
    panel.input.fill("count to 60")
    panel.action.evaluate(DOUBLE_CLICK)
    panel.wait_for_end()
    expect(panel.reply()).to_contain_text("59 60")
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    panel.input.fill("say next")
    panel.action.evaluate(DOUBLE_CLICK)
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("Interrupted; the text so far is kept.")
    expect(panel.turns).to_have_count(2)
    expect(panel.input).to_have_value("say next")
    panel.action.click(delay=600)
    expect(panel.reply()).to_have_text("next")


THOUGHT = """
from lockbots_magic import Chat, ChatPanel
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
turn = Turn("question", "answer", reasoning="so <b>therefore</b>", answered_by="another")
ChatPanel(Chat(lambda prompt: "said", conversation=Conversation("thought", turns=[turn])))
"""


def test_reasoning_of_a_turn_is_folded_and_its_remarks_are_shown(panel, notebook):
    notebook.type_into(3, THOUGHT)
    notebook.run(3)
    shown = Panel(panel.page, notebook.cell(3).locator(".lockbots-panel")).wait_until_ready()
    expect(shown.turns).to_contain_text("answered by another")
    expect(shown.turns.locator("details div")).to_be_hidden()
    shown.turns.locator("summary", has_text="Reasoning").click()
    expect(shown.turns.locator("details div")).to_be_visible()
    expect(shown.turns.locator("details div")).to_have_text("so <b>therefore</b>")


MANY = """
from lockbots_magic import Chat, ChatPanel
from lockbots_magic.conversation.conversation import Conversation
from lockbots_magic.conversation.turn import Turn
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


def test_earlier_turns_are_loaded_while_scrolling_up(panel, notebook):
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
    )  # turns out of sight are not rendered
    many.send("one more")
    expect(many.reply()).to_have_text("said")


# Tools


def test_a_tool_call_is_asked_about_in_the_cell_and_by_buttons_in_the_panel(panel, notebook):
    panel.switch_to_main()
    notebook.type_into(3, "%lockbots clear")  # else the cell has its place before later turns
    notebook.run(3)
    notebook.type_into(3, "def remove(path: str):\n    return 'removed ' + path\n\ngroup = [remove]")
    notebook.run(3)
    notebook.type_into(3, '%%chat --tools group\ncall remove {"path": "a.txt"}')
    notebook.run(3, wait=False)
    line = notebook.cell(3).locator("input.jp-Stdin-input")
    expect(notebook.cell(3)).to_contain_text('path = "a.txt"')
    line.fill("not yet")
    line.press("Enter")
    notebook.wait_for_end(3)
    expect(panel.reply()).to_contain_text("did not approve this call. not yet")
    panel.button("Regenerate the reply").click()
    question = panel.root.locator(".lb-question")
    expect(question).to_contain_text('path = "a.txt"')
    question.get_by_role("button", name="Call it", exact=True).click()
    panel.wait_for_end()
    expect(question).to_have_count(0)
    expect(panel.reply()).to_contain_text('remove(path="a.txt") -> removed a.txt')

"""The chat panel across reloads, several views, lost messages, kernel restarts and the saved notebook."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.lab import choose, new_context
from tests.browser.panels import RATE, Panel, use


def test_turns_are_saved_with_the_notebook(panel, notebook):
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


def test_two_views_show_the_same_after_a_reload_during_a_reply(lab, page, mock_server):
    url = mock_server.url("openai", rate=RATE)
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
    one.send("count to 9000", wait=False)
    expect(two.reply()).to_contain_text("1 2 3")
    page.reload()
    for view in (one, two):
        view.wait_until_ready()
        expect(view.turns).to_have_count(2)
        expect(view.reply()).to_contain_text("1 2 3")
        expect(view.action).to_have_accessible_name("Stop the reply")
    one.action.click()
    for view in (one, two):
        view.wait_for_end()
        expect(view.turns.last).to_contain_text("Interrupted; the text so far is kept.")
    assert one.reply().text_content() == two.reply().text_content()
    one.send("say after the reload")
    for prompts in saved_prompts(page, notebook):
        assert prompts == ["say shared", "count to 9000", "say after the reload"]
    one.input.fill("half\na sentence")
    two.input.fill("x")
    two.input.fill("")
    page.reload()
    expect(one.wait_until_ready().input).to_have_value("half\na sentence")
    assert one.input.bounding_box()["height"] > 1.4 * two.input.bounding_box()["height"]
    expect(two.wait_until_ready().input).to_have_value("")
    one.input.press("Enter")
    expect(two.turns).to_have_count(4)
    page.reload()
    expect(one.wait_until_ready().turns).to_have_count(4)
    expect(one.input).to_have_value("")


def saved_prompts(page, notebook):
    """Save the notebook; return the prompts saved in the output below each panel."""
    seen = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    for transcript in seen.locator(".lockbots-transcript").all():
        expect(transcript).to_contain_text("after the reload")
    seen.locator(".jp-Notebook .jp-InputPrompt").first.click()
    outputs = [output for cell in notebook.save().cells for output in cell.outputs]
    kept = [output.metadata.lockbots for output in outputs if "lockbots" in output.get("metadata", {})]
    assert kept
    return [[record.turn.prompt for record in records if "turn" in record] for records in kept]


@pytest.mark.parametrize("lost", ["frame", "end"])
def test_lost_and_repeated_messages_leave_no_trace_in_a_reply(lab, page, mock_server, lost):
    passed = {"frame": 0, "end": 0}

    def carry(socket):
        server = socket.connect_to_server()

        def deliver(message):
            data = message if isinstance(message, bytes) else message.encode()
            found = re.search(rb'"type": ?"(frame|end)"', data)
            kind = found and found[1].decode()
            if kind:
                passed[kind] += 1
            if kind != lost or passed[kind] % 3 != {"frame": 2, "end": 1}[lost]:
                for _ in range(2 if kind else 1):
                    socket.send(message)

        server.on_message(deliver)

    page.route_web_socket("**/channels*", carry)
    notebook = lab.open(page, use(mock_server, rate=RATE), "%lockbots panel", name=f"lossy-{lost}.ipynb")
    notebook.run(0)
    notebook.run(1)
    panel = Panel(page).wait_until_ready()
    lines = [f"line {n}" for n in range(30)]
    panel.send("say " + "\n\n".join(lines))
    expect(panel.reply().locator("p")).to_have_text(lines)
    expect(panel.turns).to_have_count(1)
    expect(panel.action).to_have_accessible_name("Send")
    assert passed[lost] > (3 if lost == "frame" else 0)


def test_notebook_7_shows_the_panel_in_the_language_of_the_browser(lab, browser, mock_server):
    context = new_context(browser, locale="ru-RU", viewport={"width": 700, "height": 800})
    page = context.new_page()
    notebook = lab.open(page, use(mock_server, rate=RATE), "%lockbots panel", name="notebook-7.ipynb", app="notebooks")
    notebook.run(0)
    notebook.run(1)
    panel = Panel(page).wait_until_ready()
    expect(panel.action).to_have_accessible_name("Отправить")
    expect(panel.input).to_have_attribute("placeholder", "Введите запрос…")
    notebook.type_into(0, use(mock_server, fault="http-401"))
    notebook.run(0)
    panel.input.fill("кто там?")
    panel.input.press("Enter")
    expect(panel.notifications).to_contain_text(["Ключ не указан или отклонён: "])
    expect(panel.input).to_have_value("кто там?")
    notebook.type_into(0, f"{use(mock_server, rate=RATE)}\n%lockbots set language en")
    notebook.run(0)
    expect(panel.action).to_have_accessible_name("Send")
    expect(panel.input).to_have_value("кто там?")
    notebook.type_into(0, "%lockbots set language auto")
    notebook.run(0)
    expect(panel.action).to_have_accessible_name("Отправить")
    panel.input.fill("")
    panel.send("show code")
    expect(panel.root.locator(".lb-usage")).to_contain_text("1 реплика")
    panel.reply().locator("pre").hover()
    panel.reply().get_by_role("button", name="Вставить код в новую ячейку ниже").click()
    expect(notebook.cell(2).locator(".cm-content")).to_contain_text("return f")
    panel.choose("Экспортировать в Markdown")
    expect(panel.notifications).to_contain_text(["Экспортировано: main"])
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2")
    panel.action.click()
    panel.wait_for_end()
    expect(panel.turns.last).to_contain_text("ответ остановлен; полученная часть сохранена")
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
    assert kept == ["show code", "count to 9000", "say after the reload"]
    context.close()


def test_kernel_restart_is_reported_and_turns_can_be_restored(panel, notebook):
    name = panel.names.input_value()
    panel.send("say remembered")
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    panel.input.fill("kept through the restart")
    notebook.cell(0).locator(".jp-InputArea-editor").click()
    choose(panel.page, "Kernel", "Restart Kernel…")
    panel.page.get_by_role("button", name="Confirm Kernel Restart").click()
    order = re.compile("not connected to a kernel.*%load_ext lockbots_magic.*%lockbots restore.*this cell")
    expect(panel.notifications.first).to_contain_text(order)
    expect(panel.turns.last).to_contain_text("The kernel stopped; the reply is incomplete.")
    expect(panel.action).to_have_accessible_name("Send")
    expect(panel.input).to_have_value("kept through the restart")
    panel.page.locator(".jp-Notebook .jp-InputPrompt").first.click()
    notebook.save()
    notebook.run(0)
    notebook.run(1)
    panel.wait_until_ready()
    expect(panel.notifications).to_contain_text([re.compile("saved turns? .* not in this kernel.*%lockbots restore")])
    notebook.save()
    notebook.type_into(3, "%lockbots restore")
    notebook.run(3)
    expect(panel.notifications).to_have_count(0)
    panel.names.select_option(name)
    expect(panel.reply()).to_have_text("remembered")
    panel.send("say back")
    expect(panel.reply()).to_have_text("back")
    panel.send("count to 9000", wait=False)
    expect(panel.reply()).to_contain_text("1 2 3")
    notebook.cell(0).locator(".jp-InputArea-editor").click()
    choose(panel.page, "Kernel", "Shut Down Kernel")
    expect(panel.turns.last).to_contain_text("The kernel stopped; the reply is incomplete.")
    expect(panel.notifications.first).to_contain_text(order)
    expect(panel.action).to_have_accessible_name("Send")
